"""``trialindex ingest``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from trialindex.cli.common import index_option, open_for_writing, say
from trialindex.cli.groups import OptionsAnywhere
from trialindex.cli.output import progress_listener

if TYPE_CHECKING:
    from trialindex.ingest.run import Summary


class IngestGroup(OptionsAnywhere):
    """Every source is a subcommand with options of its own; its argument follows a colon."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        from trialindex.plugin.registry import plugins

        return plugins().sources.names()

    def get_command(self, ctx: click.Context, spec: str) -> click.Command | None:
        import inspect

        from trialindex.plugin.registry import plugins, split_spec

        source = plugins().sources.get(split_spec(spec)[0])

        @click.pass_context
        def run(ctx: click.Context, /, **options: Any) -> None:
            ingest(ctx, spec, options)

        params = [*source.options, *_common_params()]
        return click.Command(
            spec,
            callback=run,
            params=params,
            help=inspect.cleandoc(source.__doc__ or source.summary),
            short_help=source.summary,
        )


@click.command("ingest", cls=IngestGroup, subcommand_metavar="SOURCE[:ARGUMENT] [OPTIONS]")
def command() -> None:
    """Bring trials from a source into an index, which is made when there is none.

    Run it again to fetch what is new. What is interrupted goes on where it stopped.

    \b
    Examples:
      trialindex ingest ctgov:"lupus nephritis"
      trialindex ingest ctgov:asthma --status recruiting --country France
      trialindex ingest ctgov-file:ctg-studies.json
      trialindex ingest csv:trials.csv --map title=Name --map id="Trial No"
      trialindex ingest ctgov --all --shard 2/8 --index part2
      trialindex ingest ctgov --help
    """


def ingest(ctx: click.Context, spec: str, options: dict[str, Any]) -> None:
    """Run one source into the index and say what came of it."""
    from trialindex.ingest.request import Request
    from trialindex.plugin.registry import plugins
    from trialindex.storage.info import describe_embedded

    common = {name: options.pop(name) for name in ("index_path", "encoder", "store", "device", "batch_size")}
    shard = options.pop("shard")
    quiet = options.pop("quiet")
    source = plugins().sources.make(spec, **options)
    with open_for_writing(common.pop("index_path"), **common) as index, progress_listener(quiet) as listener:
        request = Request.create(index.plugins, spec, options, index.folder)
        summary = index.ingest(source, listener=listener, request=request, shard=shard)
        trials = len(index)
        if not quiet:
            click.echo(summary_line(summary, trials, str(index.folder)))
    for trial_id, why in summary.kept[:5]:
        say(f"{trial_id} was left as it is: {why}.")
    for why, count in summary.dropped.most_common(5):
        if count > 1:
            say(f"left empty {count:,} times: {why}")
    if summary.stopped:
        done = f"; {describe_embedded(trials, summary.unembedded)}" if summary.unembedded else ""
        say(f"{summary.stopped}. What was done is kept{done}. Run the same command again to go on.")
        ctx.exit(130)
    if summary.rejected and not (summary.changes or summary.unchanged or summary.kept):
        say("none of the records could be used.")
        ctx.exit(1)


class _ShardType(click.ParamType[Any]):
    """``2/8``: the second of eight parts."""

    name = "N/M"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        from trialindex.ingest.request import Shard

        try:
            return Shard.parse(value) if isinstance(value, str) else value
        except ValueError as problem:
            self.fail(f"{problem}.", param, ctx)


def summary_line(summary: Summary, trials: int, folder: str) -> str:
    from trialindex.trial import display

    return f"{format_counts(summary)}. The index at {folder} holds {display.count(trials, 'trial')}."


def format_counts(summary: Summary) -> str:
    """What an ingest did, in numbers: ``3 added, 12 unchanged in 4.2 s``."""
    counts = [
        (summary.added, "added"),
        (summary.changed, "changed"),
        (summary.unchanged, "unchanged"),
        (len(summary.kept), "left as they are"),
        (len(summary.rejected), "skipped"),
        (summary.dropped.total(), "value left empty" if summary.dropped.total() == 1 else "values left empty"),
    ]
    words = ", ".join(f"{count:,} {what}" for count, what in counts if count) or "nothing new"
    return f"{words} in {summary.seconds:.1f} s"


def _common_params() -> list[click.Parameter]:
    """Options that every source's subcommand has."""

    @index_option
    @click.option(
        "--encoder", metavar="SPEC", help="For a new index: the encoder, one of trialindex plugins.  [default: minilm]"
    )
    @click.option(
        "--store",
        metavar="SPEC",
        help="For a new index: where vectors are kept, one of trialindex plugins.  [default: faiss]",
    )
    @click.option("--device", metavar="NAME", help="Where the encoder runs, if it can choose: cpu, cuda or mps.")
    @click.option("--batch-size", type=click.IntRange(1), metavar="N", help="Texts the encoder takes at once.")
    @click.option(
        "--shard", type=_ShardType(), help="Only this part of the trials, for several machines; see trialindex merge."
    )
    @click.option("--quiet", "-q", is_flag=True, help="Only errors.")
    def holder() -> None: ...

    return list(reversed(holder.__click_params__))  # type: ignore[attr-defined]

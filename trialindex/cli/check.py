"""``trialindex check``."""

from __future__ import annotations

import click

from trialindex.cli.common import index_option, open_for_reading, open_for_writing, say


@click.command("check")
@click.option("--repair", is_flag=True, help="Make again what can be made from records.db.")
@index_option
@click.pass_context
def command(ctx: click.Context, index_path: str | None, repair: bool) -> None:
    """Prove that an index is whole; exits 1 when it is not.

    Every record is hashed again, every passage must have its vector, the vector store and the word index must agree
    with the records.
    """
    from trialindex import wording

    opened = open_for_writing(index_path, create=False) if repair else open_for_reading(index_path)
    with opened as index:
        findings = index.check(repair=repair)
        count = len(index)
    for finding in findings:
        click.echo(f"{'repaired' if finding.repaired else 'broken'}: {finding.what}")
    broken = [finding for finding in findings if not finding.repaired]
    if not broken:
        click.echo(f"The index is whole: {wording.count(count, 'trial')}.")
        return
    lost = [finding.trial for finding in broken if finding.kind == "record"]
    if repair and lost:
        say(f"ingest these again from their source: {', '.join(lost)}")
    elif not repair:
        say("mend what can be mended: trialindex check --repair")
    ctx.exit(1)

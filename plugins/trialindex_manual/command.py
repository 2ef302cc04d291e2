"""``trialindex add``: trials by hand."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

import click

from trialindex.cli.common import index_option, open_for_writing, say
from trialindex.errors import SourceError, UnknownTrial

if TYPE_CHECKING:
    from trialindex import Index
    from trialindex.trial import Trial
    from trialindex_manual.entry import Question


class AddCommand(click.Command):
    """Has an option for every question, made when it is run or asked for help: they need the codes of a trial."""

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        first, *others = super().get_params(ctx)
        return [first, *_options(), *others]


@cache
def _options() -> tuple[click.Option, ...]:
    from trialindex_manual.entry import QUESTIONS

    def option(question: Question) -> click.Option:
        text = f"{question.help} Repeat for more." if question.many else question.help
        return click.Option(
            [question.option, question.field],
            multiple=question.many,
            metavar="TEXT",
            help=text,
            callback=lambda ctx, param, value: _checked(question, value),
        )

    return tuple(map(option, QUESTIONS))


@click.command("add", cls=AddCommand)
@click.argument("file", required=False)
@click.option("--edit", is_flag=True, help="Write it in your editor ($EDITOR), in a template that explains itself.")
@click.option("--replace", is_flag=True, help="Replace what the index holds under the same id.")
@index_option
@click.pass_context
def add(
    ctx: click.Context, /, file: str | None, edit: bool, replace: bool, index_path: str | None, **answers: Any
) -> None:
    """Add a trial by hand, or those of a YAML, JSON or TOML FILE.

    Without FILE and options it asks for what it needs. Only the title is needed.

    \b
    Examples:
      trialindex add
      trialindex add --edit
      trialindex add --title "NK cells in lupus nephritis" --condition "Lupus nephritis" --country China
      trialindex add trials.yaml
    """
    trials = _trials(file, edit, {field: answer for field, answer in answers.items() if answer})
    with open_for_writing(index_path) as index:
        if not replace:
            _refuse_known(index, trials)
        from trialindex.trial.sanitize import one_line
        from trialindex_manual.source import Entry

        summary = index.ingest(Entry(trials))
        for change in summary.changes:
            click.echo(f"{change.kind} {one_line(change.id)} in the index at {index.folder}.")
    if summary.unchanged:
        click.echo(f"unchanged: {summary.unchanged}; the index holds the same already.")
    for trial_id, why in [*summary.kept, *summary.rejected]:
        say(f"{trial_id} was not added: {why}.")
    if summary.stopped or summary.kept or summary.rejected:
        ctx.exit(130 if summary.stopped else 1)


def _trials(file: str | None, edit: bool, answers: dict[str, Any]) -> Sequence[Trial]:
    """The trials that the user gives, in whichever way."""
    from trialindex.trial.from_values import FieldError
    from trialindex_manual.entry import from_answers
    from trialindex_manual.files import read_path
    from trialindex_manual.source import read_all

    if file:
        if edit or answers:
            raise click.UsageError("give a file, or a trial with options, not both")
        return read_all(read_path(file))
    if edit:
        return [_edited(answers)]
    if not answers:
        if not _on_terminal():
            raise click.UsageError("there is nobody to ask: give a FILE, or at least --title")
        answers = _ask_all()
    if not answers.get("title"):
        raise click.UsageError("a trial needs a --title")
    try:
        return [from_answers(answers)]
    except FieldError as problem:
        raise click.UsageError(str(problem)) from None


def _refuse_known(index: Index, trials: Sequence[Trial]) -> None:
    known = []
    for trial in trials:
        try:
            index.get(trial.id)
        except UnknownTrial:
            continue
        known.append(trial.id)
    if known:
        more = f" and {len(known) - 5} more" if len(known) > 5 else ""
        raise SourceError(
            f"the index at {index.folder} holds {', '.join(known[:5])}{more} already.",
            hint="Give --replace to put the new record in its place.",
        )


def _on_terminal() -> bool:
    return sys.stdin.isatty()


# --- asking ---------------------------------------------------------------------------------------------------------


def _checked(question: Question, value: Any) -> Any:
    """The answer as it is.

    :raises click.BadParameter: it cannot be used.
    """
    for one in value if question.many else [value]:
        if one:
            try:
                question.validate(one)
            except ValueError as problem:
                raise click.BadParameter(str(problem)) from None
    return value


def _ask_all() -> dict[str, str]:
    """Every question put to the user, on stderr; an empty answer leaves the field out."""
    from trialindex_manual.entry import QUESTIONS, SEPARATOR

    click.echo("Press Enter to leave a field empty, Ctrl-C to stop.", err=True)
    answers = {}
    for question in QUESTIONS:
        several = f' Several: with "{SEPARATOR}" between them.' if question.many else ""
        click.secho(f"{question.help}{several}", dim=True, err=True)
        answer = click.prompt(
            question.prompt, default="", show_default=False, err=True, value_proc=_checker(question, SEPARATOR)
        )
        if answer:
            answers[question.field] = answer
    return answers


def _checker(question: Question, separator: str) -> Callable[[str], str]:
    def check(answer: str) -> str:
        answer = answer.strip()
        if question.required and not answer:
            raise click.UsageError("this one is needed")
        parts = answer.split(separator) if question.many else answer
        _checked(question, [part.strip() for part in parts] if question.many else parts)
        return answer

    return check


def _edited(answers: dict[str, Any]) -> Trial:
    """The trial that the user writes in an editor; what is wrong can be mended there."""
    from trialindex_manual.entry import parse_entry, template

    text = template(answers)
    while True:
        written = click.edit(text, extension=".yaml")
        if written is None:
            raise SourceError("the text was not saved, so nothing is added.")
        try:
            return parse_entry(written, "your text")
        except SourceError as problem:
            if not _on_terminal():
                raise
            for line in str(problem).splitlines():
                say(line)
            if not click.confirm("Edit it again?", default=True, err=True):
                raise
            text = written

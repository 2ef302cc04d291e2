"""``trialindex check``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import click

from trialindex.cli.common import index_option, open_for_reading, open_for_writing, say
from trialindex.cli.output import json_option, print_result, progress_listener

if TYPE_CHECKING:
    from trialindex.index import Index
    from trialindex.storage.check import Finding

SHOWN = 20
"""Findings of one kind that are shown; the others are counted."""


@click.command("check")
@click.option("--repair", is_flag=True, help="Make again what can be made from records.db.")
@click.option("--quiet", "-q", is_flag=True, help="Only what is wrong.")
@json_option
@index_option
@click.pass_context
def command(ctx: click.Context, index_path: str | None, repair: bool, quiet: bool, as_json: bool) -> None:
    """Prove that an index is whole; exits 1 when it is not.

    Every record and every earlier version is hashed again, every passage is cut again and must have its vector, or
    wait for it, the vector store is compared with brute force on a sample, the word index and the filters must agree
    with the records.
    """
    from trialindex.storage.info import EMBED_THE_REST
    from trialindex.trial import display

    opened = open_for_writing(index_path, create=False) if repair else open_for_reading(index_path)
    with opened as index:
        with progress_listener(quiet) as listener:
            report = index.check(repair=repair, listener=listener)
        performed, findings, count = (
            report.performed,
            [*report, *_check_watches(index), *_check_subscribers(index)],
            len(index),
        )
    value = {"trials": count, "checked": performed, "waiting": report.waiting, "findings": findings}
    print_result(value, _lines(findings, () if quiet else performed, count), as_json=as_json)
    if report.waiting:
        say(f"{display.count(report.waiting, 'passage')} not embedded yet. {EMBED_THE_REST}.")
    if broken := [finding for finding in findings if not finding.repaired]:
        if repair:
            _advise(broken)
        else:
            say("mend what can be mended: trialindex check --repair")
        ctx.exit(1)


def _lines(findings: Sequence[Finding], performed: Sequence[str], count: int) -> Iterator[str]:
    """The findings, those of one kind up to :data:`SHOWN`, then what was checked."""
    from trialindex.trial import display, sanitize

    shown: dict[str, int] = {}
    for finding in findings:
        shown[finding.kind] = shown.get(finding.kind, 0) + 1
        if shown[finding.kind] <= SHOWN:
            yield f"{'repaired' if finding.repaired else 'broken'}: {sanitize.one_line(finding.what)}"
    for kind, number in shown.items():
        if number > SHOWN:
            yield f"and {number - SHOWN:,} more of the kind: {kind}"
    if performed:
        yield f"Checked: {'; '.join(performed)}."
        if all(finding.repaired for finding in findings):
            yield f"The index is whole: {display.count(count, 'trial')}."


def _check_watches(index: Index) -> list[Finding]:
    """Check the watches that lie beside the index."""
    from trialindex.errors import TrialIndexError
    from trialindex.storage.check import Finding
    from trialindex.watching import Watches

    try:
        with Watches(index.folder) as watches:
            return [Finding("watches", what) for what in watches.damage()]
    except TrialIndexError as problem:
        return [Finding("watches", str(problem))]


def _check_subscribers(index: Index) -> list[Finding]:
    """Check the rows of those who signed up, if anybody can."""
    from trialindex.errors import TrialIndexError
    from trialindex.storage.check import Finding
    from trialindex.watching import Subscribers

    if not Subscribers.exist(index.folder):
        return []
    try:
        with Subscribers(index.folder) as subscribers:
            return [Finding("subscribers", what) for what in subscribers.damage()]
    except TrialIndexError as problem:
        return [Finding("subscribers", str(problem))]


def _advise(broken: list[Finding]) -> None:
    """What to do about what a repair cannot mend."""
    if lost := [finding.trial for finding in broken if finding.kind == "record"]:
        say(f"ingest these again from their source: {', '.join(lost)}")
    if cut := sorted({finding.trial for finding in broken if finding.kind == "revision"}):
        say(f"these earlier versions are lost; to begin a new history, remove and ingest again: {', '.join(cut)}")
    if any(finding.kind == "records" for finding in broken):
        say("records.db cannot be mended: restore it from a copy, or move the folder away and ingest again.")
    if any(finding.kind == "subscribers" for finding in broken):
        say("subscribers.db cannot be mended: restore it and its key from a copy.")
    if any(finding.kind == "watches" for finding in broken):
        say("watches.db cannot be mended: restore it from a copy, or move that file away and add the watches again.")

"""``trialindex check``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from trialindex.cli.common import index_option, open_for_reading, open_for_writing, progress_reports, say

if TYPE_CHECKING:
    from trialindex.index import Index
    from trialindex.storage.check import Finding

SHOWN = 20
"""Findings of one kind that are shown; the others are counted."""


@click.command("check")
@click.option("--repair", is_flag=True, help="Make again what can be made from records.db.")
@click.option("--quiet", "-q", is_flag=True, help="Only what is wrong.")
@index_option
@click.pass_context
def command(ctx: click.Context, index_path: str | None, repair: bool, quiet: bool) -> None:
    """Prove that an index is whole; exits 1 when it is not.

    Every record and every earlier version is hashed again, every passage is cut again and must have its vector, the
    vector store is compared with brute force on a sample, the word index and the filters must agree with the records.
    """
    from trialindex.trial import display, sanitize

    opened = open_for_writing(index_path, create=False) if repair else open_for_reading(index_path)
    with opened as index:
        with progress_reports(quiet) as reports:
            findings = index.check(repair=repair, reports=reports)
        findings += _of_watches(index)
        count = len(index)
    shown: dict[str, int] = {}
    for finding in findings:
        shown[finding.kind] = shown.get(finding.kind, 0) + 1
        if shown[finding.kind] <= SHOWN:
            click.echo(f"{'repaired' if finding.repaired else 'broken'}: {sanitize.one_line(finding.what)}")
    for kind, number in shown.items():
        if number > SHOWN:
            click.echo(f"and {number - SHOWN:,} more of the kind: {kind}")
    if findings.proved and not quiet:
        click.echo(f"Checked: {'; '.join(findings.proved)}.")
    broken = [finding for finding in findings if not finding.repaired]
    if not broken:
        if not quiet:
            click.echo(f"The index is whole: {display.count(count, 'trial')}.")
        return
    if repair:
        _advise(broken)
    else:
        say("mend what can be mended: trialindex check --repair")
    ctx.exit(1)


def _of_watches(index: Index) -> list[Finding]:
    """What is wrong with the watches that lie beside the index."""
    from trialindex.errors import TrialIndexError
    from trialindex.storage.check import Finding
    from trialindex.watching import Watches

    try:
        with Watches(index.folder) as watches:
            return [Finding("watches", what) for what in watches.damage()]
    except TrialIndexError as problem:
        return [Finding("watches", str(problem))]


def _advise(broken: list[Finding]) -> None:
    """What to do about what a repair cannot mend."""
    if lost := [finding.trial for finding in broken if finding.kind == "record"]:
        say(f"ingest these again from their source: {', '.join(lost)}")
    if cut := sorted({finding.trial for finding in broken if finding.kind == "revision"}):
        say(f"these earlier versions are lost; to begin a new history, remove and ingest again: {', '.join(cut)}")
    if any(finding.kind == "records" for finding in broken):
        say("records.db cannot be mended: restore it from a copy, or move the folder away and ingest again.")
    if any(finding.kind == "watches" for finding in broken):
        say("watches.db cannot be mended: restore it from a copy, or move that file away and add the watches again.")

"""The source ``ctgov``: the live API v2 of ClinicalTrials.gov."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import click
import msgspec

from trialindex.errors import SourceError
from trialindex.plugin.http import Pace
from trialindex.plugin.interfaces import IngestContext, Source
from trialindex.trial import Trial
from trialindex_ctgov.client import GO_ON, BadRequestError, Client, NotFoundError
from trialindex_ctgov.parse import parse_study, study_id
from trialindex_ctgov.request import IDS_PER_REQUEST, build, is_id, read_ids

RESTARTS = 3
"""How often one run starts its crawl again because the registry's data moved under it."""


FEW_IDS = 3 * IDS_PER_REQUEST
"""So many trials are looked up by their ids at once; of more, all that the request finds are listed first."""
ONLY_IDS = {"fields": "NCTId"}


class _Crawl(msgspec.Struct, frozen=True):
    """A crawl under way, as the index remembers it.

    :param timestamp: version of the registry's data; a page token is good for that one only.
    :param since: the crawl asks for updates from this ISO day on; ``None`` for everything.
    :param part: which of the request's lists of parameters.
    :param token: of the next page, ``None`` for the first.
    """

    timestamp: str | None
    since: str | None
    part: int = 0
    token: str | None = None
    done: int = 0
    total: int | None = None


class _State(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is remembered between runs.

    :param last: ISO day of the registry's data that the last whole crawl saw.
    """

    last: str | None = None
    crawl: _Crawl | None = None


class _DataMovedError(Exception):
    """The registry's data changed during the crawl; the message says how that showed."""


class CtgovSource(Source):
    """Trials of ClinicalTrials.gov, asked from its public API. No key is needed.

    \b
    trialindex ingest ctgov:"lupus nephritis"
    trialindex ingest ctgov:"lupus nephritis" --status recruiting --country France
    trialindex ingest ctgov:NCT01234567
    trialindex ingest ctgov --ids my-trials.txt
    trialindex ingest ctgov --all

    The second run of the same request asks only for what was updated since the first; --full asks for all of it again.
    An interrupted run goes on where it stopped when the same command is typed again. At most one request a second is
    sent. Where the registry refuses this computer, download a file on its site and use ctgov-file.
    """

    name: ClassVar[str] = "ctgov"
    id_pattern: ClassVar[str] = "NCT[0-9]{8}"
    summary: ClassVar[str] = "Trials of ClinicalTrials.gov, live from its API."
    options: ClassVar[tuple[click.Option, ...]] = (
        click.Option(["--condition"], metavar="TEXT", help="Condition or disease; the same as ctgov:TEXT."),
        click.Option(["--terms"], metavar="TEXT", help="Other words anywhere in the record, or a search expression."),
        click.Option(["--status"], multiple=True, metavar="STATUS", help="Such as recruiting. Can be repeated."),
        click.Option(
            ["--country"], multiple=True, metavar="NAME", help="With a site in this country. Can be repeated."
        ),
        click.Option(["--id", "ids"], multiple=True, metavar="NCT-ID", help="This trial. Can be repeated."),
        click.Option(
            ["--ids", "ids_file"], metavar="FILE", help="The trials whose NCT ids stand in this file of any text."
        ),
        click.Option(["--updated-since"], metavar="YYYY-MM-DD", help="Updated in the registry on that day or later."),
        click.Option(["--all", "everything"], is_flag=True, help="The whole registry: over half a million trials."),
        click.Option(["--full"], is_flag=True, help="Ask again for trials that did not change since the last run."),
    )
    once: ClassVar[tuple[str, ...]] = ("full",)

    pace: ClassVar[Pace] = Pace()
    """How fast to ask; tests against a server of their own replace it."""

    def __init__(
        self,
        argument: str = "",
        *,
        condition: str | None = None,
        terms: str | None = None,
        status: Iterable[str] | str = (),
        country: Iterable[str] | str = (),
        ids: Iterable[str] | str = (),
        ids_file: str | None = None,
        updated_since: str | None = None,
        everything: bool = False,
        full: bool = False,
    ) -> None:
        super().__init__(argument)
        self.full = full
        self.request = build(
            argument.strip(),
            condition=condition,
            terms=terms,
            statuses=_several(status),
            countries=[country] if isinstance(country, str) else list(country),
            ids=[*_several(ids), *(read_ids(Path(ids_file).expanduser()) if ids_file else ())],
            updated_since=updated_since,
            everything=everything,
        )

    @property
    def spec(self) -> str:
        words = self.request.words
        return f"{self.name} {words}" if words.startswith("--") else f"{self.name}:{words}"

    def trials(self, context: IngestContext) -> Iterator[Trial]:
        """Yield the trials asked for; see :class:`~trialindex.plugin.interfaces.Source`."""
        with Client(self.pace, context.note) as client:
            single = self.request.single_id
            if single:
                yield from self._one(client, single, context)
            else:
                yield from self._all(client, context)

    def ids(self, context: IngestContext, held: Collection[str]) -> Iterator[str] | None:
        """Which of the trials the registry still has, under that id; an id that became another one's is gone.

        A trial that the request no longer finds (it stopped recruiting, say) is looked up by its id before it counts as
        gone. So is each of a few.
        """
        return self._ids(context, held)

    def _ids(self, context: IngestContext, held: Collection[str]) -> Iterator[str]:
        asked = {one.upper() for one in held if is_id(one)}
        yield from (one for one in held if not is_id(one))  # of these nothing can be asked
        with Client(self.pace, context.note) as client:
            if len(asked) > FEW_IDS and not self.request.ids:
                for found in self._listed(client, context):
                    asked.discard(found)
                    yield found
            rest = sorted(asked)
            for start in range(0, len(rest), IDS_PER_REQUEST):
                ids = rest[start : start + IDS_PER_REQUEST]
                parameters = {"filter.ids": "|".join(ids), "pageSize": str(len(ids)), **ONLY_IDS}
                yield from map(_id_of, self._page(client, parameters, None)["studies"])
                context.progress(start + len(ids), len(rest))

    def _listed(self, client: Client, context: IngestContext) -> Iterator[str]:
        """The ids of every study that the request finds; some twice, when the registry's data move under it."""
        [parameters] = self.request.parameters(None)
        for _ in range(RESTARTS + 1):
            token, done = None, 0
            try:
                while token is not None or not done:
                    page = self._page(client, parameters | ONLY_IDS, token)
                    yield from map(_id_of, page["studies"])
                    done += len(page["studies"])
                    context.progress(done, max(done, page.get("totalCount", done)))
                    following = page.get("nextPageToken")
                    if following is not None and following == token:
                        raise SourceError("ClinicalTrials.gov sends the same page again and again.", hint=GO_ON)
                    token = following
                    if token is None:
                        return
            except _DataMovedError as problem:
                context.note(f"ClinicalTrials.gov {problem}; starting again from the first page.")
        raise SourceError(f"ClinicalTrials.gov refreshed its data {RESTARTS + 1} times during the sweep.", hint=GO_ON)

    def _one(self, client: Client, nct_id: str, context: IngestContext) -> Iterator[Trial]:
        """One study by its id or by an old id of it, which the registry redirects."""
        try:
            record = client.get(f"studies/{nct_id}")
        except NotFoundError:
            raise SourceError(f"ClinicalTrials.gov has no study {nct_id}.", hint="Check the id.") from None
        trial = self._trial(record, nct_id, context)
        if trial:
            yield trial
        context.progress(1, 1)

    def _all(self, client: Client, context: IngestContext) -> Iterator[Trial]:
        """A whole crawl, begun again when the registry's data move under it."""
        state = _state(context.state)
        since = self._since(state.last)
        if since != self.request.updated_since:
            context.note(f"Asking only for what was updated since {since}; --full asks for everything again.")
        today = datetime.now(UTC).date().isoformat()
        stamp = client.data_timestamp()
        crawl = _Crawl(stamp, since)
        if state.crawl and (state.crawl.timestamp, state.crawl.since) == (stamp, since):
            crawl = state.crawl
            context.note(f"Going on after the {crawl.done} studies of the interrupted run.")
        elif state.crawl:
            context.note("The interrupted run was of other data or options; starting again from the first page.")
        for _ in range(RESTARTS + 1):
            try:
                yield from self._pages(client, crawl, state.last, context)
                stamp = client.data_timestamp()
                if stamp != crawl.timestamp:
                    raise _DataMovedError("refreshed its data meanwhile")
            except _DataMovedError as problem:
                context.note(f"ClinicalTrials.gov {problem}; starting again from the first page.")
                crawl = _Crawl(client.data_timestamp(), since)
                continue
            context.checkpoint(msgspec.to_builtins(_State(last=stamp[:10] if stamp else today)))
            return
        raise SourceError(f"ClinicalTrials.gov refreshed its data {RESTARTS + 1} times during the crawl.", hint=GO_ON)

    def _pages(self, client: Client, crawl: _Crawl, last: str | None, context: IngestContext) -> Iterator[Trial]:
        """The trials of every page from where *crawl* stands, remembering the place after each.

        :raises _DataMovedError: a page token is no longer good.
        """
        resumed = crawl.part > 0 or crawl.token is not None
        missing = dict.fromkeys(self.request.ids)
        requests = list(self.request.parameters(crawl.since))
        total, done = crawl.total, crawl.done
        token = crawl.token
        for part in range(crawl.part, len(requests)):
            while True:
                page = self._page(client, requests[part], token)
                total = page.get("totalCount", total) if len(requests) == 1 else len(self.request.ids)
                for record in page["studies"]:
                    done += 1
                    trial = self._trial(record, f"study {done}", context)
                    if trial:
                        for nct_id in (trial.id, *trial.other_ids):
                            missing.pop(nct_id, None)
                        yield trial
                    context.progress(done, total)
                following = page.get("nextPageToken")
                if following is not None and following == token:
                    raise SourceError("ClinicalTrials.gov sends the same page again and again.", hint=GO_ON)
                token = following
                place = _Crawl(crawl.timestamp, crawl.since, part + (token is None), token, done, total)
                context.checkpoint(msgspec.to_builtins(_State(last, place)))
                if token is None:
                    break
        plain = not resumed and crawl.since is None and not self.request.statuses and not self.request.countries
        if missing and plain and not (self.request.condition or self.request.terms):
            names = ", ".join(list(missing)[:5]) + (f" and {len(missing) - 5} more" if len(missing) > 5 else "")
            context.note(f"ClinicalTrials.gov has no study {names}.")

    def _page(self, client: Client, parameters: dict[str, str], token: str | None) -> dict[str, Any]:
        more = {"pageToken": token} if token else {"countTotal": "true"}
        try:
            page = client.get("studies", parameters | more)
        except BadRequestError:
            if token is None:
                raise
            raise _DataMovedError("no longer knows the page to go on with") from None
        if not isinstance(page.get("studies"), list):
            raise SourceError("ClinicalTrials.gov answered a search without a list of studies.", hint=GO_ON)
        return page

    def _trial(self, record: Any, where: str, context: IngestContext) -> Trial | None:
        try:
            return parse_study(record, self.name, lambda problem: context.drop(study_id(record) or where, problem))
        except ValueError as problem:
            context.reject(where, str(problem))
            return None

    def _since(self, last: str | None) -> str | None:
        """The day from which on updates are asked for: the user's, or the day before the last crawl's if later.

        A day before, because the registry's day ends at another hour than that of its users.
        """
        asked = self.request.updated_since
        if self.full or last is None:
            return asked
        day_before = (date.fromisoformat(last) - timedelta(days=1)).isoformat()
        return max(day_before, asked or "")


def _id_of(record: Any) -> str:
    """The id of a study.

    :raises SourceError: it has none.
    """
    try:
        return str(record["protocolSection"]["identificationModule"]["nctId"])
    except (KeyError, TypeError):
        raise SourceError("ClinicalTrials.gov answered with a study that has no id.", hint=GO_ON) from None


def _several(value: Iterable[str] | str) -> list[str]:
    """The values of an option that can be repeated; one text may hold several between commas."""
    values = [value] if isinstance(value, str) else list(value)
    return [part.strip() for text in values for part in text.split(",") if part.strip()]


def _state(state: Any) -> _State:
    """The remembered state; one that cannot be read (of another version) counts as none."""
    try:
        known = msgspec.convert(dict(state), _State)
        date.fromisoformat(known.last or "2000-01-01")
    except (ValueError, TypeError):
        return _State()
    return known

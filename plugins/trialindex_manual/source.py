"""The ``manual`` source, and a source of one trial."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, ClassVar

import msgspec

from trialindex.errors import SourceError
from trialindex.plugin.interfaces import IngestContext, Source
from trialindex.trial import Trial, format_age
from trialindex.trial.from_values import FieldError, Place, Problem, read_trial
from trialindex.trial.parse_values import quote_input
from trialindex_manual.document import Document
from trialindex_manual.files import read_path

NAME = "manual"
_SHOWN = 10


class ManualSource(Source):
    """Trials from files that somebody wrote: manual:FILE, or manual:FOLDER for all files in it.

    A file is YAML, JSON or TOML. It holds one trial, a list of them, or a list under "trials":

    \b
      trials:
        - id: LOCAL-1
          title: Mycophenolate against cyclophosphamide in lupus nephritis
          conditions: [Lupus nephritis]
          status: recruiting
          minimum_age: 18
          sites:
            - {city: Lyon, country: France}

    Codes may be written in any spelling, dates as 2024, 2024-05 or 2024-05-17, ages in years or as "6 months". Every
    file is checked first; whatever is wrong is shown with its place, and then nothing is read.
    """

    name: ClassVar[str] = NAME
    partial: ClassVar[bool] = True  # what somebody wrote down takes nothing away from a registry's record
    summary: ClassVar[str] = "Trials from YAML, JSON or TOML files written by hand."

    def __init__(self, argument: str = "", **options: Any) -> None:
        super().__init__(argument, **options)
        if not argument:
            raise SourceError(
                "manual needs a file or a folder.", hint="Type manual:FILE, for example manual:trials.yaml."
            )

    def trials(self, context: IngestContext) -> Iterator[Trial]:
        found = read_all(read_path(self.argument))
        for done, trial in enumerate(found, 1):
            yield trial
            context.progress(done, len(found))


class Entry(Source):
    """Trials that are at hand already."""

    name: ClassVar[str] = NAME
    partial: ClassVar[bool] = True
    summary: ClassVar[str] = "Trials that were just typed."

    def __init__(self, trials: Iterable[Trial]) -> None:
        super().__init__()
        self.entries = list(trials)

    def trials(self, context: IngestContext) -> Iterator[Trial]:
        yield from self.entries


def read_all(
    documents: Iterable[Document], complete: Callable[[Mapping[str, Any]], Mapping[str, Any]] = lambda fields: fields
) -> list[Trial]:
    """The trials of all the documents.

    :param complete: adds to the fields of each trial before it is read.
    :raises SourceError: something is wrong with one of them; the message has a line for each problem.
    """
    found: list[Trial] = []
    wrong: list[str] = []
    seen: dict[str, str] = {}
    for document in documents:
        for place, value in items(document, wrong):
            try:
                trial = trial_from(complete(value))
            except FieldError as error:
                label = quote_input(value["id"]) if place and isinstance(value.get("id"), str) else ""
                wrong += [f"{document.locate(place, one.place, label)}: {one.why}" for one in error.problems]
                continue
            if trial.id in seen:
                wrong.append(f"{document.locate(place, ('id',))}: {trial.id} is in {seen[trial.id]} already")
            seen.setdefault(trial.id, document.locate((*place, "id"), ()))
            found.append(trial)
    if wrong:
        raise SourceError("\n".join(_first(wrong)))
    return found


def items(document: Document, wrong: list[str]) -> Iterator[tuple[Place, Mapping[str, Any]]]:
    """The trials that a document holds, each with its place; what is none is added to *wrong*, in words."""
    place: Place = ()
    value = document.value
    if isinstance(value, Mapping) and "trials" in value:
        wrong += [
            f'{document.locate((), (key,))}: only "trials" can stand here; fields belong to a trial'
            for key in value
            if key != "trials"
        ]
        place, value = ("trials",), value["trials"]
    if isinstance(value, Mapping):
        yield place, value
        return
    if not isinstance(value, list) or not value:
        wrong.append(f"{document.locate(place, ())}: there is no trial here")
        return
    for number, one in enumerate(value):
        if isinstance(one, Mapping):
            yield (*place, number), one
        else:
            where = document.locate((*place, number), ())
            wrong.append(f"{where}: a trial was expected here, such as {{id: …, title: …}}")


def trial_from(value: Mapping[str, Any]) -> Trial:
    """A trial that was written by hand.

    :raises FieldError: something is wrong with it.
    """
    trial = read_trial(value)
    if trial.minimum_age is not None and trial.maximum_age is not None and trial.minimum_age > trial.maximum_age:
        ages = f"{format_age(trial.minimum_age)} is above the maximum_age, {format_age(trial.maximum_age)}"
        raise FieldError([Problem(("minimum_age",), ages)])
    return trial if trial.source else msgspec.structs.replace(trial, source=NAME)


def _first(lines: list[str]) -> list[str]:
    more = len(lines) - _SHOWN
    return lines if more <= 0 else [*lines[:_SHOWN], f"and {more} more problem{'s' if more > 1 else ''}."]

"""The source ``noticeboard``."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any, ClassVar

import click

from trialindex.errors import SourceError, nearest
from trialindex.plugin.interfaces import IngestContext, Source
from trialindex.trial import Trial
from trialindex.trial.from_values import read_trial
from trialindex.trial.parse_values import normalise_ages

FIELDS = {
    "id": "id",
    "title": "title",
    "status": "status",
    "phase": "phases",
    "conditions": "conditions",
    "treatments": "interventions",
    "about": "summary",
    "for": "inclusion",
    "not for": "exclusion",
    "sex": "sex",
    "link": "url",
    "updated": "last_updated",
}
"""Labels whose text goes into a field of the trial as it is; ``read_trial`` makes codes and dates of it."""

LISTS = {"conditions", "treatments", "for", "not for"}
CONTACT = {"contact": "name", "telephone": "phone", "e-mail": "email"}
LABELS = (*FIELDS, "ages", "where", *CONTACT)


class NoticeboardSource(Source):
    """Studies from a noticeboard: noticeboard:FILE.

    A noticeboard is a plain text in which a hospital or a patients' group lists its studies, a paragraph each. A line
    is a label and its value, an indented line goes on with the one above, and lists are divided by semicolons:

    \b
      Id: NB-014
      Title: Guided walks after a kidney transplant
      Status: recruiting
      Conditions: kidney transplant; fatigue
      Ages: 18 to 70 years
      Where: City Hospital, Lyon, France
      About: Twelve weeks of walks in groups of eight,
        once in the park and once in the gym.

    Id and Title are needed. The other labels are Phase, Treatments, For, Not for, Sex, Link, Updated, Contact,
    Telephone and E-mail. A file that has not changed since the last run is left alone, unless --full is given.
    """

    name: ClassVar[str] = "noticeboard"
    summary: ClassVar[str] = "Studies from a plain-text list, a paragraph each."
    partial: ClassVar[bool] = True  # a registry's record of the same study says more, and is not replaced by this one
    options: ClassVar[tuple[click.Option, ...]] = (
        click.Option(["--recruiting"], is_flag=True, help="Leave out studies that are not recruiting."),
        click.Option(["--full"], is_flag=True, help="Read the file even if it has not changed since the last run."),
    )
    once: ClassVar[tuple[str, ...]] = ("full",)  # `trialindex sync` asks again without it

    def __init__(self, argument: str = "", *, recruiting: bool = False, full: bool = False) -> None:
        super().__init__(argument)
        if not argument:
            raise SourceError(
                "noticeboard needs a file.", hint="Type noticeboard:FILE, for example noticeboard:studies.txt."
            )
        self.path = Path(argument).expanduser()
        self.recruiting = recruiting
        self.full = full

    @property
    def spec(self) -> str:
        # What this source remembers is remembered under its spec. With --recruiting other trials are asked for, so what
        # a run without it remembered must not count. --full asks for the same ones: it does not belong here.
        return f"{super().spec} --recruiting" if self.recruiting else super().spec

    def trials(self, context: IngestContext) -> Iterator[Trial]:
        text = self._text()
        digest = hashlib.sha256(text.encode()).hexdigest()
        if context.state.get("sha256") == digest and not self.full:
            context.note(f"{self.path} has not changed since the last run; --full reads it all the same.")
            return
        found = list(paragraphs(text))
        if not found:
            raise SourceError(f"there is no study in {self.path}.", hint="Studies begin with a line like: Id: NB-014")
        for done, (line, paragraph) in enumerate(found, 1):
            try:
                trial = study(paragraph, self.name)
            except ValueError as problem:
                context.reject(f"line {line}", str(problem))  # this one is skipped and counted, the rest goes on
            else:
                if trial.status == "RECRUITING" or not self.recruiting:
                    yield trial
            context.progress(done, len(found))
        # Stored together with the last trials: after a Ctrl-C or a full disk the next run reads the file again.
        context.checkpoint({"sha256": digest})

    def _text(self) -> str:
        try:
            return self.path.read_text(encoding="utf-8-sig")
        except UnicodeDecodeError:
            raise SourceError(f"{self.path} is not UTF-8 text.", hint="Save it as UTF-8.") from None
        except OSError as problem:
            raise SourceError(f"{self.path} cannot be read: {problem.strerror}.") from None


def paragraphs(text: str) -> Iterator[tuple[int, str]]:
    """The paragraphs of a text, each with the number of its first line."""
    numbered = enumerate(text.split("\n"), 1)
    for blank, group in groupby(numbered, key=lambda line: not line[1].strip()):
        if not blank:
            lines = list(group)
            yield lines[0][0], "\n".join(line for _, line in lines)


def study(paragraph: str, source: str) -> Trial:
    """The trial that a paragraph describes.

    :raises ValueError: a line or a value cannot be read; the message says which and why.
    """
    said: dict[str, str] = {}
    for line in re.sub(r"\n[ \t]+", " ", paragraph.strip()).split("\n"):
        label, colon, value = line.partition(":")
        label = label.strip().lower()
        if not colon:
            raise ValueError(f'"{line[:60]}" is not a label and its value, such as "Status: recruiting"')
        if label not in LABELS:
            raise ValueError(f'"{label[:60]}" is not a label. {nearest(label, LABELS)}')
        if label in said:
            raise ValueError(f'the label "{label}" is there twice')
        said[label] = value.strip()
    data: dict[str, Any] = {"source": source, "raw": {"text": paragraph}}
    for label, field in FIELDS.items():
        value = said.get(label, "")
        data[field] = [item.strip() for item in value.split(";")] if label in LISTS else value
    if "ages" in said:
        data["minimum_age"], data["maximum_age"] = normalise_ages(said["ages"])
    if "where" in said:
        data["sites"] = [place(said["where"])]
    data["contacts"] = [{field: said[label] for label, field in CONTACT.items() if label in said}]
    return read_trial(data)  # an empty value counts as absent, and whatever is wrong is in the message


def place(text: str) -> dict[str, str]:
    """``City Hospital, Lyon, France`` as a site; what is missing is missing on the left."""
    parts = [part.strip() for part in text.rsplit(",", 2)]
    return dict(zip(("country", "city", "name"), reversed(parts), strict=False))

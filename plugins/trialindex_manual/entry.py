"""One trial typed by a person: the questions, the text for an editor, and what becomes of the answers."""

from __future__ import annotations

import datetime
import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from trialindex.errors import SourceError
from trialindex.trial import Trial, parse_values
from trialindex_manual.files import parse
from trialindex_manual.source import read_all, trial_from

SEPARATOR = ";"
"""Between the items of a list that is typed on one line."""


def _any_text(text: str) -> str:
    return text


def _url(text: str) -> str:
    if not re.match(r"https?://[^\s/]", text):
        raise ValueError(f'"{parse_values.quote_input(text)}" is not a web address; it begins with https://')
    return text


class Question(NamedTuple):
    """One thing to ask for.

    :param field: its name in the answers: a field of a trial, or ``site``, ``city`` or ``country``.
    :param option: what the option of ``trialindex add`` is called.
    :param prompt: what to ask.
    :param help: what else to say about it.
    :param required: there must be an answer.
    :param many: it takes several answers, on one line separated by semicolons.
    :param validate: takes one answer and raises :class:`ValueError` if it cannot be used.
    """

    field: str
    option: str
    prompt: str
    help: str
    required: bool = False
    many: bool = False
    validate: Callable[[str], object] = _any_text


QUESTIONS: Sequence[Question] = (
    Question("title", "--title", "Title", "What the trial is called.", required=True),
    Question("id", "--id", "Registry id", "Such as NCT06676631. Without one, the trial gets an id of your own index."),
    Question("url", "--url", "Web address", "Where the trial can be read.", validate=_url),
    Question("conditions", "--condition", "Conditions", "The illness it is about.", many=True),
    Question("summary", "--summary", "Summary", "What is tested, in whom and how, in a few sentences."),
    Question(
        "status", "--status", "Status", "Such as recruiting or completed.", validate=parse_values.normalise_status
    ),
    Question(
        "study_type",
        "--study-type",
        "Study type",
        "Interventional or observational.",
        validate=parse_values.normalise_study_type,
    ),
    Question("phases", "--phase", "Phase", "Such as 2 or 1/2.", many=True, validate=parse_values.normalise_phases),
    Question("interventions", "--intervention", "Interventions", "What is tested, such as Drug: rituximab.", many=True),
    Question("sex", "--sex", "Sex", "Who can take part: all, female or male.", validate=parse_values.normalise_sex),
    Question(
        "minimum_age", "--min-age", "Lowest age", "Years, or such as 6 months.", validate=parse_values.normalise_age
    ),
    Question(
        "maximum_age", "--max-age", "Highest age", "Years, or such as 6 months.", validate=parse_values.normalise_age
    ),
    Question("inclusion", "--inclusion", "Who can take part", "A criterion for taking part.", many=True),
    Question("exclusion", "--exclusion", "Who cannot take part", "A criterion against taking part.", many=True),
    Question("site", "--site", "Hospital", "The hospital or clinic where the trial is run."),
    Question("city", "--city", "City", "The city of that place."),
    Question("country", "--country", "Country", "The country of that place."),
    Question("sponsor", "--sponsor", "Sponsor", "Who is responsible for it."),
    Question(
        "start_date",
        "--start-date",
        "Start",
        "A day, month or year: 2024-05-17, 2024-05.",
        validate=parse_values.normalise_date,
    ),
)

Answers = Mapping[str, str | Sequence[str]]
"""What was answered, by field. A list is a sequence, or one text with semicolons."""


def from_answers(answers: Answers) -> Trial:
    """The trial that the answers describe; without an id it gets one of :func:`new_id`.

    :raises trialindex.trial.from_values.FieldError: there is no title, or an answer cannot be used.
    """
    return trial_from(_with_id(_fields(answers)))


def _fields(answers: Answers) -> dict[str, Any]:
    """The answers as fields of a trial."""
    many = {question.field for question in QUESTIONS if question.many}
    data: dict[str, Any] = {}
    for field, answer in answers.items():
        if isinstance(answer, str) and field in many:
            answer = [item for item in map(str.strip, answer.split(SEPARATOR)) if item]
        if answer:
            data[field] = answer
    site = {
        part: data.pop(field)
        for field, part in (("site", "name"), ("city", "city"), ("country", "country"))
        if field in data
    }
    return data | ({"sites": [site]} if site else {})


def _with_id(data: Mapping[str, Any]) -> Mapping[str, Any]:
    """The same fields, with an id of our own if they hold none."""
    if str(data.get("id") or "").strip():
        return data
    return {**data, "id": new_id(str(data.get("title") or ""))}


def new_id(title: str, day: datetime.date | None = None) -> str:
    """An id for a trial that has none, such as ``LOCAL-2026-1a2b3c``: the same title on the same day gives the same id.

    :param day: today, if not given.
    """
    day = day or datetime.date.today()
    digest = hashlib.sha256(f"{day.isoformat()} {' '.join(title.casefold().split())}".encode("utf-8", "replace"))
    return f"LOCAL-{day.year}-{digest.hexdigest()[:6]}"


# --- the editor -----------------------------------------------------------------------------------------------------

_TEMPLATE = """\
# One trial. Fill in what you know and delete or leave empty what you do not: only the title is needed.
# Save and close the editor to add it; leave without saving to add nothing.

# What the trial is called.
title: {title}

# Its id in a registry, such as NCT06676631. Left empty, it gets an id of your own index.
id: {id}
url: {url}

# What is tested, in whom and how. "|" lets a text run over several lines, indented.
# summary: |
#   First line,
#   second line.
summary: {summary}

# Lists stand in square brackets, or with one item a line:
# conditions:
#   - Lupus nephritis
#   - Systemic lupus erythematosus
conditions: {conditions}
interventions: {interventions}
# interventions: ["Drug: rituximab", "Biological: NK cells"]

# recruiting, not yet recruiting, enrolling by invitation, active not recruiting, completed, suspended, terminated,
# withdrawn, unknown
status: {status}
# interventional, observational, expanded access
study_type: {study_type}
# 1, 2, 3, 4, "1/2", early phase 1, n/a
phases: {phases}

# all, female, male
sex: {sex}
# Years, or such as "6 months". Left empty there is no limit.
minimum_age: {minimum_age}
maximum_age: {maximum_age}
# A text that holds a colon and a space must be put in quotes.
inclusion: {inclusion}
exclusion: {exclusion}

sites: {sites}
# sites:
#   - name: University Hospital
#     city: Lyon
#     country: France
#     status: recruiting

sponsor: {sponsor}
# 2024, 2024-05 or 2024-05-17
start_date: {start_date}

# Every other field is described in docs/sources/manual.md, such as keywords, enrollment, outcomes, last_updated.
"""


def template(answers: Answers | None = None) -> str:
    """The text that an editor opens with: every common field with its explanation, and what was answered already."""
    data = _fields(answers or {})
    known = re.findall(r"\{(\w+)\}", _TEMPLATE)
    return re.sub(
        r" +$", "", _TEMPLATE.format(**{field: _yaml(data.get(field)) for field in known}), flags=re.MULTILINE
    )


def _yaml(value: Any) -> str:
    """A value in the flow style of YAML, of which JSON is a part."""
    return "" if value is None else json.dumps(value, ensure_ascii=False)


def parse_entry(text: str, name: str) -> Trial:
    """The trial in a text from the editor.

    :param name: how messages call the text.
    :raises SourceError: it is not one trial, or something is wrong with it; the message names each line.
    """
    found = read_all([parse(text, name, ".yaml")], complete=_with_id)
    if len(found) > 1:
        raise SourceError(f"{name} holds {len(found)} trials, where one was expected.")
    return found[0]

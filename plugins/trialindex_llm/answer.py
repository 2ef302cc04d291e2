"""What a model answered, read as the parts of a text. Its truth is another matter: see :mod:`.facts`."""

from __future__ import annotations

import re
from typing import Annotated

import msgspec

from trialindex.plugin.trial_page import Sentence
from trialindex.trial.sanitize import one_line

HEADLINE = 90
"""Characters of a headline, at most."""
SENTENCE = 400
"""Characters of a sentence, at most."""


class BadAnswer(Exception):
    """It cannot be used; the message says why, in words that follow a colon."""


class _Said(msgspec.Struct):
    text: str
    fields: list[str] = []


_Some = Annotated[list[_Said], msgspec.Meta(min_length=1, max_length=8)]


class _Document(msgspec.Struct):
    headline: _Said
    summary: Annotated[list[_Said], msgspec.Meta(min_length=2, max_length=3)]
    substance: _Some
    could_lead_to: _Some
    could_go_wrong: _Some


class Answer(msgspec.Struct, frozen=True):
    """The parts of a text, as :class:`~trialindex.plugin.trial_page.PlainLanguage` has them."""

    headline: Sentence
    summary: tuple[Sentence, ...]
    substance: tuple[Sentence, ...]
    could_lead_to: tuple[Sentence, ...]
    could_go_wrong: tuple[Sentence, ...]

    @property
    def sentences(self) -> tuple[Sentence, ...]:
        return (self.headline, *self.summary, *self.substance, *self.could_lead_to, *self.could_go_wrong)


def read(content: str) -> Answer:
    """The JSON object in what a model wrote, also inside a code fence or after its thoughts.

    :raises BadAnswer: there is none, or it has other parts than were asked for.
    """
    content = content.rpartition("</think>")[2]
    start, end = content.find("{"), content.rfind("}")
    if start < 0 or end < start:
        raise BadAnswer("it is not the JSON that was asked for" if content.strip() else "it is empty")
    try:
        document = msgspec.json.decode(content[start : end + 1], type=_Document)
    except (msgspec.DecodeError, RecursionError, UnicodeError) as problem:
        raise BadAnswer(f"it is not the JSON that was asked for ({one_line(str(problem))[:120]})") from None
    headline = _sentence(document.headline, HEADLINE)
    return Answer(
        Sentence(headline.text.rstrip("."), headline.fields),
        *(
            tuple(_sentence(said, SENTENCE) for said in part)
            for part in (document.summary, document.substance, document.could_lead_to, document.could_go_wrong)
        ),
    )


def _sentence(said: _Said, limit: int) -> Sentence:
    """On one line; a field is named without the part of it that is meant: ``sites[0].country`` is ``sites``."""
    text = one_line(said.text)
    if not text:
        raise BadAnswer("it has an empty sentence")
    if len(text) > limit:
        raise BadAnswer(f"it has a sentence of {len(text)} characters, where {limit} are allowed")
    if limit != HEADLINE and text[-1] not in ".!?”":
        text += "."
    return Sentence(text, tuple(dict.fromkeys(re.split(r"[.\[]", field.strip())[0] for field in said.fields)))

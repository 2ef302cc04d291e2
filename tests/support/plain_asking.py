"""What tests of the built-in writer ask of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from support.plain_cases import KINDS, SECTIONS, trial
from trialindex.plugin.trial_page import PlainLanguage, Sentence
from trialindex.trial import Arm, Intervention, Trial
from trialindex_writers.plain import PlainWriter

WRITER = PlainWriter()
BLANK = {
    field.name: "x" if field.default is msgspec.NODEFAULT else field.default for field in msgspec.structs.fields(Trial)
}


def told(section: str = "summary", **fields: Any) -> list[str]:
    """The sentences of one section."""
    plain = WRITER.write(trial(**fields))
    if section == "headline":
        return [plain.headline.text]
    return [sentence.text for sentence in getattr(plain, section)]


def kind(name: str, section: str) -> str:
    return " ".join(sentence.text for sentence in getattr(WRITER.write(KINDS[name]), section))


def drug(name: str, **fields: Any) -> dict[str, Any]:
    """One drug in one arm."""
    return {
        "interventions": (Intervention(name=name, type="DRUG", **fields),),
        "arms": (Arm(label="A", type="EXPERIMENTAL", interventions=(name,)),),
        "allocation": "NA",
        "intervention_model": "SINGLE_GROUP",
    }


def assert_fields_hold(record: Trial) -> None:
    """Without all fields that none of its sentences names the page is the same; none names a field in vain."""
    assert list(named_in_vain(record)) == []


def named_in_vain(record: Trial) -> Iterator[tuple[Sentence, str]]:
    """Fields that a sentence names and is the same without, in the whole record and in what the page names of it.

    :raises AssertionError: without all other fields the page is another.
    """
    plain = WRITER.write(record)
    sentences = [(section, one) for section in ("headline", *SECTIONS) for one in section_of(plain, section)]
    named = {field for _, sentence in sentences for field in sentence.fields}
    bare = _without(record, *(field for field in BLANK if field not in named))
    for section in ("headline", *SECTIONS):
        assert _texts(bare, section) == [sentence.text for sentence in section_of(plain, section)], section
    for section, sentence in sentences:
        assert sentence.fields, sentence.text
        stated = [field for field in sentence.fields if getattr(record, field) != BLANK[field]]
        for field in stated if len(stated) > 1 else ():
            texts = (_texts(_without(record, field), section), _texts(_without(bare, field), section))
            if all(sentence.text in one for one in texts):
                yield sentence, field


def _without(record: Trial, *fields: str) -> Trial:
    return msgspec.structs.replace(record, **{field: BLANK[field] for field in fields})


def section_of(plain: PlainLanguage, section: str) -> list[Any]:
    return [plain.headline] if section == "headline" else list(getattr(plain, section))


def _texts(record: Trial, section: str) -> list[str]:
    return [sentence.text for sentence in section_of(WRITER.write(record), section)]

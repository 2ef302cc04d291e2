"""Whether the sentences of the built-in writer come from the fields that they name."""

from __future__ import annotations

from typing import Any

import msgspec

from support.plain_cases import SECTIONS
from trialindex.plugin.trial_page import PlainLanguage
from trialindex.trial import Trial
from trialindex_writers.plain import PlainWriter

WRITER = PlainWriter()
BLANK = {
    field.name: "x" if field.default is msgspec.NODEFAULT else field.default for field in msgspec.structs.fields(Trial)
}


def assert_fields_hold(record: Trial) -> None:
    """Without one of its fields a sentence is another; without all that none names the page is the same."""
    plain = WRITER.write(record)
    named = set()
    for section in ("headline", *SECTIONS):
        for sentence in _section(plain, section):
            assert sentence.fields, sentence.text
            named |= set(sentence.fields)
            stated = [field for field in sentence.fields if getattr(record, field) != BLANK[field]]
            for field in stated if len(stated) > 1 else ():
                assert sentence.text not in _texts(_without(record, field), section), (sentence, field)
    bare = _without(record, *(field for field in BLANK if field not in named))
    for section in ("headline", *SECTIONS):
        assert _texts(bare, section) == [sentence.text for sentence in _section(plain, section)], section


def _without(record: Trial, *fields: str) -> Trial:
    return msgspec.structs.replace(record, **{field: BLANK[field] for field in fields})


def _section(plain: PlainLanguage, section: str) -> list[Any]:
    return [plain.headline] if section == "headline" else list(getattr(plain, section))


def _texts(record: Trial, section: str) -> list[str]:
    return [sentence.text for sentence in _section(WRITER.write(record), section)]

"""Ids of registries as people write them: in an address, with blanks, in small letters."""

from __future__ import annotations

import re

_FORMS = (
    *(("NCT", "", r"0(?:[ ]?\d){7}"), ("ISRCTN", "", r"\d{8}"), ("ACTRN", "", r"126\d{11}"), ("DRKS", "", r"000\d{5}")),
    *(("ChiCTR", "", r"\d{10}"), ("KCT", "", r"00\d{5}"), ("TCTR", "", r"20\d{9}"), ("PACTR", "", r"20\d{13,14}")),
    *(("RBR", "-", r"\d\w{5,7}"), ("JPRN", "-", r"\w{9,14}"), ("CTRI", "/", r"20\d\d/\d{2,3}/\d{6}")),
    *(("IRCT", "", r"\d{10,14}N\d{1,3}"), ("EUCTR", "", r"20\d\d-0\d{5}-\d\d(?:-[A-Z]{2})?")),
)
"""Letters, what joins them to the rest, and the rest, as each registry writes its ids."""
_NUMBERS = r"20\d\d-[05]\d{5}-\d\d(?:-\d\d)?"
"""Numbers of the EU's two registers, which have no letters."""
_IN_TEXT = re.compile(
    rf"(?<![A-Za-z0-9])(?:{'|'.join(f'{name}[ _-]*{join}{rest}' for name, join, rest in _FORMS)}|{_NUMBERS})(?![0-9])",
    re.IGNORECASE,
)
_SPACED = re.compile(r"\s*([A-Za-z]{3,6})[\s:#_-]*(\d[\d\s]+\d)\s*")
"""``NCT 0123 4567``."""


def ids_in_text(text: str) -> list[str]:
    """The ids of registries in a text, as the registries write them."""
    return [_as_written(match[0]) for match in _IN_TEXT.finditer(text)]


def id_of_cell(text: str) -> str:
    """The id that a cell means: that in an address or with blanks as its registry writes it, any other as it stands."""
    if match := _SPACED.fullmatch(text):
        joined = f"{match[1]}{''.join(match[2].split())}"
        return _as_written(joined) if _IN_TEXT.fullmatch(joined) else text
    if re.match(r"(?:https?://|www\.)", text, re.IGNORECASE):
        return next(iter(ids_in_text(text)), text)
    return _as_written(text) if _IN_TEXT.fullmatch(text) else text


def _as_written(found: str) -> str:
    """``nct01234567``, ``NCT_01234567`` → ``NCT01234567``."""
    for name, join, rest in _FORMS:
        if match := re.fullmatch(rf"{name}[ _-]*{join}({rest})", found, re.IGNORECASE):
            number = "".join(match[1].split())
            return f"{name}{join}{number if name in ('RBR', 'JPRN') else number.upper()}"
    return found

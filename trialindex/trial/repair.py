"""Text as its author meant it: what exports, forms and wrong encodings left in it is put right.

Registries hand out the text of web forms (HTML entities and tags), of Markdown (escapes), of spreadsheets
(``_x000D_``), and of files that were read in another encoding. An ingest applies :func:`repair` once to every record of
every source, so that no source, page or search has to know of it; ``Trial.raw`` stays as it was delivered.
"""

from __future__ import annotations

import html
import re
from typing import Any

import msgspec

from trialindex.trial.record import Trial
from trialindex.trial.sanitize import replace_surrogates

_ODD = re.compile(
    r"[&\\<\r\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\xa0\xad\u1680\u2000-\u200b\u2028\u2029\u202f\u205f\u2060\u3000\ufeff]|_x00"
)
"""What a text that needs repair holds, but for wrong encodings."""

_EXCEL = re.compile(r"_x(0009|000[AaDd]|005[Ff])_")
"""Characters as Office Open XML writes them (ECMA-376, part 1, section 22.9.2.19, ``ST_Xstring``)."""
_MARKDOWN = re.compile(r"\\([!-/:-@\[-`{-~])")
"""An escape of ASCII punctuation (CommonMark 0.28, section 6.1), so that ``\\mu`` stays."""
_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,30});")
_ATTRIBUTES = r"""(?:\s+[a-z-]+=(?:"[^"<>]*"|'[^'<>]*'|[^\s"'<>]+))*\s*/?>"""
_BREAK = re.compile(rf"[ \t]*(?:</?(?:br|p|div|ul|ol){_ATTRIBUTES}[ \t]*|</li>[ \t]*)+", re.IGNORECASE)
_BULLET = re.compile(rf"<li{_ATTRIBUTES}\s*", re.IGNORECASE)
_POWER = re.compile(r"<sup>\s*([^<>]{1,20}?)\s*</sup>", re.IGNORECASE)
_TAG = re.compile(rf"</?(?:a|b|i|u|em|strong|sub|sup|span|font){_ATTRIBUTES}", re.IGNORECASE)
_SPACE = re.compile(r"[\xa0\u1680\u2000-\u200a\u202f\u205f\u3000]")
_LINE_END = re.compile("\r\n?|[\x0b\x0c\x85\u2028\u2029]")
_UNSEEN = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\xad\u200b\u2060\ufeff]")
"""Controls, soft hyphens and zero-width characters; joiners stay: emoji and several scripts are written with them."""

_MISREAD = re.compile(
    "[\xc2-\xf4][\x80-\xbf\u0152-\u0192\u02c6\u02dc\u2013-\u203a\u20ac\u2122]|[\u221a\u201a\xac][\x80-\uffff]"
)
"""What UTF-8 looks like when it is read as Windows-1252, Latin-1 or Mac Roman; also chance, which ftfy tells apart."""


def repair_text(text: str) -> str:
    """The text without what forms, exports and wrong encodings left in it, and without outer blanks.

    Entities (``Parkinson&#39;s``, twice escaped too), escapes of Markdown (``\\>=``), tags of layout, ``_x000D_``,
    UTF-8 that was read in another encoding, and odd or unseen spaces become what they stand for.
    """
    if not text.isascii() and _MISREAD.search(text):
        from ftfy import fix_encoding

        text = fix_encoding(text)
    if _ODD.search(text) is None:
        return text.strip()
    if "_x00" in text:
        text = _EXCEL.sub(lambda match: chr(int(match[1], 16)), text)
    if "\\" in text:
        text = _MARKDOWN.sub(r"\1", text)
    for _ in range(2):
        if "&" in text:
            text = _ENTITY.sub(lambda match: html.unescape(match[0]), text)
    if "<" in text:
        text = _POWER.sub(r"^\1", text)
        text = _BREAK.sub("\n", _BULLET.sub("\n* ", text))
        text = _TAG.sub("", text)
    text = _UNSEEN.sub("", _SPACE.sub(" ", _LINE_END.sub("\n", text)))
    return replace_surrogates(text).strip()


def repair(trial: Trial) -> Trial:
    """The trial with each of its texts repaired; texts in lists that are then empty are left out."""
    fields = {
        name: mended
        for name in trial.__struct_fields__
        if name not in ("raw", "source") and (mended := _mended(value := getattr(trial, name))) is not value
    }
    if not fields:
        return trial
    return msgspec.structs.replace(trial, **{**fields, "title": fields.get("title", trial.title) or trial.title})


def _mended(value: Any) -> Any:
    """The value repaired; the same object if there was nothing to repair."""
    if isinstance(value, str):
        text = repair_text(value)
        return value if text == value else text
    if isinstance(value, tuple):
        parts = [(part, _mended(part)) for part in value]
        changed = any(new is not old for old, new in parts)
        return tuple(new for old, new in parts if new != "" or old == "") if changed else value
    if isinstance(value, msgspec.Struct):
        fields = {
            name: new for name in value.__struct_fields__ if (new := _mended(old := getattr(value, name))) is not old
        }
        return msgspec.structs.replace(value, **fields) if fields else value
    return value

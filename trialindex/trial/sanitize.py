"""Registry text made safe to show and to store: no character that steers a terminal, hides, or is no Unicode."""

from __future__ import annotations

import re

# Controls (C0, DEL, C1), bidirectional embeddings, overrides and isolates, and characters that nobody sees. Zero-width
# joiners stay: emoji and several scripts are written with them.
_REMOVED = (
    "\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\xad\u180e\u200b\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\U000e0000-\U000e007f"
)
_LINE_BREAK = re.compile("\r\n|[\r\x0b\x0c\x85\u2028\u2029]")
_HIDDEN = re.compile(f"[{_REMOVED}]")
_SURROGATE = re.compile("[\ud800-\udfff]")

UNSAFE = re.compile(f"[{_REMOVED}\r\x0b\x0c\x85\u2028\u2029\ud800-\udfff]")
"""A character that :func:`clean` does not let through."""


def clean(text: str) -> str:
    """The text without characters that could steer a terminal or mislead a reader.

    Line breaks of every kind become ``\\n``. Control characters, bidirectional overrides (Unicode Standard Annex 9) and
    invisible characters are dropped: what remains of a terminal escape is plain, visible text. Half of a surrogate pair
    becomes U+FFFD.
    """
    if UNSAFE.search(text) is None:
        return text
    return replace_surrogates(_HIDDEN.sub("", _LINE_BREAK.sub("\n", text)))


def replace_surrogates(text: str) -> str:
    """The text with U+FFFD for each half of a surrogate pair, which no file, database or model can take."""
    return text if text.isascii() else _SURROGATE.sub("\ufffd", text)


def one_line(text: str | None) -> str:
    """The text cleaned, on one line: runs of white space are one space. Empty for ``None``."""
    return " ".join(clean(text or "").split())


def paragraphs(text: str | None) -> tuple[str, ...]:
    """The text cleaned and cut at blank lines and before bullets, each paragraph on one line."""
    return tuple(filter(None, map(one_line, re.split(r"\n\s*\n|\n(?=\s*[*•-]\s)", clean(text or "")))))


def excerpt(text: str, limit: int) -> str:
    """The text on one line, cut at a space and marked with ``…`` when it is longer than *limit* characters."""
    line = one_line(text)
    if len(line) <= limit:
        return line
    head = line[: limit - 1]
    at = head.rfind(" ")
    if at > max(0, limit - 40):  # further back lies a text written without spaces
        head = head[:at]
    return f"{head.rstrip(' ,;:.')}…"

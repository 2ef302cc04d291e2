"""Odd values, and valid documents made invalid."""

from __future__ import annotations

import copy
import random
from typing import Any

from support.hostile_cases import ATTACKS

WORDS = (
    *(
        "lupus nephritis",
        "Phase 2/Phase 3",
        "2024-05-17",
        "05/06/2024",
        "May 2024",
        "18 Years",
        "6 Months",
        "N/A",
        "1.5",
    ),
    *("Recruiting", "Drug: rituximab", "18 to 65", "100km", "45.76,4.84", "Lyon, France", "Inclusion Criteria:", "yes"),
    *("no history of diabetes", "34-year-old woman", "I live in Lyon", "my mother had a stroke", "NCT01234567"),
)
ODD = (
    *("", " ", "\t", "\n", "0", "-1", "1e309", "-1e309", "nan", "inf", "NaN", "Infinity", "9" * 400, "1" * 5000, "0x1"),
    *("٢٠٢٤", "٣٤ years", "NCT٠١٢٣٤٥٦٧", "²", "½", "Ⅳ", "ﬁ", "İ", "ß", "e\u0301" * 20, "\U0001f468\u200d\U0001f469"),
    *("2024-02-30", "0000-01-01", "9999-12-31", "99/99/9999", "2024-13", "1" * 40 + "-01", "a" * 3000, "(" * 300),
    *("[" * 3000, "{" * 3000, '{"a":' * 1500, "- " * 1500, "*a", "&a [*a]", "!!python/object:os.system x", "<<: *x"),
    *("\ud800", "\udfff", "\x00", "\ufeff", "null", "true", "[]", "{}", '""', "'", '"', "\\", "\\u0000", "\\ud800"),
)
VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1, 2**31, 2**63, 2**64, -(2**63) - 1, 10**30, 10**400, 0.1, 1e308, 1e-308, -0.0),
    *(float("nan"), float("inf"), -float("inf"), "", [], {}, [[]], {"": ""}, [None], {"name": None}, b"x".decode()),
)
BYTES = (
    *(b"\x00", b"\xff", b"\xfe\xff", b"\xff\xfe", b"\xef\xbb\xbf", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80"),
    *(
        b"\x1f\x8b\x08",
        b"PK\x03\x04",
        b"\r",
        b"\n",
        b"\r\n",
        b'"',
        b"'",
        b",",
        b";",
        b"|",
        b"{",
        b"}",
        b"[",
        b"]",
        b":",
    ),
    *(b"\x80\x04\x95", b"<?xml", b"<!DOCTYPE x>", b"&a;", b"NaN", b"1e999", b"-", b"\\u", b"\\ud800", b"!!", b"&a *a "),
)


def text(rng: random.Random) -> str:
    """A text of some pieces, each ordinary, odd or meant to do harm."""
    pieces = []
    for _ in range(rng.choice((0, 1, 1, 1, 2, 3, 8))):
        kind = rng.random()
        if kind < 0.4:
            pieces.append(rng.choice(WORDS))
        elif kind < 0.6:
            pieces.append(rng.choice(ODD))
        elif kind < 0.8:
            pieces.append(rng.choice(list(ATTACKS.values())))
        elif kind < 0.95:
            pieces.append("".join(chr(_code(rng)) for _ in range(rng.randrange(12))))
        else:
            pieces.append((rng.choice(WORDS) + rng.choice((" ", "", "\n", ", ", "-"))) * rng.randrange(1, 200))
    return rng.choice((" ", "", "\n", ", ", "; ")).join(pieces)


def _code(rng: random.Random) -> int:
    return rng.randrange(rng.choice((0x20, 0x80, 0x100, 0x3000, 0x10000, 0x110000)))


def storable(rng: random.Random) -> str:
    """A text that JSON can hold."""
    return text(rng).encode("utf-8", "replace").decode()


def value(rng: random.Random, depth: int = 0) -> Any:
    """Any plain value."""
    kind = rng.random()
    if kind < 0.4:
        return text(rng)
    if kind < 0.7 or depth > 3:
        return copy.deepcopy(rng.choice(VALUES))
    if kind < 0.85:
        return [value(rng, depth + 1) for _ in range(rng.randrange(4))]
    return {text(rng): value(rng, depth + 1) for _ in range(rng.randrange(4))}


def changed(rng: random.Random, given: Any, rate: float = 0.08) -> Any:
    """A deep copy of plain values in which some are others, missing or doubled."""
    if rng.random() < rate:
        return value(rng)
    if isinstance(given, dict):
        kept = {key: changed(rng, one, rate) for key, one in given.items() if rng.random() > rate / 2}
        if rng.random() < rate:
            kept[rng.choice([*given, text(rng)])] = value(rng)
        return kept
    if isinstance(given, list):
        return [changed(rng, one, rate) for one in given for _ in range(rng.choice((1, 1, 1, 1, 1, 0, 2)))]
    if isinstance(given, str) and rng.random() < 3 * rate:
        return rng.choice((given + text(rng), text(rng) + given, given[: rng.randrange(len(given) + 1)], given * 3))
    return given


def bytes_of(rng: random.Random, seed: bytes) -> bytes:
    """*seed* with a few things done to it: cut, doubled, overwritten, odd pieces put in."""
    data = bytearray(seed)
    for _ in range(rng.choice((1, 1, 2, 4, 10))):
        at = rng.randrange(len(data) + 1)
        end = min(len(data), at + rng.choice((1, 1, 2, 8, 64, 1000)))
        match rng.randrange(8):
            case 0:
                del data[at:end]
            case 1:
                data[at:at] = data[at:end] * rng.choice((1, 2, 50))
            case 2 if data:
                data[at % len(data)] ^= 1 << rng.randrange(8)
            case 3:
                data[at:at] = rng.choice(BYTES) * rng.choice((1, 1, 3))
            case 4:
                data[at:at] = text(rng).encode("utf-8", "surrogatepass")
            case 5:
                data[at:end] = rng.randbytes(end - at)
            case 6:
                del data[at:]
            case _:
                data[at:at] = rng.choice(ODD).encode("utf-8", "surrogatepass")
    return bytes(data[: 1 << 20])

"""Cursors: where a list goes on, opaque to whoever holds one."""

from __future__ import annotations

import base64
import hmac
import secrets
from hashlib import sha256

import msgspec

from trialindex_web.refusal import Refusal

STALE = "The trials changed since that cursor was made. Ask again without it."
FOREIGN = "That is no cursor of this list. Ask again without one."


class _Place(msgspec.Struct, frozen=True, array_like=True):
    generation: int
    asked: str
    page: int


class Cursors:
    """Made and read by one server; they hold the state of the index, what was asked as a hash, and the next page."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)

    def make(self, generation: int, asked: object, page: int) -> str:
        """The cursor that leads to a page of what was asked."""
        place = msgspec.json.encode(_Place(generation, self._hash(asked), page))
        return base64.urlsafe_b64encode(self._sign(place) + place).decode().rstrip("=")

    def page(self, cursor: str | None, generation: int, asked: object) -> int:
        """The page that a cursor leads to, from 1.

        :raises Refusal: it is none of ours, for another question, or for a state of the index that is gone.
        """
        if cursor is None:
            return 1
        try:
            signed = base64.urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4))
            signature, text = signed[:16], signed[16:]
            if not hmac.compare_digest(signature, self._sign(text)):
                raise ValueError
            place = msgspec.json.decode(text, type=_Place)
        except ValueError:
            raise Refusal(400, FOREIGN) from None
        if place.asked != self._hash(asked):
            raise Refusal(400, FOREIGN)
        if place.generation != generation:
            raise Refusal(410, STALE)
        return place.page

    def _hash(self, asked: object) -> str:
        return sha256(self._key + msgspec.json.encode(asked)).hexdigest()[:16]

    def _sign(self, text: bytes) -> bytes:
        return hmac.digest(self._key, text, sha256)[:16]

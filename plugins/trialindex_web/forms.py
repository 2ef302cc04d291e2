"""What a form brings, read strictly."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from starlette.requests import Request

from trialindex.trial.sanitize import replace_surrogates
from trialindex_web.refusal import Refusal

if TYPE_CHECKING:
    from trialindex_web.sessions import Session, Sessions

FIELDS = 200
TOKEN = "token"  # noqa: S105  the name of a field
"""The field that shows that a form is ours."""


class Form(Mapping[str, str]):
    """The fields of a form: the last value of each, or all of them with :meth:`all`."""

    def __init__(self, pairs: list[tuple[str, str]]) -> None:
        self._pairs = pairs
        self._last = dict(pairs)

    def __getitem__(self, name: str) -> str:
        return self._last[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._last)

    def __len__(self) -> int:
        return len(self._last)

    def all(self, name: str) -> tuple[str, ...]:
        """Every value of a field that is not empty, each once."""
        return tuple(dict.fromkeys(value for key, value in self._pairs if key == name and value.strip()))

    def text(self, name: str, limit: int = 200) -> str:
        """The value of a field, trimmed; empty when it is not there.

        :raises Refusal: it is longer than *limit*.
        """
        value = self.get(name, "").strip()
        if len(value) > limit:
            raise Refusal(413, f"One of the fields is too long: it takes {limit:,} letters.")
        return value


async def read_form(request: Request) -> Form:
    """The fields that were sent, as browsers send a form without files.

    :raises Refusal: it is no such form.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    body = await request.body()
    if kind != "application/x-www-form-urlencoded" and body:
        raise Refusal(415, "A form is expected here.")
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, max_num_fields=FIELDS, errors="replace")
    except ValueError:  # more fields than that, or no ASCII, which no browser sends
        raise Refusal(400, "The form could not be read.") from None
    return Form([(name, replace_surrogates(value.replace("\0", ""))) for name, value in pairs])


def check_token(form: Form, session: Session, sessions: Sessions) -> None:
    """Make sure that the form was given to this session.

    :raises Refusal: the form is none that this session was given.
    """
    if not sessions.is_token(session, form.get(TOKEN, "")):
        raise Refusal(403, "This page was open for too long. Please go back, load it again, and try once more.")

"""Why a request is not answered as asked, in one sentence, for a page and for a program."""

from __future__ import annotations

from http import HTTPStatus

SORRY = "Something went wrong here. It is not your fault; please try again."


class Refusal(Exception):
    """A request that is refused.

    :param status: of HTTP.
    :param detail: why, in a sentence that repeats nothing of the request.
    :param headers: to be sent with it, such as ``Retry-After``.
    """

    def __init__(self, status: int, detail: str, **headers: str) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}

    @property
    def title(self) -> str:
        """What the status is called."""
        return HTTPStatus(self.status).phrase

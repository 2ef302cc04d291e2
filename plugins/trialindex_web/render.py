"""From templates to answers. Registry text is cleaned and escaped here, whatever a template does with it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from trialindex.plugin.trial_page import Explanation
from trialindex.trial import Status, display
from trialindex.trial.sanitize import clean, one_line
from trialindex.trial.statuses import Access, access
from trialindex_web import consent
from trialindex_web.refusal import Refusal
from trialindex_web.sessions import Sessions
from trialindex_web.settings import Settings

STYLE = Path(__file__).parent / "static" / "style.css"
TONES: dict[Access, str] = {"open": "open", "coming": "soon"}


def tone(status: Status | None) -> str:
    """Whether people can join, as the style names it: ``open``, ``soon`` or ``closed``."""
    return TONES.get(access(status), "closed")


def safe_url(url: str | None) -> str | None:
    """The address if a browser may be sent there: http or https, with a host, of visible ASCII without quotes."""
    text = (url or "").strip()
    if not text.isascii() or not text.isprintable() or any(c in " \"'<>\\`{}|^" for c in text):
        return None
    try:
        parts = urlsplit(text)
    except ValueError:
        return None
    return text if parts.scheme in {"http", "https"} and parts.hostname else None


def segment(text: str) -> str:
    """The text as one segment of a path."""
    return quote(text, safe="")


class Words:
    """Words of jargon and what they mean, each explained where a page first uses it, and in a list at its end.

    :param words: the words; what is no letter or digit alone, or has no meaning, is left out.
    """

    def __init__(self, words: Sequence[Explanation] = ()) -> None:
        known = {one_line(word.term): one_line(word.meaning) for word in words}
        self.meanings = dict(sorted(((t, m) for t, m in known.items() if t and m), key=lambda each: each[0].casefold()))
        self._numbers = {term.casefold(): number for number, term in enumerate(self.meanings, start=1)}
        self._waiting = set(self._numbers)

    def explain(self, text: str) -> Markup:
        """The text, escaped, in which each word that was not used before opens its meaning.

        A button with the attribute *popovertarget* does that without a script, for a mouse, a finger, a keyboard and a
        screen reader.
        """
        text, done, pieces = one_line(text), 0, []
        if self._numbers:
            for match in self._pattern.finditer(text):
                pieces += [escape(text[done : match.start()]), self._explained(match)]
                done = match.end()
        return Markup("").join([*pieces, escape(text[done:])])

    def _explained(self, match: re.Match[str]) -> Markup:
        key = match[1].casefold()
        terms = list(self.meanings)
        if key not in self._waiting or terms[self._numbers[key] - 1] not in (match[1], match[1].lower()):
            return escape(match[0])
        self._waiting.remove(key)
        button = Markup('<button type="button" class="word" popovertarget="word-{}">{}</button>')
        return button.format(self._numbers[key], match[0])

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        longest_first = sorted(self._numbers, key=len, reverse=True)
        return re.compile(rf"(?<!\w)({'|'.join(map(re.escape, longest_first))})(s?)(?!\w)", re.IGNORECASE)


class Pages:
    """Draws the pages of one server."""

    def __init__(self, settings: Settings, sessions: Sessions) -> None:
        self._sessions = sessions
        self._settings = settings
        self._environment = Environment(
            loader=PackageLoader("trialindex_web"),
            autoescape=True,
            undefined=StrictUndefined,
            finalize=_cleaned,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        style = sha256(STYLE.read_bytes()).hexdigest()[:12]
        self._environment.globals.update(
            w=display,
            consent=consent,
            settings=settings,
            style=f"/static/style-{style}.css",
            safe_url=safe_url,
            segment=segment,
            tone=tone,
            one_line=one_line,
        )

    @property
    def style_path(self) -> str:
        return str(self._environment.globals["style"])

    def draw(
        self,
        request: Request,
        template: str,
        *,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
        **context: Any,
    ) -> Response:
        """The page as an answer. One with a form gives the browser its cookie."""
        session = self._sessions.find(request)
        used = []

        def token() -> str:
            used.append(True)
            return self._sessions.token(session)

        words: Words = context.setdefault("words", Words())
        text = self._environment.get_template(template).render(
            session=session, token=token, explain=words.explain, here=request.url.path, **context
        )
        response = HTMLResponse(text, status_code=status, headers=headers)
        if used:
            self._sessions.give(session, response)
        return response

    def refuse(self, request: Request, refusal: Refusal) -> Response:
        """The page that says why a request is not answered as asked."""
        return self.draw(
            request,
            "refused.html",
            status=refusal.status,
            headers=refusal.headers,
            refusal=refusal,
            public=self._settings.public,
        )


def _cleaned(value: Any) -> Any:
    """A value as it may stand on a page; what is marked as HTML was made here, of cleaned text."""
    return clean(value) if type(value) is str else value


Draw = Callable[..., Response]

"""``html``: one self-contained, accessible page without scripts or anything fetched."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from msgspec.structs import replace

from trialindex import wording as w
from trialindex.interfaces import Renderer
from trialindex.search.results import Results
from trialindex.trial import Trial
from trialindex_renderers.sections import about, page, participants
from trialindex_renderers.view import answer, head, shown, shown_hits


class HtmlRenderer(Renderer):
    """A page to open in a browser, print or send on. It loads nothing and links to http and https addresses only."""

    name = "html"
    summary = "One self-contained web page, to read, print or send on."

    def results(self, results: Results) -> Iterator[str]:
        given = shown_hits(results, contacts=self.options.contacts)
        view = answer(given)
        more = [(replace(about(hit.trial), title="Summary", facts=()), participants(hit.trial)) for hit in given.hits]
        return self._draw("results.html", view=view, cards=zip(view.cards, more, strict=True))

    def trial(self, trial: Trial, seen: Mapping[str, str]) -> Iterator[str]:
        contacts = self.options.contacts
        view = page(shown(trial, contacts=contacts), seen, contacts=contacts, site_limit=None)
        return self._draw("trial.html", view=view)

    def trials(self, trials: Iterator[Trial]) -> Iterator[str]:
        return self._draw("trials.html", heads=map(head, trials))

    def _draw(self, template: str, **context: Any) -> Iterator[str]:
        from jinja2 import Environment, PackageLoader, StrictUndefined

        environment = Environment(
            loader=PackageLoader("trialindex_renderers"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        return _lines(environment.get_template(template).generate(disclaimer=w.DISCLAIMER, **context))


def _lines(pieces: Iterable[str]) -> Iterator[str]:
    """The same text in pieces that end with a line break, about as they come."""
    held: list[str] = []
    for piece in pieces:
        held.append(piece)
        if piece.endswith("\n"):
            yield "".join(held)
            held.clear()
    if held:
        yield "".join(held) + "\n"

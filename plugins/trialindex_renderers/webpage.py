"""``html``: one self-contained, accessible page without scripts or anything fetched."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from trialindex.plugin.interfaces import Renderer
from trialindex.plugin.results import Results
from trialindex.plugin.trial_page import TrialPage
from trialindex.trial import Trial
from trialindex.trial import display as w
from trialindex_renderers.sections import page, participants, summary
from trialindex_renderers.view import Word, answer, head, marked, mask_card, mask_hits

if TYPE_CHECKING:
    from markupsafe import Markup


class HtmlRenderer(Renderer):
    """A page to open in a browser, print or send on. It loads nothing and links to http and https addresses only."""

    name = "html"
    suffixes = (".html", ".htm")
    summary = "One self-contained web page, to read, print or send on."

    def results(self, results: Results) -> Iterator[str]:
        given = mask_hits(results, contacts=self.options.contacts)
        view = answer(given)
        more = [(summary(hit.trial), participants(hit.trial)) for hit in given.hits]
        return self._draw("results.html", view=view, cards=zip(view.cards, more, strict=True))

    def trial(self, card: TrialPage) -> Iterator[str]:
        contacts = self.options.contacts
        shown = mask_card(card, contacts=contacts)
        view = page(shown, contacts=contacts, sources=self.options.sources, site_limit=None)
        return self._draw("trial.html", explainer(view.words), view=view)

    def trials(self, trials: Iterator[Trial]) -> Iterator[str]:
        return self._draw("trials.html", heads=map(head, trials))

    def _draw(self, template: str, explain: Callable[[str], Any] = str, **context: Any) -> Iterator[str]:
        from jinja2 import Environment, PackageLoader, StrictUndefined

        environment = Environment(
            loader=PackageLoader("trialindex_renderers"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        environment.globals["explain"] = explain
        environment.globals["mark"] = mark
        return _lines(environment.get_template(template).generate(no_advice=w.NO_ADVICE, **context))


def mark(text: str, words: Sequence[str]) -> Markup:
    """The text as HTML with these words marked."""
    from markupsafe import Markup, escape

    return Markup(marked(str(escape(text)), words, "<mark>{}</mark>".format))  # noqa: S704  the text is escaped


def explainer(words: Sequence[Word]) -> Callable[[str], Markup]:
    """What makes a text HTML in which each of the words, where the page first uses it, leads to its meaning.

    It is a link: it works with a keyboard, a finger and a screen reader, for which a bare ``title`` does not. The word
    may stand there with a plural *s*, and one without capitals also with some; *OS* is not *os*.
    """
    from markupsafe import Markup, escape

    numbers = {word.term.casefold(): number for number, word in enumerate(words, start=1)}
    longest_first = sorted(numbers, key=len, reverse=True)
    pattern = re.compile(rf"(?<!\w)({'|'.join(map(re.escape, longest_first))})(s?)(?!\w)", re.IGNORECASE)
    link = Markup('<a class="word" href="#word-{0}" title="{1}" aria-describedby="meaning-{0}">{2}</a>')
    waiting = set(numbers.values())

    def explained(match: re.Match[str]) -> str:
        number = numbers.get(match[1].casefold(), 0)
        if number not in waiting or words[number - 1].term not in (match[1], match[1].lower()):
            return escape(match[0])
        waiting.remove(number)
        return link.format(number, words[number - 1].meaning, match[0])

    def explain(text: str) -> Markup:
        done, pieces = 0, []
        for match in pattern.finditer(text) if numbers else ():
            pieces += [escape(text[done : match.start()]), explained(match)]
            done = match.end()
        return Markup("").join([*pieces, escape(text[done:])])

    return explain


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

"""``markdown``: an answer to paste in an e-mail, a note or an issue (CommonMark; nothing of any dialect)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from trialindex.plugin.interfaces import Renderer
from trialindex.plugin.results import Results
from trialindex.plugin.trial_page import TrialPage
from trialindex.trial import Trial
from trialindex.trial import display as w
from trialindex_renderers.sections import page
from trialindex_renderers.view import Fact, Head, Section, answer, head, marked, mask_card, mask_hits

SITES = 20
# Anywhere: code, emphasis, links, HTML and autolinks, tables, strike-through, formulas. At the start: headings, quotes,
# lists, rules. An ampersand only where it would begin an entity.
_ANYWHERE = re.compile(r"[\\`*_\[\]<|~$]|&(?=#?\w+;)")
_AT_START = re.compile(r"^(?:([#>+=-])|(\d+)([.)])(?=\s|$))")


def escape(text: str) -> str:
    """One line of text that Markdown shows as it is."""
    return _AT_START.sub(lambda m: f"\\{m[1]}" if m[1] else f"{m[2]}\\{m[3]}", _ANYWHERE.sub(r"\\\g<0>", text))


def link(text: str, url: str | None) -> str:
    """A link if the address may be followed, else the text alone."""
    if url is None:
        return escape(text)
    return f"[{escape(text)}](<{url}>)"


class MarkdownRenderer(Renderer):
    """Headings and lists; registry text is escaped, links go to http and https addresses only."""

    name = "markdown"
    suffixes = (".md", ".markdown")
    summary = "Markdown, for an e-mail, a note or an issue."

    def results(self, results: Results) -> Iterator[str]:
        view = answer(mask_hits(results, contacts=self.options.contacts))
        yield f"# {escape(view.title)}\n\n"
        if view.query not in view.title:
            yield f"> {escape(view.query)}\n\n"
        for line in view.lead:
            yield f"{escape(line)}\n\n"
        yield f"{escape(' '.join(view.summary))}\n\n"
        if view.understood:
            yield "Understood:\n\n"
            yield from (f"- {escape(line)}\n" for line in view.understood)
            yield "\n"
        for note in view.notes:
            yield f"**Note:** {escape(note)}\n\n"
        for card in view.cards:
            if card.divider:
                yield f"---\n\n_{escape(card.divider)}_\n\n"
            yield f"## {card.rank}. {link(card.head.title, card.head.url)}\n\n"
            yield from self._meta(card.head, card.updated)
            yield from self._facts(card.facts)
        for line in view.closing:
            yield f"{escape(line)}\n\n"
        yield f"_{escape(w.NO_ADVICE)}_\n"

    def trial(self, card: TrialPage) -> Iterator[str]:
        contacts = self.options.contacts
        shown = mask_card(card, contacts=contacts)
        view = page(shown, contacts=contacts, sources=self.options.sources, site_limit=SITES)
        yield f"# {escape(view.headline)}\n\n"
        yield from self._meta(view.head)
        yield f"{link(view.head.title, view.head.url)}\n\n"
        for note in view.notes:
            yield f"**Note:** {escape(note)}\n\n"
        yield from self._body(view.lead, 2)
        for section in view.sections:
            yield from self._section(section, 2)
        if view.words:
            yield "## Words explained\n\n"
            yield from self._facts(tuple(Fact(word.term, (word.meaning,)) for word in view.words))
        for text in view.closing:
            yield f"_{escape(text)}_\n\n"

    def trials(self, trials: Iterator[Trial]) -> Iterator[str]:
        for trial in trials:
            one = head(trial)
            yield f"- **{escape(one.id)}** · {one.status} · {one.phase} · {link(one.title, one.url)}\n"

    def _meta(self, head: Head, updated: str = "") -> Iterator[str]:
        yield " · ".join(filter(None, (f"**{escape(head.id)}**", head.status, head.phase, escape(updated)))) + "\n\n"

    def _section(self, section: Section, level: int) -> Iterator[str]:
        yield f"{'#' * level} {escape(section.title)}\n\n"
        yield from self._body(section, level + 1)

    def _body(self, section: Section, level: int) -> Iterator[str]:
        for text in section.paragraphs:
            yield f"{escape(text)}\n\n"
        yield from self._facts(section.facts)
        for item in section.items:
            yield f"- {escape(item.text)}\n"
            if item.source:
                yield f"  - _{escape(item.source)}_\n"
            for detail in item.details:
                yield f"  - {escape(detail)}\n"
        if section.items:
            yield "\n"
        for part in section.parts:
            yield from self._section(part, level)
        for text in section.closing:
            yield f"{escape(text)}\n\n"

    def _facts(self, facts: tuple[Fact, ...]) -> Iterator[str]:
        for fact in facts:
            value = link(fact.value, fact.url) if fact.url else escape(fact.value)
            value = marked(value, fact.marked, lambda word: f"**{word}**")
            yield f"- **{escape(fact.label)}:** {value}\n"
        if facts:
            yield "\n"

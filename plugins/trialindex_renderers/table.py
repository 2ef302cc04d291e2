"""``table``: answers and trials as text that fits a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import partial

import click

from trialindex.plugin.interfaces import Renderer
from trialindex.plugin.results import Results
from trialindex.plugin.trial_page import TrialPage
from trialindex.trial import Trial, sanitize
from trialindex.trial import display as w
from trialindex_renderers.sections import page
from trialindex_renderers.view import Fact, Head, HitCard, Section, answer, head, marked, mask_card, mask_hits

WIDTH = 100  # when the output is no terminal
NARROWEST = 40
CARD_LABEL = 12  # columns of a label and the space after it
PAGE_LABEL = 17
STACKED = 50  # below this width a value goes on the line under its label
SITES = 20
_TONES = {"open": "green", "soon": "yellow", "closed": None}


class TableRenderer(Renderer):
    """Cards and pages in plain text, as wide as the terminal; 100 columns and no colour where there is none."""

    name = "table"
    suffixes = (".txt",)
    summary = "Text that fits the terminal, for reading."

    @property
    def _width(self) -> int:
        return max(self.options.width or WIDTH, NARROWEST)

    def results(self, results: Results) -> Iterator[str]:
        view = answer(mask_hits(results, contacts=self.options.contacts))
        yield from self._paragraph(sanitize.excerpt(view.title, 200), bold=True)
        if view.query not in view.title:
            yield from self._paragraph(f"“{sanitize.excerpt(view.query, 240)}”", dim=True)
        for line in view.lead:
            yield from self._paragraph(line, bold=True)
        yield from self._paragraph(" ".join(view.summary))
        if view.understood:
            yield from self._paragraph("Understood")
            for line in view.understood:
                yield from self._bullet("• ", line, "  ")
        for note in view.notes:
            yield from self._paragraph(f"Note: {note}", fg="yellow")
        number = len(f"{view.cards[-1].rank}. ") if view.cards else 0
        for card in view.cards:
            yield "\n"
            if card.divider:
                yield from self._lines([f"--- {card.divider} ".ljust(self._width, "-")], dim=True)
                yield "\n"
            yield from self._card(card, number)
        yield "\n"
        if view.cards:
            example = view.cards[0].head.id
            yield from self._lines(wrap_units(["For a trial's whole page:", f"trialindex show {example}"], self._width))
        for line in view.closing:
            yield from self._paragraph(line)
        yield from self._paragraph(w.NO_ADVICE, dim=True)

    def trial(self, card: TrialPage) -> Iterator[str]:
        contacts = self.options.contacts
        shown = mask_card(card, contacts=contacts)
        view = page(shown, contacts=contacts, sources=self.options.sources, site_limit=SITES)
        yield from self._paragraph(view.headline, bold=True)
        yield from self._meta(view.head, "")
        if view.head.title != view.headline:
            yield from self._paragraph(view.head.title, dim=True)
        yield "\n"
        for note in view.notes:
            yield from self._paragraph(f"Note: {note}", fg="yellow")
        yield from self._body(view.lead, "")
        for section in view.sections:
            yield "\n"
            yield from self._section(section)
        if view.words:
            yield "\n"
            yield from self._paragraph("WORDS EXPLAINED", bold=True)
            for word in view.words:
                yield from self._bullet("• ", f"{word.term}: {word.meaning}", "  ")
        for text in view.closing:
            yield "\n"
            yield from self._paragraph(text, dim=True)

    def trials(self, trials: Iterator[Trial]) -> Iterator[str]:
        for trial in trials:
            yield self._row(head(trial)) + "\n"

    # --- pieces -----------------------------------------------------------------------------------------------------

    def _card(self, card: HitCard, number: int) -> Iterator[str]:
        indent = " " * number
        first, *rest = wrap(card.head.title, self._width - number)
        yield self._style(f"{card.rank}. ".rjust(number) + first, bold=True) + "\n"
        yield from self._lines(rest, indent, bold=True)
        yield from self._meta(card.head, indent, card.updated)
        for fact in card.facts:
            yield from self._fact(fact, indent, CARD_LABEL)

    def _meta(self, head: Head, indent: str, updated: str = "") -> Iterator[str]:
        """The id, the status, the phase and the date, separated by dots; only the status is coloured."""
        units = [head.id, head.status, head.phase, updated] if updated else [head.id, head.status, head.phase]
        for line in wrap_units(units, self._width - len(indent), " · "):
            before, status, after = line.rpartition(head.status)
            yield f"{indent}{before}{self._style(status, fg=_TONES[head.tone])}{after}\n"

    def _section(self, section: Section, indent: str = "") -> Iterator[str]:
        title = section.title if indent else section.title.upper()
        yield from self._lines(wrap(title, self._width - len(indent)), indent, bold=True)
        yield from self._body(section, indent + "  ")

    def _body(self, section: Section, inner: str) -> Iterator[str]:
        for at, text in enumerate(section.paragraphs):
            yield from ["\n"] if at else []
            yield from self._lines(wrap(text, self._width - len(inner)), inner)
        if section.paragraphs and section.facts:
            yield "\n"
        for fact in section.facts:
            yield from self._fact(fact, inner, PAGE_LABEL)
        for item in section.items:
            yield from self._bullet("• ", item.text, inner)
            if item.source:
                yield from self._lines(wrap(f"[{item.source}]", self._width - len(inner) - 2), inner + "  ", dim=True)
            for detail in item.details:
                yield from self._bullet("  – ", detail, inner)
        for at, part in enumerate(section.parts):
            yield from ["\n"] if at or section.facts or section.paragraphs else []
            yield from self._section(part, inner)
        for text in section.closing:
            yield "\n"
            yield from self._lines(wrap(text, self._width - len(inner)), inner)

    def _fact(self, fact: Fact, indent: str, column: int) -> Iterator[str]:
        """A label and its value: side by side, or one under the other where there is little room."""
        room = self._width - len(indent) - column
        stacked = (
            self._width < STACKED or cells(fact.label) >= column or (fact.whole and max(map(cells, fact.values)) > room)
        )
        hang = indent + " " * (2 if stacked else column)
        width = self._width - len(hang)
        first, *rest = wrap_units(fact.values, width, "; ") if fact.whole else wrap(fact.value, width)
        first, *rest = (marked(line, fact.marked, partial(self._style, bold=True)) for line in (first, *rest))
        if stacked:
            yield f"{indent}{self._style(fact.label, dim=True)}\n{hang}{first}\n"
        else:
            yield f"{indent}{self._style(fact.label.ljust(column), dim=True)}{first}\n"
        yield from self._lines(rest, hang)

    def _bullet(self, mark: str, text: str, indent: str) -> Iterator[str]:
        first, *rest = wrap(text, self._width - len(indent) - len(mark))
        yield f"{indent}{mark}{first}\n"
        yield from self._lines(rest, indent + " " * len(mark))

    def _row(self, head: Head) -> str:
        """One line: in columns where there is room; the title is cut to the terminal, never elsewhere."""
        if self._width < 90:
            stated = [text for text in (head.status, head.phase) if not text.endswith(w.NOT_STATED)]
            row = "  ".join([head.id, *stated, ""])
        else:
            row = f"{pad(head.id, 11)}  {pad(head.status, 22)}  {pad(head.phase, 16)}  "
        return row + (truncate(head.title, max(self._width - cells(row), 10)) if self.options.width else head.title)

    def _paragraph(self, text: str, *, bold: bool = False, dim: bool = False, fg: str | None = None) -> Iterator[str]:
        return self._lines(wrap(text, self._width), bold=bold, dim=dim, fg=fg)

    def _lines(
        self, lines: Iterable[str], indent: str = "", *, bold: bool = False, dim: bool = False, fg: str | None = None
    ) -> Iterator[str]:
        for line in lines:
            yield indent + self._style(line, bold=bold, dim=dim, fg=fg) + "\n"

    def _style(self, text: str, *, bold: bool = False, dim: bool = False, fg: str | None = None) -> str:
        if not self.options.color or not (bold or dim or fg):
            return text
        return click.style(text, bold=bold or None, dim=dim or None, fg=fg)


# --- widths ---------------------------------------------------------------------------------------------------------


def cells(text: str) -> int:
    """Terminal columns that the text takes: two for a wide character."""
    from rich.cells import cell_len

    return cell_len(text)


def pad(text: str, width: int) -> str:
    return text + " " * max(width - cells(text), 0)


def truncate(text: str, width: int) -> str:
    """The text in at most *width* columns, with ``…`` where something was cut."""
    if cells(text) <= width:
        return text
    from rich.cells import chop_cells

    return f"{chop_cells(text, width - 1)[0].rstrip()}…"


def wrap(text: str, width: int) -> list[str]:
    """The text in lines of at most *width* columns; a word that is longer than a line is cut. At least one line."""
    from rich.cells import chop_cells

    lines, used = [""], 0
    for word in text.split(" "):
        size = cells(word)
        room = width - used - 1 if used else width
        if size <= room:
            lines[-1] += f" {word}" if used else word
            used = width - room + size
        elif size <= width:
            lines.append(word)
            used = size
        else:  # a text without spaces: fill this line, then go on
            first = chop_cells(word, room)[0] if room > 8 else ""
            lines[-1] += f" {first}" if used and first else first
            lines += chop_cells(word[len(first) :], width)
            used = cells(lines[-1])
    return lines


def wrap_units(units: Sequence[str], width: int, separator: str = " ") -> list[str]:
    """The units in lines of at most *width* columns, none broken: one that is longer has a line for itself."""
    lines: list[str] = []
    line = ""
    for at, unit in enumerate(units):
        last = unit + (separator.rstrip() if at < len(units) - 1 else "")
        if not line:
            line = last
        elif cells(line) + cells(last) + 1 <= width:
            line += f" {last}"
        else:
            lines.append(line)
            line = last
    return [*lines, line]

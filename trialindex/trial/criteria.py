"""Eligibility text in two lists: what a person must meet, and what rules a person out.

The registry keeps both in one free text under headings that everybody words differently. The split is one-sided on
purpose: text goes to *inclusion* only under a heading that says so, and anything that speaks of exclusion goes to
*exclusion*. Text under no such heading goes to neither, as all of it does in records that group it by illness and
patient (``DISEASE CHARACTERISTICS:``); it is searched, and never counts as an exclusion. The whole text stays in
``Trial.eligibility``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

Side = Literal["inclusion", "exclusion", "neither"]


class Criteria(NamedTuple):
    """The items of an eligibility text, by the side that its headings and words put them on."""

    inclusion: tuple[str, ...]
    exclusion: tuple[str, ...]
    neither: tuple[str, ...] = ()


def split_criteria(text: str) -> Criteria:
    """The inclusion and the exclusion criteria of an eligibility text, and what it says under no such heading.

    One item for each bullet, number or paragraph, its marker left out; nested bullets stay in their parent's item, each
    on a line of its own. A heading that names a group (``Inclusion criteria for cohort B:``) is an item too, because
    the criteria below it mean little without it.
    """
    lists = _Lists()
    for line in _break_before_headings(text).splitlines():
        if not line.strip():
            lists.blank()
            continue
        indent, marker, body = _split_marker(line)
        heading = _heading(body, bulleted=bool(marker), now=lists.side)
        if heading is None:
            if body:
                lists.add(indent, marker, body)
            continue
        lists.turn(heading.side)
        if heading.names_group:
            lists.add(indent, "", body)
            lists.close()
        elif heading.rest:
            _, rest_marker, rest = _split_marker(heading.rest)
            if rest:
                lists.add(indent, rest_marker, rest)
    return lists.finish()


# --- lines ----------------------------------------------------------------------------------------------------------

_MARKER = re.compile(
    r"""(?P<indent>\s*)
    (?P<marker>
        (?:[*+•·●○▪◦‣∙–—-]|--|o)(?=\s|$)            # a bullet and a space
      | [•·●○▪◦‣∙](?=\S) | [–-](?=[A-Za-z])         # a bullet stuck to its word; a minus before a number stays
      | \(?(?:\d{1,3}|[a-z]|[ivx]{1,5})\)(?=\s|$|[A-Z])
      | (?:\d{1,3}(?:\.\d{1,2}){0,3}|[a-z]|[ivx]{1,5})\.(?=\s|$)
      | \d{1,3}\.(?=[A-Z])
      | (?:[A-Z]|[IVX]{1,5})[.)](?=\s+[^a-z]|$)     # "A. fumigatus" is no list marker
    )\s*""",
    re.VERBOSE,
)


def _split_marker(line: str) -> tuple[int, str, str]:
    """Columns of indentation, the list marker or ``""``, and the text after it (``* 1. x`` has two markers)."""
    line = line.expandtabs(4)
    match = _MARKER.match(line)
    if match is None:
        return len(line) - len(line.lstrip()), "", line.strip()
    marker, body = match["marker"], line[match.end() :].strip()
    second = _MARKER.match(body)
    if second and not marker[0].isalnum():
        body = body[second.end() :].strip()
    return len(match["indent"]), marker, body


# --- headings -------------------------------------------------------------------------------------------------------


class _Heading(NamedTuple):
    side: Side
    rest: str = ""
    names_group: bool = False


_CRITERIA = re.compile(r"\b(?:inclusion|exclusion|ineligibility)s?[\s-]+criteri\w*", re.IGNORECASE)
_BARE = re.compile(
    r"(?:[\w/&'’-]+\s+){0,4}?(?<!for )(?<!of )(?<!to )(?<!before )(?<!at )(?:inclusion|exclusion)s?$", re.IGNORECASE
)
_OPENING = re.compile(r"(?:inclusion|exclusion)s?(?!\s+(?:of|in|into|to)\b)\b", re.IGNORECASE)
_UNSIDED = re.compile(r"(?:(?:the|key|main|major|general|study)\s+)*eligibility(?:\s+criteri\w*)?$", re.IGNORECASE)
_BREAK = re.compile(r":|(?<=criteria)(?:\.|\s*[-–—])(?=\s|$)", re.IGNORECASE)
"""What ends a heading: a colon, or after the word criteria a full stop or a dash."""
_OTHER = re.compile(
    r"(?:[\w-]+\s+){0,3}(?:(?P<out>elimination|rejection|contra-?indications?|non-?eligib\w+)"
    r"|withdrawal|discontinuation|removal|drop-?out|stopping|termination)(?:\s+criteri\w+)?$",
    re.IGNORECASE,
)
_SAYS_OUT = re.compile(
    r"\b(?:(?:be|are|is|were|was)\s+(?:also\s+)?excluded|(?:will|would|should|shall|must|may|can)\s+exclude\b"
    r"|(?:not|never)\s+(?:be\s+|also\s+)?(?:eligible|included|enrolled|admitted|recruited|participate|take\s+part)"
    r"|cannot\s+(?:be\s+(?:included|enrolled)|participate)|ineligible|(?<!not )disqualif|reasons?\s+for\s+exclusion"
    r"|exclusion\s+criteria\s+(?:are|include)|excluded\s+(?:from|if)\b"
    r"|(?:any|none)\s+of\s+(?:the\s+)?(?:following\s+)?exclusion)",
    re.IGNORECASE,
)
_NAMES_OUT = re.compile(
    r"\b(?:exclusions?|non?[- ]*inclusion|excluded)\b(?!\s*(?:/|and|or)\s*inclusion)", re.IGNORECASE
)
_OUT_BELOW = re.compile(
    r"\b(?:(?:must|should|may|will|can|do|does)\s*not\s+(?:have|meet|fulfil|be|satisfy)|cannot|none\s+of\s+the\s+following)\b",
    re.IGNORECASE,
)
_SAYS_IN = re.compile(
    r"\b(?:(?:be|are|is|were|was|to\s+be)\s+(?:included|eligible|enrolled)|eligible\s+(?:if|for)|must\s+(?:meet|satisfy|fulfil+)"
    r"|can\s+participate)\b",
    re.IGNORECASE,
)
_VERB = re.compile(
    r"\b(?:not|no|none|meets?|met|meeting|may|could|can|will|must|should|apply|applies|applied|is|are|was|were|has|have|see"
    r"|available|described|according|per|fulfil\w*|satisf\w*)\b",
    re.IGNORECASE,
)
_PLAIN = re.compile(
    r"\W*(?:[\divx.]+\s+)?(?:(?:key|main|major|general|primary|principal|other|additional|patients?|subjects?|participants?|study|the)\s+)*"
    r"(?:non?[- ]*)?(?:inclusion|exclusion)s?(?:\s+criteri\w*)?\W*(?:\(\s*non[- ]inclusion criteria\s*\)\W*)?",
    re.IGNORECASE,
)


def _heading(body: str, *, bulleted: bool, now: Side) -> _Heading | None:
    """What a line turns to, or ``None`` if it is a criterion."""
    plain = body.strip(" \t*_#=~").replace("：", ":")
    found = _BREAK.search(plain)
    colon = found is not None
    head, rest = (plain[: found.start()], plain[found.end() :]) if found else (plain, "")
    head, rest = head.strip(" \t*_-–."), rest.strip(" \t*_:")
    opens_list = colon and not rest
    words = len(head.split())
    named = _CRITERIA.search(head) or _BARE.match(head)
    if named and words <= 30:
        verb = _VERB.search(head)
        if (opens_list and not (bulleted and verb)) or (
            words <= 14 and not verb and (not bulleted or _leads(head, colon))
        ):
            return _Heading(_side_of(head), rest, names_group=not (rest or verb or _PLAIN.fullmatch(head)))
        if colon and not verb and named.end() == len(head):
            return _Heading(_side_of(head), rest)
    if _UNSIDED.match(head):
        return _Heading("neither", rest)
    if bulleted:
        if _OPENING.match(head) and head.isupper() and words <= 8:
            return _Heading(_side_of(head), rest, names_group=not rest)
        return None
    other = _OTHER.match(head)
    if other and (not rest or words <= 3):
        return _Heading("exclusion" if other["out"] else "neither", rest)
    if opens_list and (_SAYS_OUT.search(head) or _OUT_BELOW.search(head) or _NAMES_OUT.search(head)):
        return _Heading("exclusion")
    if opens_list and now == "neither" and head.isupper() and words <= 6:
        return _Heading("neither")  # "DISEASE CHARACTERISTICS:", of the registry's old records on cancer
    if opens_list and now == "neither" and _SAYS_IN.search(head):
        return _Heading("inclusion")
    return None


def _leads(head: str, colon: bool) -> bool:
    """Whether a bulleted line is a heading rather than a criterion about criteria ("* Any exclusion criteria")."""
    return bool(_OPENING.match(head)) or (colon and len(head.split()) <= 8)


def _side_of(head: str) -> Side:
    """A heading that speaks of both sides is of neither, but "non-inclusion" is exclusion."""
    found = set()
    for match in re.finditer(r"(non?[- ]*)?(inclusion|exclusion|ineligib)", head, re.IGNORECASE):
        found.add("inclusion" if match[2].lower() == "inclusion" and not match[1] else "exclusion")
    if found == {"inclusion"}:
        return "exclusion" if _SAYS_OUT.search(head) else "inclusion"
    return "exclusion" if found == {"exclusion"} else "neither"


_INLINE = re.compile(
    r"(?<=\S)[ \t]+(?=(?P<head>(?:(?:Key|Main|Major|General|Other)\s+)?"
    r"(?:EXCLUSION CRITERIA|[Ee]xclusion [Cc]riteria|INCLUSION CRITERIA|Inclusion [Cc]riteria))\s*(?P<colon>[:：])?)"
)
_INLINE_BULLET = re.compile(r"(?<=[\w.;,:)\]”\"])[ \t]+(?=[*•·●○▪◦‣∙][ \t]*[^\W_])")
_JOINING = re.compile(
    r"(?:\W*(?:and|or|&|/|the|any|all|no|of|following|other|these|key|main|major|general|additional|specific|secondary|see"
    r"|in|per|by|non|both|meet|met|patient|subject|our|study|common)|\W+|.*[/&])$",
    re.IGNORECASE,
)


def _break_before_headings(text: str) -> str:
    """Start a new line before a heading that stands inside one: ``… consent. Exclusion Criteria: 1. pregnancy``."""

    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if "\n" not in text.strip():  # a table has taken the line breaks out
        text = _INLINE_BULLET.sub("\n", text)

    def turn(match: re.Match[str]) -> str:
        before = text[max(0, match.start() - 40) : match.start()].split()[-1]
        ends = before.endswith((".", ";"))
        outright = match["colon"] or (match["head"].istitle() and ends)
        joined = _JOINING.match(before) and not ends and not before.endswith(")")
        return "\n" if outright and not joined else match[0]

    return _INLINE.sub(turn, text)


# --- items ----------------------------------------------------------------------------------------------------------

_BOTH = re.compile(
    r"\binclusion\s*(?:/|,|&|and|or)+\s*exclusion|\bexclusion\s*(?:/|,|&|and|or)+\s*inclusion", re.IGNORECASE
)

_SENTENCES = re.compile(r"(?<=[.;!?])\s+(?=[A-Z(\"“])")

_ASIDE = re.compile(r" ?\(([^()]+)\)")


def _take_out(line: str) -> tuple[str, list[str]]:
    """The line without the sentences and asides in brackets that speak of exclusion, and those."""
    out = [aside for aside in _ASIDE.findall(line) if _SAYS_OUT.search(aside)]
    line = _ASIDE.sub(lambda aside: "" if aside[1] in out else aside[0], line)
    if not _SAYS_OUT.search(line):
        return line, out
    sentences = _SENTENCES.split(line)
    saying = [s for s in sentences if _SAYS_OUT.search(s)]
    out += [_split_marker(s)[2] for s in saying]
    return " ".join(s for s in sentences if s not in saying), out


@dataclass
class _Lists:
    """The items so far, and where in a list the reader stands."""

    side: Side = "neither"
    found: dict[str, list[list[str]]] = field(default_factory=lambda: {"inclusion": [], "exclusion": [], "neither": []})
    _item: list[str] | None = None
    _column: int | None = None
    """Indentation of the open list; ``None`` in a paragraph."""
    _after_blank: bool = False
    _turn_next: bool = False

    def turn(self, side: Side) -> None:
        self.side = side
        self.close()

    def close(self) -> None:
        self._item, self._column, self._turn_next = None, None, False

    def blank(self) -> None:
        self._after_blank = True

    def add(self, indent: int, marker: str, body: str) -> None:
        """Add one line: a new item, a nested bullet, or more of the open item."""
        after_blank, self._after_blank = self._after_blank, False
        column = self._column
        nested = self._item is not None and column is not None and indent >= column + 2
        if self._item is not None and nested:
            if marker:
                self._item.append(f"{marker if marker[0].isalnum() or marker[0] == '(' else '-'} {body}")
            elif after_blank:
                self._item.append(body)
            else:
                self._item[-1] += f" {body}"
            return
        if self._item is not None and not marker and not after_blank and body[0].islower():
            self._item[-1] += f" {body}"
            return
        if self._turn_next:
            self.turn("exclusion")
        self._item, self._column = [body], indent if marker else None
        self.found[self.side].append(self._item)
        # "* Patients are excluded if:" turns to exclusion unless what it opens is nested below it
        self._turn_next = self.side == "inclusion" and body.endswith(":") and _SAYS_OUT.search(body) is not None

    def finish(self) -> Criteria:
        """The lists. What speaks of exclusion under an inclusion heading is an exclusion criterion all the same."""
        inclusion: list[str] = []
        exclusion = ["\n".join(lines) for lines in self.found["exclusion"] if not _BOTH.search(lines[0])]
        for lines in self.found["inclusion"]:
            if _BOTH.search(lines[0]):
                continue
            if lines[1:] and _SAYS_OUT.search(lines[0]):
                exclusion.append("\n".join(lines))
                continue
            kept = []
            for line in lines:
                rest, out = _take_out(line)
                exclusion.extend(out)
                kept.append(rest)
            if any(kept):
                inclusion.append("\n".join(line for line in kept if line))
        neither = tuple("\n".join(lines) for lines in self.found["neither"] if not _BOTH.search(lines[0]))
        return Criteria(tuple(inclusion), tuple(exclusion), neither)

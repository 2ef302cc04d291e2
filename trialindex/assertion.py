"""What a text asserts of an illness that it names: that it is absent, a relative's, or of the past.

The method is that of NegEx (Chapman et al. 2001, "A simple algorithm for identifying negated findings and diseases in
discharge summaries", J Biomed Inform 34:301-310) and of ConText, which extends it (Harkema et al. 2009, "ConText: an
algorithm for determining negation, experiencer, and temporal status from clinical reports", J Biomed Inform
42:839-851): cue phrases open a scope, which ends at the end of the sentence, at a word that turns it, or after a few
words. The lists of cues are our own, and hold what patients write beside what doctors do.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from functools import cache
from itertools import product

from trialindex.folding import Words, key, read_words

_REACH = 6
"""Words: how far a negation reaches, within one item of a list."""
_LIST_REACH = 14
"""Words: how far ahead an "or" shows that a comma continues a list."""
_STATEMENT = 120
"""Words: the longest statement, or section under a heading."""
_ITEM = 5
"""Words: the longest sentence that is still an item under a heading."""


class Cue(Enum):
    """What a cue phrase does."""

    NO = auto()  # denies what follows, up to a comma unless an "or" comes later
    NONE_OF = auto()  # denies the list that follows
    NON = auto()  # denies the next word
    DENIED = auto()  # denies what stands directly before it
    FAMILY = auto()  # what follows is a relative's
    OF_FAMILY = auto()  # what stands before it is a relative's
    PAST = auto()  # what follows was once
    FORMER = auto()  # the next few words were once
    WAS = auto()  # what stands before it was once
    STOP = auto()  # a new statement begins
    CAUSE = auto()  # as STOP, for a negation only: "no appetite because of cancer"
    NOTHING = auto()  # looks like a cue and is none: "not only"


@dataclass
class Said:
    """What is said of a stretch of words."""

    negated: bool = False
    family: bool = False
    historical: bool = False


# --- the cues -------------------------------------------------------------------------------------------------------

_RELATIVES = (
    *("mother", "father", "mom", "mum", "dad", "parent", "parents", "sister", "brother", "sibling", "siblings"),
    *("grandmother", "grandfather", "grandma", "grandpa", "grandparent", "aunt", "uncle", "cousin", "niece", "nephew"),
    *("daughter", "son", "wife", "husband", "twin", "relative", "relatives", "half sister", "half brother"),
)
_HAD = (
    *("had", "has", "has had", "have", "with", "died of", "died from", "died with", "passed away from", "suffered from"),
    *("suffers from", "was diagnosed with", "is diagnosed with", "diagnosed with", "developed", "is a carrier of"),
    *("who had", "who has", "who died of", "who died from", "who was diagnosed with", "is being treated for"),
)
_OF_WHOM = ("her", "his", "my", "a", "the", "their", "one", "maternal", "paternal")

_PHRASES: dict[Cue, tuple[str, ...]] = {
    Cue.NO: (
        *("no", "not", "without", "w/o", "never", "never had", "has never had", "have never had", "never been"),
        *("not have", "not had", "don't", "doesn't", "didn't", "isn't", "wasn't", "aren't", "hasn't", "haven't"),
        *("hadn't", "dont", "doesnt", "didnt", "isnt", "wasnt", "havent", "don't have", "doesn't have", "didn't have"),
        *("haven't had", "hasn't had", "never developed", "lack of", "lacks", "lacking", "free of", "rules out"),
        *("rather than", "instead of", "neither", "nor", "cannot be", "unlikely to be", "unlikely to have"),
    ),
    Cue.NONE_OF: (
        *("denies", "denied", "denying", "negative for", "neg for", "absence of", "absent for", "ruled out for"),
        *("no evidence of", "no evidence for", "no signs of", "no sign of", "no sx of", "no symptoms of", "no h/o"),
        *("no history of", "no hx of", "no prior history of", "no previous history of", "no known history of"),
        *("no past history of", "no past medical history of", "no significant history of", "no personal history of"),
        *("without evidence of", "without signs of", "without history of", "without a history of", "no complaints of"),
        *("not complain of", "does not report", "did not report", "no report of"),
        *("no clinical evidence of", "no radiographic evidence of", "no suspicion of", "not suggestive of"),
        *("negative history of", "history negative for", "none of"),
    ),
    Cue.NON: ("non",),
    Cue.DENIED: (
        *("ruled out", "r/o'd", "excluded", "negative", "neg", "unlikely", "absent", "not seen", "not found", "not present"),
        *("not detected", "not identified", "not suspected", "not confirmed", "not evident", "free"),
    ),
    Cue.FAMILY: (
        *("family history of", "family history", "family hx of", "family hx", "fam hx", "famhx", "fhx", "fh", "f/h"),
        *("family h/o", "family medical history", "strong family history of", "family history significant for"),
        *("family history positive for", "family history negative for", "family member with", "family members with"),
        *("family history remarkable for", "family history notable for", "runs in the family"),
    ),
    Cue.OF_FAMILY: (
        *("runs in the family", "runs in my family", "run in the family", "run in my family", "in the family"),
        *("in my family", "in her family", "in his family", "on his mother's side", "on her mother's side"),
        *("on my mother's side", "on his father's side", "on her father's side", "on my father's side"),
        *("in a first degree relative", "in first degree relatives", "in relatives"),
        *(f"in {relative}" for relative in _RELATIVES),
        *(f"in {whose} {relative}" for whose, relative in product(_OF_WHOM, _RELATIVES)),
        *(f"in {whose} {side} {r}" for whose, side, r in product(("her", "his"), ("maternal", "paternal"), _RELATIVES)),
    ),
    Cue.PAST: (
        *("history of", "hx of", "h/o", "past history of", "past medical history of", "past medical history"),
        *("medical history", "past history", "pmh", "pmhx", "pmh of", "pmhx of", "past surgical history", "psh"),
        *("status post", "s/p", "previous history of", "prior history of", "personal history of", "known history of"),
        *("history significant for", "history notable for", "history includes", "history remarkable for"),
        *("past medical history significant for", "past medical history notable for", "past medical history includes"),
        *("used to have", "recovered from", "survivor of"),
    ),
    Cue.FORMER: ("previous", "previously had", "prior", "past", "remote", "former", "previously treated for"),
    Cue.WAS: ("in the past", "as a child", "as a teenager", "in childhood", "in his childhood", "in her childhood"),
    Cue.STOP: (
        *("but", "however", "although", "though", "except", "except for", "besides", "nevertheless", "other than"),
        *("apart from", "aside from", "only", "presents", "presented", "presenting", "presents with", "presenting with"),
        *("presented with", "complains of", "complained of", "complaining of", "c/o", "admitted", "now", "currently"),
        *("today", "who", "whose", "and with", "until"),
        *(
            f"{who} {verb}"
            for who, verb in product(
                ("he", "she", "i", "they", "it", "patient", "pt", "and", "which", "that"),
                ("has", "had", "have", "is", "am", "was", "were", "are", "reports", "presents", "presented", "takes")
                + ("developed", "develops", "complains", "noticed", "m", "ve", "came", "underwent"),
            )
            if (who, verb) not in {("they", "are"), ("it", "is"), ("it", "was"), ("that", "is")}
        ),
    ),
    Cue.CAUSE: ("due to", "d/t", "because", "because of", "secondary to", "2/2 to", "caused by", "as a result of"),
    Cue.NOTHING: (
        *("not only", "not certain", "not sure", "not known", "no change", "no increase", "no decrease", "no doubt"),
        *("not controlled", "not well controlled", "not adequately controlled", "not fully controlled", "not cured"),
        *("not under control", "not responding", "not responded", "not respond", "not responding to", "not respond to"),
        *("not responded to", "no response to", "no improvement", "no improvement in", "no improvement of", "no relief"),
        *("no relief of", "no relief from", "not improve", "not improved", "not improving", "not relieved by"),
        *("not tolerate", "not tolerated", "not tolerating", "without improvement", "without relief", "without success"),
        *("without treatment for", "no treatment for", "no cure for", "not treated for", "no help for", "not work for"),
        *("not a candidate for", "not eligible for", "not able to", "not due to", "not because of", "no thanks to"),
        *("don't respond to", "didn't respond to", "doesn't respond to", "don't tolerate", "can't tolerate"),
        *("not been ruled out", "cannot be ruled out", "can not be ruled out", "not ruled out", "not be excluded"),
        *("cannot be excluded", "not excluded", "gram negative", "prior to", "history of present illness", "no longer"),
        *("not helping", "not help", "not work", "not working", "no other", "without other", "past week", "past month"),
        *("past year", "past day", "past few", "past several", "past two", "past three", "over the past", "for the past"),
        *("not getting better", "not gone away", "not going away", "not go away", "didn't help", "don't help"),
    ),
}
_FILLERS = frozenset(map(key, "is was are were be been being has have had test tests tested serology screen".split()))
"""Words that may stand between a disease and what denies it: *HIV test was negative*."""
_AND = frozenset({"and", "or", "nor"})
_SPAN_OF_TIME = frozenset(map(key, "hour day days week month year yr yrs wk wks mo mos".split()))
_BARE_NO = frozenset({"no", "none", "nil", "denied", "deny", "absent", "negative", "neg"})
"""What denies the disease before it when nothing follows: *Diabetes: no*."""
_TURNS_BACK = frozenset({"with", "in", "for", "whom", "on", "from", "by", "because", "who", "which"})


@cache
def _cues() -> tuple[dict[str, Cue], int]:
    """Every cue phrase, folded, and the length of the longest in words."""
    found = {key(phrase): kind for kind, phrases in _PHRASES.items() for phrase in phrases}
    found |= {key(f"{who} {had}"): Cue.FAMILY for who, had in product(_RELATIVES, _HAD)}
    return found, max(phrase.count(" ") + 1 for phrase in found)


# --- finding out ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Found:
    """A cue in a text: from word *start* to before word *end*."""

    start: int
    end: int
    kind: Cue


def judge(words: Words, spans: Sequence[tuple[int, int, bool]]) -> list[Said]:
    """What the text says of each stretch of its words.

    :param spans: in order, not overlapping: first word, the word after the last, and whether it is a disease name
        that wins over a cue within it, as ``non`` in *non-small cell lung cancer*.
    """
    return _Reading(words, spans).said


class _Reading:
    """One text being judged: every cue marks the words in its scope."""

    def __init__(self, words: Words, spans: Sequence[tuple[int, int, bool]]) -> None:
        self._keys, self._gaps = words.keys, words.gaps
        self._span_before = {end: (start, number) for number, (start, end, _) in enumerate(spans)}
        taken = {at for start, end, solid in spans if solid for at in range(start, end)}
        cues = list(self._scan(taken))
        self._stops = {cue.start: cue.kind for cue in cues if cue.kind in (Cue.STOP, Cue.CAUSE)}
        self._first_person = any(
            pair in _FIRST_PERSON for pair in zip(self._keys, self._keys[1:])
        )
        self._said = [Said() for _ in words.keys]
        self._denied: set[int] = set()
        for cue in cues:
            self._apply(cue)
        self.said = [self._merged(start, number) for number, (start, _, _) in enumerate(spans)]

    def _merged(self, start: int, number: int) -> Said:
        first = self._said[start]
        return Said(first.negated or number in self._denied, first.family, first.historical)

    def _scan(self, taken: set[int]) -> Iterator[_Found]:
        """The cues outside of disease names, longest first at each word."""
        phrases, longest = _cues()
        at, count = 0, len(self._keys)
        while at < count:
            best, phrase = None, ""
            for end in range(at, min(at + longest, count)):
                if end in taken or (end > at and self._gaps[end] in _BOUNDARY):
                    break
                phrase = f"{phrase} {self._keys[end]}" if phrase else self._keys[end]
                if phrase in phrases:
                    best = _Found(at, end + 1, phrases[phrase])
            if best is not None and best.kind is not Cue.NOTHING:
                yield best
            at = best.end if best else at + 1

    def _apply(self, cue: _Found) -> None:
        kind, before = cue.kind, self._keys[cue.start - 1] if cue.start else ""
        if kind in (Cue.NO, Cue.NONE_OF):
            if self._answers(cue):
                self._deny_before(cue.start)
            else:
                for at in self._negation(cue):
                    self._said[at].negated = True
        elif kind is Cue.NON:
            self._mark([cue.end], "negated")
        elif kind is Cue.DENIED:
            if self._keys[cue.end : cue.end + 1] != ["for"] and (self._gaps[cue.start] != "," or self._answers(cue)):
                self._deny_before(cue.start)
        elif kind is Cue.FAMILY:
            if not self._is_patient(cue) and "by" not in self._keys[max(0, cue.start - 2) : cue.start]:
                self._mark(self._statement(cue), "family")
        elif kind is Cue.OF_FAMILY:
            if self._first_person or "my" not in self._keys[cue.start : cue.end]:
                self._mark(self._back(cue), "family")
        elif kind is Cue.PAST:
            if before not in _SPAN_OF_TIME:  # "three days history of cough" is now
                self._mark(self._statement(cue), "historical")
        elif kind is Cue.FORMER:
            self._mark(self._negation(cue), "historical")
        elif kind is Cue.WAS:
            self._mark(self._back(cue), "historical")

    def _mark(self, places: Iterable[int], what: str) -> None:
        for at in places:
            if at < len(self._said):
                setattr(self._said[at], what, True)

    def _is_patient(self, cue: _Found) -> bool:
        """Whether the relative is the patient: *my mother has lupus*, from somebody who says nothing of themselves."""
        return not self._first_person and "my" in self._keys[max(0, cue.start - 2) : cue.start]

    def _ends(self, at: int, cue: _Found) -> bool:
        """Whether a statement that *cue* opened is over before word *at*."""
        gap = self._gaps[at]
        return gap in _BOUNDARY or (gap == ":" and at > cue.end) or self._stops.get(at) is Cue.STOP

    def _negation(self, cue: _Found) -> Iterator[int]:
        """The words that a negation reaches."""
        reached = 0
        for at in range(cue.end, len(self._keys)):
            if self._ends(at, cue) or at in self._stops:
                return
            if self._gaps[at] == "," and at > cue.end:
                if cue.kind is not Cue.NONE_OF and not self._list_goes_on(at):
                    return
                reached = 0
            if self._keys[at] in _AND:
                reached = 0
            if reached == _REACH:
                return
            reached += 1
            yield at

    def _list_goes_on(self, start: int) -> bool:
        """Whether an "or" comes before the sentence ends or turns."""
        for at in range(start, min(start + _LIST_REACH, len(self._keys))):
            if self._gaps[at] in _BOUNDARY or at in self._stops:
                return False
            if self._keys[at] in ("or", "nor"):
                return True
        return False

    def _statement(self, cue: _Found) -> Iterator[int]:
        """The words up to the end of the statement; under a heading, those of all its lines."""
        heading = self._is_heading(cue)
        for at in range(cue.end, min(cue.end + _STATEMENT, len(self._keys))):
            if self._ends(at, cue) and not (heading and self._still_under_heading(at, cue)):
                return
            yield at

    def _is_heading(self, cue: _Found) -> bool:
        opens = cue.start == 0 or self._gaps[cue.start] in _BOUNDARY
        return opens and cue.end < len(self._gaps) and self._gaps[cue.end] in (":", "\n")

    def _still_under_heading(self, at: int, cue: _Found) -> bool:
        """Whether the line or sentence that begins at word *at* is one more item under the heading."""
        gap = self._gaps[at]
        if gap == "¶" or self._stops.get(at) is Cue.STOP:
            return False
        if gap == ":":
            return True
        end = at + 1
        while end < min(at + _STATEMENT, len(self._gaps)) and self._gaps[end] not in _BOUNDARY:
            if end in self._stops or (self._gaps[end] == ":" and end - at < _ITEM):
                return False  # a statement, or a new heading
            end += 1
        return gap == "\n" or (cue.kind is Cue.PAST and end - at <= _ITEM)

    def _back(self, cue: _Found) -> Iterator[int]:
        """The words before a cue that it is said of."""
        for at in range(cue.start - 1, max(cue.start - 2 - _REACH, -1), -1):
            if at in self._stops or self._keys[at] in ("with", "has"):
                return
            yield at
            if self._gaps[at] in _BOUNDARY or self._gaps[at] in ",:":
                return

    def _answers(self, cue: _Found) -> bool:
        """Whether the cue is an answer to what stands before it: *Diabetes: no*."""
        if self._keys[cue.start] not in _BARE_NO or self._gaps[cue.start] not in ":(,":
            return False
        return cue.end == len(self._keys) or self._gaps[cue.end] in _BOUNDARY or self._gaps[cue.end] in ",("

    def _deny_before(self, at: int) -> None:
        """Deny the disease that ends before word *at*, and those joined to it by "and"."""
        while at > 0 and self._keys[at - 1] in _FILLERS:
            at -= 1
        while at in self._span_before and (at == len(self._gaps) or self._gaps[at] not in _BOUNDARY):
            at, number = self._span_before[at]
            self._denied.add(number)
            if not (at > 1 and self._keys[at - 1] in _AND):
                return
            at -= 1


_BOUNDARY = frozenset("|\n¶")
_FIRST_PERSON = {("i", "am"), ("i", "m"), ("i", "have"), ("i", "ve"), ("i", "had"), ("i", "was"), ("i", "got")}

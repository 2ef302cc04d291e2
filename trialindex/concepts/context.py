"""What a text asserts of an illness that it names: that it is absent, a relative's, only possible, or of the past.

The method is that of NegEx (Chapman et al. 2001, "A simple algorithm for identifying negated findings and diseases in
discharge summaries", J Biomed Inform 34:301-310) and of ConText, which extends it (Harkema et al. 2009, "ConText: an
algorithm for determining negation, experiencer, and temporal status from clinical reports", J Biomed Inform
42:839-851): cue phrases open a scope, which ends at the end of the sentence, at a word that turns it, or after a few
words. The lists of cues are our own, and hold what patients write beside what doctors do.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from functools import cache
from itertools import pairwise, product, takewhile

from trialindex.concepts.tokens import Words, normalize

_SCOPE = 6
"""Words: how far a negation reaches, within one item of a list."""
_LIST_SCOPE = 14
"""Words: how far ahead an "or" shows that a comma continues a list."""
_STATEMENT = 120
"""Words: the longest statement, or section under a heading."""
_ITEM = 5
"""Words: the longest sentence that is still an item under a heading."""


class Cue(Enum):
    """What a cue phrase does."""

    NEGATION = auto()  # denies what follows, up to a comma unless an "or" comes later
    LIST_NEGATION = auto()  # denies the list that follows
    PREFIX_NEGATION = auto()  # denies the next word
    NEGATION_POST = auto()  # denies what stands directly before it
    EXCEPTION = auto()  # denies what follows, or after a denial asserts it: "other than"
    POSSIBILITY = auto()  # what follows is only possible, feared, or to be prevented
    POSSIBILITY_POST = auto()  # what stands directly before it is
    FAMILY = auto()  # what follows is a relative's
    FAMILY_POST = auto()  # what stands before it is a relative's
    PAST = auto()  # what follows was once
    PAST_NEAR = auto()  # the next few words were once
    PAST_POST = auto()  # what stands before it was once
    TERMINATION = auto()  # a new statement begins
    NEGATION_TERMINATION = auto()  # as TERMINATION, for a negation only: "no treatment for asthma"
    PSEUDO = auto()  # looks like a cue and is none: "not only"


@dataclass
class Assertion:
    """What is said of a stretch of words."""

    negated: bool = False
    family: bool = False
    historical: bool = False
    possible: bool = False


@dataclass(frozen=True, slots=True)
class Denial:
    """What one cue denies, all in words: of a text's, which may be read backwards.

    :param start: where the cue begins.
    :param end: the word after it.
    :param denied: what it denies.
    """

    start: int
    end: int
    denied: range


# --- the cues -------------------------------------------------------------------------------------------------------

_PHRASES = {
    Cue.NEGATION: """
        no; not; without; w/o; never; never had; has never had; have never had; never been; never developed; not have;
        not had; don't; doesn't; didn't; isn't; wasn't; aren't; hasn't; haven't; hadn't; don't have; doesn't have;
        didn't have; haven't had; hasn't had; dont; doesnt; didnt; isnt; wasnt; havent; cannot be; unlikely to be;
        unlikely to have; lack of; lacks; lacking; free of; rules out; can rule out; could rule out; rather than;
        instead of; neither; nor; but not; no longer have; no longer has; not a candidate for; not eligible for; not fit
        for; not suitable for; don't want; do not want; doesn't want; does not want; not want; never wanted
    """,
    Cue.EXCEPTION: """
        except; except for; excepting; with the exception of; other than; apart from; aside from; excluding; but for
    """,
    Cue.LIST_NEGATION: """
        denies; denied; denying; negative for; neg for; negative history of; history negative for; ruled out for;
        absence of; none of; no evidence of; no evidence for; no clinical evidence of; no radiographic evidence of; no
        sign of; no signs of; no symptoms of; no sx of; no complaints of; no report of; no suspicion of; no h/o; no hx
        of; no history of; no prior history of; no previous history of; no known history of; no past history of; no past
        medical history of; no significant history of; no personal history of; not complain of; not suggestive of; does
        not report; did not report; without evidence of; without signs of; without history of; without a history of; no
        concern for; not concerning for; no suspicion for; not positive for
    """,
    Cue.PREFIX_NEGATION: "non",
    Cue.NEGATION_POST: """
        ruled out; r/o'd; excluded; negative; neg; unlikely; absent; not seen; not found; not present; not detected; not
        identified; not suspected; not confirmed; not evident; none; nil; free; naive; not a problem; no problem; not an
        issue; not an option; not tried; never tried; not taken; not used; not done
    """,
    Cue.POSSIBILITY: """
        might have; may have; could have; might be; may be; could be; possible; possibly; maybe; suspicion of;
        suspicious for; concern for; concerned about; worried about; afraid of; scared of; fear of; fear; at risk of; at
        risk for; high risk of; high risk for; risk of; if; whether; rule out; r/o; to rule out; cannot rule out; can't
        rule out; could not rule out; not rule out; to prevent; prevent; preventing; prevention of; or without; or not;
        to avoid; avoiding; to screen for; screening for; predisposed to; predisposition to
    """,
    Cue.POSSIBILITY_POST: """
        suspected; is possible; not ruled out; not been ruled out; cannot be ruled out; can not be ruled out; can't be
        ruled out; not excluded; not be excluded; cannot be excluded; to be ruled out; prevention
    """,
    Cue.FAMILY: """
        family history; family history of; strong family history of; family h/o; family hx; family hx of; fam hx; famhx;
        fhx; fh; f/h; family medical history; family history significant for; family history positive for; family
        history negative for; family history remarkable for; family history notable for; family member with; family
        members with
    """,
    Cue.FAMILY_POST: """
        runs in the family; runs in my family; run in the family; run in my family; in the family; in my family; in her
        family; in his family; in relatives; in first degree relatives; in a first degree relative; on his mother's
        side; on her mother's side; on my mother's side; on his father's side; on her father's side; on my father's side
    """,
    Cue.PAST: """
        history of; hx of; h/o; past history; past history of; medical history; past medical history; past medical
        history of; past surgical history; pmh; pmhx; pmh of; pmhx of; psh; status post; s/p; previous history of; prior
        history of; personal history of; known history of; history significant for; history notable for; history
        remarkable for; history includes; past medical history significant for; past medical history notable for; past
        medical history includes; used to have; recovered from; survivor of
    """,
    Cue.PAST_NEAR: "previous; previously had; previously treated for; prior; past; remote; former",
    Cue.PAST_POST: "in the past; as a child; as a teenager; in childhood; in his childhood; in her childhood",
    Cue.TERMINATION: """
        but; however; although; though; besides; nevertheless; only; just; shows; showed; showing; shown; reveals;
        revealed; demonstrates; demonstrated; wants; wanting; looking for; seeking; interested in; presents; presented;
        presenting; presents with; presented with; presenting with; complains of; complained of; complaining of; c/o;
        admitted; now; currently; today; until; who; whose; and with
    """,
    Cue.NEGATION_TERMINATION: "for; due to; d/t; because; because of; secondary to; 2/2 to; caused by; as a result of",
    Cue.PSEUDO: """
        not only; not just; not without; never without; not free of; not stopped; never stopped; not quit; not given up;
        not yet stopped; not certain; not sure; not known; no change; no increase; no decrease; no doubt; no longer; no
        other; without other; not controlled; not well controlled; not adequately controlled; not fully controlled; not
        under control; not cured; not helped; not helped by; not relieved; not better; not enough; not improving; not
        responding; not responding to; not respond; not respond to; not responded; not responded to; no response; no
        response to; don't respond to; doesn't respond to; didn't respond to; no improvement; no improvement in; no
        improvement of; without improvement; not improve; not improved; not improving; no relief; no relief of; no
        relief from; without relief; not relieved by; without success; not help; not helping; don't help; didn't help;
        not work; not working; not getting better; not gone away; not going away; not go away; not tolerate; not
        tolerated; not tolerating; don't tolerate; can't tolerate; not able to; not due to; not because of; gram
        negative; no improvement on; no improvement with; no benefit from; no effect; no matter; why not; prior to;
        history of present illness; over the past; for the past; in the past week; in the past month; in the past year;
        past day; past week; past month; past year; past few; past several; past two; past three
    """,
}
_RELATIVES = """
    mother; father; mom; mum; dad; parent; parents; sister; brother; half sister; half brother; sibling; siblings; twin;
    grandmother; grandfather; grandma; grandpa; grandparent; aunt; uncle; cousin; niece; nephew; daughter; son; wife;
    husband; relative; relatives
"""
_HAD = """
    had; has; have; has had; who had; who has; with; died of; died from; died with; who died of; who died from; passed
    away from; suffered from; suffers from; diagnosed with; was diagnosed with; is diagnosed with; who was diagnosed
    with; developed; is being treated for; is a carrier of
"""
_NOTICED = (
    "has noted; has noticed; has also noted; has also noticed; had noted; had noticed; has reported; had reported"
)
_OF_WHOM = "her; his; my; a; the; their; one; her maternal; his maternal; her paternal; his paternal"
_PATIENT = "he; she; i; they; it; patient; pt; and; which; that"
_DOES = """
    has; had; have; is; am; was; were; are; m; ve; reports; presents; presented; takes; developed; develops; complains;
    noticed; came; underwent
"""
_EXAMINERS = """
    they; he; she; we; i; doctor; doctors; doc; gp; have; has; had; scan; ct; mri; biopsy; test; tests; blood tests
"""
_NO_STATEMENT = {"they are", "it is", "it was", "that is"}

_FILLERS = {"is", "was", "are", "were", "be", "been", "being", "has", "have", "had", "test", "tested", "screen"}
"""Words that may stand between a disease and what denies it: *HIV test was negative*."""
_AND = {"and", "or", "nor"}
_SPAN_OF_TIME = {"hour", "day", "days", "week", "month", "year", "yr", "yrs", "wk", "wks", "mo", "mos"}
_BARE = {"healthy", "well", "fine", "fit"}
"""Of whom nothing is the matter: what is excepted from it is."""
_BARE_NO = {"no", "none", "nil", "denied", "deny", "absent", "negative", "neg"}
"""What denies the disease before it when nothing follows: *Diabetes: no*."""
_FIRST_PERSON = {("i", "am"), ("i", "m"), ("i", "have"), ("i", "ve"), ("i", "had"), ("i", "was"), ("i", "got")}
_FORWARD = {"not", "never"}
"""Words with which what denies the disease before it may also deny the one behind it."""
_CIRCUMSTANCES = {"in", "with", "after", "during", "from"}
"""Words behind which nothing is only possible any more: *to prevent stroke in atrial fibrillation*."""
_KIN = {"family", "side"}
_WHOSE = {"my", "her", "his", "our", "the", "their"}
_BOUNDARY = frozenset("|\n¶")
_STOPS = {Cue.TERMINATION, Cue.NEGATION_TERMINATION, Cue.EXCEPTION}


@cache
def _relatives() -> frozenset[str]:
    return frozenset(normalize(who) for who in _RELATIVES.split(";"))


@cache
def _cues() -> tuple[dict[str, Cue], int]:
    """Every cue phrase, folded, and the length of the longest in words."""

    def listed(text: str) -> list[str]:
        return [normalize(phrase) for phrase in text.split(";")]

    relatives = listed(_RELATIVES)
    found = {phrase: kind for kind, text in _PHRASES.items() for phrase in listed(text)}
    found |= {f"{who} {had}": Cue.FAMILY for who, had in product(relatives, listed(_HAD))}
    found |= {f"{who} ruled out": Cue.NEGATION for who in listed(_EXAMINERS)}
    found |= {f"{who} {noticed}": Cue.PSEUDO for who, noticed in product(relatives, listed(_NOTICED))}
    found |= {f"in {whose} {who}": Cue.FAMILY_POST for whose, who in product(listed(_OF_WHOM), relatives)}
    found |= {f"in {who}": Cue.FAMILY_POST for who in relatives}
    statements = {f"{who} {does}" for who, does in product(listed(_PATIENT), listed(_DOES))}
    found |= dict.fromkeys(statements - _NO_STATEMENT, Cue.TERMINATION)
    return found, max(phrase.count(" ") + 1 for phrase in found)


_DENYING = {Cue.NEGATION, Cue.LIST_NEGATION, Cue.PREFIX_NEGATION, Cue.NEGATION_POST, Cue.EXCEPTION}


@cache
def _denying_words() -> frozenset[str]:
    """The first word of every cue that denies something."""
    return frozenset(phrase.split()[0] for phrase, kind in _cues()[0].items() if kind in _DENYING)


def may_deny(words: Words) -> bool:
    """Whether a text has a cue that could deny something in it."""
    return bool(words.minus) or not _denying_words().isdisjoint(words.keys)


# --- finding out ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Match:
    """A cue in a text: from word *start* to before word *end*."""

    start: int
    end: int
    kind: Cue


class Context:
    """What a text says of the things that it names: every cue in it marks the words in its scope.

    :param spans: in order, not overlapping: first word, the word after the last, and whether it is a disease name
        that wins over a cue within it, as ``non`` in *non-small cell lung cancer*.
    """

    def __init__(self, words: Words, spans: Sequence[tuple[int, int, bool]]) -> None:
        self._keys, self._gaps = words.keys, words.gaps
        self._span_before = {end: start for start, end, _ in spans}
        taken = {at for start, end, solid in spans if solid for at in range(start, end)}
        cues = list(self._scan(taken))
        self._stops = {cue.start: cue.kind for cue in cues if cue.kind in _STOPS}
        self._first_person = any(pair in _FIRST_PERSON for pair in pairwise(self._keys))
        self.words = [Assertion() for _ in words.keys]
        """What is said of each word."""
        self.denials: list[Denial] = []
        """What is denied, in the order of the cues."""
        self._patient = self._other_patient()
        for cue in cues:
            self._apply(cue)
        for at in sorted(words.minus):
            if at + 1 in self._span_before:
                self._deny_before(at + 1, _Match(at + 1, at + 1, Cue.NEGATION_POST))
        self.assertions = [self.words[start] for start, _, _ in spans]
        """What is said of each span."""

    def _scan(self, taken: set[int]) -> Iterator[_Match]:
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
                    best = _Match(at, end + 1, phrases[phrase])
            if best is not None and best.kind is not Cue.PSEUDO:
                yield best
            at = best.end if best else at + 1

    def _apply(self, cue: _Match) -> None:
        kind, before = cue.kind, self._keys[cue.start - 1] if cue.start else ""
        if kind in (Cue.NEGATION, Cue.LIST_NEGATION):
            if self._answers(cue):
                self._deny_before(cue.start, cue)
            else:
                self._deny(cue, self._scope(cue))
        elif kind is Cue.EXCEPTION:
            if not self._excepted_from_nothing(cue):
                self._deny(cue, self._scope(cue))
        elif kind is Cue.PREFIX_NEGATION:
            end = next((end for end, start in self._span_before.items() if start == cue.end), cue.end + 1)
            self._deny(cue, range(cue.end, min(end, len(self._keys))))
        elif kind is Cue.NEGATION_POST:
            if self._keys[cue.start] in _FORWARD and next(self._spans_before(cue.start), None) is None:
                self._deny(cue, self._scope(cue))  # "not tried infliximab"
            elif self._keys[cue.end : cue.end + 1] != ["for"] and (self._gaps[cue.start] != "," or self._answers(cue)):
                self._deny_before(cue.start, cue)
        elif kind is Cue.POSSIBILITY:
            self._mark(takewhile(lambda at: self._keys[at] not in _CIRCUMSTANCES, self._scope(cue)), "possible")
        elif kind is Cue.POSSIBILITY_POST:
            for span in self._spans_before(cue.start):
                self._mark(span, "possible")
        elif kind is Cue.FAMILY:
            if not self._is_patient(cue) and "by" not in self._keys[max(0, cue.start - 2) : cue.start]:
                self._mark(self._statement(cue), "family")
        elif kind is Cue.FAMILY_POST:
            if self._first_person or "my" not in self._keys[cue.start : cue.end] or self._keys[cue.end - 1] in _KIN:
                self._mark(self._words_before(cue), "family")
        elif kind is Cue.PAST:
            if before not in _SPAN_OF_TIME:  # "three days history of cough" is now
                self._mark(self._statement(cue), "historical")
        elif kind is Cue.PAST_NEAR:
            self._mark(self._scope(cue), "historical")
        elif kind is Cue.PAST_POST:
            self._mark(self._words_before(cue), "historical")

    def _deny(self, cue: _Match, places: Iterable[int]) -> None:
        denied = list(places)
        if denied:
            self._mark(denied, "negated")
            self.denials.append(Denial(cue.start, cue.end, range(denied[0], denied[-1] + 1)))

    def _deny_before(self, at: int, cue: _Match) -> None:
        """Deny the disease that ends before word *at*, and those joined to it by "and"."""
        spans = list(self._spans_before(at))
        if spans:
            for span in spans:
                self._mark(span, "negated")
            self.denials.append(Denial(cue.start, cue.end, range(spans[-1].start, spans[0].stop)))

    def _excepted_from_nothing(self, cue: _Match) -> bool:
        """Whether what is excepted is there: *healthy except for asthma*, *no illness other than asthma*."""
        for at in range(cue.start - 1, max(cue.start - 1 - _SCOPE, -1), -1):
            if self._keys[at] in _BARE or self.words[at].negated:
                return True
            if self._gaps[at] in _BOUNDARY:
                return False
        return False

    def _mark(self, places: Iterable[int], what: str) -> None:
        for at in places:
            if at < len(self.words):
                setattr(self.words[at], what, True)

    def _other_patient(self) -> str | None:
        """The relative for whom something is looked for: *for her healthy brother*."""
        relatives = _relatives()
        for at in range(len(self._keys) - 2):
            if self._keys[at] == "for" and self._keys[at + 1] in _WHOSE:
                for key in self._keys[at + 2 : at + 4]:
                    if key in relatives:
                        return key
        return None

    def _is_patient(self, cue: _Match) -> bool:
        """Whether the relative is the patient: *my mother has lupus*, from somebody who says nothing of themselves."""
        if self._first_person or self._patient not in (None, self._keys[cue.start]):
            return False
        for at in range(cue.start - 1, max(cue.start - 5, -1), -1):  # "my 7-year-old son"
            if self._gaps[at + 1] not in " -":
                return False
            if self._keys[at] == "my":
                return True
        return False

    def _terminated(self, at: int, cue: _Match) -> bool:
        """Whether a statement that *cue* opened is over before word *at*."""
        gap = self._gaps[at]
        return gap in _BOUNDARY or (gap == ":" and at > cue.end) or self._stops.get(at) is Cue.TERMINATION

    def _scope(self, cue: _Match) -> Iterator[int]:
        """The words that a negation reaches."""
        reached = 0
        for at in range(cue.end, min(cue.end + _STATEMENT, len(self._keys))):
            if self._terminated(at, cue) or at in self._stops:
                return
            if self._gaps[at] == "," and at > cue.end:
                if cue.kind is not Cue.LIST_NEGATION and not self._list_goes_on(at):
                    return
                reached = 0
            if self._keys[at] in _AND:
                reached = 0
            if reached == _SCOPE:
                return
            reached += 1
            yield at

    def _list_goes_on(self, start: int) -> bool:
        """Whether an "or" comes before the sentence ends or turns."""
        for at in range(start, min(start + _LIST_SCOPE, len(self._keys))):
            if self._gaps[at] in _BOUNDARY or at in self._stops:
                return False
            if self._keys[at] in ("or", "nor"):
                return True
        return False

    def _statement(self, cue: _Match) -> Iterator[int]:
        """The words up to the end of the statement; under a heading, those of all its lines."""
        heading = self._is_heading(cue)
        for at in range(cue.end, min(cue.end + _STATEMENT, len(self._keys))):
            if self._terminated(at, cue) and not (heading and self._still_under_heading(at, cue)):
                return
            yield at

    def _is_heading(self, cue: _Match) -> bool:
        opens = cue.start == 0 or self._gaps[cue.start] in _BOUNDARY
        return opens and cue.end < len(self._gaps) and self._gaps[cue.end] in (":", "\n")

    def _still_under_heading(self, at: int, cue: _Match) -> bool:
        """Whether the line or sentence that begins at word *at* is one more item under the heading."""
        gap = self._gaps[at]
        if gap == "¶" or self._stops.get(at) is Cue.TERMINATION:
            return False
        if gap == ":":
            return True
        end = at + 1
        while end < min(at + _STATEMENT, len(self._gaps)) and self._gaps[end] not in _BOUNDARY:
            if end in self._stops or (self._gaps[end] == ":" and end - at < _ITEM):
                return False  # a statement, or a new heading
            end += 1
        return gap == "\n" or (cue.kind is Cue.PAST and end - at <= _ITEM)

    def _words_before(self, cue: _Match) -> Iterator[int]:
        """The words before a cue that it is said of."""
        for at in range(cue.start - 1, max(cue.start - 2 - _SCOPE, -1), -1):
            if at in self._stops or self._keys[at] in ("with", "has"):
                return
            yield at
            if self._gaps[at] in _BOUNDARY or self._gaps[at] in ",:":
                return

    def _answers(self, cue: _Match) -> bool:
        """Whether the cue is an answer to what stands before it: *Diabetes: no*."""
        gap = self._gaps[cue.start]
        joined = gap == " " and cue.start in self._span_before  # "psoriasis no, gout yes"
        if self._keys[cue.start] not in _BARE_NO or not (joined or gap in ":(,"):
            return False
        return cue.end == len(self._keys) or self._gaps[cue.end] in _BOUNDARY or self._gaps[cue.end] in ",("

    def _spans_before(self, at: int) -> Iterator[range]:
        """The disease that ends before word *at*, and those joined to it by "and"."""
        while at > 0 and self._keys[at - 1] in _FILLERS:
            at -= 1
        while at in self._span_before and (at == len(self._gaps) or self._gaps[at] not in _BOUNDARY):
            start = self._span_before[at]
            yield range(start, at)
            at = start
            if not (at > 1 and self._keys[at - 1] in _AND):
                return
            at -= 1

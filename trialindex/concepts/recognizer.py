"""Finding illnesses, drugs and procedures in what people write, by the names that the vocabularies list.

::

    terms = ConceptRecognizer.load()
    for mention in terms.find("52 F with HTN, no diabetes, mother had breast cancer"):
        print(mention.text, mention.names, mention.negated, mention.family)
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from trialindex.concepts.context import Context, may_deny
from trialindex.concepts.tokens import Words, casefold_words, name_variants, natural_order, normalize, read_words
from trialindex.concepts.vocabularies import UsableVocabulary, compile_once, usable_vocabularies
from trialindex.plugin.interfaces import Concept

if TYPE_CHECKING:
    from trialindex.plugin.registry import Plugins

_LONGEST = 8
"""Words of the longest name that is looked for in a text."""
_REMEMBERED = 32
"""Texts that were read last."""
_NAMES = 4_096
"""Names of trials whose meaning is remembered."""
_FORMAT = 1
"""Raised when what is kept in the cache changes its shape, or names come under other keys."""

_SMALL_WORDS = """
aids all alps any are arm art arts ash bad bat bed best big bos bug bun but can candle canvas cap care case cass
castle cast cat clap clip coach cold con cop cord dad dam day des did dish dog doors dos drip ear eat epi era fame far
fat ficus fish fit for gap gas get gist goal had ham hand hap has hat her him hip hit hops hot how ice its jam kin kms
lad lamb last lead let lid lip lord low mac mad male man map mash mask mass mast mat may men mesh met mgrs mic mild
mls mod mom mop nap neat net new nod node nor nose not now one our out pack pad pan part past pat peg pen pet pie pin
pip plaid pod pop proc push race ram rap rat red rib rod rue run sac sad sat saw sea sed see sens set settle she sid
six spa star stay tam tap tar tare tea ten tens tha the thes thi this tip toe top tram trap traps two use vat via wad
war was wed well who zap ad al am an as at be by cc cd cm co cs dd de do ed eg el em en er et ex go ha he hi ho hr id
ie if im in io is it la le ma md me mg ml mm mr ms my na ne ng no of oh ok on op or os ox pa pc per ph pi pm ps re rd
rx se sh si so st ta th to tv uh um un up us va vi vs we ws ya ye
"""
"""Words and measures, folded. An abbreviation that is spelled like one of them is meant only in capitals."""
_AMBIGUOUS_WORDS = frozenset(_SMALL_WORDS.split())

_STOP_CONCEPTS = """
abnormality; adverse events; aging; as needed; associated with; at bedtime; baseline; bilateral; blood pressure;
cancer; chief complaint; chronic disease; complains of; complicated by; complication; condition; consistent with;
death; diagnosed; diagnosis; diagnostic evaluation; differential diagnosis; discharge; discontinue; disease; disease
by infectious agent; disease of anatomical entity; disease of cellular proliferation; disease of mental health;
disease of metabolism; disorder; drug; due to; emergency department; emergency service, hospital; family history;
fever; follow-up; four times daily; healthy volunteers; genetic disease; history; history of; history of present
illness; hospital; illness; infection; infectious disease; injury; inpatient; intensive care unit; laboratory test;
laboratory tests; lesion; medication; neoplasm; neoplasms; nothing by mouth; once daily; outpatient; pain; past
medical history; past surgical history; patient; patients; pediatric; physical examination; placebo; prescription;
primary care; quality of life; randomized; randomized controlled trial; rare diseases; review of systems; rule out;
secondary to; serious adverse events; signs and symptoms; standard of care; status post; surgery; symptom; symptoms;
syndrome; therapy; three times daily; treatment; tumor; twice daily; vital signs; within normal limits; without;
workup; wound; year old
"""
"""Names that say too little to search for."""
_GENERAL = frozenset(map(normalize, _STOP_CONCEPTS.split(";")))


@dataclass(frozen=True)
class Mention:
    """Where a text names something that a vocabulary knows.

    :param start: where it begins in the text, in characters.
    :param end: where it ends.
    :param text: what stands there.
    :param concepts: what it may mean; one of an ontology comes before one of a word list; a finding only where it
        can mean nothing else.
    :param negated: the text says that it is absent.
    :param family: that a relative has it.
    :param historical: that it belongs to the past.
    :param possible: that it is only possible, feared, or to be prevented.
    :param general: it says too little to search for, as *disease* or *pain*.
    """

    start: int
    end: int
    text: str
    concepts: tuple[Concept, ...]
    negated: bool = False
    family: bool = False
    historical: bool = False
    possible: bool = False
    general: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """The medical names, each once."""
        return _medical_names(self.concepts)


class ConceptRecognizer:
    """Concepts, to be found in text by the longest name.

    :param concepts: of any vocabularies; several may share a name.
    """

    vocabularies: Sequence[UsableVocabulary] = ()
    """What it was loaded from."""

    def __init__(self, concepts: Iterable[Concept] = ()) -> None:
        self._use(_compile(concepts))

    def _use(self, compiled: _Compiled) -> None:
        self._rows, self._index = compiled
        self._known: dict[int, Concept] = {}
        self._senses: dict[tuple[str, bool], _Sense] = {}
        self._below: dict[str, list[int]] | None = None
        self._remembered = lru_cache(_REMEMBERED)(self._read)
        self._meanings = lru_cache(_NAMES)(self._meant)

    @classmethod
    def load(cls, plugins: Plugins | None = None) -> ConceptRecognizer:
        """The terms of every vocabulary that is at hand.

        What is built from them is kept in the user's cache folder under the names and versions of the vocabularies.

        :param plugins: those of this process unless given.
        :raises PluginError: a vocabulary fails.
        """
        from trialindex.plugin import registry as module

        vocabularies = usable_vocabularies(plugins or module.plugins())
        recognizer = cls.__new__(cls)
        recognizer._use(
            compile_once(
                "concepts",
                _FORMAT,
                _Compiled,
                vocabularies,
                lambda: _compile(concept for one in vocabularies for concept in one.concepts()),
            )
        )
        recognizer.vocabularies = vocabularies
        return recognizer

    def __len__(self) -> int:
        """How many concepts there are."""
        return len(self._rows)

    # --- in a text ----------------------------------------------------------------------------------------------------

    def find(self, text: str) -> list[Mention]:
        """What *text* names, in order and without overlap; at each place the longest name counts."""
        return self.read(text)[2]

    def read(self, text: str) -> tuple[Words, Context, list[Mention]]:
        """The words of *text*, what is said of each of them, and what they name as :meth:`find` gives it.

        The last few texts are remembered: a question is read by several who each look for something else in it.
        """
        words, context, mentions = self._remembered(text)
        return words, context, list(mentions)

    def _read(self, text: str) -> tuple[Words, Context, list[Mention]]:
        words = read_words(text)
        found = list(self._matches(text, words))
        context = Context(words, [(start, end, not sense.general) for start, end, sense in found])
        mentions = []
        for (first, last, sense), said in zip(found, context.assertions, strict=True):
            start, end = words.starts[first], words.ends[last - 1]
            flags = (said.negated, said.family, said.historical, said.possible, sense.general)
            mentions.append(Mention(start, end, text[start:end], sense.concepts, *flags))
        return words, context, mentions

    def meanings(self, text: str) -> frozenset[str]:
        """The medical names of all that *text* names and does not deny, folded.

        What else is said of them is not looked at, so that it takes less time than :meth:`find`. They are remembered:
        the names of illnesses and the keywords of trials come back.
        """
        return self._meanings(text)

    def _meant(self, text: str) -> frozenset[str]:
        words = read_words(text)
        if may_deny(words):
            return frozenset(normalize(name) for one in self.read(text)[2] if not one.negated for name in one.names)
        return frozenset(name for _, _, sense in self._matches(text, words) for name in sense.names)

    def _matches(self, text: str, words: Words) -> Iterator[tuple[int, int, _Sense]]:
        """First word, the word after the last, and what is meant."""
        at, index, keys, gaps = 0, self._index, words.keys, words.gaps
        count = len(keys)
        while at < count:
            spaced = glued = keys[at]
            found = [(at + 1, spaced)] if spaced in index else []
            for end in range(at + 1, min(at + _LONGEST, count)):
                if gaps[end] not in _WITHIN:
                    break
                spaced = f"{spaced} {keys[end]}"
                glued = f"{glued}{keys[end]}" if gaps[end] == "-" else f"{glued} {keys[end]}"
                if spaced in index:
                    found.append((end + 1, spaced))
                elif glued in index:
                    found.append((end + 1, glued))
            taken = None
            for end, name in reversed(found):
                sense = self._resolve(name, text, words, at, end)
                if sense.concepts and (taken is None or not sense.finding):
                    taken = end, sense
                    if not sense.finding:
                        break  # a finding gives way to a shorter name of something else
            if taken is None:
                at += 1
                continue
            end, sense = taken
            if sense.finding and self._begins(text, words, at + 1, end):
                at += 1
                continue
            yield at, end, sense
            at = end

    def _begins(self, text: str, words: Words, start: int, end: int) -> bool:
        """Whether the name of something else than a finding begins at one of these words."""
        for at in range(start, end):
            name = ""
            for last in range(at, min(at + _LONGEST, len(words.keys))):
                if last > at and words.gaps[last] not in _WITHIN:
                    break
                name = f"{name} {words.keys[last]}" if name else words.keys[last]
                if name in self._index:
                    sense = self._resolve(name, text, words, at, last + 1)
                    if sense.concepts and not sense.finding:
                        return True
        return False

    def _resolve(self, name: str, text: str, words: Words, start: int, end: int) -> _Sense:
        """The concepts called *name* that the writer can have meant, seeing how it is written."""
        if end - start > 1 and all(len(k) == 1 for k in words.keys[start:end]) and " " in words.gaps[start + 1 : end]:
            return _NOTHING  # "s/p" and "t.b." are abbreviations, "a e" is nothing
        if len(name) < 3 and _in_compound(words, start):
            return _NOTHING
        capitals = True
        if min(self._index[name]) < 0:
            at = words.starts[start]
            capitals = text[at : words.ends[end - 1]].isupper() and not _in_capitals(text, at)
        if (name, capitals) not in self._senses:
            self._senses[name, capitals] = self._sense(name, capitals)
        return self._senses[name, capitals]

    def _sense(self, name: str, capitals: bool) -> _Sense:
        """The concepts; a word list's *heart attack* is also what an ontology calls *myocardial infarction*."""
        found = [one if one >= 0 else ~one for one in self._index[name] if one >= 0 or capitals]
        for concept in [self._concept(number) for number in found]:
            if concept.id is None:
                found += (n for n in self._index.get(_plain(concept.name), ()) if n >= 0 and self._concept(n).id)
        concepts = [self._concept(number) for number in dict.fromkeys(found)]
        concepts.sort(key=lambda concept: (concept.id is None, _plain(concept.name) != name))
        concepts = [concept for concept in concepts if concept.kind != "finding"] or concepts
        general = all(_plain(concept.name) in _GENERAL for concept in concepts)
        finding = bool(concepts) and all(concept.kind == "finding" for concept in concepts)
        return _Sense(tuple(concepts), general, frozenset(map(normalize, _medical_names(concepts))), finding)

    def synonyms(self, text: str) -> list[str]:
        """The medical names of what *text* says the patient has, those that it does not use itself.

        What is negated, a relative's, or too general is left out.
        """
        own = f" {casefold_words(text)} "
        names = {
            _plain(name): name
            for mention in self.find(text)
            if not (mention.negated or mention.family or mention.general)
            for name in mention.names
        }
        return [
            name for plain, name in names.items() if f" {casefold_words(name)} " not in own and plain not in _GENERAL
        ]

    # --- one name -----------------------------------------------------------------------------------------------------

    def lookup(self, condition: str) -> Concept | None:
        """The concept that *condition* as a whole names: ``Lupus Erythematosus, Systemic``, ``CKD``, ``heart attack``.

        :returns: of an ontology if one has it, and of those the one whose preferred name it is; ``None`` if it is no
            name that is known.
        """
        forms = [condition, natural_order(condition)]
        before, bracket, inside = condition.strip().rpartition("(")
        if bracket and inside.endswith(")"):  # "Chronic Kidney Disease (CKD)"
            forms.append(before)
        for form in forms:
            words = read_words(form)
            name = " ".join(words.keys)
            if name in self._index and (concepts := self._resolve(name, form, words, 0, len(words.keys)).concepts):
                return concepts[0]
        return None

    def extensions(self, name: str) -> int:
        """How many longer names end with it: of *allergy* dozens, of *migraine* hardly any."""
        return self._lines.count(f" {normalize(name)}\n")

    @cached_property
    def _lines(self) -> str:
        """Every name in a line of its own: counting in one string takes a thirtieth of asking each name."""
        return "".join(f"{key}\n" for key in self._index)

    def narrower(self, concept: Concept) -> list[Concept]:
        """Every kind of *concept*, down to the last, nearest first. Without an id it is looked up by its name."""
        if concept.id is None:
            concept = self.lookup(concept.name) or concept
        if self._below is None:
            self._below = defaultdict(list)
            for number in range(len(self._rows)):
                for broader in self._concept(number).broader:
                    self._below[broader].append(number)
        found: dict[int, Concept] = {}
        waiting = deque([concept.id])
        while waiting:
            for number in self._below.get(waiting.popleft() or "", ()):
                kind = self._concept(number)
                if number not in found and kind.id != concept.id:
                    found[number] = kind
                    waiting.append(kind.id)
        return list(found.values())

    def _concept(self, number: int) -> Concept:
        """Read when it is first asked for: most of them never are."""
        if number not in self._known:
            self._known[number] = Concept(*_decoder().decode(self._rows[number]))
        return self._known[number]


class _Sense(NamedTuple):
    """What a name means, whether that says too little, its medical names, folded, and whether it is but a finding."""

    concepts: tuple[Concept, ...]
    general: bool
    names: frozenset[str] = frozenset()
    finding: bool = False


_NOTHING = _Sense((), True)
_WITHIN = frozenset(" -/.,")
"""What may lie between two words of one name."""
_LINE = 80
"""Characters on each side that show whether a line is all in capitals."""


def _medical_names(concepts: Sequence[Concept]) -> tuple[str, ...]:
    """The names of the concepts, each once."""
    return tuple({_plain(concept.name): concept.name for concept in reversed(concepts)}.values())[::-1]


def _plain(name: str) -> str:
    """The key of a name, in natural order."""
    return normalize(natural_order(name))


def _in_capitals(text: str, at: int) -> bool:
    """Whether everything around is in capitals, so that capitals say nothing: ``ALL PATIENTS RECEIVED``."""
    line = text[max(0, at - _LINE) : at].rpartition("\n")[2] + text[at : at + _LINE].partition("\n")[0]
    return line.isupper() and any(len(word) > 5 and word.isalpha() for word in line.split())


def _in_compound(words: Words, at: int) -> bool:
    """Whether a word is half of a name such as ``PD-L1`` or ``CD-20``."""
    return any(
        0 <= other < len(words.keys)
        and words.gaps[max(at, other)] == "-"
        and (len(words.keys[other]) < 3 or any(map(str.isdigit, words.keys[other])))
        for other in (at - 1, at + 1)
    )


# --- built once, kept -----------------------------------------------------------------------------------------------

_Compiled = tuple[list[bytes], dict[str, list[int]]]
"""The concepts, each encoded, and by key the numbers of those so called: ``~n`` for one meant in capitals only."""


def _compile(concepts: Iterable[Concept]) -> _Compiled:
    from msgspec import msgpack

    encode = msgpack.Encoder().encode
    rows: list[bytes] = []
    index: dict[str, list[int]] = {}
    for number, concept in enumerate(concepts):
        rows.append(encode((concept.name, concept.names, concept.id, concept.kind, concept.broader)))
        for name in dict.fromkeys((concept.name, *concept.names)):
            forms = dict.fromkeys(name_variants(name))
            capitals = name.isupper() and name.isalpha() and next(iter(forms)) in _AMBIGUOUS_WORDS
            for form in forms:
                postings = index.setdefault(form, [])
                if form and number not in postings and ~number not in postings:
                    postings.append(~number if capitals else number)
    index.pop("", None)
    return rows, index


@cache
def _decoder() -> Any:
    from msgspec import msgpack

    return msgpack.Decoder(tuple[str, tuple[str, ...], str | None, str, tuple[str, ...]])

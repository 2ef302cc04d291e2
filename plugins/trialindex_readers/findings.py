"""The table of what goes with what, compiled once: illnesses with their findings, and the names of findings."""

from __future__ import annotations

import hashlib
import math
from collections import Counter, defaultdict
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

from trialindex.concepts.tokens import normalize, read_words
from trialindex.concepts.vocabularies import UsableVocabulary, compile_once
from trialindex.plugin.interfaces import Vocabulary
from trialindex.plugin.terms import Edition
from trialindex.plugin.vocabulary_entries import Concept

_FOLDER = Path(__file__).parent
_FILES = ("findings.tsv", "findings-names.tsv", "numbers.tsv")
_FORMAT = 2
"""Raised when what is compiled changes its shape, or names come under other keys."""
_LIKELIHOOD = {1: 0.1, 2: 0.3, 3: 0.6}
"""How many of those who have an illness have a finding, by its level: a judgement, rounded."""
LEVELS = tuple(_LIKELIHOOD)
_STRAY = 0.002
"""How often a text tells of a finding for a reason that the table does not have."""
_PREVALENCE = {1: 1.0, 2: 3.0, 3: 9.0}
"""How often an illness is met in notes, by its class, against a seldom one."""

_STOP_WORDS = """
a after an and are as at be by for from had has have he her his i in into is it its like my of on or she than that the
their they this to up was were when while with
"""
STOP_WORDS = frozenset(_STOP_WORDS.split())
"""Words that tell nothing of a finding; *no*, *not*, *without*, *over* and *under* do."""
_ENDINGS = ("ings", "ing", "edly", "ed", "es", "ly", "ness", "s", "y", "e")
DENIALS = frozenset(("no", "not", "normal", "absent", "without", "never", "cannot"))
_STEM = 4
"""Letters that a stem keeps at least."""
_ALIKE = """
pain: ache aching hurt hurting sore soreness painful tender tenderness achy
swell: swollen puffy puffiness edema edematous swelling
belly: tummy abdomen abdominal stomach
itch: itchy pruritus pruritic itching
tremor: shake shaking shaky shook trembling tremble
tired: fatigue fatigued exhausted exhaustion tiredness weary
yellow: jaundice jaundiced yellowish yellowing
lump: mass nodule swelling
vomit: vomiting vomited emesis throwing
break: broke broken breaking fracture fractured
lose: lost losing loss
grow: grew grown growth growing
fall: fell fallen falling
sleep: slept asleep sleeping
wake: woke woken waking
eat: ate eaten eating
bleed: bled bleeding
drink: drank drunk drinking
stand: stood standing
swallow: swallowed swallowing dysphagia
weak: weakness weakened
dizzy: dizziness giddy lightheaded
numb: numbness
large: big bigger enlarged larger enlargement
low: lowered decreased reduced decrease
raise: raised elevated high increased elevation
breathless: breathlessness dyspnea
cry: tearful crying cried
urine: pee peeing wee urinary urinate
stool: bowel poo poop feces
child: baby infant toddler kid
eye: eyes
foot: feet
skin: cutaneous
kidney: renal
liver: hepatic
heart: cardiac
lung: pulmonary
brain: cerebral
"""
"""Words that name the same in findings, by the first of a line."""


@dataclass(frozen=True)
class Illness:
    """One line of ``findings.tsv``.

    :param prevalence: what it weighs before anything is known.
    :param sex: empty, ``female`` or ``male`` (only there), ``more female`` or ``more male``.
    :param age_from: typical age in years, no limit; so is *age_to*.
    """

    name: str
    prevalence: float
    sex: str
    age_from: float
    age_to: float


@dataclass(frozen=True)
class Threshold:
    """One line of ``numbers.tsv``: a value that reads as a finding.

    :param unit: empty of a score or a ratio.
    :param compare: ``<``, ``>``, ``<=`` or ``>=``.
    """

    measure: str
    unit: str
    compare: str
    value: float
    sex: str
    age_from: float
    age_to: float
    finding: int


@dataclass(frozen=True)
class Table:
    """What is known of findings, each by its number.

    :param findings: their preferred names.
    :param frequencies: in which share of texts each is met, whatever the illness.
    :param having: of each the illnesses that have it: number and level, number and level, and so on.
    :param names: by each name, folded, the finding; the longest of all names has *longest* words.
    :param stems: names of several words by their rarest stem: the finding, and all stems of the name, with a
        space between two.
    :param rarity: how rare each stem is in names: the logarithm of one in how many.
    :param illness_names: by its name, folded, the number of an illness.
    :param measures: by what notes call a measure, folded, what its values read as.
    :param compounds: findings that are there when all their parts are: its number, the parts, youngest and oldest age.
    """

    findings: list[str]
    frequencies: list[float]
    having: list[list[int]]
    names: dict[str, int]
    stems: dict[str, list[tuple[int, str]]]
    rarity: dict[str, float]
    compounds: list[tuple[int, list[int], float, float]]
    illnesses: list[Illness]
    illness_names: dict[str, int]
    measures: dict[str, list[Threshold]]
    longest: int

    @cached_property
    def first_words(self) -> frozenset[str]:
        """The words with which names begin."""
        return frozenset(name.partition(" ")[0] for name in self.names)

    @cached_property
    def first_of_measures(self) -> frozenset[str]:
        """The same of what notes call measures."""
        return frozenset(name.partition(" ")[0] for name in self.measures)

    def illnesses_of(self, finding: int) -> Iterator[tuple[int, int]]:
        """The illnesses that have a finding, and its level there."""
        numbers = self.having[finding]
        return zip(numbers[::2], numbers[1::2], strict=True)


def likelihood(level: int) -> float:
    """In which share of texts about an illness a finding of that level is met."""
    return _LIKELIHOOD[level]


@cache
def stem(word: str) -> str:
    """What a folded word shares with its inflections, and with words of the same meaning: ``aching`` → ``pain``."""
    return _alike().get(word) or _shortened(word)


def _shortened(word: str) -> str:
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= _STEM:
            word = word[: -len(ending)]
            break
    return word[:-1] if len(word) > _STEM and word[-1] == word[-2] else word


@cache
def _alike() -> dict[str, str]:
    found: dict[str, str] = {}
    for line in _ALIKE.strip().splitlines():
        first, _, others = line.partition(": ")
        found |= {normalize(one): _shortened(first) for one in others.split()}
    return found


class FindingsTable(Vocabulary):
    """The tables of this package, tab-separated with a line of headings; ``|`` stands between names.

    ``docs/findings.md`` says what is in them.
    """

    name = "findings"
    summary = "Findings of common illnesses with their clinical and their lay names."

    @property
    def version(self) -> str:
        digest = hashlib.sha256()
        for name in _FILES:
            digest.update((_FOLDER / name).read_bytes())
        return digest.hexdigest()[:12]

    def concepts(self) -> Iterator[Concept]:
        for row in read_rows("findings-names.tsv"):
            yield Concept(row[0], tuple(filter(None, [*row[2].split("|"), *row[3].split("|")])), None, "symptom")


_loaded: dict[tuple[str, ...], Table] = {}


def load_table(vocabularies: Sequence[Edition] = ()) -> Table:
    """The table, from the user's cache folder if it was kept there before.

    :param vocabularies: those that can tell of further illnesses add them.
    :raises PluginError: a file is not as this version wrote it, or a vocabulary fails.
    """
    telling = [one for one in vocabularies if one.has_associations]
    key = _key(telling)
    if key not in _loaded:
        _loaded[key] = compile_once("findings", _FORMAT, Table, [_own(), *telling], lambda: _build(telling))
    return _loaded[key]


@dataclass(frozen=True)
class Names:
    """Which names a table has, told without reading all of it.

    :param illnesses: folded, each in a line of its own, with an empty one before and behind.
    :param findings: the same.
    """

    illnesses: str
    findings: str

    def has_illness(self, name: str) -> bool:
        """Whether an illness is called so."""
        return f"\n{normalize(name)}\n" in self.illnesses

    def has_finding(self, name: str) -> bool:
        """Whether a finding is called so."""
        return f"\n{normalize(name)}\n" in self.findings


_loaded_names: dict[tuple[str, ...], Names] = {}


def load_names(vocabularies: Sequence[Edition] = ()) -> Names:
    """The names of the table that :func:`load_table` gives, kept as that is.

    :raises PluginError: a file is not as this version wrote it, or a vocabulary fails.
    """
    telling = [one for one in vocabularies if one.has_associations]
    key = _key(telling)

    def build() -> Names:
        table = load_table(telling)
        return Names(*("\n".join(["", *names, ""]) for names in (table.illness_names, table.names)))

    if key not in _loaded_names:
        _loaded_names[key] = compile_once("finding-names", _FORMAT, Names, [_own(), *telling], build)
    return _loaded_names[key]


def _key(vocabularies: Sequence[Edition]) -> tuple[str, ...]:
    return tuple(text for one in vocabularies for text in (one.name, one.version, one.origin))


def _own() -> UsableVocabulary:
    source = FindingsTable()
    return UsableVocabulary(source.name, source.version, "", source)


def read_rows(name: str) -> list[list[str]]:
    """The lines of a table below its headings, cut at the tabs."""
    lines = (_FOLDER / name).read_text(encoding="utf-8").splitlines()
    return [line.split("\t") for line in lines[1:]]


_RARE = 0.1
"""How often an illness of another vocabulary is met in notes, against a seldom one: what they add is rare illnesses."""
_USUAL = 0.3
"""From which share on a finding that another vocabulary tells of is typical. None nearly tells an illness by itself."""


def _further(rows: list[list[str]], known: Container[str], telling: Sequence[Edition]) -> dict[str, dict[str, int]]:
    """What vocabularies add: illnesses that are not *known*, each with its findings and their levels.

    Their findings, and further names of those that are there, are added to *rows*.
    """
    numbers: dict[str, int] = {}
    for place in (0, 2, 3):
        for number, row in enumerate(rows):
            for name in filter(None, row[place].split("|")):
                numbers.setdefault(normalize(name), number)
    added: dict[str, dict[str, int]] = {}
    for vocabulary in telling:
        names = {concept.name: concept.names for concept in vocabulary.concepts()}
        for one in vocabulary.associations():
            if normalize(one.illness) in known:
                continue
            given = (one.finding, *names.get(one.finding, ()))
            number = next((numbers[key] for key in map(normalize, given) if key in numbers), len(rows))
            if number == len(rows):
                rows.append([one.finding, "symptom", "", "", "", vocabulary.name])
            new = [name for name in given if normalize(name) not in numbers]
            rows[number][2] = "|".join(filter(None, [rows[number][2], *(n for n in new if n != rows[number][0])]))
            numbers |= dict.fromkeys(map(normalize, new), number)
            added.setdefault(one.illness, {})[rows[number][0]] = 2 if one.share >= _USUAL else 1
    return added


def _build(telling: Sequence[Edition] = ()) -> Table:
    rows = read_rows("findings-names.tsv")
    listed_illnesses = read_rows("findings.tsv")
    further = _further(rows, {normalize(row[0]) for row in listed_illnesses}, telling)
    numbers = {row[0]: number for number, row in enumerate(rows)}
    names: dict[str, int] = {}
    bags: dict[tuple[str, ...], int] = {}
    for written in range(3):  # the preferred names first: of two findings so called it is the one that prefers it
        for number, row in enumerate(rows):
            for name in [row[0]] if not written else row[written + 1].split("|"):
                if len(name) > 2:
                    names.setdefault(normalize(name), number)
                    if bag := _bag(name):
                        bags.setdefault(bag, number)
    counts = Counter(one for bag in bags for one in bag)
    rarity = {one: round(math.log(len(bags) / count), 3) for one, count in counts.items()}
    stems: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for bag, number in bags.items():
        stems[max(bag, key=rarity.__getitem__)].append((number, " ".join(bag)))
    illnesses: list[Illness] = []
    having: list[list[int]] = [[] for _ in rows]
    for number, (name, prevalence, sex, age_from, age_to, *levels, _) in enumerate(listed_illnesses):
        illnesses.append(Illness(name, _PREVALENCE[int(prevalence)], sex, float(age_from), float(age_to)))
        for level, listed in zip((3, 2, 1), levels, strict=True):
            for finding in filter(None, listed.split("|")):
                having[numbers[finding]] += [number, level]
    for number, (name, found) in enumerate(further.items(), len(illnesses)):
        illnesses.append(Illness(name, _RARE, "", 0.0, 200.0))
        for finding, level in found.items():
            having[numbers[finding]] += [number, level]
    every = sum(one.prevalence for one in illnesses)
    told = (
        sum(illnesses[one].prevalence * likelihood(level) for one, level in zip(some[::2], some[1::2], strict=True))
        for some in having
    )
    return Table(
        [row[0] for row in rows],
        [round(_STRAY + share / every, 6) for share in told],
        having,
        names,
        dict(stems),
        rarity,
        [_compound(numbers, row[0], row[4]) for row in rows if row[4]],
        illnesses,
        {normalize(illness.name): number for number, illness in enumerate(illnesses)},
        _measures(numbers),
        max(name.count(" ") + 1 for name in names),
    )


def _bag(name: str) -> tuple[str, ...]:
    """The stems of a name of several words; none of one that denies, whose words cannot be in any order."""
    keys = read_words(name).keys
    bag = sorted({stem(key) for key in keys if key not in STOP_WORDS})
    return () if keys[0] in DENIALS or len(bag) < 2 else tuple(bag)


def _compound(numbers: Mapping[str, int], finding: str, parts: str) -> tuple[int, list[int], float, float]:
    """``hematuria|@age 0-18`` is hematuria in somebody of 0 to 18 years."""
    needed, youngest, oldest = [], 0.0, 200.0
    for part in parts.split("|"):
        if part.startswith("@age "):
            youngest, oldest = map(float, part.removeprefix("@age ").split("-"))
        else:
            needed.append(numbers[part])
    return numbers[finding], needed, youngest, oldest


def _measures(numbers: Mapping[str, int]) -> dict[str, list[Threshold]]:
    measures: dict[str, list[Threshold]] = defaultdict(list)
    for measure, names, unit, compare, value, sex, age_from, age_to, finding in read_rows("numbers.tsv"):
        bounds = float(value), sex, float(age_from), float(age_to)
        for name in names.split("|"):
            measures[normalize(name)].append(Threshold(measure, unit, compare, *bounds, numbers[finding]))
    return dict(measures)

"""Reading a question as it was meant: its language, its typing errors, its abbreviations.

What is searched is the question in English, in words that are spelt right and written out. Every change is told, so
that the one who asked can see it and insist on what was typed.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, Protocol

from trialindex.concepts.abbreviations import AbbreviationReader, Reading, TrialCounts
from trialindex.concepts.biomarkers import BiomarkerReader, CompiledBiomarkers, compile_biomarkers
from trialindex.concepts.languages import LANGUAGES, LanguageReader, LanguageReading, NamesByLanguage, compile_names
from trialindex.concepts.negation import negative_ranges, read_ruled_out, remove_ruled_out
from trialindex.concepts.recognizer import ConceptRecognizer
from trialindex.concepts.spelling import QUOTED, IndexWords, Speller
from trialindex.concepts.tokens import fold_letters
from trialindex.concepts.vocabularies import compile_once
from trialindex.concepts.word_lists import CompiledLists, WordLists, compile_lists, word_lists
from trialindex.plugin.results import AbbreviationReading, BiomarkerReading, Correction, QuestionLanguage
from trialindex.plugin.vocabulary_entries import Abbreviation

_FORMAT = 2
"""Raised when what is kept in the cache changes its shape or its content."""
_SYMBOL = re.compile(r"(?<![^\W_])[A-Z][A-Z0-9-]*[A-Z0-9](?![^\W_])")
"""What is written alike in every language, such as ``EGFR``."""
_OTHERS = 3
"""Other meanings of an abbreviation that are said."""
_QUESTION_WORDS = 30
"""A longer text is a note, left as it is: writing out its abbreviations found fewer of the right trials."""
_WORDS = re.compile(r"[^\W\d_]{2}")
_LANGUAGE_SAMPLE = 400
"""Characters of a long text by which its language is told."""


class IndexVocabulary(IndexWords, TrialCounts, Protocol):
    """What an index holds, as far as a question needs to know to be read."""


@dataclass(frozen=True)
class Interpretation:
    """A question as it is read.

    :param asked: as it was asked.
    :param text: what is searched: in English, typing errors mended, abbreviations written out, without what is ruled
        out.
    :param corrections: the typing errors.
    :param readings: the abbreviations.
    :param language: of a question that is not English.
    :param ruled_out: what the question denies, as it says it.
    :param biomarkers: what it says of biomarkers.
    """

    asked: str
    text: str
    corrections: tuple[Correction, ...] = ()
    readings: tuple[AbbreviationReading, ...] = ()
    language: QuestionLanguage | None = None
    ruled_out: tuple[str, ...] = ()
    biomarkers: tuple[BiomarkerReading, ...] = ()

    def notes(self, *, multilingual: bool = False) -> Iterator[str]:
        """What was read otherwise than it was typed, in sentences.

        :param multilingual: the encoder reads the question as it was asked.
        """
        if self.language is not None:
            yield _language_note(self.language, multilingual)
        if self.corrections:
            read = ", ".join(one.read for one in self.corrections)
            typed = ", ".join(f'"{one.typed}"' for one in self.corrections)
            yield f"Searched for {read}; you typed {typed}. To insist, put it in quotation marks or add --as-written."
        yield from filter(None, map(_reading_note, self.readings))
        ruled_out = [*self.ruled_out, *(f"{one.name}-positive" for one in self.biomarkers if one.state == "negative")]
        if ruled_out:
            yield f"Ruled out: {', '.join(ruled_out)}. It was not searched for; to search for it add --as-written."


class Interpreter:
    """Reads questions.

    What it needs besides the recognizer is compiled once, kept, and read when the first question needs it.

    :param recognizer: of the vocabularies by which it reads.
    """

    def __init__(self, recognizer: ConceptRecognizer) -> None:
        self._recognizer = recognizer

    def interpret(self, text: str, index: IndexVocabulary | None = None) -> Interpretation:
        """Read *text* as it was meant.

        What stands between quotation marks is left as it is.

        :param index: the one that is asked: its words are no typing errors, and what it holds tells meanings apart.
        """
        composed = unicodedata.normalize("NFC", text)
        language = self._languages.read(composed[:_LANGUAGE_SAMPLE])
        if not language.is_english:
            return self._translate(text, composed, self._languages.read(composed))
        if len(composed.split()) > _QUESTION_WORDS:
            return Interpretation(text, text)
        corrections = [_Edit(*one) for one in self._speller.misspellings(composed, index)]
        spelt = _replace(composed, corrections)
        spelt, ruled_out, biomarkers = self._deny(spelt, index)
        readings = self._read_abbreviations(spelt, index)
        written = [
            _Edit(reading.start, reading.end, " or ".join(sense.name for sense in reading.meanings))
            for reading in readings
        ]
        return Interpretation(
            text,
            _replace(spelt, written),
            tuple(_corrections(composed, corrections)),
            tuple(_abbreviation_reading(spelt, reading) for reading in readings),
            ruled_out=ruled_out,
            biomarkers=biomarkers,
        )

    def _read_abbreviations(self, text: str, index: IndexVocabulary | None) -> list[Reading]:
        return [
            reading
            for reading in self._abbreviations.read(text, index)
            if not any(start <= reading.start < end for start, end in _quoted(text))
        ]

    def _deny(
        self, text: str, index: IndexVocabulary | None
    ) -> tuple[str, tuple[str, ...], tuple[BiomarkerReading, ...]]:
        """The text without what it rules out, what that is, and what is said of biomarkers."""
        words, context, mentions = self._recognizer.read(text)
        found = self.biomarkers.read(text, words, context)
        named = [(one.start, one.end) for one in mentions]
        named += [(one.start, one.end) for one in self._read_abbreviations(text, index)] if context.denials else []
        denied = [
            (denial, phrases)
            for denial, phrases in read_ruled_out(text, words, context, named, found, self._is_medical)
            if not any(start <= words.starts[phrases[0].start] < end for start, end in _quoted(text))
        ]
        read = {one.name: BiomarkerReading(name=one.name, state=one.state) for one in found if one.state}
        ruled_out = tuple(dict.fromkeys(phrase.text for _, phrases in denied for phrase in phrases if phrase.told))
        rest = remove_ruled_out(text, words, denied, negative_ranges(found))
        if not _WORDS.search(rest):  # of a biomarker alone its state is asked for; else nothing is
            cue = words.keys[denied[0][0].start : denied[0][0].end] if denied else []
            rest = text if any(negative_ranges(found)) or not cue else " ".join(cue)
        return rest, ruled_out, tuple(read.values())

    def _is_medical(self, word: str) -> bool:
        return self._words.is_medical(fold_letters(word))

    def _translate(self, asked: str, text: str, language: LanguageReading) -> Interpretation:
        """A question in another language: the illnesses that it names, and what is the same in every language."""
        rest = text
        for one in language.names:
            rest = rest[: one.start] + " " * (one.end - one.start) + rest[one.end :]
        shared = [
            _Edit(mention.start, mention.end, mention.text)
            for mention in self._recognizer.find(rest)
            if any(concept.kind == "drug" for concept in mention.concepts)
        ]
        drugs = [range(one.start, one.end) for one in shared]
        shared += [
            _Edit(*match.span(), match[0])
            for match in _SYMBOL.finditer(rest)
            if not text.isupper() and not any(match.start() in drug for drug in drugs)
        ]
        parts = sorted([*(_Edit(*one) for one in language.names), *shared])
        read = {text[one.start : one.end]: one.english for one in language.names}
        others = re.sub(r"[\W\d_]+", "", "".join(rest)) if parts else ""
        return Interpretation(
            asked,
            ", ".join(dict.fromkeys(part.text for part in parts)) or text,
            language=QuestionLanguage(
                languages=tuple(LANGUAGES[code] for code in language.languages),
                names=read | {part.text: part.text for part in shared},
                whole=bool(parts) and not others,
            ),
        )

    @cached_property
    def _words(self) -> WordLists:
        vocabularies = self._recognizer.vocabularies

        def names() -> Iterator[str]:
            for one in vocabularies:
                for concept in one.concepts():
                    yield concept.name
                    yield from () if concept.kind in ("abbreviation", "biomarker") else concept.names
                yield from (abbreviation.name for abbreviation in one.abbreviations())
                yield from (name for biomarker in one.biomarkers() for name in biomarker.names)
                yield from (translation.english for translation in one.translations())

        def build() -> CompiledLists:
            return compile_lists(names(), (word for one in vocabularies for word in one.words()))

        return word_lists(compile_once("words", _FORMAT, CompiledLists, vocabularies, build))

    @cached_property
    def _speller(self) -> Speller:
        return Speller(self._words, self._recognizer, self._languages.name_of)

    @cached_property
    def _abbreviations(self) -> AbbreviationReader:
        vocabularies = self._recognizer.vocabularies

        def build() -> list[Abbreviation]:
            return [abbreviation for one in vocabularies for abbreviation in one.abbreviations()]

        return AbbreviationReader(compile_once("abbreviations", _FORMAT, list[Abbreviation], vocabularies, build))

    @cached_property
    def biomarkers(self) -> BiomarkerReader:
        """Reads what texts say of biomarkers."""
        vocabularies = self._recognizer.vocabularies

        def build() -> CompiledBiomarkers:
            return compile_biomarkers(biomarker for one in vocabularies for biomarker in one.biomarkers())

        return BiomarkerReader(compile_once("biomarkers", _FORMAT, CompiledBiomarkers, vocabularies, build))

    @cached_property
    def _languages(self) -> LanguageReader:
        return LanguageReader(lambda: self._names, self._words.knows, self._is_name)

    @cached_property
    def _names(self) -> NamesByLanguage:
        vocabularies = self._recognizer.vocabularies

        def build() -> NamesByLanguage:
            return compile_names(translation for one in vocabularies for translation in one.translations())

        return compile_once("names", _FORMAT, NamesByLanguage, vocabularies, build)

    def _is_name(self, text: str) -> bool:
        return self._recognizer.lookup(text) is not None


def _quoted(text: str) -> list[tuple[int, int]]:
    """Where the text stands between quotation marks."""
    return [match.span() for match in QUOTED.finditer(text)]


class _Edit(NamedTuple):
    """What is to stand in place of a part of a text."""

    start: int
    end: int
    text: str


def _replace(text: str, edits: Iterable[_Edit]) -> str:
    """The text with these parts replaced, which are in order and do not overlap."""
    pieces, at = [], 0
    for edit in edits:
        pieces += [text[at : edit.start], edit.text]
        at = edit.end
    return "".join([*pieces, text[at:]])


def _corrections(text: str, edits: Iterable[_Edit]) -> Iterator[Correction]:
    """The edits as they are told: those of neighbouring words as one."""
    told: list[_Edit] = []
    for edit in edits:
        if told and text[told[-1].end : edit.start] == " ":
            before = told.pop()
            edit = _Edit(before.start, edit.end, f"{before.text} {edit.text}")
        told.append(edit)
    return (Correction(typed=text[one.start : one.end], read=one.text) for one in told)


def _abbreviation_reading(text: str, reading: Reading) -> AbbreviationReading:
    return AbbreviationReading(
        abbreviation=text[reading.start : reading.end],
        meanings=tuple(sense.name for sense in reading.meanings),
        others=tuple(sense.name for sense in reading.others),
    )


def _reading_note(reading: AbbreviationReading) -> str:
    if len(reading.meanings) > 1:
        which = "either" if len(reading.meanings) == 2 else "each of them"
        meanings = _listed(reading.meanings)
        return f"{reading.abbreviation} can mean {meanings}: searched for {which}. Write out what you mean."
    if not reading.others:
        return ""
    return (
        f"{reading.abbreviation} read as {reading.meanings[0]}; it can also mean {_listed(reading.others[:_OTHERS])}."
    )


def _language_note(language: QuestionLanguage, multilingual: bool) -> str:
    seems = f"This question seems to be {_listed(language.languages)}"
    compared = "; by meaning the whole question was compared" if multilingual else ""
    if not language.names:
        hint = "" if multilingual else " Name the illness in English or in Latin."
        return f"{seems}, and no illness was understood of it{compared}.{hint}"
    names = ", ".join(name if name == english else f"{name} ({english})" for name, english in language.names.items())
    rest = compared or ("" if language.whole else "; the rest was not read")
    return f"{seems}. Understood of it: {names}{rest}."


def _listed(names: Sequence[str]) -> str:
    *first, last = names
    return f"{', '.join(first)} or {last}" if first else last

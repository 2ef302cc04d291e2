"""Languages: which one a question is in, and which illnesses it names there.

A script tells most of them. Among those in Latin letters the small words tell, and the names of illnesses that a
vocabulary lists for a language: nearly every question is too short for the statistics of letters.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from trialindex.concepts.tokens import fold_letters
from trialindex.concepts.typing_errors import weigh_errors
from trialindex.plugin.vocabulary_entries import Translation

ENGLISH = "en"
LANGUAGES = {
    "ar": "Arabic", "bn": "Bengali", "cs": "Czech", "da": "Danish or Norwegian", "de": "German", "el": "Greek",
    "en": "English", "es": "Spanish", "fa": "Persian", "fi": "Finnish", "fr": "French", "he": "Hebrew", "hi": "Hindi",
    "hu": "Hungarian", "id": "Indonesian", "it": "Italian", "ja": "Japanese", "ko": "Korean", "nl": "Dutch",
    "pl": "Polish", "pt": "Portuguese", "ro": "Romanian", "ru": "Russian", "sv": "Swedish", "ta": "Tamil",
    "th": "Thai", "tr": "Turkish", "uk": "Ukrainian", "ur": "Urdu", "vi": "Vietnamese", "zh": "Chinese",
}  # fmt: skip
"""The languages that are told apart, by their codes of ISO 639-1."""

_SCRIPTS = {
    "ARABIC": "ar", "BENGALI": "bn", "GREEK": "el", "HEBREW": "he", "DEVANAGARI": "hi", "HANGUL": "ko",
    "CYRILLIC": "ru", "TAMIL": "ta", "THAI": "th", "CJK": "zh", "HIRAGANA": "ja", "KATAKANA": "ja",
}  # fmt: skip
_LETTERS = {"fa": "پچژگ", "ur": "ٹڈڑے", "uk": "іїєґ"}
"""Letters that the language of their script, as it is listed above, does not have."""

_SMALL_WORDS = {
    "en": """
        a about after all also am an and any are as at be because been but by can cannot could did do does doing
        don for from get got had has have he help her his how i if in into is it its just like looking me mine
        more my near need new no not of off old on only or our out over please she since so some still take than
        that the their them there these they this to too treatment trial trials tried under up us very want was we
        what when where which while who why will with without would year years you your""",
    "es": """
        a al algo alguien alguna algún ayuda años busco como con contra cual cuando de del desde donde el ella en
        ensayo ensayos es esta este estoy estudio estudios está fue gracias ha hace hay he hija hijo hola la las
        le lo los madre me mi mis mucho muy no nos para pero por puede puedo que quiero se ser si sin sobre soy su
        sus también tengo tiene tratamiento tu un una uno y ya yo""",
    "fr": """
        a ai aide aider ans au aux avec bonjour ce ces cet cette chez comment contre d dans de depuis des du elle
        en essai essais est et eu il ils j je l la le les leur ma mais me merci mes moi mon mère n ne nous on ou
        où par pas peut peux plus pour pouvez père qu que quel quelle qui s sa sans se ses son sont sous suis sur
        ta te traitement très tu un une votre vous y était étude études être""",
    "de": """
        aber als am an auch auf aus bei beim bin bitte das dass dem den der des die durch ein eine einem einen
        einer es für gegen gibt guten hab habe haben hat helfen hilfe ich ihr im in ist jahre jahren kann kein
        keine können mein meine meiner mich mir mit mutter nach nicht noch nur oder ohne patienten seit sich sie
        sind studie studien suche tag um und uns unter vater vom von vor war was welche wer wie wir zu zum zur
        über""",
    "it": """
        a ai aiuto al alla anche anni aver cerco che chi ciao come con contro cosa da dal dalla dei del della
        delle di dopo dove e ed figlia figlio gli ha hanno ho i il in io la le lo ma madre mi mia mio nel nella no
        noi non o padre per perché più posso può quale quando questa questo se senza si sia sono sperimentazione
        studi studio su sua sul sulla suo tra trattamento un una uno vorrei è""",
    "pt": """
        a anos ao aos as até com como contra da das de dela dele depois do dos e ela ele em ensaio ensaios era
        essa esse esta estou estudo estudos está eu filha filho foi há isso já mais mas me meu minha muito mãe na
        nas nos não o obrigado olá os ou pai para pela pelo por porque posso qual quando que quem se sem ser seu
        sou sua são também tem tenho tratamento um uma você é""",
    "nl": """
        aan al als behandeling ben bij dat de der deze die dit doen door dus een en er geen heb hebben heeft help
        het hij hoe hulp ik in is jaar je kan kunnen maar me met mij mijn moeder na naar niet nog nu of om
        onderzoek ook op over patiënten te tegen tot u uit vader van veel voor was wat we wel welke wie wij ze zij
        zijn zoek zonder""",
    "sv": """
        att av barn behandling den det du efter en ett finns från för har hon i inte jag kan med men mig min mitt
        mot när och om på som så till vid är år""",
    "da": """
        af at barn behandle behandling der det du efter en er et for fra han har hun hvor i ikke jeg kan med men
        mig min mot når og om på som så til ved år""",
    "fi": """
        ei että hoito ja joka kanssa kun minulla minun mutta ole olen oli on sekä tai vuotta""",
    "pl": """
        choroba chory czy dla do i jak jest jestem lat leczenie lub ma mam mnie moja mój na nie o od oraz po przez
        przy się są u w z za że""",
    "cs": """
        a ale ani do jak je jsem jsou která který let léčba mi má mám na nebo nemoc o od po pro při s se to u v ve
        z za že""",
    "tr": """
        ben benim bir bu da de değil hastalığı hastası ile için kanseri mi mı nasıl ne olan olarak tedavi tedavisi
        var ve veya yaşında yok çok""",
    "ro": """
        a am ani are boala ca care ce cu de din după este fi fără la mai mea meu nu o pe pentru sau se sunt
        tratament un în și""",
    "hu": """
        a aki az betegség egy hogy is kell kezelés nem számára vagy vagyok van volt és éves""",
    "vi": """
        bệnh bị cho các có của không là một người những thư trị tôi ung và với điều được""",
    "id": """
        ada adalah anak atau dan dari dengan di ini itu kanker ke pengobatan penyakit saya tahun tidak untuk yang""",
}
"""Words that tell a language; some stand in several."""
_SMALL = {language: frozenset(map(fold_letters, words.split())) for language, words in _SMALL_WORDS.items()}
_LINKS = {
    "es": frozenset({"al", "de", "del", "el", "la", "las", "los", "un", "una"}),
    "fr": frozenset({"a", "au", "aux", "d", "de", "des", "du", "l", "la", "le", "les", "un", "une"}),
    "de": frozenset({"das", "dem", "den", "der", "des", "die", "ein", "eine", "einer", "im"}),
    "it": frozenset(
        {
            "a",
            "al",
            "alla",
            "d",
            "da",
            "dei",
            "del",
            "dell",
            "della",
            "delle",
            "di",
            "i",
            "il",
            "l",
            "la",
            "le",
            "lo",
            "un",
            "una",
        }
    ),
    "pt": frozenset({"a", "ao", "as", "da", "das", "de", "do", "dos", "o", "os", "um", "uma"}),
    "nl": frozenset({"d", "de", "den", "der", "een", "het", "van"}),
}
"""Articles, and prepositions that say *of*: they may be others than those of the listed name, or missing."""
_WORD = re.compile(r"[^\W\d_]+|\d+")
_SLIP = 2
"""Errors that make one word of another."""
_LONGEST = 10
"""Words of the longest name that is looked for."""
_SPACELESS = frozenset({"zh", "ja", "ar", "hi", "ko", "th", "fa", "ur"})
"""Languages whose names are looked for within words too, which have no spaces or prefixes."""


class ForeignName(NamedTuple):
    """A name of an illness in another language, where it stands, and what it is in English."""

    start: int
    end: int
    english: str


@dataclass(frozen=True)
class LanguageReading:
    """The language of a question.

    :param languages: codes; several when it may be any of them.
    :param names: the illnesses it names, in order.
    """

    languages: tuple[str, ...]
    names: tuple[ForeignName, ...] = ()

    @property
    def is_english(self) -> bool:
        return self.languages == (ENGLISH,)


_ENGLISH = LanguageReading((ENGLISH,))

NamesByLanguage = dict[str, dict[str, str]]
"""By language and folded name, what an illness is in English."""


def compile_names(translations: Iterable[Translation]) -> NamesByLanguage:
    """The names as they are looked up: folded, without words that link others; umlauts also as two letters."""
    names: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for one in translations:
        for written in (one.name, one.name.lower().translate(_UMLAUTS)):
            key = fold_name(written)
            if one.language not in _SPACELESS:
                key = " ".join(_content(key.split(), one.language))
            names[one.language].setdefault(key, one.english)
    return dict(names)


_CODE = re.compile(r"(?<![^\W_])[A-Z][A-Z0-9]*(?:-[A-Z0-9]+)*(?<=\d)[A-Z]*(?![^\W_])")
"""What is written alike in every language: the *L* of *PD-L1* is no French article."""


class LanguageReader:
    """Tells languages, and finds the names of illnesses in them.

    :param names: called for the names when they are needed, which few questions do.
    :param knows: whether a folded word is English.
    :param knows_name: whether a text is the English name of something.
    """

    def __init__(
        self, names: Callable[[], NamesByLanguage], knows: Callable[[str], bool], knows_name: Callable[[str], bool]
    ) -> None:
        self._names = names
        self._knows = knows
        self._knows_name = knows_name
        self._parts: dict[str, frozenset[str]] = {}

    def read(self, text: str) -> LanguageReading:
        """The language of *text*, and the illnesses that it names there; none of an English one.

        :param text: in composed characters (NFC).
        """
        language = _language_of_script(text)
        if language is not None:
            return self._read_script(text, language)
        words = _words(_CODE.sub(lambda code: " " * len(code[0]), text))
        strange = {word for start, end, word in words if self._is_strange(text[start:end], word)}
        small = _count_small(words)
        if not strange and max(small.values()) <= small[ENGLISH]:
            if len(words) > _LONGEST or self._knows_name(text):
                return _ENGLISH
            return self._whole_name(words)
        return self._read_latin(words, strange)

    def name_of(self, word: str) -> str | None:
        """What an illness is in English that is called *word* in some other language."""
        key = fold_name(word)
        return next((names[key] for names in self._names().values() if key in names), None)

    def _is_strange(self, written: str, word: str) -> bool:
        """Whether a word is no English one."""
        if len(word) < 3 or word.isdigit() or word in _SMALL[ENGLISH]:
            return False
        return not self._knows(word) or (not written.isascii() and written.islower())

    def _read_script(self, text: str, language: str) -> LanguageReading:
        known = self._names()
        candidates = {"zh": ("zh", "ja"), "ja": ("ja", "zh")}.get(language, (language,))
        best = LanguageReading((language,))
        for one in candidates:
            find = _find_within if one in _SPACELESS else _find_words
            names = tuple(find(text, known.get(one, {}), one))
            if _length(names) > _length(best.names):
                best = LanguageReading((language if language == "ja" else one,), names)
        return best

    def _whole_name(self, words: Sequence[tuple[int, int, str]]) -> LanguageReading:
        """A question of English words that is the name of an illness elsewhere: *tumor cerebral*."""
        found = {}
        for language, names in self._names().items():
            key = " ".join(_content([word for _, _, word in words], language))
            if language not in _SPACELESS and key in names:
                found[language] = ForeignName(words[0][0], words[-1][1], names[key])
        return LanguageReading(tuple(found), tuple(found.values())[:1]) if found else _ENGLISH

    def _read_latin(self, words: Sequence[tuple[int, int, str]], strange: set[str]) -> LanguageReading:
        found: dict[str, tuple[ForeignName, ...]] = {}
        weights: dict[str, int] = {}
        english: dict[str, int] = {}
        said = {word for _, _, word in words}
        for language in _SMALL:
            if language == ENGLISH:
                continue
            names = tuple(self._longest_names(words, language))
            covered = {word for start, _, word in words if any(one.start <= start < one.end for one in names)}
            own = said & (_SMALL[language] - _SMALL[ENGLISH])
            telling = covered & strange
            only_english = _SMALL[ENGLISH] - _SMALL[language]
            english[language] = sum(word in only_english for _, _, word in words)
            if not own and (english[language] or (len(covered) == 1 and _is_slip(min(covered), names[0].english))):
                telling = set()  # a word of another language in an English question, or a typing error: "astma"
            weight = 3 * len(telling) + len(own) + (2 if own & covered else 0)
            found[language] = names
            weights[language] = weight + len(covered) if weight else 0
        most = max(weights.values())
        best = [language for language, weight in weights.items() if weight == most]
        if most < 2 or most <= english[best[0]]:
            return _ENGLISH
        if not any(found[language] for language in best):  # by its small words alone
            known = sum(len(word) > 2 and word not in strange for _, _, word in words)
            if 2 * most < len(words) and (most < 3 or (most < 4 and 2 * len(strange) < known)):
                return _ENGLISH
        return LanguageReading(tuple(best), found[best[0]])

    def _longest_names(self, words: Sequence[tuple[int, int, str]], language: str) -> Iterator[ForeignName]:
        """As :func:`_longest_names`, looked for only among words that a name has or that link others."""
        names = self._names().get(language, {})
        if language not in self._parts:
            links = _LINKS.get(language, frozenset())
            self._parts[language] = links.union(*(name.split() for name in names))
        parts = self._parts[language]
        start = 0
        for end in range(len(words) + 1):
            if end == len(words) or not parts.issuperset(words[end][2].split()):
                yield from _longest_names(words[start:end], names, language)
                start = end + 1


def _is_slip(word: str, english: str) -> bool:
    """Whether a foreign name is the English one but for a letter or two."""
    return any(len(near) > _SLIP and weigh_errors(word, near) <= _SLIP for near in fold_name(english).split())


def _words(text: str) -> list[tuple[int, int, str]]:
    """The words of a text: start, end, and the word folded."""
    return [(match.start(), match.end(), fold_name(match[0])) for match in _WORD.finditer(text)]


def _count_small(words: Sequence[tuple[int, int, str]]) -> dict[str, int]:
    return {language: sum(word in known for _, _, word in words) for language, known in _SMALL.items()}


def _content(words: Sequence[str], language: str) -> list[str]:
    """The words without those that only link others; all of them if fewer than two others are among them."""
    links = _LINKS.get(language, frozenset())
    content = [word for word in words if word not in links]
    return content if len(content) > 1 else list(words)


def _length(names: Sequence[ForeignName]) -> int:
    return sum(one.end - one.start for one in names)


def fold_name(name: str) -> str:
    """A name as it is compared: small letters, without accents, points and strokes, single spaces."""
    if not name.isascii():
        name = _fold_letters(name)
    return " ".join(_RUN.findall(name.lower()))


def _fold_letters(text: str) -> str:
    """Letters without accents; the vowel signs of Devanagari stay, its points go."""
    if any("\u0900" <= c <= "\u097f" for c in text):
        return unicodedata.normalize("NFD", text).replace("\u093c", "")
    return fold_letters(text).translate(_ARABIC)


_RUN = re.compile(r"(?:[^\W_]|[\u0900-\u0963\u0e30-\u0e4e])+")
_ARABIC = str.maketrans({"ـ": "", "ى": "ي", "ة": "ه"})
_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue"})


def _language_of_script(text: str) -> str | None:
    """The language that the script of *text* tells, ``None`` for Latin letters; a single Greek letter tells nothing."""
    if text.isascii():
        return None
    scripts = Counter(
        unicodedata.name(c, "").split(" ")[0].split("-")[0] for c in text if c.isalpha() and not c.isascii()
    )
    languages = Counter({language: scripts[script] for script, language in _SCRIPTS.items() if scripts[script]})
    if languages["ja"]:
        return "ja"
    if not languages:
        return None
    language, count = languages.most_common(1)[0]
    if language == "el" and count < 4:
        return None
    for other, letters in _LETTERS.items():
        if _SCRIPTS_OF.get(other) == language and any(c in letters for c in text.casefold()):
            return other
    return language


_SCRIPTS_OF = {"fa": "ar", "ur": "ar", "uk": "ru"}


def _longest_names(
    words: Sequence[tuple[int, int, str]], names: Mapping[str, str], language: str
) -> Iterator[ForeignName]:
    """The names in a text, at each place the longest; words that only link others count for nothing."""
    at = 0
    while at < len(words) and names:
        for end in range(min(at + _LONGEST, len(words)), at, -1):
            key = " ".join(_content([word for _, _, word in words[at:end]], language))
            if key in names:
                yield ForeignName(words[at][0], words[end - 1][1], names[key])
                at = end
                break
        else:
            at += 1


def _find_words(text: str, names: Mapping[str, str], language: str) -> Iterator[ForeignName]:
    yield from _longest_names(_words(text), names, language)


def _find_within(text: str, names: Mapping[str, str], _language: str) -> Iterator[ForeignName]:
    """The names in a text whose words are not parted, the longest first."""
    folded, places = _fold_with_places(text)
    taken: set[int] = set()
    found = []
    for name in sorted((name for name in names if name in folded), key=len, reverse=True):
        at = folded.find(name)
        while at >= 0:
            span = range(at, at + len(name))
            if taken.isdisjoint(span):
                taken.update(span)
                found.append(ForeignName(places[at], places[at + len(name) - 1] + 1, names[name]))
            at = folded.find(name, at + 1)
    yield from sorted(found)


def _fold_with_places(text: str) -> tuple[str, list[int]]:
    """The text folded as :func:`fold_name` does, and for each character of that where it stands in the text."""
    folded: list[str] = []
    places: list[int] = []
    for match in _RUN.finditer(text):
        if folded:
            folded.append(" ")
            places.append(match.start())
        for at in range(*match.span()):
            plain = _fold_letters(text[at]).lower()
            folded += plain
            places += [at] * len(plain)
    return "".join(folded), places

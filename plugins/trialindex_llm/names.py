"""Names in a text: countries, drugs, illnesses, and whatever else is written with a capital or a digit."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from trialindex.trial.countries import country_code, country_names
from trialindex.trial.display import MONTHS
from trialindex_llm.limits import phases
from trialindex_llm.record import WORD, Record, blank, folded, keys_of, terms
from trialindex_writers.glossary import entries, used

_DRUG_ENDINGS = """
amivir apine asvir azepam azine azole bactam buvir caine ciclib ciclovir cillin citabine coxib cycline degib dipine
dronate dronic fibrate floxacin formin fovir gatran glitazone gliflozin gliptin glutide grastim grel idone lamide
leucel limus lisib lukast lutamide mab metinib micin mustine mycin navir nib olol olone onide ovir oxetine oxicam
parib parin parvovec penem piprazole plase platin poetin pramine prazole pril profen rafenib relin relix rubicin
sartan semide setron solone sone statin steine tadine taxel tegravir terol thiazide tidine tinib trexate trexed
triptan triptyline tropium vaptan xaban zolam zomib
"""
"""Ends of drugs' names: stems of the International Nonproprietary Names (WHO), and others in use."""
_ILLNESS_ENDINGS = """
aemia algia cele ectasis ectomies ectomy edema emia itides itis lepsy megaly oma omata oscopy oses osis otomy pathies
pathy penia phobia phrenia plasty plegia rhea rrhoea sclerosis somnia trophies trophy uria
"""
"""Ends of the names of illnesses and procedures."""


def _ending(endings: str) -> re.Pattern[str]:
    return re.compile(rf"\b\w{{2,}}(?:{'|'.join(endings.split())})s?\b", re.IGNORECASE)


_DRUG, _ILLNESS = _ending(_DRUG_ENDINGS), _ending(_ILLNESS_ENDINGS)

_EVERYDAY_WORDS = """
alone anyone anemone apathy aroma april aprils backbone bone capone chromosome clone coma cortisone cyclone diagnosis
diploma diagnoses dose empathy everyone guidelines hypnosis hormone lesson metamorphosis milestone ozone pathology
person prognosis prognoses purpose reason season someone stone sympathy telephone those tone trophy whose zone
"""
_EVERYDAY = frozenset(map(folded, _EVERYDAY_WORDS.split()))
"""Words of every day that end so too."""

_COMMON_WORDS = r"""
acne aids allerg\w+ alzheimer\w* antibiotics? anxiety aspirin asthma autism bleeding blood\sclots? cancers? cataracts?
chemotherapy constipation covid\w* death dementia depression diabet\w+ dialysis diarrh\w+ dizziness eczema epilepsy
fainting fatigue fever flu fractures? glaucoma gout headaches? heart\s(?:attacks?|disease|failure) hernia hiv
infections? infertility influenza insomnia insulin lupus malaria malignan\w+ migraines? miscarriage nausea obesity
opioids? pain parkinson\w* pneumonia pregnan\w+ psoriasis radiation radiotherapy rash schizophrenia seizures? sepsis
stem\scells? steroids? stroke surgery transplants? tumou?rs? ulcers? vaccines? vomiting
"""
_COMMON = re.compile(rf"\b(?:{'|'.join(_COMMON_WORDS.split())})\b", re.IGNORECASE)
"""Illnesses, symptoms and treatments that everybody names and a vocabulary may think too general."""

_CANCER = r"cancer|tumou?r|oma\b|omas\b|neoplas|leuk|malignan|oncolog|carcino|metasta"
_SAME = {
    "cancer": _CANCER,
    "tumo": _CANCER,
    "malignan": _CANCER,
    "pain": r"pain|ache|algi|analges|an(?:a)?esth|sore|arthr|colic|migraine|neuropath",
    "death": r"death|\bdie|dying|mortal|surviv|fatal",
    "surgery": r"surg|operat|ectomy|plasty|resect|transplant|otomy|incision|implant|graft|bypass|sutur",
    "radiation": r"radi|\bGy\b|brachy|photon|proton",
    "vaccine": r"vaccin|immuni[sz]ation|booster|toxoid",
    "infection": r"infect|vir(?:us|al)|bacteri|sepsis|fung|pneumon|hepatitis|tubercul|\bHIV\b|COVID|parasit|abscess",
    "pregnan": r"pregnan|gestation|obstet|natal|labou?r|birth|childbearing|partum|c(?:a)?esarean|\bIVF\b|placent",
    "bleeding": r"bleed|h(?:a)?emo(?:rrhag|sta|phil)|blood loss|transfus|coagul",
    "allerg": r"allerg|anaphyl|hypersensit|atop|asthma|rhinitis|urticaria|IgE",
}
"""How words begin that everybody uses, and what a record may say in their place."""


def problems(text: str, record: Record) -> Iterator[str]:
    """Names that the record does not hold, one line each."""
    own, _ = phases(record.without_names(text), record)
    own, countries = _countries(own, record)
    yield from countries
    said: set[str] = set()
    for kind, found in (*_capitals(own, record), *_medical(own, record)):
        if folded(found) not in said:
            said.add(folded(found))
            yield f'it names {kind}"{found}", which the record does not'


# --- countries --------------------------------------------------------------------------------------------------------


def _countries(text: str, record: Record) -> tuple[str, list[str]]:
    """The text without the countries in it, and what is wrong with them."""
    codes, pattern = country_names(), _country()
    stated = {country_code(country) for country in record.trial.countries}
    wrong = [
        f'it names the country "{found[0]}", which the record does not'
        for found in pattern.finditer(text)
        if codes[found[0]] not in stated
    ]
    return pattern.sub(blank, text), wrong


@cache
def _country() -> re.Pattern[str]:
    """Finds the names of countries."""
    longest_first = sorted(country_names(), key=len, reverse=True)
    return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, longest_first))})(?!\w)")


# --- drugs, illnesses, names ------------------------------------------------------------------------------------------

_CODE = re.compile(r"(?<![\w-])(?=[\w-]*\d)(?=[\w-]*[^\W\d_])[\w-]+")
_MEASURES = "mg|kg|g|mcg|µg|ml|cm|mm|km|year|month|week|day|hour|minute|fold|point|arm|part|group"
_MEASURE = re.compile(rf"\d+(?:st|nd|rd|th|-?(?:{_MEASURES}))s?(?:-\w+)?", re.IGNORECASE)
_CAPITAL = re.compile(r"(?<![\w'’-])[^\W\d_a-zß-öø-ÿ][\w'’]*(?:-\w+)*")


def _capitals(text: str, record: Record) -> Iterator[tuple[str, str]]:
    """Words with a capital and codes such as ``ABC-123`` that the record does not hold.

    The word that begins a sentence may be one of every day; an abbreviation may be that of a term in the record.
    """
    for match in (*_CODE.finditer(text), *_CAPITAL.finditer(text)):
        word = match[0]
        begins = re.search(r"(?:^|[.:!?]\s+|^[\"'“‘(])$", text[: match.start()]) and word[1:] == word[1:].lower()
        if (
            (begins and _plain_words().issuperset(map(folded, WORD.findall(word))))
            or word in MONTHS
            or _MEASURE.fullmatch(word)
        ):
            continue
        if not (_in_record(word, record) or (used(word) and used(word) <= record.jargon)):
            yield "", word


@cache
def _plain_words() -> frozenset[str]:
    """Words with which a sentence may begin: those of the glossary's meanings, and a few more."""
    words = WORD.findall(" ".join(entry.meaning for entry in entries()))
    return frozenset(map(folded, [*words, *_OPENERS.split()]))


_OPENERS = """
according access after all almost although among another any as at because before being besides between both but by
compared comparing currently despite doctors during each early either even every everybody everyone few first for
from further given harm health healthy here how however if in information instead it its itself just last late later
learning less like little main mainly many may mid might more most mostly neither nobody none nothing now observational
of often once one only other others otherwise our overall participants participating people perhaps personal
possible problems rare rarely recruitment registered researchers results risks several should side since so some
somebody something sometimes stage still stopped such taking testing that their then there these they this those though
throughout to too treatment trial two under unknown unlike until unwanted up usually volunteers what whatever when
where whether which while who whoever why with within without women men children adults patients no not
"""


def _in_record(words: str, record: Record) -> bool:
    return all(folded(word) in record.words for word in WORD.findall(words))


def _medical(text: str, record: Record) -> Iterator[tuple[str, str]]:
    """Drugs, illnesses and procedures that the record does not hold under this or another name."""
    for kind, pattern in (("the drug ", _DRUG), ("the illness or procedure ", _ILLNESS)):
        for match in pattern.finditer(text):
            word = match[0]
            if folded(word) not in _EVERYDAY and not _in_record(word, record) and not _by_vocabulary(word, record):
                yield kind, word
    for match in _COMMON.finditer(text):
        if not (_in_record(match[0], record) or _common(match[0], record) or _by_vocabulary(match[0], record)):
            yield "", match[0]
    for mention in terms().find(text):
        if not (mention.general or _in_record(mention.text, record) or _by_vocabulary(mention.text, record)):
            drug = mention.concepts[0].kind == "drug"
            yield "the drug " if drug else "the condition ", mention.text


def _common(word: str, record: Record) -> bool:
    """Whether the record says it otherwise: a *carcinoma* is a cancer, *mortality* is death."""
    others = [pattern for start, pattern in _SAME.items() if word.casefold().startswith(start)]
    return any(re.search(pattern, record.everything, re.IGNORECASE) for pattern in others)


def _by_vocabulary(text: str, record: Record) -> bool:
    """Whether a vocabulary has one concept for the text and for something in the record, or a broader one."""
    found = terms().find(text)
    return bool(found) and all(record.concepts & keys_of(mention) for mention in found)

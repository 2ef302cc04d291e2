"""Names that a registrant typed, made fit to stand in a sentence: cut to what names, and written small where they may.

Nothing is added to a name and no word of it is replaced; brackets and what is in them may go.
"""

from __future__ import annotations

import re
from functools import lru_cache

from trialindex.trial.sanitize import one_line

_BRACKETED = re.compile(r"\s*[(\[{][^()\[\]{}]*[)\]}]")
_INSIDE = re.compile(r"[(\[{]([^()\[\]{}]+)[)\]}]")
_DROPPED = re.compile(r"[()\[\]{}\"“”„«»`*_|<>®™©]|[?!]+|(?<=\w)\.(?=\s)|\s/(?=\s|$)")
_WIDE = str.maketrans("（）［］，；：", "()[],;:")
_WHO = re.compile(
    r"(?:,\s*|\s+(?:in|of)\s+(?:the\s+)?)(?:adults?|child(?:ren)?|infants?|patients?|people|subjects?|participants?|teens?)$",
    re.IGNORECASE,
)
"""Whom a name is about, which the sentence says anyway."""
_EDGES = " .,;:-–—/+&=~'’‘\\"
_BREAKS = re.compile(r"\s*(?:;|,(?=\s)|:|\.\s|\s[-–—]\s)\s*")
_LOOSE = r"an|and|as|at|by|due|for|from|in|including|into|of|on|or|plus|than|that|the|to|versus|via|vs|who|with|without"
_DANGLING = re.compile(rf"\s+a$|^a$|(?:\s+|^)(?i:{_LOOSE})$")
"""Words that cannot end a name; a capital A can, as in hemophilia A."""
_QUALIFIER = re.compile(
    r"(?:acute|allergic|atopic|bronchial|childhood|chronic|contact|drug|egg|episodic|food"
    r"|herniated|idiopathic"
    r"|immediate|infantile|insect venom|juvenile|milk|neuroendocrine|newborn|non-small-cell lung"
    r"|nut|peanut|perennial|primary|renal cell|rheumatoid|seasonal|secondary|type [12])",
    re.IGNORECASE,
)
_NAMES = """
addison africa african alzheimer america american angelman asia asian asperger australia barr barre barrett becker
behcet bell blackfan brugada burkitt caribbean castleman chagas charcot chiari china chinese churg conn creutzfeldt
crohn cushing danlos devic diamond doose down dravet duchenne dupuytren ebola ehlers epstein euro europe european
ewing fabry fanconi fraumeni french friedreich gastaut gaucher german graves guillain gulf hansen hashimoto henoch
hirschsprung hodgkin hunter huntington hurler indian jakob japan japanese job johnson kaposi kawasaki kegel
lactobacillus bifidobacterium saccharomyces escherichia streptococcus
klinefelter korean krabbe langerhans lassa legionnaires lennox lewy lyme lynch marburg marfan marie mediterranean
meniere merkel middle milroy netherton nile niemann paget parkinson peyronie philadelphia pick pompe prader
rasmussen raynaud rett reye sanfilippo schoenlein schonlein sezary sjogren sjögren stargardt stevens still strauss
takayasu tay tooth tourette turner ullrich usher waldenstrom waldenström wegener west western wilms willi williams
wilson zika
"""
_EPONYMS = frozenset(_NAMES.split())
"""Names of people and places within names of illnesses, which keep their capital."""

_STEMS = re.compile(
    r".{2,}(?:azepam|azole|bactam|bart|pamil|caine|cept|cillin|citabine|conazole|coxib|cycline|dipine|dotin|dronate|floxacin|fungin|gabalin|gabapentin"
    r"|gepant|gliflozin|gliptin|glutide|grel|leucel|lukast|mab|mig|mycin|nib|olol|oxacin|parin|parib|platin|poetin|prazole|pril"
    r"|profen|rubicin|sartan|setron|sidenib|solone|sone|statin|tansine|taxel|tecan|terol|tidine|tinib|toclax|trexed|triptan|tug|vaptan"
    r"|vastatin|vir|xaban|zolid|zomib)",
    re.IGNORECASE,
)
"""Endings that the World Health Organization keeps for generic names ("The use of stems in the selection of
International Nonproprietary Names", 2018); trade names are asked not to use them, so these may be small."""


def is_generic_name(name: str) -> bool:
    """Whether a word ends as generic names of drugs do: ``omalizumab``, ``Cisplatin``."""
    return bool(_STEMS.fullmatch(name))


_WORDS = """
acid antibody biopsies biopsy blood capsule capsules care challenge chemotherapy collection conventional cream current
diet dose drops egg extract flow food formula full group herbal high home human immunotherapy inhaled injection
insulin intranasal intravenous liquid low matching milk monotherapy nasal oral oxygen peanut physical placebo placebos
powder prefilled questionnaire questionnaires radiation radiotherapy routine saline sample samples sampling skin
sodium solution specific spray standard stimulation subcutaneous sublingual supplement syringe tablet tablets therapy
topical treatment usual vaccine vitamin
"""
_COMMON = frozenset(_WORDS.split())
"""Everyday words within the names of drugs."""


_LONGEST = 2000
"""Characters of a name that are looked at; the longest names of a registry have some hundreds."""


def short(name: str, limit: int = 60) -> str:
    """The name without brackets, trade-mark signs and stray punctuation, in at most *limit* characters.

    A longer one is cut where the registrant paused (a comma, a colon, a dash). Empty if nothing short is left.
    """
    bare = _bare(name)
    if len(bare) > limit:
        bare = _trim(_BREAKS.split(bare)[0])
    return bare if 0 < len(bare) <= limit else ""


@lru_cache(maxsize=256)
def _bare(name: str) -> str:
    """The name without brackets, or what is in them if there is nothing else."""
    line = one_line(name[:_LONGEST].translate(_WIDE))
    inside = _INSIDE.search(line)
    bare, before = line, ""
    while bare != before:
        bare, before = _BRACKETED.sub("", bare), bare
    return _trim(bare) or _trim(inside[1] if inside else "")


def _trim(text: str) -> str:
    text, before = " ".join(_DROPPED.sub(" ", text).split()), ""
    while text != before:
        text, before = _WHO.sub("", _DANGLING.sub("", text.strip(_EDGES))), text
    return text if any(char.isalnum() for char in text) else ""


def illness(name: str, limit: int = 60) -> str:
    """A condition as it stands in a sentence: ``Dermatitis, Atopic`` → ``atopic dermatitis``; ``NSCLC`` stays."""
    text = short(name, limit)
    head, *rest = text.split(", ")
    if rest and all(_QUALIFIER.fullmatch(part) for part in rest):
        text = " ".join([*reversed(rest), head])
    elif ";" in text:
        text = _trim(text.partition(";")[0])
    return _small(text)


def treatment(name: str, kind: str | None, limit: int = 60) -> str:
    """An intervention as it stands in a sentence: generic names and plain words small, trade names as they are."""
    text = short(name, limit)
    if kind in {"DRUG", "BIOLOGICAL", "COMBINATION_PRODUCT", "GENETIC", "DEVICE", None}:
        return " ".join(
            _lower(word) if word.lower() in _COMMON or _STEMS.fullmatch(word) else word for word in text.split()
        )
    return _small(text)


def _small(text: str) -> str:
    """The text without capitals that only dress it; acronyms, codes and names of people keep theirs."""
    words = text.split()
    shouted = len(words) > 1 and text.isupper() and any(len(word) > 5 for word in words)
    return " ".join(word.lower() if shouted else _lower(word) for word in words)


def _lower(word: str) -> str:
    """``Atopic`` → ``atopic``, ``Non-Small`` → ``non-small``; ``IgE``, ``NSCLC``, ``Crohn's`` and ``B-cell`` stay."""
    if any(_plain_part(part) in _EPONYMS for part in re.split(r"[-/]", word)):
        return word
    parts = re.split(r"([-/,;])", word)
    return "".join(part.lower() if re.fullmatch(r"[A-Z][a-zà-ÿ]+(?:['’]s)?[.:]?", part) else part for part in parts)


def has_name(text: str) -> bool:
    """Whether its first word is the name of a person, a country or a kind of bacteria, which keeps its capital."""
    first, *_ = text.split() or [""]
    return any(_plain_part(part) in _EPONYMS for part in re.split(r"[-/]", first))


def _plain_part(word: str) -> str:
    return re.sub(r"['’]s$", "", word.lower()).strip(".,;:")


_ILLNESS = re.compile(
    r"itis\b|(?:osis|oses)\b|omas?\b|a?emias?\b|pathy\b|algias?\b|aches?\b|asthma|allerg|cancers?\b|tumou?rs?\b|neoplas"
    r"|disease|disorder|syndrome|infection|diabet|malignan|hypersensitiv|hernia|prolapse|pain\b|injur|failure|deficien"
    r"|depressi|anxiety|insomnia|obesity|overweight|tension\b|stress\b|schizophreni|migraine|psoriasis|eczema|urticaria"
    r"|fever\b|atopy|polyps\b|sciatica|phenylketonuria|wheez|amblyopia|hemophilia|haemophilia|lupus|autism|dementia"
    r"|epilepsy|stroke\b|paralysis|plegia|trophy\b|plasia\b|penia\b|phobia|mania\b|cystic fibrosis|fibrosis|syphilis"
    r"|tuberculosis|malaria|influenza\b|pneumonia|sepsis|rrhea\b|rrhoea\b|rrhage\b|spasm|edema\b|oedema\b|anaphyla"
    r"|rejection\b|incontinence|delirium|dysphagia|tinnitus|alopecia|eclampsia|bleeding|addiction|dependence|\babuse\b"
    r"|metasta|\b(?:ADHD|ALS|AML|ALL|CIDP|CLL|CML|COPD|COVID-19|CRS|CSU|DIPG|FPIES|HIV|IBS|MDS|NSCLC|PTSD|SCLC|SLE)\b",
    re.IGNORECASE,
)
_NO_ILLNESS = re.compile(
    r"^(?:conditions? |treatment|prevention|application|management|prediction|history|can |drug |safety|use )"
    r"|\b(?:patients?|subjects?|participants?|volunteers?|people|cessation|prevention|screening|surgery|therapy"
    r"|immunology|toxicology|diagnosis|management|undergoing|vaccines?|healthy|rna|history)\b",
    re.IGNORECASE,
)


def can_have(name: str) -> bool:
    """Whether "people with *name*" makes sense, as it does of an illness but not of ``Smoking Cessation``."""
    return bool(_ILLNESS.search(name)) and not _NO_ILLNESS.search(name)

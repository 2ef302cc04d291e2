"""Finding illnesses, drugs and procedures in what people write, by the names that the vocabularies list.

::

    terms = Terms.load()
    for mention in terms.find("52 F with HTN, no diabetes, mother had breast cancer"):
        print(mention.text, mention.names, mention.negated, mention.family)
"""

from __future__ import annotations

import hashlib
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from trialindex import folding
from trialindex.assertion import judge
from trialindex.errors import PluginError, StorageError, TrialIndexError
from trialindex.folding import Words, key, keys_of, read_words, uninverted
from trialindex.interfaces import Concept, Vocabulary

if TYPE_CHECKING:
    from trialindex.plugins import Plugins

_LONGEST = 8
"""Words of the longest name that is looked for in a text."""
_FORMAT = 1
"""Raised when what is kept in the cache changes its shape, or names come under other keys."""

_WORDS_TOO = frozenset(
    """
    able acid act add ago aid aids air all alps am an and angel ant any ape apt are arm art arts as ask at ate back bad
    bag ban bar bat bath be bed best bid big bit blip bone bos bow box boy bug bun bus but by cab can candle canvas cap
    caps car care case cass cast cat cell chad chap charm chart chip cholera clap clip clove coach coat cod cold come
    con cop cord core cost cot cow crab cross cup cut dad dam date day dead deaf deal den dent des did die diet dig dim
    dip dish do dog dome done door doors dos drip drop dry due duke each ear east eat edge egg ego end epi era err eve
    eye face fact fad fail fall fame fan far fast fat fed fee fees feel few fig file fin find fine fir fire fish fit
    five flag flair flap flu fly focus fog foot for form foul four fox free frog from full fun gap gas gel gem get gist
    give go goal god gold gone good got grace gram grip grow gum gut guy gym had hair half ham hand hap hard has hat
    have he head heal hear heart heat held help hen her here herd hers hid high him hint hip his hit hoe hole home hope
    hops hot hour how hug hum hurt i ice if ill in ink into iris is it its jam jar jaw jet job joy keep keen kid kids
    kin kind king kit knee lab lack lad lady lamb lame lamp land lap large last late law lay lead leap led left leg lend
    less let lid lie life lift light like lime line link lip list lit live load log long look lord loss lost lot low
    mad made maid main make male man many map mar mare mars mash mask mass mast mat may me mean meat mel melt men mend
    mesh met mid mild mile milk mill mind mine miss mix mob mod mole mom moon mop more most mould move mr mrs ms much
    mud mug must my nail name nap near neat neck need nest net new next nice nine no node nor nose not note now nut oar
    odd of off oil old on once one only onto open opt or oral our out oven over own pace pack pad page paid pain pair
    pale palm pan pant par park part pass past pat path pay peg pen per pet pick pie pig pill pin pine pip pipe pit
    plaid plan play plus pod poem pole poly pool poor pop pope port pose post pot pots prep proc pub pull pulse pure
    push put race rag rain ram ran rank rap rare rash rat rate raw ray read real red rem rent rest rib rice rich rid
    ride right ring rip rise risk road rob rod role roll roof room root rope rose rot row rub rude rue rug rule run rush
    sac sack sad safe said sail saint salt same sand sat save saw say scale scan scar scare score sea seat see seed seek
    seem seen self sell send sens sense sent set settle shape share shark she ship shock shoe short shot show shy sick
    side sight sign silk sin sing sink sip sir sit site six size skin slam slap sleep slim slip slow smart smash smile
    smoke so soap soft soil sole some son song soon sore sort soul sound soup south spa span spare spark spin spot sprint
    stab staff stage star start stay stem step still sting stir stone stool stop storm strap stream stride strive strong
    sub such sum sun sure swap sweet swim tab table tail take talc tale talk tall tam tan tank tap tape tar tart tax tea
    team tear tell ten tens tent term test than that the then they thin thing this those thud thus thumb tie tight time
    tin tip tire to toe told tom ton tone too took tool tooth top torch touch tour toy track trap traps tray tree trial
    trim trip true try tube tug turn two type up urge us use van vent very vest via vice vip visa vital vote wad wage
    wait wake walk wall want war ward warm warn was wash wave way we weak wear wed weed week well went were west wet what
    wheel when who why wide wife wig wild will win wind wine wing wire wise wish with wolf woman won wood word work worm
    wrap wrist yes yet you young zap zone cm mm ml mls mg kg km kms dl mcg mgrs hr hrs sec min dd tha thes thi thy ad eg
    ie et al de la le el en un se sed
    """.split()
)
"""Small words and measures, folded. An abbreviation that is spelled like one of them is meant only in capitals."""

_GENERAL = frozenset(
    """
    abnormality; adverse events; aging; as needed; associated with; at bedtime; bilateral; blood pressure; cancer;
    childhood disease; chronic disease; complains of; complicated by; complication; condition; congenital disorder;
    consistent with; death; diagnosed; diagnosis; diagnostic evaluation; differential diagnosis; discharge;
    discontinue; disease; disease by infectious agent; disease of anatomical entity; disorder; drug; due to; emergency
    department; emergency service, hospital; fever; follow-up; genetic disease; history; history of; hospital; illness;
    infection; infectious disease; injury; intensive care unit; laboratory test; lesion; medication; neoplasm;
    neoplasms; once daily; pain; past medical history; family history; past surgical history; patient; patients;
    physical examination; prescription; primary care; quality of life; randomized controlled trial; rare diseases; rule
    out; rule-out; secondary to; serious adverse events; signs and symptoms; status post; surgery; symptom; symptoms;
    syndrome; therapy; three times daily; treatment; tumor; twice daily; vital signs; within normal limits; without;
    workup; wound; year old; years old; every day; four times daily; nothing by mouth; shortness; review of systems;
    chief complaint; history of present illness; no known drug allergies; by mouth; general practitioner
    """.replace("\n", " ").split(";")
)
_GENERAL_KEYS = frozenset(map(key, _GENERAL))


@dataclass(frozen=True)
class Mention:
    """Where a text names something that a vocabulary knows.

    :param start: :param end: characters of the text. :param text: what stands there.
    :param concepts: what it may mean; an illness of an ontology comes before what a word list says.
    :param negated: the text says that it is absent. :param family: that a relative has it.
    :param historical: that it belongs to the past.
    :param general: it says too little to search for, as *disease* or *pain*.
    """

    start: int
    end: int
    text: str
    concepts: tuple[Concept, ...]
    negated: bool = False
    family: bool = False
    historical: bool = False
    general: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """The medical names, each once."""
        return tuple({key(uninverted(c.name)): c.name for c in reversed(self.concepts)}.values())[::-1]

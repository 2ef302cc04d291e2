"""Trials and answers that the tests of the output formats draw, among them what a hostile registry could write."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import settings
from hypothesis import strategies as st

import trialindex_renderers
from support.paths import ROOT
from trialindex.plugin.interfaces import Renderer, RenderOptions
from trialindex.plugin.results import EligibilityCheck, Hit, Match, Results
from trialindex.plugin.trial_page import Explanation, PlainLanguage, Sentence, TrialPage
from trialindex.testing import sample_card
from trialindex.trial import Arm, Contact, Intervention, Outcome, Site, Term, Trial, from_mapping

REPOSITORY = ROOT
RENDERERS: dict[str, type[Renderer]] = {cls.name: cls for cls in trialindex_renderers.register_renderers()}
SEEN = {"first_seen": "2026-06-27", "last_updated": "2026-06-27", "last_checked": "2026-11-20"}
SECRETS = ("Pat Example", "+1 555 0100", "pat@example.org", "Robin Sample", "robin@example.org", "raw-secret")

FULL = from_mapping(
    {
        "id": "NCT06676631",
        "title": "NK Cells Combined With Rituximab in Refractory Systemic Lupus Erythematosus and Lupus Nephritis",
        "source": "ctgov",
        "url": "https://clinicaltrials.gov/study/NCT06676631",
        "acronym": "NK-LN",
        "other_ids": ["2020-001234-12", "U1111-1234-5678"],
        "summary": "Adults receive donor cells.\n\nIs that safe?",
        "description": "A long text.",
        "conditions": ["Systemic Lupus Erythematosus", "Lupus Nephritis"],
        "normalized_conditions": [{"name": "Lupus Nephritis", "id": "MESH:D008181"}],
        "study_type": "INTERVENTIONAL",
        "phases": ["PHASE1"],
        "status": "RECRUITING",
        "primary_purpose": "TREATMENT",
        "allocation": "NON_RANDOMIZED",
        "masking": "NONE",
        "enrollment": 18,
        "enrollment_type": "ESTIMATED",
        "sex": "ALL",
        "minimum_age": 18,
        "maximum_age": 65,
        "healthy_volunteers": False,
        "inclusion": ["Lupus by the usual criteria", "Two earlier treatments, for example:\n- steroids\n- rituximab"],
        "exclusion": ["Active infection"],
        "arms": [{"label": "NK010", "type": "EXPERIMENTAL", "interventions": ["NK010", "Rituximab"]}],
        "interventions": [
            {"name": "NK010", "type": "BIOLOGICAL"},
            {"name": "Rituximab", "type": "DRUG", "other_names": ["MabThera"]},
        ],
        "outcomes": [
            {"measure": "Dose-limiting side effects", "time_frame": "28 days"},
            {"measure": "Change of the activity score", "kind": "secondary", "description": "Higher is worse."},
        ],
        "sites": [
            {
                "name": "Guangdong Provincial People's Hospital",
                "city": "Guangzhou",
                "country": "China",
                "status": "RECRUITING",
                "contacts": [{"name": "Pat Example", "phone": "+1 555 0100"}],
            }
        ],
        "contacts": [{"name": "Pat Example", "email": "pat@example.org"}],
        "officials": [{"name": "Robin Sample", "role": "STUDY_CHAIR", "email": "robin@example.org"}],
        "sponsor": "Guangdong Provincial People's Hospital",
        "start_date": {"date": "2026-01"},
        "completion_date": {"date": "2028-12-31", "type": "ESTIMATED"},
        "last_updated": {"date": "2026-06-27", "type": "ACTUAL"},
        "has_results": False,
        "raw": {"contact": "raw-secret"},
    }
)
BARE = Trial(id="X-1", title="A trial that states nothing else")
WIDE = from_mapping(
    {
        "id": "ChiCTR2000012345",
        "title": "评估自体造血干细胞移植治疗难治性狼疮性肾炎的安全性和有效性的多中心随机对照临床试验研究方案第二部分",
        "conditions": ["狼疮性肾炎", "👩‍⚕️ 系统性红斑狼疮 🇨🇳"],
        "summary": "狼疮" * 200,
        "status": "NOT_YET_RECRUITING",
        "sex": "FEMALE",
        "maximum_age": 17,
        "sites": [{"city": "北京", "country": "China"}, {"city": "上海", "country": "China"}],
    }
)
HOSTILE = (
    "\x1b[31m<script>alert(1)</script>\x9b2J\r\n=cmd|'/c calc'!A0\u202e# [x](javascript:alert(1)) `a` | b | {{7*7}}"
)


def renderer(name: str, **options: Any) -> Renderer:
    return RENDERERS[name](RenderOptions(**options))


def hit(trial: Trial, rank: int = 1, **more: Any) -> Hit:
    return Hit(rank=rank, score=0.0327, parts={"vector": 0.71, "vector_rank": 1.0}, trial=trial, **more)


def answer(*hits: Hit, **changes: Any) -> Results:
    fields: dict[str, Any] = {
        "query": "severe lupus kidney",
        "mode": "hybrid",
        "filters": {"status": "recruiting"},
        "searched": 213,
        "total": 230,
        "page": 1,
        "limit": 10,
        "hits": hits,
        "generation": 1,
    }
    return Results(**{**fields, **changes})


ANSWER = answer(
    hit(
        FULL,
        match=Match(part="inclusion criteria", text="Two earlier treatments that did not help."),
        fits=(EligibilityCheck(what="age", verdict="fits", given="34 years", stated="18 to 65 years"),),
        distance_km=12.3,
        nearest_site=FULL.sites[0],
        last_updated="2026-06-27",
    ),
    hit(WIDE, 2),
    hit(BARE, 3),
)


def card_of(trial: Trial, **changes: Any) -> TrialPage:
    """The page of a trial, contacts included: a renderer has to hold them back."""
    return msgspec.structs.replace(sample_card(trial, contacts=True), **{"seen": SEEN, **changes})


def draw(one: Renderer, trial: Trial, **changes: Any) -> str:
    """The page of a trial as a renderer draws it."""
    return "".join(one.trial(card_of(trial, **changes)))


def draw_all(
    one: Renderer, results: Results = ANSWER, trials: tuple[Trial | TrialPage, ...] = (FULL, WIDE, BARE)
) -> list[str]:
    """The texts of all that a renderer draws, each whole; none of them is empty."""
    cards = [given if isinstance(given, TrialPage) else card_of(given) for given in trials]
    drawn = [
        "".join(one.results(results)),
        *("".join(one.trial(card)) for card in cards),
        "".join(one.trials(card.trial for card in cards)),
    ]
    assert all(drawn)
    return drawn


def filled(text: str) -> Trial:
    """A trial that holds *text* wherever a source could put it."""
    person = Contact(name=text, role=text, affiliation=text, phone=text, email=text)
    site = Site(name=text, city=text, state=text, country=text, status="RECRUITING", contacts=(person,))
    fields: dict[str, Any] = {}
    for field in msgspec.structs.fields(Trial):
        if field.type == str | None:
            fields[field.name] = text
        elif field.type == tuple[str, ...]:
            fields[field.name] = (text, text)
    return Trial(
        **fields,
        id=f"T1 {text}",
        title=text,
        source=text,
        normalized_conditions=(Term(name=text, id=text),),
        arms=(Arm(label=text, type=text, description=text, interventions=(text,)),),
        interventions=(Intervention(name=text, type=text, description=text, other_names=(text,)),),
        outcomes=(Outcome(measure=text, time_frame=text, description=text), Outcome(measure=text, kind="other")),
        sites=(site, site),
        contacts=(person,),
        officials=(person,),
        raw={"text": text},
    )


def plain(*texts: str, **changes: Any) -> PlainLanguage:
    """Plain words: each part holds a sentence for each of the texts, made from the title and the phases."""
    said = tuple(Sentence(text, ("title", "phases")) for text in texts)
    fields: dict[str, Any] = {"summary": said, "substance": said, "could_lead_to": said, "could_go_wrong": said}
    return PlainLanguage(**{"writer": "fake", "headline": said[0], **fields, **changes})


def filled_card(text: str) -> TrialPage:
    """A card that holds *text* wherever a source or a writer could put it."""
    words = (Explanation(text, text), Explanation("h", text), Explanation("", text))
    told = plain(text, text, writer=text, glossary=words, notes=(text, text))
    told = msgspec.structs.replace(told, substance=(Sentence(text, (text, text)),))
    return card_of(filled(text), plain=told, conditions=(Term(name=text, id=text),), near=text)


def filled_answer(text: str) -> Results:
    trial = filled(text)
    fits = (EligibilityCheck(what="age", verdict="fits", given=text, stated=text),)
    one = hit(trial, match=Match(part=text, text=text), fits=fits, nearest_site=trial.sites[0], last_updated=text)
    return answer(one, query=text, filters={text: text}, notes=(text,), mode=text)


NASTY = (
    *("<b>", "</p>", "<!--", "-->", "&lt;", "&#60;", '"', "'", "<img src=x onerror=a>", "]]>", "</style>", "</title>"),
    *(
        "[a](b)",
        "![a](b)",
        "](",
        "`",
        "```\n",
        "~~~\n",
        "    code",
        "# h",
        "\n# h",
        "\n- x",
        "1. ",
        "---\n",
        "|a|\n|-|",
    ),
    *("<javascript:alert(1)>", "javascript:alert(1)", "https://example.org/", "*", "_", "\\", "=", "+1", "-1", "@a"),
    *("\x1b[2J", "\x1b]0;x\x07", "\x9b", "\x85", "\u2028", "\u202e", "\ufeff", "\r", "\n\n", "\t", "\0", "\x7f"),
    *("\ud800", "狼疮", "👩‍⚕️", "a" * 130, "{{ 7 * 7 }}", "{% x %}", "; ", ",", "$x$", "~~"),
)
TEXTS = st.lists(st.one_of(st.sampled_from(NASTY), st.text(max_size=12)), max_size=8).map("".join)
sweep = settings(deadline=None, database=None, max_examples=40)

"""What is fuzzed: each target makes one input from a random generator, and fails if a promise is broken.

The promise is nearly always the same: a clean value, or one of our own errors that says what is wrong.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import random
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email import message_from_bytes
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import yaml

from fuzz.mutate import bytes_of, changed, storable, text, value
from support.drawings import RENDERERS, check_drawing, drawings
from support.hostile_cases import controls, filled
from support.vocabulary_cases import GRAPH, RECORDS, WHOLE
from trialindex.changes import differences
from trialindex.concepts import person
from trialindex.concepts.recognizer import ConceptRecognizer
from trialindex.errors import EvaluationError, QueryError, SourceError, TrialIndexError
from trialindex.plugin.interfaces import IngestContext, RenderOptions, Source
from trialindex.plugin.messages import Delivery, Update
from trialindex.search import analysis
from trialindex.search.filters import Filters
from trialindex.search.settings import RankingSettings
from trialindex.testing import sample_trials
from trialindex.trial import Trial, decode, encode, from_values, parse_values, sanitize, to_mapping
from trialindex.trial.criteria import split_criteria
from trialindex.trial.prepare import prepare
from trialindex_csv.source import CsvSource
from trialindex_ctgov.files import CtgovFileSource
from trialindex_ctgov.parse import parse_study
from trialindex_llm import answer as llm_answer
from trialindex_llm import prompt as llm_prompt
from trialindex_manual.files import parse
from trialindex_manual.source import read_all
from trialindex_notifiers import texts
from trialindex_notifiers.email import compose
from trialindex_vocabulary.formats import read_edition
from trialindex_writers.plain import PlainWriter

Target = Callable[[random.Random], None]


@contextmanager
def ours(*allowed: type[Exception]) -> Iterator[None]:
    """The block may end with one of our errors, or with one of *allowed*: clean, and not endless."""
    expected: tuple[type[Exception], ...] = (TrialIndexError, *allowed)
    said = "all is well"
    try:
        yield
    except expected as problem:
        said = sanitize.one_line(f"{type(problem).__name__}: {problem}")
    assert 8 < len(said) < 20_000, said[:100]


def check_trial(trial: Trial) -> None:
    """That a trial of a source can be stored, told of and drawn."""
    assert isinstance(trial, Trial)
    assert decode(encode(msgspec.structs.replace(trial, raw=None))) == msgspec.structs.replace(trial, raw=None)
    msgspec.json.encode(trial.raw)
    for part in (trial.start_date, trial.last_updated, trial.first_posted):
        assert part is None or part.date.isascii()


def run(source: Source) -> None:
    context = IngestContext()
    with ours():
        for trial in source.trials(context):
            check_trial(trial)


def in_file(data: bytes, ending: str, use: Callable[[Path], None]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"input{ending}"
        path.write_bytes(data)
        use(path)


# --- sources --------------------------------------------------------------------------------------------------------


@cache
def study() -> dict[str, Any]:
    """A study of the API with every part in it, invented."""
    person = {"name": "A. Nobody", "role": "CONTACT", "phone": "000", "phoneExt": "1", "email": "a@example.org"}
    date = {"date": "2024-05-17", "type": "ESTIMATED"}
    criteria = "Inclusion Criteria:\n\n* Lupus \\> 1 year\n* Age 18\n\nExclusion Criteria:\n\n1. Pregnancy\n2. Dialysis"
    return {
        "protocolSection": {
            "identificationModule": {
                "nctId": "NCT01234567",
                "nctIdAliases": ["NCT07654321"],
                "orgStudyIdInfo": {"id": "X-1"},
                "secondaryIdInfos": [{"id": "2020-1"}],
                "briefTitle": "Walks for lupus nephritis",
                "officialTitle": "A trial of walks",
                "acronym": "WALK",
            },
            "statusModule": {
                "overallStatus": "RECRUITING",
                "lastKnownStatus": "RECRUITING",
                "whyStopped": "no money",
                **{
                    f"{name}Struct": date
                    for name in ("startDate", "primaryCompletionDate", "completionDate", "studyFirstPostDate")
                },
            },
            "sponsorCollaboratorsModule": {
                "leadSponsor": {"name": "Example", "class": "OTHER"},
                "collaborators": [{"name": "Another"}],
            },
            "descriptionModule": {"briefSummary": "People walk.", "detailedDescription": "They walk far."},
            "conditionsModule": {"conditions": ["Lupus Nephritis"], "keywords": ["walk"]},
            "designModule": {
                "studyType": "INTERVENTIONAL",
                "phases": ["PHASE2", "PHASE3"],
                "designInfo": {
                    "allocation": "RANDOMIZED",
                    "maskingInfo": {"masking": "DOUBLE", "whoMasked": ["INVESTIGATOR"]},
                },
                "enrollmentInfo": {"count": 18, "type": "ESTIMATED"},
            },
            "armsInterventionsModule": {
                "armGroups": [{"label": "walks", "type": "EXPERIMENTAL", "interventionNames": ["Behavioral: Walk"]}],
                "interventions": [{"type": "BEHAVIORAL", "name": "Walk", "otherNames": ["Stroll"]}],
            },
            "outcomesModule": {"primaryOutcomes": [{"measure": "Metres", "timeFrame": "6 months"}]},
            "eligibilityModule": {
                "eligibilityCriteria": criteria,
                "healthyVolunteers": False,
                "sex": "ALL",
                "minimumAge": "18 Years",
                "maximumAge": "6 Months",
            },
            "contactsLocationsModule": {
                "centralContacts": [person],
                "overallOfficials": [person],
                "locations": [
                    {"facility": "Clinic", "city": "Lyon", "country": "France", "geoPoint": {"lat": 45.7, "lon": 4.8}}
                ],
            },
        },
        "derivedSection": {"conditionBrowseModule": {"meshes": [{"id": "D008181", "term": "Lupus Nephritis"}]}},
        "hasResults": False,
    }


def odd_json(rng: random.Random, given: Any) -> bytes:
    return json.dumps(changed(rng, given), ensure_ascii=rng.random() < 0.7).encode("utf-8", "surrogatepass")


def ctgov_study(rng: random.Random) -> None:
    with ours(ValueError):
        check_trial(prepare(parse_study(changed(rng, study()), "ctgov")))


def ctgov_file(rng: random.Random) -> None:
    one = odd_json(rng, study())
    several = rng.choice((b"[%b]", b'{"studies":[%b],"nextPageToken":"x"}', b"%b\n")) % b",".join(
        [one] * rng.randrange(3)
    )
    data = rng.choice((one, several, b"\n".join([one, one]) + b"\n"))
    ending = rng.choice((".json", ".jsonl", ".json.gz", ".zip"))
    if ending == ".zip":
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", rng.choice((zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED))) as archive:
            for name in ("a.json", "../../b.json", "/c.jsonl", rng.choice(("d.json", "d.json.gz", "x\x1b[2J.json"))):
                archive.writestr(name, data)
        data = packed.getvalue()
    elif ending.endswith("gz"):
        data = gzip.compress(data)
    if rng.random() < 0.6:
        data = bytes_of(rng, data)
    in_file(data, ending, lambda path: run(CtgovFileSource(str(path))))


HEADER = ["id", "title", "status", "conditions", "phases", "ages", "start_date", "enrollment", "locations", "sex"]
ROW = ["X-1", "Walks", "recruiting", "Lupus|Nephritis", "2/3", "18 to 65", "2024-05", "1,200", "A, Lyon, France", "all"]
SITE = ["NCT Number", "Study Title", "Study Status", "Phases", "Age", "Study Design", "Locations", "Start Date"]
SITE_ROW = [
    "NCT01234567",
    "Walks",
    "RECRUITING",
    "PHASE2|PHASE3",
    "ADULT",
    "Masking: DOUBLE (INVESTIGATOR)",
    "A, B",
    "2024",
]


def csv_file(rng: random.Random) -> None:
    made = io.StringIO(newline="")
    head, row = rng.choice(((HEADER, ROW), (SITE, SITE_ROW)))
    writer = csv.writer(made, delimiter=rng.choice(",;\t|"), lineterminator=rng.choice(("\n", "\r\n")))
    writer.writerow([text(rng).replace("\0", "") if rng.random() < 0.02 else name for name in head])
    for number in range(rng.randrange(4)):
        cells = [f"{row[0][:-1]}{number}", *(text(rng) if rng.random() < 0.3 else cell for cell in row[1:])]
        writer.writerow([cell.replace("\0", "") for cell in cells])
    encoding = rng.choice(("utf-8", "utf-8", "utf-8-sig", "utf-16", "cp1252", "utf-16-le", "gb18030"))
    data = made.getvalue().encode(encoding, "replace")
    if rng.random() < 0.5:
        data = bytes_of(rng, data)
    if rng.random() < 0.1:
        data = gzip.compress(data)
    options = {"list_separator": "|"} if rng.random() < 0.5 else {}
    in_file(data, ".csv", lambda path: run(CsvSource(str(path), **options)))


@cache
def by_hand() -> list[dict[str, Any]]:
    return [msgspec.to_builtins(to_mapping(one)) for one in sample_trials(12)]


def manual(rng: random.Random) -> None:
    ending = rng.choice((".yaml", ".json", ".toml"))
    trial = changed(rng, rng.choice(by_hand()), 0.02)
    try:
        if ending == ".yaml":
            made = yaml.safe_dump({"trials": [trial]}, allow_unicode=rng.random() < 0.5)
        elif ending == ".toml":
            made = f'title = {json.dumps(storable(rng))}\nid = "X-1"\n[[sites]]\ncity = "Lyon"\nlatitude = 45.7\n'
        else:
            made = json.dumps(trial)
    except (ValueError, yaml.YAMLError, RecursionError):
        made = "title: x"
    data = made.encode("utf-8", "surrogatepass")
    if rng.random() < 0.6:
        data = bytes_of(rng, data)
    with ours():
        for one in read_all([parse(data.decode("utf-8", rng.choice(("replace", "surrogateescape"))), "f", ending)]):
            check_trial(one)


def read_trial(rng: random.Random) -> None:
    given = changed(rng, rng.choice(by_hand()), 0.1)
    with ours(from_values.FieldError):
        check_trial(from_values.read_trial(given if isinstance(given, dict) else {"id": given}))


def single_values(rng: random.Random) -> None:
    given = text(rng)
    for name in dir(parse_values):
        if name.startswith("normalise_"):
            with ours(ValueError):
                found = getattr(parse_values, name)(given)
                assert not isinstance(found, str) or name == "normalise_code" or found.isascii(), (name, found)


def criteria(rng: random.Random) -> None:
    lines = [
        rng.choice(("Inclusion Criteria:", "Exclusion Criteria", "* ", "1. ", "  - ", "")) + text(rng) for _ in range(8)
    ]
    for side in split_criteria("\n".join(lines)):
        assert all(isinstance(item, str) and item.strip() for item in side)


def vocabulary(rng: random.Random) -> None:
    seeds = (
        WHOLE,
        odd_json(rng, GRAPH),
        b"\n".join(odd_json(rng, one) for one in RECORDS),
        gzip.compress(WHOLE),
    )
    data = rng.choice(seeds)
    if rng.random() < 0.7:
        data = bytes_of(rng, data)
    with ours():
        edition = read_edition(data, "f")
        for concept in edition.concepts:
            for one in (concept.name, concept.id, *concept.names, *concept.broader):
                assert isinstance(one, str)
                one.encode()
        found = ConceptRecognizer(edition.concepts)
        list(found.find("lupus nephritis " + text(rng)))
        for concept in edition.concepts[:5]:
            found.narrower(concept)


def evaluation(rng: random.Random) -> None:
    from trialindex.evaluation.collection import read_qrels, read_queries
    from trialindex.evaluation.runs import read_run

    seeds: tuple[tuple[bytes, Callable[[Path], object], str], ...] = (
        (b'{"_id": "1", "text": "lupus"}\n{"_id": "2", "text": "asthma"}\n', read_queries, ".jsonl"),
        (b"query-id\tcorpus-id\tscore\n1\tNCT01234567\t2\n", read_qrels, ".tsv"),
        (b"1 0 NCT01234567 2\n", read_qrels, ".txt"),
        (b"1 Q0 NCT01234567 1 0.5 tag\n1 Q0 NCT01234568 2 0.25 tag\n", read_run, ".trec"),
    )
    data, use, ending = rng.choice(seeds)

    def read(path: Path) -> None:
        with ours(EvaluationError):
            use(path)

    in_file(bytes_of(rng, data), ending, read)


# --- what is typed --------------------------------------------------------------------------------------------------


@cache
def recognizer() -> ConceptRecognizer:
    from trialindex_vocabulary.lexicon import Lexicon

    return ConceptRecognizer(Lexicon().concepts())


def question(rng: random.Random) -> None:
    given = text(rng)
    found = person.read_person(given)
    assert found.age is None or 0 <= found.age <= person.OLDEST
    person.read_pregnancy(given)
    analysis.understand(given, found, recognizer().find(given), RankingSettings())


def filters(rng: random.Random) -> None:
    words: dict[str, Any] = {
        name: text(rng) for name in ("status", "phase", "study_type", "sex", "age", "country", "near", "within")
    }
    words["updated_since"] = text(rng)
    chosen = {name: words[name] for name in rng.sample(sorted(words), 2)}
    with ours(QueryError):
        Filters.parse(**chosen).words()


# --- what is shown --------------------------------------------------------------------------------------------------


def trial(rng: random.Random) -> Trial:
    given = filled(storable(rng), rng.randrange(9))
    fields = {
        name: storable(rng) or None
        for name in ("summary", "eligibility", "url", "sponsor", "masking")
        if rng.random() < 0.5
    }
    return msgspec.structs.replace(given, **fields)


def renderers(rng: random.Random) -> None:
    cls = rng.choice(RENDERERS)
    options = RenderOptions(
        width=rng.choice((None, 1, 20, 80, 400)),
        color=rng.random() < 0.5,
        contacts=rng.random() < 0.5,
        sources=rng.random() < 0.5,
    )
    renderer = cls(options)
    for drawn in drawings(renderer, [trial(rng)]):
        check_drawing(renderer, drawn)


def messages(rng: random.Random) -> None:
    said = [text(rng) for _ in range(6)]
    update = Update(
        key="k",
        watch=rng.randrange(3),
        kind=rng.choice(("new", "changed", "removed")),
        trial=said[0],
        title=said[1],
        when=said[2],
        url=said[3],
        why=said[4],
        lines=(said[5],),
    )
    delivery = Delivery(key="d", created="2026-03-05T07:00:00+00:00", updates=(update,))
    assert controls(texts.text(delivery)) == []
    assert controls(texts.page(delivery)) == []
    sent = message_from_bytes(compose(delivery, sender="a@example.org", to="b@example.org").as_bytes())
    assert (sent["To"], sent["Bcc"], len(sent.get_all("Subject", []))) == ("b@example.org", None, 1)


def changes(rng: random.Random) -> None:
    for found in differences(trial(rng), trial(rng)):
        assert controls("".join(filter(None, (found.words, found.before, found.after)))) == []
        assert "\n" not in found.words
        assert 1 <= found.weight <= 100


def plain_words(rng: random.Random) -> None:
    given = trial(rng)
    told = PlainWriter().write(given.masked())
    for sentence in (told.headline, *told.summary, *told.substance, *told.could_lead_to, *told.could_go_wrong):
        assert sentence.text == sanitize.one_line(sentence.text)
    llm_prompt.messages(given.masked())
    said = {name: [{"text": text(rng), "fields": ["title"]}] for name in ("summary", "substance", "could_go_wrong")}
    with ours(llm_answer.BadAnswer):
        llm_answer.read(json.dumps(changed(rng, {"headline": {"text": text(rng), "fields": []}, **said})))


TARGETS: dict[str, Target] = {
    target.__name__: target
    for target in (
        *(ctgov_study, ctgov_file, csv_file, manual, read_trial, single_values, criteria, vocabulary, evaluation),
        *(question, filters, renderers, messages, changes, plain_words),
    )
}

__all__ = ["TARGETS", "SourceError", "value"]

"""Whatever bytes come in: a trial, or one clean error. Property-based, and by the targets of tests/fuzz."""

from __future__ import annotations

import ast
import gzip
import json
import random
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fuzz.targets import TARGETS, check_trial, in_file, ours, run
from support.hostile_cases import within
from support.paths import ROOT
from trialindex.concepts import person, tokens
from trialindex.concepts.context import Context
from trialindex.errors import SourceError, TrialIndexError
from trialindex.plugin.http import retry_after
from trialindex.plugin.interfaces import IngestContext
from trialindex.search import places
from trialindex.testing import sample_trials
from trialindex.trial import encode, parse_values, sanitize
from trialindex.trial.criteria import split_criteria
from trialindex_csv.source import CsvSource
from trialindex_ctgov import documents
from trialindex_ctgov.files import CtgovFileSource
from trialindex_manual.files import parse
from trialindex_manual.source import read_all
from trialindex_renderers.markdown import escape
from trialindex_vocabulary.formats import read_edition

some = settings(deadline=None, max_examples=60, suppress_health_check=list(HealthCheck), database=None)


@pytest.mark.parametrize("name", TARGETS)
@some
@given(seed=st.integers(0, 2**40))
def test_a_target_of_the_fuzzer_holds(name: str, seed: int) -> None:
    with within(60):
        TARGETS[name](random.Random(seed))


@some
@given(st.binary(max_size=300))
def test_any_bytes_as_a_file_of_a_source(data: bytes) -> None:
    for ending in (".json", ".jsonl", ".json.gz", ".zip"):
        in_file(data, ending, lambda path: run(CtgovFileSource(str(path))))
    in_file(data, ".csv", lambda path: run(CsvSource(str(path))))
    in_file(data, ".csv", lambda path: run(CsvSource(str(path), map_=("id=a", "title=b"))))


@some
@given(st.binary(max_size=200))
def test_any_bytes_after_the_beginning_of_a_known_format(data: bytes) -> None:
    for start in (b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03", b"PK\x03\x04", b'[{"protocolSection":', b'{"studies":['):
        in_file(start + data, ".json", lambda path: run(CtgovFileSource(str(path))))
    for start in (b"id,title\n", b"\xff\xfei\x00d\x00", b"sep=;\nid;title\n", b"\x1f\x8b\x08\x00"):
        in_file(start + data, ".csv", lambda path: run(CsvSource(str(path))))
    for start in (b"", b"[Term]\nid: A:1\n", b'{"graphs": [', b'{"id": "A:1", "name": "x"', b"\x1f\x8b\x08"):
        with ours():
            read_edition(start + data, "f")


@some
@given(st.text(max_size=300))
def test_any_text_as_a_document_written_by_hand(text: str) -> None:
    for ending in (".yaml", ".json", ".toml"):
        for start in ("", "title: ", "- ", '{"title": ', "title = "):
            with ours():
                for trial in read_all([parse(start + text, "f", ending)]):
                    check_trial(trial)


# --- bombs ----------------------------------------------------------------------------------------------------------


def refused(use: Callable[[], Any], why: str) -> None:
    with within(60), pytest.raises(TrialIndexError, match=why):
        use()


def reading(path: Path, kind: type[CtgovFileSource] | type[CsvSource]) -> Callable[[], Any]:
    return lambda: list(kind(str(path)).trials(IngestContext()))


def packed(size: int, unit: bytes = b"{},") -> bytes:
    """A list without end: one block, packed once and told again and again."""
    block = unit * (1 << 18)
    return gzip.compress(b"[") + gzip.compress(block) * (size // len(block))


def test_a_gzip_bomb_ends_early(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents, "LIMIT", 1 << 20)
    path = tmp_path / "bomb.json.gz"
    path.write_bytes(packed(8 << 20, b" "))
    refused(reading(path, CtgovFileSource), "without a whole study|times its size")
    path.write_bytes(packed(8 << 20))
    refused(reading(path, CtgovFileSource), "times its size")


def test_a_gzip_bomb_of_a_table_ends_early(tmp_path: Path) -> None:
    path = tmp_path / "bomb.csv.gz"
    path.write_bytes(gzip.compress(b"id,title\n") + gzip.compress(b"1,2\n" * (1 << 20)) * 12)
    refused(reading(path, CsvSource), "times its size")


def test_a_gzip_bomb_of_a_vocabulary_ends_early(monkeypatch: pytest.MonkeyPatch) -> None:
    from trialindex_vocabulary import formats

    monkeypatch.setattr(formats, "LARGEST", 1 << 20)
    refused(lambda: read_edition(gzip.compress(b"\n" * (2 << 20)), "f"), "is larger than")


def test_zip_bombs_and_odd_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents, "LIMIT", 1 << 20)
    study = json.dumps([{"protocolSection": {"identificationModule": {"nctId": "NCT00000001", "briefTitle": "t"}}}])
    path = tmp_path / "studies.zip"
    outside = tmp_path.parent / "evil.json"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("../evil.json", study)
        archive.writestr("/etc/evil.json", study.replace("1", "2"))
        archive.writestr("C:\\evil.json", study.replace("1", "3"))
    trials = list(CtgovFileSource(str(path)).trials(IngestContext()))
    assert len(trials) == 3, "nothing is unpacked to the disk, so that no name can lead astray"
    assert not outside.exists()
    rejected: list[tuple[str, str]] = []
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("big.json", b" " * (3 << 20))
    context = IngestContext(on_reject=lambda where, why: rejected.append((where, why)))
    assert len(list(CtgovFileSource(str(path)).trials(context))) == 3
    assert [where for where, _ in rejected] == ["big.json"]


def test_members_of_a_zip_that_share_their_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from trialindex_ctgov import files

    monkeypatch.setattr(files, "LIMIT", 1 << 20)
    path = tmp_path / "shared.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.json", json.dumps([{"x": "y" * 900_000}]))
        info = archive.infolist()[0]
        for number in range(60):
            twin = zipfile.ZipInfo(f"{number}.json")
            for name in ("header_offset", "compress_size", "file_size", "CRC", "compress_type", "flag_bits"):
                setattr(twin, name, getattr(info, name))
            archive.filelist.append(twin)
            archive.NameToInfo[twin.filename] = twin
        archive._didModify = True  # type: ignore[attr-defined]
    rejected: list[str] = []
    context = IngestContext(on_reject=lambda where, why: rejected.append(why))
    with within(60), pytest.raises(SourceError, match="holds no study"):
        list(CtgovFileSource(str(path)).trials(context))
    bombs = [why for why in rejected if why.endswith("times its size")]
    assert len(bombs) > 50


@pytest.mark.parametrize(
    ("text", "ending"),
    [
        ("[" * 200_000, ".json"),
        ('{"a":' * 100_000, ".json"),
        ("[" * 200_000, ".yaml"),
        ("- " * 100_000, ".yaml"),
        (
            "a: &a [x, x]\n" + "".join(f"b{n}: &b{n} [*{'a' if not n else f'b{n - 1}'}, *a]\n" for n in range(20)),
            ".yaml",
        ),
        ("a: &a [&b [*a]]", ".yaml"),
        ("\n".join(f"l{n}: &l{n} [{','.join([f'*l{n - 1}'] * 9 if n else ['x'] * 9)}]" for n in range(12)), ".yaml"),
        ("title: !!python/object/apply:os.system ['true']", ".yaml"),
        ("title: !<tag:yaml.org,2002:python/name:os.system> ''", ".yaml"),
        ("x = " + "[" * 100_000, ".toml"),
        ("a." * 3000 + "a = 1", ".toml"),
        ("x = 0x" + "f" * 100_000, ".toml"),
        ("9" * 100_000, ".json"),
        ('{"id": "A", "title": "t", "enrollment": ' + "9" * 5000 + "}", ".json"),
        ('{"id": "A", "title": "t", "sites": [{"latitude": 1' + "0" * 400 + "}]}", ".json"),
        ('{"id": "A", "title": "t", "minimum_age": NaN}', ".json"),
        ('{"id": "A", "title": "t", "sites": [{"latitude": Infinity}]}', ".json"),
        ('{"id": "A", "title": "t", "raw": {"x": "\\ud800"}}', ".json"),
    ],
)
def test_a_document_that_is_too_deep_or_odd_is_refused(text: str, ending: str) -> None:
    refused(lambda: read_all([parse(text, "f", ending)]), "^f")


def test_huge_fields_and_lists_of_a_source() -> None:
    big = "word " * 400_000
    record = {
        "identificationModule": {"nctId": "NCT00000001", "briefTitle": big},
        "eligibilityModule": {"eligibilityCriteria": "Inclusion Criteria:\n" + "* x\n" * 100_000},
        "contactsLocationsModule": {"locations": [{"city": "Lyon"}] * 100_000},
    }
    from trialindex.trial.prepare import prepare
    from trialindex_ctgov.parse import parse_study

    with within(60):
        trial = prepare(parse_study({"protocolSection": record}, "ctgov"))
        assert (len(trial.inclusion), len(trial.sites)) == (100_000, 100_000)
        encode(trial)


def test_a_file_of_bytes_that_are_no_utf_8(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    for bad in (b"\xff", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\x00"):
        path.write_bytes(b'[{"protocolSection": {"x": "' + bad + b'"}}]')
        refused(reading(path, CtgovFileSource), re.escape(str(path)))
        path.write_bytes(b'[{"protocolSection": {"x": "' + bad * (2 << 20) + b'"}}]')
        refused(reading(path, CtgovFileSource), re.escape(str(path)))


@pytest.mark.parametrize("header", ["²", "١", "1e9", "-5", "nan", "x" * 1000, "Wed, 99 Foo 2024 00:00:00 GMT"])
def test_odd_waits_that_a_server_asks_for(header: str) -> None:
    found = retry_after(header)
    assert found is None or found >= 0


def test_dates_and_ids_are_written_in_ascii() -> None:
    assert parse_values.normalise_date("٢٠٢٤-٠٥") == "2024-05"
    with pytest.raises(ValueError, match="is not a number"):
        parse_values.normalise_number(10**400)


# --- time -----------------------------------------------------------------------------------------------------------

UNITS = (
    *("a", "A", "a ", "Ab ", "1", "1.", "1 ", "1,", "1-", "1/", " ", "\t", "\n", "\r\n", " \n", "\n- ", "- ", "-", "_"),
    *("(", "((", ")", "[", "[](", "{", "<", "<a ", '"', "'", "\\", ". ", ".", ", ", ";", ":", "é", "e\u0301", "\u200d"),
    *(
        "a\u00ad",
        "/",
        "* ",
        "\n* ",
        "+",
        "=",
        "x@",
        "&",
        "&#",
        "&a;",
        "|",
        "\0",
        "a-",
        "a'",
        "M ",
        "F 1 ",
        "iv ",
        "\n1. ",
    ),
    *(
        "the ",
        "not ",
        "no ",
        "or no ",
        "mother ",
        "my mother ",
        "i am 34 ",
        "34-year-old ",
        "aged ",
        "male and female ",
    ),
    *("denies ", "family history ", "I live in A", "A, ", "pregnant ", "G1 P1 ", "lupus nephritis, ", "history of "),
    *("Inclusion Criteria: ", "\nExclusion Criteria:\n", "exclusion of ", "the key ", "non-", "eligibility ", "eight-"),
    *(
        "a@b.",
        "https://a.",
        "10 mg ",
        "up to ",
        "years ",
        "phase ",
        "I/II ",
        "2024-",
        "May 2024 ",
        "+1 ",
        "(1",
        "CD4+ ",
    ),
)
"""Repeated, these are what sends one regular expression or another back and forth."""


def _differs(text: str) -> None:
    from support.hostile_cases import filled
    from trialindex.changes import differences

    differences(filled("x"), filled("x", eligibility=text, inclusion=(text,), summary=text))


def _told(text: str) -> None:
    from support.hostile_cases import filled
    from trialindex_writers.plain import PlainWriter

    PlainWriter().write(filled("x", title=text, conditions=(text,), summary=text, why_stopped=text))


def _prompted(text: str) -> None:
    from support.hostile_cases import filled
    from trialindex_llm.prompt import messages

    messages(filled("x", summary=text, title=text))


def _single(text: str) -> None:
    for name in dir(parse_values):
        if name.startswith("normalise_"):
            with ours(ValueError):
                getattr(parse_values, name)(text)


def _judged(text: str) -> None:
    words = tokens.read_words(text)
    Context(words, [(0, 1, False)] if words.keys else [])


READERS: dict[str, Callable[[str], Any]] = {
    "person": person.read_person,
    "pregnancy": person.read_pregnancy,
    "place": places.read_home,
    "words": tokens.read_words,
    "keys": lambda text: list(tokens.name_variants(text)),
    "assertions": _judged,
    "clean": sanitize.paragraphs,
    "criteria": split_criteria,
    "values": _single,
    "markdown": escape,
    "differences": _differs,
    "plain words": _told,
    "prompt": _prompted,
}


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize(
    ("size", "seconds"), [(5_000, 2), pytest.param(100_000, 10, marks=pytest.mark.slow)], ids=["5 kB", "100 kB"]
)
def test_no_text_takes_long(reader: str, size: int, seconds: float) -> None:
    READERS[reader]("warm")
    for unit in UNITS:
        try:
            with within(seconds):
                READERS[reader]((unit * (size // len(unit) + 1))[:size] + "\x01 z")
        except AssertionError as problem:
            raise AssertionError(f"{unit!r} repeated: {problem}") from None


def test_a_place_that_cannot_be_read_is_one_error() -> None:
    for text in ("x" * 100_000, "1" * 50_000 + "," + "1" * 50_000, ", " * 50_000):
        with within(10), ours():
            places.find_place(text)


# --- what no module does --------------------------------------------------------------------------------------------

RUNS_CODE = {
    *("pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal", "code", "codeop"),
    *("torch.load", "numpy.load", "np.load", "yaml.load", "yaml.unsafe_load", "yaml.full_load", "pandas.read_pickle"),
    *("eval", "exec", "compile", "__import__", "execfile", "os.system", "os.popen"),
}


def _loads(tree: ast.AST) -> set[str]:
    """The modules that are imported and the functions that are called, of those above."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {(node.module or "").partition(".")[0], *(f"{node.module}.{alias.name}" for alias in node.names)}
        elif isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            safe = any(one.arg == "allow_pickle" and ast.unparse(one.value) == "False" for one in node.keywords)
            found |= set() if safe else {name}
            found |= {"allow_pickle"} if any(one.arg == "allow_pickle" for one in node.keywords) and not safe else set()
            found |= {"shell"} if any(one.arg == "shell" for one in node.keywords) else set()
            found |= {"remote code"} if "trust_remote_code=True" in ast.unparse(node) else set()
    return found & {*RUNS_CODE, "allow_pickle", "shell", "remote code"}


def test_nothing_that_runs_code_is_ever_read() -> None:
    found = {}
    for path in (*ROOT.glob("trialindex/**/*.py"), *ROOT.glob("plugins/**/*.py")):
        if loads := _loads(ast.parse(path.read_text(encoding="utf-8"))):
            found[path.relative_to(ROOT).as_posix()] = loads
    assert found == {}


def test_the_sweep_would_notice() -> None:
    bad = "import pickle\nimport numpy as np\nnp.load('x', allow_pickle=True)\neval('1')\nyaml.load(x)\ntorch.load(x)"
    assert _loads(ast.parse(bad)) >= {"pickle", "allow_pickle", "np.load", "eval", "yaml.load", "torch.load"}
    assert _loads(ast.parse("np.load('x', allow_pickle=False)\nre.compile('x')")) == set()


def test_the_samples_are_accepted() -> None:
    for trial in sample_trials():
        check_trial(trial)
    with pytest.raises(SourceError):
        read_all([parse("", "f", ".yaml")])

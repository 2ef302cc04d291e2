"""Reranking: the core's part with a fake, and cross-encoders of sentence-transformers on models made here."""

from __future__ import annotations

import math
import shutil
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from support.helpers import records_of, trial
from trialindex.errors import EncoderError, MissingExtra, PluginError
from trialindex.index import Index
from trialindex.plugin.interfaces import Reranker
from trialindex.plugin.registry import Plugins
from trialindex.search.rankings import Candidate
from trialindex.search.reranking import DEPTH, rerank, text_of
from trialindex.testing import FakeReranker, check_reranker
from trialindex.testing.samples import HOSTILE
from trialindex.trial.sanitize import UNSAFE
from trialindex_sentence_transformers.reranker import CrossEncoders

QUESTION = "home exercise lupus"


def found(index: Index, count: int = 12) -> list[Candidate]:
    """Candidates as retrieval gives them: trial *n* at place *n*, with falling scores."""
    nums = [num for (num,) in records_of(index).database.rows("SELECT num FROM trials ORDER BY id")]
    return [Candidate(num, 10.0 - at, {"lexical": 1.0}, None) for at, num in enumerate(nums[:count])]


class Given(Reranker):
    """Answers what a test tells it to."""

    name = "given"
    summary = "For tests."

    def __init__(self, answer: Any) -> None:
        super().__init__()
        self._answer = answer

    def score(self, query: str, texts: Sequence[str]) -> Sequence[float]:
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer(texts)  # type: ignore[no-any-return]


# --- the core -------------------------------------------------------------------------------------------------------


def test_the_first_are_put_in_the_rerankers_order_and_the_others_stay(index: Index) -> None:
    candidates = found(index)
    fake = FakeReranker()
    moved = rerank(QUESTION, candidates, fake, 4, records=records_of(index))
    assert moved[0].num == candidates[1].num, "EX-0002 is the trial of home exercise for lupus"
    assert [c.num for c in moved[1:4]] == [candidates[at].num for at in (0, 2, 3)], "of equals the first stays ahead"
    assert moved[4:] == candidates[4:]
    [(asked, texts)] = fake.asked
    assert asked == QUESTION
    assert len(texts) == 4
    assert texts[1].startswith("Home exercise for people with lupus nephritis. People of any age")


def test_scores_still_fall_and_parts_say_what_happened(index: Index) -> None:
    candidates = found(index)
    moved = rerank(QUESTION, candidates, FakeReranker(), 4, records=records_of(index))
    assert [c.score for c in moved] == [c.score for c in candidates]
    assert moved[0].parts == {"lexical": 1.0, "reranker": 1.0, "reranker_rank": 1}
    assert [c.parts["reranker_rank"] for c in moved[:4]] == [1, 2, 3, 4]
    assert "reranker" not in moved[4].parts
    assert candidates[0].parts == {"lexical": 1.0}, "what was given is not changed"


def test_every_candidate_is_there_once_whatever_the_depth(index: Index) -> None:
    candidates = found(index)
    for depth in (0, 1, 5, 12, DEPTH):
        moved = rerank(QUESTION, candidates, FakeReranker("reversed"), depth, records=records_of(index))
        assert sorted(c.num for c in moved) == sorted(c.num for c in candidates)
    assert rerank(QUESTION, [], FakeReranker(), records=records_of(index)) == []


def test_a_trial_that_was_removed_is_left_behind(index: Index) -> None:
    candidates = found(index)
    index.remove(["EX-0001"])
    moved = rerank(QUESTION, candidates, FakeReranker(), 3, records=records_of(index))
    assert [c.num for c in moved[:3]] == [candidates[at].num for at in (1, 2, 0)]
    assert "reranker" not in moved[2].parts
    assert [c.score for c in moved] == sorted((c.score for c in moved), reverse=True)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (lambda texts: [1.0], r"1 scores for 12 texts"),
        (lambda texts: [1.0] * 99, r"99 scores for 12 texts"),
        (lambda texts: [math.nan] * len(texts), "no finite numbers"),
        (lambda texts: [math.inf] * len(texts), "no finite numbers"),
        (lambda texts: ["lots"] * len(texts), "failed: ValueError"),
        (lambda texts: [[1.0, 2.0]] * len(texts), "failed: TypeError"),
        (lambda texts: None, "failed: TypeError"),
        (ZeroDivisionError(f"oh\n{HOSTILE}"), "failed: ZeroDivisionError: oh"),
    ],
)
def test_a_reranker_that_breaks_its_contract_is_named_in_one_line(index: Index, answer: Any, said: str) -> None:
    with pytest.raises(PluginError, match=f'the reranker "given".*{said}') as raised:
        rerank(QUESTION, found(index), Given(answer), records=records_of(index))
    assert not UNSAFE.search(str(raised.value))
    assert "\n" not in str(raised.value)


def test_an_error_of_ours_comes_through(index: Index) -> None:
    with pytest.raises(EncoderError, match=r"^the model is broken\.$"):
        rerank(QUESTION, found(index), Given(EncoderError("the model is broken.")), records=records_of(index))


def test_what_is_read_is_title_and_summary_clean_and_not_for_ever_long() -> None:
    assert text_of(trial(title="Walks?", summary="A  summary\n here.")) == "Walks? A summary here."
    assert text_of(trial(title="Walks", description="Told.")) == "Walks. Told."
    assert text_of(trial(title="Walks")) == "Walks."
    hostile = text_of(trial(title=f"Walks {HOSTILE}", summary="x" * 10_000_000, exclusion=("asthma",)))
    assert not UNSAFE.search(hostile)
    assert len(hostile) < 50_000
    assert "asthma" not in hostile


def test_a_spec_names_a_reranker() -> None:
    made = Plugins().rerankers.make("cross-encoder:somewhere") if _extra() else FakeReranker()
    assert isinstance(made, Reranker)
    with pytest.raises(PluginError, match=r'unknown reranker "cross-encode".*Did you mean "cross-encoder"'):
        Plugins().rerankers.make("cross-encode")


# --- the check ------------------------------------------------------------------------------------------------------


def test_the_fakes_keep_the_contract() -> None:
    check_reranker(FakeReranker())
    check_reranker(FakeReranker("reversed"))


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (lambda texts: [1.0], "numbers for 20 texts"),
        (lambda texts: [math.nan] * len(texts), "no finite number"),
        (lambda texts: ["1"] * len(texts), "no finite number"),
        (lambda texts: list(range(len(texts))), "in another order"),
        (lambda texts: [float(len(texts))] * len(texts), "alone"),
    ],
)
def test_the_check_finds_what_breaks_the_contract(answer: Any, said: str) -> None:
    with pytest.raises(AssertionError, match=said):
        check_reranker(Given(answer))


# --- cross-encoders -------------------------------------------------------------------------------------------------


def _extra() -> bool:
    try:
        import sentence_transformers  # noqa: F401
    except ImportError:
        return False
    return True


def make_model(home: Path, labels: int = 1) -> Path:
    """A cross-encoder with random weights, as the library itself saves it."""
    pytest.importorskip("sentence_transformers")
    import torch
    from sentence_transformers import CrossEncoder
    from transformers import BertConfig, BertForSequenceClassification, BertTokenizerFast

    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "lupus", "kidney", "severe"]
    words += [f"{mark}{chr(code)}" for code in range(ord("a"), ord("z") + 1) for mark in ("", "##")]
    (home / "vocab.txt").write_text("\n".join(words))
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(words),
        hidden_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=64,
        num_labels=labels,
        initializer_range=0.5,
    )
    BertForSequenceClassification(config).save_pretrained(home / "bert")
    BertTokenizerFast(str(home / "vocab.txt")).save_pretrained(home / "bert")
    CrossEncoder(str(home / "bert"), device="cpu").save(str(home / "model"), create_model_card=False)
    return home / "model"


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_model(tmp_path_factory.mktemp("tiny"))


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """No connection leaves this process; those that were tried are listed."""
    tried: list[Any] = []

    def refuse(*arguments: Any, **named: Any) -> Any:
        tried.append(arguments)
        raise OSError("no network in tests")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    return tried


def test_a_folder_keeps_the_contract_without_network(
    tiny: Path, offline: list[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    check_reranker(CrossEncoders(str(tiny)))
    assert offline == []
    assert capsys.readouterr() == ("", "")


def test_it_gives_the_models_own_order(tiny: Path, index: Index) -> None:
    from sentence_transformers import CrossEncoder

    candidates = found(index)
    moved = rerank(QUESTION, candidates, CrossEncoders(str(tiny)), records=records_of(index))
    texts = [text_of(stored.trial) for stored in records_of(index).load([c.num for c in moved])]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HF_HUB_OFFLINE", "1")
        exact = CrossEncoder(str(tiny), device="cpu").predict([(QUESTION, text) for text in texts])
    assert list(exact) == sorted(exact, reverse=True)
    assert len(set(exact)) > 6


def test_a_model_for_something_else_is_refused(tiny: Path, tmp_path: Path) -> None:
    three = make_model(tmp_path, labels=3)
    with pytest.raises(EncoderError, match="gives 3 numbers for a pair of texts"):
        CrossEncoders(str(three)).score("lupus", ["kidney"])
    other = tmp_path / "embeds"
    shutil.copytree(tiny, other)
    config = other / "config.json"
    config.write_text(config.read_text().replace("BertForSequenceClassification", "BertModel"))
    with pytest.raises(EncoderError, match=r"no cross-encoder: its config says BertModel"):
        CrossEncoders(str(other)).score("lupus", ["kidney"])


def test_pickled_weights_are_never_read(tiny: Path, tmp_path: Path) -> None:
    folder = tmp_path / "pickled"
    shutil.copytree(tiny, folder)
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(EncoderError, match=r"can run code when they are read: pytorch_model\.bin"):
        CrossEncoders(str(folder)).score("lupus", ["kidney"])


def test_a_damaged_model_is_one_line(tiny: Path, tmp_path: Path) -> None:
    folder = tmp_path / "damaged"
    shutil.copytree(tiny, folder)
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(EncoderError, match="cannot be loaded") as raised:
        CrossEncoders(str(folder)).score("lupus", ["kidney"])
    assert "\n" not in str(raised.value)


def test_an_unknown_model_without_network_is_one_line(
    offline: list[Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("sentence_transformers")
    constants = pytest.importorskip("huggingface_hub.constants")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(EncoderError, match=r'"somebody/else" is not on this machine .* cross-encoder:FOLDER'):
        CrossEncoders("somebody/else").score("lupus", ["kidney"])
    assert offline
    assert "downloading it from the Hugging Face hub" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("argument", "said"), [("", "which model"), ("a/b?query=x", "is not understood"), ("a/b?revision=", "understood")]
)
def test_a_spec_that_cannot_be_understood(argument: str, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: object())
    with pytest.raises(EncoderError, match=said):
        CrossEncoders(argument)


def test_without_the_package_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match=r'pip install "trialindex\[sentence-transformers\]"'):
        CrossEncoders("somebody/tiny")

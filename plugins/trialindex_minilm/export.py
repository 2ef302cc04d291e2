"""Make the model that trialindex ships from the published one.

    python -m trialindex_minilm.export sentence-transformers/all-MiniLM-L6-v2

The model is loaded with sentence-transformers and written as an ONNX graph of six transformer layers, mean pooling and
normalisation, for one text at a time. The weights become int8: those of each output channel share a scale, and so do
those of each word's embedding. Needs ``pip install "trialindex[sentence-transformers]" onnx``.

Two things keep the vectors near the original (see MODEL_CARD.md for figures):

- Some channels of the activations are far larger than the others, and would leave those few of the 256 steps of int8.
  Each channel is divided by the square root of its maximum over a few texts, and its weights are multiplied by it: the
  idea of SmoothQuant (Xiao et al. 2023, https://arxiv.org/abs/2211.10438), with a fixed strength.
- Weights use 7 of their 8 bits. Processors without VNNI add two products in 16 bits, and with 8 bits the sum overflows:
  the same text would get another vector on another machine.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trialindex.errors import EncoderError, MissingExtra, TrialIndexError
from trialindex.testing import sample_texts
from trialindex_minilm.encoder import MANIFEST, MODEL, TOKENIZER, MiniLM

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float32]

SOURCE = "sentence-transformers/all-MiniLM-L6-v2"
SOURCE_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
REVISION = "1"
"""Of this export. Raise it when the tokenizer or anything but the weights changes: the weights have their hash."""

MAX_TOKENS = 256
OPSET, IR_VERSION, CONTRIB = 18, 9, "com.microsoft"
LEVELS = 64
"""Weights are whole numbers from -64 to 64: 2 × 64 × 255 still fits 16 bits with sign."""


def main(arguments: list[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m trialindex_minilm.export",
        description="Make the int8 ONNX model that trialindex ships from all-MiniLM-L6-v2, and measure it.",
    )
    parser.add_argument(
        "model", nargs="?", default=SOURCE, help="folder of the model, or its name (default: %(default)s)"
    )
    parser.add_argument("--output", type=Path, default=Path(__file__).parent, help="folder to write to (default: here)")
    parser.add_argument("--texts", type=Path, help="file of texts to measure on, one a line (default: invented ones)")
    parser.add_argument(
        "--sha256", default=SOURCE_SHA256, help="what model.safetensors must hash to (default: %(default)s)"
    )
    given = parser.parse_args(arguments)
    try:
        texts = given.texts.read_text(encoding="utf-8").splitlines() if given.texts else sample_texts(seed=2)
        figures = export(given.model, given.output, sha256=given.sha256, texts=[text for text in texts if text.strip()])
    except (TrialIndexError, OSError) as problem:
        sys.exit(f"error: {problem}")
    print(json.dumps(figures, indent=2))


def export(model: str, output: Path, *, sha256: str, texts: list[str]) -> dict[str, Any]:
    """Write the model, the tokenizer and the manifest into *output*.

    :returns: how well the vectors of *texts* agree with sentence-transformers' own, as the manifest states it.
    :raises EncoderError: the weights are others than expected, or the model is not built like all-MiniLM-L6-v2.
    """
    import onnx

    folder = _folder(model)
    weights = folder / "model.safetensors"
    found = _sha256(weights)
    if found != sha256:
        raise EncoderError(
            f"the SHA-256 of {weights} is {found}, not {sha256}.", hint="For other weights, give theirs: --sha256"
        )
    original = _load(folder)
    network = Network(original)
    ranges = _ranges(network, original.tokenizer, sample_texts(seed=1))
    output.mkdir(parents=True, exist_ok=True)
    onnx.save(network.graph(ranges), str(output / MODEL))
    _write_tokenizer(folder / TOKENIZER, output / TOKENIZER)
    manifest: dict[str, Any] = {
        "revision": REVISION,
        "dimension": network.dimension,
        "max_tokens": MAX_TOKENS,
        "files": {
            name: {"bytes": (output / name).stat().st_size, "sha256": _sha256(output / name)}
            for name in (MODEL, TOKENIZER)
        },
        "source": {"name": SOURCE, "model.safetensors": found},
        "exported_with": {
            name: version(name) for name in ("sentence-transformers", "torch", "onnx", "onnxruntime", "numpy")
        },
    }
    _write_manifest(output, manifest)
    manifest["agreement"] = agreement(original, output, texts)
    _write_manifest(output, manifest)
    return dict(manifest["agreement"])


def agreement(original: Any, folder: Path, texts: list[str]) -> dict[str, Any]:
    """Compare the exported model with the original on *texts*.

    :returns: cosine of the two vectors of a text, and how many of a text's ten nearest neighbours are the same.
    """
    import numpy as np

    exact = original.encode(texts, normalize_embeddings=True, convert_to_numpy=True, show_progress_bar=False)
    ours = MiniLM(folder=folder).encode_documents(texts)
    cosines = (exact * ours).sum(axis=1)
    shared = [len(set(a) & set(b)) / 10 for a, b in zip(_neighbours(exact), _neighbours(ours), strict=True)]
    return {
        "texts": len(texts),
        "cosine_mean": round(float(cosines.mean()), 5),
        "cosine_min": round(float(cosines.min()), 5),
        "ten_neighbours_shared": round(float(np.mean(shared)), 3),
    }


def _neighbours(vectors: Array) -> list[list[int]]:
    import numpy as np

    products = vectors @ vectors.T
    np.fill_diagonal(products, -np.inf)
    return [list(row) for row in np.argsort(-products, axis=1)[:, :10]]


# --- the graph ------------------------------------------------------------------------------------------------------


class Network:
    """The layers of a BERT sentence encoder, to be drawn as ONNX.

    :param original: the sentence-transformers model.
    :raises EncoderError: it is built otherwise.
    """

    def __init__(self, original: Any) -> None:
        modules = [type(module).__name__ for module in original]
        config = original[0].auto_model.config
        built = [*modules, config.model_type, config.hidden_act, original[1].pooling_mode]
        expected = ["Transformer", "Pooling", "Normalize", "bert", "gelu", "mean"]
        if built != expected:
            raise EncoderError(f"the model is built of {', '.join(built)}; this script draws {', '.join(expected)}.")
        self.layers, self.heads = config.num_hidden_layers, config.num_attention_heads
        self.dimension, self.epsilon = config.hidden_size, config.layer_norm_eps
        self.weights: dict[str, Array] = {n: v.numpy() for n, v in original[0].auto_model.state_dict().items()}

    def graph(self, ranges: dict[str, Array] | None) -> Any:
        """The ONNX model: ``tokens`` (1, length) → ``vector`` (1, dimension).

        :param ranges: the largest input of each channel of each linear layer. Without it the model is in float32 and
            has those inputs as further outputs.
        """
        import numpy as np

        drawing, w = Drawing(self.weights, ranges), self.weights
        words = drawing.rows("words", w["embeddings.word_embeddings.weight"], "tokens")
        # The second of BERT's token types is never used, so the first is part of every position.
        positions = w["embeddings.position_embeddings.weight"] + w["embeddings.token_type_embeddings.weight"][0]
        first, axis = drawing.constant("first", np.array([0])), drawing.constant("axis", np.array([0]))
        length = drawing.node("Shape", ["tokens"], "length", start=1, end=2)
        places = drawing.node(
            "Slice", [drawing.constant("positions", positions[:MAX_TOKENS]), first, length, axis], "place"
        )
        state = drawing.node("Add", [words, places], "embedding")
        norm = [drawing.weight("embeddings.LayerNorm.weight"), drawing.weight("embeddings.LayerNorm.bias")]
        state = drawing.node("LayerNormalization", [state, *norm], "embedding.norm", epsilon=self.epsilon)
        for number in range(self.layers):
            state = self._layer(drawing, state, f"encoder.layer.{number}")
        mean = drawing.node("ReduceMean", [state, drawing.constant("sequence", np.array([1]))], "mean", keepdims=0)
        drawing.node("LpNormalization", [mean], "vector", p=2, axis=-1)
        return drawing.model(self.dimension)

    def _layer(self, drawing: Drawing, state: str, name: str) -> str:
        """One transformer layer."""
        attention = f"{name}.attention"
        parts = [f"{attention}.self.{part}" for part in ("query", "key", "value")]
        projected = drawing.linear(state, f"{attention}.self", parts)
        drawing.node("Split", [projected], *[f"{part}.out" for part in parts], axis=-1, num_outputs=3)
        heads = [f"{part}.out" for part in parts]
        mixed = drawing.node("MultiHeadAttention", heads, f"{attention}.mixed", contrib=True, num_heads=self.heads)
        out = drawing.linear(mixed, f"{attention}.output.dense")
        state = drawing.add_and_norm(out, state, f"{attention}.output.LayerNorm", self.epsilon)
        wide = drawing.linear(state, f"{name}.intermediate.dense", bias=False)
        bias = drawing.weight(f"{name}.intermediate.dense.bias")
        wide = drawing.node("BiasGelu", [wide, bias], f"{name}.intermediate.gelu", contrib=True)
        out = drawing.linear(wide, f"{name}.output.dense")
        return drawing.add_and_norm(out, state, f"{name}.output.LayerNorm", self.epsilon)


class Drawing:
    """An ONNX graph under construction. Every method adds nodes and returns the name of what they compute."""

    def __init__(self, weights: dict[str, Array], ranges: dict[str, Array] | None) -> None:
        self._weights, self._ranges = weights, ranges
        self._nodes: list[Any] = []
        self._constants: list[Any] = []
        self._inputs: dict[str, str] = {}

    def node(self, kind: str, inputs: list[str], *outputs: str, contrib: bool = False, **attributes: Any) -> str:
        from onnx import helper

        domain = CONTRIB if contrib else ""
        self._nodes.append(helper.make_node(kind, inputs, outputs, name=outputs[0], domain=domain, **attributes))
        return outputs[0]

    def constant(self, name: str, value: NDArray[Any]) -> str:
        import numpy as np
        from onnx import numpy_helper

        self._constants.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def weight(self, name: str) -> str:
        """A weight of the original as it is."""
        return self.constant(name, self._weights[name])

    def rows(self, name: str, table: Array, numbers: str) -> str:
        """Rows of a table; in int8 each row has its own scale."""
        if self._ranges is None:
            return self.node("Gather", [self.constant(name, table), numbers], f"{name}.rows")
        whole, scale = quantized(table, 127)
        rows = self.node("Gather", [self.constant(name, whole), numbers], f"{name}.whole")
        rows = self.node("Cast", [rows], f"{name}.float", to=1)
        scales = self.node("Gather", [self.constant(f"{name}.scale", scale[:, None]), numbers], f"{name}.scales")
        return self.node("Mul", [rows, scales], f"{name}.rows")

    def linear(self, state: str, name: str, parts: list[str] | None = None, *, bias: bool = True) -> str:
        """A linear layer, or several with the same input as one."""
        import numpy as np

        parts = parts or [name]
        weight = np.concatenate([self._weights[f"{part}.weight"] for part in parts])
        biases = np.concatenate([self._weights[f"{part}.bias"] for part in parts])
        if self._ranges is None:
            self._inputs[name] = state
            out = self.node("MatMul", [state, self.constant(f"{name}.weight", weight.T)], f"{name}.product")
            return self.node("Add", [out, self.constant(f"{name}.added", biases)], f"{name}.out") if bias else out
        smooth = smoothing(self._ranges[name])
        whole, scale = quantized(weight * smooth, LEVELS)
        state = self.node("Mul", [state, self.constant(f"{name}.smooth", 1 / smooth)], f"{name}.in")
        zero = self.constant(f"{name}.zero", np.zeros(len(scale), dtype=np.int8))
        inputs = [state, self.constant(f"{name}.weight", whole.T), self.constant(f"{name}.scale", scale), zero]
        inputs += [self.constant(f"{name}.added", biases)] if bias else []
        return self.node("DynamicQuantizeMatMul", inputs, f"{name}.out", contrib=True)

    def add_and_norm(self, one: str, other: str, name: str, epsilon: float) -> str:
        inputs = [one, other, self.weight(f"{name}.weight"), self.weight(f"{name}.bias")]
        return self.node("SkipLayerNormalization", inputs, f"{name}.out", contrib=True, epsilon=epsilon)

    def model(self, dimension: int) -> Any:
        from onnx import TensorProto, helper

        outputs = [helper.make_tensor_value_info("vector", TensorProto.FLOAT, [1, dimension])]
        for name, state in self._inputs.items():
            self.node("Identity", [state], f"{name}.range")
            outputs.append(helper.make_tensor_value_info(f"{name}.range", TensorProto.FLOAT, None))
        tokens = helper.make_tensor_value_info("tokens", TensorProto.INT64, [1, "length"])
        graph = helper.make_graph(self._nodes, "minilm", [tokens], outputs, self._constants)
        opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid(CONTRIB, 1)]
        return helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION, producer_name="trialindex")


def quantized(table: Array, levels: int) -> tuple[NDArray[np.int8], Array]:
    """Rows as whole numbers from ``-levels`` to ``levels``, and the scale of each row."""
    import numpy as np

    scale = np.abs(table).max(axis=1) / levels
    scale[scale == 0] = 1
    return np.rint(table / scale[:, None]).astype(np.int8), scale.astype(np.float32)


def smoothing(largest: Array) -> Array:
    """What each channel is divided by. Powers of two in steps of an eighth, so that the last bits of a machine's float
    arithmetic do not show in the file."""
    import numpy as np

    return np.asarray(2 ** (np.rint(4 * np.log2(np.maximum(largest, 1e-3))) / 8), dtype=np.float32)


def _ranges(network: Network, tokenizer: Any, texts: list[str]) -> dict[str, Array]:
    """The largest input, without its sign, of each channel of each linear layer over *texts*."""
    import numpy as np
    import onnxruntime

    session = onnxruntime.InferenceSession(network.graph(None).SerializeToString(), providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()][1:]
    largest: dict[str, Array] = {}
    for text in texts:
        tokens = np.array([tokenizer(text, truncation=True, max_length=MAX_TOKENS)["input_ids"]], dtype=np.int64)
        for name, state in zip(names, session.run(names, {"tokens": tokens}), strict=True):
            found = np.abs(state).max(axis=(0, 1))
            key = name.removesuffix(".range")
            largest[key] = np.maximum(largest.get(key, 0), found)
    return largest


# --- files ----------------------------------------------------------------------------------------------------------


def _folder(model: str) -> Path:
    if Path(model).is_dir():
        return Path(model)
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    wanted = ["*.json", "*.txt", "model.safetensors", "1_Pooling/*"]
    try:
        return Path(snapshot_download(model, allow_patterns=wanted))
    except (HfHubHTTPError, HFValidationError, LocalEntryNotFoundError) as problem:
        raise EncoderError(f'"{model}" is no folder, and cannot be fetched: {problem}') from None


def _load(folder: Path) -> Any:
    try:
        from sentence_transformers import SentenceTransformer
    except ImportError:
        raise MissingExtra(
            "the export needs sentence-transformers.", hint='Type: pip install "trialindex[sentence-transformers]" onnx'
        ) from None
    return SentenceTransformer(str(folder), device="cpu", local_files_only=True)


def _write_tokenizer(source: Path, target: Path) -> None:
    """The tokenizer, cutting at :data:`MAX_TOKENS` and never padding."""
    tokenizer = json.loads(source.read_text(encoding="utf-8"))
    cut = {"direction": "Right", "max_length": MAX_TOKENS, "strategy": "LongestFirst", "stride": 0}
    tokenizer |= {"truncation": cut, "padding": None, "decoder": None}
    target.write_text(json.dumps(tokenizer, ensure_ascii=False, separators=(",", ":")), encoding="utf-8")


def _write_manifest(folder: Path, manifest: dict[str, Any]) -> None:
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


if __name__ == "__main__":
    main()

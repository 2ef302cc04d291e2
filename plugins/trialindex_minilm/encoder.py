"""all-MiniLM-L6-v2 on the CPU, run by onnxruntime without torch.

Every text is run on its own, one thread a text. On a CPU that is as fast as batches, nothing is spent on padding, and
since int8 activations are scaled by the largest number in a run, a text's vector does not depend on its neighbours.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trialindex.errors import EncoderError
from trialindex.plugin.interfaces import Encoder, EncoderIdentity

if TYPE_CHECKING:
    from trialindex.plugin.interfaces import Ids, Vectors

MODEL, TOKENIZER, MANIFEST = "model.onnx", "tokenizer.json", "manifest.json"
REINSTALL = "Install trialindex again."
_NAME, _REMEMBERED = 60, 4_096
"""Characters of a text whose vector is remembered, and how many are, of 1.5 KB each."""
_MAX_CHARACTERS = 16_384
"""More of a text is not tokenised: 256 tokens of any language end long before."""


class MiniLM(Encoder):
    """all-MiniLM-L6-v2 (English, 384 dimensions, the first 256 tokens of a text), int8, for any CPU.

    :param argument: must be empty.
    :param batch_size: texts between two reports of progress; the vectors do not depend
        on it.
    :param device: only ``cpu``.
    :param folder: where the model's files are, if not in this package.
    """

    name = "minilm"
    summary = "all-MiniLM-L6-v2, shipped with trialindex: English, any CPU, nothing to download."

    def __init__(
        self,
        argument: str = "",
        *,
        device: str | None = None,
        batch_size: int | None = None,
        folder: Path = Path(__file__).parent,
    ) -> None:
        super().__init__(argument)
        other = "--encoder sentence-transformers:sentence-transformers/all-MiniLM-L6-v2"
        if argument:
            raise EncoderError(
                f'minilm is one model and takes no argument; "{argument}" was given.', hint="Write: minilm"
            )
        if device not in (None, "cpu"):
            raise EncoderError(f'minilm runs on the cpu, not on "{device}".', hint=f"For other devices: {other}")
        if batch_size is not None and batch_size < 1:
            raise EncoderError(f"batch_size is {batch_size}; it must be 1 or more.")
        self._batch_size = batch_size or 256
        self._folder = folder
        self._names: dict[str, Vectors] = {}

    @property
    def identity(self) -> EncoderIdentity:
        """Read from the manifest; the model is not loaded."""
        manifest = self._manifest
        return EncoderIdentity(
            spec=self.name,
            revision=manifest["revision"],
            sha256=manifest["files"][MODEL]["sha256"],
            dimension=manifest["dimension"],
        )

    def encode_documents(self, texts: Sequence[str], progress: Callable[[int], None] | None = None) -> Vectors:
        from concurrent.futures import ThreadPoolExecutor

        import numpy as np

        session = self._session

        def vector(tokens: Ids) -> Vectors:
            found: Vectors = session.run(None, {"tokens": tokens})[0][0]
            return found

        vectors = np.empty((len(texts), self.identity.dimension), dtype=np.float32)
        with ThreadPoolExecutor(_cores()) as threads:
            run = threads.map if len(texts) > 1 else map
            for start in range(0, len(texts), self._batch_size):
                batch = self._tokenized(texts[start : start + self._batch_size])
                for row, found in enumerate(run(vector, batch), start=start):
                    vectors[row] = found
                if progress is not None:
                    progress(len(batch))
        return vectors

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        """The same as for documents, since this model has no prompts.

        Short texts are remembered: they are names, which come back from question to question.
        """
        import numpy as np

        names = self._names
        new = [text for text in dict.fromkeys(texts) if text not in names]
        found = dict(zip(new, self.encode_documents(new), strict=True))
        vectors = [found[text] if text in found else names[text] for text in texts]
        for text in new:
            if len(text) <= _NAME:
                if len(names) >= _REMEMBERED:
                    names.clear()
                names[text] = found[text].copy()
        return np.array(vectors, dtype=np.float32).reshape(len(texts), self.identity.dimension)

    def verify(self) -> None:
        """Read every byte of the model's files.

        :raises EncoderError: one is not as it was shipped.
        """
        for name, expected in self._manifest["files"].items():
            with self._checked(name).open("rb") as file:
                if hashlib.file_digest(file, "sha256").hexdigest() != expected["sha256"]:
                    raise EncoderError(f"{self._folder / name} is damaged: its SHA-256 is wrong.", hint=REINSTALL)

    # ------------------------------------------------------------------------------------------------------------------

    @cached_property
    def _manifest(self) -> dict[str, Any]:
        try:
            manifest: dict[str, Any] = json.loads((self._folder / MANIFEST).read_text(encoding="utf-8"))
        except (OSError, ValueError) as problem:
            raise EncoderError(f"{self._folder / MANIFEST} cannot be read: {problem}.", hint=REINSTALL) from None
        return manifest

    def _checked(self, name: str) -> Path:
        """The path of a file that has the size it was shipped with: a full check would cost a query 15 ms."""
        path, expected = self._folder / name, self._manifest["files"][name]["bytes"]
        try:
            size = path.stat().st_size
        except OSError as problem:
            raise EncoderError(f"{path} cannot be read: {problem.strerror}.", hint=REINSTALL) from None
        if size != expected:
            raise EncoderError(f"{path} is damaged: it has {size:,} bytes, not {expected:,}.", hint=REINSTALL)
        return path

    @cached_property
    def _tokenizer(self) -> Any:
        from tokenizers import Tokenizer

        path = self._checked(TOKENIZER)
        try:
            return Tokenizer.from_file(str(path))
        except Exception as problem:  # noqa: BLE001  # tokenizers raises plain Exception
            raise EncoderError(f"{path} cannot be loaded: {problem}.", hint=REINSTALL) from None

    @cached_property
    def _session(self) -> Any:
        import onnxruntime

        path = self._checked(MODEL)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        try:
            return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        except Exception as problem:  # noqa: BLE001  # onnxruntime's errors share no base class
            raise EncoderError(f"{path} cannot be loaded: {problem}.", hint=REINSTALL) from None

    def _tokenized(self, texts: Sequence[str]) -> list[Ids]:
        import numpy as np

        # Half of a surrogate pair, which JSON may hold, cannot be tokenised; it becomes a question mark.
        readable = [text[:_MAX_CHARACTERS].encode("utf-8", "replace").decode() for text in texts]
        return [np.array([encoding.ids], dtype=np.int64) for encoding in self._tokenizer.encode_batch_fast(readable)]


def _cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1

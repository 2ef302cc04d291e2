"""Any model of the sentence-transformers family, with torch."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlencode

from trialindex.errors import EncoderError, MissingExtra, nearest
from trialindex.plugin.interfaces import Encoder, EncoderIdentity

if TYPE_CHECKING:
    from trialindex.plugin.interfaces import Vectors

INSTALL = 'Type: pip install "trialindex[sentence-transformers]"'
SETTINGS = ("revision", "query", "document")
_MAX_CHARACTERS = 100_000
_BATCHES_PER_REPORT = 4


class SentenceTransformers(Encoder):
    """A model by its name at the Hugging Face hub, or the folder it is in.

    What changes the vectors is part of the spec, so that an index can ask for the same model again:
    ``sentence-transformers:intfloat/e5-small-v2?query=query:+&document=passage:+``. Without it a model's own prompts
    are used, those that its makers put into its files.

    :param argument: ``NAME`` or ``FOLDER``, then ``?`` and any of ``revision``, ``query`` and ``document`` (what is put
        before each text), written as in a web address.
    :param device: ``cpu``, ``cuda``, ``mps`` …; without it the best there is.
    :param batch_size: texts at a time; without it 32, on a GPU 128.
    :param revision: commit, tag or branch at the hub.
    :param prompts: ``{"query": …, "document": …}``.
    :raises MissingExtra: sentence-transformers is not installed.
    :raises EncoderError: the spec cannot be understood.
    """

    name = "sentence-transformers"
    summary = "Any sentence-transformers model, by its name at the hub or its folder."

    def __init__(
        self,
        argument: str = "",
        *,
        device: str | None = None,
        batch_size: int | None = None,
        revision: str | None = None,
        prompts: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(argument)
        if importlib.util.find_spec("sentence_transformers") is None:
            raise MissingExtra("the encoder sentence-transformers needs a package that is not installed.", hint=INSTALL)
        if batch_size is not None and batch_size < 1:
            raise EncoderError(f"batch_size is {batch_size}; it must be 1 or more.")
        self._model_name, settings = _parsed(argument)
        settings |= {"revision": revision} if revision else {}
        for kind, prompt in (prompts or {}).items():
            if kind not in ("query", "document"):
                raise EncoderError(f'unknown prompt "{kind}".', hint=nearest(kind, ("query", "document")))
            settings[kind] = prompt
        self._settings = settings
        self._device, self._batch_size = device, batch_size

    @cached_property
    def identity(self) -> EncoderIdentity:
        """Loads the model, which alone knows its dimension."""
        from trialindex_sentence_transformers.files import sha256

        folder, commit = self._located
        settings = {key: self._settings[key] for key in SETTINGS if key in self._settings}
        name = self._model_name if commit else str(folder.resolve())
        return EncoderIdentity(
            spec=f"{self.name}:{name}" + (f"?{urlencode(settings)}" if settings else ""),
            revision=commit,
            sha256=sha256(folder),
            dimension=_dimension(self._model),
        )

    @property
    def max_words(self) -> int:
        """Seven words for ten tokens, as clinical English has them."""
        return max(1, int(0.7 * (self._model.max_seq_length or 512)))

    @property
    def multilingual(self) -> bool:
        """Whether its makers say so: the card of the model lists several languages."""
        from trialindex_sentence_transformers.files import is_multilingual

        return is_multilingual(self._located[0])

    def encode_documents(self, texts: Sequence[str], progress: Callable[[int], None] | None = None) -> Vectors:
        return self._encoded(self._model.encode_document, texts, self._settings.get("document"), progress)

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        return self._encoded(self._model.encode_query, texts, self._settings.get("query"), None)

    # ------------------------------------------------------------------------------------------------------------------

    def _encoded(
        self,
        encode: Callable[..., Any],
        texts: Sequence[str],
        prompt: str | None,
        progress: Callable[[int], None] | None,
    ) -> Vectors:
        import numpy as np

        vectors = np.empty((len(texts), _dimension(self._model)), dtype=np.float32)
        readable = [tokenizable(text) for text in texts]
        order = sorted(range(len(texts)), key=lambda row: -len(readable[row]))  # alike lengths: little padding
        size = self._batch_size or (32 if self._model.device.type == "cpu" else 128)
        for start in range(0, len(order), size * _BATCHES_PER_REPORT):
            rows = order[start : start + size * _BATCHES_PER_REPORT]
            try:
                vectors[rows] = encode(
                    [readable[row] for row in rows],
                    prompt=prompt,
                    batch_size=size,
                    show_progress_bar=False,
                    convert_to_numpy=True,
                    normalize_embeddings=True,
                )
            except RuntimeError as problem:  # torch: out of memory, an operation the device lacks
                raise EncoderError(
                    f"{self._model_name} failed on {self._model.device}: {first_line(problem)}",
                    hint="Try a smaller batch_size, or the device cpu.",
                ) from None
            if progress is not None:
                progress(len(rows))
        return vectors

    @cached_property
    def _located(self) -> tuple[Path, str]:
        from trialindex_sentence_transformers.files import find

        return find(self._model_name, self._settings.get("revision"))

    @cached_property
    def _model(self) -> Any:
        folder, _ = self._located
        with quiet():
            from sentence_transformers import SentenceTransformer

            if self._device:
                _require_device(self._device)
            try:
                return SentenceTransformer(
                    str(folder), device=self._device, local_files_only=True, trust_remote_code=False
                ).eval()
            except Exception as problem:  # noqa: BLE001  # a damaged file, an unknown device or architecture
                on = f" on {self._device}" if self._device else ""
                raise EncoderError(
                    f'the model "{self._model_name}" cannot be loaded{on}: {first_line(problem)}',
                    hint="Is the device there, and the model whole?",
                ) from None


def _parsed(argument: str) -> tuple[str, dict[str, str]]:
    """The name of the model and its settings."""
    if Path(argument).is_dir():
        name, _, tail = argument, "", ""
    else:
        name, _, tail = argument.partition("?")
    if not name:
        raise EncoderError("which model?", hint="Write: sentence-transformers:OWNER/NAME, or a folder.")
    try:
        given = parse_qs(tail, keep_blank_values=True, strict_parsing=True) if tail else {}
    except ValueError:
        raise EncoderError(
            f'"{tail}" is not understood.', hint="Write: NAME?revision=…&query=…&document=…, as in a web address."
        ) from None
    for key, values in given.items():
        if key not in SETTINGS:
            raise EncoderError(f'unknown setting "{key}" of the model {name}.', hint=nearest(key, SETTINGS))
        if len(values) > 1:
            raise EncoderError(f'the setting "{key}" is given {len(values)} times.')
    return name, {key: values[0] for key, values in given.items()}


def _require_device(name: str) -> None:
    """Make sure that the device can be used.

    :raises EncoderError: torch knows no such device, or this machine has none.
    """
    import torch

    try:
        torch.empty(0, device=name).cpu()
    except Exception:  # noqa: BLE001  # torch has an error of its own for each device, some are assertions
        kinds = [kind for kind, module in (("cuda", torch.cuda), ("mps", torch.backends.mps)) if module.is_available()]
        raise EncoderError(
            f'there is no device "{name}" that torch can use on this machine.',
            hint=f"There is: {', '.join(['cpu', *kinds])}. Without a device the best one is taken.",
        ) from None


def _dimension(model: Any) -> int:
    """Of a vector; the method was renamed in sentence-transformers 6."""
    newest = getattr(model, "get_embedding_dimension", None) or model.get_sentence_embedding_dimension
    dimension = newest()
    if not dimension:
        raise EncoderError("the model does not say of which dimension its vectors are.")
    return int(dimension)


def tokenizable(text: str) -> str:
    """The text as tokenizers take it: no half of a surrogate pair, and not for ever long."""
    return text[:_MAX_CHARACTERS].encode("utf-8", "replace").decode()


def first_line(problem: Exception) -> str:
    """What an exception of torch or transformers says first; the rest is for their makers."""
    text = str(problem).strip() or type(problem).__name__
    return text.splitlines()[0].rstrip(".") + "."


@contextmanager
def quiet() -> Iterator[None]:
    """Without the bars that transformers draws while it loads weights."""
    from transformers.utils import logging

    drawn = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if drawn:
            logging.enable_progress_bar()

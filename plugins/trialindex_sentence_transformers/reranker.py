"""Any cross-encoder of the sentence-transformers family, with torch."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from trialindex.errors import EncoderError, MissingExtra
from trialindex.plugin.interfaces import Reranker
from trialindex_sentence_transformers.encoder import INSTALL, first_line, quiet, tokenizable

_BATCH = 16


class CrossEncoders(Reranker):
    """A model by its name at the Hugging Face hub, or the folder it is in: ``cross-encoder:FOLDER``.

    A folder, or a model in the hub's cache, is used without any network; a name that is in neither is downloaded once.

    :param argument: ``NAME``, ``NAME?revision=…`` or ``FOLDER``.
    :raises MissingExtra: sentence-transformers is not installed.
    :raises EncoderError: no model is named.
    """

    name = "cross-encoder"
    summary = "Any cross-encoder of sentence-transformers, by its name at the hub or its folder."

    def __init__(self, argument: str = "") -> None:
        super().__init__(argument)
        if importlib.util.find_spec("sentence_transformers") is None:
            raise MissingExtra("the reranker cross-encoder needs a package that is not installed.", hint=INSTALL)
        self._model_name, _, revision = (argument, "", "") if Path(argument).is_dir() else argument.partition("?")
        if not self._model_name:
            raise EncoderError("which model?", hint=f"Write: {self.name}:OWNER/NAME, or a folder.")
        setting, _, self._revision = revision.partition("=")
        if revision and (setting != "revision" or not self._revision):
            raise EncoderError(f'"{revision}" is not understood.', hint=f"Write: {self.name}:NAME?revision=COMMIT")

    def score(self, query: str, texts: Sequence[str]) -> Sequence[float]:
        """The model's raw output for each pair, longest pairs first so that little is padded."""
        if not texts:
            return []
        asked = tokenizable(query)
        pairs = [(asked, tokenizable(text)) for text in texts]
        try:
            scores = self._model.predict(pairs, batch_size=_BATCH, show_progress_bar=False, convert_to_numpy=True)
        except RuntimeError as problem:  # torch: out of memory, an operation the device lacks
            raise EncoderError(
                f"{self._model_name} failed on {self._model.device}: {first_line(problem)}",
                hint="Rerank fewer candidates, or use a smaller model.",
            ) from None
        return [float(score) for score in scores]

    @cached_property
    def _model(self) -> Any:
        from trialindex_sentence_transformers.files import find

        folder, _ = find(self._model_name, self._revision or None, self.name)
        _refuse_other_models(folder, self._model_name)
        with quiet():
            import torch
            from sentence_transformers import CrossEncoder

            try:
                model = CrossEncoder(
                    str(folder),
                    local_files_only=True,
                    trust_remote_code=False,
                    # Its own activation, which it names as a piece of code, changes no order.
                    activation_fn=torch.nn.Identity(),
                ).eval()
            except Exception as problem:  # noqa: BLE001  # a damaged file, an unknown architecture
                raise EncoderError(
                    f'the model "{self._model_name}" cannot be loaded: {first_line(problem)}', hint="Is it whole?"
                ) from None
        if model.num_labels != 1:
            raise EncoderError(
                f'"{self._model_name}" gives {model.num_labels} numbers for a pair of texts; a reranker gives one.',
                hint="Name a cross-encoder that was made for ranking.",
            )
        return model


def _refuse_other_models(folder: Path, name: str) -> None:
    """Of a model that has no head for pairs, the library would make one up, at random.

    :raises EncoderError: it is another kind of model.
    """
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        kinds = [str(kind) for kind in config.get("architectures") or ()]
        modules = folder / "modules.json"
        own_head = modules.is_file() and "sentence_transformers.cross_encoder" in modules.read_text(encoding="utf-8")
    except (OSError, ValueError, TypeError, AttributeError) as problem:
        raise EncoderError(f"{folder / 'config.json'} cannot be read: {problem}.") from None
    if not own_head and not any(kind.endswith("ForSequenceClassification") for kind in kinds):
        raise EncoderError(
            f'"{name}" is no cross-encoder: its config says {", ".join(kinds) or "nothing of what it is"}.',
            hint="An embedding model is named with --encoder when an index is made.",
        )

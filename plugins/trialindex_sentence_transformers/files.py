"""Where a model's files are: in a folder, in the hub's cache, or, only when they are in neither, at the hub."""

from __future__ import annotations

import hashlib
import json
import re
import sys
from pathlib import Path

from trialindex.errors import EncoderError

_UNUSED = ["*.bin", "*.pt", "*.pth", "*.pkl", "*.h5", "*.msgpack", "*.ot", "*.onnx", "*.gguf"]
_UNUSED += ["onnx/*", "openvino/*", "coreml/*", "*.md", "*.png"]
"""What repositories hold beside the weights as safetensors."""


def find(name: str, revision: str | None, plugin: str = "sentence-transformers") -> tuple[Path, str]:
    """The folder of a model, and its commit at the hub, ``""`` where that is not known.

    A folder or a model in the cache is used without asking the hub.

    :param plugin: what stands before the colon of the spec, for messages.
    :raises EncoderError: there is no such model, or no way to it.
    """
    if Path(name).is_dir():
        if revision:
            raise EncoderError(f"{name} is a folder: it has no revision.", hint="Leave revision out.")
        folder, commit = Path(name), ""
    else:
        folder = _cached(name, revision, plugin) or _downloaded(name, revision, plugin)
        commit = folder.name
    _refuse_pickles(folder, name)
    if not _complete(folder):
        raise EncoderError(
            f'"{name}" is not a whole sentence-transformers model: {folder} lacks its config or weights (safetensors).'
        )
    _refuse_code(folder, name)
    return folder, commit


def weights(folder: Path) -> list[Path]:
    """The files of the weights, of the folder and of the modules in it."""
    found = folder.glob("**/*.safetensors")
    return sorted(p for p in found if not {"onnx", "openvino"} & set(p.relative_to(folder).parts))


def sha256(folder: Path) -> str:
    """The hash of all weights: of each file's path and hash, in the order of the paths."""
    whole = hashlib.sha256()
    for path in weights(folder):
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        whole.update(f"{path.relative_to(folder).as_posix()} {digest}\n".encode())
    return whole.hexdigest()


def _cached(name: str, revision: str | None, plugin: str) -> Path | None:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    try:
        folder = Path(snapshot_download(name, revision=revision, local_files_only=True))
    except HFValidationError:
        raise EncoderError(
            f'"{name}" is neither a folder nor the name of a model.', hint=f"Write: {plugin}:OWNER/NAME"
        ) from None
    except LocalEntryNotFoundError:
        return None
    return folder if _complete(folder) else None


def _downloaded(name: str, revision: str | None, plugin: str) -> Path:
    from huggingface_hub import snapshot_download

    print(f"{name} is not on this machine yet: downloading it from the Hugging Face hub.", file=sys.stderr)
    try:
        return Path(snapshot_download(name, revision=revision, ignore_patterns=_UNUSED))
    except Exception as problem:  # noqa: BLE001  # of the hub, of its HTTP client, of the disk: they share no base class
        reason = str(problem).strip().splitlines()[0] if str(problem).strip() else type(problem).__name__
        raise EncoderError(
            f'the model "{name}" is not on this machine and cannot be fetched: {reason.rstrip(".")}.',
            hint=f"Check the name and the network, or give the folder of a model: {plugin}:FOLDER",
        ) from None


def _complete(folder: Path) -> bool:
    return any((folder / name).is_file() for name in ("modules.json", "config.json")) and bool(weights(folder))


def _refuse_pickles(folder: Path, name: str) -> None:
    """Older files of weights are pickles, which can run code when read; safetensors hold numbers and no more."""
    for path in sorted(folder.glob("**/pytorch_model*.bin")):
        if not any(path.parent.glob("*.safetensors")):
            raise EncoderError(
                f'"{name}" has weights that can run code when they are read: {path.relative_to(folder)}, a pickle.',
                hint="Ask its maker for model.safetensors, or save it as such with sentence-transformers.",
            )


def _refuse_code(folder: Path, name: str) -> None:
    """Some versions of sentence-transformers run Python code that lies in a model's folder; we never do."""
    try:
        modules = json.loads((folder / "modules.json").read_text(encoding="utf-8"))
        kinds = [str(module["type"]) for module in modules]
    except FileNotFoundError:
        return
    except (OSError, ValueError, TypeError, KeyError) as problem:
        raise EncoderError(f"{folder / 'modules.json'} cannot be read: {problem}.") from None
    for kind in kinds:
        if not kind.startswith("sentence_transformers."):
            raise EncoderError(f'"{name}" needs code of its own ({kind}), which trialindex does not run.')


def is_multilingual(folder: Path) -> bool:
    """Whether the card in a model's folder, ``README.md`` with YAML before its text, lists several languages."""
    try:
        card = (folder / "README.md").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    head = card.split("\n---", 1)[0] if card.startswith("---") else ""
    listed = re.search(r"^language:(.*(?:\n\s*-.*)*)", head, re.MULTILINE)
    languages = set(re.findall(r"[A-Za-z][\w-]*", listed[1])) if listed else set()
    return "multilingual" in languages or len(languages) > 1

"""The bundled sample: some two hundred real trials, to try every command on before building an index."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from pathlib import Path

from trialindex.errors import TrialIndexError
from trialindex.index import Index
from trialindex.plugin import registry
from trialindex.plugin.progress import ProgressListener
from trialindex.plugin.registry import Plugins
from trialindex.storage import manifest
from trialindex.storage.files import storage_errors
from trialindex.storage.schema import SCHEMA
from trialindex.trial.passages import VERSION as PASSAGES


def sample_data() -> Path:
    """The folder with the sample's trials, in a checkout or in the installed package."""
    package = Path(__file__).parent
    for folder in (package / "sample_data", package.parent / "indexes" / "sample"):
        if folder.is_dir():
            return folder
    raise TrialIndexError("the sample is missing from this installation.", hint="Install trialindex again.")


def sample_index(listener: ProgressListener | None = None, plugins: Plugins | None = None) -> Index:
    """The sample as an index; built in the user's cache folder the first time, which takes a few seconds.

    :param listener: told when it is built.
    :param plugins: where the encoder and the source are looked up; those of this process unless given.
    :raises StorageError: the cache folder cannot be written.
    """
    from platformdirs import user_cache_path

    plugins = plugins or registry.plugins()
    data = sample_data()
    home = user_cache_path("trialindex") / "sample"
    folder = home / _fingerprint(data, plugins)
    if not manifest.is_index(folder):
        if listener is not None:
            listener.note("Building the sample index. This happens once and takes some seconds.")
        _build(folder, data, plugins)
        for old in home.iterdir():
            if old != folder and not old.name.startswith("."):
                shutil.rmtree(old, ignore_errors=True)
    return Index.open(folder, plugins=plugins)


def _build(folder: Path, data: Path, plugins: Plugins) -> None:
    """Build aside, then put in place: an interrupted or a second build does no harm."""
    with storage_errors(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
        aside = Path(tempfile.mkdtemp(prefix=".new-", dir=folder.parent))
        try:
            with Index.create(aside, plugins=plugins) as index:
                if index.ingest(f"manual:{data}").stopped:
                    raise KeyboardInterrupt  # half a sample is none
            try:
                aside.rename(folder)
            except OSError:
                if not manifest.is_index(folder):  # else another process was faster
                    raise
        finally:
            shutil.rmtree(aside, ignore_errors=True)


def _fingerprint(data: Path, plugins: Plugins) -> str:
    """Changes with the sample's trials, the default encoder and the way trials are cut and stored."""
    identity = plugins.encoders.make("minilm").identity
    digest = hashlib.sha256(f"{manifest.FORMAT} {SCHEMA} {PASSAGES} {identity}".encode())
    for path in sorted(data.glob("*.yaml")):
        stat = path.stat()
        digest.update(f"{path.name} {stat.st_size} {stat.st_mtime_ns}".encode())
    return digest.hexdigest()[:16]

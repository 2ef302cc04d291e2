"""The vocabularies that can be used now, and what is compiled from them once and kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from trialindex.concepts import tokens
from trialindex.errors import PluginError
from trialindex.plugin.interfaces import Concept, Vocabulary
from trialindex.plugin.terms import Edition
from trialindex.plugin.vocabulary_entries import Abbreviation, Association, Biomarker, Translation

if TYPE_CHECKING:
    from trialindex.plugin.registry import Plugins

T = TypeVar("T")


@dataclass(frozen=True)
class UsableVocabulary:
    """A vocabulary that can be used now, and which edition of whose code and words it is.

    What its methods yield is its own; what they raise is a :class:`~trialindex.errors.PluginError`.
    """

    name: str
    version: str
    origin: str
    vocabulary: Vocabulary

    @property
    def has_associations(self) -> bool:
        return type(self.vocabulary).associations is not Vocabulary.associations

    def concepts(self) -> Iterator[Concept]:
        with _plugin_errors(self.name):
            yield from self.vocabulary.concepts()

    def abbreviations(self) -> Iterator[Abbreviation]:
        with _plugin_errors(self.name):
            yield from self.vocabulary.abbreviations()

    def biomarkers(self) -> Iterator[Biomarker]:
        with _plugin_errors(self.name):
            yield from self.vocabulary.biomarkers()

    def associations(self) -> Iterator[Association]:
        with _plugin_errors(self.name):
            yield from self.vocabulary.associations()

    def translations(self) -> Iterator[Translation]:
        with _plugin_errors(self.name):
            yield from self.vocabulary.translations()

    def words(self) -> Iterator[str]:
        with _plugin_errors(self.name):
            yield from self.vocabulary.words()


def usable_vocabularies(plugins: Plugins) -> list[UsableVocabulary]:
    """The vocabularies of these plugins that are at hand.

    :raises PluginError: a vocabulary fails.
    """
    versions = {one.name: one.version for one in plugins.installed}
    found = []
    for name, cls in plugins.vocabularies.classes().items():
        with _plugin_errors(name):
            vocabulary = cls()
            version = vocabulary.version
        if version is not None:
            plugin = plugins.vocabularies.plugin_of(name)
            found.append(UsableVocabulary(name, version, f"{plugin} {versions.get(plugin, '')}", vocabulary))
    return found


def compile_once(kind: str, version: int, shape: Any, vocabularies: Sequence[Edition], build: Callable[[], T]) -> T:
    """What *build* makes of these editions, from the user's cache folder if it was kept there before.

    :param kind: names the folder.
    :param version: raised when the shape changes.
    :param shape: its type.
    :raises PluginError: a vocabulary fails.
    """
    import msgspec

    from trialindex.storage.user_cache import cache_path, keep

    identity = [version, tokens.VERSION, *((one.name, one.version, one.origin) for one in vocabularies)]
    path = cache_path(kind, identity, ".msgpack")
    with suppress(OSError, msgspec.DecodeError, UnicodeDecodeError):
        kept: T = msgspec.msgpack.decode(path.read_bytes(), type=shape)
        return kept
    try:
        compiled = build()
        data = msgspec.msgpack.encode(compiled)
    except (UnicodeEncodeError, TypeError) as problem:
        names = ", ".join(one.name for one in vocabularies)
        raise PluginError(f"a vocabulary has a name that is no text ({names}): {problem}.") from None
    keep(path, data)
    return compiled


def _plugin_errors(name: str) -> AbstractContextManager[None]:
    """Around the code of the vocabulary *name*.

    :raises PluginError: it failed with an error that is none of ours.
    """
    from trialindex.plugin.guard import plugin_errors

    return plugin_errors(f'the vocabulary "{name}"')

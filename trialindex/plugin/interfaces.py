"""The classes that plugins subclass. Each docstring is the contract; ``trialindex.testing`` checks it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from trialindex.errors import NotifierError
from trialindex.plugin.progress import ProgressListener
from trialindex.plugin.proposals import Proposal
from trialindex.plugin.vocabulary_entries import Abbreviation, Association, Biomarker, Translation
from trialindex.plugin.vocabulary_entries import Concept as Concept

if TYPE_CHECKING:
    import click
    import numpy as np
    from numpy.typing import NDArray

    from trialindex.plugin.messages import Delivery, Invitation
    from trialindex.plugin.results import Results
    from trialindex.plugin.terms import Terms
    from trialindex.plugin.trial_page import PlainLanguage, TrialPage
    from trialindex.trial import Trial

    Vectors = NDArray[np.float32]
    Ids = NDArray[np.int64]

# --- sources --------------------------------------------------------------------------------------------------------


@dataclass(kw_only=True)
class IngestContext(ProgressListener):
    """What a source is given for one run, and the way it reports back.

    :param state: what the source last passed to :meth:`checkpoint` for this spec, ``{}`` on the first run. Plain JSON
        values. With it a source resumes after an interruption and fetches only what is new.
    """

    state: Mapping[str, Any] = field(default_factory=dict)
    pending_state: dict[str, Any] | None = None
    excerpted: Trial | None = None
    """The last trial that :meth:`excerpt` was given."""

    def excerpt(self, trial: Trial) -> Trial:
        """Say of the trial that is yielded next that the input holds only some of its fields: those that it states.

        ::

            yield context.excerpt(trial)

        A field that it lacks stays as the index has it, with the source that it came from. What the same source stated
        before, and states no longer, is news.
        """
        self.excerpted = trial
        return trial

    def checkpoint(self, state: Mapping[str, Any]) -> None:
        """Remember *state*, in the same transaction as every trial yielded before this call."""
        self.pending_state = dict(state)


class Source(ABC):
    """Where trials come from. One object is one run over one spec, ``name`` or ``name:argument``.

    ::

        class Registry(Source):
            name = "registry"
            summary = "Trials of the Example registry."

            def trials(self, context):
                for record in fetch(self.argument):
                    yield Trial(id=record["id"], title=record["title"], source=self.name)

    :param argument: what follows the colon of the spec; ``""`` without one.
    :param options: the values of :attr:`options`, by parameter name.
    :raises SourceError: the argument or an option cannot be used.
    """

    name: ClassVar[str]
    summary: ClassVar[str]
    """One sentence for ``trialindex ingest --help``; the class docstring is the source's whole help text."""
    options: ClassVar[tuple[click.Option, ...]] = ()
    """Options of ``trialindex ingest NAME``, as click options; their values arrive as keyword arguments.

    What was given is kept in the index, so that ``trialindex sync`` can ask again; without those with ``hide_input``.
    """
    once: ClassVar[tuple[str, ...]] = ()
    """Parameter names of the options that are meant for one run only, such as ``full``: ``sync`` leaves them out."""
    id_pattern: ClassVar[str] = ""
    """A regular expression of the ids that can be its argument, such as ``NCT[0-9]{8}``: so a message says how to fetch
    a trial that an index does not hold. Empty if none can."""
    partial: ClassVar[bool] = False
    """True if the records lack much of what the registry holds: each is an :meth:`~IngestContext.excerpt`, and takes
    nothing away from the record of a fuller source."""

    def __init__(self, argument: str = "", **options: Any) -> None:
        self.argument = argument
        self.given = options

    @property
    def spec(self) -> str:
        """The spec under which the index remembers this source's state, so that the same request resumes.

        Every option that changes *which* trials are asked for belongs in it.
        """
        return f"{self.name}:{self.argument}" if self.argument else self.name

    @abstractmethod
    def trials(self, context: IngestContext) -> Iterator[Trial]:
        """Yield trials one by one, streaming; call ``context.checkpoint`` wherever a later run may go on from.

        :raises SourceError: nothing more can be delivered; what was yielded before is kept.
        """

    def ids(self, context: IngestContext, held: Collection[str]) -> Iterator[str] | None:
        """The ids of the trials that the source has now, for a sweep; ``None`` if it cannot tell, as by default.

        A trial of *held* that is not among them is marked as no longer in the registry. So one that the source still
        has must be among them even when the request no longer finds it: it stopped recruiting, say.

        :param held: ids of the trials that the index has from this spec. Others may be yielded or not.
        :param context: to report progress and notes; it has no state.
        :raises SourceError: the source cannot tell now. Then nothing is marked.
        """
        return None


# --- encoders -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class EncoderIdentity:
    """Which model an index was built with. Two encoders are interchangeable only if these are equal.

    :param spec: how to name it on a command line, ``minilm`` or ``sentence-transformers:intfloat/e5-small-v2``.
    :param revision: version of the model or commit of the hub, as far as known.
    :param sha256: hash of the weights, hexadecimal.
    :param dimension: length of a vector.
    """

    spec: str
    revision: str
    sha256: str
    dimension: int


class Encoder(ABC):
    """Turns texts into vectors of unit length.

    :param argument: what follows the colon of the spec; ``""`` without one.
    :param options: ``device`` and ``batch_size``, when the user gave them.
    :raises MissingExtra: a package is not installed.
    :raises EncoderError: the model cannot be read.
    """

    name: ClassVar[str]
    summary: ClassVar[str]

    def __init__(self, argument: str = "", **options: Any) -> None:
        self.argument = argument
        self.given = options

    @property
    @abstractmethod
    def identity(self) -> EncoderIdentity:
        """Must not load the model if it can be told without."""

    def verify(self) -> None:  # noqa: B027  most encoders have nothing to verify
        """Read the model's files in full, where the encoder knows what they should hold; ``check`` calls it.

        :raises EncoderError: a file is not as it was shipped.
        """

    @property
    def max_words(self) -> int:
        """About how many words of a text the model reads; longer queries are cut into windows of this many."""
        return 180

    @property
    def multilingual(self) -> bool:
        """Whether the model understands a question in another language than that of the trials."""
        return False

    @abstractmethod
    def encode_documents(self, texts: Sequence[str], progress: Callable[[int], None] | None = None) -> Vectors:
        """Vectors of passages, float32 of shape ``(len(texts), dimension)``, each of length 1 and finite.

        :param progress: called with the number of texts done since the last call.
        """

    @abstractmethod
    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        """Vectors of questions, same shape; differs from documents where a model has prompts for them."""


# --- vector stores --------------------------------------------------------------------------------------------------


class VectorStore(ABC):
    """Holds unit vectors by integer id and finds the nearest by inner product (the cosine).

    The core calls :meth:`load` or :meth:`create`, then :meth:`add` and :meth:`remove`, then :meth:`save` into a fresh
    folder that it puts in place atomically. Files that did not change may be linked to those that were loaded, since
    no file is ever written again. A store must agree with brute force (``trialindex.testing``).
    """

    name: ClassVar[str]
    summary: ClassVar[str]

    @classmethod
    @abstractmethod
    def create(cls, dimension: int, argument: str = "") -> VectorStore:
        """An empty store.

        :param argument: what follows the colon of the spec; a store that takes none can leave the parameter out.
            :meth:`load` is not told: :meth:`save` has to write down what it needs.
        :raises PluginError: the argument cannot be used.
        """

    @classmethod
    @abstractmethod
    def load(cls, folder: Path) -> VectorStore:
        """The store that :meth:`save` wrote.

        :raises IndexDamaged: a file is missing or unreadable.
        """

    @abstractmethod
    def save(self, folder: Path) -> None:
        """Write everything into *folder*, which exists and is empty."""

    @abstractmethod
    def add(self, ids: Ids, vectors: Vectors) -> None:
        """Add ``(n,)`` new ids with ``(n, dimension)`` vectors. An id that is there already is replaced."""

    @abstractmethod
    def remove(self, ids: Ids) -> None:
        """Forget these ids; unknown ones are ignored."""

    @abstractmethod
    def search(self, queries: Vectors, k: int, allowed: Ids | None = None) -> tuple[Vectors, Ids]:
        """The *k* best ids for each query, best first.

        :param queries: ``(q, dimension)``, unit length.
        :param allowed: sorted ids to search among; ``None`` for all. Never applied after the search: *k* results come
            back whenever *k* allowed ids exist.
        :returns: inner products and ids, both ``(q, k)``; places that cannot be filled hold ``-inf`` and ``-1``.
        """

    @abstractmethod
    def vectors(self, ids: Ids) -> tuple[Ids, Vectors]:
        """Those of these ids that it holds, in any order, and their vectors as it compares them, ``(n, dimension)``."""

    @abstractmethod
    def __len__(self) -> int: ...

    @property
    def state(self) -> str:
        """How it holds its vectors now, in a few words for ``trialindex info``; nothing when there is no choice."""
        return ""


# --- renderers ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class RenderOptions:
    """How to draw.

    :param width: columns of the terminal, or ``None`` when the output is no terminal.
    :param color: whether ANSI colours may be used.
    :param contacts: contacts were asked for. Without it the trials given hold none, so that no renderer can leak them.
    :param sources: name beside each plain sentence the fields of the record it was made from.
    """

    width: int | None = None
    color: bool = False
    contacts: bool = False
    sources: bool = False


class Renderer(ABC):
    """Draws results and trials as text. Registry text is untrusted: escape it for the format."""

    name: ClassVar[str]
    summary: ClassVar[str]
    suffixes: ClassVar[tuple[str, ...]] = ()
    """Endings of the files that hold this format, ``(".html", ".htm")``: ``--output page.html`` chooses it by them."""

    def __init__(self, options: RenderOptions) -> None:
        self.options = options

    @abstractmethod
    def results(self, results: Results) -> Iterator[str]:
        """The hits of a query, as pieces of text to be written one after another."""

    @abstractmethod
    def trial(self, card: TrialPage) -> Iterator[str]:
        """One trial's page."""

    @abstractmethod
    def trials(self, trials: Iterator[Trial]) -> Iterator[str]:
        """Many trials without a query, for ``list`` and ``export``; streaming."""


# --- writers --------------------------------------------------------------------------------------------------------


class Writer(ABC):
    """Tells a trial in plain words.

    It says nothing that the record does not state, gives no advice, and says "not stated" where the record is silent.

    :param argument: what follows the colon of the spec; ``""`` without one.
    :raises WriterError: the argument cannot be used.
    """

    name: ClassVar[str]
    summary: ClassVar[str]

    def __init__(self, argument: str = "") -> None:
        self.argument = argument

    @abstractmethod
    def write(self, trial: Trial) -> PlainLanguage:
        """The trial in plain words.

        :param trial: the record alone: a writer never learns what a user asked. It may be masked.
        """


# --- notifiers ------------------------------------------------------------------------------------------------------


class Notifier(ABC):
    """Brings word of changes to a person or a program.

    :param argument: what follows the colon of the spec: a file, an address; ``""`` without one.
    :param options: the values of :attr:`options`, by parameter name. Plain JSON values: they are kept with the watches,
        so that a secret is named (an environment variable, a file), never held.
    :raises NotifierError: the argument or an option cannot be used.
    """

    name: ClassVar[str]
    summary: ClassVar[str]
    options: ClassVar[tuple[click.Option, ...]] = ()
    """Options of ``trialindex notify add NAME``, as click options; their values arrive as keyword arguments."""
    local: ClassVar[bool] = False
    """True if nothing it is given leaves the machine; only such a notifier is told what the user typed."""
    shows: ClassVar[bool] = False
    """True if it shows the news where ``trialindex sync`` runs, which then does not print them itself."""
    invites: ClassVar[bool] = False
    """True if it can write to people who sign up at a public server: its argument is their address, and it has
    :meth:`invite`."""

    def __init__(self, argument: str = "", **options: Any) -> None:
        self.argument = argument
        self.given = options

    @abstractmethod
    def send(self, delivery: Delivery) -> None:
        """Deliver it, and return once whoever receives it has accepted it.

        It is called again with the same delivery until it returns, in a later process perhaps; what was sent twice must
        be recognisable by :attr:`Delivery.key`.

        :raises NotifierError: it could not be delivered; ``permanent`` says that trying again is no use.
        """

    def invite(self, invitation: Invitation) -> None:
        """Ask the receiver whether they want news at all; as :meth:`send`, it may be called again with the same.

        :raises NotifierError: it could not be delivered, or this notifier cannot ask.
        """
        raise NotifierError(f"the notifier {self.name} cannot ask people whether they want its news.", permanent=True)


# --- vocabularies ---------------------------------------------------------------------------------------------------


class Vocabulary(ABC):
    """Words for illnesses and what goes with them: used to understand a question and to normalise conditions."""

    name: ClassVar[str]
    summary: ClassVar[str]

    @property
    @abstractmethod
    def version(self) -> str | None:
        """Which edition is at hand, ``None`` when it has to be downloaded first.

        It changes whenever the concepts do: what is built from them is kept under it.
        """

    @abstractmethod
    def concepts(self) -> Iterator[Concept]:
        """Every concept of the edition at hand; none when :attr:`version` is ``None``."""

    def abbreviations(self) -> Iterator[Abbreviation]:
        """What abbreviations mean; of several meanings of one, the commonest first. None unless overridden."""
        return iter(())

    def biomarkers(self) -> Iterator[Biomarker]:
        """What people and tumors are tested for. None unless overridden."""
        return iter(())

    def associations(self) -> Iterator[Association]:
        """Which illnesses go with which findings, for readers that propose illnesses. None unless overridden."""
        return iter(())

    def translations(self) -> Iterator[Translation]:
        """What illnesses are called in other languages. None unless overridden."""
        return iter(())

    def words(self) -> Iterator[str]:
        """Words of everyday English and names of people, in small letters, that are no typing errors.

        Of the plurals only those that do not end in *s*. None unless overridden.
        """
        return iter(())


# --- rerankers and readers ------------------------------------------------------------------------------------------


class Reranker(ABC):
    """Reads a question together with a trial's text, and says how well they go together.

    It is asked about the first few dozen trials that were found, and puts them in its own order.

    :param argument: what follows the colon of the spec; ``""`` without one.
    :raises MissingExtra: a package is not installed.
    :raises EncoderError: the model cannot be read.
    """

    name: ClassVar[str]
    summary: ClassVar[str]

    def __init__(self, argument: str = "") -> None:
        self.argument = argument

    @abstractmethod
    def score(self, query: str, texts: Sequence[str]) -> Sequence[float]:
        """One finite number for each text, in their order; higher is better. They are compared with each other only.

        :param query: what the user typed. It must not leave the machine.
        :param texts: a trial's title and summary each; registry text, which may hold anything.
        :raises EncoderError: the model fails.
        """


class Reader(ABC):
    """Reads what somebody wrote, and proposes conditions to search for that the text does not name.

    :param argument: what follows the colon of the spec; ``""`` without one.
    :param allow_remote: the user lets it send the text to another machine.
    :raises ReaderError: it cannot be used like this.
    """

    name: ClassVar[str]
    summary: ClassVar[str]
    receiver: str = ""
    """The server that is sent the text, in words for a person; empty if the text stays in this process."""
    replaces: ClassVar[bool] = False
    """True if it proposes what the text names too: in a note its proposals take the place of that."""

    def __init__(self, argument: str = "", *, allow_remote: bool = False) -> None:
        self.argument, self.allow_remote = argument, allow_remote

    @property
    def spec(self) -> str:
        """How to name it on a command line."""
        return f"{self.name}:{self.argument}" if self.argument else self.name

    @abstractmethod
    def propose(self, text: str, terms: Terms) -> list[Proposal]:
        """The conditions to search for, the likeliest first; none where the text needs none.

        :param text: what somebody typed, as it is searched. It leaves this process only for :attr:`receiver`.
        :param terms: what finds the names in a text, by the vocabularies of the index that is searched.
        :raises ReaderError: it cannot tell now. The default reader is asked then, and the answer says so.
        """

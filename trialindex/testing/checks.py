"""The contracts of :mod:`trialindex.plugin.interfaces` as checks."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import ValidationError, convert, structs, to_builtins

from trialindex.plugin.interfaces import (
    Concept,
    Encoder,
    EncoderIdentity,
    IngestContext,
    Renderer,
    RenderOptions,
    Source,
    VectorStore,
    Vocabulary,
    Writer,
)
from trialindex.plugin.trial_page import Explanation, PlainLanguage, Sentence
from trialindex.testing.fakes import BruteForceStore, sample_card
from trialindex.testing.samples import CONTACT, HOSTILE, sample_results, sample_texts, sample_trials
from trialindex.trial import Trial, decode, encode
from trialindex.trial.sanitize import one_line

if TYPE_CHECKING:
    from trialindex.plugin.interfaces import Ids, Vectors


def _require(condition: object, message: str) -> None:
    if not condition:
        raise AssertionError(message)


def _check_names(cls: type) -> None:
    name, summary = getattr(cls, "name", None), getattr(cls, "summary", None)
    _require(isinstance(name, str) and name, f"{cls.__name__}.name must be a string that is not empty")
    assert isinstance(name, str)
    _require(re.fullmatch(r"[^\s:]+", name), f'{cls.__name__}.name is "{name}": no spaces and no colon')
    _require(isinstance(summary, str) and summary.strip(), f"{cls.__name__}.summary must be one sentence")


# --- sources --------------------------------------------------------------------------------------------------------


def check_source(source: Source, *, rejects: int = 0) -> list[Trial]:
    """Run a source twice, the second time from where the first left off.

    Give it something small: a file of a few records, a local server.

    :param rejects: how many records it may reject, such as those that a test made wrong on purpose.
    :returns: the trials of the first run, for checks of your own.
    :raises AssertionError: the contract of :class:`~trialindex.plugin.interfaces.Source` is broken.
    """
    _check_names(type(source))
    _require(
        source.spec.partition(":")[0] == source.name, f'spec is "{source.spec}": it must begin with "{source.name}"'
    )
    trials, state, rejected = _run(source, {})
    first = "; ".join(f"{where}: {why}" for where, why in rejected[:3])
    _require(len(rejected) <= rejects, f"{len(rejected)} records were rejected, where {rejects} may be: {first}")
    _require(trials, "the source yielded no trial: check it with something that holds at least one")
    _run(source, state)
    _check_ids(source, [trial.id for trial in trials])
    return trials


def _check_ids(source: Source, held: list[str]) -> None:
    produced = source.ids(IngestContext(), frozenset(held))
    if produced is None:
        return
    _require(isinstance(produced, Iterator), "ids() must return an iterator, or None")
    found = list(produced)
    _require(all(isinstance(one, str) for one in found), "ids() must yield strings")
    lost = sorted(set(held) - set(found))
    _require(
        not lost, f"ids() leaves out {', '.join(lost[:3])}, which trials() has just yielded: a sweep would mark it"
    )


def _run(source: Source, state: dict[str, Any]) -> tuple[list[Trial], dict[str, Any], list[tuple[str, str]]]:
    reports: list[tuple[int, int | None]] = []
    rejects: list[tuple[str, str]] = []
    context = IngestContext(
        state=state,
        on_progress=lambda done, total: reports.append((done, total)),
        on_reject=lambda where, why: rejects.append((where, why)),
    )
    produced = source.trials(context)
    _require(isinstance(produced, Iterator), "trials() must return an iterator: yield the trials one by one")
    trials = []
    for trial in produced:
        _require(isinstance(trial, Trial), f"trials() yielded {type(trial).__name__}, not a Trial")
        where = f"trial {trial.id}"
        _require(
            trial.source == source.name,
            f'{where}: source is "{trial.source}", it must be the source\'s name "{source.name}"',
        )
        try:
            same = decode(encode(trial)) == trial
        except Exception as problem:
            raise AssertionError(f"{where} cannot be written and read back: {problem}") from problem
        _require(same, f"{where} is not the same after it was written and read back: a field has a wrong type")
        trials.append(trial)
    for done, total in reports:
        _require(
            done >= 0 and (total is None or done <= total), f"progress({done}, {total}) reports more than there is"
        )
    for place, why in rejects:
        _require(place and why, f"reject({place!r}, {why!r}) must say where and why")
    left = context.pending_state if context.pending_state is not None else dict(state)
    try:
        kept = json.loads(json.dumps(left))
    except (TypeError, ValueError) as problem:
        raise AssertionError(f"checkpoint() was given what JSON cannot hold: {problem}") from problem
    _require(kept == left, "checkpoint() was given what comes back different from JSON: use lists and string keys")
    return trials, kept, rejects


# --- encoders -------------------------------------------------------------------------------------------------------

_TEXTS = (
    *sample_texts(20),
    "",
    " \n\t ",
    "lupus",
    "LUPUS",
    "狼疮性肾炎 👩🏽‍⚕️ e\u0301 \u202e ﷽",
    "half of a pair: \ud800",
    "\x00\x1b[2J",
    "kidney " * 5000,
    "x" * 20000,
)
_QUESTIONS = ("severe lupus kidney", "asthma in children", "cancer of the lung that came back", "stroke")


def check_encoder(encoder: Encoder) -> None:
    """Encode ordinary and odd texts, together and alone.

    :raises AssertionError: the contract of :class:`~trialindex.plugin.interfaces.Encoder` is broken.
    """
    import numpy as np

    _check_names(type(encoder))
    identity = encoder.identity
    _require(isinstance(identity, EncoderIdentity), "identity must be an EncoderIdentity")
    _require(
        identity.spec.partition(":")[0] == encoder.name, f'identity.spec is "{identity.spec}": not of "{encoder.name}"'
    )
    _require(re.fullmatch(r"[0-9a-f]{64}", identity.sha256), "identity.sha256 must be 64 small hexadecimal digits")
    _require(encoder.max_words > 0, "max_words must be above zero")
    done: list[int] = []
    together = encoder.encode_documents(_TEXTS, done.append)
    _check_vectors(together, len(_TEXTS), identity.dimension, "encode_documents")
    _require(sum(done) == len(_TEXTS), f"progress was told of {sum(done)} texts, there were {len(_TEXTS)}")
    alone = np.concatenate([encoder.encode_documents([text]) for text in _TEXTS])
    _check_vectors(alone, len(_TEXTS), identity.dimension, "encode_documents")
    cosines = (together * alone).sum(axis=1)
    worst = int(cosines.argmin())
    _require(
        cosines[worst] >= 0.99,
        f"a text alone and among others gets vectors of cosine {cosines[worst]:.3f}: is the order of the texts kept?",
    )
    asked = encoder.encode_queries(_QUESTIONS)
    _check_vectors(asked, len(_QUESTIONS), identity.dimension, "encode_queries")
    same = asked @ asked.T - np.eye(len(_QUESTIONS))
    _require(same.max() < 0.99999, "different texts get the same vector")
    for encode_none in (encoder.encode_documents, encoder.encode_queries):
        _check_vectors(encode_none([]), 0, identity.dimension, f"{encode_none.__name__}([])")
    _require(encoder.identity == identity, "identity changed after encoding")


def _check_vectors(vectors: Vectors, count: int, dimension: int, call: str) -> None:
    import numpy as np

    _require(isinstance(vectors, np.ndarray), f"{call} must return a numpy array")
    _require(vectors.dtype == np.float32, f"{call} returned {vectors.dtype}, not float32")
    _require(
        vectors.shape == (count, dimension), f"{call} returned the shape {vectors.shape}, not ({count}, {dimension})"
    )
    _require(np.isfinite(vectors).all(), f"{call} returned numbers that are not finite")
    lengths = np.linalg.norm(vectors, axis=1)
    _require((np.abs(lengths - 1) < 1e-3).all(), f"{call} returned vectors that are not of length 1")


# --- stores ---------------------------------------------------------------------------------------------------------


def check_store(
    store_class: type[VectorStore], argument: str = "", *, tolerance: float = 1e-5, size: int = 600
) -> None:
    """Compare a store with brute force: all, some and none allowed, replaced, removed, saved and loaded.

    :param argument: what follows the colon of the spec.
    :param tolerance: how far a score may be from the true one, and
        the k-th best from the k-th best: more than nothing for a store that compresses or approximates.
    :param size: how many vectors, at least 600: more than the store compares one by one, if there is such a limit.
    :raises AssertionError: the contract of :class:`~trialindex.plugin.interfaces.VectorStore` is broken.
    """
    import numpy as np

    _check_names(store_class)
    rng = np.random.default_rng(0)
    dimension = 48

    def unit(count: int) -> Vectors:
        vectors = rng.standard_normal((count, dimension), dtype=np.float32)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        return vectors

    queries = unit(5)
    store: VectorStore = store_class.create(dimension, argument) if argument else store_class.create(dimension)
    truth: VectorStore = BruteForceStore.create(dimension)
    _agree(store, truth, queries, "an empty store", tolerance)

    first = rng.permutation(np.arange(3, 3 * size + 3, 3, dtype=np.int64))
    far = np.array([1, 2, 2**40, 2**62], dtype=np.int64)
    steps: list[tuple[str, str, Ids, Vectors | None]] = [
        ("ids in no order", "add", first, unit(len(first))),
        ("very large ids", "add", far, unit(len(far))),
        ("ids replaced", "add", first[:200], unit(200)),
        ("an id that comes twice in one call, where the last counts", "add", np.array([9, 9], dtype=np.int64), unit(2)),
        ("ids removed", "remove", first[100:400], None),
        ("unknown ids removed", "remove", np.array([-5, 4, 2**50], dtype=np.int64), None),
        ("removed ids added again", "add", first[100:200], unit(100)),
        ("nothing added", "add", first[:0], unit(0)),
    ]
    for what, call, ids, vectors in steps:
        for each in (store, truth):
            each.remove(ids) if vectors is None else each.add(ids, vectors)
        _agree(store, truth, queries, f"after {what}" if call == "add" else f"with {what}", tolerance)

    with tempfile.TemporaryDirectory() as home:
        saved, again = Path(home, "one"), Path(home, "two")
        for folder in (saved, again):
            folder.mkdir()
        store.save(saved)
        _require(any(saved.iterdir()), "save() wrote nothing")
        loaded: VectorStore = store_class.load(saved)
        _agree(loaded, truth, queries, "after save and load", tolerance)
        for each in (loaded, truth):
            each.remove(first[:50])
            each.add(first[:20], queries[:1].repeat(20, axis=0))
        _agree(loaded, truth, queries, "changed after save and load", tolerance)
        loaded.save(again)
        _agree(store_class.load(again), truth, queries, "after a second save and load", tolerance)
        _agree(store_class.load(saved), store, queries, "loaded a second time from the first folder", tolerance)
        del loaded  # lets go of files that are mapped into memory, which Windows would not delete


def _agree(store: VectorStore, truth: VectorStore, queries: Vectors, when: str, tolerance: float) -> None:
    import numpy as np

    _require(len(store) == len(truth), f"{when}: the store says it holds {len(store)} vectors, there are {len(truth)}")
    known = np.sort(truth.search(queries[:1], len(truth))[1][0])
    asked = np.append(known[::3], [-7, 5, 2**33])
    (ids, vectors), (true_ids, true_vectors) = store.vectors(asked), truth.vectors(asked)
    _require(np.array_equal(np.sort(ids), np.sort(true_ids)), f"{when}: vectors() gives other ids than it holds")
    _require(
        np.allclose(vectors[np.argsort(ids)], true_vectors[np.argsort(true_ids)], atol=tolerance),
        f"{when}: vectors() gives other vectors than were added",
    )
    every_score, every_id = (found.tolist() for found in truth.search(queries, len(truth)))
    own = [dict(zip(*row, strict=True)) for row in zip(every_id, every_score, strict=True)]
    choices: list[tuple[str, Ids | None]] = [
        ("all allowed", None),
        ("none allowed", known[:0]),
        ("one allowed", known[-1:]),
        ("every tenth allowed", known[::10]),
        ("all but one allowed, and some that do not exist", np.unique(np.append(known[1:], [5, 2**33]))),
    ]
    for which, allowed in choices:
        for k in (1, 10, len(truth) + 7):
            where = f"{when}, {which}, k = {k}"
            scores, ids = store.search(queries, k, allowed)
            expected, _ = truth.search(queries, k, allowed)
            _require(scores.shape == ids.shape == expected.shape, f"{where}: shapes {scores.shape} and {ids.shape}")
            _require(scores.dtype == np.float32 and ids.dtype == np.int64, f"{where}: {scores.dtype} and {ids.dtype}")
            _require(
                ((ids == -1) == np.isneginf(scores)).all(), f"{where}: places that cannot be filled hold -inf and -1"
            )
            _require(np.allclose(scores, expected, atol=tolerance), f"{where}: other scores than brute force finds")
            _require(_owned(own, ids, scores, tolerance), f"{where}: a score does not belong to its id")
            if allowed is not None:
                _require(np.isin(ids[ids >= 0], allowed).all(), f"{where}: an id that was not allowed")


def _owned(own: list[dict[int, float]], ids: Ids, scores: Vectors, tolerance: float) -> bool:
    """Whether each id has the score that brute force gives it; ids of equal scores may stand in any order.

    :param own: for each query the score of every id.
    """
    for row, known in enumerate(own):
        found = [number for number in ids[row].tolist() if number >= 0]
        if len(set(found)) != len(found):
            return False
        if any(abs(known.get(n, 9.0) - s) > tolerance for n, s in zip(found, scores[row].tolist(), strict=False)):
            return False
    return True


# --- renderers ------------------------------------------------------------------------------------------------------

_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_COLOUR = re.compile("\x1b\\[[0-9;]*m")


def check_renderer(renderer_class: type[Renderer], *, markup: bool | None = None) -> None:
    """Draw invented trials of every kind, narrow and wide, with and without colour, contacts and sources.

    :param markup: whether ``<`` means something in the format, so that registry text must be escaped; without it
        that is told from an output that begins like HTML or XML.
    :raises AssertionError: the contract of :class:`~trialindex.plugin.interfaces.Renderer` is broken.
    """
    _check_names(renderer_class)
    for width in (None, 20, 100):
        for colour in (False, True):
            for contacts in (False, True):
                options = RenderOptions(width=width, color=colour, contacts=contacts, sources=contacts)
                for what, drawn in _drawings(renderer_class, options):
                    _check_drawing(f"{what} with {options}", drawn, options, markup)
    options = RenderOptions()
    _require(
        list(_drawings(renderer_class, options)) == list(_drawings(renderer_class, options)),
        "the same things are drawn differently the second time",
    )


_HOSTILE = Sentence(f"A sentence that means harm {HOSTILE}", ("title", HOSTILE))
_PLAINS = {
    "of which its writer says nothing": PlainLanguage(
        writer="", headline=Sentence(""), summary=(), substance=(), could_lead_to=(), could_go_wrong=()
    ),
    "of a writer that means harm": PlainLanguage(
        writer=HOSTILE,
        headline=_HOSTILE,
        summary=(_HOSTILE, _HOSTILE),
        substance=(_HOSTILE,),
        could_lead_to=(_HOSTILE,),
        could_go_wrong=(_HOSTILE, _HOSTILE),
        questions=(_HOSTILE, _HOSTILE),
        glossary=(Explanation(HOSTILE, HOSTILE), Explanation("title", HOSTILE), Explanation("", "")),
        notes=(HOSTILE,),
    ),
}
"""What a stranger's writer may write."""


def _drawings(renderer_class: type[Renderer], options: RenderOptions) -> Iterator[tuple[str, str]]:
    """What the renderer draws of everything there is, contacts included: holding them back is checked here too."""
    trials = sample_trials()
    cards = [sample_card(trial, contacts=True, near="45.76,4.84") for trial in trials]
    renderer = renderer_class(options)
    yield "results()", _joined(renderer.results(sample_results(trials)), "results()")
    yield "results() without hits", _joined(renderer.results(sample_results([])), "results()")
    for card in cards:
        yield f"trial({card.trial.id})", _joined(renderer.trial(card), "trial()")
    for what, plain in _PLAINS.items():
        yield f"trial() {what}", _joined(renderer.trial(structs.replace(cards[0], seen={}, plain=plain)), "trial()")
    yield "trials()", _joined(renderer.trials(iter(trials)), "trials()")
    yield "trials() of none", _joined(renderer.trials(iter(())), "trials()")


def _joined(pieces: Iterator[str], call: str) -> str:
    parts = list(pieces)
    for piece in parts:
        _require(isinstance(piece, str), f"{call} yielded {type(piece).__name__}, not str")
    return "".join(parts)


def _check_drawing(what: str, drawn: str, options: RenderOptions, markup: bool | None) -> None:
    plain = _COLOUR.sub("", drawn) if options.color else drawn
    found = _CONTROLS.search(plain)
    _require(not found, f"{what}: the control character {found[0]!r} came through" if found else "")
    try:
        drawn.encode()
    except UnicodeEncodeError:
        raise AssertionError(f"{what}: text that cannot be written as UTF-8 came through") from None
    if markup or (markup is None and re.match(r"\s*<[!?\w]", drawn)):
        _require("<script>alert" not in drawn, f"{what}: markup of a record came through unescaped")
        _require('href="javascript:' not in drawn, f"{what}: a javascript: address became a link")
    if not options.contacts:
        for secret in (CONTACT.name, CONTACT.phone, CONTACT.email):
            assert secret is not None
            _require(secret not in drawn, f'{what}: the contact "{secret}" is shown, and contacts were not asked for')


# --- writers --------------------------------------------------------------------------------------------------------

HEADLINE = 90
"""Characters a headline has at most."""


def check_writer(writer: Writer) -> list[PlainLanguage]:
    """Let a writer tell invented trials of every kind.

    :returns: what it wrote, for checks of your own.
    :raises AssertionError: the contract of :class:`~trialindex.plugin.interfaces.Writer` is broken.
    """
    _check_names(type(writer))
    written = []
    for trial in sample_trials():
        plain = writer.write(trial)
        where = f"what it wrote of {trial.id}"
        _require(isinstance(plain, PlainLanguage), f"write() returned {type(plain).__name__}, not PlainLanguage")
        try:
            convert(to_builtins(plain), PlainLanguage)
        except ValidationError as problem:
            raise AssertionError(f"{where}: a field has a wrong type: {problem}") from problem
        _check_plain(where, plain, writer)
        written.append(plain)
    return written


def _check_plain(where: str, plain: PlainLanguage, writer: Writer) -> None:
    _require(
        plain.writer.partition(":")[0] == writer.name, f'{where}: writer is "{plain.writer}", not of "{writer.name}"'
    )
    headline = plain.headline.text
    _require(len(headline) <= HEADLINE, f"{where}: the headline has {len(headline)} characters, {HEADLINE} at most")
    _require(not headline.endswith("."), f"{where}: the headline ends with a full stop")
    _require(2 <= len(plain.summary) <= 3, f"{where}: the summary has {len(plain.summary)} sentences, not two or three")
    for part in ("substance", "could_lead_to", "could_go_wrong"):
        _require(getattr(plain, part), f'{where}: {part} is empty: say "not stated" where the record is silent')
    parts = (plain.summary, plain.substance, plain.could_lead_to, plain.could_go_wrong, plain.questions)
    sentences = (plain.headline, *(sentence for part in parts for sentence in part))
    for sentence in sentences:
        said = f"{where}: the sentence {sentence.text!r}"
        _require(sentence.fields, f"{said} names no field that it was made from")
        unknown = sorted(set(sentence.fields) - set(Trial.__struct_fields__))
        _require(not unknown, f"{said} was made from {', '.join(unknown)}, which no trial has")
    words = [text for one in plain.glossary for text in (one.term, one.meaning)]
    for text in (*(sentence.text for sentence in sentences), *words, *plain.notes):
        _require(text and text == one_line(text), f"{where}: {text!r} is empty, or not clean and on one line")
        for secret in (CONTACT.name, CONTACT.phone, CONTACT.email):
            _require(str(secret) not in text, f'{where}: it tells the contact "{secret}"')
    terms = [one.term.casefold() for one in plain.glossary]
    _require(len(set(terms)) == len(terms), f"{where}: the glossary explains a word twice")


# --- vocabularies ---------------------------------------------------------------------------------------------------


def check_vocabulary(vocabulary: Vocabulary) -> list[Concept]:
    """Read a vocabulary twice.

    :returns: its concepts, for checks of your own; none when its version is ``None``.
    :raises AssertionError: the contract of :class:`~trialindex.plugin.interfaces.Vocabulary` is broken.
    """
    _check_names(type(vocabulary))
    version = vocabulary.version
    _require(version is None or (isinstance(version, str) and version), "version must be None, or a string not empty")
    produced = vocabulary.concepts()
    _require(isinstance(produced, Iterator), "concepts() must return an iterator: yield the concepts one by one")
    concepts = list(produced)
    _require(concepts or version is None, "there is a version and no concept: version is None while there is nothing")
    _require(version is not None or not concepts, "there are concepts and no version: say which edition they are")
    seen: set[str] = set()
    for concept in concepts:
        _require(isinstance(concept, Concept), f"concepts() yielded {type(concept).__name__}, not a Concept")
        where = f'the concept "{concept.name}"'
        for what, texts in (("names", concept.names), ("broader", concept.broader)):
            strings = isinstance(texts, tuple) and all(isinstance(one, str) and one.strip() for one in texts)
            _require(strings, f"{where}: {what} must be a tuple of strings that are not empty")
        _require(isinstance(concept.name, str) and concept.name.strip(), "a concept has no name")
        _require(isinstance(concept.kind, str) and concept.kind, f"{where}: kind must be a string that is not empty")
        if concept.id is not None:
            _require(isinstance(concept.id, str) and concept.id, f"{where}: id must be None, or a string not empty")
            _require(concept.id not in seen, f'{where}: its id "{concept.id}" is that of another concept')
            seen.add(concept.id)
    _require(list(vocabulary.concepts()) == concepts, "the concepts are others the second time")
    _require(vocabulary.version == version, "the version changed while nothing else did")
    return concepts

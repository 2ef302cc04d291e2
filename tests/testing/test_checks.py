"""``trialindex.testing``: each check accepts what keeps the contract, and finds each way to break it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from support.paths import ROOT
from trialindex import testing
from trialindex.plugin.interfaces import EncoderIdentity, IngestContext, Renderer, Source
from trialindex.plugin.results import Results
from trialindex.plugin.trial_page import TrialPage
from trialindex.testing import (
    FakeEncoder,
    check_encoder,
    check_renderer,
    check_source,
    sample_results,
    sample_texts,
    sample_trials,
)
from trialindex.trial import Trial, walk_text


def test_it_needs_no_test_framework_and_loads_nothing_heavy() -> None:
    code = "import trialindex.testing, sys; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"pytest", "numpy", "faiss", "trialindex.index"} & set(done.stdout.split())


def test_every_public_name_is_documented() -> None:
    page = (ROOT / "docs" / "testing-plugins.md").read_text(encoding="utf-8")
    assert testing.__all__
    for name in testing.__all__:
        assert getattr(testing, name).__doc__
        assert f"`{name}" in page


# --- samples --------------------------------------------------------------------------------------------------------


def test_sample_trials_are_the_same_every_time_and_as_many_as_asked() -> None:
    assert sample_trials(30) == sample_trials(30)
    assert [trial.id for trial in sample_trials(3)] == ["EX-0001", "EX-0002", "EX-0003"]
    assert len({trial.id for trial in sample_trials(500)}) == 500
    assert sample_trials(0) == []


def test_sample_trials_hold_what_goes_wrong_easily() -> None:
    trials = sample_trials()
    text = "".join(text for trial in trials for text in walk_text(trial))
    assert "\x1b]0;" in text
    assert "<script>" in text
    assert any(trial.has_contacts for trial in trials)
    assert max(len(trial.sites) for trial in trials) >= 100
    assert any(trial.minimum_age is None and trial.maximum_age is None for trial in trials)
    assert any(trial.maximum_age is not None and trial.maximum_age < 0.01 for trial in trials)
    assert any(ord(character) > 0xFFFF for character in text)


def test_sample_texts_are_different_and_follow_the_seed() -> None:
    texts = sample_texts(300)
    assert len(set(texts)) == 300
    assert texts == sample_texts(300)
    assert len(set(texts) & set(sample_texts(300, seed=2))) < 20
    lengths = [len(text.split()) for text in texts]
    assert min(lengths) <= 4
    assert max(lengths) >= 150


# --- sources --------------------------------------------------------------------------------------------------------


class Good(Source):
    """Yields two trials."""

    name = "good"
    summary = "Two trials."

    def trials(self, context: IngestContext) -> Iterator[Trial]:
        for trial in sample_trials(2):
            yield trial.__class__(id=trial.id, title=trial.title, source=self.name)
            context.checkpoint({"last": trial.id})
        context.progress(2, 2)


class NotLazy(Good):
    def trials(self, context: IngestContext) -> Any:
        return list(super().trials(context))


class Nameless(Good):
    name = ""


class Spaced(Good):
    name = "two words"


class NoSummary(Good):
    summary = " "


class OtherSpec(Good):
    @property
    def spec(self) -> str:
        return "another:spec"


class OtherSource(Good):
    def trials(self, context: IngestContext) -> Iterator[Trial]:
        yield Trial(id="EX-1", title="A trial", source="ctgov")


class Dicts(Good):
    def trials(self, context: IngestContext) -> Iterator[Any]:
        yield {"id": "EX-1", "title": "A trial"}


class Lists(Good):
    def trials(self, context: IngestContext) -> Iterator[Trial]:
        yield Trial(id="EX-1", title="A trial", source=self.name, keywords=["a", "b"])  # type: ignore[arg-type]


class WrongType(Good):
    def trials(self, context: IngestContext) -> Iterator[Trial]:
        yield Trial(id="EX-1", title="A trial", source=self.name, enrollment="many")  # type: ignore[arg-type]


class Nothing(Good):
    def trials(self, context: IngestContext) -> Iterator[Trial]:
        yield from ()


class StateOfObjects(Good):
    def trials(self, context: IngestContext) -> Iterator[Trial]:
        yield from super().trials(context)
        context.checkpoint({"where": Path("here")})


class StateOfTuples(Good):
    def trials(self, context: IngestContext) -> Iterator[Trial]:
        yield from super().trials(context)
        context.checkpoint({"where": (1, 2)})


class TooMuch(Good):
    def trials(self, context: IngestContext) -> Iterator[Trial]:
        yield from super().trials(context)
        context.progress(3, 2)


class SilentReject(Good):
    def trials(self, context: IngestContext) -> Iterator[Trial]:
        yield from super().trials(context)
        context.reject("line 3", "")


class Rejecting(Good):
    def trials(self, context: IngestContext) -> Iterator[Trial]:
        yield from super().trials(context)
        context.reject("record 3", "no title")


class NoResume(Good):
    def trials(self, context: IngestContext) -> Iterator[Trial]:
        assert not context.state, "cannot go on from a state"
        yield from super().trials(context)


def test_a_good_source_is_accepted_and_its_trials_returned() -> None:
    assert [trial.id for trial in check_source(Good())] == ["EX-0001", "EX-0002"]


def test_as_many_records_may_be_rejected_as_the_test_says() -> None:
    assert len(check_source(Rejecting(), rejects=1)) == 2


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (NotLazy, "must return an iterator"),
        (Nameless, "must be a string that is not empty"),
        (Spaced, "no spaces and no colon"),
        (NoSummary, "summary must be one sentence"),
        (OtherSpec, 'must begin with "good"'),
        (OtherSource, 'source is "ctgov"'),
        (Dicts, "yielded dict, not a Trial"),
        (Lists, "not the same after it was written and read back"),
        (WrongType, "cannot be written and read back"),
        (Nothing, "yielded no trial"),
        (StateOfObjects, "what JSON cannot hold"),
        (StateOfTuples, "comes back different from JSON"),
        (TooMuch, "more than there is"),
        (SilentReject, "must say where and why"),
        (Rejecting, "1 records were rejected, where 0 may be: record 3: no title"),
        (NoResume, "cannot go on from a state"),
    ],
)
def test_a_broken_source_is_found(source: type[Good], said: str) -> None:
    with pytest.raises(AssertionError, match=said):
        check_source(source())


# --- encoders -------------------------------------------------------------------------------------------------------


def test_the_fake_encoder_keeps_the_contract() -> None:
    check_encoder(FakeEncoder())
    check_encoder(FakeEncoder("other"))


def test_the_fake_encoder_finds_shared_words_and_remembers_what_it_encoded() -> None:
    encoder = FakeEncoder()
    passages = ["lupus of the kidney", "asthma at night", "cancer of the pancreas"]
    cosines = encoder.encode_queries(["severe lupus kidney"]) @ encoder.encode_documents(passages).T
    assert cosines.argmax() == 0
    assert encoder.encoded == passages
    assert FakeEncoder("other").identity != encoder.identity
    assert not np.allclose(FakeEncoder("other").encode_queries(["lupus"]), encoder.encode_queries(["lupus"]))


def broken_encoder(change: Callable[[Any], Any]) -> FakeEncoder:
    class Broken(FakeEncoder):
        def encode_queries(self, texts: Sequence[str]) -> Any:
            return change(super().encode_queries(texts))

    return Broken()


def with_a_nan(vectors: Any) -> Any:
    vectors[:1, 0] = np.nan
    return vectors


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda vectors: vectors.tolist(), "must return a numpy array"),
        (lambda vectors: vectors.astype(np.float64), "float64, not float32"),
        (lambda vectors: vectors[:, :8], "the shape"),
        (lambda vectors: vectors[:-1], "the shape"),
        (lambda vectors: vectors * 2, "not of length 1"),
        (lambda vectors: np.eye(64, dtype=np.float32)[[0] * len(vectors)], "different texts get the same vector"),
        (lambda vectors: np.ascontiguousarray(np.sort(vectors, axis=0)), "is the order of the texts kept|length 1"),
        (lambda vectors: vectors[::-1], "is the order of the texts kept"),
        (with_a_nan, "not finite"),
    ],
)
def test_vectors_that_break_the_contract_are_found(change: Callable[[Any], Any], said: str) -> None:
    with pytest.raises(AssertionError, match=said):
        check_encoder(broken_encoder(change))


class WrongHash(FakeEncoder):
    @property
    def identity(self) -> EncoderIdentity:
        return EncoderIdentity("fake", "1", "unknown", 64)


class OtherIdentity(FakeEncoder):
    @property
    def identity(self) -> EncoderIdentity:
        return EncoderIdentity("minilm", "1", "0" * 64, 64)


class Restless(FakeEncoder):
    @property
    def identity(self) -> EncoderIdentity:
        return EncoderIdentity("fake", str(len(self.encoded)), "0" * 64, 64)


class NoProgress(FakeEncoder):
    def encode_documents(self, texts: Sequence[str], progress: Callable[[int], None] | None = None) -> Any:
        return super().encode_documents(texts)


class ReadsNothing(FakeEncoder):
    max_words = 0


@pytest.mark.parametrize(
    ("encoder", "said"),
    [
        (WrongHash, "64 small hexadecimal digits"),
        (OtherIdentity, 'not of "fake"'),
        (Restless, "identity changed"),
        (NoProgress, "progress was told of 0 texts"),
        (ReadsNothing, "max_words"),
    ],
)
def test_a_broken_encoder_is_found(encoder: type[FakeEncoder], said: str) -> None:
    with pytest.raises(AssertionError, match=said):
        check_encoder(encoder())


# --- renderers ------------------------------------------------------------------------------------------------------


class Lines(Renderer):
    """One line a trial, cleaned."""

    name = "lines"
    summary = "One line a trial."

    def results(self, results: Results) -> Iterator[str]:
        for hit in results.hits:
            yield self.line(hit.trial)

    def trial(self, card: TrialPage) -> Iterator[str]:
        yield self.line(card.trial)

    def trials(self, trials: Iterator[Trial]) -> Iterator[str]:
        yield from map(self.line, trials)

    def line(self, trial: Trial) -> str:
        shown = trial if self.options.contacts else trial.masked()
        people = [contact.name or "" for contact in shown.contacts]
        text = " ".join([trial.id, trial.title, *people])
        return "".join(c for c in text if c.isprintable()) + "\n"


class Raw(Lines):
    def line(self, trial: Trial) -> str:
        return f"{trial.title}\n"


class Coloured(Lines):
    """Uses colour whether it may or not."""

    def line(self, trial: Trial) -> str:
        return f"\x1b[1m{super().line(trial)}\x1b[0m"


class PolitelyColoured(Lines):
    def line(self, trial: Trial) -> str:
        text = super().line(trial)
        return f"\x1b[1;31m{text}\x1b[0m" if self.options.color else text


class Tells(Lines):
    def line(self, trial: Trial) -> str:
        return super().line(trial) + "".join(str(contact.email) for contact in trial.contacts)


class TellsOfSites(Lines):
    def trial(self, card: TrialPage) -> Iterator[str]:
        yield from super().trial(card)
        for site in (location.site for country in card.countries for location in country.locations):
            yield "".join(f"{contact.phone}\n" for contact in site.contacts)


class TrustsWriters(Lines):
    def trial(self, card: TrialPage) -> Iterator[str]:
        yield f"{card.plain.headline.text}\n" if card.plain.notes else self.line(card.trial)


class Bytes(Lines):
    def trial(self, card: TrialPage) -> Iterator[Any]:
        yield self.line(card.trial).encode()


class Page(Lines):
    """HTML without escaping."""

    def results(self, results: Results) -> Iterator[str]:
        yield "<!doctype html>"
        yield from super().results(results)


class Moody(Lines):
    count = 0

    def line(self, trial: Trial) -> str:
        Moody.count += 1
        return f"{Moody.count} {super().line(trial)}"


@pytest.mark.parametrize("renderer", [Lines, PolitelyColoured])
def test_a_good_renderer_is_accepted(renderer: type[Renderer]) -> None:
    check_renderer(renderer)


@pytest.mark.parametrize(
    ("renderer", "said"),
    [
        (Raw, "control character"),
        (Coloured, r"control character '\\x1b'"),
        (Tells, 'contact "robin@exemplar.test" is shown'),
        (TellsOfSites, "contact .* is shown"),
        (TrustsWriters, r"trial\(\) of a writer that means harm .* the control character"),
        (Bytes, "yielded bytes, not str"),
        (Page, "unescaped"),
        (Moody, "drawn differently the second time"),
    ],
)
def test_a_broken_renderer_is_found(renderer: type[Renderer], said: str) -> None:
    with pytest.raises(AssertionError, match=said):
        check_renderer(renderer)


def test_markup_can_be_announced() -> None:
    check_renderer(Lines, markup=False)
    with pytest.raises(AssertionError, match="unescaped"):
        check_renderer(Lines, markup=True)


def test_sample_results_are_an_answer() -> None:
    results = sample_results(sample_trials(5))
    assert [hit.rank for hit in results.hits] == [1, 2, 3, 4, 5]
    assert results.total == 5

"""What plugin authors test with: stand-ins that need no model, invented trials, and the contracts as checks.

::

    from trialindex.testing import check_source

    def test_my_source_keeps_the_contract():
        trials = check_source(MySource("two-trials.json"))
        assert [t.id for t in trials] == ["EX-1", "EX-2"]

A check raises ``AssertionError`` with one sentence that says what is wrong; it needs no test framework.
docs/testing-plugins.md shows each.
"""

from trialindex.testing.checks import (
    check_encoder,
    check_renderer,
    check_source,
    check_store,
    check_vocabulary,
    check_writer,
)
from trialindex.testing.fakes import BruteForceStore, FakeEncoder, FakeWriter, sample_card
from trialindex.testing.notifying import check_notifier, sample_deliveries
from trialindex.testing.reading import FakeReader, check_reader
from trialindex.testing.reranking import FakeReranker, check_reranker
from trialindex.testing.samples import sample_results, sample_texts, sample_trials

__all__ = [
    "BruteForceStore",
    "FakeEncoder",
    "FakeReader",
    "FakeReranker",
    "FakeWriter",
    "check_encoder",
    "check_notifier",
    "check_reader",
    "check_renderer",
    "check_reranker",
    "check_source",
    "check_store",
    "check_vocabulary",
    "check_writer",
    "sample_card",
    "sample_deliveries",
    "sample_results",
    "sample_texts",
    "sample_trials",
]

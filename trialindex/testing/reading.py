"""The contract of a reader as a check, and a reader that knows one thing."""

from __future__ import annotations

from trialindex.concepts.loading import load_recognizer
from trialindex.plugin.interfaces import Reader
from trialindex.plugin.proposals import Proposal
from trialindex.plugin.registry import plugins
from trialindex.plugin.terms import Terms
from trialindex.testing.checks import _check_names, _require
from trialindex.testing.samples import HOSTILE, sample_texts
from trialindex.trial.sanitize import one_line

_TEXTS = (
    *sample_texts(24),
    "lupus",
    "\u72fc\u75ae\u6027\u80be\u708e",
    "half of a pair: \ud800",
    HOSTILE,
    "tremor " * 5000,
)
_LONGEST = 80
"""Characters of a name."""


class FakeReader(Reader):
    """Proposes the same for every text.

    :param argument: what it proposes: names, separated by commas, the likeliest first.
    """

    name = "fake"
    summary = "For tests: proposes what it is told to."

    def __init__(self, argument: str = "", *, allow_remote: bool = False) -> None:
        super().__init__(argument, allow_remote=allow_remote)
        self.read: list[str] = []
        """Every text, to see what a reader is given."""

    def propose(self, text: str, terms: Terms) -> list[Proposal]:
        self.read.append(text)
        names = [name.strip() for name in self.argument.split(",") if name.strip()]
        return [Proposal(name, weight=1 / place) for place, name in enumerate(names, start=1)]


def check_reader(reader: Reader) -> None:
    """Have ordinary and odd texts read, each twice.

    :raises AssertionError: the contract of :class:`~trialindex.plugin.interfaces.Reader` is broken.
    """
    _check_names(type(reader))
    recognizer = load_recognizer(plugins())
    for text in _TEXTS:
        proposals = list(reader.propose(text, recognizer))
        _require(
            list(reader.propose(text, recognizer)) == proposals, f"{text[:40]!r} is read otherwise the second time"
        )
        names = [one.condition for one in proposals]
        _require(len({name.casefold() for name in names}) == len(names), f"one of {names} is proposed twice")
        for name in (*names, *(what for one in proposals for what in one.because)):
            short = 0 < len(name) <= _LONGEST and one_line(name) == name
            _require(short, f"{name[:120]!r} is no name of a few words on one line")
        weights = [one.weight for one in proposals]
        _require(all(0 < weight <= 1 for weight in weights), f"the weights {weights} are not above 0 and up to 1")
        _require(weights == sorted(weights, reverse=True), f"the weights {weights} do not fall")

"""What reads questions by the vocabularies at hand, made once a process."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trialindex.concepts.interpretation import Interpreter
    from trialindex.concepts.recognizer import ConceptRecognizer
    from trialindex.plugin.registry import Plugins


@cache
def load_recognizer(plugins: Plugins) -> ConceptRecognizer:
    """What finds the concepts of the vocabularies in a text."""
    from trialindex.concepts.recognizer import ConceptRecognizer

    return ConceptRecognizer.load(plugins)


@cache
def load_interpreter(plugins: Plugins) -> Interpreter:
    """What reads a question as it was meant, by the same vocabularies."""
    from trialindex.concepts.interpretation import Interpreter

    return Interpreter(load_recognizer(plugins))

"""Whether a text says only what a record states. It guards the words of a model, which may invent.

Checked are counts, ages, dates and phases (:mod:`.counts`), countries, drugs, illnesses and other names
(:mod:`.names`), what is tested and what it is compared with (:mod:`.roles`), and wording: advice, promises, markup
(:mod:`.wording`). The checks are made to refuse: what cannot be traced to the record is a problem, even if it is true.
What they cannot see is another false sentence that is made of true parts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from trialindex.plugin.trial_page import Sentence
from trialindex.trial import Trial
from trialindex_llm import counts, names, roles, wording
from trialindex_llm.record import FIELDS, Record


def problems(sentences: Iterable[Sentence], trial: Trial) -> list[str]:
    """What is wrong with the sentences, one line each, as in ``it says "30 people", which the record does not state``.

    Empty if everything in them that can be checked is in the record: a number in the fields that its sentence names, a
    name anywhere.

    :raises PluginError: a vocabulary fails.
    """
    record = Record(trial)
    return list(dict.fromkeys(problem for sentence in sentences for problem in _problems(sentence, record)))


def _problems(sentence: Sentence, record: Record) -> Iterator[str]:
    if not sentence.fields:
        yield f'it names no field for "{sentence.text[:60]}"'
    if unknown := [field for field in sentence.fields if field not in FIELDS]:
        yield f'it names a field that no record has, "{unknown[0][:40]}"'
        return
    yield from wording.problems(sentence.text, record)
    yield from counts.problems(sentence, record)
    yield from names.problems(sentence.text, record)
    yield from roles.problems(sentence.text, record)

"""How a trial is cut into the texts that are embedded, and those that are matched word by word.

Exclusion criteria are in neither: that a trial shuts somebody out is never a reason to show it to them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from trialindex.trial.record import Trial

HASH_BYTES = 16
"""How much is kept of the hash of a passage's text."""

VERSION = 2
"""Raise it when the rule changes: an index remembers its own, and ``check --repair`` cuts its trials again."""


@dataclass(frozen=True)
class Passage:
    """A text of a trial that is embedded as one vector.

    :param part: which part of the record it shows, in words.
    :param text: what the encoder reads.
    """

    part: str
    text: str

    @property
    def hash(self) -> bytes:
        """First :data:`HASH_BYTES` of the text's SHA-256: the key of its embedding."""
        return hashlib.sha256(self.text.encode("utf-8", "surrogatepass")).digest()[:HASH_BYTES]


def passages(trial: Trial) -> Iterator[Passage]:
    """The passages of a trial: its title and conditions, its summary, and who can take part.

    The summary stands alone: measured, that finds more than the summary behind the title (``docs/ranking.md``).
    """
    names = list(trial.conditions)
    names += [term.name for term in trial.normalized_conditions if term.name not in names]
    yield Passage("title", f"{_sentence(trial.title)} {_sentence('; '.join(names))}".strip())
    about = trial.summary or trial.description
    if about:
        yield Passage("summary", about)
    if trial.inclusion:
        yield Passage("inclusion criteria", f"{_sentence(trial.title)} {' '.join(trial.inclusion)}")
    elif trial.other_criteria:
        yield Passage("criteria", f"{_sentence(trial.title)} {' '.join(trial.other_criteria)}")


def lexical_fields(trial: Trial) -> dict[str, str]:
    """The texts matched word by word: ``head``, the trial's names for things, and ``body``, its prose."""
    head = [trial.title, trial.official_title, trial.acronym, *trial.conditions, *trial.keywords]
    head += [term.name for term in trial.normalized_conditions]
    for intervention in trial.interventions:
        head += [intervention.name, *intervention.other_names]
    body = [trial.summary, trial.description, *trial.inclusion, *trial.other_criteria, trial.study_population]
    return {"head": " \n".join(filter(None, head)), "body": " \n".join(filter(None, body))}


def _sentence(text: str) -> str:
    text = text.strip()
    return text if not text or text[-1] in ".?!" else f"{text}."

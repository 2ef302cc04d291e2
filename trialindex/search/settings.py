"""The numbers that ranking depends on, handed down from whoever asks. ``docs/ranking.md`` says how each was chosen."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

RANKINGS = ("vector", "focus", "lexical", "concepts", "feedback")
"""The rankings that ``hybrid`` fuses."""


@dataclass(frozen=True)
class RankingSettings:
    """How trials are ranked.

    :param depth: how many trials of each ranking are fused. Pages beyond it go deeper, and leave the order above as it
        was.
    :param question_words: a text of so many words or fewer is a question.
    :param note_words: one of so many or more is a note; between the two, weights are interpolated linearly.
    :param question_weights: what each ranking counts for a question, by name. Chosen by cross-validation over topics.
    :param note_weights: the same for a note.
    :param synonyms: names of one concept that are looked for, besides those that the text and the word lists use.
    :param temperature: the cosine by which a concept falls behind the most similar one when its share of the focus is
        divided by e.
    :param focus_weight: what the concepts weigh in the focus, beside the text itself.
    :param feedback_trials: how many of the best trials give words to look for in all others.
    :param feedback_words: how many words they give.
    :param cutoff_rank: the trial at this rank gives nothing; those above it give by how much better they score.
    :param smoothing: what its neighbours' mean counts in the score of a trial, for a note.
    :param neighbours: how many other trials that mean is of.
    :param pool_size: how many of the best trials are compared with each other for it.
    :param mismatch_penalty: what a trial loses for each limit, of age or of sex, that does not fit what is known of the
        person: it falls behind those that match about as well, and stays in the answer.
    :param ruled_out_penalty: what a trial loses that asks for what the question rules out.
    :param others_penalty: what a trial loses that by its own words takes others than the person, such as carers.
    :param state_share: the share that a trial gains of what it lacks to one standard deviation above the best, if it is
        for people in whom a biomarker is negative, as the question says it is.
    :param healthy_gain: what a trial gains that takes healthy people, when a healthy person asks.
    :param treatment_bonus: what a trial gains that tests a treatment which the question asks for, and tells of its main
        problem: more than any other trial is ahead of it.
    :param proposal_note_weights: what each ranking counts for a note of which proposals take the place of its concepts.
    :param proposal_focus_weight: what the concepts then weigh in the focus.
    :param proposals: how many of a reader's proposals are searched for.
    :param proposals_beside: how many of them are left once they are compared with the text, where they stand beside
        what it names.
    :param proposal_temperature: the cosine by which one falls behind the most similar one when its weight is divided by
        e.
    :param least_proposal: the least weight of one that is searched for; that of the first is 1, or less where the text
        is more like what it names.
    :param proposal_weight: what a proposal counts among what the text names, times its own weight.
    :param own_share: what the text's own concepts count in a note of which a reader's proposals take their place. In a
        question they count in full.
    :param beside_share: what they count in a note beside the proposals of other readers.
    :raises ValueError: *cutoff_rank* is below *depth*: late pages would be cut from another order.
    """

    depth: int = 1000
    question_words: int = 30
    note_words: int = 90
    question_weights: Mapping[str, float] = field(
        default_factory=lambda: {"vector": 4.0, "focus": 0.0, "lexical": 1.0, "concepts": 1.0, "feedback": 0.33}
    )
    note_weights: Mapping[str, float] = field(
        default_factory=lambda: {"vector": 0.5, "focus": 0.5, "lexical": 1.0, "concepts": 0.5, "feedback": 1.0}
    )
    synonyms: int = 6
    temperature: float = 0.1
    focus_weight: float = 0.5
    feedback_trials: int = 10
    feedback_words: int = 20
    cutoff_rank: int = 200
    smoothing: float = 0.3
    neighbours: int = 3
    pool_size: int = 2000
    mismatch_penalty: float = 2.0
    ruled_out_penalty: float = 2.0
    others_penalty: float = 2.0
    state_share: float = 0.8
    healthy_gain: float = 4.0
    treatment_bonus: float = 40.0
    proposal_note_weights: Mapping[str, float] = field(
        default_factory=lambda: {"vector": 0.5, "focus": 0.5, "lexical": 1.0, "concepts": 1.25, "feedback": 1.5}
    )
    proposal_focus_weight: float = 1.0
    proposals: int = 10
    proposals_beside: int = 5
    proposal_temperature: float = 0.2
    least_proposal: float = 0.1
    proposal_weight: float = 1.0
    own_share: float = 0.0
    beside_share: float = 0.3

    def __post_init__(self) -> None:
        if self.cutoff_rank > self.depth:
            raise ValueError(f"the cutoff rank {self.cutoff_rank} is below the depth {self.depth}")

    def note_share(self, text: str) -> float:
        """How much of a note a text is by its length: from 0, a question, to 1."""
        length = len(text.split()) - self.question_words
        return min(1.0, max(0.0, length / (self.note_words - self.question_words)))

    def weights(self, text: str, *, proposed: bool = False) -> dict[str, float]:
        """What each ranking counts in fusion, by how long the text is.

        :param proposed: a reader's proposals take the place of what a note names.

        A short question is one thought that its vector holds whole, in words that are often not those of the trials. A
        note says so much that its vector blurs, and its words are many enough to match.
        """
        share, of_note = self.note_share(text), self.proposal_note_weights if proposed else self.note_weights
        return {name: (1 - share) * self.question_weights[name] + share * of_note[name] for name in RANKINGS}

    def share_of_proposals(self, text: str, behind: float) -> float:
        """What the first proposal of a reader counts: all, or less where a note names what it is more like.

        A question says what somebody sees and feels, which it is always like.

        :param behind: the cosine by which the text is more like the illness that it names than like any proposal.
        """
        return 1 - self.note_share(text) * (1 - math.exp(-max(0.0, behind) / self.temperature))

    def share_of_own(self, text: str, *, strongest: float, replaced: bool) -> float:
        """What a text's own concepts count beside proposals: all in a question, or where nothing is proposed.

        :param strongest: the weight of the heaviest proposal, up to 1; 0 of none.
        :param replaced: the proposals take their place.
        """
        return 1 - self.note_share(text) * strongest * (1 - (self.own_share if replaced else self.beside_share))

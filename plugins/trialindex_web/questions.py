"""What somebody asked, in memory alone, and the answers to it."""

from __future__ import annotations

import re
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

import msgspec

from trialindex import Filters, Index, Results
from trialindex.plugin.interfaces import Reader
from trialindex.plugin.results import FilterWord
from trialindex_web.forms import Form

TEXT = 20_000
"""Letters of a question."""
POOL = 100
"""How many trials are found for a page of results: they are ordered, counted and paged through."""
KEPT_QUESTIONS, KEPT_ANSWERS = 2_000, 40
LIFETIME = 30 * 60
"""Seconds that a question is kept after it was last looked at."""

MANY = ("status", "phase", "study_type", "country", "source")
ONE = ("open", "sex", "age", "near", "within", "updated_since")


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """A question and its filters, in the words that were typed."""

    text: str
    open: str = ""
    age: str = ""
    sex: str = ""
    near: str = ""
    within: str = ""
    updated_since: str = ""
    status: tuple[str, ...] = ()
    phase: tuple[str, ...] = ()
    study_type: tuple[str, ...] = ()
    country: tuple[str, ...] = ()
    source: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
    order: str = "open"
    as_written: bool = False
    anyway: bool = False

    @classmethod
    def from_form(cls, form: Form) -> Question:
        """The question of a form.

        :raises Refusal: a field is too long.
        """
        one: dict[str, Any] = {name: form.text(name) for name in ONE}
        many: dict[str, Any] = {name: form.all(name) for name in MANY}
        order = "closest" if form.get("order") == "closest" else "open"
        how: dict[str, Any] = {name: bool(form.get(name)) for name in ("as_written", "anyway")}
        return cls(text=form.text("text", TEXT), ignored=form.all("ignored"), order=order, **one, **many, **how)

    def dropping(self, form: Form) -> Question:
        """The question without what was taken out of it just now, words or a filter, or with what was put back."""
        out = dict.fromkeys([*self.ignored, *form.all("drop")])
        kept = tuple(words for words in out if words not in form.all("restore"))
        cleared: dict[str, Any] = {
            name: () if name in MANY else "" for name in form.all("clear") if name in (*ONE, *MANY)
        }
        if "near" in cleared:
            cleared["within"] = ""
        return msgspec.structs.replace(self, ignored=kept, **cleared)

    def adding(self, offered: Mapping[str, FilterWord]) -> Question:
        """The question with a filter that was offered."""
        parsed = Filters.parse(**offered)  # type: ignore[arg-type]
        added: dict[str, Any] = {name: str(value) for name, value in offered.items() if name in ONE}
        for name in offered.keys() & MANY:
            added[name] = tuple(dict.fromkeys([*getattr(self, name), *getattr(parsed, name)]))
        return msgspec.structs.replace(self, **added)

    @property
    def searched(self) -> str:
        """The text that is searched for: without the words that were taken out."""
        text = self.text
        for words in self.ignored:
            text = re.sub(rf"(?<!\w){re.escape(words)}(?!\w)", " ", text, flags=re.IGNORECASE)
        return text if text.strip() else self.text

    @property
    def words(self) -> dict[str, Any]:
        """The filters as :meth:`trialindex.Filters.parse` takes them."""
        given = {name: getattr(self, name) for name in (*ONE, *MANY) if getattr(self, name)}
        if "near" not in given:
            given.pop("within", None)
        return given

    def filters(self) -> Filters:
        """The filters that were chosen.

        :raises QueryError: one is not understood.
        """
        return Filters.parse(**self.words)


class Questions:
    """What was asked lately, each question under a random name that only its session may use.

    :param reader: proposes what else to search for, or its spec.
    """

    def __init__(self, reader: str | Reader) -> None:
        self._reader = reader
        self._kept: OrderedDict[str, tuple[str, float, Question]] = OrderedDict()
        self._answers: OrderedDict[tuple[int, Question], tuple[float, Results]] = OrderedDict()
        self._mutex = threading.Lock()

    def put(self, session: str, question: Question) -> str:
        """Keep a question; the name under which its session finds it again."""
        name = secrets.token_urlsafe(16)
        with self._mutex:
            self._kept[name] = (session, time.monotonic(), question)
            self._drop_old()
        return name

    def get(self, session: str, name: str) -> Question | None:
        """The question of that name, if it is this session's and still kept."""
        with self._mutex:
            self._drop_old()
            owner, _, question = self._kept.get(name, ("", 0.0, None))
            if question is None or not secrets.compare_digest(owner, session):
                return None
            self._kept[name] = (owner, time.monotonic(), question)
            self._kept.move_to_end(name)
            return question

    def answer(self, index: Index, question: Question) -> Results:
        """The answer of the index as it is now: the best :data:`POOL` trials, and what was understood.

        :raises QueryError: the question is empty, or a filter not understood.
        """
        key = index.generation, question
        with self._mutex:
            _, known = self._answers.get(key, (0.0, None))
        if known is not None:
            return known
        results = index.query(
            question.searched,
            filters=question.filters(),
            limit=POOL,
            explain=True,
            as_written=question.as_written,
            anyway=question.anyway,
            reader=self._reader,
        )
        with self._mutex:
            self._answers[results.generation, question] = time.monotonic(), results
            while len(self._answers) > KEPT_ANSWERS:
                self._answers.popitem(last=False)
        return results

    def forget(self) -> None:
        """Drop what was not looked at for :data:`LIFETIME`; called from time to time, so that nothing stays longer."""
        with self._mutex:
            self._drop_old()

    def _drop_old(self) -> None:
        oldest = time.monotonic() - LIFETIME
        while self._kept:
            _, (_, used, _) = next(iter(self._kept.items()))
            if used >= oldest and len(self._kept) <= KEPT_QUESTIONS:
                break
            self._kept.popitem(last=False)
        for key, (made, _) in list(self._answers.items()):
            if made < oldest:
                del self._answers[key]

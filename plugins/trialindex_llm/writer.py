"""The writer ``llm``: the words of a language model that the user runs or pays for, checked against the record.

It is used only when it is named. A text that fails a check, or does not come, is thrown away for the words of the
writer ``plain``, and the page says so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import msgspec

from trialindex.errors import WriterError
from trialindex.plugin.interfaces import Writer
from trialindex.plugin.trial_page import PlainLanguage
from trialindex.trial import Trial
from trialindex_llm.facts import problems
from trialindex_llm.prompt import messages
from trialindex_writers.glossary import explain, used
from trialindex_writers.plain import PlainWriter

if TYPE_CHECKING:
    from trialindex_llm.answer import Answer

_SHOWN = 200
"""Characters of what failed that are told."""


class LlmWriter(Writer):
    """Words of a model behind any endpoint that speaks OpenAI's chat completions, such as Ollama on this machine.

    ``llm:MODEL`` names the model. The environment says where it is: ``TRIALINDEX_LLM_URL`` (``http://localhost:11434/v1``
    unless set), ``TRIALINDEX_LLM_KEY`` if it wants a key, ``TRIALINDEX_LLM_TIMEOUT`` in seconds (120). Only registry
    text without contacts is sent.

    :raises WriterError: no model is named, or the environment holds no usable address or timeout.
    """

    name: ClassVar[str] = "llm"
    summary: ClassVar[str] = "A language model that you run or pay for; its words are checked against the record."

    def __init__(self, argument: str = "") -> None:
        from trialindex_llm.client import Endpoint

        super().__init__(argument.strip())
        if not self.argument:
            raise WriterError('The writer "llm" needs a model.', hint="Name one: --writer llm:llama3.1")
        self._endpoint = Endpoint.from_environment()

    def write(self, trial: Trial) -> PlainLanguage:
        from trialindex_llm.answer import BadAnswer, read
        from trialindex_llm.client import NoAnswer

        plain = PlainWriter().write(trial)
        try:
            answer = read(self._endpoint.ask(self.argument, messages(trial)))
        except NoAnswer as problem:
            return self._instead(plain, f"The model {self.argument} gave no text: {problem}.", sent=problem.sent)
        except BadAnswer as problem:
            return self._instead(plain, self._thrown_away(f"{problem}"))
        if wrong := problems(answer.sentences, trial):
            more = f" (and {len(wrong) - 1} more)" if len(wrong) > 1 else ""
            return self._instead(plain, self._thrown_away(f"{wrong[0][:_SHOWN]}{more}"))
        return self._plain_language(answer, plain)

    def _plain_language(self, answer: Answer, plain: PlainLanguage) -> PlainLanguage:
        texts = [sentence.text for sentence in answer.sentences]
        known = used("\n".join(texts))
        return PlainLanguage(
            writer=f"{self.name}:{self.argument}",
            headline=answer.headline,
            summary=answer.summary,
            substance=answer.substance,
            could_lead_to=answer.could_lead_to,
            could_go_wrong=answer.could_go_wrong,
            glossary=(*explain(texts), *(one for one in plain.glossary if not used(one.term) <= known)),
            notes=(
                f"The language model {self.argument} wrote these words. Its numbers, drugs, phases, countries and "
                "conditions were checked against the record; what it makes of them can still be wrong.",
                self._sent(),
            ),
        )

    def _thrown_away(self, why: str) -> str:
        return f"The text of the model {self.argument} was thrown away: {why}."

    def _instead(self, plain: PlainLanguage, why: str, *, sent: bool = True) -> PlainLanguage:
        whose = f"{why} The words here are those of the writer {plain.writer}."
        notes = (*plain.notes, whose, *([self._sent()] if sent else []))
        return msgspec.structs.replace(plain, notes=notes)

    def _sent(self) -> str:
        where = self._endpoint.where
        return f"The registry's text of this trial, without contacts, was sent to {where}; nothing else was."

"""The reader ``llm``: conditions to search for by a language model that the user runs.

It is used only when it is named. Here what a person typed is sent, so that it goes to this machine alone, unless the
user says otherwise in so many words.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from trialindex.errors import ReaderError
from trialindex.plugin.interfaces import Reader
from trialindex.plugin.proposals import Proposal

if TYPE_CHECKING:
    from trialindex.plugin.terms import Terms


class LlmReader(Reader):
    """A model behind any endpoint that speaks OpenAI's chat completions, such as Ollama on this machine.

    ``llm:MODEL`` names the model; the environment says where it is, as it does for the writer ``llm``.

    :raises ReaderError: no model is named, the environment holds no usable address or timeout, or the server is on
        another machine and that was not allowed.
    """

    name: ClassVar[str] = "llm"
    summary: ClassVar[str] = "A language model that you run: your text is sent to it."
    replaces: ClassVar[bool] = True

    def __init__(self, argument: str = "", *, allow_remote: bool = False) -> None:
        from trialindex_llm.client import Endpoint

        super().__init__(argument.strip(), allow_remote=allow_remote)
        if not self.argument:
            raise ReaderError('The reader "llm" needs a model.', hint="Name one: --reader llm:llama3.1")
        self._endpoint = Endpoint.from_environment(ReaderError)
        if not (self._endpoint.local or allow_remote):
            raise ReaderError(
                f"The reader {self.spec} would send what you typed to {self._endpoint.where}, another machine.",
                hint="Use a server on this machine, or add --allow-remote to send it there.",
            )
        self.receiver = self._endpoint.where

    def propose(self, text: str, terms: Terms) -> list[Proposal]:
        from trialindex_llm.answer import BadAnswer
        from trialindex_llm.client import NoAnswer
        from trialindex_llm.conditions import messages, read_conditions

        if not text.strip():
            return []
        try:
            return read_conditions(self._endpoint.ask(self.argument, messages(text)), text)
        except NoAnswer as problem:
            raise self._failure(f"{problem}", sent=problem.sent) from None
        except BadAnswer as problem:
            raise self._failure(f"{problem}", sent=True) from None

    def _failure(self, why: str, *, sent: bool) -> ReaderError:
        told = f" Your text was sent to {self.receiver}." if sent else ""
        return ReaderError(f"The reader {self.spec} proposed nothing: {why}.{told}")

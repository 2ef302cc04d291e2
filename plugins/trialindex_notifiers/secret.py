"""Secrets are named, never held: an environment variable or a file, read when they are needed."""

from __future__ import annotations

import os
from typing import Any

from trialindex.errors import NotifierError
from trialindex_notifiers import files


class Named:
    """Where a secret is to be found.

    :param what: what it is called in the options: ``secret`` for ``--secret-env`` and ``--secret-file``.
    :param options: the options that were given.
    :raises NotifierError: both are given, or the file's path is none.
    """

    def __init__(self, what: str, options: dict[str, Any]) -> None:
        self._what = what
        self._variable = str(options.get(f"{what}_env") or "")
        file = str(options.get(f"{what}_file") or "")
        if self._variable and file:
            raise NotifierError(
                f"the {what} is named twice.", hint=f"Give --{what}-env or --{what}-file, not both of them."
            )
        self._path = files.whole_path(file, f"--{what}-file PATH") if file else None

    def __bool__(self) -> bool:
        return bool(self._variable or self._path)

    def read(self) -> str:
        """The secret.

        :raises NotifierError: it is not there, or empty.
        """
        if self._path:
            where = f"the file {self._path}"
            try:
                found = self._path.read_text(encoding="utf-8").rstrip("\r\n")
            except (OSError, UnicodeDecodeError) as problem:
                why = getattr(problem, "strerror", None) or "it is no text"
                raise NotifierError(
                    f"the {self._what} cannot be read from {where}: {why}.", hint="Mend the file."
                ) from None
        else:
            where = f"the environment variable {self._variable}"
            found = os.environ.get(self._variable, "")
        if not found:
            raise NotifierError(
                f"the {self._what} is missing: {where} is empty or not set.",
                hint="Set it where trialindex is started, also in the timer or cron line.",
            )
        return found

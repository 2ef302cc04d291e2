"""How the ids of trials are compared."""

from __future__ import annotations


def id_key(trial_id: str) -> bytes:
    """The same for two spellings that ``records.db`` takes for one id: ASCII letters in either case."""
    return trial_id.encode("utf-8", "surrogatepass").lower()

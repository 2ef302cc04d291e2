"""Addresses that nobody can guess."""

from __future__ import annotations

import hmac
from hashlib import sha256


def feed_secret(identity: str, num: int) -> str:
    """What the address of the feed of a watch holds: nobody can guess it, and it ends with the watch.

    :param identity: of the watches, which is random and readable by their owner alone.
    """
    return f"{num}-{hmac.new(identity.encode(), f'feed {num}'.encode(), sha256).hexdigest()[:32]}"

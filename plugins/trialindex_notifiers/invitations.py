"""What asks somebody whether they want news, in words."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass

from trialindex.errors import NotifierError
from trialindex.plugin.messages import Invitation
from trialindex_notifiers import texts


@dataclass(frozen=True)
class Words:
    """An invitation in words. Nothing of it was typed by a visitor, so that nobody can have us write to a stranger."""

    subject: str
    opening: str
    link: str
    closing: str


def read(invitation: Invitation) -> Words:
    """The words of an invitation.

    :raises NotifierError: its page is none of the web.
    """
    link = texts.address(invitation.confirm)
    if link is None:
        raise NotifierError("the page to confirm at is no address of the web.", hint="Report it.", permanent=True)
    site = texts.clean_line(invitation.site)
    if invitation.renewal:
        return Words(
            f"Do you still want news from {site}?",
            f"A year ago you asked {site} for news of clinical trials by e-mail. If you still want them, open this "
            "page and press the button:",
            link,
            f"If you do nothing, no more comes after {until(invitation)}, and what is kept of you is deleted.",
        )
    return Words(
        f"Please confirm your sign-up at {site}",
        f"Somebody, we hope you, asked {site} to send news of clinical trials to this address. If it was you, open "
        "this page and press the button:",
        link,
        f"If it was not you, do nothing: no news comes, and after {until(invitation)} nothing of this is kept.",
    )


def until(invitation: Invitation) -> str:
    """The last moment of an answer: ``5 March 2026, 07:00 UTC``."""
    moment = texts.in_utc(invitation.until)
    return f"{moment.day} {moment:%B %Y, %H:%M} UTC"


def text(words: Words) -> str:
    """The invitation as plain text."""
    opening, closing = (textwrap.fill(part, texts.WIDTH) for part in (words.opening, words.closing))
    return f"{opening}\n\n  {words.link}\n\n{closing}\n"


def page(words: Words) -> str:
    """The invitation as an HTML page that fetches nothing."""
    return texts.draw("invitation.html", words=words)

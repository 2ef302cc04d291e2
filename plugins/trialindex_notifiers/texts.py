"""What a message says: the same words for every notifier, made from a delivery alone.

Registry text arrives here untrusted; what leaves is cleaned, on one line, and of bounded length.
"""

from __future__ import annotations

import re
import shlex
import textwrap
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from trialindex.errors import NotifierError
from trialindex.plugin.messages import Delivery, Invitation, NewsKind, SubscriberLinks, Update
from trialindex.plugin.trial_page import NOTICE
from trialindex.trial import display as w
from trialindex.trial import sanitize

if TYPE_CHECKING:
    from jinja2 import Environment

KINDS: dict[NewsKind, str] = {
    "new": "A new study",
    "changed": "Changed",
    "removed": "No longer in the index",
    "backlog": "Not new",
}
_TEST = "A test"
WIDTH = 76
"""Columns of a text that is sent or kept; RFC 5322 asks for lines of at most 78 characters."""
_CHANGES = 20  # lines of one study that a person is shown; the others are a command away
DIGEST = 25
"""Updates that a message which is sent holds; the others are a link or a command away."""
_LONGEST = 1000  # characters of any one text
_LABEL = 11
_STOPPED = 5  # watches whose command is shown

Paint = Callable[[str, str], str]
"""Gives a line its look, told which part it is of: ``head``, ``new``, ``changed``, ``removed`` or ``dim``."""


@dataclass(frozen=True)
class Item:
    """One update in words.

    :param head: its kind and the title.
    :param facts: labels and values.
    :param link: an address that may be followed.
    :param changes: what changed, most important first.
    """

    kind: NewsKind
    head: str
    facts: tuple[tuple[str, str], ...]
    link: str | None
    changes: tuple[str, ...]


def item(update: Update, *, asked: bool = False, subscriber: SubscriberLinks | None = None) -> Item:
    """An update in words.

    :param asked: also what the user watches, in their words: on this machine only.
    :param subscriber: the pages of somebody who has no commands to type.
    """
    backlog = update.kind == "backlog"
    link = address(update.url)
    changes = [] if backlog else [clean_line(line) for line in update.lines[:_CHANGES]]
    if changes and (more := len(update.lines) - _CHANGES) > 0:
        command = f"; to see all, type: trialindex diff {shlex.quote(clean_line(update.trial))}"
        changes.append(f"and {more} more{'' if subscriber else command}")
    facts = [
        ("Id", clean_line(update.trial)),
        ("Page", "" if backlog else link or w.NOT_STATED),
        ("Noticed", w.date(update.when)),
        ("Why", clean_line(update.why)),
        ("You watch", clean_line(update.asked) if asked else ""),
        ("To list", (address(subscriber.manage) or "" if subscriber else list_command(update)) if backlog else ""),
    ]
    return Item(
        update.kind,
        f"{says(update)}: {clean_line(update.title) or w.NOT_STATED}",
        tuple((label, value) for label, value in facts if value),
        link,
        tuple(filter(None, changes)),
    )


def says(update: Update) -> str:
    """The kind of an update in words; one that is of no watch is a test."""
    return KINDS[update.kind] if update.watch else _TEST


def summary(delivery: Delivery) -> str:
    """How many news of which kind, without a word of what they are about: ``2 new studies, 1 changed study``."""
    if not any(update.watch for update in delivery.updates):
        return _TEST.lower()
    number = {kind: sum(update.count for update in delivery.updates if update.kind == kind) for kind in KINDS}
    said = [
        (number["new"], w.count(number["new"], "new study", "new studies")),
        (number["changed"], w.count(number["changed"], "changed study", "changed studies")),
        (number["removed"], w.count(number["removed"], "study", "studies") + " no longer in the index"),
        (number["backlog"], w.count(number["backlog"], "study that is not new", "studies that are not new")),
    ]
    return ", ".join(words for count, words in said if count)


def list_command(update: Update) -> str:
    """What to type to see the update again, whole."""
    return f"trialindex updates --watch {update.watch} --since {clean_line(update.when)}"


@dataclass(frozen=True)
class Digest:
    """What of a delivery a message shows.

    :param rest: how many updates it leaves out, in words; empty for none.
    :param link: a page with all of them.
    :param command: what to type to see all of them, where there is no page.
    """

    updates: tuple[Update, ...]
    rest: str = ""
    link: str | None = None
    command: str = ""


def digest(delivery: Delivery, limit: int | None) -> Digest:
    """The first updates of a delivery, and the way to the rest."""
    updates = delivery.updates[:limit]
    if not (more := len(delivery.updates) - len(updates)):
        return Digest(updates)
    since = min(update.when for update in delivery.updates)
    words = f"And {more:,} more. To see {'it' if more == 1 else 'them'}:"
    page = delivery.url or (delivery.subscriber.manage if delivery.subscriber else None)
    return Digest(updates, words, address(page), f"trialindex updates --since {clean_line(since)}")


@dataclass(frozen=True)
class Way:
    """A way to stop the news: what it is for, and what to type, or the page to open."""

    words: str
    commands: tuple[str, ...] = ()
    link: str | None = None


def ways_out(updates: Sequence[Update], subscriber: SubscriberLinks | None = None) -> list[Way]:
    """Which commands to type so that no more comes, or of a subscriber who has none the pages to open."""
    if subscriber:
        return [
            Way("To get no more of these mails, and to be deleted here:", link=address(subscriber.stop)),
            Way("To see, change, take along or delete what is kept of you:", link=address(subscriber.manage)),
        ]
    numbers = sorted({update.watch for update in updates if update.watch})
    commands = [f"trialindex watch remove {number}" for number in numbers[:_STOPPED]]
    if len(numbers) > _STOPPED:
        commands.append("trialindex watch list")
    here = Way("To stop a watch, type on the computer that runs trialindex:", tuple(commands))
    everything = Way(
        "To stop all that comes this way, find its number N there, and remove it:",
        ("trialindex notify list", "trialindex notify remove N"),
    )
    return [here, everything] if commands else [everything]


def mark(delivery: Delivery) -> str:
    """The last line of every message: its name. A message that comes twice has it twice."""
    return f"Message {key(delivery)}"


def text(
    delivery: Delivery,
    *,
    width: int = WIDTH,
    asked: bool = False,
    limit: int | None = None,
    paint: Paint = lambda part, line: line,
) -> str:
    """The whole message as plain text that ends with a line break.

    A line with registry text is indented or begins with the words of a kind, so that none can be mistaken for ours.

    :param asked: also what the user watches, in their words: on this machine only.
    :param limit: so many updates at most, and the way to the rest; all of them without it.
    """
    return "\n".join([*_lines(delivery, width, asked, limit, paint), ""])


def _lines(delivery: Delivery, width: int, asked: bool, limit: int | None, paint: Paint) -> Iterator[str]:
    shown = digest(delivery, limit)
    for line in _wrapped(f"trialindex: {summary(delivery)}", width, "", "  "):
        yield paint("head", line)
    for update in shown.updates:
        words = item(update, asked=asked, subscriber=delivery.subscriber)
        yield ""
        for line in _wrapped(words.head, width, "", "  "):
            yield paint(words.kind, line)
        for label, value in words.facts:
            yield from _wrapped(value, width, f"  {label}".ljust(_LABEL + 2), " " * (_LABEL + 2))
        for change in words.changes:
            yield from _wrapped(change, width, "  - ", "    ")
    if shown.rest:
        yield ""
        yield from _wrapped(shown.rest, width, "", "")
        yield f"  {shown.link or shown.command}"
    yield ""
    for line in _closing(delivery, width):
        yield paint("dim", line)


def _closing(delivery: Delivery, width: int) -> Iterator[str]:
    yield from _wrapped(NOTICE, width, "", "")
    for way in ways_out(delivery.updates, delivery.subscriber):
        yield from _wrapped(way.words, width, "", "")
        yield from (f"  {line}" for line in (*way.commands, way.link) if line)
    yield mark(delivery)


def _wrapped(words: str, width: int, first: str, rest: str) -> list[str]:
    """Lines of at most *width* characters, unless one word is longer: an address is never cut."""
    return textwrap.wrap(
        words,
        width,
        initial_indent=first,
        subsequent_indent=rest,
        break_long_words=False,
        break_on_hyphens=False,
    )


def page(delivery: Delivery, limit: int | None = None) -> str:
    """The whole message as one HTML page that fetches nothing.

    :param limit: so many updates at most, and the way to the rest; all of them without it.
    """
    shown = digest(delivery, limit)
    return draw(
        "message.html",
        summary=summary(delivery),
        items=[item(update, subscriber=delivery.subscriber) for update in shown.updates],
        digest=shown,
        notice=NOTICE,
        ways=ways_out(delivery.updates, delivery.subscriber),
        mark=mark(delivery),
    )


def fragment(update: Update) -> str:
    """One update as HTML without its title, for an entry of a feed."""
    return draw("feed_entry.html", item=item(update), notice=NOTICE, ways=ways_out([update]), mark="")


def data(delivery: Delivery) -> dict[str, Any]:
    """The delivery as plain JSON values, without what the user watches."""
    return {
        "key": key(delivery),
        "created": stamp(delivery),
        "summary": summary(delivery),
        "updates": [update_data(update) for update in delivery.updates],
        **ending(delivery.updates),
    }


def ending(updates: Sequence[Update]) -> dict[str, Any]:
    """What every message ends with, as plain JSON values."""
    return {"notice": NOTICE, "stop": [command for way in ways_out(updates) for command in way.commands]}


def update_data(update: Update, *, asked: bool = False) -> dict[str, Any]:
    """One update as plain JSON values, its key first."""
    values: dict[str, Any] = {
        "key": update.key,
        "kind": update.kind,
        "says": says(update),
        "trial": clean_line(update.trial),
        "status": update.status,
        "count": update.count,
        "title": clean_line(update.title),
        "url": address(update.url),
        "when": clean_line(update.when),
        "why": clean_line(update.why),
        "lines": [clean_line(line) for line in update.lines],
        "watch": update.watch,
    }
    if asked:
        values["asked"] = None if update.asked is None else clean_line(update.asked)
    return values


def key(delivery: Delivery | Invitation) -> str:
    """The key of what is sent, which goes into headers.

    :raises NotifierError: it could end a header.
    """
    if not re.fullmatch(r"[!-~]{1,64}", delivery.key):
        raise NotifierError("the message has a key that no header can hold.", hint="Report it.", permanent=True)
    return delivery.key


def moment(delivery: Delivery | Invitation) -> datetime:
    """When it was made, in UTC."""
    return in_utc(delivery.created)


def in_utc(written: str) -> datetime:
    """The moment that is written in ISO 8601; without a zone it is one of UTC."""
    made = datetime.fromisoformat(written)
    return (made if made.tzinfo else made.replace(tzinfo=UTC)).astimezone(UTC)


def stamp(delivery: Delivery) -> str:
    """When the delivery was made, as RFC 3339 writes it: ``2026-03-05T07:00:00Z``."""
    return f"{moment(delivery):%Y-%m-%dT%H:%M:%SZ}"


def address(url: str | None) -> str | None:
    """The address if it is one of the web and of harmless characters, else ``None``."""
    if not url or len(url) > _LONGEST or not re.fullmatch(r"[!#-;=?-~]+", url):  # no space, quote, < or >
        return None
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    return url if parts.scheme in ("http", "https") and parts.hostname else None


def clean_line(words: str | None) -> str:
    """The words of a registry or another program, cleaned, on one line and of bounded length."""
    return sanitize.excerpt(words or "", _LONGEST)


@cache
def _templates() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    return Environment(
        loader=PackageLoader("trialindex_notifiers"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def draw(template: str, **values: Any) -> str:
    return _templates().get_template(template).render(**values)

"""The ``feed`` notifier: Atom 1.0 (RFC 4287)."""

from __future__ import annotations

import re
import uuid
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar

import click

from trialindex.errors import NotifierError
from trialindex.plugin.interfaces import Notifier
from trialindex.plugin.messages import Delivery, Update
from trialindex_notifiers import files, texts

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

_ATOM = "http://www.w3.org/2005/Atom"
_KEEP = 200
_MOST = 10_000
_TITLE = "News of clinical trials"
_ABOUT = "What is new and what changed in the trials that trialindex watches on this computer."
_GENERATOR = "trialindex"
_NEWS = uuid.UUID("6f0fb3c2-6f8e-4b9c-9d0e-5d6d2f6f8a41")
"""The namespace of entry ids: the id of an entry is the UUID, version 5, of its update's key in here."""
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 cannot hold, section 2.2."""


class FeedNotifier(Notifier):
    """News as a feed file for a feed reader: feed:PATH.

    Atom 1.0, newest first. News that come a second time are not entered again. The file is made for its owner alone
    (0600); a mode that you give it stays. What you typed is not in it.
    """

    name: ClassVar[str] = "feed"
    summary: ClassVar[str] = "News as an Atom feed file, for a feed reader."
    local: ClassVar[bool] = True
    options: ClassVar[tuple[click.Option, ...]] = (
        click.Option(
            ["--keep"],
            type=click.IntRange(1, _MOST),
            default=_KEEP,
            show_default=True,
            help="Keep this many entries; the oldest go.",
        ),
    )

    def __init__(self, argument: str = "", **options: Any) -> None:
        super().__init__(argument, **options)
        self._path = files.whole_path(argument, "feed:PATH")
        files.check_place(self._path)
        self._keep = int(options.get("keep") or _KEEP)
        if not 1 <= self._keep <= _MOST:
            raise NotifierError(f"a feed keeps from 1 to {_MOST:,} entries, not {self._keep}.", hint="Mend --keep.")

    def send(self, delivery: Delivery) -> None:
        from xml.etree import ElementTree

        with files.lock_file(self._path):
            root = self._read() if self._path.exists() else _empty()
            entries = root.findall(_tag("entry"))
            known = {entry.findtext(_tag("id")) for entry in entries}
            new = [
                _entry(update, texts.moment(delivery)) for update in delivery.updates if entry_id(update) not in known
            ]
            if not new:
                return
            _put(root, [*new, *entries][: self._keep], texts.moment(delivery))
            ElementTree.indent(root)
            ElementTree.register_namespace("", _ATOM)  # so that no name needs a prefix
            files.replace(self._path, ElementTree.tostring(root, "utf-8", xml_declaration=True))

    def _read(self) -> Element:
        """The feed that is there.

        :raises NotifierError: it is damaged, or none of ours.
        """
        from xml.etree import ElementTree

        content = self._path.read_bytes()
        if b"<!" in content:  # we write no declarations, comments or CDATA; entities could be a bomb
            raise self._foreign("it is a feed or document of another program")
        try:
            root = ElementTree.fromstring(content)  # noqa: S314 — without declarations there are no entities
        except (ElementTree.ParseError, ValueError, LookupError) as problem:
            raise self._foreign(f"it is damaged or no XML ({problem})") from None
        if not _is_ours(root):
            raise self._foreign("it is a feed or document of another program")
        return root

    def _foreign(self, why: str) -> NotifierError:
        return NotifierError(f"{self._path} is left as it is: {why}.", hint="Name another file, or move that one away.")


def entry_id(update: Update) -> str:
    """The id of an entry, the same for the same news for ever: ``urn:uuid:…``, from the update's key."""
    return uuid.uuid5(_NEWS, update.key).urn


def _empty() -> Element:
    """A feed without entries."""
    from xml.etree.ElementTree import Element

    root = Element(_tag("feed"))
    _add(root, "id", uuid.uuid4().urn)
    _add(root, "title", _TITLE)
    _add(root, "subtitle", _ABOUT)
    _add(root, "updated")
    _add(_add(root, "author"), "name", _GENERATOR)
    _add(root, "generator", _GENERATOR)
    return root


def _is_ours(root: Element) -> bool:
    whole = all(root.find(_tag(name)) is not None for name in ("id", "title", "updated"))
    return root.tag == _tag("feed") and root.findtext(_tag("generator")) == _GENERATOR and whole


def _entry(update: Update, moment: datetime) -> Element:
    from xml.etree.ElementTree import Element

    words = texts.item(update)
    entry = Element(_tag("entry"))
    _add(entry, "id", entry_id(update))
    _add(entry, "title", words.head)
    _add(entry, "updated", _rfc3339(moment))
    if words.link:
        _add(entry, "link", rel="alternate", type="text/html", href=words.link)
    _add(entry, "category", term=update.kind, label=texts.says(update))
    _add(entry, "content", texts.fragment(update), type="html")
    return entry


def _put(root: Element, entries: list[Element], moment: datetime) -> None:
    """Make *entries* those of the feed, which changed at *moment*."""
    for entry in root.findall(_tag("entry")):
        root.remove(entry)
    root.extend(entries)
    updated = root.find(_tag("updated"))
    assert updated is not None
    updated.text = max(updated.text or "", _rfc3339(moment))  # a late delivery does not turn time back


def _rfc3339(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def _tag(name: str) -> str:
    return f"{{{_ATOM}}}{name}"


def _add(parent: Element, name: str, text: str = "", **attributes: str) -> Element:
    """A new element under *parent*, without what XML cannot hold."""
    from xml.etree.ElementTree import SubElement

    child = SubElement(parent, _tag(name), {key: _NO_XML.sub("", value) for key, value in attributes.items()})
    child.text = _NO_XML.sub("", text) or None
    return child

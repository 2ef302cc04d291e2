"""The ``feed`` notifier: Atom 1.0 (RFC 4287) and RSS 2.0 (the RSS Advisory Board's specification, version 2.0.11)."""

from __future__ import annotations

import re
import uuid
from abc import ABC, abstractmethod
from datetime import datetime
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import urlsplit

import click

from trialindex.errors import NotifierError
from trialindex.plugin.interfaces import Notifier
from trialindex.plugin.messages import Delivery, Update
from trialindex_notifiers import files, texts

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

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

    Atom 1.0, or RSS 2.0 with --rss; newest first. News that come a second time are not entered again. The file is made
    for its owner alone (0600); a mode that you give it stays. What you typed is not in it.
    """

    name: ClassVar[str] = "feed"
    summary: ClassVar[str] = "News as an Atom or RSS feed file, for a feed reader."
    local: ClassVar[bool] = True
    options: ClassVar[tuple[click.Option, ...]] = (
        click.Option(["--rss"], is_flag=True, help="RSS 2.0 in place of Atom 1.0."),
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
        self._format: _Format = _Rss() if options.get("rss") else _Atom()
        self._keep = int(options.get("keep") or _KEEP)
        if not 1 <= self._keep <= _MOST:
            raise NotifierError(f"a feed keeps from 1 to {_MOST:,} entries, not {self._keep}.", hint="Mend --keep.")

    def send(self, delivery: Delivery) -> None:
        from xml.etree import ElementTree

        with files.held(self._path):
            root = self._read() if self._path.exists() else self._format.empty()
            entries = self._format.entries(root)
            known = {self._format.id_of(entry) for entry in entries}
            new = [
                self._format.entry(update, texts.moment(delivery))
                for update in delivery.updates
                if entry_id(update) not in known
            ]
            if not new:
                return
            self._format.put(root, [*new, *entries][: self._keep], texts.moment(delivery))
            ElementTree.indent(root)
            ElementTree.register_namespace("", _Atom.namespace)  # so that no name needs a prefix
            files.replace(self._path, ElementTree.tostring(root, "utf-8", xml_declaration=True))

    def _read(self) -> Element:
        """The feed that is there. :raises NotifierError: it is damaged, or none of ours."""
        from xml.etree import ElementTree

        content = self._path.read_bytes()
        if b"<!" in content:  # we write no declarations, comments or CDATA; entities could be a bomb
            raise self._foreign("it is a feed or document of another program")
        try:
            root = ElementTree.fromstring(content)  # noqa: S314 — without declarations there are no entities
        except (ElementTree.ParseError, ValueError, LookupError) as problem:
            raise self._foreign(f"it is damaged or no XML ({problem})") from None
        if not self._format.is_ours(root):
            other: _Format = _Atom() if isinstance(self._format, _Rss) else _Rss()
            if other.is_ours(root):
                raise self._foreign(f"it is {other.label} and {self._format.label} was asked for")
            raise self._foreign("it is a feed or document of another program")
        return root

    def _foreign(self, why: str) -> NotifierError:
        return NotifierError(f"{self._path} is left as it is: {why}.", hint="Name another file, or move that one away.")


def entry_id(update: Update) -> str:
    """The id of an entry, the same for the same news for ever: ``urn:uuid:…``, from the update's key."""
    return uuid.uuid5(_NEWS, update.key).urn


class _Format(ABC):
    """How a feed is written."""

    label: ClassVar[str]

    @abstractmethod
    def empty(self) -> Element:
        """A feed without entries."""

    @abstractmethod
    def is_ours(self, root: Element) -> bool: ...

    @abstractmethod
    def entries(self, root: Element) -> list[Element]: ...

    @abstractmethod
    def id_of(self, entry: Element) -> str | None: ...

    @abstractmethod
    def entry(self, update: Update, moment: datetime) -> Element: ...

    @abstractmethod
    def put(self, root: Element, entries: list[Element], moment: datetime) -> None:
        """Make *entries* those of the feed, which changed at *moment*."""


class _Atom(_Format):
    label = "Atom"
    namespace: ClassVar[str] = "http://www.w3.org/2005/Atom"

    def empty(self) -> Element:
        from xml.etree.ElementTree import Element

        root = Element(self._tag("feed"))
        self._add(root, "id", uuid.uuid4().urn)
        self._add(root, "title", _TITLE)
        self._add(root, "subtitle", _ABOUT)
        self._add(root, "updated", "")
        self._add(self._add(root, "author"), "name", _GENERATOR)
        self._add(root, "generator", _GENERATOR)
        return root

    def is_ours(self, root: Element) -> bool:
        whole = all(root.find(self._tag(name)) is not None for name in ("id", "title", "updated"))
        return root.tag == self._tag("feed") and root.findtext(self._tag("generator")) == _GENERATOR and whole

    def entries(self, root: Element) -> list[Element]:
        return root.findall(self._tag("entry"))

    def id_of(self, entry: Element) -> str | None:
        return entry.findtext(self._tag("id"))

    def entry(self, update: Update, moment: datetime) -> Element:
        from xml.etree.ElementTree import Element

        words = texts.item(update)
        entry = Element(self._tag("entry"))
        self._add(entry, "id", entry_id(update))
        self._add(entry, "title", words.head)
        self._add(entry, "updated", _rfc3339(moment))
        if words.link:
            self._add(entry, "link", rel="alternate", type="text/html", href=words.link)
        self._add(entry, "category", term=update.kind, label=texts.says(update))
        self._add(entry, "content", texts.fragment(update), type="html")
        return entry

    def put(self, root: Element, entries: list[Element], moment: datetime) -> None:
        for entry in self.entries(root):
            root.remove(entry)
        root.extend(entries)
        updated = root.find(self._tag("updated"))
        assert updated is not None
        updated.text = max(updated.text or "", _rfc3339(moment))  # a late delivery does not turn time back

    def _tag(self, name: str) -> str:
        return f"{{{self.namespace}}}{name}"

    def _add(self, parent: Element, name: str, text: str = "", **attributes: str) -> Element:
        return _add(parent, self._tag(name), text, **attributes)


class _Rss(_Format):
    label = "RSS"

    def empty(self) -> Element:
        from xml.etree.ElementTree import Element

        root = Element("rss", version="2.0")
        channel = _add(root, "channel")
        _add(channel, "title", _TITLE)
        _add(channel, "link", "about:blank")
        _add(channel, "description", _ABOUT)
        _add(channel, "language", "en")
        _add(channel, "lastBuildDate", "")
        _add(channel, "generator", _GENERATOR)
        return root

    def is_ours(self, root: Element) -> bool:
        whole = all(root.find(f"channel/{name}") is not None for name in ("title", "link", "lastBuildDate"))
        return root.tag == "rss" and root.findtext("channel/generator") == _GENERATOR and whole

    def entries(self, root: Element) -> list[Element]:
        return root.findall("channel/item")

    def id_of(self, entry: Element) -> str | None:
        return entry.findtext("guid")

    def entry(self, update: Update, moment: datetime) -> Element:
        from xml.etree.ElementTree import Element

        words = texts.item(update)
        item = Element("item")
        _add(item, "title", words.head)
        if words.link:
            _add(item, "link", words.link)
        _add(item, "description", texts.fragment(update))
        _add(item, "category", texts.says(update))
        _add(item, "guid", entry_id(update), isPermaLink="false")
        _add(item, "pubDate", format_datetime(moment))
        return item

    def put(self, root: Element, entries: list[Element], moment: datetime) -> None:
        channel = root.find("channel")
        built, link = root.find("channel/lastBuildDate"), root.find("channel/link")
        assert channel is not None
        assert built is not None
        assert link is not None
        for entry in self.entries(root):
            channel.remove(entry)
        channel.extend(entries)
        built.text = format_datetime(moment)
        # A channel must link to a site. It has none of its own, so that it is the registry's of the newest news.
        pages = filter(None, (entry.findtext("link") for entry in entries))
        if page := next(pages, None):
            parts = urlsplit(page)
            link.text = f"{parts.scheme}://{parts.netloc}/"


def _rfc3339(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def _add(parent: Element, tag: str, text: str = "", **attributes: str) -> Element:
    """A new element under *parent*, without what XML cannot hold."""
    from xml.etree.ElementTree import SubElement

    child = SubElement(parent, tag, {name: _NO_XML.sub("", value) for name, value in attributes.items()})
    child.text = _NO_XML.sub("", text) or None
    return child

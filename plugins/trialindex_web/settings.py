"""How one server was started."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from trialindex.errors import TrialIndexError
from trialindex.plugin.interfaces import Reader
from trialindex.plugin.proposals import DEFAULT_READER


class ServeError(TrialIndexError):
    """The server cannot be started as asked."""


@dataclass(frozen=True)
class Settings:
    """How one server was started.

    :param base_url: where people find it, without a slash at the end.
    :param hosts: the values of the header ``Host`` that are answered.
    :param public: it is for everybody who can reach it, behind HTTPS; else for the one person at this computer.
    :param contacts: contacts are shown without being asked for.
    :param proxy: the address of a client is what the web server in front says.
    :param sign_up: people can sign up by e-mail.
    :param security: where to write about a hole in the security, an address or a page; empty for nowhere.
    :param token: what a program of the owner shows to reach the watches; empty for none.
    :param sample: the index is the bundled sample, beside which nothing is kept.
    :param reader: proposes what else to search for, or its spec.
    """

    base_url: str
    hosts: frozenset[str]
    public: bool = False
    contacts: bool = False
    proxy: bool = False
    sample: bool = False
    sign_up: bool = False
    security: str = ""
    token: str = ""
    reader: str | Reader = DEFAULT_READER

    @classmethod
    def for_address(
        cls,
        address: tuple[Any, ...],
        *,
        public: bool = False,
        base_url: str = "",
        contacts: bool = False,
        proxy: bool = False,
        sample: bool = False,
        sign_up: bool = False,
        security: str = "",
        token: str = "",
        reader: str | Reader = DEFAULT_READER,
    ) -> Settings:
        """The settings of a server that listens at *address*, a host and a port.

        :raises ServeError: they do not go together.
        """
        host, port = str(address[0]), int(address[1])
        local = {f"{name}:{port}" for name in ("127.0.0.1", "localhost", "[::1]", f"[{host}]" if ":" in host else host)}
        if not public:
            if base_url or proxy or security:
                raise ServeError(
                    "--base-url, --proxy and --security go with --public.", hint="Add --public, or leave them out."
                )
            return cls(
                base_url=f"http://{_bracket_ipv6(host)}:{port}",
                hosts=frozenset(local),
                contacts=contacts,
                sample=sample,
                token=token,
                reader=reader,
            )
        if token:
            raise ServeError("--token-file is for the watches of one person.", hint="Leave it out with --public.")
        base_url = base_url.rstrip("/")
        parts = urlsplit(base_url)
        if parts.scheme != "https" or not parts.hostname or parts.path or parts.query or parts.fragment:
            raise ServeError(
                "--public needs the address that people type, and it has to be https.",
                hint="Give it: --base-url https://trials.example.org",
            )
        return cls(
            base_url=base_url,
            hosts=frozenset({parts.netloc.lower(), *local}),
            public=True,
            contacts=contacts,
            proxy=proxy,
            sample=sample,
            sign_up=sign_up,
            security=_contact(security),
            reader=reader,
        )

    @property
    def receiver(self) -> str:
        """The server that the reader sends what is typed to; empty if it goes nowhere."""
        return "" if isinstance(self.reader, str) else self.reader.receiver

    @property
    def origins(self) -> frozenset[str]:
        """The origins whose forms are accepted."""
        scheme = "https" if self.public else "http"
        return frozenset({self.base_url, *(f"{scheme}://{host}" for host in self.hosts)})


def _contact(given: str) -> str:
    """Where to write, as a URI.

    :raises ServeError: it is neither an e-mail address nor a page.
    """
    uri = f"mailto:{given}" if "@" in given and ":" not in given else given
    if uri and not re.fullmatch(r"(mailto:[!-~]+@[!-~]+|https://[!-~]+)", uri):
        raise ServeError(
            "--security takes an e-mail address or the https address of a page.",
            hint="For example --security security@example.org.",
        )
    return uri


def _bracket_ipv6(host: str) -> str:
    return f"[{host}]" if ":" in host else host

"""The ``email`` notifier: a message of RFC 5322 through a server of RFC 5321."""

from __future__ import annotations

import hashlib
import re
from contextlib import suppress
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import quote, urlsplit

import click

from trialindex.errors import NotifierError
from trialindex.plugin.http import is_loopback
from trialindex.plugin.interfaces import Notifier
from trialindex.plugin.messages import Delivery, Invitation
from trialindex.trial.sanitize import excerpt, one_line
from trialindex_notifiers import invitations, texts
from trialindex_notifiers.secret import Named

if TYPE_CHECKING:
    import smtplib
    from email.message import EmailMessage

_PORTS = {"starttls": 587, "tls": 465, "none": 25}
_TIMEOUT = 30.0  # seconds, for each answer of the server
_GOODBYE = 5.0  # seconds, when the message is accepted already
_LATER = "It is tried again next time."
_NAMELESS = "[127.0.0.1]"
"""What the server is told to be spoken to by (RFC 5321, section 4.1.3), in place of the computer's name."""
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LOCAL_PART = re.compile(rf"{_ATOM}(?:\.{_ATOM})*")
_LABEL = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?")
_NOT_LET_IN = {530, 534, 535, 538}
"""Refusals that a mended password or account may end (RFC 4954, section 6)."""


class EmailNotifier(Notifier):
    """News by e-mail through your provider's server (SMTP): email:YOU@EXAMPLE.ORG.

    Plain text and HTML; the subject says how many news, not what they are about. The text holds the registry's facts of
    the trials, and nothing that you typed. For a second address add a second notifier: each is tried until its own
    server has accepted, and no reader sees the other.

    \b
      trialindex notify add email:me@example.org --host smtp.example.org --user me@example.org --password-env MAIL
    """

    name: ClassVar[str] = "email"
    summary: ClassVar[str] = "News by e-mail, through an SMTP server."
    invites: ClassVar[bool] = True
    options: ClassVar[tuple[click.Option, ...]] = (
        click.Option(["--host"], metavar="NAME", help="The server that takes your mail, such as smtp.example.org."),
        click.Option(
            ["--port"], type=click.IntRange(1, 65535), help="Its port.  [default: 587; with tls 465, with none 25]"
        ),
        click.Option(
            ["--security"],
            type=click.Choice(list(_PORTS)),
            default="starttls",
            show_default=True,
            help="How the connection is encrypted; none only to a server on this computer.",
        ),
        click.Option(["--user"], metavar="NAME", help="Your name at the server, if it asks for one."),
        click.Option(["--password-env"], metavar="NAME", help="The environment variable that holds the password."),
        click.Option(["--password-file"], metavar="PATH", help="The file that holds the password."),
        click.Option(
            ["--from", "from_"],
            metavar="ADDRESS",
            help="The sender's address.  [default: --user if that is an address, else the receiver's]",
        ),
    )

    def __init__(self, argument: str = "", **options: Any) -> None:
        super().__init__(argument, **options)
        if "," in argument or ";" in argument:
            raise NotifierError(
                "one e-mail notifier has one address, so that each is tried by itself and no reader sees the other.",
                hint="Add one for each address.",
            )
        self._to = _address(argument, "email:ADDRESS")
        self._host = _host(str(options.get("host") or ""))
        self._security = str(options.get("security") or "starttls")
        if self._security not in _PORTS:
            raise NotifierError(f'the security "{self._security}" is not known.', hint=f"Allowed: {', '.join(_PORTS)}.")
        if self._security == "none" and not is_loopback(self._host):
            raise NotifierError(
                f"what goes to {self._host} must be encrypted.", hint="Use --security starttls, or tls."
            )
        self._port = int(options.get("port") or _PORTS[self._security])
        self._user = str(options.get("user") or "")
        self._password = Named("password", options)
        if bool(self._user) != bool(self._password):
            missing, given = ("--password-env or --password-file", "--user") if self._user else ("--user", "a password")
            raise NotifierError(f"email has {given} and not {missing}.", hint=f"Add {missing}.")
        sender = str(options.get("from_") or "") or (self._user if "@" in self._user else argument)
        self._from = _address(sender, "--from")

    def send(self, delivery: Delivery) -> None:
        self._send(compose(delivery, sender=self._from, to=self._to))

    def invite(self, invitation: Invitation) -> None:
        self._send(compose_invitation(invitation, sender=self._from, to=self._to))

    def _send(self, message: EmailMessage) -> None:
        import smtplib

        password = self._password.read() if self._password else ""
        server = None
        try:
            server = self._connect()
            if self._user:
                server.login(self._user, password)
            server.send_message(message, self._from, [self._to])
        except (OSError, smtplib.SMTPException, ValueError) as problem:  # ValueError: what is not ASCII in a password
            if server is not None:
                server.close()
            raise self._notifier_error(problem) from None
        _leave(server)

    def _connect(self) -> smtplib.SMTP:
        """A connection that is encrypted as was asked for."""
        import smtplib
        import ssl

        if self._security == "tls":
            return smtplib.SMTP_SSL(
                self._host, self._port, _NAMELESS, timeout=_TIMEOUT, context=ssl.create_default_context()
            )
        server = smtplib.SMTP(self._host, self._port, _NAMELESS, timeout=_TIMEOUT)
        if self._security == "starttls":
            try:
                server.starttls(context=ssl.create_default_context())
            except BaseException:
                server.close()
                raise
        return server

    def _notifier_error(self, problem: Exception) -> NotifierError:
        """What a failure means: whether it may pass, and what to do."""
        import smtplib
        import ssl

        match problem:
            case smtplib.SMTPRecipientsRefused():
                code, said = next(iter(problem.recipients.values()))
                return self._refused("the address", code, said)
            case smtplib.SMTPAuthenticationError():
                return NotifierError(
                    f"{self._host} does not let {self._user} in: {_words(problem.smtp_code, problem.smtp_error)}.",
                    hint="Check --user and the password; many providers want one made for applications.",
                )
            case smtplib.SMTPSenderRefused():
                return self._refused("the sender", problem.smtp_code, problem.smtp_error)
            case smtplib.SMTPDataError():
                return self._refused("the message", problem.smtp_code, problem.smtp_error)
            case smtplib.SMTPResponseException():
                answer = _words(problem.smtp_code, problem.smtp_error)
                return NotifierError(f"{self._host} does not take mail now: {answer}.", hint=_LATER)
            case smtplib.SMTPNotSupportedError():
                return NotifierError(
                    f"{self._host} does not offer what is needed ({one_line(str(problem)).rstrip('.')}).",
                    hint="Check --port and --security.",
                )
            case ssl.SSLCertVerificationError():
                return NotifierError(
                    f"{self._host} cannot prove that it is {self._host}: {problem.verify_message}.",
                    hint="Check --host; for an authority of your own set SSL_CERT_FILE.",
                )
            case ssl.SSLError():
                return NotifierError(
                    f"no encrypted connection to {self._host} port {self._port}: {problem.reason or problem}.",
                    hint="Check --port and --security.",
                )
            case UnicodeError():
                return NotifierError(
                    "the user name or password holds letters that are not ASCII.", hint="Have the password changed."
                )
            case _:
                why = getattr(problem, "strerror", None) or excerpt(str(problem), 200) or type(problem).__name__
                return NotifierError(
                    f"{self._host} port {self._port} cannot be reached, or cut the connection: {why.rstrip('.')}.",
                    hint=_LATER,
                )

    def _refused(self, what: str, code: int, said: bytes | str) -> NotifierError:
        permanent = 500 <= code < 600 and code not in _NOT_LET_IN
        return NotifierError(
            f"{self._host} refuses {what}{'' if permanent else ' for now'}: {_words(code, said)}.",
            hint="Mend it by adding the notifier anew, and remove this one." if permanent else _LATER,
            permanent=permanent,
        )


def compose(delivery: Delivery, *, sender: str, to: str) -> EmailMessage:
    """The message: the same bytes for the same delivery, so that one that comes twice is seen to be one."""
    headers = {}
    # RFC 2369. No program reads the answer: it goes to the sender, who can type the commands that the text names.
    by_mail = f"<mailto:{quote(sender, safe='@')}?subject=unsubscribe>"
    if delivery.subscriber and (stop := texts.address(delivery.subscriber.stop)):
        headers["List-Unsubscribe"] = f"<{stop}>, {by_mail}"
        headers["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"  # RFC 8058
        headers["List-Id"] = f"<news.{urlsplit(stop).hostname}>"  # RFC 2919
    else:
        headers["List-Unsubscribe"] = by_mail
    return _message(
        delivery,
        f"trialindex: {texts.summary(delivery)}",
        texts.text(delivery, limit=texts.DIGEST),
        texts.page(delivery, limit=texts.DIGEST),
        headers,
        sender=sender,
        to=to,
    )


def compose_invitation(invitation: Invitation, *, sender: str, to: str) -> EmailMessage:
    """The message that asks whether somebody wants news; the same bytes for the same invitation.

    It is of no list, so that it has nothing to unsubscribe from.
    """
    words = invitations.read(invitation)
    return _message(
        invitation, words.subject, invitations.text(words), invitations.page(words), {}, sender=sender, to=to
    )


def _message(
    sent: Delivery | Invitation,
    subject: str,
    text: str,
    page: str,
    headers: dict[str, str],
    *,
    sender: str,
    to: str,
) -> EmailMessage:
    from email import policy
    from email.headerregistry import Address
    from email.message import EmailMessage

    key = texts.key(sent)
    message = EmailMessage(policy=policy.SMTP)
    message["Subject"] = subject
    message["From"] = Address("trialindex", addr_spec=sender)
    message["To"] = Address(addr_spec=to)
    message["Date"] = format_datetime(texts.moment(sent))
    message["Message-ID"] = message_id(key, sender)
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: nobody's machine is to answer
    # No line of a header is folded inside an address: mail programs that post to it read it as one word.
    message.policy = policy.SMTP.clone(max_line_length=998)
    for name, value in headers.items():
        message[name] = value
    message.set_content(text, cte="quoted-printable")
    message.add_alternative(page, subtype="html", cte="quoted-printable")
    message.set_boundary(f"=_{hashlib.sha256(key.encode()).hexdigest()[:32]}")
    # Lines of up to 998 characters are allowed; at 78 Python would encode a long address, and nothing could read it.
    message.policy = policy.SMTP.clone(max_line_length=998)
    return message


def message_id(key: str, sender: str) -> str:
    """The Message-ID of a delivery: ``<trialindex.KEY@DOMAIN>`` with the sender's domain.

    A key that cannot stand there (RFC 5322, section 3.6.4) is replaced by its SHA-256.
    """
    left = key if _LOCAL_PART.fullmatch(key) else hashlib.sha256(key.encode()).hexdigest()
    return f"<trialindex.{left}@{sender.rpartition('@')[2]}>"


def _leave(server: smtplib.SMTP) -> None:
    """Say goodbye. The message is accepted, whatever the server answers now."""
    import smtplib

    with suppress(OSError, smtplib.SMTPException):
        if server.sock is not None:
            server.sock.settimeout(_GOODBYE)
        server.quit()
    server.close()


def _words(code: int, said: bytes | str) -> str:
    """A server's answer: its code and what it says, which is not trusted."""
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
    return f"{code} {excerpt(text, 200)}".strip().rstrip(".") if code > 0 else "an answer that is none"


def _address(given: str, what: str) -> str:
    """The address with its domain in ASCII (RFC 5890).

    :raises NotifierError: it is none, or could end a header.
    """
    local, _, domain = given.rpartition("@")
    try:
        domain = domain.encode("idna").decode("ascii")
    except UnicodeError:
        domain = ""
    labels = domain.split(".")
    if not (_LOCAL_PART.fullmatch(local) and len(local) <= 64 and all(map(_LABEL.fullmatch, labels))):
        shown = f'"{excerpt(given, 100)}" is no e-mail address' if given else "there is no e-mail address"
        raise NotifierError(
            f"{what}: {shown} that can be used.",
            hint="For example email:me@example.org; letters before the @ in ASCII.",
        )
    return f"{local}@{domain}"


def _host(given: str) -> str:
    """The name of the mail server, checked.

    :raises NotifierError: no server is named, or it is no name.
    """
    if not given:
        raise NotifierError(
            "email needs the server that takes your mail.",
            hint="Add --host, for example --host smtp.example.org; your provider's help names it.",
        )
    if not re.fullmatch(r"[A-Za-z0-9.:_-]+", given):
        raise NotifierError(f'--host: "{excerpt(given, 100)}" is no name of a server.', hint="Give its name alone.")
    return given

"""How is a mail handed to the mail server?

Three outcomes only: the server took it, it certainly did not (MailRefused, MailServerUnavailable), or
nobody knows (DeliveryUnknown: the line broke after the text was handed over; nobody may send it again
by itself).
"""

from __future__ import annotations

import re
import smtplib
import ssl
from contextlib import closing
from dataclasses import dataclass, field
from email.message import EmailMessage

from services.config import Settings
from services.errors import Refused, Unavailable
from services.outreach import email
from services.outreach.email import Email, one_line

TIMEOUT = 20.0
_OK = (250, 251)
_SEND_THE_TEXT = 354
_CORRECT_LOGIN = "Nothing was sent. Ask an admin to correct SMTP_USER and SMTP_PASSWORD."


class MailRefused(Refused):
    """The mail server said no for good; nothing was sent. `.code` is its SMTP code."""


class MailServerUnavailable(Unavailable):
    """The mail server could not be reached or cannot take the mail now; nothing was sent."""


class DeliveryUnknown(Unavailable):
    """The line broke after the text was handed over: the mail may have gone out."""

    def __init__(self) -> None:
        super().__init__(
            "The mail server did not confirm the mail, so it may or may not have gone out.",
            remedy="Look in the mail server's log or ask the customer before sending it again.",
        )


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where mail goes out. `security`: starttls, tls or none; `timeout` in seconds for each answer."""

    host: str
    port: int
    security: str
    user: str = ""
    password: str = field(default="", repr=False)
    timeout: float = TIMEOUT


def server(settings: Settings) -> MailServer | None:
    """The configured mail server; None means that mail stays in the built-in outbox."""
    if not settings.smtp_host:
        return None
    password = settings.smtp_password.get_secret_value() if settings.smtp_password else ""
    return MailServer(
        host=settings.smtp_host,
        port=settings.smtp_port,
        security=settings.smtp_security,
        user=settings.smtp_user,
        password=password,
        timeout=TIMEOUT,
    )


def deliver(mail: Email, to: MailServer) -> str:
    """Hands the mail to the server and returns its Message-ID.

    Raises MailRefused, MailServerUnavailable, InvalidInput (all: nothing was sent), DeliveryUnknown.
    """
    message = email.compose(mail)
    try:
        smtp = _connect(to, email.sender(message).rpartition("@")[2])
    except (OSError, smtplib.SMTPException) as error:
        raise _not_sent(error, to) from error
    with closing(smtp):  # no QUIT: the mail is taken or refused by then
        try:
            _announce(smtp, message)
        except (OSError, smtplib.SMTPException) as error:
            raise _not_sent(error, to) from error
        _hand_over(smtp, email.as_bytes(message))
    return str(message["Message-ID"])


def _connect(to: MailServer, our_name: str) -> smtplib.SMTP:
    # without our_name smtplib asks the resolver for this machine's name, which can take many seconds
    if to.security == "tls":
        safe = ssl.create_default_context()
        smtp: smtplib.SMTP = smtplib.SMTP_SSL(to.host, to.port, our_name, timeout=to.timeout, context=safe)
    else:
        smtp = smtplib.SMTP(to.host, to.port, our_name, timeout=to.timeout)
    try:
        if to.security == "starttls":
            smtp.starttls(context=ssl.create_default_context())
        smtp.ehlo_or_helo_if_needed()
        if to.user:
            _log_in(smtp, to)
    except (OSError, smtplib.SMTPException, MailRefused):
        smtp.close()
        raise
    return smtp


def _log_in(smtp: smtplib.SMTP, to: MailServer) -> None:
    try:
        smtp.login(to.user, to.password)
    except UnicodeEncodeError:  # smtplib sends ASCII only; the error holds the password, so it is not chained
        raise MailRefused(
            "The desk's user name or password for the mail server has letters outside ASCII, which cannot "
            "be sent.",
            remedy=_CORRECT_LOGIN,
        ) from None


def _announce(smtp: smtplib.SMTP, message: EmailMessage) -> None:
    options = []
    if email.needs_utf8(message):
        if not smtp.has_extn("smtputf8"):
            raise smtplib.SMTPNotSupportedError("it takes only plain letters before the @ of an address")
        options = ["SMTPUTF8"]
    _expect(smtp.mail(email.sender(message), options), _OK)
    _expect(smtp.rcpt(email.recipient(message)), _OK)
    _expect(smtp.docmd("DATA"), (_SEND_THE_TEXT,))


def _expect(answer: tuple[int, bytes], wanted: tuple[int, ...]) -> None:
    if answer[0] not in wanted:
        raise smtplib.SMTPResponseException(*answer)


def _hand_over(smtp: smtplib.SMTP, text: bytes) -> None:
    try:
        smtp.send(re.sub(rb"(?m)^\.", b"..", text.removesuffix(b"\r\n")) + b"\r\n.\r\n")
        code, words = smtp.getreply()
    except (OSError, smtplib.SMTPException) as error:
        raise DeliveryUnknown from error
    if code < 0:
        raise DeliveryUnknown
    if code not in _OK:
        raise _answered(code, words)


def _not_sent(error: OSError | smtplib.SMTPException, to: MailServer) -> Refused | Unavailable:
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return MailRefused(
            "The mail server refused the desk's user name or password.",
            code=str(error.smtp_code),
            remedy=_CORRECT_LOGIN,
        )
    if isinstance(error, smtplib.SMTPResponseException):
        return _answered(error.smtp_code, error.smtp_error)
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return MailRefused(
            f"The mail server cannot send this: {error}.",
            remedy="Ask an admin to check SMTP_SECURITY and what the server can do.",
        )
    if isinstance(error, ssl.SSLError):
        return MailServerUnavailable(
            f"There is no safe connection to the mail server {to.host}:{to.port} ({error.reason or error}).",
            remedy="Nothing was sent. Ask an admin to check SMTP_SECURITY, SMTP_PORT and the certificate.",
        )
    return MailServerUnavailable(
        f"The mail server {to.host}:{to.port} does not answer ({one_line(str(error), 120)}).",
        remedy="Nothing was sent. Try again later, or ask an admin to check SMTP_HOST and SMTP_PORT.",
    )


def _answered(code: int, words: bytes | str) -> Refused | Unavailable:
    said = one_line(words.decode(errors="replace") if isinstance(words, bytes) else words, 200).rstrip(".")
    if 400 <= code < 500:
        return MailServerUnavailable(
            f"The mail server cannot take the mail now: {code} {said}.",
            remedy="Nothing was sent. Try again later.",
        )
    return MailRefused(
        f"The mail server refused the mail: {code} {said}.",
        code=str(code),
        remedy="Nothing was sent. Check the customer's address.",
    )

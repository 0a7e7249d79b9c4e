"""What does one email to one person consist of?

Plain text in, a multipart message (text and HTML) out. Names and subjects come from customers: what
could start a header of its own is turned into blanks.
"""

from __future__ import annotations

import hashlib
import html
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email import policy
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime

from services.errors import InvalidInput
from services.mailbox import is_address, is_control

_WIRE = policy.SMTP.clone(cte_type="7bit")  # not every server takes 8-bit text
_LONGEST_NAME = 78
_LONGEST_SUBJECT = 200
_LINK = re.compile(r"https?://[^\s<>\"]+[^\s<>\".,;:!?)\]]")


@dataclass(frozen=True, slots=True)
class Page:
    """An HTML page that goes with a mail as a file."""

    file_name: str
    html: str


@dataclass(frozen=True, slots=True)
class Email:
    """One mail to one person, as plain text; `key` makes its Message-ID, the same on every try."""

    key: str
    from_address: str
    from_name: str
    to_address: str
    to_name: str
    subject: str
    text: str
    reply_to: str = ""
    attached: Page | None = None


def check_address(address: str) -> str:
    """A customer's address without surrounding blanks. Raises InvalidInput where it cannot be one."""
    plain = address.strip()
    if not is_address(plain):
        raise InvalidInput(
            f"“{one_line(address, 80)}” is not an email address.",
            field="to_address",
            remedy="Correct the customer's address in Stripe.",
        )
    return plain


def check_subject(subject: str) -> str:
    """The subject on one line. Raises InvalidInput where it is empty or longer than 200 characters."""
    plain = one_line(subject)
    if not plain:
        raise InvalidInput("The subject is empty.", field="subject", remedy="Say what the mail is about.")
    if len(plain) > _LONGEST_SUBJECT:
        raise InvalidInput(
            f"The subject has {len(plain)} characters.",
            field="subject",
            remedy=f"Shorten it to {_LONGEST_SUBJECT}.",
        )
    return plain


def one_line(text: str, longest: int | None = None) -> str:
    """The text with line breaks and other control characters turned into single blanks, cut if asked."""
    flat = " ".join("".join(" " if is_control(char) else char for char in text).split())
    return flat if longest is None or len(flat) <= longest else flat[: longest - 1].rstrip() + "…"


def message_id(key: str, from_address: str) -> str:
    """The Message-ID of a mail: the same for the same key, so that a second copy can be recognised."""
    return f"<{hashlib.sha256(key.encode()).hexdigest()[:32]}@{_wire_domain(from_address)}>"


def compose(mail: Email) -> EmailMessage:
    """The mail as text and HTML. Raises InvalidInput for an address or subject that cannot be used."""
    message = EmailMessage(policy=_WIRE)
    message["From"] = _mailbox(mail.from_name, mail.from_address)
    message["To"] = _mailbox(mail.to_name, check_address(mail.to_address))
    if mail.reply_to:
        message["Reply-To"] = _mailbox("", mail.reply_to)
    message["Subject"] = check_subject(mail.subject)
    message["Date"] = format_datetime(datetime.now(UTC))
    message["Message-ID"] = message_id(mail.key, mail.from_address)
    message.set_content(mail.text)
    message.add_alternative(html_of(mail.text), subtype="html")
    if mail.attached:
        page = mail.attached
        message.add_attachment(page.html, subtype="html", filename=page.file_name, cte="base64")
    return message


def _mailbox(name: str, address: str) -> Address:
    return Address(one_line(name, _LONGEST_NAME), address.rpartition("@")[0], _wire_domain(address))


def _wire_domain(address: str) -> str:
    domain = address.rpartition("@")[2]
    try:
        return domain.encode("idna").decode()
    except UnicodeError:
        raise InvalidInput(
            f"“{one_line(domain, 80)}” is not a domain that mail can go to.", field="to_address"
        ) from None


def html_of(text: str) -> str:
    """Plain text as an HTML page: escaped, paragraphs kept, links made clickable, either direction."""
    paragraphs = (
        '<p dir="auto">' + _linked(block).replace("\n", "<br>\n") + "</p>"
        for block in re.split(r"\n{2,}", text.strip().replace("\r\n", "\n"))
    )
    return '<!doctype html>\n<html><head><meta charset="utf-8"></head>\n<body>\n{}\n</body></html>\n'.format(
        "\n".join(paragraphs)
    )


def _linked(text: str) -> str:
    parts, at = [], 0
    for found in _LINK.finditer(text):
        url = html.escape(found.group())
        parts += [html.escape(text[at : found.start()]), f'<a href="{url}">{url}</a>']
        at = found.end()
    return "".join([*parts, html.escape(text[at:])])


def as_bytes(message: EmailMessage) -> bytes:
    """The message as it goes over the wire; letters beyond ASCII in its addresses only where it has them."""
    return message.as_bytes(policy=policy.SMTPUTF8 if needs_utf8(message) else _WIRE)


def needs_utf8(message: EmailMessage) -> bool:
    """Whether an address has letters beyond ASCII before the @, which needs a server with SMTPUTF8."""
    return not all(mailbox.isascii() for mailbox in (sender(message), recipient(message)))


def sender(message: EmailMessage) -> str:
    """The bare address that the mail comes from."""
    return str(message["From"].addresses[0].addr_spec)


def recipient(message: EmailMessage) -> str:
    """The bare address that the mail goes to."""
    return str(message["To"].addresses[0].addr_spec)

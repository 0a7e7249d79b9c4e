"""What does a person send to a customer, and what became of it?

A message is written in a dialog whose token names it: sending twice with one token sends once. What
was typed is sent as it is and never read as a template again.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from sqlmodel import Session, select

from models import Message
from services import clock, config, database, durable
from services.customers import audit
from services.errors import Conflict, InvalidInput, NotFound, TrialdeskError
from services.mirror import underived
from services.outreach import card_links, email, reachable, sending, smtp, templates, variables
from services.outreach.defaults import TEMPLATES, Template
from services.outreach.sending import ACCEPTED, FAILED, OUTBOX, QUEUED, SENDING, UNKNOWN
from services.outreach.templates import TemplateProblem
from services.outreach.variables import Occasion
from services.staff.roles import Permission, Person
from services.text import with_usable_links

_LONGEST_TEXT = 20_000
_POLL = 0.5
_PATIENCE = 25.0  # seconds: longer than the mail server may be silent
_RESENDABLE = frozenset((FAILED, UNKNOWN, OUTBOX))
_OLD_ADDRESS, _NEW_ADDRESS = "old address", "new address"  # whether it changed is kept, the addresses are not


@dataclass(frozen=True, slots=True)
class Draft:
    """A message as its author sees it before it goes out. `template` is where its text came from."""

    customer: str
    to_address: str
    subject: str
    body: str
    template: str = ""


@dataclass(frozen=True, slots=True)
class Reader:
    """Whom a text is for: where it goes, and the values that it can use."""

    customer: str
    address: str
    values: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Choice:
    """A text of the list, filled in; without a draft `problem` says why it does not fit the customer."""

    template: Template
    draft: Draft | None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """Where a message stands; `state` as in models.Message."""

    token: str
    state: str
    to_address: str
    error: str

    @property
    def is_final(self) -> bool:
        """Whether nothing more happens by itself."""
        return self.state not in {QUEUED, SENDING}


@dataclass(frozen=True, slots=True)
class Letter:
    """A message as it was written, with what became of it."""

    token: str
    customer: str
    to_address: str
    subject: str
    body: str
    state: str
    error: str
    author: str
    created_at: int
    sent_at: int | None


def new_token() -> str:
    """The name of a message that is about to be written; made when its dialog opens."""
    return f"msg_{secrets.token_hex(12)}"


def has_mail_server() -> bool:
    """Whether messages leave this machine; without a mail server they stay in the built-in outbox."""
    return smtp.server(config.settings()) is not None


def address_of(session: Session, customer: str) -> str:
    """Where mail to the customer goes. Raises NotFound, Conflict (deleted) and Unreachable."""
    return reachable.address(reachable.customer(session, customer))


def reader(session: Session, person: Person, customer: str, occasion: Occasion | None = None) -> Reader:
    """What texts can say to the customer when `person` writes. Raises as `address_of`."""
    row = reachable.customer(session, customer)
    address = reachable.address(row)
    values = variables.of_customer(session, row, person.name, config.settings(), occasion or Occasion())
    return Reader(customer, address, values)


def readers(
    session: Session, person: Person, occasions: Mapping[str, Occasion]
) -> tuple[dict[str, Reader], dict[str, str]]:
    """The readers by customer id, and of those who cannot be written to the reason why."""
    kept = reachable.load(session, list(occasions))  # the session forgets rows that nobody holds
    found: dict[str, Reader] = {}
    problems: dict[str, str] = {}
    for customer, occasion in occasions.items():
        try:
            found[customer] = reader(session, person, customer, occasion)
        except TrialdeskError as problem:
            problems[customer] = str(problem)
    del kept
    return found, problems


def choices(
    session: Session, person: Person, customer: str, occasion: Occasion | None = None
) -> list[Choice]:
    """Every text, filled in for the customer, or why it does not fit. Raises as `address_of`."""
    whom = reader(session, person, customer, occasion)
    return [_choice(text, whom) for text in TEMPLATES]


def _choice(text: Template, whom: Reader) -> Choice:
    try:
        return Choice(text, write(text, whom))
    except TemplateProblem as problem:
        return Choice(text, None, str(problem))


def write(text: Template, whom: Reader) -> Draft:
    """A text that a person wrote with values in it ({{ name }}), filled in for the customer.

    Raises TemplateProblem (MissingValue, WrongReader).
    """
    filled = templates.fill(text, whom.values)
    return Draft(whom.customer, whom.address, filled.subject, filled.body, text.slug)


def check(written: Draft) -> Draft:
    """The message as it will be sent. Raises InvalidInput for a subject or text that cannot be."""
    subject = email.check_subject(card_links.keep_out(with_usable_links(written.subject)))
    return replace(written, subject=subject, body=_check_text(written.body))


def submit(token: str, person: Person, written: Draft) -> Outcome:
    """Sends the message once, however often it is called with this token.

    Raises NotAllowed, InvalidInput, NotFound, Conflict where the address has changed meanwhile, and
    Unavailable while the desk starts; nothing is written then.
    """
    person.require(Permission.SEND_MESSAGE)
    state = QUEUED if has_mail_server() else OUTBOX
    if state == QUEUED:
        durable.require()
    with database.transaction() as session:
        fresh = database.insert_once(session, Message, _row(session, token, person, written, state))
        if fresh and state == OUTBOX:
            underived.refresh_now(session, written.customer)
        result = outcome(session, token)
    if fresh and state == QUEUED:
        sending.begin(token, 0)
    return result


def outcome(session: Session, token: str) -> Outcome:
    """Where the message stands now. Raises NotFound."""
    row = session.get(Message, token, populate_existing=True)
    if row is None:
        raise NotFound("message", token)
    return Outcome(row.token, row.state, row.to_address, row.error)


def letter(session: Session, person: Person, token: str) -> Letter:
    """A message with its text as `person` may read it. Raises NotFound."""
    row = session.get(Message, token)
    if row is None:
        raise NotFound("message", token, remedy="Choose one from the list.")
    text = card_links.for_reader(row.body, person)
    return Letter(
        row.token, row.customer, row.to_address, row.subject, text, row.state, row.error, row.staff_name,
        row.created_at, row.sent_at,
    )  # fmt: skip


def wait(token: str, seconds: float = _PATIENCE) -> Outcome:
    """The outcome as soon as nothing moves any more, or how it stands after `seconds`."""

    def read() -> Outcome:
        with database.session() as session:
            return outcome(session, token)

    return durable.settled(read, seconds, every=_POLL)


def send_again(token: str, person: Person, *, seen: str) -> Outcome:
    """Sends a failed, unknown or kept message (once more), to the customer's present address.

    `seen` is the state that the person saw: raises Conflict where it is another by now.
    """
    person.require(Permission.SEND_MESSAGE)
    if not has_mail_server():
        raise InvalidInput(
            "No mail server is set, so nothing can be sent.", remedy="Ask an admin to set SMTP_HOST."
        )
    with database.transaction() as session:
        row = _locked(session, token, seen, _RESENDABLE)
        durable.require()
        before = {"state": row.state, "to_address": _OLD_ADDRESS}
        address = row.to_address if row.report else address_of(session, row.customer)
        moved = address != row.to_address
        row.to_address = address
        row.state, row.error, row.attempt = QUEUED, "", row.attempt + 1
        after = {"state": row.state, "to_address": _NEW_ADDRESS if moved else _OLD_ADDRESS}
        audit.changed(
            session, person, "message_again", row.customer, object_id=token, before=before, after=after
        )
        attempt = row.attempt
    sending.begin(token, attempt)
    with database.session() as session:
        return outcome(session, token)


def mark_sent(token: str, person: Person, *, seen: str = UNKNOWN) -> Outcome:
    """Says of an unknown message that it did go out; the row keeps who said so."""
    person.require(Permission.SEND_MESSAGE)
    with database.transaction() as session:
        row = _locked(session, token, seen, frozenset((UNKNOWN,)))
        row.state, row.sent_at, row.error = ACCEPTED, clock.now(), f"{person.name} marked it as sent."
        session.flush()
        audit.changed(
            session, person, "message_marked", row.customer, object_id=token,
            before={"state": seen}, after={"state": ACCEPTED},
        )  # fmt: skip
        sending.tell(session, row)
        return outcome(session, token)


def _row(session: Session, token: str, person: Person, written: Draft, state: str) -> dict[str, Any]:
    checked = check(written)
    address = address_of(session, written.customer)
    if address != written.to_address:
        raise Conflict(
            f"The customer's address has changed to {address} meanwhile.",
            remedy="Check the message and send it again.",
        )
    return {
        "token": token,
        "customer": written.customer,
        "channel": "email",
        "template": written.template,
        "to_address": address,
        "subject": checked.subject,
        "body": checked.body,
        "state": state,
        "attempt": 0,
        "error": "",
        "staff": person.id,
        "staff_name": person.name,
        "created_at": clock.now(),
        "sent_at": sending.arrival(state),
        "message_id": "",
    }


def _check_text(body: str) -> str:
    text = with_usable_links(body.strip())
    if not text:
        raise InvalidInput("The message is empty.", field="body", remedy="Write something to the customer.")
    if len(text) > _LONGEST_TEXT:
        raise InvalidInput(
            f"The message has {len(text)} characters.", field="body", remedy=f"Shorten it to {_LONGEST_TEXT}."
        )
    return text


def _locked(session: Session, token: str, seen: str, allowed: frozenset[str]) -> Message:
    row = session.exec(select(Message).where(Message.token == token).with_for_update()).first()
    if row is None:
        raise NotFound("message", token)
    if row.state != seen or seen not in allowed:
        raise Conflict(
            "Somebody else has dealt with this message meanwhile.",
            remedy=f"Its state is “{row.state}” now. Look at it again before acting.",
        )
    return row

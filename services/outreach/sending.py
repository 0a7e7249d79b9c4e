"""How does a message that was asked for get to the mail server, exactly once?

A row in state `queued` is turned into `sending` before the server hears of it. Whoever finds a row in
that state afterwards knows that its process died on the way: the message may have gone out, so it
becomes `unknown` and waits for a person. Nothing here sends a message a second time by itself.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from functools import partial

from dbos import DBOS
from sqlmodel import Session, col, select

from models import Customer, Message, Staff
from services import clock, config, database, durable, mailbox
from services.config import Settings
from services.errors import TrialdeskError, Unforeseen
from services.mirror import underived
from services.outreach import email, report_page, smtp
from services.outreach.email import Email, Page
from services.outreach.smtp import DeliveryUnknown, MailServer

QUEUED, SENDING, ACCEPTED, FAILED, UNKNOWN, OUTBOX = "queued sending accepted failed unknown outbox".split()
_log = logging.getLogger(__name__)
_BROKE = "Sending broke off at a mistake of the desk (see the log), so it may or may not have gone out."
_DIED = "The desk was stopped while it sent this message, so it may or may not have gone out."


def begin(token: str, attempt: int) -> None:
    """Puts a queued message on its way; doing so twice does nothing. Raises Unavailable at start-up."""
    durable.start(durable.MESSAGES, _send, token, attempt, id=f"{token}:{attempt}")


@durable.upkeep
def take_up_loose_ends() -> None:
    """Takes up what was written down but is on no queue, because its process died between the two."""
    with database.session() as session:
        moving = select(Message.token, Message.attempt).where(col(Message.state).in_((QUEUED, SENDING)))
        rows = session.exec(moving).all()
    for token, attempt in rows:
        if durable.is_lost(f"{token}:{attempt}"):
            _take_up(token, attempt)


def _take_up(token: str, attempt: int) -> None:
    with database.transaction() as session:
        message = _locked(session, token)
        if message.attempt != attempt or message.state not in {QUEUED, SENDING}:
            return
        if message.state == SENDING:
            message.state, message.error = UNKNOWN, _DIED
            return
        message.attempt += 1
    begin(token, attempt + 1)


@DBOS.workflow(name="send_message")
def _send(token: str, attempt: int) -> None:
    _deliver(token, attempt)


@DBOS.step(name="deliver_message")
def _deliver(token: str, attempt: int) -> None:
    deliver(token, attempt)


def deliver(token: str, attempt: int) -> None:
    """Sends one queued message and writes down what became of it; safe to repeat."""
    settings = config.settings()
    server = smtp.server(settings)
    try:
        attached = _attached(token)
    except Exception as error:
        if database.absence(error):
            raise  # it is taken up again
        _give_up(token, attempt, error)
        return
    with database.transaction() as session:
        mail = _claim(session, token, attempt, settings)
    if mail is not None:
        _try(token, attempt, replace(mail, attached=attached), server)


def _attached(token: str) -> Page | None:
    """The report that goes with a message: made before the message is claimed, as it takes a while."""
    with database.session() as session:
        message = session.get_one(Message, token)
    if not message.report:
        return None
    report = report_page.of(message.report, message.created_at)
    return Page(report.file_name, report.html)


def _give_up(token: str, attempt: int, error: Exception) -> None:
    """Notes why a message could not even be written; it certainly did not go out."""
    problem = error if isinstance(error, TrialdeskError) else Unforeseen("No report could be made", error)
    if isinstance(problem, Unforeseen):
        _log.error("No report could be made (reference %s).", problem.reference, exc_info=error)
    with database.transaction() as session:
        message = _locked(session, token)
        if message.attempt == attempt and message.state == QUEUED:
            message.state, message.error = FAILED, str(problem)


def _claim(session: Session, token: str, attempt: int, settings: Settings) -> Email | None:
    """The mail to send now; None where this try has ended already, or may have been made before."""
    message = _locked(session, token)
    if message.attempt != attempt or message.state not in {QUEUED, SENDING}:
        return None
    if message.state == SENDING:
        message.state, message.error = UNKNOWN, _DIED
        return None
    customer = session.get(Customer, message.customer)
    if not message.report and (customer is None or customer.deleted):
        message.state, message.error = FAILED, "The customer was deleted in Stripe before it was sent."
        return None
    message.state, message.error = SENDING, ""
    return _mail(session, message, customer, settings)


def _locked(session: Session, token: str) -> Message:
    return session.exec(select(Message).where(Message.token == token).with_for_update()).one()


def from_name(author: str, settings: Settings) -> str:
    """Whom a message comes from, as the customer reads it."""
    return f"{author} ({settings.workspace_name})" if author else settings.workspace_name


def _mail(session: Session, message: Message, customer: Customer | None, settings: Settings) -> Email:
    author = session.get(Staff, message.staff) if message.staff is not None else None
    return Email(
        key=message.token,
        from_address=settings.mail_from,
        from_name=from_name(message.staff_name, settings),
        to_address=message.to_address,
        to_name=(customer.name if customer else None) or "",
        subject=message.subject,
        text=message.body,
        reply_to=author.email if author and mailbox.is_address(author.email) else "",
    )


def _try(token: str, attempt: int, mail: Email, server: MailServer | None) -> None:
    settle = partial(_settle, token, attempt)
    if server is None:
        settle(OUTBOX)
        return
    try:
        message_id = smtp.deliver(mail, server)
    except DeliveryUnknown as problem:
        settle(UNKNOWN, error=str(problem), message_id=email.message_id(mail.key, mail.from_address))
    except TrialdeskError as problem:
        settle(FAILED, error=str(problem))
    except Exception:
        settle(UNKNOWN, error=_BROKE)
        raise
    else:
        settle(ACCEPTED, message_id=message_id)


def arrival(state: str) -> int | None:
    """When a message that enters this state now reached its customer; None where it did not.

    On the sandbox nobody is real, and the built-in outbox is where mail arrives.
    """
    arrived = state == ACCEPTED or (state == OUTBOX and config.settings().mode == "sandbox")
    return clock.now() if arrived else None


def _settle(token: str, attempt: int, state: str, *, error: str = "", message_id: str = "") -> None:
    """Writes down how a try ended, also where another process took this one for dead meanwhile."""
    with database.transaction() as session:
        message = _locked(session, token)
        if message.attempt != attempt or message.state not in {SENDING, UNKNOWN}:
            _log.warning(
                "Try %s of message %s ended as %s, but something else is on record by now.",
                attempt,
                token,
                state,
            )
            return
        message.state, message.error, message.message_id = state, error, message_id
        message.sent_at = arrival(state)
        tell(session, message)


def tell(session: Session, message: Message) -> None:
    """Has the customer's facts know how a message stands by now; a report is to nobody who has any."""
    if message.customer:
        underived.refresh_now(session, message.customer)

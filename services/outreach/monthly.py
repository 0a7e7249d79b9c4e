"""Who gets the monthly report by mail, and is it time? Each month once to each, whatever happens to the desk.

On the 1st, at a time that an admin sets, a message for each recipient is written down, in one transaction and
under a name of the month and the recipient; it then goes out as every message does (see `sending`). A time
that was missed is made up for in the same month, as soon as the desk knows what happened until then. What the
mail server certainly did not take is tried again by itself, a few times.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from sqlmodel import Session, col, select

from models import Message, ReportMailing
from services import clock, config, database, durable, mailbox
from services.customers import audit
from services.errors import Conflict, InvalidInput, TrialdeskError
from services.metrics.counting import counting
from services.metrics.periods import Period
from services.metrics.report import months, summary
from services.mirror import cursors
from services.outreach import report_page, sending, smtp
from services.staff.roles import Permission, Person

TEMPLATE = "monthly_report"
_MOST = 50  # recipients
_FEW = 500  # customers still to be counted: so many make little difference
_TRIES = 5
_AGAIN = 1800  # seconds until the first further try; the pauses double
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Mailing:
    """What an admin has decided: to whom, and at which time of the 1st. `version`: which decision it is."""

    active: bool = False
    recipients: tuple[str, ...] = ()
    at: time = time(8)
    version: int = 0


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of one mail: `state` as in models.Message."""

    token: str
    to_address: str
    state: str
    error: str
    sent_at: int | None


def load(session: Session) -> Mailing:
    """What has been decided; nothing saved means that nobody gets it."""
    held = session.get(ReportMailing, 1)
    if held is None:
        return Mailing()
    return Mailing(held.active, tuple(held.recipients), time.fromisoformat(held.at), held.version)


def recipients(typed: str) -> tuple[str, ...]:
    """What somebody typed, an address a line or with commas between, as addresses, each once.

    Raises InvalidInput for what cannot be one, and for too many.
    """
    words = (word for line in typed.splitlines() for word in line.replace(";", ",").split(","))
    found = {word.strip().lower(): word.strip() for word in words if word.strip()}
    for address in found.values():
        if not mailbox.is_address(address):
            raise InvalidInput(
                f"“{address[:80]}” is not an email address.", field="recipients", remedy="Type name@company."
            )
    if len(found) > _MOST:
        raise InvalidInput(
            f"These are {len(found)} recipients.", field="recipients", remedy=f"Name {_MOST} at most."
        )
    return tuple(found.values())


def save(session: Session, person: Person, decided: Mailing, *, seen: int) -> None:
    """Replaces what was decided in the version `seen`.

    Raises NotAllowed, InvalidInput, and Conflict where somebody else has changed it since.
    """
    person.require(Permission.MAIL_REPORTS)
    if decided.active and not decided.recipients:
        raise InvalidInput("Nobody would get it.", field="recipients", remedy="Name a recipient.")
    database.insert_once(session, ReportMailing, _nothing())  # so that there is a row to lock
    held = session.get_one(ReportMailing, 1, with_for_update=True)
    if held.version != seen:
        raise Conflict(
            "Somebody else has changed who gets the report since this page was drawn; nothing was saved.",
            remedy="Load the page again, and look at what they decided.",
        )
    before = load(session)
    if decided.active and not held.active:
        held.since = clock.now()
    held.active, held.recipients, held.at = decided.active, list(decided.recipients), f"{decided.at:%H:%M}"
    held.version += 1
    audit.changed(session, person, "report_mailing", "", before=_said(before), after=_said(decided))


def _nothing() -> dict[str, object]:
    return {
        "id": 1, "version": 0, "active": False, "recipients": [], "at": "08:00", "since": 0, "sent_for": ""
    }  # fmt: skip


def _said(mailing: Mailing) -> dict[str, object]:
    return {
        "recipients": sorted(mailing.recipients),
        "sent_at": f"on the 1st at {mailing.at:%H:%M}" if mailing.active else "never",
    }


def due_at(mailing: Mailing, now: int, zone: ZoneInfo, *, plus_months: int = 0) -> int:
    """When the report is due in the month that holds `now`, or so many later (UTC seconds)."""
    first = clock.local(clock.month_start(now, zone, plus_months=plus_months), zone).date()
    return int(datetime.combine(first, mailing.at, zone).timestamp())


def due(session: Session, now: int, zone: ZoneInfo) -> Period | None:
    """The month whose report is to be sent now; None where it is not time, or was done."""
    held = session.get(ReportMailing, 1)
    if held is None or not held.active:
        return None
    month, at = months.last(now, zone), due_at(load(session), now, zone)
    is_time = held.since <= at <= now and held.sent_for < month.key
    return month if is_time and _knows_all_until(session, at) else None


def _knows_all_until(session: Session, instant: int) -> bool:
    """Whether what happened until then has been read and counted."""
    progress = counting.progress(session)
    counted = progress.exists and not progress.is_building and progress.left <= _FEW
    return counted and cursors.complete() and cursors.feed() >= instant


@durable.upkeep
def send_what_is_due() -> None:
    """Writes the month's messages down where it is time, and sends them; tries again what did not go out."""
    now, zone = clock.now(), config.settings().zone
    with database.session() as session:
        month = due(session, now, zone)
    try:
        tokens = [] if month is None else _write(month, now)
    except TrialdeskError as problem:
        _log.warning("The monthly report could not be made: %s", problem)
        return
    for token in tokens:
        sending.begin(token, 0)
    _try_again(months.last(now, zone).key, now)


def _write(month: Period, now: int) -> list[str]:
    """The messages that this process wrote down to be sent: none where another one was quicker."""
    has_server = smtp.server(config.settings()) is not None
    text = summary.text(report_page.of(month.key, now))
    state = sending.QUEUED if has_server else sending.OUTBOX
    with database.transaction() as session:
        held = session.get_one(ReportMailing, 1, with_for_update=True, populate_existing=True)
        if not held.active or held.sent_for >= month.key:
            return []
        held.sent_for = month.key
        rows = [_row(month.key, to, text, state, now) for to in held.recipients]
        fresh = [str(row["token"]) for row in rows if database.insert_once(session, Message, row)]
    return fresh if has_server else []


def _row(month: str, to: str, text: summary.Text, state: str, now: int) -> dict[str, Any]:
    named = hashlib.sha256(to.lower().encode()).hexdigest()[:16]
    return {
        "token": f"report_{month}_{named}", "customer": "", "channel": "email", "template": TEMPLATE,
        "to_address": to, "subject": text.subject, "body": text.body, "state": state, "attempt": 0,
        "error": "", "staff": None, "staff_name": "", "created_at": now, "sent_at": sending.arrival(state),
        "message_id": "", "report": month,
    }  # fmt: skip


def _try_again(month: str, now: int) -> None:
    """Tries once more what certainly did not go out, where enough time has passed."""
    if smtp.server(config.settings()) is None:
        return
    failed = select(Message).where(Message.report == month, Message.state == sending.FAILED)
    with database.session() as session:
        tokens = [row.token for row in session.exec(failed) if _is_time_again(row, now)]
    for token in tokens:
        with database.transaction() as session:
            row = session.get_one(Message, token, with_for_update=True)
            if row.state != sending.FAILED:
                continue
            row.state, row.error, row.attempt = sending.QUEUED, "", row.attempt + 1
            attempt = row.attempt
        sending.begin(token, attempt)


def _is_time_again(row: Message, now: int) -> bool:
    return row.attempt + 1 < _TRIES and now >= row.created_at + _AGAIN * (2 ** (row.attempt + 1) - 1)


def sent(session: Session, limit: int = 2 * _MOST) -> dict[str, list[Sent]]:
    """What became of the mails, by month, the newest first."""
    newest = select(Message).where(Message.template == TEMPLATE)
    found: dict[str, list[Sent]] = {}
    newest = newest.order_by(col(Message.report).desc(), col(Message.to_address)).limit(limit)
    for row in session.exec(newest):
        one = Sent(row.token, row.to_address, row.state, row.error, row.sent_at)
        found.setdefault(row.report, []).append(one)
    return found


def states(mails: Iterable[Sent]) -> dict[str, int]:
    """How many mails are in each state."""
    found: dict[str, int] = {}
    for mail in mails:
        found[mail.state] = found.get(mail.state, 0) + 1
    return found

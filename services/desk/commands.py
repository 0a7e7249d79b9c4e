"""How does a person give a command? open -> preview -> submit -> outcome.

`open` and `submit` are the edge: they open their own transactions, because Stripe is asked in between.
"""

from __future__ import annotations

import uuid
from dataclasses import asdict, dataclass, replace
from typing import Any

from sqlmodel import Session

from models import Action, Invoice
from models.ledger import OVERTAKEN
from services import clock, database, durable
from services.desk import catalog, checks, choosing, fresh, ledger, limits, loading, runner, snapshots, words
from services.desk.asking import NOT_FORESEEN, Foreseen, Opened, Unasked
from services.desk.command import Command, Form, Preview, Quote
from services.desk.subject import Subject
from services.errors import Conflict, InvalidInput, NotAllowed, Refused, Unavailable
from services.staff.roles import Person

LONGEST_REASON = 500
_POLL = 0.5
_PATIENCE = 20.0
_WHO_ALLOWS = "A colleague who may do so much finds it under Approvals."


@dataclass(frozen=True, slots=True)
class NextStep:
    """The command that goes on from what a refused one left behind; `title` is its name for people."""

    command: str
    customer: str
    object_id: str
    title: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a command stands: `state` as in the ledger; `message` and `remedy` are sentences for people.

    `link` is a secret to be shown once; it is kept nowhere. `repeatable`: whether the same may be tried again
    after a refusal; not where it left something in the account, from which `next_step` goes on if anything.
    `overtaken`: it was refused because things had changed, and nothing went wrong.
    """

    token: str
    state: str
    message: str
    remedy: str = ""
    request_id: str = ""
    link: str = ""
    repeatable: bool = True
    next_step: NextStep | None = None
    overtaken: bool = False

    @property
    def is_final(self) -> bool:
        """Whether nothing more happens by itself."""
        return self.state in (*ledger.FINAL, "waiting")


def asked(token: str) -> Outcome:
    """How stands what waits for a second person."""
    return Outcome(token, "waiting", "Nothing was done yet: it waits for approval.", _WHO_ALLOWS)


def new_token() -> str:
    """The name of a command that is about to be given."""
    return uuid.uuid4().hex


def open(
    person: Person, command: str, customer: str, object_id: str | None = None, *, token: str = ""
) -> Opened:
    """Opens a dialog: reads the object from Stripe, checks the offer, makes the token and its ledger row.

    Without `object_id` the subscription or invoice is chosen: the newest that the command is offered for.
    A `token` that is given was kept before; one that was opened and not confirmed is opened again.
    Raises NotAllowed, NotFound, Conflict with the reason why it is not offered, and Unavailable where
    Stripe is silent and money would move.
    """
    wanted = catalog.find(command)
    person.require(wanted.permission)
    with database.session() as session:
        about = object_id or choosing.choose(session, customer, wanted.about, wanted.offered)
    now, quote, warning = _look(wanted, customer, about)
    with database.session() as session:
        now = wanted.equipped(session, now, clock.now())
        noted = wanted.noted(session, now)
    if reason := wanted.offered(now):
        raise Conflict(reason, remedy="Close this and look at the customer's page again.")
    token = token or new_token()
    with database.transaction() as session:
        ledger.open_row(session, token, person, wanted, now, snapshots.of(now))
        days_before = limits.days_before(session, customer)
        waiting = _asked_for(ledger.waiting(session, command, customer, now.object_id))
    return Opened(token, person, wanted, now, quote, warning, days_before, waiting, noted=noted)


def _asked_for(row: Action | None) -> str:
    """That the same waits for approval already; "" where it does not."""
    if row is None:
        return ""
    return f"{row.staff_name} asked for the same on {words.moment(row.opened_at)}; that waits for approval."


def _look(command: Command, customer: str, object_id: str | None) -> tuple[Subject, Quote | None, str]:
    try:
        now = fresh.subject(customer, object_id, debts=command.of_debts)
        return now, *_quoted(command, now)
    except Unavailable as silence:
        if command.moves_money:
            raise
        with database.session() as session:
            known = loading.load(session, customer, object_id)
        return known, None, f"{silence.message} What is shown here is as of the last time that it answered."


def _quoted(command: Command, now: Subject) -> tuple[Quote | None, str]:
    """What Stripe foresees. Where it refuses to say that and the quote only informs, a warning."""
    try:
        return (None if command.offered(now) else command.quote(now)), ""
    except (Refused, NotAllowed) as refusal:
        if command.quote_binds(now, {}):
            raise
        return None, f"{refusal.message} {NOT_FORESEEN}"


def preview(opened: Opened, form: Form) -> Preview:
    """What will happen with what was typed. Asks nobody. Raises InvalidInput, Unasked among it."""
    now = clock.now()
    known = opened.understood(form, now)
    told = _told(opened, known, now)
    if over := limits.approvable(opened.person, opened.over(known.params)):
        return replace(told, warnings=(*told.warnings, *over, limits.WAITS), waits=True)
    return told


def _told(opened: Opened, known: Foreseen, now: int) -> Preview:
    told = opened.command.preview(opened.subject, known.params, known.quote, now)
    more = tuple(warning for warning in (known.warning, opened.waiting) if warning)
    return replace(told, warnings=(*told.warnings, *more))


def submit(opened: Opened, person: Person, form: Form, reason: str) -> Outcome:
    """Carries the command out and waits up to 20 s for its outcome; a second call adds nothing. What is above
    a limit of the person's waits for a second person instead. Raises as `begin`.
    """
    mine = begin(opened, person, form, reason)
    return wait(opened.token) if opened.command.durable else _at_once(opened, mine)


def begin(opened: Opened, person: Person, form: Form, reason: str) -> bool:
    """Has the command carried out, or ask for approval; whether nobody had begun it before.

    Raises NotAllowed and InvalidInput before anything is written. What Stripe was not asked yet it is asked.
    """
    command = opened.command
    person.require(command.permission)
    if command.durable:
        durable.require()
    now = clock.now()
    reason = checked_reason(command, reason)
    known = _known(opened, form, now)
    params, told = known.params, asdict(_told(opened, known, now))
    if command.quote_binds(opened.subject, params):  # what the dialog showed is charged, or nothing
        params = {**params, "quote": checks.told(known.quote)}
    preview = {} if command.personal else told
    confirmed: dict[str, Any] = {"params": params, "reason": reason, "preview": preview}
    with database.transaction() as session:
        row = _own_row(session, opened.token, person)
        limits.take_turn(session, row.customer)
        days_before = limits.days_before(session, row.customer, but=row.token)
        counted = replace(opened, person=person, days_before=days_before)
        over = limits.approvable(person, counted.over(params))
        if over:
            amounts = limits.kept(command.amounts(opened.subject, params))
            mine = ledger.ask(session, opened.token, over=over, amounts=amounts, **confirmed)
        else:
            mine = ledger.begin(session, opened.token, **confirmed)
        if mine:  # what the parameters were reckoned from, also where others have opened the same token
            ledger.note_before(session, opened.token, snapshots.of(opened.subject))
    if command.durable and mine and not over:
        runner.start(row, 1, opened.subject.partition)
    return mine


def _known(opened: Opened, form: Form, now: int) -> Foreseen:
    try:
        return opened.understood(form, now)
    except Unasked:
        return opened.ask(form)


def checked_reason(command: Command, reason: str) -> str:
    """The reason as it is kept. Raises InvalidInput."""
    reason = reason.strip()
    if command.reason_required and not reason:
        raise InvalidInput(
            "Say why: the reason is kept with the action.", field="reason", remedy="One sentence is enough."
        )
    if len(reason) > LONGEST_REASON:
        raise InvalidInput(f"The reason is longer than {LONGEST_REASON} characters.", field="reason")
    return reason


def _own_row(session: Session, token: str, person: Person) -> Action:
    row = ledger.get(session, token)
    if row.staff != person.id:
        raise NotAllowed(
            "use another person's dialog",
            f"This dialog was opened by {row.staff_name}.",
            remedy="Open it yourself from the customer's page.",
        )
    return row


def _at_once(opened: Opened, mine: bool) -> Outcome:
    """A command whose result may not be stored: run here; the same key gives a repeat the same answer."""
    if mine:
        runner.carry_out_here(opened.token)
    reached = wait(opened.token)
    if reached.state != "done":
        return reached
    return _with_link(opened, reached)


def _with_link(opened: Opened, reached: Outcome) -> Outcome:
    answer = runner.answer_again(opened.token, "portal")
    return replace(reached, link=str(answer.object["url"]))


def wait(token: str, seconds: float = _PATIENCE, *, every: float = _POLL) -> Outcome:
    """The outcome, as soon as it is final, or how it stands after `seconds`; see `durable.settled`."""

    def read() -> Outcome:
        with database.session() as session:
            return outcome(session, token)

    return durable.settled(read, seconds, every=every)


def outcome(session: Session, token: str) -> Outcome:
    """How a command stands. Raises NotFound."""
    row = ledger.get(session, token)
    if row.state in ("open", "running"):
        text = (
            "Not confirmed yet."
            if row.state == "open"
            else "Still under way; the Activity page shows how it ends."
        )
        return Outcome(token, row.state, text)
    if row.state == "waiting":
        return asked(token)
    if row.state == "done":
        params = {**row.params, "result": row.result}
        told = catalog.find(row.command).outcome(_came_of(session, row), params)
        return Outcome(token, "done", told, request_id=row.request_id)
    remedy = " ".join(filter(None, (row.error.get("remedy"), row.error.get("left"))))
    return Outcome(
        token,
        row.state,
        row.error.get("message", ""),
        remedy,
        row.request_id,
        repeatable=not row.error.get("left"),
        next_step=_next_step(row),
        overtaken=row.end == OVERTAKEN,
    )


def _next_step(row: Action) -> NextStep | None:
    command, object_id = row.error.get("next") or ("", "")
    if not command:
        return None
    return NextStep(command, row.customer, object_id, catalog.find(command).title)


def _came_of(session: Session, row: Action) -> Subject:
    """The invoice that the command made or paid, else what it was about, as the tables know it."""
    invoice = row.result.get("invoice")
    known = invoice and session.get(Invoice, invoice)
    return loading.load(session, row.customer, invoice if known else row.object_id)

"""What happened with a customer that no event of Stripe's tells, as Stripe keeps events for 30 days?

It is read from the mirrored tables: when it signed up, its trials and subscriptions, what was paid, refused,
voided, given back and disputed. What an event or a finished staff action on the timeline says already is left
out, by the same statement. Each fact has the name and the values of the event that would have told it, or a
name of its own (services/customers/sentences).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col

from models import Action, Charge, Customer, Dispute, Event, Invoice, InvoicePayment, Refund, Subscription
from services import clock
from services.customers import sentences, trial_ends
from services.customers.sentences import Facts
from services.metrics.recovery import failures
from services.metrics.trials import trials

_HOUR, _MINUTE = 3600, 60
_WHOSE = sa.bindparam("customer", type_=sa.Text)
_MINE = col(Subscription.customer) == _WHOSE
_UPDATED, _DISPUTED = "customer.subscription.updated", "charge.dispute.created"
_VALUES: dict[str, Any] = {
    "currency": sa.Text, "amount": sa.BigInteger, "number": sa.Text, "why": sa.Text, "status": sa.Text,
    "until": sa.BigInteger,
}  # fmt: skip
Condition = sa.ColumnElement[bool]
Select = sa.Select[Any]


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that happened to the object `id` (`at` in UTC seconds).

    `name` and `facts` are for `sentences.sentence`; `state` is what a dispute has come to, else "".
    """

    at: int
    name: str
    id: str
    facts: Facts
    state: str


def latest(session: Session, customer: str, *, limit: int) -> list[Fact]:
    """The last facts about the customer that nothing else tells, newest first."""
    asked = {"customer": customer, "now": clock.now(), "limit": limit}
    statement = sa.lambda_stmt(lambda: _latest())  # put together once: that takes longer than its answer
    return [_fact(row) for row in session.execute(statement, asked)]


def _latest() -> Select:
    found = sa.union_all(
        _signed_up(),
        *_subscriptions(),
        *_trials(),
        _converted(),
        *_invoices(),
        _refused(),
        _refunds(),
        _disputes(),
    ).subquery()
    # A bound limit would make SQLite plan the statement anew each time, which takes longer than its answer.
    limit = sa.bindparam("limit", type_=sa.Integer, literal_execute=True)
    newest_first = (found.c.at.desc(), rank(found.c.name).desc(), found.c.name.desc(), found.c.id.desc())
    begun = found.c.at <= sa.bindparam("now", type_=sa.BigInteger)
    return sa.select(found).where(begun).order_by(*newest_first).limit(limit)


def rank(name: Any) -> sa.ColumnElement[int]:
    """What comes before what within one second, by the event's or the fact's name: causes first."""
    return sa.case(sentences.RANKS, value=name, else_=sentences.USUAL_RANK)


def _fact(row: Any) -> Fact:
    facts = {
        "currency": row.currency, "amount": row.amount, "total": row.amount, "number": row.number,
        "decline_code": row.why, "reason": row.why, "cancel_reason": row.why, "status": row.status,
        "cancel_at": row.until, "was": {"cancel_at": None},
    }  # fmt: skip
    return Fact(row.at, row.name, row.id, facts, row.status if row.name == _DISPUTED else "")


def _select(name: str, at: Any, id: Any, *where: Condition, **values: Any) -> Select:
    """The facts of one name, in the columns that all of them share."""
    known = (
        sa.cast(values.get(value, sa.null()), kind).label(value)  # PostgreSQL wants to know what a NULL is
        for value, kind in _VALUES.items()
    )
    labels = (sa.cast(at, sa.BigInteger).label("at"), sa.literal(name, sa.Text).label("name"), id.label("id"))
    return sa.select(*labels, *known).where(at.is_not(None), *where)


def _signed_up() -> Select:
    id = col(Customer.id)
    return _select(
        "customer.created", col(Customer.created), id, id == _WHOSE, ~_told("customer.created", id)
    )


def _subscriptions() -> Iterator[Select]:
    """Those that began without a trial; those set to end some time before it; those that ended."""
    s = Subscription
    id, mine, began = col(s.id), col(s.customer) == _WHOSE, col(s.created)
    set_to_end, ended = col(s.canceled_at), col(s.ended_at)
    yield _select("customer.subscription.created", began, id, mine, ~_trial_from_the_start(), ~_began_told())
    yield _select(
        _UPDATED, set_to_end, id,
        mine,
        sa.func.coalesce(ended > set_to_end + _MINUTE, sa.true()),
        ~_changed(id, set_to_end),
        ~_done(s, set_to_end, "cancel"),
        until=sa.func.coalesce(ended, col(s.cancel_at), col(s.current_period_end)),
    )  # fmt: skip
    yield _select(
        "customer.subscription.deleted", ended, id,
        mine,
        ~_told("customer.subscription.deleted", id),
        ~_changed(id, ended),
        ~_done(s, ended, "cancel"),
        why=sa.case((trial_ends.without_method(), sentences.NO_METHOD), else_=col(s.cancellation_reason)),
    )  # fmt: skip


def _trials() -> Iterator[Select]:
    """Those that began, with their subscription or later; those that ended before it."""
    s = Subscription
    id, mine, began, ended = col(s.id), col(s.customer) == _WHOSE, col(s.trial_start), col(s.trial_end)
    yield _select("trial.began", began, id, mine, _trial_from_the_start(), ~_began_told())
    yield _select("trial.began", began, id, mine, ~_trial_from_the_start(), ~_changed(id, began))
    yield _select(
        "trial.ended", ended, id,
        mine,
        col(s.status) != "trialing",
        sa.func.coalesce(col(s.ended_at) > ended + _HOUR, sa.true()),
        ~_trial_end_told(),
    )  # fmt: skip


def _converted() -> Select:
    """The trial that converted, which no event tells."""
    trial = trials.trials(trials.EVER, whose=_MINE)
    return _select("trial.converted", trial.c.converted_at, trial.c.subscription)


def _trial_from_the_start() -> Condition:
    began = col(Subscription.trial_start) <= col(Subscription.created) + _HOUR
    return sa.func.coalesce(began, sa.false())


def _began_told() -> Condition:
    id = col(Subscription.id)
    made = _done(Subscription, col(Subscription.created), "reactivate")
    return _told("customer.subscription.created", id) | made


def _trial_end_told() -> Condition:
    id, ended = col(Subscription.id), col(Subscription.trial_end)
    was = col(Event.facts)[("was", "status")].as_string()
    told = _events(_UPDATED, id).where(was == "trialing", col(Event.created) >= ended - _HOUR)
    return told.exists() | _done(Subscription, ended, "end_trial")


def _invoices() -> Iterator[Select]:
    """What was paid, voided, given up, or could not be charged at all; not those of zero."""
    i = Invoice
    id, mine = col(i.id), (col(i.customer) == _WHOSE) & (col(i.total) > 0) & ~col(i.deleted)
    about = {"currency": col(i.currency), "amount": col(i.total), "number": col(i.number)}
    paid = sa.func.coalesce(col(i.paid_at), col(i.created))
    is_paid, by_staff = _is(i.status, "paid"), _done(i, paid, "retry_payment", "add_charge")
    yield _select("invoice.paid", paid, id, mine, is_paid, ~_told("invoice.paid", id), ~by_staff, **about)
    given_up = "invoice.marked_uncollectible"
    voided, lost = col(i.voided_at), col(i.marked_uncollectible_at)
    void_told = _told("invoice.voided", id) | _done(i, voided, "void_invoice")
    lost_told = _told(given_up, id) | _done(i, lost, "mark_uncollectible")
    yield _select("invoice.voided", voided, id, mine, ~void_told, **about)
    yield _select(given_up, lost, id, mine, ~lost_told, **about)
    issued, told = sa.func.coalesce(col(i.finalized_at), col(i.created)), _told("invoice.payment_failed", id)
    yield _select("invoice.not_charged", issued, id, mine, _not_charged(), ~told, **about)


def _not_charged() -> Condition:
    """Whether a payment was tried and failed without so much as a charge, mostly for want of a card."""
    i, p, c = Invoice, InvoicePayment, Charge
    refused = [
        sa.exists().where(col(p.invoice) == col(i.id), how, col(c.status) == "failed")
        for how in (col(c.payment_intent) == col(p.payment_intent), col(c.id) == col(p.charge))
    ]
    unpaid = _is(i.status, "open", "uncollectible", "void") & (col(i.attempt_count) > 0)
    return unpaid & ~failures.is_processing() & ~sa.or_(*refused)


def _refused() -> Select:
    """The payments that failed; which of the customer's payments staff tried, only the time says."""
    c, a = Charge, Action
    tried = sa.exists().where(
        col(a.customer) == _WHOSE, _is(a.command, "retry_payment", "retry_all", "add_charge"),
        _is(a.state, "failed"), _meanwhile(col(c.created)),
    )  # fmt: skip
    return _select(
        "charge.failed", col(c.created), col(c.id),
        col(c.customer) == _WHOSE, _is(c.status, "failed"), ~_told("charge.failed", col(c.id)), ~tried,
        currency=col(c.currency), amount=col(c.amount),
        why=sa.func.coalesce(col(c.decline_code), col(c.failure_code)),
    )  # fmt: skip


def _refunds() -> Select:
    c, r = Charge, Refund
    told = _events("charge.refunded", col(r.charge)).where(_near(col(r.created), _HOUR)).exists()
    by_staff = sa.exists().where(
        col(Action.customer) == _WHOSE, _is(Action.command, "refund"), _is(Action.state, "done"),
        col(Action.result)["refund"].as_string() == col(r.id),
    )  # fmt: skip
    return _select(
        "refund.created", col(r.created), col(r.id),
        col(c.customer) == _WHOSE, ~told, ~by_staff,
        currency=col(r.currency), amount=col(r.amount), status=col(r.status),
    ).join_from(r, c, col(c.id) == col(r.charge))  # fmt: skip


def _disputes() -> Select:
    c, d = Charge, Dispute
    return _select(
        _DISPUTED, col(d.created), col(d.id),
        col(c.customer) == _WHOSE, ~_told(_DISPUTED, col(d.id)),
        currency=col(d.currency), amount=col(d.amount), why=col(d.reason), status=col(d.status),
    ).join_from(d, c, col(c.id) == col(d.charge))  # fmt: skip


def _is(column: Any, *values: str) -> Condition:
    """Whether a column has one of the values, without its index: SQLite would take it instead of the
    customer's. Not by `in_`, for which the whole statement would be written anew each time."""
    return sa.or_(*(sa.func.coalesce(col(column), "") == value for value in values))


def _events(type: str, object: Any) -> Select:
    return sa.select(col(Event.id)).where(col(Event.object_id) == object, col(Event.type) == type)


def _told(type: str, object: Any) -> Condition:
    """Whether an event of this type is there: one that an object has once in its life."""
    return _events(type, object).exists()


def _changed(subscription: Any, at: Any) -> Condition:
    """Whether the events of this moment are there: each change of a subscription makes one."""
    return _events(_UPDATED, subscription).where(_near(at, _MINUTE)).exists()


def _near(at: Any, seconds: int) -> Condition:
    return col(Event.created).between(at - seconds, at + seconds)


def _done(of: type[Invoice | Subscription], at: Any, *commands: str) -> Condition:
    """Whether staff did it by one of these commands, which the timeline tells."""
    a, kind = Action, of.__name__.lower()
    return sa.exists().where(
        col(a.customer) == col(of.customer), _is(a.command, *commands), _is(a.state, "done"),
        col(a.result)[kind].as_string() == col(of.id), _meanwhile(at),
    )  # fmt: skip


def _meanwhile(at: Any) -> Condition:
    """Whether the instant lies in the time that an action took; clocks may differ by a minute."""
    begun, over = col(Action.started_at), col(Action.finished_at)
    return sa.and_(begun - _MINUTE <= at, at <= over + _MINUTE)

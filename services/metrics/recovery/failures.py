"""Which payments have failed and still ask for money, why did the last try fail, which disputes are open?

Lists, the customers' facts, texts and numbers all ask here, so that they name the same rows and reasons.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import aliased
from sqlmodel import col

from models import Charge, Event, Invoice, InvoicePayment, PaymentIntent, PaymentMethod, Subscription
from models.subscriptions import ENDED
from services import database
from services.among import among
from services.clock import DAY

OPEN_DISPUTES = ("needs_response", "under_review", "warning_needs_response", "warning_under_review")
_P, _I, _C, _M = InvoicePayment, PaymentIntent, Charge, PaymentMethod
_ITS = aliased(Subscription)  # a list that asks has joined the subscription itself
_THESE = "invoices"


@dataclass(frozen=True, slots=True)
class Failure:
    """A try that failed. `code`: the issuer's reason, else Stripe's; `advice`: what the issuer asks for.

    `charge` is None where the try came to no charge; `at` in UTC seconds.
    """

    code: str
    advice: str
    at: int
    charge: str | None = None
    payment_method: str | None = None
    last4: str | None = None


def is_processing(invoice: Any = Invoice) -> sa.ColumnElement[bool]:
    """SQL: whether a payment of the invoice is under way (bank debits take days): tried, but not failed."""
    return sa.exists().where(
        col(_P.invoice) == col(invoice.id),
        col(_I.id) == col(_P.payment_intent),
        col(_I.status) == "processing",
    )


def is_open_failure(invoice: Any = Invoice) -> sa.ColumnElement[bool]:
    """SQL: whether an invoice's payment failed and it still asks for money."""
    return (
        (col(invoice.status) == "open")
        & col(invoice.attempted)
        & (col(invoice.amount_remaining) > 0)
        & ~col(invoice.deleted)
        & ~is_processing(invoice)
    )


def is_of_ended(invoice: Any = Invoice) -> sa.ColumnElement[bool]:
    """SQL: whether the invoice's subscription is over for good, or no longer in the account.

    False for an invoice without a subscription. Of the open failures these are hardly paid any more.
    """
    over = col(_ITS.status).in_(ENDED) | col(_ITS.deleted)
    return sa.exists().where(col(_ITS.id) == col(invoice.subscription), over)


def first(customers: str) -> sa.Subquery:
    """SQL: each `invoice` of some `customers` (the name of a parameter, see `among`) of which an attempt has
    failed, ever, and when the first one did (`failed_at`).

    A failed charge tells it with its time, and so does Stripe's event (it lists 30 days of them: whoever
    pulls the account later has none of before). About when shows where a payment intent has an error, where
    Stripe tried again by itself, and where an invoice was tried and is not paid. The count of attempts does
    not tell more: tries by hand after the first are not in it.

    What Stripe charges by itself is tried once it is finalized: a sign with a time that came days later is
    of a later try, and hides none before. An invoice that was sent waits for its customer instead.
    """
    signs = sa.union_all(*_elsewhere(customers), *_untimed(customers)).subquery()
    told, guessed, tried = (sa.func.min(each) for each in (signs.c.at, signs.c.about, signs.c.tried))
    failed_at = sa.case((tried < told - DAY, tried), else_=sa.func.coalesce(told, guessed))
    return sa.select(signs.c.invoice, failed_at.label("failed_at")).group_by(signs.c.invoice).subquery()


def _elsewhere(customers: str) -> Iterator[sa.Select[Any]]:
    """The signs of failure that charges, events and payment intents give of these customers' invoices, which
    lead to them."""
    i = Invoice
    theirs = sa.select(col(i.id)).where(among(col(i.customer), customers), col(i.total) > 0).cte("theirs")
    mine = sa.select(theirs.prefix_with("MATERIALIZED").c.id)
    for its, named in ((col(_C.payment_intent), col(_P.payment_intent)), (col(_C.id), col(_P.charge))):
        charged = _sign(col(_P.invoice), at=col(_C.created)).join_from(_P, _C, its == named)
        yield charged.where(col(_C.status) == "failed", col(_P.invoice).in_(mine))
    told = _sign(col(Event.object_id), at=col(Event.created))
    yield told.where(col(Event.type) == "invoice.payment_failed", col(Event.object_id).in_(mine))
    by_intent = _sign(col(_P.invoice), about=col(_I.created))
    by_intent = by_intent.join_from(_P, _I, col(_I.id) == col(_P.payment_intent))
    yield by_intent.where(col(_I.error_code).is_not(None), col(_P.invoice).in_(mine))


def _untimed(customers: str) -> Iterator[sa.Select[Any]]:
    """The signs on the invoices themselves: Stripe tried again, or it was tried and is not paid.

    No bare `status`: SQLite would go through all that are not paid by its index.
    """
    i = Invoice
    sent = col(i.collection_method) == "send_invoice"
    finalized = sa.func.coalesce(col(i.finalized_at), col(i.created))
    retried = col(i.attempt_count) > 1
    is_unpaid = col(i.status).concat("").in_(("open", "uncollectible", "void"))
    for each in (retried, is_unpaid & col(i.attempted) & ~is_processing()):
        sign = _sign(col(i.id), about=finalized, tried=sa.case((~sent, finalized)))
        yield sign.where(among(col(i.customer), customers), each)


def _sign(invoice: Any, *, at: Any = None, about: Any = None, tried: Any = None) -> sa.Select[Any]:
    times = {"at": at, "about": about, "tried": tried}
    named = (sa.cast(time, sa.BigInteger).label(name) for name, time in times.items())
    return sa.select(invoice.label("invoice"), *named)


def first_try(connection: sa.Connection, invoices: Collection[str]) -> dict[str, Failure]:
    """The first failed try of each invoice; those without one are left out.

    The earliest failed charge tells. Where no charge has failed the error of the payment intent does, or that
    it waits for the customer to confirm with the bank.
    """
    found: dict[str, Failure] = {}
    for tries in (_waiting(), _errors(), _failed_charges()):
        found |= _told(connection, tries, invoices, earliest=True)
    return found


def last(connection: sa.Connection, invoices: Collection[str]) -> dict[str, Failure]:
    """The last failed try of each invoice; those without one are left out.

    The latest failed charge tells, and its payment intent's error what the charge does not say. Where no
    charge has failed the error of the payment intent tells alone. An intent that waits for the customer to
    confirm with the bank is a later try than all its charges, and counts as `authentication_required`.
    """
    statements = (_errors(), _failed_charges(), _waiting())
    errors, declined, waiting = (_told(connection, one, invoices) for one in statements)
    found = errors | declined
    return found | {id: one for id, one in waiting.items() if id not in found or one.at >= found[id].at}


def _told(
    connection: sa.Connection, tries: Any, invoices: Collection[str], *, earliest: bool = False
) -> dict[str, Failure]:
    """What the last of the tries says, or the first one, by invoice."""
    found: dict[str, Failure] = {}
    for some in database.chunks(invoices):
        rows = connection.execute(tries, {"invoices": some}).all()
        for invoice, code, *rest in rows[::-1] if earliest else rows:
            found[invoice] = Failure(code or "", *rest)
    return found


@cache
def _errors() -> Any:
    """The payment intents that tell of an error, oldest first."""
    error = sa.func.coalesce(col(_I.decline_code), col(_I.error_code))
    return (
        sa.select(col(_P.invoice), error, sa.func.coalesce(col(_I.advice_code), ""), col(_I.created))
        .join_from(_P, _I, col(_I.id) == col(_P.payment_intent))
        .where(among(col(_P.invoice), _THESE), error.is_not(None))
        .order_by(col(_I.created), col(_I.id))
    )


@cache
def _waiting() -> Any:
    """The payment intents that wait for the customer, oldest first: as old as their last charge at least."""
    charged = sa.select(sa.func.max(col(_C.created))).where(col(_C.payment_intent) == col(_I.id))
    at = sa.func.coalesce(charged.correlate(_I).scalar_subquery(), col(_I.created))
    code = sa.literal("authentication_required")
    return (
        sa.select(col(_P.invoice), code, sa.literal(""), at, sa.null(), col(_I.payment_method), col(_M.last4))
        .join_from(_P, _I, col(_I.id) == col(_P.payment_intent))
        .outerjoin(_M, col(_M.id) == col(_I.payment_method))
        .where(among(col(_P.invoice), _THESE), col(_I.status) == "requires_action")
        .order_by(at, col(_I.id))
    )


@cache
def _failed_charges() -> Any:
    """The failed charges, oldest first; of one second the one that its intent calls the latest stands last.

    Two lists, since a join by either column has no index.
    """
    named = (col(_C.payment_intent) == col(_P.payment_intent), col(_C.id) == col(_P.charge))
    tried = sa.union_all(
        *(sa.select(col(_P.invoice), col(_C.id)).join_from(_P, _C, how).where(among(col(_P.invoice), _THESE))
          for how in named)
    ).subquery()  # fmt: skip
    code = (col(_C.decline_code), col(_I.decline_code), col(_C.failure_code), col(_I.error_code))
    its_intent = (col(_I.id) == col(_C.payment_intent)) & (col(_I.latest_charge) == col(_C.id))
    return (
        sa.select(
            tried.c.invoice,
            sa.func.coalesce(*code),
            sa.func.coalesce(col(_C.advice_code), col(_I.advice_code), ""),
            col(_C.created),
            col(_C.id),
            col(_C.payment_method),
            col(_C.card_last4),
        )
        .join_from(tried, _C, col(_C.id) == tried.c.id)
        .outerjoin(_I, its_intent)
        .where(col(_C.status) == "failed")
        .order_by(col(_C.created), col(_I.id).is_not(None), col(_C.id))
    )

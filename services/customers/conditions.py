"""How does a filter read as SQL over `customer_facts`?

Most is decided on that one row for each customer; what the search box names elsewhere (an invoice number, a
charge's id...), and who pays, fails or disputes, comes in as `customer IN (SELECT ...)` over an index.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from babel.numbers import list_currencies
from sqlmodel import col, select

from models import (
    Charge,
    Customer,
    CustomerFacts,
    CustomerTag,
    Dispute,
    Invoice,
    PaymentMethod,
    Staff,
    Subscription,
)
from services import clock, money
from services.customers import recognise
from services.customers.filters import (
    DELETED,
    NOBODY,
    STATUSES,
    CustomerFilter,
    country_code,
    metadata_condition,
)
from services.customers.whose import begins, customers_of
from services.metrics.recovery.failures import OPEN_DISPUTES, is_open_failure
from services.metrics.revenue.revenue import is_active
from services.text import folded

Condition = sa.ColumnElement[bool]
_EXPONENTS: Final = {
    exponent: [code.lower() for code in list_currencies() if money.exponent(code) == exponent]
    for exponent in (0, 3)
}
customer = col(CustomerFacts.customer)


def conditions(wanted: CustomerFilter, *, now: int, zone: ZoneInfo, locale: str = "en_US") -> list[Condition]:
    """The filter as SQL over `customer_facts`. Raises InvalidInput for what cannot be read.

    Deleted customers are found by the status "deleted" and by their ids, and hidden otherwise.
    """
    words = recognise.terms(wanted.q, locale=locale)
    found = [_matches(word) for word in words]
    if DELETED not in wanted.status and not any(word.id for word in words):
        found.append(col(CustomerFacts.deleted).is_(False))
    found += _by_state(wanted, now)
    found += _by_relation(wanted)
    return found + _by_creation(wanted, zone)


def _matches(word: recognise.Term) -> Condition:
    found: list[Condition] = [col(CustomerFacts.search_key).contains(folded(word.text), autoescape=True)]
    if word.id:
        found.append(customer.in_(_present(customers_of(word.id))))
    if word.domain:
        found.append(begins(CustomerFacts.email_domain, word.domain))
    if word.last4:
        cards = select(PaymentMethod.customer).where(col(PaymentMethod.last4) == word.last4)
        found += [col(CustomerFacts.card_last4) == word.last4, customer.in_(_present(cards))]
    if word.phone:
        found.append(begins(CustomerFacts.phone_key, word.phone))
    if word.invoice_number:
        found.append(_in(Invoice.customer, begins(Invoice.number, word.invoice_number)))
    if word.amount:
        found.append(_in(Invoice.customer, is_amount(Invoice.total, Invoice.currency, word.amount)))
        found.append(_in(Charge.customer, is_amount(Charge.amount, Charge.currency, word.amount)))
    return sa.or_(*found)


def _in(owner: Any, where: Condition) -> Condition:
    return customer.in_(_present(select(owner).where(where)))


def _present(source: Any) -> Any:
    """Leaves NULLs out of an IN list: objects of no customer."""
    return source.where(source.selected_columns[0].is_not(None))


def is_amount(column: Any, currency: Any, wanted: recognise.Amount) -> Condition:
    """SQL: whether a column of minor units, beside its `currency`, holds the amount that was typed."""
    amount, code = col(column), col(currency)
    if wanted.currency:
        return sa.and_(amount.in_(list(wanted.by_exponent.values())), code == wanted.currency)
    special = _EXPONENTS[0] + _EXPONENTS[3]
    by_exponent = {
        exponent: code.not_in(special) if exponent == 2 else code.in_(_EXPONENTS[exponent])
        for exponent in wanted.by_exponent
    }
    return sa.or_(
        *(sa.and_(amount == minor, by_exponent[exponent]) for exponent, minor in wanted.by_exponent.items())
    )


def _by_state(wanted: CustomerFilter, now: int) -> list[Condition]:
    found: list[Condition] = []
    if wanted.status:
        alive = [STATUSES[name] for name in wanted.status if name != DELETED]
        gone = col(CustomerFacts.deleted).is_(True)
        living = sa.and_(col(CustomerFacts.status).in_(alive), col(CustomerFacts.deleted).is_(False))
        found.append(sa.or_(living, gone) if DELETED in wanted.status else living)
    if wanted.plan:
        found.append(col(CustomerFacts.plan).in_(wanted.plan))
    if wanted.only:
        codes = _codes(wanted)
        found.append(sa.or_(*(_only(name, codes) for name in wanted.only)))
    if wanted.trial_days is not None:
        end = col(CustomerFacts.trial_end)
        found += [
            col(CustomerFacts.status) == "trialing",
            end > now,
            end <= now + wanted.trial_days * clock.DAY,
        ]
    return found


def _only(name: str, codes: Sequence[str]) -> Condition:
    """The condition of one of `filters.ONLY`; with `codes` its money is in one of these currencies.

    The facts name one currency for each customer, who may have money in others too.
    """
    if name == "set to cancel":
        ends = col(CustomerFacts.cancel_at).is_not(None)
        return ends & col(CustomerFacts.currency).in_(codes) if codes else ends
    source, currency = _MONEY[name]
    return customer.in_(_present(source.where(col(currency).in_(codes)) if codes else source))


_MONEY: Final[dict[str, tuple[Any, Any]]] = {
    "paying": (select(Subscription.customer).where(is_active()), Subscription.currency),
    "failed payment": (select(Invoice.customer).where(is_open_failure()), Invoice.currency),
    "open dispute": (
        select(Charge.customer)
        .join(Dispute, col(Dispute.charge) == col(Charge.id))
        .where(col(Dispute.status).in_(OPEN_DISPUTES)),
        Dispute.currency,
    ),
}


def _codes(wanted: CustomerFilter) -> list[str]:
    return [code.lower() for code in wanted.currency]


def _by_relation(wanted: CustomerFilter) -> list[Condition]:
    found: list[Condition] = []
    if wanted.country:
        found.append(col(CustomerFacts.country).in_([country_code(label) for label in wanted.country]))
    if wanted.currency and not wanted.only:
        found.append(col(CustomerFacts.currency).in_(_codes(wanted)))
    if wanted.owner:
        named = select(Staff.id).where(col(Staff.name).in_(wanted.owner) | col(Staff.email).in_(wanted.owner))
        owned: Condition = col(CustomerFacts.owner).in_(named)
        free = col(CustomerFacts.owner).is_(None)
        found.append(sa.or_(owned, free) if NOBODY in wanted.owner else owned)
    for tag in wanted.tag:
        found.append(customer.in_(select(CustomerTag.customer).where(CustomerTag.tag == tag.lower())))
    if wanted.meta:
        found.append(_has_metadata(wanted.meta))
    return found


def _has_metadata(meta: str) -> Condition:
    key, value = metadata_condition(meta)
    stored = col(Customer.metadata_)[key].as_string()
    matching = stored.is_not(None) if value is None else stored == value
    return customer.in_(select(Customer.id).where(matching))


def _by_creation(wanted: CustomerFilter, zone: ZoneInfo) -> list[Condition]:
    found: list[Condition] = []
    for day, plus_days in ((wanted.created_from, 0), (wanted.created_to, 1)):
        if day is not None:
            edge = clock.date_start(day, zone, plus_days=plus_days)
            created = col(CustomerFacts.created)
            found.append(created < edge if plus_days else created >= edge)
    return found

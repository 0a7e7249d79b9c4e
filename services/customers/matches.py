"""Why is a customer among the hits of a search, where its row does not show it?

Asked for the rows of one page only: each form that a word may have is one short statement on them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import sqlalchemy as sa
from sqlmodel import Session, col, select

from models import Charge, Customer, CustomerFacts, Invoice, PaymentMethod
from services.customers.conditions import is_amount
from services.customers.recognise import Amount, Term
from services.customers.search import Row
from services.customers.whose import begins, customers_of
from services.text import folded

Kind = Literal["id", "invoice", "card", "phone", "payment"]


@dataclass(frozen=True, slots=True)
class Match:
    """What matched: `text` is an id as typed, an invoice's or phone's number or a card's last four digits.

    `amount` in minor units of `currency`, where it was an amount that matched.
    """

    kind: Kind
    text: str = ""
    amount: int | None = None
    currency: str = ""


def unseen(session: Session, words: Sequence[Term], rows: Sequence[Row]) -> dict[str, list[Match]]:
    """By customer: what of it matches each word that is neither in its name nor in its email.

    Of several invoices or payments the latest is named.
    """
    found: dict[str, list[Match]] = defaultdict(list)
    for word in words:
        ids = {row.facts.customer for row in rows if not _shows(row, word)}
        for customer, match in _matches(session, word, ids) if ids else ():
            found[customer].append(match)
    return dict(found)


def _shows(row: Row, word: Term) -> bool:
    return folded(word.text) in folded(f"{row.name}\n{row.email}")


def _matches(session: Session, word: Term, ids: Collection[str]) -> Iterator[tuple[str, Match]]:
    if word.id:
        its = customers_of(word.id)
        for owner in set(session.scalars(its.where(its.selected_columns[0].in_(ids)))):
            yield owner, Match("id", word.id)
    if word.invoice_number:
        yield from _invoices(session, ids, begins(Invoice.number, word.invoice_number)).items()
    if word.last4:
        yield from ((owner, Match("card", word.last4)) for owner in _cards(session, word.last4, ids))
    if word.phone:
        yield from ((owner, Match("phone", number)) for owner, number in _phones(session, word.phone, ids))
    if word.amount:
        yield from _amounts(session, ids, word.amount).items()


def _cards(session: Session, last4: str, ids: Collection[str]) -> set[str]:
    """Who has the card on file, or paid with it last."""
    found: set[str] = set()
    for owner, digits in (
        (PaymentMethod.customer, PaymentMethod.last4),
        (CustomerFacts.customer, CustomerFacts.card_last4),
    ):
        found.update(session.scalars(select(owner).where(col(digits) == last4, col(owner).in_(ids))))
    return found


def _phones(session: Session, key: str, ids: Collection[str]) -> list[tuple[str, str]]:
    asked = select(Customer.id, Customer.phone).join(
        CustomerFacts, col(CustomerFacts.customer) == Customer.id
    )
    rows = session.exec(asked.where(begins(CustomerFacts.phone_key, key), col(Customer.id).in_(ids)))
    return [(owner, phone or "") for owner, phone in rows]


def _invoices(session: Session, ids: Collection[str], wanted: Any) -> dict[str, Match]:
    asked = select(Invoice.customer, Invoice.number).where(wanted, col(Invoice.customer).in_(ids))
    rows = session.execute(asked.order_by(col(Invoice.created), col(Invoice.id)))
    return {owner: Match("invoice", number) for owner, number in rows}


def _amounts(session: Session, ids: Collection[str], wanted: Amount) -> dict[str, Match]:
    """An invoice's total, else a charge."""
    c, i = Charge, Invoice
    charges = (
        sa.select(col(c.customer), col(c.amount), col(c.currency))
        .where(is_amount(c.amount, c.currency, wanted), col(c.customer).in_(ids))
        .order_by(col(c.created), col(c.id))
    )
    invoices = (
        sa.select(col(i.customer), sa.func.coalesce(col(i.number), col(i.id)), col(i.total), col(i.currency))
        .where(is_amount(i.total, i.currency, wanted), col(i.customer).in_(ids))
        .order_by(col(i.created), col(i.id))
    )
    found = {owner: Match("payment", "", *money) for owner, *money in session.execute(charges)}
    return found | {owner: Match("invoice", *rest) for owner, *rest in session.execute(invoices)}

"""Who is this customer, what does it subscribe to, and what do staff know about it?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlmodel import Session, col, select

from models import (
    Customer,
    CustomerFacts,
    InvoiceItem,
    Price,
    Subscription,
    SubscriptionItem,
)
from models.subscriptions import ENDED
from services import charging
from services.customers import contents, search, trial_ends
from services.customers.contents import Rebate as Rebate
from services.customers.notes import must_exist
from services.customers.search import Row


@dataclass(frozen=True, slots=True)
class Item:
    """An item of a subscription with its price in the subscription's currency (None where Stripe no longer
    lists it) and its product's name."""

    row: SubscriptionItem
    price: Price | None
    product: str


@dataclass(frozen=True, slots=True)
class Plan:
    """A subscription with what is in it. `ends_at` is a scheduled end of service, by either of its marks;
    `without_method` whether Stripe ended it with its trial, as there was no payment method."""

    row: Subscription
    items: tuple[Item, ...]
    rebates: tuple[Rebate, ...]
    without_method: bool = False

    @property
    def over(self) -> bool:
        """Whether it has ended for good."""
        return self.row.status in ENDED

    @property
    def ends_at(self) -> int | None:
        """The instant at which it is set to end; None when it goes on, or has ended already."""
        if self.over:
            return None
        at_period_end = self.row.current_period_end if self.row.cancel_at_period_end else None
        return self.row.cancel_at or at_period_end


@dataclass(frozen=True, slots=True)
class Record:
    """One customer; its facts are None for a moment when it has only just arrived."""

    customer: Customer
    facts: CustomerFacts | None
    plans: tuple[Plan, ...]
    rebates: tuple[Rebate, ...]
    pending: tuple[InvoiceItem, ...]
    same_email: tuple[Row, ...]

    @property
    def actionable(self) -> tuple[Plan, ...]:
        """The plans that something can be done about: those that run, and of the ended ones the latest."""
        running = tuple(plan for plan in self.plans if not plan.over)
        return running + self.plans[len(running) : len(running) + 1]

    @property
    def default_payment_method(self) -> str | None:
        """What Stripe would charge next: a running plan's own default, else the customer's."""
        chosen = charging.first(*(plan.row for plan in self.plans if not plan.over), self.customer)
        return chosen.id if chosen else None


def read(session: Session, customer: str, *, now: int) -> Record:
    """Everything about a customer but its lists. Raises NotFound.

    Plans that run come first, then the latest; `rebates` are discounts on the whole customer.
    """
    row = must_exist(session, customer)
    facts = session.get(CustomerFacts, customer)
    mine = select(Subscription, trial_ends.without_method()).where(Subscription.customer == customer)
    subscriptions = session.exec(mine).all()
    rebates = contents.rebates(session, customer, [s.id for s, _ in subscriptions], now)
    return Record(
        customer=row,
        facts=facts,
        plans=_plans(session, subscriptions, rebates),
        rebates=tuple(r for r in rebates if not (r.row.subscription or r.row.subscription_item)),
        pending=contents.pending(session, customer),
        same_email=_same_email(session, facts),
    )


def _plans(
    session: Session, subscriptions: Sequence[tuple[Subscription, bool]], rebates: Collection[Rebate]
) -> tuple[Plan, ...]:
    items: dict[str, list[Item]] = defaultdict(list)
    holders: dict[str | None, str] = {}
    for item in _items(session, {row.id: row.currency for row, _ in subscriptions}):
        items[item.row.subscription].append(item)
        holders[item.row.id] = item.row.subscription
    own: dict[str | None, list[Rebate]] = defaultdict(list)
    for rebate in rebates:
        own[rebate.row.subscription or holders.get(rebate.row.subscription_item)].append(rebate)
    plans = [Plan(row, tuple(items[row.id]), tuple(own[row.id]), ended) for row, ended in subscriptions]
    return tuple(sorted(plans, key=lambda plan: (plan.over, -plan.row.created, plan.row.id)))


def _items(session: Session, currencies: Mapping[str, str]) -> list[Item]:
    """The items of the subscriptions that have these currencies."""
    return [
        Item(
            row,
            price and contents.in_currency(price, currencies[row.subscription]),
            (product and product.name) or row.product,
        )
        for row, price, product in contents.items(session, currencies)
    ]


def _same_email(session: Session, facts: CustomerFacts | None) -> tuple[Row, ...]:
    """The other customers with the same email, newest first; at most twenty."""
    if facts is None or not facts.email_key:
        return ()
    others = session.exec(
        select(CustomerFacts)
        .where(
            CustomerFacts.email_key == facts.email_key,
            CustomerFacts.customer != facts.customer,
            col(CustomerFacts.deleted).is_(False),
        )
        .order_by(col(CustomerFacts.created).desc(), col(CustomerFacts.customer))
        .limit(20)
    )
    return tuple(search.described(session, others.all()))

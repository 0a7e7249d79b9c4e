"""What does a change of plan bring? Whether a new period begins, and what is billed when, in words."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from models import Price, Subscription
from services.customers.contents import in_currency
from services.desk import words
from services.desk.command import Params, Quote
from services.desk.selling import Plan
from services.desk.subject import Item, Subject
from services.desk.upcoming import next_charge, sent_now, uncharged
from services.errors import InvalidInput

BILLING = {"next": "create_prorations", "now": "always_invoice", "none": "none"}


@dataclass(frozen=True, slots=True)
class Change:
    """An item of a subscription that goes over to a price and a quantity (None: billed by use)."""

    subject: Subject
    item: Item
    price: Price
    quantity: int | None

    @property
    def subscription(self) -> Subscription:
        """Whose item it is."""
        assert self.subject.subscription is not None
        return self.subject.subscription

    @property
    def is_none(self) -> bool:
        """Whether all stays as it is."""
        same = self.price.id == self.item.row.price
        return same and self.quantity in (None, self.item.row.quantity)

    @property
    def params(self) -> dict[str, Any]:
        """As Stripe takes it. A price that stays is not named: it may be sold no more."""
        price = {} if self.price.id == self.item.row.price else {"price": self.price.id}
        quantity = {} if self.quantity is None else {"quantity": self.quantity}
        return {"id": self.item.row.id, **price, **quantity}

    @property
    def in_trial(self) -> bool:
        """Whether nothing is billed for it yet."""
        return self.subscription.status == "trialing"

    @property
    def by_hand(self) -> bool:
        """Whether the customer pays invoices that are sent."""
        return self.subscription.collection_method == "send_invoice"

    @property
    def begins_anew(self) -> bool:
        """Whether Stripe begins a new period with it and bills that at once: for another interval, and from
        free to paid."""
        own = self.item.price
        if self.in_trial or own is None:
            return False
        others = [other.price for other in self.subject.items if other is not self.item]
        was_free = all(self._is_free(price) for price in (own, *others))
        return rhythm(own) != rhythm(self.price) or (was_free and not self._is_free(self.price))

    def at_once(self, billing: str) -> bool:
        """Whether it is billed now."""
        return self.begins_anew or billing == "now"

    def _is_free(self, price: Price | None) -> bool:
        if price is None or price.billing_scheme == "tiered" or price.usage_type == "metered":
            return False
        return not in_currency(price, self.subject.currency).unit_amount


def rhythm(price: Price) -> tuple[str | None, int]:
    """How often a price is billed."""
    return price.interval, price.interval_count


def with_plans(subject: Subject, sold: tuple[Plan, ...]) -> Subject:
    """The subject with the plans that any of its items can go over to."""
    fitting = (plan for plan in sold if any(not _clash(subject, item, plan.price) for item in subject.items))
    return replace(subject, plans=tuple(fitting))


def plans_for(subject: Subject, item: Item) -> list[Plan]:
    """The plans that an item can go over to, or have more of."""
    return [plan for plan in subject.plans if not _clash(subject, item, plan.price)]


def check_beside(subject: Subject, item: Item, price: Price) -> None:
    """Raises InvalidInput where the item cannot have this price for what else there is."""
    if reason := _clash(subject, item, price):
        raise InvalidInput(reason, field="price", remedy="Choose another plan.")


def _clash(subject: Subject, item: Item, price: Price) -> str:
    for other in subject.items:
        if other.row.id == item.row.id or other.price is None:
            continue
        if other.row.price == price.id:
            return f"{other.name} at this price is in the subscription already: change its quantity."
        if rhythm(other.price) != rhythm(price):
            return f"Stripe bills all that is in a subscription together, and {other.name} another time."
    return ""


def billed(subject: Subject, params: Params, quote: Quote | None) -> tuple[str, ...]:
    """What is given back and asked for, and when."""
    assert subject.subscription is not None
    if subject.subscription.status == "trialing":
        return next_charge(subject, quote, lifted=None)
    parts = _parts(params, quote)
    if not params["at_once"]:
        return (*parts, *next_charge(subject, quote, lifted=None))
    return (*_new_period(params, quote), *parts, *_now(subject, quote))


def _parts(params: Params, quote: Quote | None) -> tuple[str, ...]:
    """What becomes of the rest of the period that runs."""
    if params["terms"]["proration_behavior"] == "none":
        if params["begins_anew"]:
            return ("Nothing is given back for the rest of the old period.",)
        return ("Nothing is credited or charged for the rest of this period.",)
    if quote is None or quote.prorated is None:
        return ()
    back, rest = (words.money(abs(amount), quote.currency) for amount in quote.prorated)
    told = f"{back} is credited for the time not used"
    if params["begins_anew"]:
        return (f"{told}.",)
    return (f"{told}, and {rest} asked for the rest of the period.",)


def _new_period(params: Params, quote: Quote | None) -> tuple[str, ...]:
    if not params["begins_anew"]:
        return ()
    until = f" It runs to {words.moment(quote.until)}." if quote and quote.until else ""
    return (f"The billing day moves: a new period begins now, and is billed at once.{until}",)


def _now(subject: Subject, quote: Quote | None) -> tuple[str, ...]:
    """The invoice that is made at once."""
    assert subject.subscription is not None
    waits = ("What waits for the next invoice is billed with it.",) if subject.pending else ()
    if quote is None:
        return waits
    if quote.total < 0:
        credit = words.money(-quote.total, quote.currency)
        return (*waits, f"Nothing is charged now: {credit} goes to the customer's credit.")
    if not quote.amount_due:
        return (*waits, uncharged("Nothing is charged now.", quote))
    amount = words.money(quote.amount_due, quote.currency)
    if subject.subscription.collection_method == "send_invoice":
        return (*waits, sent_now(amount))
    return (*waits, f"{amount} is charged now to {words.card(subject.card)}.")


def warnings(subject: Subject, params: Params, quote: Quote | None) -> tuple[str, ...]:
    """What will surprise."""
    subscription = subject.subscription
    assert subscription is not None
    prorated = params["terms"]["proration_behavior"] != "none"
    told = []
    if params["terms"].get("payment_behavior") and (quote is None or quote.amount_due):
        told.append(
            "If the payment fails, nothing is changed; also where the bank wants the customer to confirm it."
        )
    if prorated and subscription.status == "past_due":
        told.append("It is past due: time that was not paid for yet is credited all the same.")
    if subscription.cancel_at_period_end and params["begins_anew"]:
        told.append("It is set to cancel, and that moves along: it ends with the new period instead.")
    elif subscription.cancel_at and prorated and not params["at_once"]:
        ends = words.moment(subscription.cancel_at)
        told.append(f"It is set to end on {ends}: what the change costs comes on an invoice then.")
    if used := _by_use(subject, params):
        told.append(
            f"{used} is billed by use: look in Stripe whether what was used since the last invoice is still "
            "billed."
        )
    return tuple(told)


def _by_use(subject: Subject, params: Params) -> str:
    """The name of what is billed by use and changes; "" where it is not."""
    [change] = params["items"]
    for item in subject.items:
        if item.row.id == change["id"] and item.price and item.price.usage_type == "metered":
            return item.name
    return ""

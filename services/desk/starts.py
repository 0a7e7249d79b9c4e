"""How does a customer without a running subscription get a trial?"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any

from sqlmodel import Session, col, select
from typing_extensions import override

from models import Price, Product, Subscription
from services import clock, database
from services.customers import names
from services.customers.contents import in_currency
from services.desk import effects, quotes, words
from services.desk.command import Command, Form, Params, Preview, Quote, Step, Work, choice, gone, required
from services.desk.subject import Subject
from services.desk.trials import days
from services.desk.upcoming import after_trial, ends_unbilled
from services.errors import InvalidInput
from services.staff.roles import Permission
from services.stripe_api import writes
from services.stripe_api.client import Answer

AT_END = {"cancel": "It is canceled", "pause": "It pauses until there is a card"}
_MOST = 999_999


@dataclass(frozen=True, slots=True)
class Sold:
    """A recurring price that is sold, with its product's name; `price` has the amount in the currency."""

    price: Price
    product: str

    def told(self, quantity: int | None = 1) -> str:
        """`Team at $49.00 a month`, `3 × Team at $49.00 a month`."""
        cost = words.price(self.price)
        named = f"{self.product}{f' at {cost}' if cost else ''}"
        return f"{quantity} × {named}" if quantity and quantity > 1 else named


def sold(session: Session, currency: str) -> list[Sold]:
    """The recurring prices that can be had in a currency ("": in any), by product and amount."""
    wanted = (
        select(Price, Product.name)
        .join(Product, col(Product.id) == Price.product)
        .where(col(Price.active), col(Product.active), col(Price.interval).is_not(None))
        .where(col(Price.deleted).is_(False), col(Product.deleted).is_(False))
        .order_by(Product.name, col(Price.unit_amount), col(Price.id))
    )
    return [
        Sold(in_currency(price, currency), name)
        for price, name in session.exec(wanted)
        if currency in ("", price.currency, *price.currency_options)
    ]


class StartTrial(Command):
    """Begins a subscription with a trial, of which nothing is charged before its end."""

    name = "start_trial"
    title = names.ACTIONS["start_trial"]
    icon = ":material/rocket_launch:"
    permission = Permission.START_TRIAL
    about = frozenset(("customer",))
    reason_required = True
    once_at_a_time = True
    by_input = ("price", "quantity")

    @override
    def offered(self, subject: Subject) -> str:
        """For who has no subscription that runs, stands still or waits for its first payment."""
        if deleted := gone(subject):
            return deleted
        if subject.others:
            status = subject.others[0].status.replace("_", " ")
            return f"There is a subscription already: it is {status}. Go on with that one."
        return ""

    @override
    def parse(self, subject: Subject, form: Form, now: int) -> Params:
        """`price`: its id, `quantity`, `days`, and `at_end`: cancel or pause, where no card is there then."""
        currency = subject.customer.currency or ""
        chosen = required(form, "price", "Choose what the customer tries.")
        with database.session() as session:
            found = next((one for one in sold(session, currency) if one.price.id == chosen), None)
            earlier = _last_trial(session, subject.customer.id)
        if found is None:
            paid_in = f" in {currency.upper()}, which the customer pays in" if currency else ""
            raise InvalidInput(
                f"This price is not sold{paid_in}.", field="price", remedy="Choose another one."
            )
        metered = found.price.usage_type == "metered"
        quantity = None if metered else _quantity(form)
        at_end = choice(form, "at_end", tuple(AT_END), "Choose what happens without a card.")
        return {
            "price": chosen,
            "quantity": quantity,
            "currency": found.price.currency,
            "trial_end": now + days(form) * clock.DAY,
            "at_end": at_end,
            "plan": found.told(quantity),
            "earlier_trial": earlier,
        }

    @override
    def quote_of(self, subject: Subject, params: Params) -> Quote | None:
        """The first invoice after the trial, by what holds today."""
        about = {"customer": subject.customer.id, "currency": params["currency"]}
        return quotes.of({**about, "subscription_details": {"items": [_item(params)]}})

    @override
    def preview(self, subject: Subject, params: Params, quote: Quote | None, now: int) -> Preview:
        """What begins, when it ends and what happens then; that there was a trial before."""
        ends, trial = params["trial_end"], replace(subject, subscription=_planned(subject, params, now))
        lasts = words.days(round((ends - now) / clock.DAY))
        happens = [
            f"A trial of {params['plan']} begins now and ends on {words.moment(ends)}, in {lasts}.",
            "Nothing is charged now.",
            after_trial(trial, quote, "then", ""),
        ]
        if ends_unbilled(trial) and quote and quote.amount_due:
            happens.append(f"With one, {words.money(quote.amount_due, quote.currency)} is taken then.")
        before = params["earlier_trial"]
        had = f"This customer had a trial before; it ended on {words.moment(before)}." if before else ""
        return Preview(tuple(happens), (had,) if had else ())

    @override
    def steps(self, params: Params) -> tuple[Step, ...]:
        """One subscription, found again by our mark."""
        return (Step("create", "new_subscription", _subscribe, effects.in_list("/v1/subscriptions")),)

    @override
    def outcome(self, subject: Subject, params: Params) -> str:
        """What began, until when."""
        return f"The trial of {params['plan']} has begun; it ends on {words.moment(params['trial_end'])}."


def _last_trial(session: Session, customer: str) -> int | None:
    """When the customer's latest trial ended or was to end (UTC seconds); None where there was none."""
    tried = (
        select(Subscription.trial_end)
        .where(Subscription.customer == customer, col(Subscription.trial_end).is_not(None))
        .order_by(col(Subscription.trial_end).desc())
    )
    return session.exec(tried.limit(1)).first()


def _quantity(form: Form) -> int:
    """How many. Raises InvalidInput."""
    text = form.get("quantity", "").strip()
    number = int(text) if re.fullmatch(r"\d{1,7}", text, re.ASCII) else 0
    if not 1 <= number <= _MOST:
        raise InvalidInput(
            f"The quantity must be a whole number between 1 and {_MOST}.",
            field="quantity",
            remedy="Type how many the customer tries, e.g. 1.",
        )
    return number


def _item(params: Params) -> dict[str, Any]:
    quantity = {} if params["quantity"] is None else {"quantity": params["quantity"]}
    return {"price": params["price"], **quantity}


def _planned(subject: Subject, params: Params, now: int) -> Subscription:
    """The trial as it will stand there."""
    return Subscription(
        id="",
        created=now,
        customer=subject.customer.id,
        status="trialing",
        currency=params["currency"],
        collection_method="charge_automatically",
        trial_end=params["trial_end"],
        trial_end_behavior=params["at_end"],
    )


def _subscribe(work: Work) -> Answer:
    params = {
        "customer": work.subject.customer.id,
        "currency": work.params["currency"],
        "items": [_item(work.params)],
        "trial_end": work.params["trial_end"],
        "trial_settings": {"end_behavior": {"missing_payment_method": work.params["at_end"]}},
    }
    return writes.subscribe(params, work.mark, work.key)

"""How does a customer without a running subscription get a trial?"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sqlmodel import Session, col, select
from typing_extensions import override

from models import Subscription
from services import clock, database
from services.customers import names
from services.desk import effects, quotes, selling, words
from services.desk.command import Command, Form, Params, Preview, Quote, Step, Work, choice, gone, required
from services.desk.limits import Amount, whole_days
from services.desk.plans import quantity
from services.desk.selling import Plan
from services.desk.subject import Subject
from services.desk.trials import days
from services.desk.upcoming import after_trial, ends_unbilled
from services.errors import InvalidInput
from services.staff.roles import Measure, Permission
from services.stripe_api import writes
from services.stripe_api.client import Answer

AT_END = {"cancel": "It is canceled", "pause": "It pauses until there is a card"}


class StartTrial(Command):
    """Begins a subscription with a trial, of which nothing is charged before its end."""

    name = "start_trial"
    title = names.ACTIONS["start_trial"]
    icon = ":material/rocket_launch:"
    permission = Permission.START_TRIAL
    about = frozenset(("customer",))
    reason_required = True
    once_at_a_time = True

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
    def equipped(self, session: Session, subject: Subject, now: int) -> Subject:
        """With the plans that are sold in the customer's currency."""
        return replace(subject, plans=selling.plans(session, subject.currency))

    @override
    def parse(self, subject: Subject, form: Form, now: int) -> Params:
        """`price`: its id, `quantity`, `days`, and `at_end`: cancel or pause, where no card is there then."""
        plan = _plan(subject, form)
        many, lasts = quantity(form, plan.price), days(form)
        at_end = choice(form, "at_end", tuple(AT_END), "Choose what happens without a card.")
        with database.session() as session:
            earlier = _last_trial(session, subject.customer.id)
        return {
            "price": plan.price.id,
            "quantity": many,
            "currency": plan.price.currency,
            "days": lasts,
            "trial_end": now + lasts * clock.DAY,
            "at_end": at_end,
            "plan": words.ordered(plan.product.name, plan.price, many or 1),
            "earlier_trial": earlier,
        }

    @override
    def amounts(self, subject: Subject, params: Params) -> tuple[Amount, ...]:
        """The days that it lasts."""
        return (Amount(Measure.TRIAL_DAYS, params["days"]),)

    @override
    def asks(self, params: Params) -> bool:
        """The first invoice depends on the plan and the quantity."""
        return True

    @override
    def quote_for(self, subject: Subject, params: Params) -> Quote | None:
        """The first invoice after the trial, by what holds today."""
        about = {"customer": subject.customer.id, "currency": params["currency"]}
        return quotes.of({**about, "subscription_details": {"items": [_item(params)]}})

    @override
    def preview(self, subject: Subject, params: Params, quote: Quote | None, now: int) -> Preview:
        """What begins, when it ends and what happens then; that there was a trial before."""
        ends, trial = params["trial_end"], replace(subject, subscription=_planned(subject, params, now))
        lasts = words.days(whole_days(ends - now))
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


def _plan(subject: Subject, form: Form) -> Plan:
    """What is tried. Raises InvalidInput."""
    chosen = required(form, "price", "Choose what the customer tries.")
    for plan in subject.plans:
        if plan.price.id == chosen:
            return plan
    paid_in = f" in {subject.currency.upper()}, which the customer pays in" if subject.currency else ""
    raise InvalidInput(f"This price is not sold{paid_in}.", field="price", remedy="Choose another one.")


def _last_trial(session: Session, customer: str) -> int | None:
    """When the customer's latest trial ended or was to end (UTC seconds); None where there was none."""
    tried = (
        select(Subscription.trial_end)
        .where(Subscription.customer == customer, col(Subscription.trial_end).is_not(None))
        .order_by(col(Subscription.trial_end).desc())
    )
    return session.exec(tried.limit(1)).first()


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
        "customer": work.customer,
        "currency": work.params["currency"],
        "items": [_item(work.params)],
        "trial_end": work.params["trial_end"],
        "trial_settings": {"end_behavior": {"missing_payment_method": work.params["at_end"]}},
    }
    return writes.subscribe(params, work.mark, work.key)

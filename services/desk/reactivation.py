"""How does a subscription that stands still go on again? Three ways, by its state.

Paused: Stripe's resume. Collection paused: the pause is lifted. Ended: a new subscription with the old
items, quantities, taxes and lasting discounts, without a second trial.
"""

from __future__ import annotations

from typing import Any, Literal

from typing_extensions import override

from models.subscriptions import ENDED
from services.customers import names
from services.customers.contents import Rebate
from services.desk import effects, quotes, words
from services.desk.cancellations import next_charge
from services.desk.command import Command, Form, Params, Preview, Quote, Step, gone
from services.desk.subject import Item, Subject
from services.desk.terms import Charged, Terms
from services.errors import Conflict
from services.staff.roles import Permission
from services.stripe_api import writes

Way = Literal["resume", "collect", "anew"]
_NO_CARD = "No card is on file. Send a card link first."


class Reactivate(Command):
    """Brings a paused or ended subscription back."""

    name = "reactivate"
    title = names.ACTIONS["reactivate"]
    icon = ":material/play_circle:"
    permission = Permission.REACTIVATE
    about = frozenset(("subscription",))
    watched = ("status", "pause_collection")
    moves_money = True
    once_at_a_time = True
    reason_required = True

    @override
    def label(self, subject: Subject) -> str:
        """The button, by the way that fits the state."""
        return names.WAYS.get(way(subject), self.title)

    @override
    def offered(self, subject: Subject) -> str:
        """For paused, collection-paused and ended subscriptions that can be billed."""
        if subject.subscription is None:
            return "There is no subscription."
        if deleted := gone(subject):
            return deleted
        match way(subject):
            case "resume":
                return "" if _payable(subject) else _NO_CARD
            case "collect":
                return ""
            case "anew":
                return _why_not_anew(subject)
        return _why_nothing_to_do(subject)

    @override
    def parse(self, subject: Subject, form: Form, now: int) -> Params:
        """Nothing to fill in; what the new subscription consists of is fixed here."""
        assert subject.subscription is not None
        chosen, latest = way(subject), subject.subscription.latest_invoice
        return {"way": chosen, "new": _anew(subject) if chosen == "anew" else {}, "latest_invoice": latest}

    @override
    def quote(self, subject: Subject) -> Quote | None:
        """The invoice that going on makes."""
        match way(subject):
            case "resume":
                return quotes.next_invoice(subject, resume_at="now")
            case "collect":
                return quotes.next_invoice(subject)
        return quotes.of(_previewed(_anew(subject)))

    @override
    def charges_quote(self, params: Params) -> bool:
        """Collecting again charges nothing by itself; the two other ways do."""
        return bool(params["way"] != "collect")

    @override
    def preview(self, subject: Subject, params: Params, quote: Quote | None, now: int) -> Preview:
        """What begins, and the first charge."""
        if params["way"] == "collect":
            return Preview(
                ("Invoices of this subscription are collected again.", *next_charge(subject, quote))
            )
        if params["way"] == "resume":
            return _resumed(subject, quote, now)
        plan = words.listing([_said(item) for item in subject.items])
        happens = [
            f"A new subscription begins now: {plan}.",
            "It has no trial.",
            _charged_now(subject, quote),
        ]
        terms = _terms(subject)
        happens += ["Tax is worked out as before."] if terms.taxed else []
        lasting = [rebate for each in terms.every for rebate in each.lasting]
        happens += [f"The discount {_called(rebate)} applies again." for rebate in lasting]
        warnings = [
            f"The discount {_called(rebate)} is not carried over: it was limited or is no longer valid."
            for each in terms.every
            for rebate in each.rebates
            if rebate not in lasting
        ]
        return Preview(tuple(happens), (*warnings, "If the payment fails, no subscription is made."))

    @override
    def steps(self, params: Params) -> tuple[Step, ...]:
        """One request, by the way."""
        match params["way"]:
            case "resume":
                return (_resume(params.get("latest_invoice")),)
            case "collect":
                return (_collect(),)
        return (
            Step(
                "create",
                "new_subscription",
                lambda work: writes.subscribe(work.params["new"], work.mark, work.key),
                effects.in_list("/v1/subscriptions"),
                billed=effects.new_invoice(params.get("latest_invoice")),
            ),
        )

    @override
    def outcome(self, subject: Subject, params: Params) -> str:
        """What became of it."""
        if params["way"] == "anew":
            return "A new subscription has begun."
        if params["way"] == "collect":
            return "Invoices are collected again."
        if subject.subscription and subject.subscription.status == "paused":
            return "Stripe made the invoice; the subscription resumes once it is paid."
        return "The subscription has resumed."


def way(subject: Subject) -> Way | None:
    """How the subscription can go on; None where it does not stand still."""
    subscription = subject.subscription
    assert subscription is not None
    if subscription.status == "paused":
        return "resume"
    if subscription.status in ENDED:
        return "anew"
    return "collect" if subscription.pause_collection else None


def _why_nothing_to_do(subject: Subject) -> str:
    subscription = subject.subscription
    assert subscription is not None
    if subscription.cancel_at or subscription.cancel_at_period_end:
        return "It still runs; its cancellation is only scheduled and can be undone."
    if subscription.status in ("past_due", "unpaid", "incomplete"):
        return (
            f"The subscription is {subscription.status.replace('_', ' ')}: retry the payment of its invoice."
        )
    return f"The subscription runs: it is {subscription.status}."


def _why_not_anew(subject: Subject) -> str:
    if not subject.items:
        return "What it consisted of is no longer known."
    for item in subject.items:
        if reason := _why_not_sold(item):
            return reason
    for item in subject.items:
        if item.row.product in subject.other_products:
            return f"The customer already has a running subscription of {item.name}."
    return "" if _payable(subject) else _NO_CARD


def _why_not_sold(item: Item) -> str:
    if item.price is None or item.price.deleted:
        return f"The price of {item.name} no longer exists in Stripe."
    if item.product and not item.product.active:
        return f"{item.name} is no longer sold: the product is archived."
    if item.price.active:
        return ""
    gone = f"The price of {item.name} is archived"
    if item.successor is None:
        return f"{gone} and has no successor. Start a subscription with another price in Stripe."
    new = item.successor
    amount = words.money(new.unit_amount, new.currency) if new.unit_amount is not None else "another price"
    return f"{gone}; its successor is {amount} ({new.nickname or new.id}). Start one with it in Stripe."


def _payable(subject: Subject) -> bool:
    assert subject.subscription is not None
    return subject.payment_method is not None or subject.subscription.collection_method == "send_invoice"


def _resumed(subject: Subject, quote: Quote | None, now: int) -> Preview:
    """A resumed subscription is billed at once, and runs once that is paid."""
    assert subject.subscription is not None
    if not (fate := words.uncollected(subject.subscription, now)):
        happens = ("The subscription resumes: a new period begins now.", _charged_now(subject, quote))
        return Preview(happens, ("If the payment fails, it stays paused.",))
    which = f"the invoice for {words.money(quote.amount_due, quote.currency)}" if quote else "its invoice"
    return Preview(
        ("Stripe is asked to resume it.", f"Collection is paused: {which} is {fate} now; nothing is taken."),
        ("As nobody pays that invoice, it may stay paused: end the pause of collection in Stripe first.",),
    )


def _charged_now(subject: Subject, quote: Quote | None) -> str:
    assert subject.subscription is not None
    amount = words.money(quote.amount_due, quote.currency) if quote else "Its price"
    if subject.subscription.collection_method == "send_invoice":
        return f"An invoice for {amount} is sent now."
    return f"{amount} is charged now." if not quote or quote.amount_due else "Nothing is charged now."


def _anew(subject: Subject) -> dict[str, Any]:
    """The new subscription's parameters, complete. Raises Conflict where the old one is gone."""
    old, terms = subject.subscription, _terms(subject)
    assert old is not None
    new: dict[str, Any] = {
        "customer": subject.customer.id,
        "items": [_ordered(item, terms.items.get(item.row.id, Charged())) for item in subject.items],
        "collection_method": old.collection_method or "charge_automatically",
        "metadata": dict(old.metadata_),
    }
    new |= terms.whole.params(tax="default_tax_rates")
    if terms.automatic_tax:
        new["automatic_tax"] = {"enabled": True}
    if new["collection_method"] == "send_invoice":
        new["days_until_due"] = old.days_until_due or 30
    elif not subject.customer.default_payment_method and old.default_payment_method:
        new["default_payment_method"] = old.default_payment_method
    return new


def _ordered(item: Item, charged: Charged) -> dict[str, Any]:
    metered = item.price is not None and item.price.usage_type == "metered"
    quantity = {} if metered else {"quantity": item.row.quantity}
    return {"price": item.row.price, **quantity, **charged.params(tax="tax_rates")}


def _previewed(new: dict[str, Any]) -> dict[str, Any]:
    """The parameters that ask what the new subscription's first invoice comes to."""
    inside, beside = ("items", "default_tax_rates"), ("customer", "discounts", "automatic_tax")
    details = {name: new[name] for name in inside if name in new}
    return {**{name: new[name] for name in beside if name in new}, "subscription_details": details}


def _terms(subject: Subject) -> Terms:
    if subject.terms is None:
        raise Conflict("What the old subscription was billed by is no longer known.")
    return subject.terms


def _called(rebate: Rebate) -> str:
    return (rebate.coupon.name if rebate.coupon else None) or rebate.row.coupon


def _said(item: Item) -> str:
    return item.name if item.row.quantity == 1 else f"{item.row.quantity} × {item.name}"


def _resume(latest_invoice: str | None) -> Step:
    return Step(
        "resume",
        "subscription",
        lambda work: writes.resume(work.subject.object_id, work.key),
        effects.of_subscription(lambda found: found["status"] != "paused"),
        billed=effects.new_invoice(latest_invoice),
    )


def _collect() -> Step:
    return Step(
        "update",
        "subscription",
        lambda work: writes.collect_again(work.subject.object_id, work.mark, work.key),
        effects.of_subscription(),
    )

"""How does a subscription that stands still go on again? Three ways, by its state.

Paused: Stripe's resume. Collection paused: the pause is lifted. Ended: a new subscription with the old
items, quantities, taxes and lasting discounts, without a second trial.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from typing_extensions import override

from models.subscriptions import ENDED
from services import charging
from services.customers import names
from services.customers.contents import Rebate
from services.desk import effects, quotes, resumption, words
from services.desk.command import Command, Form, Leftover, Params, Preview, Quote, Step, gone
from services.desk.payments import first_payment
from services.desk.subject import Item, Subject
from services.desk.terms import Charged, Terms
from services.desk.upcoming import next_charge, sent_now, uncharged
from services.errors import Conflict, InvalidInput
from services.staff.roles import Permission
from services.stripe_api import writes

Way = Literal["resume", "collect", "anew"]


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
        """The button: a running subscription's collection is resumed, all else reactivated."""
        return names.RESUME_COLLECTION if way(subject) == "collect" else self.title

    @override
    def offered(self, subject: Subject) -> str:
        """For paused, collection-paused and ended subscriptions that can be billed."""
        if subject.subscription is None:
            return "There is no subscription."
        if deleted := gone(subject):
            return deleted
        match way(subject):
            case "resume":
                return resumption.why_not(subject)
            case "collect":
                return ""
            case "anew":
                return _why_not_anew(subject)
        return _why_nothing_to_do(subject)

    @override
    def parse(self, subject: Subject, form: Form, now: int) -> Params:
        """`successor`: yes where archived prices have to be replaced; what the new subscription consists of
        is fixed here."""
        assert subject.subscription is not None
        chosen, latest = way(subject), subject.subscription.latest_invoice
        if chosen == "anew":
            _check_agreed(subject, form)
        fixed = {"way": chosen, "new": _anew(subject) if chosen == "anew" else {}, "latest_invoice": latest}
        if chosen == "resume":
            return {**fixed, **resumption.card(subject, now)}
        charged = chosen == "anew" and not _by_hand(subject)
        return {**fixed, **({"charged_to": subject.charged_to} if charged else {})}

    @override
    def quote(self, subject: Subject) -> Quote | None:
        """The invoice that going on makes."""
        match way(subject):
            case "resume":
                return quotes.next_invoice(subject, resume_at="now", billing_cycle_anchor={"type": "now"})
            case "collect":
                return quotes.next_invoice(subject)
        return quotes.of(_previewed(_anew(subject)))

    @override
    def quote_binds(self, subject: Subject, params: Params) -> bool:
        """Collecting again charges nothing by itself; the two other ways do."""
        return way(subject) != "collect"

    @override
    def preview(self, subject: Subject, params: Params, quote: Quote | None, now: int) -> Preview:
        """What begins, and the first charge."""
        if params["way"] == "collect":
            return _collected(subject, quote)
        if params["way"] == "resume":
            return resumption.preview(subject, quote, now)
        plan = words.listing([item.now_sold.said(subject.currency) for item in subject.items])
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
        warnings += [_replaced(item, subject.currency) for item in subject.items if item.successor]
        if _takes_money(subject, quote):
            warnings.append("If the payment fails, no subscription is made.")
        return Preview(tuple(happens), tuple(warnings))

    @override
    def steps(self, params: Params) -> tuple[Step, ...]:
        """By the way: one request, and where it resumes the payment of its invoice."""
        match params["way"]:
            case "resume":
                return resumption.steps(params)
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
            begun = "Reactivated: a new subscription has begun."
            return f"{begun} {first_payment(subject, subject.invoice)}" if subject.invoice else begun
        if params["way"] == "collect":
            return "Invoices are collected again."
        return resumption.outcome(subject)

    @override
    def left_behind(self, made: Mapping[str, str]) -> Leftover | None:
        """The invoice of a subscription that was resumed and could not be charged."""
        return resumption.left_behind(made)


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
    return "" if _payable(subject) else resumption.NO_CARD


def _why_not_sold(item: Item) -> str:
    if item.price is None or item.price.deleted:
        return f"The price of {item.name} no longer exists in Stripe."
    if item.product and not item.product.active:
        return f"{item.name} is no longer sold: the product is archived."
    if item.price.active or item.successor:
        return ""
    return (
        f"The price of {item.name} is archived and has no successor. Start a subscription with another price "
        "in Stripe."
    )


def _check_agreed(subject: Subject, form: Form) -> None:
    """Raises InvalidInput where a price is archived and nobody agreed to its successor."""
    old = [item.said(subject.currency) for item in subject.items if item.successor]
    new = [item.now_sold.said(subject.currency) for item in subject.items if item.successor]
    if old and form.get("successor") != "yes":
        raise InvalidInput(
            f"{words.listing(old)} is not sold any more: its price is archived.",
            field="successor",
            remedy=f"Agree to {words.listing(new)} instead, or close this.",
        )


def _replaced(item: Item, currency: str) -> str:
    return f"It is not the old price: {item.said(currency)} is archived, and this is its successor."


def _payable(subject: Subject) -> bool:
    return subject.payment_method is not None or _by_hand(subject)


def _collected(subject: Subject, quote: Quote | None) -> Preview:
    """What the next invoice brings, and what collection leaves of those that came in the pause."""
    assert subject.subscription is not None
    drafts = subject.subscription.pause_collection == "keep_as_draft"
    left = (
        "stay drafts: finalize them in Stripe, or delete them there" if drafts else "are not asked for again"
    )
    return Preview(
        ("Invoices of this subscription are collected again.", *next_charge(subject, quote, lifted="pause")),
        (f"Invoices that were made in the pause {left}.",) if subject.set_aside else (),
    )


def _takes_money(subject: Subject, quote: Quote | None) -> bool:
    """Whether a card is charged at once for a new subscription."""
    return not _by_hand(subject) and (quote is None or quote.amount_due > 0)


def _by_hand(subject: Subject) -> bool:
    """Whether the customer pays invoices that are sent."""
    assert subject.subscription is not None
    return subject.subscription.collection_method == "send_invoice"


def _charged_now(subject: Subject, quote: Quote | None) -> str:
    amount = words.money(quote.amount_due, quote.currency) if quote else "Its price"
    if _takes_money(subject, quote):
        return f"{amount} is charged now to {words.card(subject.card)}."
    if quote and not quote.amount_due:
        return uncharged("Nothing is charged now.", quote)
    return sent_now(amount)


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
    if old.currency:  # else Stripe takes the customer's, which may be another by now
        new["currency"] = old.currency
    new |= terms.whole.params(tax="default_tax_rates")
    if terms.automatic_tax:
        new["automatic_tax"] = {"enabled": True}
    if new["collection_method"] == "send_invoice":
        new["days_until_due"] = old.days_until_due or 30
    elif (own := charging.first(old)) and not charging.first(subject.customer):
        new[f"default_{own.kind}"] = own.id
    return new


def _ordered(item: Item, charged: Charged) -> dict[str, Any]:
    metered = item.price is not None and item.price.usage_type == "metered"
    quantity = {} if metered else {"quantity": item.row.quantity}
    return {"price": item.now_sold.row.price, **quantity, **charged.params(tax="tax_rates")}


def _previewed(new: dict[str, Any]) -> dict[str, Any]:
    """The parameters that ask what the new subscription's first invoice comes to."""
    inside, beside = ("items", "default_tax_rates"), ("customer", "currency", "discounts", "automatic_tax")
    details = {name: new[name] for name in inside if name in new}
    return {**{name: new[name] for name in beside if name in new}, "subscription_details": details}


def _terms(subject: Subject) -> Terms:
    if subject.terms is None:
        raise Conflict("What the old subscription was billed by is no longer known.")
    return subject.terms


def _called(rebate: Rebate) -> str:
    return (rebate.coupon.name if rebate.coupon else None) or rebate.row.coupon


def _collect() -> Step:
    return Step(
        "update",
        "subscription",
        lambda work: writes.collect_again(work.object_id, work.mark, work.key),
        effects.of_subscription(),
    )

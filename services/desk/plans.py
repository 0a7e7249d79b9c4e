"""How does a subscription go over to another plan or quantity, and what does that cost?

Stripe prorates by the second. As of when is fixed as Stripe is asked what the change comes to, and goes along
with the change, so that what was shown is what is charged.
"""

from __future__ import annotations

from typing import Any

from sqlmodel import Session
from typing_extensions import override

from models import Price
from models.subscriptions import ENDED
from services.customers import names
from services.customers.contents import in_currency
from services.desk import changing, effects, selling, words
from services.desk.changing import BILLING, Change
from services.desk.command import Command, Form, Params, Preview, Quote, Step, choice, gone
from services.desk.payments import first_payment
from services.desk.quotes import next_invoice
from services.desk.subject import Item, Subject
from services.errors import InvalidInput
from services.staff.roles import Permission
from services.stripe_api import writes

MOST = 999_999
_NOT_IN = {
    "incomplete": "Its first payment is not made yet: retry that payment first.",
    "paused": "The subscription is paused: reactivate it first.",
    "unpaid": "The subscription is unpaid, and what it is billed stays a draft: retry its payment first.",
}


class ChangePlan(Command):
    """Puts an item of a subscription on another price, or changes how many there are of it."""

    name = "change_plan"
    title = names.ACTIONS["change_plan"]
    icon = ":material/swap_horiz:"
    permission = Permission.CHANGE_PLAN
    about = frozenset(("subscription",))
    watched = (
        "status", "items", "discounts", "trial_end", "cancel_at", "current_period_end", "pause_collection",
    )  # fmt: skip
    moves_money = True
    once_at_a_time = True
    reason_required = True

    @override
    def offered(self, subject: Subject) -> str:
        """For what runs, and is not steered by a schedule."""
        subscription = subject.subscription
        if subscription is None:
            return "There is no subscription."
        if deleted := gone(subject):
            return deleted
        if subscription.status in ENDED:
            return "The subscription has ended; it can only be started anew."
        if subscription.status in _NOT_IN:
            return _NOT_IN[subscription.status]
        if subscription.schedule:
            return "A subscription schedule in Stripe decides about its plan; change the schedule there."
        if not subject.items or any(item.price is None for item in subject.items):
            return "What it consists of is not known here; change it in Stripe."
        return ""

    @override
    def equipped(self, session: Session, subject: Subject, now: int) -> Subject:
        """With the plans that the account sells."""
        return changing.with_plans(subject, selling.plans(session, subject.currency))

    @override
    def parse(self, subject: Subject, form: Form, now: int) -> Params:
        """`item` where there are several, `price`, `quantity`, `billing`: a key of BILLING."""
        item = _item(subject, form)
        name, price = _price(subject, item, form)
        change = Change(subject, item, price, quantity(form, price))
        if change.is_none:
            raise InvalidInput(
                "That is what it has now.", field="price", remedy="Choose another plan or quantity."
            )
        billing = "none" if change.in_trial else choice(form, "billing", tuple(BILLING), _HOW)
        _check_billable(change, billing)
        at = _proration_date(subject, now) if billing != "none" else None
        return {
            "items": [change.params],
            "terms": _terms(change, billing, at),
            "at_once": change.at_once(billing),
            "begins_anew": change.begins_anew,
            "was": item.said(subject.currency),
            "becomes": words.ordered(name, price, change.quantity or 1),
            "before": {"item": item.row.id, "price": item.row.price, "quantity": item.row.quantity},
            "latest_invoice": change.subscription.latest_invoice,
            "charged_to": subject.charged_to if change.at_once(billing) and not change.by_hand else {},
        }

    @override
    def asks(self, params: Params) -> bool:
        """Its sums depend on the plan and the quantity."""
        return True

    @override
    def quote_for(self, subject: Subject, params: Params) -> Quote | None:
        """The invoice that the change brings at once, else the next one with it."""
        billed = {name: params["terms"][name] for name in _PRORATED if name in params["terms"]}
        return next_invoice(subject, items=params["items"], **billed)

    @override
    def quote_binds(self, subject: Subject, params: Params) -> bool:
        """What was shown is what is charged."""
        return True

    @override
    def preview(self, subject: Subject, params: Params, quote: Quote | None, now: int) -> Preview:
        """What becomes of the plan, of the time that was paid for, and of the next invoice."""
        happens = (
            f"{params['was']} becomes {params['becomes']} now.",
            *changing.billed(subject, params, quote),
        )
        return Preview(happens, changing.warnings(subject, params, quote))

    @override
    def steps(self, params: Params) -> tuple[Step, ...]:
        """One update, found again by our mark. Where its payment fails, nothing is changed."""
        return (
            Step(
                "update",
                "subscription",
                lambda work: writes.change_items(
                    work.object_id, params["items"], params["terms"], work.mark, work.key
                ),
                effects.of_subscription(),
                billed=effects.new_invoice(params.get("latest_invoice")),
            ),
        )

    @override
    def outcome(self, subject: Subject, params: Params) -> str:
        """What it is now, and what was charged."""
        done = f"The plan is changed: it is {params['becomes']} now."
        if subject.invoice:
            return f"{done} {first_payment(subject, subject.invoice)}"
        later = params["terms"]["proration_behavior"] == "create_prorations"
        return f"{done} Credit and charge come with the next invoice." if later else done


_HOW = "Choose how the change is billed."
_PRORATED = ("proration_behavior", "proration_date")


def _item(subject: Subject, form: Form) -> Item:
    if len(subject.items) == 1:
        return subject.items[0]
    chosen = {item.row.id: item for item in subject.items}.get(form.get("item", ""))
    if chosen is None:
        raise InvalidInput("Choose what should be changed.", field="item")
    return chosen


def _price(subject: Subject, item: Item, form: Form) -> tuple[str, Price]:
    """The name and the price that the item should have; its own, also where that is not sold any more."""
    assert item.price is not None
    chosen = form.get("price") or item.row.price
    if chosen == item.row.price:
        return item.name, in_currency(item.price, subject.currency)
    for plan in subject.plans:
        if plan.price.id == chosen:
            changing.check_beside(subject, item, plan.price)
            return plan.product.name, plan.price
    raise InvalidInput("Choose one of the plans in the list.", field="price")


def quantity(form: Form, price: Price) -> int | None:
    """How many of a price; None for what is billed by use. Raises InvalidInput."""
    if price.usage_type == "metered":
        return None
    typed = form.get("quantity", "").strip()
    if not typed:
        raise InvalidInput("Enter a quantity.", field="quantity")
    if not (typed.isascii() and typed.isdigit() and len(typed) <= len(str(MOST)) and int(typed)):
        raise InvalidInput(
            f"“{typed[:40]}” is not a quantity.",
            field="quantity",
            remedy=f"Type a whole number between 1 and {MOST}.",
        )
    return int(typed)


def _check_billable(change: Change, billing: str) -> None:
    """Raises InvalidInput where the change cannot be billed in this way."""
    if change.begins_anew and billing == "next":
        raise InvalidInput(
            "This change begins a new period, which is billed at once.",
            field="billing",
            remedy="Choose “at once”, or “not at all” to leave out the credit for unused time.",
        )
    if not change.at_once(billing):
        return
    field = "price" if change.begins_anew else "billing"
    if change.subject.payment_method is None and not change.by_hand:
        raise InvalidInput(
            "It would be billed at once, and no card is on file.",
            field=field,
            remedy="Send a card link first." if change.begins_anew else "Choose the next invoice.",
        )
    if change.subscription.pause_collection:
        raise InvalidInput(
            "It would be billed at once, and collection is paused: nobody would be charged.",
            field=field,
            remedy="Resume collection first.",
        )


def _proration_date(subject: Subject, now: int) -> int:
    """Now, in the current period: clocks differ by seconds."""
    starts = [item.row.current_period_start or 0 for item in subject.items]
    return max(now, *starts)


def _terms(change: Change, billing: str, at: int | None) -> dict[str, Any]:
    """How Stripe is told to bill it. What is billed at once may not get paid: nothing is to change then."""
    terms: dict[str, Any] = {"proration_behavior": BILLING[billing]}
    if at:
        terms["proration_date"] = at
    if change.at_once(billing) and not change.by_hand:
        terms |= {"payment_behavior": "error_if_incomplete", "off_session": True}
    return terms

"""What do customers and staff do with a subscription? Each function carries out one intent.

The params hold the `subscription`. A deed that makes no sense any more is left out: staff may have extended,
canceled or deleted in the meantime.
"""

from typing import Any

from services.sandbox.billing import cards, changes, customers, payments, resuming, subscriptions
from services.sandbox.billing.account import Account
from services.sandbox.billing.agenda import ENDED, period_end
from services.sandbox.billing.periods import DAY, HOUR
from services.sandbox.errors import CardDeclined
from services.sandbox.history import offers
from services.sandbox.history.chance import chance
from services.sandbox.history.signups import follow, give_card
from services.sandbox.store import Body

Params = dict[str, Any]

_ORDER = ("starter", "team", "business")
_SEATS_AFTER = {"starter": 1, "team": 3, "business": 9}


def living(account: Account, params: Params, *statuses: str) -> Body | None:
    """The subscription of an intent, when it has one of the statuses and its customer is still there."""
    subscription = account.store.find(params["subscription"])
    if subscription is None or (statuses and subscription["status"] not in statuses):
        return None
    owner = account.store.find(subscription["customer"])
    return None if owner is None or owner.get("deleted") else subscription


def add_card(account: Account, _customer: str | None, params: Params) -> None:
    """Put a new card on file; with `pay` also pay what is open."""
    subscription = living(account, params)
    if subscription is None or subscription["status"] in ENDED:
        return
    give_card(account, subscription["customer"])
    if params.get("pay"):
        pay_latest(account, subscription)


def pay_latest(account: Account, subscription: Body, **how: Any) -> None:
    """Pay the subscription's last invoice when it is open. A decline changes nothing that the account has
    not already written down.
    """
    invoice = account.store.find(subscription["latest_invoice"] or "")
    if invoice is None or invoice["status"] != "open":
        return
    try:
        payments.pay(account, invoice["id"], **how)
    except CardDeclined:
        return


def card_fails(account: Account, customer: str | None, params: Params) -> None:
    """From the next invoice on the card is declined with the `code`, until the `fix`."""
    subscription = living(account, params, "active", "trialing")
    method = subscription and cards.default_for(
        account, account.get("customer", subscription["customer"]), subscription
    )
    if subscription is None or method is None:
        return
    cards.decline(account, method["id"], params["code"])
    if params["code"] == "expired_card":
        cards.update(account, method["id"], card={"exp_month": 1, "exp_year": 2026})
    due = period_end(subscription) + HOUR + params["after"]
    same = {"subscription": subscription["id"]}
    if params["fix"] == "retry":
        account.schedule_intent(due, "card_works", {**same, "method": method["id"]}, customer)
    elif params["fix"] != "none":
        account.schedule_intent(due, "add_card", {**same, "pay": params["fix"] == "new card"}, customer)


def card_works(account: Account, _customer: str | None, params: Params) -> None:
    """The bank accepts the card again; the next attempt will find out."""
    if living(account, params):
        cards.restore(account, params["method"])


def extend_trial(account: Account, _customer: str | None, params: Params) -> None:
    """Staff give the trial more `days`."""
    subscription = living(account, params, "trialing")
    if subscription:
        end = subscription["trial_end"] + params["days"] * DAY
        changes.update(account, subscription["id"], trial_end=end, proration_behavior="none")


def end_trial(account: Account, _customer: str | None, params: Params) -> None:
    """The customer does not wait for the trial's end."""
    subscription = living(account, params, "trialing")
    if subscription:
        changes.update(account, subscription["id"], trial_end="now")


def cancel(account: Account, _customer: str | None, params: Params) -> None:
    """Cancel, `at_end` of the period or now, with what the customer says about it."""
    subscription = living(account, params, "trialing", "active", "past_due", "paused")
    if subscription is None:
        return
    said = {name: params[name] for name in ("feedback", "comment") if params.get(name)}
    if params.get("at_end") and subscription["status"] in ("trialing", "active"):
        changes.update(account, subscription["id"], cancel_at_period_end=True, cancellation_details=said)
    else:
        subscriptions.cancel(account, subscription["id"], cancellation_details=said)


def undo_cancel(account: Account, _customer: str | None, params: Params) -> None:
    """The customer stays after all."""
    subscription = living(account, params, "trialing", "active")
    if subscription and subscription["cancel_at_period_end"]:
        changes.update(account, subscription["id"], cancel_at_period_end=False)


def come_back(account: Account, _customer: str | None, params: Params) -> None:
    """With a new card: resume what is paused, pay what is open, or subscribe again to what had ended."""
    subscription = living(account, params)
    if subscription is None or subscription["status"] == "active":
        return
    owner, old = subscription["customer"], subscription["id"]
    give_card(account, owner)
    if subscription["status"] == "paused":
        pay_latest(account, resuming.resume(account, old))
    elif subscription["status"] in ENDED:
        _subscribe_again(account, subscription, params.get("steps", []))
    elif subscription["status"] != "trialing":
        pay_latest(account, subscription)


def _subscribe_again(account: Account, old: Body, later: list[Any]) -> None:
    items = []
    for item in old["items"]["data"]:
        price = item["price"]
        plan = offers.plan_of(account, price)
        if plan is not None:
            key = offers.price_id(account, plan, price["recurring"]["interval"], price["currency"])
            items.append({"price": key, "quantity": item["quantity"]})
    if items:
        again = subscriptions.create(account, customer=old["customer"], items=items)
        follow(account, old["customer"], again["id"], later)


def change_seats(account: Account, _customer: str | None, params: Params) -> None:
    """`by` more or fewer people use it."""
    subscription = living(account, params, "active")
    if subscription:
        item = subscription["items"]["data"][0]
        seats = max(1, item["quantity"] + params["by"])
        changes.update(account, subscription["id"], items=[{"id": item["id"], "quantity": seats}])


def upgrade(account: Account, _customer: str | None, params: Params) -> None:
    """The next larger plan."""
    _change_plan(account, params, 1)


def downgrade(account: Account, _customer: str | None, params: Params) -> None:
    """The next smaller plan."""
    _change_plan(account, params, -1)


def _change_plan(account: Account, params: Params, by: int) -> None:
    subscription = living(account, params, "active")
    if subscription is None:
        return
    item = subscription["items"]["data"][0]
    plan = offers.plan_of(account, item["price"])
    wanted = _ORDER.index(plan) + by if plan in _ORDER else -1
    if 0 <= wanted < len(_ORDER):
        name = _ORDER[wanted]
        price = offers.price_id(
            account, name, item["price"]["recurring"]["interval"], subscription["currency"]
        )
        seats = _SEATS_AFTER[name] if name == "starter" else max(item["quantity"], _SEATS_AFTER[name])
        change = {"id": item["id"], "price": price, "quantity": seats}
        changes.update(account, subscription["id"], items=[change], proration_behavior="create_prorations")


def go_yearly(account: Account, _customer: str | None, params: Params) -> None:
    """From a monthly to a yearly price, billed at once."""
    subscription = living(account, params, "active")
    items = subscription["items"]["data"] if subscription else []
    if subscription is None or len(items) > 1 or items[0]["price"]["recurring"]["interval"] == "year":
        return
    plan = offers.plan_of(account, items[0]["price"])
    if plan is not None:
        price = offers.price_id(account, plan, "year", subscription["currency"])
        changes.update(account, subscription["id"], items=[{"id": items[0]["id"], "price": price}])


def pause_collection(account: Account, customer: str | None, params: Params) -> None:
    """Staff stop collecting for a month or two."""
    subscription = living(account, params, "active")
    if subscription is None:
        return
    draws = chance(customer, account.now, "pause")
    behavior = params.get("behavior") or draws.choice(("void", "void", "keep_as_draft", "mark_uncollectible"))
    pause = {"behavior": behavior, "resumes_at": account.now + draws.randint(30, 62) * DAY}
    changes.update(account, subscription["id"], pause_collection=pause)


def delete(account: Account, customer: str | None, _params: Params) -> None:
    """The customer asked to be forgotten."""
    owner = account.store.find(customer or "")
    if owner and not owner.get("deleted"):
        customers.delete(account, owner["id"])

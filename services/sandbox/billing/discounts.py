"""What is taken off an invoice, and for how long?"""

from __future__ import annotations

from typing import Any

from services.sandbox.billing.account import Account
from services.sandbox.billing.money import divide, percent
from services.sandbox.billing.periods import add_months
from services.sandbox.errors import InvalidRequest
from services.sandbox.store import Body


def open_for(
    account: Account,
    given: Any,
    *,
    currency: str,
    customer: str,
    subscription: str | None = None,
    subscription_item: str | None = None,
) -> list[str]:
    """The ids of discounts for Stripe's `discounts`: a list of {coupon | promotion_code | discount}, or ''
    for none. Raises InvalidRequest for a coupon that is no longer valid or takes off another currency.
    """
    ids = []
    for entry in given or ():
        if entry.get("discount"):
            ids.append(account.get("discount", entry["discount"], "discounts[0][discount]")["id"])
            continue
        code = entry.get("promotion_code")
        coupon = _redeem(account, entry.get("coupon"), code, currency)
        months = coupon["duration_in_months"] if coupon["duration"] == "repeating" else None
        discount = account.new(
            "discount",
            "di",
            source={"coupon": coupon["id"], "type": "coupon"},
            start=account.now,
            end=add_months(account.now, months) if months else None,
            customer=customer,
            subscription=subscription,
            subscription_item=subscription_item,
            promotion_code=code,
        )
        account.emit("customer.discount.created", discount)
        ids.append(discount["id"])
    return ids


def _redeem(account: Account, coupon_id: str | None, code_id: str | None, currency: str) -> Body:
    if code_id:
        code = account.get("promotion_code", code_id, "discounts[0][promotion_code]")
        if not code["active"]:
            raise InvalidRequest("This promotion code is inactive.", "discounts[0][promotion_code]")
        account.change(code, "promotion_code.updated", times_redeemed=code["times_redeemed"] + 1)
        coupon_id = code["promotion"]["coupon"]
    coupon = account.get("coupon", coupon_id or "", "discounts[0][coupon]")
    if not valid(account, coupon):
        raise InvalidRequest(f"Coupon {coupon['id']} is used up or expired.", "coupon", "coupon_expired")
    if coupon["currency"] not in (None, currency):
        raise InvalidRequest(
            f"The coupon {coupon['id']} takes off {coupon['currency']}, which is not the currency "
            f"that is billed ({currency}).",
            "discounts[0][coupon]",
        )
    redeemed = coupon["times_redeemed"] + 1
    account.change(coupon, "coupon.updated", times_redeemed=redeemed)
    account.change(coupon, "coupon.updated", valid=valid(account, coupon))
    return coupon


def valid(account: Account, coupon: Body) -> bool:
    """Whether a coupon can be redeemed now."""
    used_up = coupon["max_redemptions"] is not None and coupon["times_redeemed"] >= coupon["max_redemptions"]
    over = coupon["redeem_by"] is not None and coupon["redeem_by"] <= account.now
    return not used_up and not over


def running(account: Account, ids: list[str], at: int) -> list[tuple[Body, Body]]:
    """The discounts of these that hold at a time, each with its coupon."""
    found = [account.get("discount", discount_id) for discount_id in ids]
    held = [discount for discount in found if discount["end"] is None or discount["end"] > at]
    return [(discount, account.get("coupon", discount["source"]["coupon"])) for discount in held]


def shares(coupon: Body, amounts: list[int]) -> list[int]:
    """What the coupon takes off each of the amounts; an amount off is shared in proportion."""
    if coupon["percent_off"] is not None:
        return [percent(amount, coupon["percent_off"]) for amount in amounts]
    total = sum(amounts)
    off = min(coupon["amount_off"], max(total, 0))
    if not off:
        return [0] * len(amounts)
    taken = [divide(off, amount, total) for amount in amounts]
    taken[-1] += off - sum(taken)
    return taken


def use_up(account: Account, holder: Body, used: list[tuple[Body, Body]], at: int) -> list[str]:
    """The discounts of a subscription or an item that stay after an invoice: `once` is used up, `repeating`
    may be over."""
    used_once = {discount["id"] for discount, coupon in used if coupon["duration"] == "once"}
    kept = []
    for discount_id in holder["discounts"]:
        discount = account.get("discount", discount_id)
        if discount_id in used_once or (discount["end"] is not None and discount["end"] <= at):
            account.emit("customer.discount.deleted", discount)
        else:
            kept.append(discount_id)
    return kept


def take_away(account: Account, ids: set[str]) -> None:
    """Say that discounts are taken from who had them."""
    for discount_id in sorted(ids):
        account.emit("customer.discount.deleted", account.get("discount", discount_id))


def drop_all(account: Account, customer: Body) -> None:
    """Say that the discounts of a customer who is deleted are gone."""
    for discount in account.store.all("discount", "customer = ?", (customer["id"],)):
        if discount["end"] is None or discount["end"] > account.now:
            account.emit("customer.discount.deleted", discount)

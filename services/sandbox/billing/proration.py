"""What does a change in the middle of a period cost?

The unused time of the old items is credited and the rest of the period of the new ones is charged, by the
second. Discounts by percentage that hold are taken into account on both sides.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from services.sandbox.billing import discounts, invoiceitems, lines, money
from services.sandbox.billing.account import Account
from services.sandbox.billing.periods import boundary, next_boundary
from services.sandbox.errors import InvalidRequest
from services.sandbox.store import Body


def share_of(subscription: Body, span: lines.Span, anchor: int) -> lines.Share:
    """Which share of a whole period lies in a span that ends on one of the anchor's boundaries."""
    recurring = subscription["items"]["data"][0]["price"]["recurring"]
    start, stop = span
    if stop <= anchor:
        number = -1
        while boundary(anchor, recurring, number) >= stop:
            number -= 1
        begin = boundary(anchor, recurring, number)
    else:
        begin = anchor
        while (after := next_boundary(anchor, recurring, begin)) < stop:
            begin = after
    return stop - start, stop - begin


def date(account: Account, subscription: Body, params: dict[str, Any]) -> int:
    """As of when a change is prorated: `proration_date` (in the period: InvalidRequest), else now."""
    if not params.get("proration_date"):
        return account.now
    at = int(params["proration_date"])
    first = subscription["items"]["data"][0]
    if not first["current_period_start"] <= at <= first["current_period_end"]:
        raise InvalidRequest(
            "Cannot specify a proration date outside of the current subscription period.", "proration_date"
        )
    return at


def change(
    account: Account, subscription: Body, after: list[Body], at: int, *, credit_only: bool = False
) -> list[Body]:
    """The invoice items for going over to other items at a time; `credit_only` when a new period starts then
    anyway. Items that stay as they are cost nothing.
    """
    before = {item["id"]: item for item in subscription["items"]["data"]}
    made = []
    for item in before.values():
        replaced = next((other for other in after if other["id"] == item["id"]), None)
        if replaced and _same(item, replaced) and not credit_only:
            continue
        made.append(_item(account, subscription, item, at, -1))
    if not credit_only:
        for item in after:
            old = before.get(item["id"])
            if old is None or not _same(old, item):
                made.append(_item(account, subscription, item, at, 1))
    return [item for item in made if item is not None]


def credit_rest(account: Account, subscription: Body) -> None:
    """Credit what was paid for and will not be used."""
    change(account, subscription, [], account.now, credit_only=True)


def _same(old: Body, new: Body) -> bool:
    return bool(old["price"]["id"] == new["price"]["id"] and old["quantity"] == new["quantity"])


def _item(account: Account, subscription: Body, item: Body, at: int, sign: int) -> Body | None:
    start, stop = item["current_period_start"], item["current_period_end"]
    whole = lines.item_amount(account, item)
    for _, coupon in discounts.running(account, subscription["discounts"], at):
        if coupon["percent_off"] is not None:
            whole -= money.percent(whole, coupon["percent_off"])
    amount = sign * money.divide(whole, max(stop - at, 0), stop - start)
    if amount == 0 and whole == 0:
        return None
    moment = datetime.fromtimestamp(at, UTC)
    day = f"{moment.day} {moment:%b %Y}"
    what = "Unused time on" if sign < 0 else "Remaining time on"
    quantity = f"{item['quantity']} × " if item["quantity"] != 1 else ""
    return invoiceitems.make(
        account,
        subscription["customer"],
        amount,
        subscription["currency"],
        subscription=subscription["id"],
        description=f"{what} {quantity}{lines.product_name(account, item['price'])} after {day}",
        pricing=lines.pricing(account, item["price"], subscription["currency"]),
        quantity=item["quantity"],
        discountable=False,
        proration=True,
        period={"start": at, "end": stop},
    )

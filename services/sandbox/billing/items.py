"""What is a subscription made of?"""

from __future__ import annotations

from typing import Any

from services.sandbox import objects
from services.sandbox.billing import catalog, metadata
from services.sandbox.billing import prices as pricing
from services.sandbox.billing.account import Account
from services.sandbox.billing.lines import Span
from services.sandbox.errors import InvalidRequest
from services.sandbox.store import Body

MOST_ITEMS = 20


def price_of(account: Account, given: dict[str, Any], param: str) -> Body:
    """The active recurring price that an item names or describes (`price_data`)."""
    if "price_data" in given:
        return catalog.create_price(account, **given["price_data"])
    price = account.get("price", given.get("price") or "", f"{param}[price]")
    if not price["active"]:
        raise InvalidRequest(
            "The price specified is inactive. This field only accepts active prices.", f"{param}[price]"
        )
    if price["recurring"] is None:
        raise InvalidRequest(
            "The price specified is set to `type=one_time` but this field only accepts prices with "
            "`type=recurring`.",
            f"{param}[price]",
        )
    return price


def build(account: Account, subscription_id: str, price: Body, given: dict[str, Any], span: Span) -> Body:
    """A new item for a period."""
    return objects.new(
        "subscription_item",
        id=account.ids.new("si"),
        created=account.now,
        price=dict(price),
        plan=objects.plan_of(price),
        quantity=given.get("quantity", 1),
        subscription=subscription_id,
        current_period_start=span[0],
        current_period_end=span[1],
        metadata=metadata.merge({}, given.get("metadata")),
        tax_rates=catalog.tax_rates(account, given.get("tax_rates"), "items[tax_rates]"),
    )


def check(account: Account, prices: list[Body], currency: str) -> None:
    """Raises InvalidRequest for items that cannot be one subscription, billed in this currency."""
    if len(prices) > MOST_ITEMS:
        raise InvalidRequest(f"A subscription can have at most {MOST_ITEMS} items.", "items")
    for price in prices:
        options = pricing.currency_options(account, price)
        if currency not in options:
            raise InvalidRequest(
                f"The price specified supports currencies of `{', '.join(options)}`. This doesn't match the "
                f"expected currency: `{currency}`.",
                "items",
            )
    if len({(price["recurring"]["interval"], price["recurring"]["interval_count"]) for price in prices}) > 1:
        raise InvalidRequest(
            "Currently, all items in a subscription must have the same `recurring[interval]` and "
            "`recurring[interval_count]`.",
            "items",
        )
    ids = [price["id"] for price in prices]
    if len(set(ids)) != len(ids):
        twice = next(price_id for price_id in ids if ids.count(price_id) > 1)
        raise InvalidRequest(f"Cannot add multiple subscription items with the same plan: {twice}", "items")


def changed(account: Account, subscription: Body, given: list[dict[str, Any]]) -> list[Body]:
    """The items after an update: entries with an `id` change or delete one, those without add one."""
    items = {item["id"]: item for item in subscription["items"]["data"]}
    first = subscription["items"]["data"][0]
    span = first["current_period_start"], first["current_period_end"]
    for place, entry in enumerate(given):
        param = f"items[{place}]"
        if entry.keys() & {"discounts", "tax_rates"}:
            raise InvalidRequest(
                "Here an item gets discounts and tax rates when its subscription begins.", param
            )
        if "id" not in entry:
            price = price_of(account, entry, param)
            item = build(account, subscription["id"], price, entry, span)
            items[item["id"]] = item
        elif entry["id"] not in items:
            raise InvalidRequest(
                f"No such subscription item: '{entry['id']}'", f"{param}[id]", "resource_missing"
            )
        elif entry.get("deleted"):
            del items[entry["id"]]
        else:
            items[entry["id"]] = _with(account, items[entry["id"]], entry, param)
    if not items:
        raise InvalidRequest("A subscription must have at least one active plan.", "items")
    check(account, [item["price"] for item in items.values()], subscription["currency"])
    return list(items.values())


def _with(account: Account, item: Body, entry: dict[str, Any], param: str) -> Body:
    item = dict(item)
    if "price" in entry or "price_data" in entry:
        price = price_of(account, entry, param)
        item |= {"price": dict(price), "plan": objects.plan_of(price)}
    if "quantity" in entry:
        item["quantity"] = entry["quantity"]
    if "metadata" in entry:
        item["metadata"] = metadata.merge(item["metadata"], entry["metadata"])
    return item

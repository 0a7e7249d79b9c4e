"""What stands on the lines of an invoice?"""

from __future__ import annotations

from typing import Any

from services.sandbox import objects
from services.sandbox.billing import money, prices
from services.sandbox.billing.account import Account
from services.sandbox.store import Body

Span = tuple[int, int]
Share = tuple[int, int]
WHOLE, NOTHING = (1, 1), (0, 1)


def product_name(account: Account, price: Body) -> str:
    """The name that people know the price by."""
    product = account.store.find(price["product"])
    return str(product["name"]) if product else str(price["nickname"] or price["id"])


def item_amount(account: Account, item: Body) -> int:
    """What a subscription item costs for a whole period, before discounts."""
    return prices.cost(account, item["price"], _quantity(item), _currency(account, item))


def _quantity(item: Body) -> int:
    """How many are billed: the account hears of no use, so that of what is billed by use there is none."""
    return 0 if item["price"]["recurring"]["usage_type"] == "metered" else int(item["quantity"])


def pricing(account: Account, price: Body, currency: str) -> dict[str, Any]:
    """The hash that says which price a line or an invoice item was made from."""
    details = objects.part("price_details", price=price["id"], product=price["product"])
    exact = prices.unit(account, price, currency)
    return objects.part("pricing", price_details=details, unit_amount_decimal=exact)


def _currency(account: Account, item: Body) -> str:
    """The currency that an item is billed in: its subscription's, which need not be its price's own."""
    return str(account.get("subscription", item["subscription"])["currency"])


def _rate(account: Account, price: Body, currency: str) -> str:
    """`$49.00 / month`, `$10.00 per 100 / month`, `tiered / month`."""
    exact, rule = prices.unit(account, price, currency), price["transform_quantity"]
    each = money.text(money.times(exact, 1), currency) if exact is not None else "tiered"
    package = f" per {rule['divide_by']}" if rule else ""
    return f"{each}{package} / {price['recurring']['interval']}"


def of_item(account: Account, invoice_id: str, item: Body, span: Span, share: Share = WHOLE) -> Body:
    """The line for a period of a subscription item, or for a share of it; a trial's share is 0.

    One line whatever the price (Stripe writes a line for each of its tiers).
    """
    price, quantity, currency = item["price"], _quantity(item), _currency(account, item)
    amount = money.divide(item_amount(account, item), *share)
    name = product_name(account, price)
    text = f"{quantity} × {name} (at {_rate(account, price, currency)})"
    details = objects.part(
        "line_item.parent.subscription_item", subscription=item["subscription"], subscription_item=item["id"]
    )
    return objects.new(
        "line_item",
        id=account.ids.new("il"),
        amount=amount,
        subtotal=amount,
        currency=currency,
        description=f"Trial period for {name}" if share == NOTHING else text,
        invoice=invoice_id,
        period={"start": span[0], "end": span[1]},
        quantity=quantity,
        quantity_decimal=str(quantity),
        pricing=pricing(account, price, currency),
        parent=objects.part(
            "line_item.parent", type="subscription_item_details", subscription_item_details=details
        ),
        subscription=item["subscription"],
        discounts=[] if share == NOTHING else list(item["discounts"]),
        metadata=dict(item["metadata"]),
    )


def of_invoice_item(account: Account, invoice_id: str, item: Body) -> Body:
    """The line for an invoice item that was waiting."""
    parent = item["parent"]
    subscription = parent["subscription_details"]["subscription"] if parent else None
    details = objects.part(
        "line_item.parent.invoice_item",
        invoice_item=item["id"],
        proration=item["proration"],
        subscription=subscription,
    )
    return objects.new(
        "line_item",
        id=account.ids.new("il"),
        amount=item["amount"],
        subtotal=item["amount"],
        currency=item["currency"],
        description=item["description"],
        discountable=item["discountable"],
        invoice=invoice_id,
        period=dict(item["period"]),
        quantity=item["quantity"],
        quantity_decimal=item["quantity_decimal"],
        pricing=item["pricing"],
        parent=objects.part("line_item.parent", type="invoice_item_details", invoice_item_details=details),
        subscription=subscription,
        metadata=dict(item["metadata"]),
    )

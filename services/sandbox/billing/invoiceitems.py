"""What waits for the next invoice?"""

from __future__ import annotations

from typing import Any

from services.sandbox import objects
from services.sandbox.billing import balance, invoices, lines, metadata, money, prices
from services.sandbox.billing.account import Account
from services.sandbox.errors import InvalidRequest, MissingParameter
from services.sandbox.store import Body


def create(account: Account, *, customer: str, **params: Any) -> Body:
    """Something to be billed. Stripe's parameters: customer; amount (minor units, below zero is a credit) and
    currency, or pricing {price} and quantity; description, subscription, invoice (a draft), period,
    discountable, metadata. Without an invoice it waits for the subscription's or the customer's next one.
    """
    owner = account.customer(customer)
    price = _price(account, params)
    quantity = params.get("quantity", 1)
    currency = _currency(account, params, price, owner)
    amount = prices.cost(account, price, quantity, currency) if price else _amount(params, quantity)
    subscription = _subscription(account, params.get("subscription"), customer)
    draft = _draft(account, params.get("invoice"))
    balance.use_currency(account, owner, currency)
    item = make(
        account,
        customer,
        amount,
        currency,
        subscription=subscription,
        description=params.get("description"),
        pricing=lines.pricing(account, price, currency) if price else _plain_pricing(amount),
        quantity=quantity,
        discountable=params.get("discountable", amount >= 0),
        period=params.get("period") or {"start": account.now, "end": account.now},
        metadata=metadata.merge({}, params.get("metadata")),
        invoice=draft["id"] if draft else None,
    )
    if draft:
        _put_on(account, draft, item)
    return item


def make(
    account: Account, customer: str, amount: int, currency: str, *, subscription: str | None, **fields: Any
) -> Body:
    """An invoice item from fields that are known to be right."""
    parent = None
    if subscription:
        details = objects.part("invoiceitem.parent.subscription", subscription=subscription)
        parent = objects.part("invoiceitem.parent", subscription_details=details)
    quantity = fields.get("quantity", 1)
    item = account.new(
        "invoiceitem",
        "ii",
        amount=amount,
        net_amount=amount,
        currency=currency,
        customer=customer,
        date=account.now,
        parent=parent,
        quantity_decimal=str(quantity),
        **fields,
    )
    account.emit("invoiceitem.created", item)
    return item


def update(account: Account, item_id: str, **params: Any) -> Body:
    """Change an item that is not on a finalized invoice: amount, description, quantity, period, metadata."""
    item = _editable(account, item_id)
    fields: dict[str, Any] = {
        name: params[name] for name in ("description", "period", "discountable") if name in params
    }
    if "amount" in params:
        fields |= {
            "amount": params["amount"],
            "net_amount": params["amount"],
            "pricing": _plain_pricing(params["amount"]),
        }
    if "metadata" in params:
        fields["metadata"] = metadata.merge(item["metadata"], params["metadata"])
    account.change(item, None, **fields)
    _refresh(account, item)
    return item


def delete(account: Account, item_id: str) -> Body:
    """Remove an item that is not on a finalized invoice."""
    item = _editable(account, item_id)
    account.emit("invoiceitem.deleted", item)
    if item["invoice"]:
        draft = account.get("invoice", item["invoice"])
        kept = [line for line in draft["lines"]["data"] if _item_of(line) != item_id]
        invoices.recompute(account, draft, kept)
    account.store.remove(item_id)
    return objects.deleted("invoiceitem", item_id)


def _price(account: Account, params: dict[str, Any]) -> Body | None:
    named = (params.get("pricing") or {}).get("price")
    if not named:
        return None
    price = account.get("price", named, "pricing[price]")
    if price["recurring"] is not None:
        raise InvalidRequest(
            "The price specified is set to `type=recurring` but this field only accepts prices with "
            "`type=one_time`.",
            "pricing[price]",
        )
    return price


def _currency(account: Account, params: dict[str, Any], price: Body | None, owner: Body) -> str:
    """What is asked for, else the customer's own; of a price one that it has an amount in."""
    wanted = str(params.get("currency") or owner["currency"] or "").lower()
    if price and not prices.sold_in(account, price, wanted):
        return str(price["currency"])
    if not wanted:
        raise MissingParameter("currency")
    return wanted


def _amount(params: dict[str, Any], quantity: int) -> int:
    if params.get("amount") is not None:
        return int(params["amount"])
    if params.get("unit_amount_decimal") is not None:
        return money.times(str(params["unit_amount_decimal"]), quantity)
    raise MissingParameter("amount")


def _plain_pricing(amount: int) -> dict[str, Any]:
    return {"type": "price_details", "price_details": None, "unit_amount_decimal": str(amount)}


def _subscription(account: Account, subscription_id: str | None, customer: str) -> str | None:
    if not subscription_id:
        return None
    subscription = account.get("subscription", subscription_id, "subscription")
    if subscription["customer"] != customer:
        raise InvalidRequest(
            f"The subscription {subscription_id} does not belong to {customer}.", "subscription"
        )
    if subscription["status"] in ("canceled", "incomplete_expired"):
        raise InvalidRequest(f"The subscription {subscription_id} has been canceled.", "subscription")
    return subscription_id


def _draft(account: Account, invoice_id: str | None) -> Body | None:
    if not invoice_id:
        return None
    draft = account.get("invoice", invoice_id, "invoice")
    invoices.require(draft, "draft")
    return draft


def _put_on(account: Account, draft: Body, item: Body) -> None:
    line = lines.of_invoice_item(account, draft["id"], item)
    invoices.recompute(account, draft, [*draft["lines"]["data"], line])


def _editable(account: Account, item_id: str) -> Body:
    item = account.get("invoiceitem", item_id, "invoiceitem")
    if item["invoice"] and account.get("invoice", item["invoice"])["status"] != "draft":
        raise InvalidRequest("This invoice item is on a finalized invoice and can no longer be changed.")
    return item


def _item_of(line: Body) -> str | None:
    details = line["parent"]["invoice_item_details"]
    return details["invoice_item"] if details else None


def _refresh(account: Account, item: Body) -> None:
    if not item["invoice"]:
        return
    draft = account.get("invoice", item["invoice"])
    made = [
        lines.of_invoice_item(account, draft["id"], item) if _item_of(line) == item["id"] else line
        for line in draft["lines"]["data"]
    ]
    invoices.recompute(account, draft, made)

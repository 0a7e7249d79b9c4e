"""What does the account sell, and with which rebates?"""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any

from services.sandbox import objects
from services.sandbox.billing import metadata, prices
from services.sandbox.billing.account import Account
from services.sandbox.errors import InvalidRequest, MissingParameter
from services.sandbox.store import Body

_PRODUCT = ("active", "description", "images", "name", "statement_descriptor", "unit_label", "url")


def create_product(account: Account, **params: Any) -> Body:
    """A new product: name, description, active, metadata, id, default_price_data."""
    fields = {name: params[name] for name in _PRODUCT if name in params}
    if params.get("id"):
        fields["id"] = params["id"]
        if account.store.find(params["id"]):
            raise InvalidRequest("Product already exists.", "id", "resource_already_exists")
    merged = metadata.merge({}, params.get("metadata"))
    product = account.new("product", "prod", updated=account.now, metadata=merged, **fields)
    account.emit("product.created", product)
    if params.get("default_price_data"):
        price = create_price(account, product=product["id"], **params["default_price_data"])
        account.change(product, "product.updated", default_price=price["id"])
    return product


def update_product(account: Account, product_id: str, **params: Any) -> Body:
    """Change a product; parameters as in `create_product`, and default_price."""
    product = account.get("product", product_id)
    fields = {name: params[name] for name in _PRODUCT if name in params}
    if "metadata" in params:
        fields["metadata"] = metadata.merge(product["metadata"], params["metadata"])
    if params.get("default_price"):
        fields["default_price"] = account.get("price", params["default_price"], "default_price")["id"]
    if any(product.get(name) != value for name, value in fields.items()):
        account.change(product, "product.updated", **fields, updated=account.now)
    return product


def create_price(account: Account, **params: Any) -> Body:
    """A new price: product (or product_data), currency, unit_amount or unit_amount_decimal, recurring
    {interval, interval_count, trial_period_days}, nickname, lookup_key, active, tax_behavior, metadata,
    transform_quantity {divide_by, round}, currency_options {eur: {unit_amount or tiers}}; instead of a unit
    amount billing_scheme=tiered with tiers and tiers_mode.
    """
    if "product_data" in params:
        product = create_product(account, **params["product_data"])
    else:
        product = account.get("product", params.get("product") or "", "product")
    own, notes = _amounts(params)
    recurring = objects.part("recurring", **params["recurring"]) if params.get("recurring") else None
    _check_interval(recurring)
    price = account.new(
        "price",
        "price",
        product=product["id"],
        notes=notes,
        currency=params["currency"].lower(),
        unit_amount=own["unit_amount"],
        unit_amount_decimal=own["unit_amount_decimal"],
        billing_scheme=params.get("billing_scheme", "per_unit"),
        tiers_mode=params.get("tiers_mode"),
        transform_quantity=params.get("transform_quantity"),
        recurring=recurring,
        type="recurring" if recurring else "one_time",
        nickname=params.get("nickname"),
        lookup_key=params.get("lookup_key"),
        active=params.get("active", True),
        tax_behavior=params.get("tax_behavior", "unspecified"),
        metadata=metadata.merge({}, params.get("metadata")),
    )
    account.emit("price.created", price)
    return price


def update_price(account: Account, price_id: str, **params: Any) -> Body:
    """Change a price's active, nickname, lookup_key, tax_behavior, metadata or currency_options; never its
    own amount.
    """
    price = account.get("price", price_id)
    names = ("active", "nickname", "lookup_key", "tax_behavior")
    fields = {name: params[name] for name in names if name in params}
    if "metadata" in params:
        fields["metadata"] = metadata.merge(price["metadata"], params["metadata"])
    if params.get("currency_options"):
        given = _currency_options(price["billing_scheme"], params["currency_options"])
        account.note(price, currency_options={**prices.currency_options(account, price), **given})
        account.emit("price.updated", price, {})  # the event shows neither the old options nor the new ones
    if account.change(price, "price.updated", **fields):
        _show_in_subscriptions(account, price)
    return price


def create_coupon(account: Account, **params: Any) -> Body:
    """A new coupon: percent_off or amount_off with currency, duration (once, repeating with
    duration_in_months, forever), name, id, max_redemptions, redeem_by, metadata.
    """
    fields = {name: value for name, value in params.items() if name != "metadata"}
    fields.setdefault("duration", "once")
    if (fields.get("percent_off") is None) == (fields.get("amount_off") is None):
        raise InvalidRequest("You must pass either percent_off or amount_off, and not both.")
    if fields.get("amount_off") is not None and not fields.get("currency"):
        raise MissingParameter("currency")
    if fields["duration"] == "repeating" and not fields.get("duration_in_months"):
        raise MissingParameter("duration_in_months")
    fields["id"] = fields.get("id") or account.ids.token(8)
    if account.store.find(fields["id"]):
        raise InvalidRequest("Coupon already exists.", "id", "resource_already_exists")
    merged = metadata.merge({}, params.get("metadata"))
    coupon = account.new("coupon", "", metadata=merged, **fields)
    account.emit("coupon.created", coupon)
    return coupon


def update_coupon(account: Account, coupon_id: str, **params: Any) -> Body:
    """Change a coupon's name or metadata."""
    coupon = account.get("coupon", coupon_id)
    fields: dict[str, Any] = {"name": params["name"]} if "name" in params else {}
    if "metadata" in params:
        fields["metadata"] = metadata.merge(coupon["metadata"], params["metadata"])
    account.change(coupon, "coupon.updated", **fields)
    return coupon


def create_promotion_code(account: Account, **params: Any) -> Body:
    """A code that customers can type: promotion {type: coupon, coupon}, code, customer, max_redemptions,
    expires_at, active, metadata.
    """
    coupon = account.get("coupon", params["promotion"]["coupon"], "promotion[coupon]")
    fields = {
        name: params[name]
        for name in ("active", "customer", "expires_at", "max_redemptions")
        if name in params
    }
    code = account.new(
        "promotion_code",
        "promo",
        code=params.get("code") or account.ids.token(8).upper(),
        promotion={"coupon": coupon["id"], "type": "coupon"},
        metadata=metadata.merge({}, params.get("metadata")),
        **fields,
    )
    account.emit("promotion_code.created", code)
    return code


def update_promotion_code(account: Account, code_id: str, **params: Any) -> Body:
    """Change whether a code is active, or its metadata."""
    code = account.get("promotion_code", code_id)
    fields: dict[str, Any] = {"active": params["active"]} if "active" in params else {}
    if "metadata" in params:
        fields["metadata"] = metadata.merge(code["metadata"], params["metadata"])
    account.change(code, "promotion_code.updated", **fields)
    return code


def _show_in_subscriptions(account: Account, price: Body) -> None:
    """Items show their price as it is now."""
    for subscription in account.store.all("subscription", "instr(body, ?)", (price["id"],)):
        items = [
            {**item, "price": dict(price), "plan": objects.plan_of(price)}
            if item["price"]["id"] == price["id"]
            else item
            for item in subscription["items"]["data"]
        ]
        account.change(subscription, items={**subscription["items"], "data": items})


def _amounts(params: dict[str, Any]) -> tuple[Body, dict[str, Any]]:
    """What a new price asks for in its own currency, and what of it is only shown when asked for."""
    scheme = params.get("billing_scheme", "per_unit")
    if scheme == "tiered" and not params.get("tiers_mode"):
        raise MissingParameter("tiers_mode")
    if scheme == "tiered" and params.get("transform_quantity"):
        raise InvalidRequest("You cannot use `transform_quantity` with tiers.", "transform_quantity")
    own = _option(scheme, params)
    others = _currency_options(scheme, params.get("currency_options") or {})
    notes: dict[str, Any] = {"tiers": own["tiers"]} if scheme == "tiered" else {}
    if others or notes:
        notes["currency_options"] = {params["currency"].lower(): own, **others}
    return own, notes


def _currency_options(scheme: str, given: dict[str, Any]) -> dict[str, Body]:
    return {currency.lower(): _option(scheme, amounts) for currency, amounts in given.items()}


def _option(scheme: str, given: dict[str, Any]) -> Body:
    if scheme == "tiered":
        return prices.option({**given, "tiers": _tiers(given)})
    amount, exact = _amount_of(given, "unit_amount")
    if exact is None:
        raise MissingParameter("unit_amount")
    return prices.option({**given, "unit_amount": amount, "unit_amount_decimal": exact})


def _tiers(given: dict[str, Any]) -> list[Body]:
    """The tiers as Stripe shows them, the last without an end."""
    if not given.get("tiers"):
        raise MissingParameter("tiers")
    made = []
    for tier in given["tiers"]:
        step: Body = {"up_to": None if tier["up_to"] == "inf" else tier["up_to"]}
        for name in ("flat_amount", "unit_amount"):
            step[name], step[f"{name}_decimal"] = _amount_of(tier, name)
        made.append(step)
    ends = [step["up_to"] for step in made]
    if ends[-1] is not None or None in ends[:-1] or ends[:-1] != sorted(set(ends[:-1])):
        raise InvalidRequest("`tiers` must ascend, and the last `up_to` must be `inf`.", "tiers")
    return made


def _amount_of(params: dict[str, Any], name: str) -> tuple[int | None, str | None]:
    """An amount that is given whole or as a decimal, in both forms; (None, None) where it is not given."""
    given = params.get(f"{name}_decimal", params.get(name))
    if given is None:
        return None, None
    try:
        exact = Decimal(str(given))
    except InvalidOperation:
        raise InvalidRequest(f"Invalid decimal: {given}", f"{name}_decimal") from None
    if exact < 0:
        raise InvalidRequest("Invalid non-negative integer", name, "parameter_invalid_integer")
    return (int(exact) if exact == int(exact) else None), format(exact.normalize(), "f")


def _check_interval(recurring: dict[str, Any] | None) -> None:
    if recurring is None:
        return
    longest = {"day": 1095, "week": 156, "month": 36, "year": 3}.get(recurring["interval"])
    if longest is None:
        raise InvalidRequest(
            "Invalid interval: must be one of day, month, week, or year", "recurring[interval]"
        )
    if not 1 <= recurring["interval_count"] <= longest:
        raise InvalidRequest("The interval is longer than 3 years.", "recurring[interval_count]")


def create_tax_rate(account: Account, **params: Any) -> Body:
    """A new tax rate: display_name, percentage, inclusive, country, description, metadata.

    Subscriptions keep and show it; invoices here carry no tax.
    """
    fields = {name: value for name, value in params.items() if name != "metadata"}
    merged = metadata.merge({}, params.get("metadata"))
    rate = account.new("tax_rate", "txr", metadata=merged, rate_type="percentage", **fields)
    account.emit("tax_rate.created", rate)
    return rate


def tax_rates(account: Account, ids: list[str] | None, param: str) -> list[Body]:
    """The tax rates as whoever has them shows them. Raises NoSuchObject."""
    return [dict(account.get("tax_rate", rate, param)) for rate in ids or ()]

"""Prices with tiers, packages and several currencies: what is shown, and what is billed."""

from __future__ import annotations

from typing import Any

import pytest
import stripe
from hypothesis import given
from hypothesis import strategies as st

from services.sandbox.billing import prices
from tests.sandbox.shop import Shop
from tests.support.shapes import problems

TIERS = [
    {"up_to": 5, "unit_amount": 700, "flat_amount": 1000},
    {"up_to": 10, "unit_amount": 650},
    {"up_to": "inf", "unit_amount_decimal": "600.5"},
]


def price(shop: Shop, **fields: Any) -> str:
    product = shop.v1.products.create({"name": "Fonts"}).id
    given = {"product": product, "currency": "usd", "recurring": {"interval": "month"}, **fields}
    return shop.v1.prices.create(given).id  # type: ignore[arg-type]


def tiered(shop: Shop, mode: str, **fields: Any) -> str:
    return price(shop, billing_scheme="tiered", tiers_mode=mode, tiers=TIERS, **fields)


def first_total(shop: Shop, price: str, quantity: int, **more: Any) -> tuple[int, str]:
    invoice = shop.latest(shop.subscribe(price=price, quantity=quantity, **more))
    return invoice.total, invoice.currency


@pytest.mark.parametrize(
    ("mode", "quantity", "total"),
    [
        ("volume", 5, 1000 + 5 * 700),
        ("volume", 6, 6 * 650),
        ("volume", 11, 6606),
        ("graduated", 5, 1000 + 5 * 700),
        ("graduated", 6, 1000 + 5 * 700 + 650),
        ("graduated", 12, 1000 + 5 * 700 + 5 * 650 + 1201),
    ],
)
def test_tiers_are_billed(shop: Shop, mode: str, quantity: int, total: int) -> None:
    assert first_total(shop, tiered(shop, mode), quantity) == (total, "usd")


@pytest.mark.parametrize(
    ("rounding", "quantity", "total"), [("up", 1000, 10_000), ("up", 1001, 11_000), ("down", 1099, 10_000)]
)
def test_packages_are_billed(shop: Shop, rounding: str, quantity: int, total: int) -> None:
    package = {"divide_by": 100, "round": rounding}
    assert first_total(shop, price(shop, unit_amount=1000, transform_quantity=package), quantity)[0] == total


def test_the_customers_currency_decides_which_amount_is_billed(shop: Shop) -> None:
    both = price(shop, unit_amount=1000, currency_options={"eur": {"unit_amount": 850}})
    assert first_total(shop, both, 2) == (2000, "usd")
    assert first_total(shop, both, 2, currency="eur") == (1700, "eur")
    european = shop.customer()
    first_total(shop, both, 1, customer=european, currency="eur")
    assert first_total(shop, both, 1, customer=european) == (850, "eur")


def test_a_new_subscription_is_previewed_in_the_currency_that_is_named(shop: Shop) -> None:
    both = price(shop, unit_amount=1000, currency_options={"eur": {"unit_amount": 850}})
    named: Any = {"customer": shop.customer(), "subscription_details": {"items": [{"price": both}]}}
    for more, due in (({}, (1000, "usd")), ({"currency": "eur"}, (850, "eur"))):
        shown = shop.v1.invoices.create_preview({**named, **more})
        assert (shown.amount_due, shown.currency) == due


def test_of_what_is_billed_by_use_nothing_was_used(shop: Shop) -> None:
    metered = price(shop, unit_amount=1000, recurring={"interval": "month", "usage_type": "metered"})
    assert first_total(shop, metered, 1) == (0, "usd")


def test_a_change_in_mid_period_is_prorated_in_the_subscriptions_currency(shop: Shop) -> None:
    both = price(shop, unit_amount=3000, currency_options={"eur": {"unit_amount": 1000}})
    subscription = shop.subscribe(price=both, currency="eur")
    item = subscription["items"].data[0].id
    params: Any = {"items": [{"id": item, "quantity": 3}], "proration_behavior": "always_invoice"}
    shop.v1.subscriptions.update(subscription.id, params)
    assert shop.latest(subscription).currency == "eur"
    assert 1990 <= shop.latest(subscription).total <= 2000


def test_a_price_without_the_currency_is_refused(shop: Shop) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="expected currency: `gbp`"):
        shop.subscribe(price=price(shop, unit_amount=1000), currency="gbp")


def test_tiers_and_other_currencies_are_shown_only_when_asked_for(shop: Shop) -> None:
    euros = {"eur": {"tiers": [{"up_to": "inf", "unit_amount": 600}]}}
    made = tiered(shop, "graduated", currency_options=euros)
    plain = shop.client.raw_request("get", f"/v1/prices/{made}").data
    assert {"tiers", "currency_options"}.isdisjoint(plain)
    assert (plain["unit_amount"], plain["billing_scheme"], plain["tiers_mode"]) == (
        None,
        "tiered",
        "graduated",
    )
    whole = shop.client.raw_request("get", f"/v1/prices/{made}", expand=["tiers", "currency_options"]).data
    assert [tier["up_to"] for tier in whole["tiers"]] == [5, 10, None]
    assert whole["tiers"][2]["unit_amount_decimal"] == "600.5"
    assert set(whole["currency_options"]) == {"usd", "eur"}
    assert problems(whole) == []
    subscription = shop.subscribe(price=made, currency="eur")
    inside = shop.client.raw_request(
        "get", f"/v1/subscriptions/{subscription.id}", expand=["items.data.price.tiers"]
    ).data
    assert inside["items"]["data"][0]["price"]["tiers"] == whole["tiers"]


def test_a_currency_can_be_added_later(shop: Shop) -> None:
    made = price(shop, unit_amount=1000)
    shop.v1.prices.update(made, {"currency_options": {"eur": {"unit_amount": 900}}})
    assert first_total(shop, made, 1, currency="eur") == (900, "eur")
    assert len(shop.events(made, "price.updated")) == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"billing_scheme": "tiered", "tiers": TIERS},
        {"billing_scheme": "tiered", "tiers_mode": "volume"},
        {"billing_scheme": "tiered", "tiers_mode": "volume", "tiers": TIERS[:2]},
        {"billing_scheme": "tiered", "tiers_mode": "volume", "tiers": [*TIERS[1::-1], TIERS[2]]},
        {"unit_amount": 1, "transform_quantity": {"divide_by": 10}},
    ],
)
def test_prices_that_make_no_sense_are_refused(shop: Shop, wrong: dict[str, Any]) -> None:
    with pytest.raises(stripe.InvalidRequestError):
        price(shop, **wrong)


@given(st.integers(0, 10**7), st.integers(1, 10**4))
def test_packages_hold_all_units_and_hardly_more(quantity: int, size: int) -> None:
    up = prices.packages({"transform_quantity": {"divide_by": size, "round": "up"}}, quantity)
    down = prices.packages({"transform_quantity": {"divide_by": size, "round": "down"}}, quantity)
    assert (up - 1) * size < quantity <= up * size
    assert down * size <= quantity < (down + 1) * size

"""Subjects of many commands, read together: the same as read one by one, in as few statements as for one."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest

from models import (
    Charge,
    Discount,
    Invoice,
    InvoicePayment,
    Price,
    Product,
    Subscription,
    SubscriptionItem,
)
from services.desk import loading
from services.errors import NotFound
from tests.customers.builders import NOW, customer, row
from tests.support.statements import asked


def fill(session: Any, first: int, last: int) -> list[str]:
    """Subscriptions of `cus_1` with items, discounts and a failed invoice each; the ids of all of them."""
    ids = []
    for number in range(first, last):
        sub, invoice = f"sub_{number}", f"in_{number}"
        status = "canceled" if number % 5 == 4 else "active"
        row(session, Subscription, id=sub, customer="cus_1", status=status, created=NOW + number,
            latest_invoice=invoice)  # fmt: skip
        for product in (number % 3, 3 + number):
            row(session, SubscriptionItem, id=f"si_{number}_{product}", subscription=sub,
                price=f"price_{number % 3}", product=f"prod_{product}")  # fmt: skip
        row(session, SubscriptionItem, id=f"si_{number}", subscription=sub, price="p", deleted=True)
        row(session, Discount, id=f"di_{number}", coupon="co_1", subscription=sub)
        row(session, Invoice, id=invoice, customer="cus_1", subscription=sub, status="open")
        row(session, InvoicePayment, id=f"inpay_{number}", invoice=invoice, payment_intent=f"pi_{number}")
        row(session, Charge, id=f"ch_{number}", payment_intent=f"pi_{number}", status="failed")
        ids += [sub, invoice]
    return ids


@pytest.fixture
def agency(database: ModuleType) -> ModuleType:
    """A customer with twelve subscriptions, some of the same products, at an archived price and others."""
    with database.transaction() as session:
        customer(session, "cus_1")
        customer(session, "cus_2")
        for n, active in enumerate((False, True, True)):
            row(session, Product, id=f"prod_{n}", name=f"Product {n}")
            row(session, Price, id=f"price_{n}", product=f"prod_{n}", interval="month", active=active)
        row(session, Price, id="price_new", product="prod_0", interval="month", created=NOW + 1)
        row(session, Subscription, id="sub_other", customer="cus_2", status="active")
        row(session, Invoice, id="in_other", customer="cus_2", status="open")
        fill(session, 0, 12)
    return database


def test_many_are_the_same_as_one_by_one(agency: ModuleType) -> None:
    ids = [f"{kind}_{number}" for kind in ("sub", "in") for number in range(12)]
    with agency.session() as session:
        found = loading.load_many(session, "cus_1", [*ids, "sub_none", "sub_other", "in_other"])
        assert found.keys() == {"cus_1", *ids}
        for id in found:
            assert found[id] == loading.load(session, "cus_1", id), id
        assert found["sub_4"].latest.id == "in_4"
        assert found["sub_0"].items[0].successor is not None
        assert found["sub_4"].subscription.status == "canceled" and len(found["sub_4"].others) == 10
        with pytest.raises(NotFound):
            loading.load_many(session, "cus_none", [])


def test_many_subscriptions_cost_no_more_statements_than_a_few(agency: ModuleType) -> None:
    costs = []
    for first, last in ((12, 15), (15, 100)):
        with agency.transaction() as session:
            ids = fill(session, first, last)
        with agency.session() as session, asked(session.get_bind()) as statements:
            assert len(loading.load_many(session, "cus_1", ids)) == len(ids) + 1
            costs.append(len([one for one in statements if "prices.active" not in one.partition("WHERE")[2]]))
    assert costs[0] == costs[1] <= 14


@pytest.mark.parametrize(
    ("behavior", "count"), [("keep_as_draft", 1), ("void", 2), ("mark_uncollectible", 0)]
)
def test_what_a_pause_of_collection_set_aside_is_counted(
    agency: ModuleType, behavior: str, count: int
) -> None:
    with agency.transaction() as session:
        for id in ("sub_p", "sub_q"):
            row(session, Subscription, id=id, customer="cus_1", status="active", pause_collection=behavior)
        for n, (of, status, more) in enumerate(
            (
                ("sub_p", "draft", {}), ("sub_p", "draft", {"auto_advance": True}), ("sub_p", "void", {}),
                ("sub_p", "void", {}), ("sub_p", "draft", {"deleted": True}), ("sub_q", "paid", {}),
                ("sub_1", "void", {}),
            )
        ):  # fmt: skip
            row(session, Invoice, id=f"in_p{n}", customer="cus_1", subscription=of, status=status, **more)
    with agency.session() as session:
        found = loading.load_many(session, "cus_1", ["sub_p", "sub_q", "sub_1"])
        assert [found[id].set_aside for id in ("sub_p", "sub_q", "sub_1")] == [count, 0, 0]
        assert found["sub_p"] == loading.load(session, "cus_1", "sub_p")

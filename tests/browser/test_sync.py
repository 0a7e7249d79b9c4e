"""“Sync now” in a real browser: one click reads the customer, the page shows what is true, and says so."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from playwright.sync_api import expect

from models import Customer
from tests.browser.cast import Cast
from tests.browser.conftest import Tables, await_parts
from tests.browser.visitor import Visitor
from tests.support.sandbox import Account

pytestmark = pytest.mark.browser


def test_a_click_puts_the_customer_right_and_names_the_difference(
    visitor: Visitor, cast: Cast, account: Account, tables: Tables
) -> None:
    part = cast.trial("Sylvie Syncwell")
    await_parts(tables, [part], account)
    visitor.open("customer", part.name, id=part.customer)
    visitor.press("Sync now")
    visitor.sees("Read from Stripe:")
    visitor.settle()
    with tables.engine.execution_options(writes=True).begin() as connection:
        wrong = sa.text("UPDATE customers SET name = 'Wrong' WHERE id = :id")
        connection.execute(wrong, {"id": part.customer})
    account.fault("slow", path=f"/v1/customers/{part.customer}", seconds=2, count=1)
    visitor.press("Sync now")
    expect(visitor.button("Asking Stripe…")).to_be_disabled()
    visitor.sees(f"1 difference, up to date now: customer {part.customer} (name).")
    expect(visitor.button("Sync now")).to_be_enabled()
    tables.has(Customer, part.customer, name=part.name)
    visitor.arrive(part.name)
    account.heal()

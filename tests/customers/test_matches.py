"""Why a customer is among the hits, where its row does not show it."""

from __future__ import annotations

from types import ModuleType

import pytest

from models import Charge, Invoice, PaymentMethod, Subscription
from services.customers import conditions, matches, recognise, search
from services.customers.filters import CustomerFilter
from services.customers.matches import Match
from tests.customers.builders import NOW, customer, row
from tests.customers.test_search import UTC
from tests.support.statements import asked


@pytest.fixture
def account(database: ModuleType) -> ModuleType:
    """Ada, who has one of everything, and Bob 4242, who has it in his name."""
    with database.transaction() as s:
        customer(s, "cus_ada", name="Ada Müller", email="ada@engine.example", card_last4="1852",
                 phone="+31 20 555 1703")  # fmt: skip
        customer(s, "cus_bob", name="Bob 4242 TD-0042", email="bob@x.example", created=NOW - 1)
        row(s, PaymentMethod, id="pm_1", customer="cus_ada", last4="4242")
        row(s, Subscription, id="sub_1AdaLove", customer="cus_ada", status="active")
        for id, number, total in (("in_1", "TD-0041", 4900), ("in_2", "TD-0042", 4900), ("in_3", None, 700)):
            row(s, Invoice, id=id, customer="cus_ada", number=number, total=total, currency="usd")
        row(s, Charge, id="ch_1", customer="cus_ada", amount=1815, currency="jpy")
        row(s, Charge, id="ch_2", customer="cus_ada", amount=4900, currency="usd")
    return database


def why(database: ModuleType, text: str) -> dict[str, list[Match]]:
    words = recognise.terms(text)
    where = conditions.conditions(CustomerFilter(q=text), now=NOW, zone=UTC)
    with database.session() as s:
        rows = search.page(s, where, sort="Newest", offset=0, limit=50)
        assert rows
        return matches.unseen(s, words, rows)


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("TD-0042", [Match("invoice", "TD-0042")]),
        ("td-004", [Match("invoice", "TD-0042")]),
        ("4242", [Match("card", "4242")]),
        ("1852", [Match("card", "1852")]),
        ("Visa ·· 1852", [Match("card", "1852")]),
        ("020 555 1703", [Match("phone", "+31 20 555 1703")]),
        ("sub_1Ada", [Match("id", "sub_1Ada")]),
        ("cus_ada", [Match("id", "cus_ada")]),
        ("$49.00", [Match("invoice", "TD-0042", 4900, "usd")]),
        ("7.00", [Match("invoice", "in_3", 700, "usd")]),
        ("¥1815", [Match("payment", "", 1815, "jpy")]),
        ("muller 4242 49.00", [Match("card", "4242"), Match("invoice", "TD-0042", 4900, "usd")]),
    ],
)
def test_a_hit_that_its_row_does_not_show_says_why(
    account: ModuleType, typed: str, found: list[Match]
) -> None:
    assert why(account, typed) == {"cus_ada": found}


@pytest.mark.parametrize("typed", ["ada", "MULLER", "@engine", "ada@engine.example", ""])
def test_what_the_row_shows_needs_no_word_and_no_statement(account: ModuleType, typed: str) -> None:
    assert why(account, typed) == {} or typed == ""
    with account.session() as s:
        rows = search.page(s, [], sort="Newest", offset=0, limit=1)
        with asked(account.engine()) as statements:
            matches.unseen(s, recognise.terms(typed), rows)
    assert not statements

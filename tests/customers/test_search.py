"""The list of customers: each thing that the box recognises, each filter, order and paging."""

from __future__ import annotations

from datetime import date
from types import ModuleType
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlmodel import Session

from models import (
    Charge,
    CreditNote,
    CustomerTag,
    Dispute,
    Event,
    Invoice,
    InvoiceItem,
    InvoicePayment,
    PaymentIntent,
    PaymentMethod,
    Refund,
    Subscription,
    SubscriptionItem,
)
from services.clock import DAY
from services.customers import conditions, recognise, search
from services.customers.filters import SORTS, STATUSES, CustomerFilter
from services.errors import InvalidInput
from services.text import isolated
from tests.customers.builders import NOW, customer, row, staff

UTC = ZoneInfo("UTC")


def found(session: Session, *, zone: ZoneInfo = UTC, **given: Any) -> list[str]:
    wanted = CustomerFilter(**given)
    where = conditions.conditions(wanted, now=NOW, zone=zone)
    rows = search.page(session, where, sort=wanted.sort, offset=0, limit=100)
    assert search.count(session, where) == len(rows)
    return [item.facts.customer for item in rows]


@pytest.fixture
def account(database: ModuleType) -> ModuleType:
    """Ada with one object of each kind, and Grace with nothing."""
    with database.transaction() as s:
        customer(s, "cus_ada", name="Ada *Lovelace*", email="Ada@engine.co.uk", created=NOW - 1)
        customer(s, "cus_grace", name="Grace 100%_x", email="grace@navy.mil")
        row(s, Subscription, id="sub_1AdaLove", customer="cus_ada", status="active", start_date=NOW)
        row(
            s,
            SubscriptionItem,
            id="si_1AdaLove",
            subscription="sub_1AdaLove",
            price="price_1AdaLove",
            product="prod_1AdaLove",
        )
        invoice = {"number": "ENG1815-0001", "total": 4900, "currency": "usd"}
        row(s, Invoice, id="in_1AdaLove", customer="cus_ada", **invoice)
        row(s, InvoiceItem, id="ii_1AdaLove", customer="cus_ada")
        row(s, InvoicePayment, id="inpay_1AdaLove", invoice="in_1AdaLove")
        row(s, PaymentIntent, id="pi_1AdaLove", customer="cus_ada")
        for kind in ("ch", "py"):
            row(
                s,
                Charge,
                id=f"{kind}_1AdaLove",
                customer="cus_ada",
                amount=1815,
                currency="jpy",
                card_last4="1852",
            )
        row(s, Charge, id="ch_1Stranger", customer=None, amount=4900, currency="usd")
        for kind in ("re", "pyr"):
            row(s, Refund, id=f"{kind}_1AdaLove", charge="ch_1AdaLove")
        for kind in ("du", "dp"):
            row(s, Dispute, id=f"{kind}_1AdaLove", charge="ch_1AdaLove")
        for kind in ("pm", "card"):
            row(s, PaymentMethod, id=f"{kind}_1AdaLove", customer="cus_ada", last4="1852")
        row(s, CreditNote, id="cn_1AdaLove", customer="cus_ada")
        s.add(Event(id="evt_1AdaLove", created=NOW, customer="cus_ada"))
    return database


def test_any_stripe_id_leads_to_its_customer(account: ModuleType) -> None:
    with account.session() as s:
        for prefix in set(recognise.ID_PREFIXES) - {"cus"}:
            assert found(s, q=f"{prefix}_1AdaLove") == ["cus_ada"], prefix
            assert found(s, q=f"{prefix}_1Ada") == ["cus_ada"], prefix
            assert found(s, q=f"{prefix}_1") == [], f"{prefix}: what every id begins with tells nothing"
            assert found(s, q=f"{prefix}_2Ada") == [], prefix


def test_each_form_finds_its_customer_and_nobody_else(account: ModuleType) -> None:
    with account.session() as s:
        for typed in [
            "ada",
            "LOVELACE",
            "*lovelace*",
            "ada@engine.co.uk",
            "@engine",
            "@engine.co.uk",
            "engine.co",
            "cus_ada",
            "cus_a",
            "1852",
            "ENG1815-0001",
            "eng1815-",
            "49.00",
            "$49.00",
            "49.00 usd",
            "¥1815",
            "ada 49.00",
            "1852 lovelace eng1815",
        ]:
            assert found(s, q=typed) == ["cus_ada"], typed


def test_a_phone_number_is_found_as_it_may_be_written(account: ModuleType) -> None:
    with account.transaction() as s:
        customer(s, "cus_phone", name="Piet", phone="+31 20 555 1703")
        customer(s, "cus_other", name="Jan", phone="+31 20 555 1704")
        customer(s, "cus_states", name="Sue", phone="(212) 555-0173")
        for typed in (
            "+31 20 555 1703", "+31205551703", "+31 (0)20 555 1703", "0031 20 555 1703", "020 555 1703",
            "0205551703", "20-555-1703", "piet +31 20 555 1703",
        ):  # fmt: skip
            assert found(s, q=typed) == ["cus_phone"], typed
        for typed in ("212 555 0173", "(212) 555-0173", "212-555-0173", "2125550173"):
            assert found(s, q=typed) == ["cus_states"], typed
        for typed in ("1703", "555 1703", "sue +31 20 555 1703", "+31 20 555 170"):
            assert found(s, q=typed) == [], typed


def test_a_card_is_found_as_the_desk_writes_it(account: ModuleType) -> None:
    with account.transaction() as s:
        for typed in ("Visa ·· 1852", "ada visa ·· 1852", "·· 1852", "American Express ·· 1852 ada"):
            assert found(s, q=typed) == ["cus_ada"], typed
        assert found(s, q="Visa ·· 1853") == found(s, q="grace Visa ·· 1852") == []


def test_signs_of_sql_patterns_mean_themselves(account: ModuleType) -> None:
    with account.session() as s:
        for typed in ["100%", "100%_x", "_x"]:
            assert found(s, q=typed) == ["cus_grace"], typed


def test_all_words_must_match(account: ModuleType) -> None:
    with account.session() as s:
        for typed in ["grace 49.00", "49.01", "49.00 eur", "1853", "@mil", "ada grace", "'; --"]:
            assert found(s, q=typed) == [], typed


def test_a_search_for_nothing_is_everybody(account: ModuleType) -> None:
    with account.session() as s:
        assert found(s, q="  ") == ["cus_grace", "cus_ada"]


def test_accents_do_not_matter(database: ModuleType) -> None:
    with database.transaction() as s:
        customer(s, "cus_accents", name="José Müller-Łukasz", email="info@søren.example")
        customer(s, "cus_plain", name="JOSE MULLER-LUKASZ", email="info@soren.example", created=NOW - 1)
        customer(s, "cus_other", name="Josua Möller", created=NOW - 2)
        for typed in (
            "jose",
            "JOSÉ",
            "Muller",
            "müller",
            "Mu\u0308ller",
            "lukasz jose",
            "@søren",
            "info@soren",
        ):
            assert found(s, q=typed) == ["cus_accents", "cus_plain"], typed
        assert found(s, q="moller", sort="Name") == ["cus_other"]


def test_signs_that_are_not_seen_do_not_matter(database: ModuleType) -> None:
    with database.transaction() as session:
        customer(session, "cus_1", name="محمد", email="m@x.example")
        customer(session, "cus_2", name="Zero\u200bWidth", email="z@x.example")
    with database.session() as session:
        assert found(session, q=isolated("محمد")) == ["cus_1"]
        assert found(session, q="zerowidth") == found(session, q="Zero\u200bwidth") == ["cus_2"]
        assert (
            found(session, q="\u2068cus_1\u2069")
            == found(session, q="\u200b@\ufeffx.example cus_1")
            == ["cus_1"]
        )
        assert len(found(session, q="\u200b \u2069")) == 2


def test_a_yen_amount_is_no_dollar_amount(account: ModuleType) -> None:
    with account.session() as s:
        assert found(s, q="18.15") == []
        assert found(s, q="1815") == ["cus_ada"]


def test_amounts_of_any_size_are_found(database: ModuleType) -> None:
    with database.transaction() as s:
        customer(s, "cus_big")
        row(s, Charge, id="ch_big", customer="cus_big", amount=5_000_000_000_00, currency="idr")
    with database.session() as s:
        assert found(s, q="5,000,000,000.00 IDR") == ["cus_big"]
        assert found(s, q="9" * 17) == found(s, q="9" * 22) == []


def test_status(database: ModuleType) -> None:
    with database.transaction() as s:
        for status in STATUSES.values():
            customer(s, f"cus_{status}", status=status, deleted=status == "deleted")
        for name, status in STATUSES.items():
            assert found(s, status=(name,)) == [f"cus_{status}"]


def test_deleted_customers_are_shown_when_asked_for(database: ModuleType) -> None:
    with database.transaction() as s:
        customer(s, "cus_gone", name="Gone", status="active", deleted=True)
        customer(s, "cus_here", name="Gone too", status="active", created=NOW - 1)
        assert found(s) == found(s, q="gone") == found(s, status=("active",)) == ["cus_here"]
        assert found(s, status=("deleted",)) == found(s, q="cus_gone") == ["cus_gone"]
        assert found(s, status=("active", "deleted")) == ["cus_gone", "cus_here"]


def test_running_trials_that_end_within_some_days(database: ModuleType) -> None:
    with database.transaction() as s:
        customer(s, "cus_over", status="trialing", trial_end=NOW)
        customer(s, "cus_soon", status="trialing", trial_end=NOW + 1)
        customer(s, "cus_week", status="trialing", trial_end=NOW + 7 * DAY)
        customer(s, "cus_later", status="trialing", trial_end=NOW + 7 * DAY + 1)
        customer(s, "cus_paid", status="active", trial_end=NOW + 1)
        assert found(s, trial_days=7, sort="Trial end") == ["cus_soon", "cus_week"]
        assert found(s, trial_days=0) == []


def test_only_narrows_by_money(database: ModuleType) -> None:
    with database.transaction() as s:
        for id in ("cus_pays", "cus_fails", "cus_disputes", "cus_calm"):
            customer(s, id, currency="usd")
        customer(s, "cus_leaves", cancel_at=NOW, currency="usd")
        row(s, Subscription, id="sub_1", customer="cus_pays", status="active", mrr_micros=1, currency="eur")
        row(s, Subscription, id="sub_2", customer="cus_calm", status="trialing", currency="eur")
        row(
            s, Invoice, id="in_1", customer="cus_fails", status="open", attempted=True, amount_remaining=1,
            currency="eur",
        )  # fmt: skip
        row(s, Charge, id="ch_1", customer="cus_disputes", currency="eur")
        row(s, Dispute, id="dp_1", charge="ch_1", status="needs_response", currency="eur")
        assert found(s, only=("paying",)) == ["cus_pays"]
        assert found(s, only=("failed payment",)) == ["cus_fails"]
        assert found(s, only=("open dispute",)) == ["cus_disputes"]
        assert found(s, only=("set to cancel",)) == ["cus_leaves"]
        assert found(s, only=("paying", "open dispute")) == ["cus_pays", "cus_disputes"]
        for name, id in (
            ("paying", "cus_pays"),
            ("failed payment", "cus_fails"),
            ("open dispute", "cus_disputes"),
        ):
            assert found(s, only=(name,), currency=("EUR",)) == [id]
            assert found(s, only=(name,), currency=("USD",)) == []
        assert found(s, only=("set to cancel",), currency=("USD",)) == ["cus_leaves"]
        assert found(s, only=("set to cancel",), currency=("EUR",)) == []
        assert found(s, currency=("EUR",)) == []


def test_plan_country_owner_and_tags(database: ModuleType) -> None:
    with database.transaction() as s:
        ann, bob = staff(s, "Ann"), staff(s, "Bob")
        customer(s, "cus_1", plan="Pro", country="DE", owner=ann, created=NOW)
        customer(s, "cus_2", plan="Team", country="JP", owner=bob, created=NOW - 1)
        customer(s, "cus_3", plan="Pro", country="FR", created=NOW - 2)
        for id, tag in (("cus_1", "vip"), ("cus_1", "beta"), ("cus_2", "vip")):
            s.add(CustomerTag(customer=id, tag=tag))
        s.flush()
        assert found(s, plan=("Pro",)) == ["cus_1", "cus_3"]
        assert found(s, country=("Germany (DE)", "JP")) == ["cus_1", "cus_2"]
        assert found(s, owner=("Ann",)) == ["cus_1"]
        assert found(s, owner=("nobody", "Bob")) == ["cus_2", "cus_3"]
        assert found(s, tag=("VIP",)) == ["cus_1", "cus_2"]
        assert found(s, tag=("vip", "beta")) == ["cus_1"]
        assert found(s, plan=("Pro",), country=("FR",)) == ["cus_3"]


def test_metadata_by_key_and_value(database: ModuleType) -> None:
    with database.transaction() as s:
        customer(s, "cus_1", metadata_={"source": "ads", "the team's size": "12"})
        customer(s, "cus_2", metadata_={"source": "blog", "empty": ""}, created=NOW - 1)
        customer(s, "cus_3", metadata_={}, created=NOW - 2)
        assert found(s, meta="source=ads") == ["cus_1"]
        assert found(s, meta="source") == ["cus_1", "cus_2"]
        assert found(s, meta="the team's size=12") == ["cus_1"]
        assert found(s, meta="empty=") == ["cus_2"]
        assert found(s, meta="$.source=ads") == found(s, meta="source=ad") == []
        with pytest.raises(InvalidInput):
            found(s, meta="=ads")


def test_created_days_are_cut_in_the_workspace_zone(database: ModuleType) -> None:
    tokyo = ZoneInfo("Asia/Tokyo")
    with database.transaction() as s:
        customer(s, "cus_eve", created=1_767_193_199)  # 2025-12-31 23:59:59 in Tokyo
        customer(s, "cus_morning", created=1_767_193_200)  # 2026-01-01 00:00:00 in Tokyo
        customer(s, "cus_next", created=1_767_279_600)  # 2026-01-02 00:00:00 in Tokyo
        first = date(2026, 1, 1)
        assert found(s, created_from=first, created_to=first, zone=tokyo) == ["cus_morning"]
        assert found(s, created_to=first, zone=tokyo) == ["cus_morning", "cus_eve"]
        assert found(s, created_from=first, zone=tokyo) == ["cus_next", "cus_morning"]


def test_orders(database: ModuleType) -> None:
    with database.transaction() as s:
        made = {"currency": "usd", "open_currency": "usd"}
        customer(s, "cus_b", name="Bo", created=1, mrr_micros=5, status="active", open_amount=7, **made)
        customer(s, "cus_a", name="", created=2, status="trialing", trial_end=9, last_contact_at=5, **made)
        customer(s, "cus_d", name="Al", created=3, mrr_micros=9, status="active", open_amount=9, **made)
        customer(
            s, "cus_c", name="Cy", created=4, mrr_micros=99, trial_end=1, currency="eur", status="active"
        )
        expected = {
            "Newest": "cdab",
            "Oldest": "badc",
            "Name": "dbca",
            "MRR": "cdba",
            "Trial end": "acbd",
            "Money at stake": "dbca",
            "Last contact": "acdb",
        }
        assert set(expected) == set(SORTS)
        for sort, order in expected.items():
            assert found(s, sort=sort) == [f"cus_{letter}" for letter in order], sort


def test_pages_hold_each_customer_once_even_while_others_arrive(database: ModuleType) -> None:
    with database.transaction() as s:
        present = {customer(s, created=NOW - n % 3, name="Same") for n in range(25)}
    with database.session() as s:
        until = search.newest(s)
        first = {sort: _ids(s, sort, 0, until) for sort in SORTS}
    with database.transaction() as s:
        for n in range(5):
            customer(s, f"cus_Late{n}", created=NOW + 1 + n, name="", mrr_micros=10**9, open_amount=10**9)
    with database.session() as s:
        assert search.count(s, [], until=until) == 25
        assert search.count(s, []) == 30
        for sort in SORTS:
            seen = [*first[sort], *_ids(s, sort, 10, until), *_ids(s, sort, 20, until)]
            assert len(seen) == 25, sort
            assert set(seen) == present, sort


def _ids(session: Session, sort: str, offset: int, until: int) -> list[str]:
    rows = search.page(session, [], sort=sort, offset=offset, limit=10, until=until)
    return [item.facts.customer for item in rows]


def test_a_row_says_who_it_is_whose_it_is_and_who_shares_its_email(database: ModuleType) -> None:
    with database.transaction() as s:
        ann = staff(s, "Ann")
        customer(s, "cus_1", name="Jo", email="Jo@x.com", owner=ann, created=NOW)
        customer(s, "cus_2", name="Jo again", email="jo@X.com", created=NOW - 1)
        customer(s, "cus_3", name="Jo once", email="jo@x.com", created=NOW - 2, deleted=True)
        customer(s, "cus_4", created=NOW - 3)
        rows = search.page(s, [], sort="Newest", offset=0, limit=10)
    assert [(r.name, r.email, r.owner, r.shares_email) for r in rows] == [
        ("Jo", "Jo@x.com", "Ann", 1),
        ("Jo again", "jo@X.com", "", 1),
        ("Jo once", "jo@x.com", "", 2),
        ("", "", "", 0),
    ]


def test_an_empty_account_has_an_empty_list(database: ModuleType) -> None:
    with database.session() as s:
        assert search.newest(s) == 0
        assert found(s) == []

"""Each right of the key is asked for, changes nothing, and what is lost without it is said."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from types import ModuleType

import pytest
from sqlmodel import select

from models import StripeReads, SyncCursor
from services.desk import rights
from services.errors import NotAllowed, TrialdeskError
from services.mirror import cursors
from services.staff.roles import Person, Role
from services.stripe_api import client, errands, reads, writes
from services.stripe_api.failures import KeyRejected
from tests.support.sandbox import Account, Sandbox

ADA = Person(1, "Ada", "ada@x.example", Role.ADMIN, read_only="Only reading is allowed.")
SAM = Person(2, "Sam", "sam@x.example", Role.SUPPORT)
KEY = "rk_test_connect"
READS = (
    "products", "prices", "coupons", "promotion_codes", "customers", "subscriptions", "invoices",
    "invoiceitems", "invoice_payments", "payment_intents", "charges", "refunds", "disputes", "credit_notes",
    "events", "payment_methods",
)  # fmt: skip
WRITES = (
    "subscriptions", "customers", "invoices", "invoiceitems", "refunds", "billing_portal",
    "webhook_endpoints",
)  # fmt: skip
ALL = dict.fromkeys(READS, "read") | dict.fromkeys(WRITES, "write")


@pytest.fixture
def desk(database: ModuleType, account: Sandbox) -> Iterator[ModuleType]:
    """A desk with a restricted key that has every right that it needs."""
    restricted(account)
    client.configure(client.connect(KEY, account.url))
    reads.forget()
    yield database
    client.configure(None)
    reads.forget()


def restricted(account: Account, **instead: str) -> None:
    account.restrict(KEY, **(ALL | instead))


def lacking(checked: rights.Checked) -> list[tuple[str, str, str]]:
    """Each missing right as we name it, and as Stripe does."""
    found = checked.having("missing")
    return [(one.need.right, one.need.level, one.said.removeprefix("Lacks ").strip("“”")) for one in found]


def test_a_key_with_every_right_is_told_so_and_nothing_is_changed(desk: ModuleType, account: Sandbox) -> None:
    before = account.books()["counts"]
    checked = rights.check(ADA)
    assert {one.state for one in checked.findings} == {"there"}
    assert len(checked.findings) == len(READS) + len(WRITES)
    assert account.books()["counts"] == before
    reads.keep()
    with desk.session() as session:
        counted = session.exec(select(StripeReads.purpose, StripeReads.reads)).all()
    assert counted == [(errands.CONNECT, len(READS))]


@pytest.mark.parametrize(
    ("resource", "level", "missing"),
    [
        ("refunds", "none", [("Charges", "read", "refunds read"), ("Charges", "write", "refunds write")]),
        ("payment_methods", "none", [("PaymentMethods", "read", "payment methods read")]),
        ("subscriptions", "read", [("Subscriptions", "write", "subscriptions write")]),
        ("invoiceitems", "read", [("Invoice items", "write", "invoiceitems write")]),
        (
            "invoices",
            "none",
            [("Invoices", "read", "invoices read"), ("Invoices", "write", "invoices write")],
        ),
        ("billing_portal", "none", [("Customer portal", "write", "billing portal write")]),
        ("webhook_endpoints", "read", [("Webhook endpoints", "write", "webhook endpoints write")]),
    ],
)
def test_a_missing_right_is_named(
    desk: ModuleType, account: Sandbox, resource: str, level: str, missing: list[tuple[str, str, str]]
) -> None:
    restricted(account, **{resource: level})
    checked = rights.check(ADA)
    assert lacking(checked) == missing
    assert not checked.having("unclear")
    assert all(one.need.lost for one in checked.findings)


def test_a_key_that_stripe_does_not_know_is_said_once(desk: ModuleType, account: Sandbox) -> None:
    client.configure(client.connect("rk_test_unknown", account.url))
    with pytest.raises(KeyRejected):
        rights.check(ADA)


def test_where_stripe_fails_the_right_is_not_known(desk: ModuleType, account: Sandbox) -> None:
    account.fault("500_before", path="/v1/disputes")
    account.fault("500_after", path="/v1/invoiceitems/")
    unclear = rights.check(ADA).having("unclear")
    assert [(one.need.right, one.need.level) for one in unclear] == [
        ("Disputes", "read"),
        ("Invoice items", "write"),
    ]
    assert {one.said.partition(" (")[0] for one in unclear} == {"Stripe answered with an error of its own"}


def test_what_the_key_may_read_by_now_is_pulled(desk: ModuleType, account: Sandbox) -> None:
    restricted(account, disputes="none")
    with desk.transaction() as session:
        for name in (*cursors.RESOURCES, cursors.DERIVED):
            session.add(SyncCursor(resource=name, state="complete"))
        for name in ("refunds", "disputes"):
            session.get(SyncCursor, name).state = "denied"
    rights.check(ADA)
    with desk.session() as session:
        assert cursors.denied(session, "disputes"), "the key still lacks it"
    assert cursors.unfinished() == ["refunds"]


def test_others_may_not_ask(desk: ModuleType, account: Sandbox) -> None:
    asked = len(account.requests())
    with pytest.raises(NotAllowed):
        rights.check(SAM)
    assert len(account.requests()) == asked


def test_every_list_and_every_write_has_its_right(desk: ModuleType, account: Sandbox) -> None:
    assert set(rights.READING) == {*cursors.RESOURCES, rights.CARDS}
    assert set(rights.WRITING) == set(writes.RIGHTS)
    asked = len(account.requests())
    for name, write in inspect.getmembers(writes, inspect.isfunction):
        if write.__module__ == writes.__name__ and not name.startswith("_") and name != "ask_for":
            with pytest.raises(TrialdeskError):
                write(*(_nothing(each) for each in inspect.signature(write).parameters.values()))
    written = {each["path"].split("/")[2] for each in account.requests()[asked:]}
    assert written == set(WRITES)


def _nothing(parameter: inspect.Parameter) -> object:
    kinds = {"str": "sub_none", "int": 1, "bool": True}
    return kinds.get(str(parameter.annotation), {"customer": "cus_none"})

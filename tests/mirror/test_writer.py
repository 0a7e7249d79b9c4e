"""The writer: newer only, parents with their children, whatever order things come in. Both databases."""

from __future__ import annotations

import re
import threading
from dataclasses import replace
from types import ModuleType
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlmodel import select

from models import (
    Charge,
    Coupon,
    Customer,
    Discount,
    InboxItem,
    Invoice,
    InvoiceItem,
    InvoiceLine,
    PaymentMethod,
    Price,
    Subscription,
    SubscriptionItem,
)
from services import database as desk
from services.mirror import aside, bulk
from services.mirror.batch import Batch
from services.mirror.shapes import UnreadableObject
from tests.mirror import objects as o
from tests.mirror.objects import NOW
from tests.support import statements

pytestmark = pytest.mark.both_databases


def store(*sources: Any, at: int = NOW, exact: bool = True) -> set[str]:
    with desk.transaction() as session:
        return o.store(session, sources, at, exact=exact)


def row(model: type[Any], id: str) -> Any:
    with desk.session() as session:
        return session.get(model, id)


def ids(model: type[Any]) -> set[str]:
    with desk.session() as session:
        return set(session.exec(select(model.id)))


def test_a_read_replaces_what_is_as_old_and_an_event_does_not(database: ModuleType) -> None:
    store(o.customer(name="first"), at=NOW)
    store(o.customer(name="event"), at=NOW, exact=False)
    assert row(Customer, "cus_1").name == "first"
    store(o.customer(name="read"), at=NOW)
    assert row(Customer, "cus_1").name == "read"
    store(o.customer(name="older"), at=NOW - 1)
    assert row(Customer, "cus_1").name == "read"
    store(o.customer(name="newer"), at=NOW + 1, exact=False)
    assert (row(Customer, "cus_1").name, row(Customer, "cus_1").as_of) == ("newer", NOW + 1)


def some(customers: int) -> Batch:
    """A batch of so many customers, from `cus_1` on."""
    batch = Batch()
    for n in range(1, customers + 1):
        batch.add(o.customer(f"cus_{n}"), NOW)
    return batch


few_and_many = pytest.mark.parametrize("number", [2, bulk.FEW + 1], ids=["few", "many"])


@few_and_many
def test_a_wrong_statement_is_a_fault_of_ours_and_puts_no_object_aside(
    database: ModuleType, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    right, spelled = bulk._incoming, bulk._spelled

    def wrong(*of: Any) -> Any:
        made = right(*of)
        return replace(made, create=made.create.replace("incoming", "elsewhere"))

    def misspelled(*of: Any) -> str:
        place = "?" if "?" in spelled(*of) else "%s"
        return spelled(*of).replace(place, f"{place} || {place}", 1)

    monkeypatch.setattr(bulk, "_incoming", wrong)
    monkeypatch.setattr(bulk, "_spelled", misspelled)
    with pytest.raises((sa.exc.ProgrammingError, psycopg.ProgrammingError)):
        aside.write(some(number))
    assert ids(InboxItem) == set()


@few_and_many
@pytest.mark.parametrize("value", [{"an": "object"}, 2**63, "\ud800"])
def test_a_value_that_no_column_takes_puts_its_object_aside(
    database: ModuleType, value: object, number: int
) -> None:
    batch = some(number)
    batch.rows[Customer]["cus_2"]["balance"] = value
    aside.write(batch)
    assert (ids(Customer), ids(InboxItem)) == (set(some(number).rows[Customer]) - {"cus_2"}, {"cus_2"})


@few_and_many
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)  # SQLite takes anything
@pytest.mark.parametrize(("column", "value"), [("balance", 10.5), ("balance", True), ("deleted", 7.5)])
def test_a_value_of_the_wrong_kind_is_neither_rounded_nor_a_fault_of_the_statement(
    database: ModuleType, column: str, value: object, number: int
) -> None:
    batch = some(number)
    batch.rows[Customer]["cus_2"][column] = value
    aside.write(batch)
    assert (ids(Customer), ids(InboxItem)) == (set(some(number).rows[Customer]) - {"cus_2"}, {"cus_2"})


@pytest.mark.parametrize("many", [bulk.FEW + 1, 2 * bulk._AT_ONCE + 1])
def test_only_many_rows_need_a_table_of_their_own_and_only_on_postgresql(
    database: ModuleType, many: int
) -> None:
    with statements.shaped(database.engine()) as sent:
        store(*(o.charge(f"ch_{n}") for n in range(bulk.FEW)))
    assert sent == []
    assert len(ids(Charge)) == bulk.FEW
    with statements.shaped(database.engine()) as sent:
        store(*(o.charge(f"ch_{n}", amount=7) for n in range(many)), at=NOW + 1)
    assert len(sent) == (0 if database.is_sqlite() else 2)
    assert row(Charge, "ch_0").amount == row(Charge, f"ch_{many - 1}").amount == 7
    assert len(ids(Charge)) == many


@pytest.mark.parametrize("later", [o.customer(name="Ada"), o.deleted("customer", "cus_1")])
def test_what_was_put_aside_lies_there_until_something_as_new_is_stored(
    database: ModuleType, later: o.Object
) -> None:
    batch = Batch()
    batch.add(o.customer(), NOW)
    batch.rows[Customer]["cus_1"]["balance"] = 2**63
    aside.write(batch)
    store(o.customer(), o.customer("cus_2"), at=NOW - 1, exact=False)
    assert ids(InboxItem) == {"cus_1"}
    store(later, at=NOW)
    assert ids(InboxItem) == set()


BY_ID = re.compile(r"inbox\.id (IN|= ANY) \(")


def test_what_lies_aside_is_looked_up_by_id(database: ModuleType) -> None:
    with statements.asked(database.engine()) as sent:
        store(o.customer())
    looked = [one for one in sent if "FROM inbox" in one]
    assert looked
    assert all(BY_ID.search(one) for one in looked)


def test_of_many_objects_nothing_is_looked_up_where_nothing_lies_aside(database: ModuleType) -> None:
    with statements.asked(database.engine()) as sent:
        store(*(o.customer(f"cus_{n}") for n in range(100)))
    assert [one for one in sent if BY_ID.search(one)] == []


VERSIONS = st.lists(
    st.tuples(st.integers(1, 6), st.sets(st.integers(1, 4), min_size=1), st.booleans()),
    min_size=1,
    max_size=8,
)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(versions=VERSIONS, together=st.integers(1, 4))
def test_whatever_the_order_the_newest_version_and_its_children_win(
    database: ModuleType, versions: list[tuple[int, set[int], bool]], together: int
) -> None:
    _empty(Subscription, SubscriptionItem)
    seen: dict[int, set[int]] = {}
    for second, members, exact in versions:
        seen.setdefault(second, members)
        source = o.subscription(
            items=[o.item(f"si_{n}") for n in seen[second]], metadata={"second": str(second)}
        )
        store(*[source] * together, at=NOW + second, exact=exact)
    newest = max(seen)
    kept = row(Subscription, "sub_1")
    assert (kept.as_of, kept.metadata_) == (NOW + newest, {"second": str(newest)})
    assert ids(SubscriptionItem) == {f"si_{n}" for n in seen[newest]}


def test_children_that_vanished_are_removed_and_an_older_parent_brings_none_back(
    database: ModuleType,
) -> None:
    store(o.invoice(lines=[o.line("il_a"), o.line("il_b")]), at=NOW)
    store(o.invoice(lines=[o.line("il_b", 7), o.line("il_c")]), at=NOW + 5)
    store(o.invoice(lines=[o.line("il_a"), o.line("il_d")]), at=NOW + 2)
    assert ids(InvoiceLine) == {"il_b", "il_c"}
    assert (row(InvoiceLine, "il_b").amount, row(InvoiceLine, "il_b").as_of) == (7, NOW + 5)


def test_a_list_that_was_cut_removes_nothing(database: ModuleType) -> None:
    store(o.invoice(lines=[o.line("il_a"), o.line("il_b")]), at=NOW)
    cut = o.invoice(lines=[o.line("il_a", 5)])
    cut["lines"]["has_more"] = True
    store(cut, at=NOW + 1)
    assert ids(InvoiceLine) == {"il_a", "il_b"}
    assert row(InvoiceLine, "il_a").amount == 5


@pytest.mark.parametrize("when", [NOW - 50, NOW, NOW + 50])
def test_a_deletion_is_final(database: ModuleType, when: int) -> None:
    store(o.customer(name="Ada"), at=NOW)
    store(o.deleted("customer", "cus_1"), at=when)
    store(o.customer(name="Back"), at=NOW + 100)
    gone = row(Customer, "cus_1")
    assert (gone.deleted, gone.name) == (True, "Ada")


def test_a_stub_of_somebody_unknown_is_a_tombstone(database: ModuleType) -> None:
    assert store(o.deleted("customer", "cus_9")) == {"cus_9"}
    assert row(Customer, "cus_9").deleted
    store(o.subscription(customer=o.deleted("customer", "cus_8")))
    assert row(Customer, "cus_8").deleted
    assert row(Subscription, "sub_1").customer == "cus_8"


def test_objects_inside_objects_are_stored_too(database: ModuleType) -> None:
    half = o.discount(of=o.coupon(), subscription="sub_1")
    source = o.subscription(
        customer=o.customer(),
        default_payment_method=o.method(),
        discounts=[half],
        latest_invoice=o.invoice(),
    )
    assert store(source) == {"cus_1"}
    assert row(PaymentMethod, "pm_1").last4 == "1881"
    assert row(Discount, "di_1").coupon == "HALF"
    assert row(Coupon, "HALF").percent_off == "50"
    assert row(Price, "price_1").unit_amount == 1000
    assert ids(InvoiceLine) == {"il_in_1"}
    kept = row(Subscription, "sub_1")
    assert (kept.default_payment_method, kept.discounts, kept.latest_invoice) == ("pm_1", ["di_1"], "in_1")
    assert (kept.plan_micros, kept.mrr_micros) == (500_000_000, 500_000_000)


def test_hearsay_never_beats_the_object_itself(database: ModuleType) -> None:
    store(o.coupon(percent_off=20, applies_to={"products": ["prod_1"]}), at=NOW - 5000)
    store(o.discount(of=o.coupon(percent_off=99)), at=NOW)
    assert row(Coupon, "HALF").percent_off == "20"
    store(o.coupon(percent_off=20, valid=False), at=NOW, exact=False)
    assert (row(Coupon, "HALF").valid, row(Coupon, "HALF").applies_to) == (False, ["prod_1"])


def test_the_last_charge_tells_the_card(database: ModuleType) -> None:
    later = o.charge("ch_2", created=NOW)
    later["payment_method_details"]["card"]["exp_year"] = 2035
    store(later)
    store(o.charge("ch_1"))
    assert row(PaymentMethod, "pm_charged").exp_year == 2035
    store(o.method("pm_charged", last4="0005"), at=NOW + 1, exact=False)
    assert row(PaymentMethod, "pm_charged").last4 == "0005"


def test_a_billed_item_is_known_by_the_lines_of_its_invoice(database: ModuleType) -> None:
    pending = {
        "object": "invoiceitem",
        "id": "ii_1",
        "date": NOW,
        "customer": "cus_1",
        "amount": 5,
        "currency": "usd",
    }
    store(pending)
    assert row(InvoiceItem, "ii_1").invoice is None
    parent = {"type": "invoice_item_details", "invoice_item_details": {"invoice_item": "ii_1"}}
    store(o.invoice(lines=[o.line("il_1", parent=parent)]), at=NOW + 1)
    assert row(InvoiceItem, "ii_1").invoice == "in_1"
    store(o.deleted("invoice", "in_1"), at=NOW + 2)
    assert row(InvoiceItem, "ii_1").invoice is None


def test_values_that_nobody_knows_yet_are_kept_as_text(database: ModuleType) -> None:
    store(o.subscription(status="hibernating", collection_method="by_pigeon"), o.invoice(status="folded"))
    assert row(Subscription, "sub_1").status == "hibernating"
    assert row(Invoice, "in_1").status == "folded"


def test_fields_that_nobody_knows_and_null_parents_do_no_harm(database: ModuleType) -> None:
    store({**o.invoice(parent=None), "novelty": {"deep": [1]}})
    assert row(Invoice, "in_1").subscription is None


def test_one_object_that_cannot_be_read_writes_nothing(database: ModuleType) -> None:
    broken = o.subscription()
    del broken["status"]
    with pytest.raises(UnreadableObject) as caught:
        store(o.customer(), broken)
    assert (caught.value.kind, caught.value.id, caught.value.problem) == (
        "subscription",
        "sub_1",
        "no 'status'",
    )
    assert ids(Customer) == set()


@pytest.mark.parametrize(("kind", "field"), [("subscription", "items"), ("invoice", "lines")])
@pytest.mark.parametrize("strange", [None, "many", {}, {"data": 7}, {"data": ["one"]}])
def test_a_list_inside_of_another_shape_makes_its_object_unreadable(
    database: ModuleType, kind: str, field: str, strange: object
) -> None:
    with pytest.raises(UnreadableObject):
        store({**getattr(o, kind)(), field: strange})


def test_kinds_that_are_not_mirrored_are_passed_over(database: ModuleType) -> None:
    assert store({"object": "payout", "id": "po_1"}) == set()


def test_a_discount_on_the_customer_counts_where_the_subscription_has_none(database: ModuleType) -> None:
    store(o.coupon(), o.discount("di_c", customer="cus_1"), o.customer(discount="di_c"), o.subscription())
    assert row(Subscription, "sub_1").mrr_micros == 500_000_000
    store(o.customer(discount=None), at=NOW + 1)
    assert row(Subscription, "sub_1").mrr_micros == 1_000_000_000


def test_a_discount_on_one_item_counts_for_that_item(database: ModuleType) -> None:
    cheap = o.discount("di_i", of=o.coupon(), subscription_item="si_1")
    store(o.subscription(items=[o.item("si_1", discounts=[cheap]), o.item("si_2", quantity=3)]))
    assert row(Subscription, "sub_1").mrr_micros == 3_500_000_000


def test_mrr_follows_the_state(database: ModuleType) -> None:
    store(o.subscription(status="trialing"))
    assert (row(Subscription, "sub_1").mrr_micros, row(Subscription, "sub_1").plan_micros) == (
        0,
        1_000_000_000,
    )
    store(
        o.subscription(status="active", pause_collection={"behavior": "void", "resumes_at": None}), at=NOW + 1
    )
    assert row(Subscription, "sub_1").mrr_micros == 0
    store(o.subscription(status="past_due"), at=NOW + 2)
    assert row(Subscription, "sub_1").mrr_micros == 1_000_000_000


def test_the_first_end_of_a_trial_is_kept_and_its_invoice_knows_better(database: ModuleType) -> None:
    trial = {"status": "trialing", "trial_start": NOW - 500}
    store(o.subscription(**trial, trial_end=NOW + 900), at=NOW)
    store(o.subscription(**trial, trial_end=NOW + 1900), at=NOW + 1)
    assert row(Subscription, "sub_1").first_trial_end == NOW + 900
    parent = {"type": "subscription_item_details", "subscription_item_details": {"subscription": "sub_1"}}
    free = o.line("il_0", 0, period={"start": NOW - 500, "end": NOW + 700}, parent=parent)
    store(o.invoice("in_0", lines=[free], amount=0, status="paid"), at=NOW)
    assert row(Subscription, "sub_1").first_trial_end == NOW + 700
    second = {"status": "trialing", "trial_start": NOW + 5000, "trial_end": NOW + 9000}
    store(o.subscription(**second), at=NOW + 6000)
    assert row(Subscription, "sub_1").first_trial_end == NOW + 9000


def test_older_shapes_are_read_from_their_old_places(database: ModuleType) -> None:
    old = o.subscription()
    for member in old["items"]["data"]:
        for name in ("current_period_start", "current_period_end"):
            old[name] = member.pop(name)
    old["discount"] = {"object": "discount", "id": "di_1", "start": NOW, "coupon": o.coupon()}
    del old["discounts"]
    line = o.line("il_1", subscription="sub_1") | {"price": o.price(), "proration": True}
    line = {name: value for name, value in line.items() if name not in ("parent", "pricing")}
    invoice = {**o.invoice(lines=[line]), "subscription": "sub_1"}
    del invoice["parent"]
    store(old, invoice)
    told = row(InvoiceLine, "il_1")
    assert (told.price, told.product, told.subscription, told.proration) == (
        "price_1",
        "prod_1",
        "sub_1",
        True,
    )
    assert row(Invoice, "in_1").subscription == "sub_1"
    kept = row(Subscription, "sub_1")
    assert (kept.current_period_start, kept.current_period_end) == (NOW - 100, NOW + 100)
    assert row(SubscriptionItem, "si_sub_1").current_period_end == NOW + 100
    assert (kept.discounts, row(Discount, "di_1").coupon, kept.mrr_micros) == (["di_1"], "HALF", 500_000_000)


def test_many_writers_at_once_leave_the_newest_family(database: ModuleType) -> None:
    errors: list[BaseException] = []

    def work(worker: int) -> None:
        try:
            for turn in range(8):
                second = turn * 4 + worker
                some = [
                    o.subscription(f"sub_{n}", items=[o.item(f"si_{n}_{second}", subscription=f"sub_{n}")])
                    for n in range(5)
                ]
                store(*(some if worker % 2 else reversed(some)), at=NOW + second, exact=bool(turn % 2))
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert ids(SubscriptionItem) == {f"si_{n}_31" for n in range(5)}
    assert {row(Subscription, f"sub_{n}").as_of for n in range(5)} == {NOW + 31}


def _empty(*models: type[Any]) -> None:
    with desk.transaction() as session:
        for model in models:
            session.connection().execute(sa.delete(model.__table__))

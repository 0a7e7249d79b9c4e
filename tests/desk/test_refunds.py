"""Giving a payment back: how much, where to, never more than is left, and what the dialog says of it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from sqlmodel import select

from models import Charge, Customer, Dispute, Refund
from services import clock, database
from services.customers import timeline
from services.desk import activity, catalog, commands, fresh, repeats, unknown, words
from services.desk.activity import ActivityFilter
from services.desk.subject import MARK, Subject
from services.errors import Conflict, InvalidInput, NotAllowed
from tests.desk.bench import ANA, BEN, SAM, Bench, press, row
from tests.desk.bench_invoices import paid
from tests.desk.test_inputs import NOW, parse

pytestmark = pytest.mark.both_databases

SQLITE = pytest.mark.parametrize("idle_desk", ["sqlite"], indirect=True, scope="module")
PART: dict[str, str] = {"part": "part", "amount": "20", "code": "requested_by_customer"}
ALL: dict[str, str] = {"part": "all", "code": ""}


def taken(dispute: Dispute | None = None, **fields: Any) -> Subject:
    """A payment that exists in memory only."""
    values = {
        "id": "ch_1", "created": NOW, "customer": "cus_1", "status": "succeeded", "amount": 4900,
        "amount_captured": 4900, "currency": "usd", "card_brand": "visa", "card_last4": "4242", **fields,
    }  # fmt: skip
    return Subject(Customer(id="cus_1", created=NOW), payment=Charge(**values), dispute=dispute)


def said(subject: Subject, **form: str) -> str:
    params = parse("refund", subject, **form)
    told = catalog.find("refund").preview(subject, params, None, NOW)
    return " ".join([*told.happens, *told.warnings])


def test_a_part_and_then_the_rest_go_back(desk: Bench) -> None:
    about = paid(desk)
    opened, outcome = press(ANA, "refund", about, **PART)
    assert outcome.message == (
        "$20.00 was refunded to the Visa card ending in 4242. $29.00 of it can still be refunded."
    )
    [made] = desk.sdk.refunds.list({"charge": about.object_id}).data
    assert (made.amount, made.reason, made.metadata.to_dict()) == (
        2000, "requested_by_customer", {MARK: opened.token},
    )  # fmt: skip
    kept = row(opened.token)
    assert (kept["before"]["amount_refunded"], kept["after"]["amount_refunded"]) == (0, 2000)
    with database.session() as session:
        stored = session.exec(select(Refund).where(Refund.charge == about.object_id)).one()
        known = session.get(Charge, about.object_id)
        found = activity.search(session, ANA, ActivityFilter(customer=about.object_id))
        told = timeline.latest(session, ANA, about.customer.id, ["Actions", "Billing"], words, limit=20)
    assert stored.amount == 2000 and known and known.amount_refunded == 2000, "at once, without a poll"
    assert found[0].charged == "$20.00 refunded"
    assert [(d.label, d.before, d.after) for d in found[0].differences] == [("Refunded", "$0.00", "$20.00")]
    assert [entry.title for entry in told.entries if "efund" in entry.title] == ["Refund"], "told once"
    clock.follow(1)  # within one second the ledger cannot tell that Ben's dialog knew of it
    again, outcome = press(BEN, "refund", about, **ALL)
    assert outcome.state == "done" and "Nothing more of it can be refunded." in outcome.message
    assert "$20.00 of it was refunded before." in " ".join(row(again.token)["preview"]["happens"])
    assert desk.sdk.charges.retrieve(about.object_id).refunded is True
    with pytest.raises(Conflict, match=r"All of it, \$49.00, is refunded already."):
        commands.open(ANA, "refund", about.customer.id, about.object_id)


@SQLITE
def test_two_who_refund_at_once_give_back_once(desk: Bench) -> None:
    about = paid(desk)
    opened = [commands.open(person, "refund", about.customer.id, about.object_id) for person in (ANA, BEN)]
    with ThreadPoolExecutor(2) as pool:
        each = list(pool.map(lambda one, who: commands.submit(one, who, PART, "asked"), opened, (ANA, BEN)))
    assert sorted(outcome.state for outcome in each) == ["done", "failed"]
    [refused] = [outcome for outcome in each if outcome.state == "failed"]
    assert refused.overtaken and "“Refund”" in refused.message
    assert len(desk.sdk.refunds.list({"charge": about.object_id}).data) == 1


@SQLITE
def test_while_one_is_unknown_no_other_is_made(desk: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repeats, "PAUSES", (0.01,))
    about = paid(desk)
    opened = commands.open(ANA, "refund", about.customer.id, about.object_id)
    desk.sandbox.fault("timeout_before", method="POST", path="/v1/refunds")
    assert commands.submit(opened, ANA, PART, "asked").state == "unknown"
    desk.sandbox.heal()
    _, outcome = press(BEN, "refund", about, **PART)
    assert outcome.state == "failed" and "nobody knows yet whether it was done" in outcome.message
    assert unknown.try_again(ANA, opened.token).state == "done"
    assert [each.amount for each in desk.sdk.refunds.list({"charge": about.object_id}).data] == [2000]


@SQLITE
def test_what_was_refunded_in_stripe_meanwhile_stops_it(desk: Bench) -> None:
    about = paid(desk)
    opened = commands.open(ANA, "refund", about.customer.id, about.object_id)
    desk.sdk.refunds.create({"charge": about.object_id, "amount": 100})
    outcome = commands.submit(opened, ANA, ALL, "asked for it")
    assert outcome.overtaken and "Refunded: $0.00 → $1.00." in outcome.message
    assert [each.amount for each in desk.sdk.refunds.list({"charge": about.object_id}).data] == [100]


@SQLITE
def test_what_the_bank_only_asks_about_can_be_refunded_and_a_dispute_not(desk: Bench) -> None:
    inquiry, dispute = paid(desk), paid(desk)
    for about, asked in ((inquiry, True), (dispute, False)):
        desk.sandbox.dispute(about.object_id, inquiry=asked)
        [found] = desk.sdk.disputes.list({"charge": about.object_id}).data
        desk.mirror("dispute", found.id)
    assert (
        press(ANA, "refund", fresh.subject(inquiry.customer.id, inquiry.object_id), **ALL)[1].state == "done"
    )
    with pytest.raises(Conflict, match="bank disputes this payment"):
        commands.open(ANA, "refund", dispute.customer.id, dispute.object_id)


@SQLITE
def test_sales_may_not_refund(desk: Bench) -> None:
    about = paid(desk)
    [offer] = catalog.offers(SAM, about)
    assert (offer.command.name, offer.reason[:26]) == ("refund", "Your role (sales) may not ")
    with pytest.raises(NotAllowed):
        commands.open(SAM, "refund", about.customer.id, about.object_id)


@pytest.mark.parametrize(
    ("subject", "reason"),
    [
        (taken(status="failed"), "The payment failed: nothing was taken."),
        (taken(status="pending"), "The payment is not confirmed yet: nothing was taken."),
        (taken(amount_captured=0), "only reserved, not taken"),
        (taken(amount_refunded=4900), "All of it, $49.00, is refunded already."),
        (taken(disputed=True), "bank disputes this payment"),
        (taken(Dispute(id="dp_1", created=NOW, is_charge_refundable=False), disputed=True), "disputes"),
        (taken(Dispute(id="dp_1", created=NOW, is_charge_refundable=True), disputed=True), ""),
        (Subject(Customer(id="cus_1", created=NOW)), "Choose the payment"),
        (taken(), ""),
    ],
)
def test_it_is_offered_where_money_can_go_back(subject: Subject, reason: str) -> None:
    found = catalog.find("refund").offered(subject)
    assert reason in found and bool(found) == bool(reason)


@pytest.mark.parametrize(
    ("form", "field", "wrong"),
    [
        ({**PART, "amount": "29.01"}, "amount", r"Only \$29.00 of this payment can still be refunded"),
        ({**PART, "amount": "0"}, "amount", "above zero"),
        ({**PART, "amount": ""}, "amount", "Type the amount"),
        ({**PART, "amount": "20 EUR"}, "amount", "stands for EUR"),
        ({**PART, "part": ""}, "part", "how much"),
        ({**PART, "code": "no_such"}, "code", "reasons in the list"),
    ],
)
def test_each_bad_input_is_a_sentence_with_its_field(form: dict[str, str], field: str, wrong: str) -> None:
    with pytest.raises(InvalidInput, match=wrong) as refusal:
        parse("refund", taken(amount_refunded=2000), **form)
    assert refusal.value.field == field


def test_less_than_the_smallest_charge_can_be_refunded() -> None:
    assert parse("refund", taken(), **{**PART, "amount": "0.01"})["amount"] == 1


def test_the_dialog_says_where_it_goes_what_went_before_and_what_is_lost() -> None:
    told = said(taken(amount_refunded=1000), **PART)
    assert "$20.00 of the payment of $49.00 goes back to the Visa card ending in 4242" in told
    assert "$10.00 of it was refunded before. $19.00 of it can still be refunded after this." in told
    assert "Stripe does not return its fee" in told and "block lists" not in told
    assert "block lists" in said(taken(), part="all", code="fraudulent")
    yen = replace(taken(), payment=taken(amount=4900, currency="jpy", card_last4=None).payment)
    assert "¥4,900 of the payment of ¥4,900 goes back to what it was paid with" in said(yen, **ALL)

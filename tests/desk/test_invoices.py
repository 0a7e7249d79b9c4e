"""Voiding, giving up, sending, removing what waits: each state, each refusal, and what the dialog says."""

from __future__ import annotations

from typing import Any

import pytest

from models import Customer, Invoice, InvoiceItem, Subscription
from services import config, database
from services.customers import timeline
from services.desk import activity, catalog, commands, effects, loading, repeats, words
from services.desk.activity import ActivityFilter
from services.desk.command import Work
from services.desk.subject import Subject
from services.errors import Conflict, NotAllowed, NotFound
from tests.desk.bench import ANA, SAM, VIC, Bench, happened, prepare, press, row
from tests.desk.bench_invoices import invoice_in, waiting
from tests.desk.test_inputs import NOW, parse

SQLITE = pytest.mark.parametrize("idle_desk", ["sqlite"], indirect=True, scope="module")
STATES = ("draft", "open", "paid", "void", "uncollectible")
OFFERED = {
    "retry_payment": {"open"},
    "void_invoice": {"open", "uncollectible"},
    "mark_uncollectible": {"open"},
    "send_invoice": {"draft", "open"},
}
AFTER = {"retry_payment": "paid", "void_invoice": "void", "mark_uncollectible": "uncollectible",
         "send_invoice": "open"}  # fmt: skip


@SQLITE
@pytest.mark.parametrize("state", STATES)
def test_each_command_about_an_invoice_works_or_is_refused_with_a_reason(desk: Bench, state: str) -> None:
    for name, states in OFFERED.items():
        about = invoice_in(desk, state, by_hand=name == "send_invoice")
        if state in states:
            opened, outcome = press(ANA, name, about)
            assert (outcome.state, outcome.message[-1]) == ("done", "."), outcome
            assert desk.sdk.invoices.retrieve(about.object_id).status == AFTER[name]
            assert row(opened.token)["after"]["status"] == AFTER[name]
            continue
        reason = catalog.find(name).offered(about)
        assert reason.endswith(".") and len(reason) >= 20
        with pytest.raises(Conflict, match=reason[:20]):
            commands.open(ANA, name, about.customer.id, about.object_id)
        assert desk.sdk.invoices.retrieve(about.object_id).status == state


@SQLITE
def test_the_buttons_of_an_invoice_are_these_and_who_may_not_is_told(desk: Bench) -> None:
    about = invoice_in(desk, "open", by_hand=True)
    assert {offer.command.name for offer in catalog.offers(ANA, about)} == set(OFFERED)
    may = {offer.command.name for offer in catalog.offers(SAM, about) if not offer.reason}
    assert may == {"send_invoice"}, "sales do only what is harmless"
    for name in OFFERED:
        with pytest.raises(NotAllowed):
            commands.open(VIC, name, about.customer.id, about.object_id)
    item = waiting(desk)
    assert [offer.command.name for offer in catalog.offers(ANA, item)] == ["remove_charge"]
    with pytest.raises(NotAllowed):
        commands.open(SAM, "remove_charge", item.customer.id, item.object_id)


@SQLITE
def test_what_is_charged_automatically_or_has_no_address_is_not_sent(desk: Bench) -> None:
    automatic, by_hand = invoice_in(desk, "open"), invoice_in(desk, "open", by_hand=True)
    assert "is charged automatically" in catalog.find("send_invoice").offered(automatic)
    desk.sdk.customers.update(by_hand.customer.id, {"email": ""})
    with pytest.raises(Conflict, match="no email address"):
        commands.open(ANA, "send_invoice", by_hand.customer.id, by_hand.object_id)


def test_a_credit_that_was_removed_is_called_one() -> None:
    told = catalog.find("remove_charge").outcome(
        Subject(Customer(id="cus_jo")), {"amount": -9587, "currency": "usd"}
    )
    assert told == "The credit of $95.87 was removed: no invoice will show it."


def test_a_pending_charge_is_removed_once(desk: Bench) -> None:
    about = waiting(desk)
    opened, outcome = press(ANA, "remove_charge", about)
    assert outcome.message == "$25.00 was removed: no invoice will show it."
    assert happened(desk, "remove_charge", about) == [1]
    with database.session() as session:
        known = session.get(InvoiceItem, about.object_id)
        [entry] = activity.search(session, ANA, ActivityFilter(customer=about.object_id))
        told = timeline.latest(session, ANA, about.customer.id, ["Actions"], words, limit=5).entries[0]
        assert loading.load_many(session, about.customer.id, []).keys() == {about.customer.id}
    assert known and known.deleted and entry.charged == ""
    assert told.detail.startswith("$25.00 for “Setup” is removed: no invoice will ask for it.")
    with pytest.raises(Conflict, match="not in Stripe any more"):
        commands.open(ANA, "remove_charge", about.customer.id, about.object_id)
    assert row(opened.token)["state"] == "done"


@SQLITE
def test_what_came_onto_an_invoice_meanwhile_is_not_removed(desk: Bench) -> None:
    about = waiting(desk)
    opened = commands.open(ANA, "remove_charge", about.customer.id, about.object_id)
    assert about.subscription
    desk.sdk.invoices.create({"customer": about.customer.id, "subscription": about.subscription.id})
    outcome = commands.submit(opened, ANA, {}, "a mistake")
    assert outcome.overtaken and "on an invoice by now" in outcome.message
    assert desk.sdk.invoice_items.retrieve(about.object_id).invoice


@SQLITE
def test_a_charge_that_waits_is_a_subject_of_its_own(desk: Bench) -> None:
    about = waiting(desk)
    with database.session() as session:
        many = loading.load_many(session, about.customer.id, [])
        with pytest.raises(NotFound):
            loading.load(session, desk.customer(), about.object_id)
    assert many[about.object_id].kind == "pending charge" == about.kind
    assert many[about.object_id].object_id == about.object_id


@SQLITE
@pytest.mark.parametrize("command", ["void_invoice", "mark_uncollectible", "send_invoice", "remove_charge"])
def test_a_lost_answer_is_looked_up(desk: Bench, command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repeats, "PAUSES", (0.01,))
    about = prepare(desk, command)
    opened = commands.open(ANA, command, about.customer.id, about.object_id)
    where = "/v1/invoiceitems" if command == "remove_charge" else "/v1/invoices"
    desk.sandbox.fault("timeout_after", method="DELETE" if "remove" in command else "POST", path=where)
    outcome = commands.submit(opened, ANA, {}, "asked for it")
    desk.sandbox.heal()
    assert outcome.state == "done", outcome
    assert len(happened(desk, command, about)) == 1


@SQLITE
def test_that_it_was_sent_by_others_is_not_taken_for_ours(desk: Bench) -> None:
    about = invoice_in(desk, "open", by_hand=True)
    desk.sdk.invoices.send_invoice(about.object_id)
    work = Work("token", "token:send", about.customer.id, about.object_id, {})
    assert effects.by_event("invoice.sent", lambda work: work.object_id)(work) is None


@SQLITE
def test_voiding_gives_credit_back_and_frees_the_subscription(desk: Bench) -> None:
    about = desk.failed_invoice()
    opened, _ = press(ANA, "void_invoice", about)
    told = " ".join(row(opened.token)["preview"]["happens"])
    assert "counts as active again" in told and "Stripe does not try to charge it on " in told
    assert about.subscription
    assert desk.sdk.subscriptions.retrieve(about.subscription.id).status == "active"
    customer = desk.customer(balance=-1000)
    made = desk.sdk.invoices.create({"customer": customer, "auto_advance": False}).id
    desk.sdk.invoice_items.create({"customer": customer, "invoice": made, "amount": 2500, "currency": "usd"})
    desk.sdk.invoices.finalize_invoice(made)
    desk.mirror("invoice", made)
    with database.session() as session:
        opened, _ = press(ANA, "void_invoice", loading.load(session, customer, made))
    told = row(opened.token)["preview"]["happens"]
    assert told[0].startswith("The invoice for $15.00 is voided")
    assert told[1] == "$10.00 that it took from the customer's credit goes back there."
    assert desk.sdk.customers.retrieve(customer).balance == -1000


def owed(status: str, **fields: Any) -> Subject:
    """The open latest invoice of a subscription in a state, in memory only."""
    invoice = Invoice(
        id="in_1",
        created=NOW,
        customer="cus_1",
        status="open",
        amount_remaining=4900,
        currency="usd",
        **fields,
    )
    plan = Subscription(id="sub_1", created=NOW, customer="cus_1", status=status, latest_invoice="in_1")
    return Subject(Customer(id="cus_1", created=NOW), subscription=plan, invoice=invoice)


def said(name: str, about: Subject) -> str:
    told = catalog.find(name).preview(about, parse(name, about), None, NOW)
    return " ".join([*told.happens, *told.warnings])


@pytest.mark.parametrize(
    ("name", "status", "told"),
    [
        ("void_invoice", "past_due", "counts as active again"),
        ("void_invoice", "incomplete", "it expires now"),
        ("void_invoice", "paused", "stays paused"),
        ("mark_uncollectible", "unpaid", "counts as active again"),
    ],
)
def test_the_dialog_says_what_becomes_of_the_subscription(name: str, status: str, told: str) -> None:
    assert told in said(name, owed(status))
    assert "Its subscription" not in said(name, owed("active"))
    assert ("goes on" in said(name, owed(status))) == (status in ("past_due", "unpaid"))


def test_a_mail_that_an_account_for_tests_does_not_send_is_not_announced(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told = said("send_invoice", owed("active"))
    assert "mails nothing" in told and "Stripe mails the invoice" not in told
    live = config.Settings(stripe_api_key="sk_live_x", database_url="sqlite://")  # type: ignore[arg-type]
    monkeypatch.setattr(config, "settings", lambda: live)
    told = said("send_invoice", owed("active"))
    assert "mails nothing" not in told and "Stripe mails the invoice" in told

"""Does each command do what its dialog said, and say what it did?"""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlmodel import update

from models import Base, Discount, Invoice, InvoiceItem, Subscription
from services import clock, config, database
from services.customers import timeline
from services.desk import catalog, commands, fresh, loading, repeats, words
from services.errors import Conflict, InvalidInput
from services.money import display
from services.stripe_api import client, transport
from tests.desk.bench import ANA, BEN, SAM, Bench, press, row


def test_a_trial_is_extended_by_days(desk: Bench) -> None:
    about = desk.in_state("trialing")
    assert about.subscription and about.subscription.trial_end
    opened, outcome = press(ANA, "extend_trial", about, mode="days", days="7")
    end = about.subscription.trial_end + 7 * clock.DAY
    found = desk.sdk.subscriptions.retrieve(about.object_id)
    assert found.trial_end == end and found.metadata and found.metadata["trialdesk_action"] == opened.token
    assert outcome.message == f"The trial now ends on {words.moment(end)}."
    with database.session() as session:
        mirrored = session.get(Subscription, about.object_id)
    assert mirrored and mirrored.trial_end == end


def test_the_ledger_says_who_why_before_and_after(desk: Bench) -> None:
    about = desk.in_state("trialing")
    assert about.subscription and about.subscription.trial_end
    opened, _ = press(SAM, "extend_trial", about, reason="  needs a week more ", mode="days", days="7")
    kept = row(opened.token)
    assert (kept["staff"], kept["staff_name"], kept["role"]) == (3, "Sam", "sales")
    assert (kept["command"], kept["customer"], kept["object_id"]) == (
        "extend_trial", about.customer.id, about.object_id,
    )  # fmt: skip
    assert kept["reason"] == "needs a week more"
    assert kept["before"]["trial_end"] == about.subscription.trial_end
    assert kept["after"]["trial_end"] == about.subscription.trial_end + 7 * clock.DAY
    sent = [
        each
        for each in desk.writes("/v1/subscriptions")
        if each["idempotency_key"] == f"{opened.token}:update"
    ]
    assert [each["id"] for each in sent] == [kept["request_id"]]
    assert kept["opened_at"] <= kept["started_at"] <= kept["finished_at"]


def test_a_trial_is_moved_to_a_day_at_the_same_time_of_day(desk: Bench) -> None:
    about = desk.in_state("trialing")
    assert about.subscription and about.subscription.trial_end
    zone = config.settings().zone
    day = clock.local(about.subscription.trial_end + 10 * clock.DAY, zone).date()
    press(ANA, "extend_trial", about, mode="date", date=day.isoformat())
    found = desk.sdk.subscriptions.retrieve(about.object_id)
    assert found.trial_end == about.subscription.trial_end + 10 * clock.DAY


def test_ending_a_trial_charges_what_the_dialog_said(desk: Bench) -> None:
    about = desk.in_state("trialing")
    opened = commands.open(ANA, "end_trial", about.customer.id, about.object_id)
    told = commands.preview(opened, {})
    outcome = commands.submit(opened, ANA, {}, "asked for it")
    invoice = str(desk.sdk.subscriptions.retrieve(about.object_id).latest_invoice)
    paid = desk.sdk.invoices.retrieve(invoice)
    assert paid.status == "paid" and paid.amount_paid == 4900
    assert f"The first payment, {display(4900, 'usd')}, is taken now." in told.happens
    charged = f"{display(4900, 'usd')} was charged."
    assert outcome.message == f"The trial has ended. {charged} The subscription is active."
    assert row(opened.token)["result"] == {"subscription": about.object_id, "invoice": invoice}
    with database.session() as session:
        mirrored = session.get(Invoice, invoice)
    assert mirrored and mirrored.status == "paid", "the new invoice is in the tables at once"


def test_a_trial_that_ends_with_a_declined_card_says_so(desk: Bench) -> None:
    about = desk.in_state("trialing")
    desk.sandbox.add_card(about.customer.id, "insufficient_funds")
    opened, outcome = press(ANA, "end_trial", about)
    assert (outcome.state, outcome.message) == (
        "done",
        f"The trial has ended. The payment of {display(4900, 'usd')} failed: There was not enough money on "
        "the card. The subscription is past due.",
    )
    assert row(opened.token)["after"]["status"] == "past_due"


@pytest.mark.parametrize(
    ("without_card", "says"),
    [
        ("cancel", "has ended; nothing was charged, and without a card the subscription is canceled."),
        ("pause", "has ended; nothing was charged, and without a card the subscription is paused."),
        ("create_invoice", "Nothing was charged: no card is on file, and the invoice for $49.00 stays open."),
    ],
)
def test_a_trial_that_ends_without_a_card_says_that_nobody_was_charged(
    desk: Bench, without_card: str, says: str
) -> None:
    customer = desk.customer(None)
    made = desk.trial(customer, without_card=without_card)
    _, outcome = press(ANA, "end_trial", fresh.subject(customer, made))
    assert outcome.state == "done" and says in outcome.message


def test_a_trial_whose_first_period_credit_or_nothing_pays_says_so(desk: Bench) -> None:
    customer = desk.customer()
    desk.sdk.customers.update(customer, {"balance": -4000})
    _, outcome = press(ANA, "end_trial", fresh.subject(customer, desk.trial(customer)))
    assert "$9.00 was charged. $40.00 was taken from the customer's credit." in outcome.message
    free = desk.sdk.coupons.create({"percent_off": 100, "duration": "forever"}).id
    made = desk.trial(desk.customer(), discounts=[{"coupon": free}])
    with database.session() as session:
        about = session.get(Subscription, made)
    assert about
    _, outcome = press(ANA, "end_trial", fresh.subject(about.customer, made))
    assert "Nothing had to be paid. The subscription is active." in outcome.message


def test_an_invoice_for_a_trial_that_ends_goes_to_who_pays_by_invoice(desk: Bench) -> None:
    customer = desk.customer(None)
    made = desk.trial(customer, collection_method="send_invoice", days_until_due=14)
    _, outcome = press(ANA, "end_trial", fresh.subject(customer, made))
    assert "$49.00" in outcome.message and "charged" not in outcome.message


def test_a_charge_waits_for_the_next_invoice(desk: Bench) -> None:
    about = desk.in_state("active")
    opened = commands.open(ANA, "add_charge", about.customer.id, about.object_id)
    form = {"amount": "1,250.50", "description": "Onboarding", "when": "next"}
    told = commands.preview(opened, form)
    outcome = commands.submit(opened, ANA, form, "agreed by phone")
    assert outcome.state == "done", outcome
    assert display(4900 + 125050, "usd") in " ".join(told.happens)
    items = desk.sdk.invoice_items.list({"customer": about.customer.id}).data
    assert [(i.amount, i.currency, i.description, i.invoice) for i in items] == [
        (125050, "usd", "Onboarding", None)
    ]
    preview = desk.sdk.invoices.create_preview({"subscription": about.object_id})
    assert preview.amount_due == 4900 + 125050
    with database.session() as session:
        assert session.get(InvoiceItem, items[0].id)


def test_a_discount_does_not_lower_what_was_typed(desk: Bench) -> None:
    coupon = desk.sdk.coupons.create({"percent_off": 25, "duration": "forever"}).id
    made = desk.subscribe(desk.customer(), discounts=[{"coupon": coupon}])
    with database.session() as session:
        customer = session.get(Subscription, made).customer  # type: ignore[union-attr]
    about = fresh.subject(customer, made)
    press(ANA, "add_charge", about, amount="100", description="Workshop", when="next")
    assert desk.sdk.invoices.create_preview({"subscription": made}).amount_due == 4900 * 3 // 4 + 10_000


def test_a_charge_now_bills_this_amount_and_nothing_else_that_waits(desk: Bench) -> None:
    about = desk.in_state("active")
    waiting = desk.sdk.invoice_items.create(
        {"customer": about.customer.id, "amount": 700, "currency": "usd", "subscription": about.object_id}
    )
    opened, outcome = press(ANA, "add_charge", about, amount="12.50", description="Call", when="now")
    assert outcome.state == "done" and outcome.message == f"{display(1250, 'usd')} was charged."
    made = row(opened.token)["result"]
    paid = desk.sdk.invoices.retrieve(made["invoice"])
    assert (paid.status, paid.amount_paid, paid.description) == ("paid", 1250, "Call")
    assert desk.sdk.invoice_items.retrieve(waiting.id).invoice is None
    with database.session() as session:
        [told] = timeline.latest(session, ANA, about.customer.id, ["Actions"], words, limit=5).entries
    assert "It is for “Call”." in told.detail


def test_a_declined_charge_says_what_stands_open_and_is_retried_from_there(desk: Bench) -> None:
    about = desk.in_state("active")
    desk.sandbox.add_card(about.customer.id, "insufficient_funds")
    opened, outcome = press(ANA, "add_charge", about, amount="12.50", description="Call", when="now")
    invoice = row(opened.token)["result"]["invoice"]
    assert outcome.state == "failed" and "not enough money" in outcome.message
    assert f"The invoice {invoice} stays open" in outcome.remedy
    assert not outcome.repeatable and outcome.next_step
    assert desk.sdk.invoices.retrieve(invoice).status == "open"
    with database.session() as session:
        kept = session.get(Invoice, invoice)
    assert kept and kept.attempt_count == 1, "the attempt is in the tables at once"
    desk.sandbox.add_card(about.customer.id)
    step = outcome.next_step
    opened = commands.open(ANA, step.command, step.customer, step.object_id)
    again = commands.submit(opened, ANA, {}, "another card")
    assert again.state == "done" and desk.sdk.invoices.retrieve(invoice).status == "paid"
    assert len(desk.sdk.invoices.list({"customer": about.customer.id, "status": "open"}).data) == 0


@pytest.mark.parametrize("when", ["now", "next"])
def test_a_new_charge_warns_of_an_earlier_one_that_is_still_open(desk: Bench, when: str) -> None:
    about = desk.in_state("active")
    desk.sandbox.add_card(about.customer.id, "insufficient_funds")
    form = {"amount": "500", "description": "Workshop", "when": "now"}
    colleagues = commands.open(BEN, "add_charge", about.customer.id, about.object_id)
    _, outcome = press(ANA, "add_charge", about, **form)
    assert outcome.next_step
    second = commands.submit(colleagues, BEN, form, "the same")
    assert second.state == "failed" and "it failed halfway. The invoice" in second.message, second
    assert second.repeatable, "nothing of its own stands in the account"

    def warnings(object_id: str) -> str:
        opened = commands.open(BEN, "add_charge", about.customer.id, object_id)
        return " ".join(commands.preview(opened, {**form, "when": when}).warnings)

    assert f"An invoice for {display(50000, 'usd')} of an earlier charge is still open" in warnings(
        about.object_id
    )
    desk.sdk.invoices.void_invoice(outcome.next_step.object_id)
    desk.mirror("invoice", outcome.next_step.object_id)
    assert "earlier charge" not in warnings(about.object_id)


def test_a_charge_that_stops_at_its_draft_leads_to_stripe(
    desk: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(repeats, "PAUSES", ())
    monkeypatch.setattr(transport, "_TRIES", 1)
    about = desk.in_state("active")
    desk.sandbox.fault("429", method="POST", path="/v1/invoices/in_")
    _, outcome = press(ANA, "add_charge", about, amount="500", description="Workshop", when="now")
    desk.sandbox.heal()
    assert (outcome.repeatable, outcome.next_step) == (False, None), outcome
    assert "was left in Stripe: finish or delete it there" in outcome.remedy
    opened = commands.open(BEN, "add_charge", about.customer.id, about.object_id)
    told = commands.preview(opened, {"amount": "1", "description": "x", "when": "next"}).warnings
    assert f"A draft invoice for {display(50000, 'usd')} of an earlier charge was left" in " ".join(told)


def test_yen_have_no_decimals(desk: Bench) -> None:
    customer = desk.customer()
    made = desk.subscribe(customer, items=[{"price": desk.price(5000, "jpy")}])
    about = fresh.subject(customer, made)
    opened = commands.open(ANA, "add_charge", customer, made)
    with pytest.raises(InvalidInput, match="JPY has no decimals"):
        commands.submit(opened, ANA, {"amount": "100.50", "description": "x", "when": "next"}, "why")
    press(ANA, "add_charge", about, amount="1000", description="x", when="next")
    assert desk.sdk.invoice_items.list({"customer": customer}).data[0].amount == 1000


def test_cancel_at_the_periods_end_keeps_the_feedback_and_can_be_undone(desk: Bench) -> None:
    about = desk.in_state("active")
    form = {"when": "period_end", "feedback": "too_expensive", "comment": "Budget cut"}
    _, outcome = press(ANA, "cancel", about, **form)
    found = desk.sdk.subscriptions.retrieve(about.object_id)
    assert found.status == "active" and found.cancel_at_period_end
    assert found.cancellation_details
    assert (found.cancellation_details.feedback, found.cancellation_details.comment) == (
        "too_expensive", "Budget cut",
    )  # fmt: skip
    assert found.cancel_at and words.moment(found.cancel_at) in outcome.message
    with pytest.raises(InvalidInput, match="It ends on"):
        press(ANA, "cancel", about, **form)
    _, undone = press(ANA, "undo_cancel", about)
    assert undone.state == "done"
    assert not desk.sdk.subscriptions.retrieve(about.object_id).cancel_at_period_end


def test_canceling_says_what_was_still_to_be_billed(desk: Bench) -> None:
    about = desk.in_state("active")
    press(ANA, "add_charge", about, amount="25", description="Setup", when="next")

    def warnings(object_id: str, when: str) -> str:
        opened = commands.open(ANA, "cancel", about.customer.id, object_id)
        return " ".join(commands.preview(opened, {"when": when}).warnings)

    assert f"{display(2500, 'usd')} waits for its next invoice" in warnings(about.object_id, "now")
    assert "which may never come" in warnings(about.object_id, "period_end")
    other = desk.subscribe(about.customer.id, items=[{"price": desk.price(9900)}])
    assert "waits" not in warnings(other, "now"), "it is the other one's"


def test_a_cancellation_on_a_date_is_undone_too(desk: Bench) -> None:
    about = desk.in_state("active")
    desk.sdk.subscriptions.update(about.object_id, {"cancel_at": clock.now() + 5 * clock.DAY})
    _, outcome = press(ANA, "undo_cancel", about)
    assert outcome.state == "done" and desk.sdk.subscriptions.retrieve(about.object_id).cancel_at is None


def test_an_ended_subscription_starts_again_with_what_it_had(desk: Bench) -> None:
    customer = desk.customer()
    forever = desk.sdk.coupons.create({"percent_off": 20, "duration": "forever", "name": "Friends"})
    once = desk.sdk.coupons.create({"percent_off": 50, "duration": "once", "name": "Welcome"})
    desk.mirror("coupon", forever.id)
    desk.mirror("coupon", once.id)
    old = desk.trial(
        customer,
        items=[{"price": desk.price(), "quantity": 3}],
        discounts=[{"coupon": forever.id}, {"coupon": once.id}],
        metadata={"external_id": "42"},
    )
    desk.sdk.subscriptions.cancel(old)
    opened = commands.open(ANA, "reactivate", customer, old)
    told = " ".join([*(preview := commands.preview(opened, {})).happens, *preview.warnings])
    outcome = commands.submit(opened, ANA, {}, "came back")
    assert outcome.state == "done", outcome
    new = desk.sdk.subscriptions.retrieve(
        row(opened.token)["result"]["new_subscription"], {"expand": ["discounts", "latest_invoice"]}
    )
    assert new.status == "active" and new.trial_end is None
    assert [(i.price.id, i.quantity) for i in new["items"].data] == [(desk.price(), 3)]
    assert [d.source.coupon for d in new.discounts] == [forever.id]  # type: ignore[union-attr]
    assert new.metadata["external_id"] == "42"
    charged = new.latest_invoice.amount_paid  # type: ignore[union-attr]
    assert charged == 3 * 4900 * 80 // 100
    assert f"{display(charged, 'usd')} is charged now to the Visa card ending in 4242." in told
    assert "Friends applies again" in told and "Welcome is not carried over" in told
    with database.session() as session:
        assert session.get(Subscription, new.id), "the new subscription is in the tables at once"


def test_it_starts_again_with_the_taxes_and_the_discounts_of_its_items(desk: Bench) -> None:
    customer = desk.customer()
    half = desk.sdk.coupons.create({"percent_off": 50, "duration": "forever", "name": "Half a seat"})
    tenth = desk.sdk.coupons.create({"percent_off": 10, "duration": "forever", "name": "Friends"})
    vat, gst = (
        desk.sdk.tax_rates.create({"display_name": name, "percentage": 19, "inclusive": True}).id
        for name in ("VAT", "GST")
    )
    old = desk.subscribe(
        customer,
        items=[
            {"price": desk.price(), "discounts": [{"coupon": half.id}], "tax_rates": [gst]},
            {"price": desk.price(9900), "quantity": 2},
        ],
        discounts=[{"coupon": tenth.id}],
        default_tax_rates=[vat],
    )
    desk.sdk.subscriptions.cancel(old)
    with database.transaction() as session:  # the event of the end says that its discounts are gone
        session.execute(update(Discount).values(deleted=True))
    opened = commands.open(ANA, "reactivate", customer, old)
    told = commands.preview(opened, {}).happens
    assert commands.submit(opened, ANA, {}, "came back").state == "done"
    new = desk.sdk.subscriptions.retrieve(
        row(opened.token)["result"]["new_subscription"],
        {"expand": ["discounts", "items.data.discounts", "latest_invoice"]},
    )
    first, second = sorted(new["items"].data, key=lambda item: item.quantity or 0)
    assert [d.source.coupon for d in new.discounts] == [tenth.id]  # type: ignore[union-attr]
    assert ([d.source.coupon for d in first.discounts], second.discounts) == ([half.id], [])
    assert [rate.id for rate in new.default_tax_rates or []] == [vat]
    assert [[rate.id for rate in item.tax_rates or []] for item in (first, second)] == [[gst], []]
    charged = (4900 // 2 + 2 * 9900) * 90 // 100
    assert new.latest_invoice.amount_paid == charged  # type: ignore[union-attr]
    assert f"{display(charged, 'usd')} is charged now to the Visa card ending in 4242." in told
    assert "Tax is worked out as before." in told
    assert {"The discount Friends applies again.", "The discount Half a seat applies again."} <= set(told)


def test_automatic_tax_is_switched_on_again(desk: Bench) -> None:
    customer = desk.customer()
    old = desk.subscribe(customer, automatic_tax={"enabled": True})
    desk.sdk.subscriptions.cancel(old)
    opened, outcome = press(ANA, "reactivate", fresh.subject(customer, old))
    assert outcome.state == "done", outcome
    assert row(opened.token)["params"]["new"]["automatic_tax"] == {"enabled": True}
    made = desk.sdk.subscriptions.retrieve(row(opened.token)["result"]["new_subscription"])
    assert made.automatic_tax.enabled


def test_it_does_not_start_again_beside_a_running_one(desk: Bench) -> None:
    about = desk.in_state("canceled")
    desk.subscribe(about.customer.id)
    with pytest.raises(Conflict, match="already has a running subscription of Team"):
        commands.open(ANA, "reactivate", about.customer.id, about.object_id)


@pytest.mark.parametrize("has_successor", [True, False])
def test_an_archived_price_is_refused_and_its_successor_offered(desk: Bench, has_successor: bool) -> None:
    product = desk.sdk.products.create({"name": "Legacy"})
    terms = {"product": product.id, "currency": "usd", "recurring": {"interval": "month"}}
    old = desk.sdk.prices.create({**terms, "unit_amount": 1500})
    customer = desk.customer()
    made = desk.subscribe(customer, items=[{"price": old.id}])
    desk.sdk.subscriptions.cancel(made)
    desk.sdk.prices.update(old.id, {"active": False})
    if has_successor:
        new = desk.sdk.prices.create({**terms, "unit_amount": 1900, "nickname": "Legacy 2026"})
        desk.mirror("price", new.id)
    desk.mirror("product", product.id)
    desk.mirror("price", old.id)
    if not has_successor:
        with pytest.raises(Conflict, match="has no successor"):
            commands.open(ANA, "reactivate", customer, made)
        return
    opened = commands.open(ANA, "reactivate", customer, made)
    before = len(desk.writes("/v1/subscriptions"))
    with pytest.raises(
        InvalidInput, match=r"its price is archived\. Agree to Legacy at \$19\.00 a month"
    ) as no:
        commands.submit(opened, ANA, {}, "came back")
    assert no.value.field == "successor" and len(desk.writes("/v1/subscriptions")) == before
    told = commands.preview(opened, {"successor": "yes"})
    assert told.happens[0] == "A new subscription begins now: Legacy at $19.00 a month."
    assert "$19.00 is charged now" in told.happens[2] and "$15.00 a month is archived" in told.warnings[0]
    assert commands.submit(opened, ANA, {"successor": "yes"}, "came back").state == "done"
    begun = desk.sdk.subscriptions.retrieve(row(opened.token)["result"]["new_subscription"])
    assert [item.price.id for item in begun["items"].data] == [new.id]


def test_a_payment_is_retried_after_a_new_card(desk: Bench) -> None:
    about = desk.failed_invoice()
    opened, outcome = press(ANA, "retry_payment", about)
    assert outcome.state == "failed" and outcome.message.startswith("Declined, nothing was charged. ")
    kept = row(opened.token)
    assert kept["error"]["decline_code"] == "insufficient_funds" and kept["request_id"]
    assert kept["after"]["attempt_count"] == kept["before"]["attempt_count"], "tries by hand are not counted"
    charges = desk.sdk.charges.list({"customer": about.customer.id}).data
    assert [charge.status for charge in charges] == ["failed", "failed"]
    desk.sandbox.add_card(about.customer.id)
    _, outcome = press(ANA, "retry_payment", about)
    assert outcome.state == "done" and outcome.message == f"{display(4900, 'usd')} was paid."
    with pytest.raises(Conflict, match="The invoice is paid"):
        commands.open(ANA, "retry_payment", about.customer.id, about.object_id)


def test_a_card_that_the_bank_has_closed_is_not_tried_again(desk: Bench) -> None:
    about = desk.failed_invoice("lost_card")
    assert about.last_failure and about.last_failure.advice == "do_not_try_again"
    with pytest.raises(Conflict, match="asked not to try this card again"):
        commands.open(ANA, "retry_payment", about.customer.id, about.object_id)
    desk.sandbox.add_card(about.customer.id)
    _, outcome = press(ANA, "retry_payment", about)
    assert outcome.state == "done"


def test_what_the_bank_asks_for_holds_right_after_the_decline(desk: Bench) -> None:
    about = desk.failed_invoice()
    desk.sandbox.add_card(about.customer.id, "lost_card")
    _, outcome = press(ANA, "retry_payment", about)
    assert outcome.state == "failed", outcome
    with database.session() as session:
        known = loading.load(session, about.customer.id, about.object_id)
    assert "asked not to try this card again" in catalog.find("retry_payment").offered(known)
    with pytest.raises(Conflict, match="asked not to try this card again"):
        commands.open(BEN, "retry_payment", about.customer.id, about.object_id)


def test_a_card_that_was_just_put_on_the_subscription_is_seen(desk: Bench) -> None:
    about = desk.failed_invoice("lost_card")
    assert about.subscription
    card = desk.sdk.payment_methods.attach("pm_card_visa", {"customer": about.customer.id}).id
    desk.sdk.subscriptions.update(about.subscription.id, {"default_payment_method": card})
    opened, outcome = press(ANA, "retry_payment", about)
    assert opened.subject.payment_method == card
    assert outcome.state == "done", outcome


def test_a_key_that_may_not_read_payments_may_still_ask_for_one(desk: Bench) -> None:
    about = desk.failed_invoice()
    desk.sandbox.add_card(about.customer.id)
    desk.sandbox.restrict("rk_test_desk", customers="read", subscriptions="read", invoices="write")
    whole = client.account()
    client.configure(client.connect("rk_test_desk", desk.sandbox.url))
    try:
        _, outcome = press(ANA, "retry_payment", about)
    finally:
        client.configure(whole)
    assert outcome.state == "done", outcome


def test_a_card_link_is_shown_and_kept_nowhere(desk: Bench) -> None:
    customer = desk.customer(None)
    about = fresh.subject(customer)
    opened, outcome = press(SAM, "card_link", about, reason="")
    assert commands.preview(opened, {}).happens[0].endswith("to a page where the customer enters a card.")
    assert outcome.state == "done" and outcome.link.startswith(desk.sandbox.url)
    assert commands.submit(opened, SAM, {}, "").link == outcome.link, "a second click finds the same link"
    secret = outcome.link.rsplit("/", 1)[1]
    with database.session() as session:
        for table in Base.metadata.sorted_tables:
            assert secret not in str(session.connection().execute(table.select()).all()), table.name
    if database.is_sqlite():
        folder = Path(str(database.engine().url.database)).parent
        assert not any(secret.encode() in file.read_bytes() for file in folder.iterdir())

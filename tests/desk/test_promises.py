"""Does each dialog say what its request brings? Words of the cases that differ from the plain one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from models import Customer, Invoice, InvoiceItem, Price
from services import clock
from services.desk import catalog, words
from services.desk.command import Quote
from services.desk.subject import Subject
from services.desk.terms import Charged, Terms
from tests.desk.test_inputs import NOW, TRIAL_END, about, parse

DUE = Quote(4900, "usd", 4900)
FORMS: dict[str, dict[str, str]] = {
    "extend_trial": {"mode": "days", "days": "7"},
    "cancel": {"when": "now"},
    "add_charge": {"amount": "25", "description": "Setup", "when": "now"},
}


def said(name: str, subject: Subject, quote: Quote | None = DUE, **form: str) -> str:
    """All that the dialog says."""
    params = parse(name, subject, **{**FORMS.get(name, {}), **form})
    told = catalog.find(name).preview(subject, params, quote, NOW)
    return " ".join([*told.happens, *told.warnings])


# Trials


@pytest.mark.parametrize(
    ("behaviour", "told"),
    [
        ("cancel", "No card is on file: the subscription is canceled now, and nothing is charged."),
        ("pause", "No card is on file: the subscription pauses now, and nothing is charged."),
        ("create_invoice", "No card is on file: an invoice for $49.00 is made now that nobody can pay yet."),
    ],
)
def test_ending_a_trial_without_a_card_says_plainly_what_happens(behaviour: str, told: str) -> None:
    assert told in said("end_trial", about(card=None, trial_end_behavior=behaviour))
    assert "unless" not in said("end_trial", about(card=None, trial_end_behavior=behaviour))


def test_a_trial_without_a_card_ends_unbilled_also_while_collection_is_paused() -> None:
    told = said("extend_trial", about(card=None, pause_collection="void"))
    assert "unless the customer adds one, the subscription is canceled then" in told
    assert "first invoice" not in told


@pytest.mark.parametrize("fields", [{"collection_method": "send_invoice"}, {"trial_end_behavior": None}])
def test_of_nothing_no_invoice_is_sent_or_left_unpaid(fields: dict[str, Any]) -> None:
    told = said("end_trial", about(card=None, **fields), Quote(0, "usd", 0))
    assert "Nothing has to be paid now." in told and "invoice" not in told


def test_an_invoice_that_is_sent_takes_up_to_an_hour() -> None:
    told = said("end_trial", about(collection_method="send_invoice"))
    assert "An invoice for $49.00 is sent to the customer, within about an hour." in told


# Canceling, and taking it back


SET_TO_CANCEL: dict[str, Any] = {"cancel_at": TRIAL_END, "cancel_at_period_end": True}


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({}, "The first payment, $49.00, is taken on "),
        ({"card": None}, "unless the customer adds one, the subscription is canceled on "),
        ({"card": None, "trial_end_behavior": "pause"}, "the subscription pauses on "),
        ({"card": None, "trial_end_behavior": "create_invoice"}, "that nobody can pay yet."),
        ({"collection_method": "send_invoice"}, "An invoice for $49.00 is sent to the customer on "),
        ({"status": "active"}, "The next payment, $49.00, is due on "),
        ({"status": "active", "card": None}, "unless the customer adds one, the payment of $49.00, due on "),
        (
            {"status": "active", "card": None, "collection_method": "send_invoice"},
            "An invoice for $49.00 is sent to the customer on ",
        ),
        ({"status": "unpaid"}, "stays a draft; nothing is taken."),
        ({"status": "active", "pause_collection": "void"}, "is voided; nothing is taken."),
    ],
)
def test_undoing_a_cancellation_says_what_the_next_invoice_brings(fields: dict[str, Any], told: str) -> None:
    heard = said("undo_cancel", about(**{**SET_TO_CANCEL, **fields}))
    assert told in heard
    assert heard.count("payment") == ("payment" in told), heard


def test_undoing_where_credit_or_a_discount_pays_announces_no_payment() -> None:
    told = said("undo_cancel", about("active", **SET_TO_CANCEL), Quote(0, "usd", 0))
    assert "Nothing has to be paid on " in told and "next payment" not in told


def test_canceling_what_is_past_due_does_not_call_its_period_paid() -> None:
    told = said("cancel", about("past_due"), when="period_end")
    assert "paid period" not in told and "what it owes is still collected until then" in told


@pytest.mark.parametrize(
    ("status", "kind"), [("paid", "paid period"), ("open", "period"), ("void", "period")]
)
def test_a_period_is_called_paid_where_its_invoice_is(status: str, kind: str) -> None:
    latest = Invoice(id="in_1", created=NOW, customer="cus_1", status=status)
    told = said("cancel", replace(about("active"), latest=latest), when="period_end")
    assert f"to the end of its {kind}," in told
    assert "to the end of its period," in said("cancel", about("active"), when="period_end")


def _pending(amount: int, *, proration: bool) -> InvoiceItem:
    return InvoiceItem(
        id=f"ii_{amount}", created=NOW, customer="cus_1", amount=amount, currency="usd", proration=proration
    )


def pending(*items: InvoiceItem, when: str) -> str:
    """What the dialog of a subscription says for which these wait."""
    return said("cancel", replace(about("active"), pending=items), when=when)


def test_changes_in_mid_period_are_dropped_and_charges_stay() -> None:
    told = pending(_pending(2500, proration=False), _pending(700, proration=True), when="now")
    assert "$25.00 waits for its next invoice and stays billable" in told
    assert "$7.00 for changes in mid-period was to come with its next invoice and is dropped." in told


def test_what_cancels_out_is_not_mentioned_and_a_credit_is_called_lost() -> None:
    even = (_pending(700, proration=True), _pending(-700, proration=True), _pending(0, proration=False))
    assert "next invoice" not in pending(*even, when="now")
    told = pending(_pending(-700, proration=True), _pending(-500, proration=False), when="now")
    assert (
        "A credit of $7.00 for changes in mid-period was to come with its next invoice and is lost." in told
    )
    assert "A credit of $5.00 waits for its next invoice and stays" in told


def test_canceling_for_later_says_what_is_still_billed() -> None:
    told = pending(_pending(2500, proration=False), _pending(700, proration=True), when="period_end")
    assert "$25.00 waits for its next invoice, which may never come." in told
    assert "$7.00 for changes in mid-period comes on an invoice at the end of the period." in told
    assert "waits" not in said("cancel", about("active"), when="period_end")


# Starting again


def again(quantity: int = 1, quote: Quote | None = DUE, **price: Any) -> str:
    """The dialog of a canceled subscription with one item."""
    subject = replace(about("canceled"), terms=Terms(Charged()))
    [item] = subject.items
    assert item.price
    sold = Price(**{**item.price.model_dump(), "interval": "month", **price})
    item.row.quantity = quantity
    return said("reactivate", replace(subject, items=(replace(item, price=sold),)), quote)


@pytest.mark.parametrize(
    ("quantity", "price", "told"),
    [
        (1, {}, "A new subscription begins now: Team at $49.00 a month."),
        (1, {"interval": "year", "unit_amount": 49000}, "Team at $490.00 a year."),
        (3, {}, "3 × Team at $49.00 a month each."),
        (3, {"interval_count": 3}, "3 × Team at $49.00 every 3 months each."),
        (5, {"transform_divide_by": 5}, "5 × Team at $49.00 for each 5 a month."),
        (2, {"billing_scheme": "tiered", "unit_amount": None}, "2 × Team by tiers a month."),
        (
            1,
            {"usage_type": "metered", "unit_amount": None},
            "A new subscription begins now: Team by use a month.",
        ),
        (1, {"usage_type": "metered", "unit_amount": 2}, "Team at $0.02 by use a month."),
        (1, {"unit_amount": None}, "A new subscription begins now: Team."),
        (
            2,
            {"currency": "eur", "currency_options": {"usd": {"unit_amount_decimal": "5400"}}},
            "$54.00 a month",
        ),
    ],
)
def test_starting_again_says_price_interval_and_quantity(
    quantity: int, price: dict[str, Any], told: str
) -> None:
    assert told in again(quantity, **price)


def test_where_nothing_is_charged_no_payment_can_fail() -> None:
    assert "If the payment fails, no subscription is made." in again()
    assert "If the payment fails" not in again(quote=Quote(0, "usd", 0))


# Collecting again


@pytest.mark.parametrize(
    ("behavior", "told"),
    [("keep_as_draft", "stay drafts: finalize them"), ("void", "are not asked for again")],
)
def test_collecting_again_says_what_becomes_of_the_invoices_of_the_pause(behavior: str, told: str) -> None:
    paused = about("active", pause_collection=behavior)
    assert "made in the pause" not in said("reactivate", paused)
    heard = said("reactivate", replace(paused, set_aside=2))
    assert told in heard and "The next payment, $49.00, is due on " in heard


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"status": "active", "card": None}, "No card is on file"),
        ({"status": "trialing", "card": None}, "the subscription is canceled on "),
        ({"status": "active", "collection_method": "send_invoice"}, "is sent to the customer on "),
    ],
)
def test_collecting_again_without_a_card_announces_no_payment(fields: dict[str, Any], told: str) -> None:
    heard = said("reactivate", about(pause_collection="void", **fields))
    assert told in heard and "next payment" not in heard and "Collection is paused" not in heard


@pytest.mark.parametrize(
    ("fields", "ends"),
    [
        ({"cancel_at": TRIAL_END, "cancel_at_period_end": True}, TRIAL_END),
        ({"cancel_at": NOW + clock.DAY, "card": None}, NOW + clock.DAY),
    ],
)
def test_collecting_again_on_a_trial_that_is_set_to_end_announces_no_payment(
    fields: dict[str, Any], ends: int
) -> None:
    heard = said("reactivate", about(pause_collection="void", **fields), None)
    assert f"set to cancel on {words.moment(ends)}: it ends then, and its plan is never charged." in heard
    assert "payment" not in heard and "unless the customer adds" not in heard


def test_where_stripe_foresees_no_invoice_none_is_announced() -> None:
    heard = said("reactivate", about(pause_collection="void"), None)
    assert "Nothing is charged now." in heard and "payment" not in heard
    bare = said("reactivate", about(pause_collection="void", card=None), None)
    assert f"the subscription is canceled on {words.moment(TRIAL_END)}" in bare


# Charges and the customer's balance


def balanced(balance: int, **fields: Any) -> Subject:
    subject = about("active", **fields)
    known = {**subject.customer.model_dump(), "balance": balance}
    return replace(subject, customer=Customer(**known))


@pytest.mark.parametrize(
    ("balance", "told"),
    [
        (0, "An invoice for $25.00 is made, and the card on file is charged now."),
        (-1000, "$10.00 of it is taken from the customer's credit, and $15.00 is charged now to the card on"),
        (-9000, "$25.00 of it is taken from the customer's credit; nothing is charged."),
        (500, "owes $5.00 from before, which is added: $30.00 is charged now to the card on file."),
    ],
)
def test_a_charge_now_says_what_credit_and_debt_make_of_it(balance: int, told: str) -> None:
    heard = said("add_charge", balanced(balance))
    assert told in heard
    taken = "nothing is charged" not in heard
    assert ("A charge can only be given back" in heard, "If the card is declined" in heard) == (taken, taken)


@pytest.mark.parametrize(
    ("balance", "told"),
    [
        (0, "An invoice for $25.00 is made, which is to be paid by "),
        (-1000, "$10.00 of it is taken from the customer's credit, and $15.00 is to be paid by "),
        (500, "owes $5.00 from before, which is added: $30.00 is to be paid by "),
    ],
)
def test_a_sent_invoice_says_what_is_to_be_paid_by_when(balance: int, told: str) -> None:
    subject = balanced(balance, card=None)
    subject.customer.email = "ada@example.com"
    heard = said("add_charge", subject, when="sent", days="30")
    assert f"{told}{words.day(NOW + 30 * clock.DAY)}" in heard
    assert "Stripe notes it as sent, and mails nothing" in heard and "No card is charged." in heard
    assert "charged now" not in heard and "card is declined" not in heard


def test_what_credit_pays_whole_is_not_sent() -> None:
    subject = balanced(-9000, card=None)
    subject.customer.email = "ada@example.com"
    heard = said("add_charge", subject, when="sent", days="30")
    assert "nothing has to be paid, and nothing is sent." in heard and "mails" not in heard


def test_a_balance_in_another_currency_pays_for_nothing() -> None:
    subject = balanced(-9000)
    euros = Customer(**{**subject.customer.model_dump(), "currency": "eur"})
    told = said("add_charge", replace(subject, customer=euros))
    assert "An invoice for $25.00 is made, and the card on file is charged now." in told
    assert "credit" not in told
    assert "comes to $74.00" in said("add_charge", replace(subject, customer=euros), when="next")


@pytest.mark.parametrize(
    ("balance", "quote", "told"),
    [
        (0, DUE, "comes to $74.00"),
        (-100, Quote(4800, "usd", 4900), "comes to $73.00"),
        (-6000, Quote(0, "usd", 4900), "comes to $14.00"),
        (-9000, Quote(0, "usd", 4900), "Credit pays all of that invoice, also this amount."),
        (0, Quote(0, "usd", -2000), "comes to $5.00"),
        (0, Quote(0, "usd", -3000), "Credit pays all of that invoice, also this amount."),
        (500, Quote(0, "usd", -2000), "comes to $10.00"),
    ],
)
def test_the_next_invoice_comes_to_what_credit_leaves_of_it(balance: int, quote: Quote, told: str) -> None:
    assert told in said("add_charge", balanced(balance), quote, when="next")

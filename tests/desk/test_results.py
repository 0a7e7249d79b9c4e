"""Does Activity say what an action came to: what was charged and paid, and from what to what?"""

from __future__ import annotations

import pytest

from models import Action
from services import database
from services.customers import timeline
from services.desk import activity, fresh, results, words
from services.desk.activity import ActivityFilter, Entry
from tests.desk.bench import ANA, Bench, press


def told(token: str) -> Entry:
    with database.session() as session:
        found = activity.search(session, ANA, ActivityFilter())
    return next(entry for entry in found if entry.token == token)


def changes(entry: Entry) -> dict[str, tuple[str, str]]:
    return {each.label: (each.before, each.after) for each in entry.differences}


@pytest.mark.parametrize(("card", "said", "status"), [
    ("ok", "charged $49.00, paid", "active"),
    ("insufficient_funds", "asked for $49.00, not paid yet", "past due"),
])  # fmt: skip
def test_the_end_of_a_trial_says_what_was_charged(desk: Bench, card: str, said: str, status: str) -> None:
    about = desk.in_state("trialing")
    if card != "ok":
        desk.sandbox.add_card(about.customer.id, card)
    opened, _ = press(ANA, "end_trial", about)
    entry = told(opened.token)
    assert entry.charged == said
    assert changes(entry)["Status"] == ("trialing", status)


@pytest.mark.parametrize(("fate", "said"), [
    ("pay", "charged $49.00, paid"),
    ("void_invoice", "$49.00 asked for, voided since"),
    ("mark_uncollectible", "$49.00 asked for, given up as uncollectible"),
])  # fmt: skip
def test_what_became_of_the_invoice_later_is_said_too(desk: Bench, fate: str, said: str) -> None:
    about = desk.in_state("trialing")
    desk.sandbox.add_card(about.customer.id, "insufficient_funds")
    opened, _ = press(ANA, "end_trial", about)
    invoice = str((told(opened.token).result or {})["invoice"])
    desk.sandbox.add_card(about.customer.id, "ok")
    getattr(desk.sdk.invoices, fate)(invoice)
    desk.mirror("invoice", invoice)
    assert told(opened.token).charged == said


@pytest.mark.parametrize(("status", "said"), [
    ("open", "invoice of $49.00 sent, not paid yet"),
    ("paid", "invoice of $49.00 sent, paid"),
    ("void", "invoice of $49.00 sent, voided since"),
    ("uncollectible", "invoice of $49.00 sent, given up as uncollectible"),
])  # fmt: skip
def test_an_invoice_that_is_sent_says_where_it_stands(status: str, said: str) -> None:
    assert results._asked("$49.00", status, by_hand=True) == said


def test_an_extension_says_the_days_from_and_to_and_charges_nothing(desk: Bench) -> None:
    about = desk.in_state("trialing")
    assert about.subscription and about.subscription.trial_end
    opened, _ = press(ANA, "extend_trial", about, mode="days", days="7")
    entry, end = told(opened.token), about.subscription.trial_end
    assert entry.charged == ""
    assert changes(entry) == {"Trial ends": (words.day(end), words.day(end + 7 * 86_400))}


@pytest.mark.parametrize(("when", "said"), [
    ("now", "charged $25.00, paid"),
    ("next", "$25.00 added to the next invoice"),
    ("sent", "invoice of $25.00 sent, not paid yet"),
])  # fmt: skip
def test_a_charge_says_its_amount_and_where_it_went(desk: Bench, when: str, said: str) -> None:
    about = desk.in_state("active")
    opened, _ = press(ANA, "add_charge", about, amount="25", description="Call", when=when, days="30")
    assert told(opened.token).charged == said


def test_a_retried_payment_and_a_new_start_say_what_was_paid(desk: Bench) -> None:
    failed = desk.failed_invoice()
    desk.sandbox.add_card(failed.customer.id, "ok")
    opened, outcome = press(ANA, "retry_payment", failed)
    assert outcome.state == "done" and told(opened.token).charged == "charged $49.00, paid"
    opened, outcome = press(ANA, "reactivate", desk.in_state("canceled"))
    assert outcome.state == "done" and told(opened.token).charged == "charged $49.00, paid"
    assert outcome.message == "Reactivated: a new subscription has begun. $49.00 was charged."


def test_a_card_link_that_was_made_is_told_as_made(desk: Bench) -> None:
    opened, _ = press(ANA, "card_link", fresh.subject(desk.customer()))
    customer = opened.subject.customer.id
    with database.session() as session:
        [line] = timeline.latest(session, ANA, customer, ["Actions"], words, limit=5).entries
    for said in (told(opened.token).detail, line.detail.split("\n")[0]):
        assert said == "A link was made to a page where the customer can enter a card."


def test_what_was_refused_charged_nothing(desk: Bench) -> None:
    about = desk.in_state("active")
    desk.sandbox.add_card(about.customer.id, "insufficient_funds")
    opened, outcome = press(ANA, "add_charge", about, amount="25", description="Call", when="now")
    with database.session() as session:
        row = session.get(Action, opened.token)
    assert outcome.state == "failed" and row and row.result["invoice"]
    assert told(opened.token).charged == ""

"""What changed between the dialog, the request and a second look: is it seen, and is nothing done twice?"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlmodel import col, update

from models import Action, ActionStep, Discount
from services import clock, database
from services.customers import record
from services.desk import catalog, commands, fresh, ledger, loose_ends, repeats, unknown, words
from services.desk.subject import Subject
from services.errors import Conflict, InvalidInput, NotAllowed
from services.mirror import inbox
from services.money import display
from tests.desk.bench import ANA, BEN, FORMS, VIC, Bench, press, row

pytestmark = pytest.mark.parametrize("idle_desk", ["sqlite"], indirect=True, scope="module")


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(repeats, "PAUSES", (0.0,))
    yield


def lose(desk: Bench, command: str, about: Subject, path: str = "/v1/", **form: str) -> str:
    """A command whose request was sent, and of which nothing was ever heard again."""
    opened = commands.open(ANA, command, about.customer.id, about.object_id)
    desk.sandbox.fault("timeout_before", method="POST", path=path)
    outcome = commands.submit(opened, ANA, form or FORMS.get(command, {}), "asked for it")
    desk.sandbox.heal()
    assert outcome.state == "unknown", outcome
    return opened.token


def test_an_effect_that_is_there_is_found_and_nothing_is_sent_again(desk: Bench) -> None:
    about = desk.in_state("trialing")
    token = lose(desk, "extend_trial", about)
    assert about.subscription and about.subscription.trial_end
    desk.sdk.subscriptions.update(
        about.object_id,
        {"trial_end": about.subscription.trial_end + 7 * clock.DAY, "metadata": {"trialdesk_action": token}},
    )
    sent = len(desk.writes("/v1/subscriptions"))
    assert unknown.try_again(BEN, token).state == "done"
    assert len(desk.writes("/v1/subscriptions")) == sent
    assert "Ben checked again" in row(token)["comment"]


def test_a_second_look_repeats_nothing_on_what_has_changed(desk: Bench) -> None:
    about = desk.in_state("trialing")
    token = lose(desk, "extend_trial", about)
    assert about.subscription and about.subscription.trial_end
    later = about.subscription.trial_end + 30 * clock.DAY
    desk.sdk.subscriptions.update(about.object_id, {"trial_end": later})
    outcome = unknown.try_again(BEN, token)
    assert outcome.state == "failed" and outcome.message.startswith("It was not done."), outcome
    assert outcome.overtaken
    assert "Trial ends:" in outcome.message
    assert desk.sdk.subscriptions.retrieve(about.object_id).trial_end == later


def test_a_mark_that_a_later_action_wrote_over_proves_nothing(desk: Bench) -> None:
    about = desk.in_state("trialing")
    token = lose(desk, "extend_trial", about)
    _, other = press(BEN, "extend_trial", about, mode="days", days="3")
    assert other.state == "done"
    assert unknown.try_again(BEN, token).state == "unknown"
    assert unknown.settle(BEN, token, done=False, note="The trial is 3 days longer only").state == "failed"


def test_a_charge_whose_end_is_open_stops_the_same_charge_under_a_new_token(desk: Bench) -> None:
    about = desk.in_state("active")
    form = {"amount": "25", "description": "Setup", "when": "next"}
    token = lose(desk, "add_charge", about, path="/v1/invoiceitems", **form)
    _, second = press(BEN, "add_charge", about, **form)
    assert second.state == "failed" and "nobody knows yet whether it was done" in second.message
    assert unknown.try_again(ANA, token).state == "done"
    assert len(desk.sdk.invoice_items.list({"customer": about.customer.id}).data) == 1


def test_a_charge_that_a_colleague_added_meanwhile_is_not_repeated(desk: Bench) -> None:
    about = desk.in_state("active")
    form = {"amount": "25", "description": "Setup", "when": "next"}
    token = lose(desk, "add_charge", about, path="/v1/invoiceitems", **form)
    with database.transaction() as session:  # Ben's, done while Ana's was not known to be open
        kept = session.get(Action, token)
        assert kept
        twin = {**kept.model_dump(), "token": f"{token}b", "staff_name": "Ben", "state": "done"}
        session.add(Action(**{**twin, "finished_at": clock.now()}))
    outcome = unknown.try_again(ANA, token)
    assert outcome.state == "failed" and "Ben did “Add charge”" in outcome.message
    assert desk.sdk.invoice_items.list({"customer": about.customer.id}).data == []


def test_what_was_stopped_halfway_is_a_failure_also_where_things_had_changed(desk: Bench) -> None:
    about = desk.in_state("active")
    token = lose(desk, "add_charge", about, path="/v1/invoiceitems", **FORMS["add_charge"])
    desk.sdk.subscriptions.cancel(about.object_id)
    outcome = unknown.try_again(ANA, token)
    assert (outcome.state, outcome.overtaken) == ("failed", False), outcome
    assert "This subscription is over." in outcome.message and "was left in Stripe" in outcome.remedy


def test_it_does_not_start_again_beside_one_that_the_tables_do_not_know(desk: Bench) -> None:
    about = desk.in_state("canceled")
    opened = commands.open(ANA, "reactivate", about.customer.id, about.object_id)
    other = desk.sdk.subscriptions.create({"customer": about.customer.id, "items": [{"price": desk.price()}]})
    with pytest.raises(Conflict, match="already has a running subscription of Team"):
        commands.open(BEN, "reactivate", about.customer.id, about.object_id)
    outcome = commands.submit(opened, ANA, {}, "came back")
    assert outcome.state == "failed" and "already has a running subscription" in outcome.message
    assert [each.id for each in desk.sdk.subscriptions.list({"customer": about.customer.id}).data] == [
        other.id
    ]


@pytest.mark.parametrize("at_period_end", [True, False])
def test_extending_a_trial_that_is_set_to_cancel_announces_no_payment(
    desk: Bench, at_period_end: bool
) -> None:
    about = desk.in_state("trialing")
    ends: dict[str, object] = {"cancel_at": clock.now() + 3 * clock.DAY}
    desk.sdk.subscriptions.update(about.object_id, {"cancel_at_period_end": True} if at_period_end else ends)  # type: ignore[arg-type]
    opened = commands.open(ANA, "extend_trial", about.customer.id, about.object_id)
    told = commands.preview(opened, {"mode": "days", "days": "7"})
    said = " ".join([*told.happens, *told.warnings])
    assert "is set to cancel" in said and "first payment" not in said, said


@pytest.mark.parametrize("at_period_end", [True, False])
def test_ending_a_trial_that_is_set_to_cancel_warns_of_the_bill(desk: Bench, at_period_end: bool) -> None:
    about = desk.in_state("trialing")
    date = clock.now() + 3 * clock.DAY
    ends: dict[str, object] = {"cancel_at_period_end": True} if at_period_end else {"cancel_at": date}
    leaving = desk.sdk.subscriptions.update(about.object_id, ends)  # type: ignore[arg-type]
    opened = commands.open(ANA, "end_trial", about.customer.id, about.object_id)
    told = " ".join(commands.preview(opened, {}).warnings)
    assert leaving.cancel_at and f"set to cancel on {words.moment(leaving.cancel_at)}" in told
    assert commands.submit(opened, ANA, {}, "asked for it").state == "done"
    found = desk.sdk.subscriptions.retrieve(about.object_id)
    assert found.status == "active"
    with_period = found.cancel_at == found["items"].data[0].current_period_end
    assert (with_period, "ends with that one instead" in told) == (at_period_end, at_period_end)


def test_a_trial_that_ends_without_a_card_is_not_said_to_be_billed(desk: Bench) -> None:
    about = desk.in_state("trialing without a card")
    desk.sdk.subscriptions.update(about.object_id, {"cancel_at_period_end": True})
    opened = commands.open(ANA, "end_trial", about.customer.id, about.object_id)
    assert "billed" not in " ".join(commands.preview(opened, {}).warnings)


@pytest.mark.parametrize(("done", "state"), [(True, "done"), (False, "failed")])
def test_a_person_who_looked_says_how_it_ended(desk: Bench, done: bool, state: str) -> None:
    about = desk.in_state("trialing")
    token = lose(desk, "extend_trial", about)
    yesterday = clock.now() - clock.DAY
    with database.transaction() as session:
        old = update(ActionStep).where(col(ActionStep.token) == token).values(prepared_at=yesterday)
        session.execute(old)
    assert unknown.try_again(ANA, token).state == "unknown"
    with pytest.raises(NotAllowed):
        unknown.settle(VIC, token, done=done, note="I looked")
    with pytest.raises(InvalidInput, match="Say how you know"):
        unknown.settle(BEN, token, done=done, note="  ")
    assert unknown.settle(BEN, token, done=done, note="I looked").state == state
    assert "Ben marked it as" in row(token)["comment"] and "I looked" in row(token)["comment"]
    with pytest.raises(Conflict, match="not unknown"):
        unknown.settle(BEN, token, done=done, note="I looked")


def test_a_price_that_changed_since_the_dialog_is_not_charged(desk: Bench) -> None:
    about = desk.in_state("trialing")
    opened = commands.open(ANA, "end_trial", about.customer.id, about.object_id)
    item = desk.sdk.subscriptions.retrieve(about.object_id)["items"].data[0].id
    desk.sdk.subscriptions.update(about.object_id, {"items": [{"id": item, "quantity": 10}]})
    outcome = commands.submit(opened, ANA, {}, "asked for it")
    assert outcome.state == "failed", outcome
    assert display(4900, "usd") in outcome.message and display(49000, "usd") in outcome.message
    assert desk.sdk.subscriptions.retrieve(about.object_id).status == "trialing"
    _, again = press(ANA, "end_trial", about)
    assert again.state == "done", again


def test_what_others_changed_before_is_not_credited_to_the_action(desk: Bench) -> None:
    about = desk.in_state("active")
    opened = commands.open(ANA, "add_charge", about.customer.id, about.object_id)
    desk.sdk.subscriptions.update(about.object_id, {"cancel_at_period_end": True})
    form = {"amount": "25", "description": "Setup", "when": "next"}
    assert commands.submit(opened, ANA, form, "agreed").state == "done"
    kept = row(opened.token)
    assert kept["before"]["cancel_at_period_end"] and kept["after"] == kept["before"]


USED = "was taken from the customer's credit"


@pytest.mark.parametrize(
    ("credit", "said"),
    [
        (10_000, f"Nothing was charged. {display(2500, 'usd')} {USED}."),
        (1_000, f"{display(1500, 'usd')} was charged. {display(1000, 'usd')} {USED}."),
    ],
)
def test_a_charge_that_credit_pays_says_so(desk: Bench, credit: int, said: str) -> None:
    about = desk.in_state("active")
    desk.sdk.customers.update(about.customer.id, {"balance": -credit})
    opened, outcome = press(ANA, "add_charge", about, **FORMS["add_charge"])
    assert (outcome.state, outcome.message) == ("done", said)
    assert desk.sdk.invoices.retrieve(row(opened.token)["result"]["invoice"]).status == "paid"


def test_a_payment_that_the_bank_still_processes_is_not_called_paid(desk: Bench) -> None:
    about = desk.failed_invoice()
    assert about.invoice and about.invoice.status == "open"
    told = catalog.find("retry_payment").outcome(about, {"amount": 4900, "currency": "usd"})
    assert told.startswith(f"{words.money(4900, 'usd')} is being processed by the bank")


def test_a_row_that_nobody_can_read_any_more_keeps_no_other_from_being_taken_up(desk: Bench) -> None:
    about = desk.in_state("trialing")
    opened = commands.open(ANA, "extend_trial", about.customer.id, about.object_id)
    assert about.subscription and about.subscription.trial_end
    params = {"trial_end": about.subscription.trial_end + 7 * clock.DAY}
    with database.transaction() as session:
        session.add(Action(token="0", command="of an older desk", state="running", opened_at=1))
        ledger.begin(session, opened.token, params=params, reason="", preview={})
    try:
        loose_ends.take_up()
        assert commands.wait(opened.token).state == "done"
    finally:
        with database.transaction() as session:
            session.delete(session.get(Action, "0"))


def test_a_link_of_which_nothing_was_heard_is_made_anew(desk: Bench) -> None:
    about = fresh.subject(desk.customer(None))
    opened = commands.open(ANA, "card_link", about.customer.id)
    desk.sandbox.fault("timeout_before", method="POST", path="/v1/billing_portal")
    outcome = commands.submit(opened, ANA, {}, "")
    assert (outcome.state, outcome.remedy) == ("failed", "Make another one."), outcome


def test_a_discount_that_has_ended_is_not_on_the_record(desk: Bench) -> None:
    about = desk.in_state("active")
    with database.transaction() as session:
        for id, end in (("di_old", clock.now() - 1), ("di_on", None)):
            session.add(
                Discount(id=id, created=1, subscription=about.object_id, coupon="c", start=1, end=end)
            )
    with database.session() as session:
        shown = record.read(session, about.customer.id, now=clock.now()).plans[0].rebates
    assert [each.row.id for each in shown] == ["di_on"]


def test_a_slow_answer_is_not_beaten_by_what_an_event_of_its_second_told(desk: Bench) -> None:
    """An answer is as old as its question: one that took long would leave a dialog with an older state."""
    about = desk.in_state("trialing")
    assert about.subscription and about.subscription.trial_end
    desk.sdk.subscriptions.update(about.object_id, {"metadata": {"plan": "old"}})
    told = desk.sdk.events.list({"type": "customer.subscription.updated", "limit": 1}).data[0]
    with database.transaction() as session:
        inbox.put(session, [told.to_dict(for_json=True)], "webhook")
    inbox.drain()
    desk.sdk.subscriptions.update(about.object_id, {"metadata": {"plan": "new"}})
    desk.sandbox.fault("slow", method="GET", path="/v1/subscriptions/", seconds=1.1, count=1)
    now = fresh.subject(about.customer.id, about.object_id)
    assert now.subscription and now.subscription.metadata_["plan"] == "new"

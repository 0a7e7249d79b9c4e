"""Does it happen once: for many clicks, for two people, for every answer that is lost?"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import stripe
from sqlmodel import col, update

from models import Action, ActionStep
from services import clock, database
from services.desk import catalog, commands, ledger, loose_ends, repeats, runner, unknown
from services.desk.command import Form
from services.desk.commands import Outcome
from services.desk.subject import Subject
from services.errors import Conflict, NotAllowed, TrialdeskError
from services.stripe_api.failures import StripeUnavailable
from tests.desk.bench import (
    ANA,
    BEN,
    BY_DELETE,
    FORMS,
    GRAVE,
    VIC,
    WEEK,
    Bench,
    form_of,
    happened,
    name_of,
    prepare,
    press,
    row,
    within,
)

SQLITE = pytest.mark.parametrize("idle_desk", ["sqlite"], indirect=True, scope="module")
FAULTS = ("timeout_before", "timeout_after", "500_before", "500_after", "409", "429")


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(repeats, "PAUSES", (0.01,))
    yield


@pytest.mark.both_databases
@pytest.mark.parametrize("command", ["add_charge", "cancel"])
def test_twenty_clicks_at_once_are_one(desk: Bench, command: str) -> None:
    about = prepare(desk, command)
    opened = commands.open(ANA, command, about.customer.id, about.object_id)

    def click(_: int) -> Outcome:
        return commands.submit(opened, ANA, FORMS[command], "asked for it")

    with ThreadPoolExecutor(20) as pool:
        outcomes = list(pool.map(click, range(20)))
    assert {(each.state, each.message) for each in outcomes} == {("done", outcomes[0].message)}
    assert len(happened(desk, command, about)) == 1
    assert row(opened.token)["attempt"] == 1


def test_of_two_people_the_second_is_told_of_the_first(desk: Bench) -> None:
    about = desk.in_state("trialing")
    first = commands.open(ANA, "extend_trial", about.customer.id, about.object_id)
    second = commands.open(BEN, "extend_trial", about.customer.id, about.object_id)
    assert commands.submit(first, ANA, WEEK, "").state == "done"
    outcome = commands.submit(second, BEN, WEEK, "")
    assert outcome.state == "failed"
    assert outcome.message.startswith("Ana did “Extend trial” on") and "Trial ends:" in outcome.message
    assert len(happened(desk, "extend_trial", about)) == 1


@pytest.mark.both_databases
def test_two_people_who_cancel_and_extend_at_once_get_one_done(desk: Bench) -> None:
    about = desk.in_state("trialing")
    forms: list[tuple[object, str, Form]] = [(ANA, "extend_trial", WEEK), (BEN, "cancel", {"when": "now"})]
    opened = [commands.open(who, name, about.customer.id, about.object_id) for who, name, _ in forms]  # type: ignore[arg-type]
    with ThreadPoolExecutor(2) as pool:
        done = [
            pool.submit(commands.submit, each, who, form, "at once")  # type: ignore[arg-type]
            for each, (who, _, form) in zip(opened, forms, strict=True)
        ]
    states = sorted(each.result().state for each in done)
    assert states == ["done", "failed"]
    lost = next(each.result() for each in done if each.result().state == "failed")
    assert "after this dialog was opened" in lost.message


def test_a_charge_that_somebody_else_just_added_stops_the_second(desk: Bench) -> None:
    about = desk.in_state("active")
    form = {"amount": "25", "description": "Setup", "when": "next"}
    second = commands.open(BEN, "add_charge", about.customer.id, about.object_id)
    press(ANA, "add_charge", about, **form)
    outcome = commands.submit(second, BEN, form, "same thing")
    assert outcome.state == "failed" and "Ana did “Add charge”" in outcome.message
    assert outcome.overtaken and row(second.token)["state"] == "failed"
    assert len(desk.sdk.invoice_items.list({"customer": about.customer.id}).data) == 1


@pytest.mark.parametrize("at_once", [True, False])
def test_two_people_who_retry_one_payment_try_the_card_once(desk: Bench, at_once: bool) -> None:
    about = desk.failed_invoice()
    failures = len(desk.sdk.charges.list({"customer": about.customer.id}).data)
    opened = [
        (who, commands.open(who, "retry_payment", about.customer.id, about.object_id)) for who in (ANA, BEN)
    ]
    with ThreadPoolExecutor(2 if at_once else 1) as pool:
        done = list(pool.map(lambda each: commands.submit(each[1], each[0], {}, "asked for it"), opened))
    assert [each.state for each in done] == ["failed", "failed"]
    refused = [each.message for each in done if "this payment after this dialog was opened" in each.message]
    assert len(refused) == 1 and "There was not enough money on the card." in refused[0], done
    assert at_once or refused[0].startswith("Ana tried"), refused
    assert len(desk.sdk.charges.list({"customer": about.customer.id}).data) == failures + 1
    _, again = press(BEN, "retry_payment", about)
    assert "after this dialog" not in again.message, "who opens it now sees the failure"


def test_a_payment_that_was_tried_in_stripe_is_not_tried_once_more(desk: Bench) -> None:
    about = desk.failed_invoice()
    opened = commands.open(ANA, "retry_payment", about.customer.id, about.object_id)
    with pytest.raises(stripe.CardError):
        desk.sdk.invoices.pay(about.object_id)  # Stripe does not count attempts by hand after the first
    tried = len(desk.sdk.charges.list({"customer": about.customer.id}).data)
    outcome = commands.submit(opened, ANA, {}, "asked for it")
    assert outcome.message.startswith("Somebody or Stripe itself tried this payment"), outcome
    assert len(desk.sdk.charges.list({"customer": about.customer.id}).data) == tried


@SQLITE
def test_ones_own_repeat_is_not_stopped_by_ones_own_decline(desk: Bench) -> None:
    about = desk.failed_invoice()
    opened = commands.open(ANA, "retry_payment", about.customer.id, about.object_id)
    desk.sandbox.fault("timeout_after", method="POST", path="/v1/invoices/in_", count=1)
    outcome = commands.submit(opened, ANA, {}, "asked for it")
    desk.sandbox.heal()
    assert row(opened.token)["error"].get("decline_code") == "insufficient_funds", outcome


def test_what_changed_in_stripe_meanwhile_stops_it_and_is_shown(desk: Bench) -> None:
    about = desk.in_state("active")
    opened = commands.open(ANA, "cancel", about.customer.id, about.object_id)
    desk.sdk.subscriptions.update(about.object_id, {"cancel_at_period_end": True})
    outcome = commands.submit(opened, ANA, {"when": "now"}, "asked")
    assert outcome.state == "failed" and "changed in Stripe since the dialog was opened" in outcome.message
    assert "Set to end: no →" in outcome.message
    assert desk.sdk.subscriptions.retrieve(about.object_id).status == "active"


LOST = [(command, kind) for command in FORMS for kind in FAULTS]
PREVIEWED = ("reactivate", "end_trial", "change_plan", "apply_coupon", "remove_coupon", "start_trial")
# What is tried in the normal run: of each command an answer that got lost after the work was done.
NORMAL = {
    ("add_charge", "timeout_after"), ("add_charge", "500_after"), ("cancel", "timeout_after"),
    ("cancel", "500_after"), ("extend_trial", "timeout_after"), ("end_trial", "timeout_after"),
    ("reactivate", "timeout_after"), ("retry_payment", "timeout_after"), ("account_credit", "timeout_after"),
    ("change_plan", "timeout_after"), ("refund", "timeout_after"), ("retry_all", "timeout_after"),
}  # fmt: skip


def test_the_normal_run_loses_an_answer_of_whatever_moves_money_or_ends_something() -> None:
    assert {command for command, kind in NORMAL if kind.endswith("_after")} >= GRAVE
    assert set(LOST) >= NORMAL
    # A link leaves nothing in the account, and an extension is taken back by the request of another command.
    assert set(catalog.COMMANDS) - set(FORMS) == {"card_link", "take_back_extension"}


@SQLITE
@pytest.mark.parametrize(
    ("command", "kind"),
    [pytest.param(*case, marks=[] if case in NORMAL else [pytest.mark.slow]) for case in LOST],
)
def test_a_lost_answer_is_one_effect(desk: Bench, command: str, kind: str) -> None:
    about = prepare(desk, command)
    opened = commands.open(ANA, name_of(command), about.customer.id, about.object_id)
    method = "DELETE" if command in BY_DELETE else "POST"
    path = "/v1/subscriptions" if command in PREVIEWED else "/v1/"  # not the preview before it
    desk.sandbox.fault(kind, method=method, path=path, count=3)
    outcome = commands.submit(opened, ANA, form_of(desk, command), "asked for it")
    desk.sandbox.heal()
    assert outcome.state == "done", outcome
    assert len(happened(desk, command, about)) == 1
    kept = row(opened.token)
    assert kept["state"] == "done" and kept["attempt"] == 1


@pytest.mark.slow
@SQLITE
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("command", [command for command in FORMS if command != "retry_all"])
def test_whatever_goes_wrong_on_any_call_the_ledger_tells_what_the_account_shows(
    desk: Bench, command: str, seed: int
) -> None:
    about = prepare(desk, command)
    opened = commands.open(ANA, name_of(command), about.customer.id, about.object_id)
    for number, kind in enumerate(FAULTS):
        desk.sandbox.fault(kind, path="/v1/", probability=0.15, seed=10 * seed + number)
    try:
        commands.submit(opened, ANA, form_of(desk, command), "asked for it")
    except TrialdeskError:  # what it comes to could not be asked: nothing was begun
        assert row(opened.token)["state"] == "open"
    desk.sandbox.heal()
    if row(opened.token)["state"] == "unknown":
        unknown.try_again(ANA, opened.token)
    state = within(30, lambda: {"running": ""}.get(now := row(opened.token)["state"], now))
    made = happened(desk, command, about)
    if (
        made and state == "failed"
    ):  # the last of several requests could not be made: then it is said what stands
        assert made[0] in row(opened.token)["error"]["left"]
    else:
        assert (len(made), state) in ((1, "done"), (0, "failed"), (0, "open"))


@SQLITE
@pytest.mark.parametrize("command", ["extend_trial", "cancel"])
@pytest.mark.parametrize(
    ("kind", "state", "times"),
    [("timeout_after", "done", 1), ("500_after", "done", 1), ("500_before", "failed", 0)],
)
def test_an_answer_that_never_comes_is_looked_up(
    desk: Bench, command: str, kind: str, state: str, times: int
) -> None:
    about = prepare(desk, command)
    opened = commands.open(ANA, command, about.customer.id, about.object_id)
    desk.sandbox.fault(kind, method="DELETE" if command == "cancel" else "POST", path="/v1/subscriptions")
    outcome = commands.submit(opened, ANA, FORMS[command], "asked for it")
    desk.sandbox.heal()
    assert (outcome.state, len(happened(desk, command, about))) == (state, times), outcome
    if state == "failed":
        assert "no sign that it was done" in outcome.message


@SQLITE
@pytest.mark.parametrize("command", ["extend_trial", "cancel", "reactivate"])
def test_a_time_out_before_server_errors_leaves_it_unknown(desk: Bench, command: str) -> None:
    about = prepare(desk, command)
    opened = commands.open(ANA, command, about.customer.id, about.object_id)
    where = {"method": "DELETE" if command == "cancel" else "POST", "path": "/v1/subscriptions"}
    desk.sandbox.fault("timeout_before", **where, count=1)
    desk.sandbox.fault("500_before", **where)
    outcome = commands.submit(opened, ANA, FORMS[command], "asked for it")
    assert outcome.state == "unknown", outcome
    assert unknown.try_again(BEN, opened.token).state == "unknown", "the first attempt is not forgotten"
    desk.sandbox.heal()
    assert unknown.try_again(BEN, opened.token).state == "done"
    assert len(happened(desk, command, about)) == 1


@SQLITE
@pytest.mark.parametrize(
    ("command", "path"),
    [
        ("add_charge", "/v1/invoices"),
        ("add_charge", "/v1/invoiceitems"),
        ("retry_payment", "/v1/invoices/in_"),
        ("reactivate", "/v1/subscriptions"),
        ("account_credit", "/v1/customers"),
        ("refund", "/v1/refunds"),
    ],
)
def test_where_money_moves_a_server_error_is_not_taken_for_a_no(desk: Bench, command: str, path: str) -> None:
    about = prepare(desk, command)
    opened = commands.open(ANA, command, about.customer.id, about.object_id)
    desk.sandbox.fault("500_before", method="POST", path=path)
    outcome = commands.submit(opened, ANA, FORMS[command], "asked for it")
    desk.sandbox.heal()
    assert outcome.state == "unknown" and "Check again" in outcome.remedy, outcome
    assert happened(desk, command, about) == []
    assert unknown.try_again(BEN, opened.token).state == "done"
    assert len(happened(desk, command, about)) == 1


@SQLITE
def test_a_preview_that_is_not_answered_leaves_nothing_in_doubt(desk: Bench) -> None:
    about = desk.in_state("canceled")
    desk.sandbox.fault("timeout_after", method="POST", path="/v1/invoices/create_preview")
    with pytest.raises(StripeUnavailable, match="cannot be reached"):
        commands.open(ANA, "reactivate", about.customer.id, about.object_id)
    assert happened(desk, "reactivate", about) == []


def lose(desk: Bench, command: str) -> tuple[Subject, str]:
    """A command whose request was sent, and of which nothing was ever heard again."""
    about = prepare(desk, command)
    opened = commands.open(ANA, command, about.customer.id, about.object_id)
    desk.sandbox.fault(
        "timeout_before", method="DELETE" if command == "cancel" else "POST", path="/v1/subscriptions"
    )
    outcome = commands.submit(opened, ANA, FORMS[command], "asked for it")
    desk.sandbox.heal()
    assert outcome.state == "unknown" and about.object_id in outcome.remedy, outcome
    return about, opened.token


@pytest.mark.parametrize("command", ["extend_trial", "cancel"])
def test_unknown_is_finished_under_the_first_keys(desk: Bench, command: str) -> None:
    about, token = lose(desk, command)
    with pytest.raises(NotAllowed):
        unknown.try_again(VIC, token)
    assert unknown.try_again(BEN, token).state == "done"
    assert len(happened(desk, command, about)) == 1
    kept = row(token)
    assert (kept["attempt"], kept["staff_name"], kept["error"]) == (2, "Ana", {})
    keys = {each["idempotency_key"] for each in desk.writes("/v1/subscriptions") if token in str(each)}
    assert keys <= {f"{token}:update"}
    with pytest.raises(Conflict, match="is done, not unknown"):
        unknown.try_again(BEN, token)


def test_an_attempt_that_was_overtaken_ends_nothing(desk: Bench) -> None:
    about, token = lose(desk, "extend_trial")
    with database.transaction() as session:
        session.execute(update(Action).where(col(Action.token) == token).values(state="running", attempt=2))
    assert runner.close(token, 1) == "running", "somebody saw “unknown” and asked again before the end"
    assert runner.check(token, 1) == []
    assert runner.give_up(token, 1, "KeyError") == "running"
    assert row(token)["state"] == "running" and happened(desk, "extend_trial", about) == []
    loose_ends.take_up()
    assert commands.wait(token).state == "done"
    assert len(happened(desk, "extend_trial", about)) == 1


@SQLITE
def test_a_fault_ends_its_own_attempt_as_unknown(desk: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    about = prepare(desk, "extend_trial")
    opened = commands.open(ANA, "extend_trial", about.customer.id, about.object_id)

    def fault(*_: object) -> None:
        raise KeyError

    with monkeypatch.context() as broken:
        broken.setattr(runner, "_prepare", fault)
        outcome = commands.submit(opened, ANA, WEEK, "")
    assert outcome.state == "unknown" and "a fault of its own (KeyError)" in outcome.message
    assert unknown.try_again(BEN, opened.token).state == "done"
    assert len(happened(desk, "extend_trial", about)) == 1


@SQLITE
def test_after_a_day_a_key_is_not_used_again(desk: Bench) -> None:
    about, token = lose(desk, "extend_trial")
    with database.transaction() as session:
        yesterday = clock.now() - clock.DAY
        session.execute(
            update(ActionStep).where(col(ActionStep.token) == token).values(prepared_at=yesterday)
        )
    sent = len(desk.writes("/v1/subscriptions"))
    assert unknown.try_again(ANA, token).state == "unknown"
    assert len(desk.writes("/v1/subscriptions")) == sent
    assert happened(desk, "extend_trial", about) == []


def test_work_that_no_queue_knows_is_taken_up(desk: Bench) -> None:
    about = desk.in_state("trialing")
    opened = commands.open(ANA, "extend_trial", about.customer.id, about.object_id)
    assert about.subscription and about.subscription.trial_end
    params = {"trial_end": about.subscription.trial_end + 7 * clock.DAY}
    with database.transaction() as session:
        assert ledger.begin(session, opened.token, params=params, reason="", preview={})
        assert not ledger.begin(session, opened.token, params={}, reason="", preview={})
    loose_ends.take_up()
    assert commands.wait(opened.token).state == "done"
    assert len(happened(desk, "extend_trial", about)) == 1


def test_a_link_that_nobody_saw_is_not_made_again_by_itself(desk: Bench) -> None:
    customer = desk.customer(None)
    opened = commands.open(ANA, "card_link", customer)
    with database.transaction() as session:
        ledger.begin(session, opened.token, params={"customer": customer}, reason="", preview={})
    loose_ends.take_up()
    assert row(opened.token)["state"] == "running", "somebody may still wait for it"
    clock.follow(600)
    loose_ends.take_up()
    assert row(opened.token)["state"] == "failed"
    assert "link was shown" in row(opened.token)["error"]["message"]

"""Does “Undo” bring back what was there before, once, and nothing that a colleague did since?"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import pytest

from models import Action
from services import clock, database
from services.desk import commands, fresh, limits, undo
from services.desk.asking import Opened
from services.desk.commands import Outcome
from services.desk.entries import Entry, told
from services.desk.limits import OverLimit
from services.desk.subject import Subject
from services.desk.undo import Undo
from services.errors import Conflict, InvalidInput, NotAllowed
from services.staff.roles import Measure, Person, Policy, Role
from tests.desk.bench import ANA, BEN, SAM, VIC, WEEK, Bench, press, row

pytestmark = pytest.mark.parametrize("idle_desk", ["sqlite"], indirect=True, scope="module")
KINDS: dict[
    str, tuple[str, str, dict[str, str], dict[str, str]]
] = {  # command, state, form, form of the undo
    "extension": ("extend_trial", "trialing", dict(WEEK), {}),
    "end of the period": ("cancel", "active", {"when": "period_end"}, {}),
    "end on a date": ("cancel", "active", {"when": "date", "date": "2099-01-31"}, {}),
    "pause": ("pause_collection", "active", {"behavior": "void"}, {}),
    "coupon": ("apply_coupon", "discounted", {"kind": "coupon", "coupon": "FIFTH"}, {}),
    "charge": ("add_charge", "active", {"amount": "25", "description": "Setup", "when": "next"}, {}),
    "plan": ("change_plan", "active", {"quantity": "3", "billing": "none"}, {"billing": "none"}),
}


def account(desk: Bench, about: Subject) -> dict[str, Any]:
    """What an undo has to bring back."""
    found = desk.sdk.subscriptions.retrieve(about.object_id)
    waiting = desk.sdk.invoice_items.list({"customer": about.customer.id, "pending": True}).data
    return {
        **{name: getattr(found, name) for name in ("status", "trial_end", "cancel_at", "pause_collection")},
        "discounts": list(found.discounts),
        "items": [(each.id, each.price.id, each.quantity) for each in found["items"].data],
        "waiting": [each.id for each in waiting],
    }


def did(desk: Bench, kind: str) -> tuple[Subject, str]:
    """Somebody to whom Ana did it, and the token of that."""
    command, state, form, _ = KINDS[kind]
    desk.coupon("FIFTH", 20)
    about = desk.in_state(state)
    opened, outcome = press(ANA, command, about, **form)
    assert outcome.state == "done", outcome
    return about, opened.token


def confirmed(opened: Opened, person: Person, form: dict[str, str]) -> Outcome:
    if opened.command.asks({"prorate": True}):
        opened.ask(form)
    return commands.submit(opened, person, form, "a mistake")


def a_second_passes() -> None:
    """What was done in the second in which a dialog opens may be newer than what it shows."""
    time.sleep(1.1)


def offered(token: str, person: Person = BEN) -> Undo:
    with database.session() as session:
        found = undo.of(session, person, token)
    assert found is not None
    return found


def entry(token: str) -> Entry:
    with database.session() as session:
        return told(session, [("actions", token)])[0]


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_done_is_taken_back_once_and_the_ledger_says_by_whom(desk: Bench, kind: str) -> None:
    command, state, form, how = KINDS[kind]
    desk.coupon("FIFTH", 20)
    about = desk.in_state(state)
    before = account(desk, about)
    first, _ = press(ANA, command, about, **form)
    assert account(desk, about) != before
    assert offered(first.token).why_not == ""
    if first.command.once_at_a_time:
        a_second_passes()
    one, two = undo.open(BEN, first.token), undo.open(ANA, first.token)
    assert confirmed(one, BEN, how).state == "done"
    assert account(desk, about) == before
    late = confirmed(two, ANA, how)
    assert late.overtaken and "Ben did “" in late.message, late
    assert account(desk, about) == before
    assert row(one.token)["params"]["undoes"] == first.token
    assert entry(first.token).undone.startswith("Undone by Ben, ")
    assert f"Takes back “{first.command.title}” by Ana, " in entry(one.token).change
    with pytest.raises(Conflict, match="Ben took it back on"):
        undo.open(ANA, first.token)


def test_the_old_plan_comes_back_at_its_price_with_what_stripe_says_that_it_comes_to(desk: Bench) -> None:
    about = desk.in_state("active")
    pro = desk.price(9900)
    changed, outcome = press(ANA, "change_plan", about, price=pro, quantity="2", billing="now")
    assert outcome.state == "done", outcome
    a_second_passes()
    opened = undo.open(BEN, changed.token)
    typed = {"billing": "next", "price": pro, "quantity": "9"}
    opened.ask(typed)
    heard = commands.preview(opened, typed)
    assert "becomes Team 4900-usd-month at $49.00 a month now." in heard.happens[0], "and not what is typed"
    assert " is credited for the time not used, and " in heard.happens[1]
    assert commands.submit(opened, BEN, typed, "wrong customer").state == "done"
    [item] = desk.sdk.subscriptions.retrieve(about.object_id)["items"].data
    assert (item.price.id, item.quantity) == (desk.price(), 1)
    again = undo.open(ANA, opened.token)  # an undo is an action like others
    assert again.undoing and again.undoing.form["price"] == pro


def test_an_old_plan_that_is_not_sold_any_more_does_not_come_back(desk: Bench) -> None:
    old = desk.price(1300)
    customer = desk.customer()
    about = fresh.subject(customer, desk.subscribe(customer, items=[{"price": old}]))
    changed, _ = press(ANA, "change_plan", about, price=desk.price(), quantity="1", billing="none")
    desk.sdk.prices.update(old, {"active": False})
    desk.mirror("price", old)
    assert offered(changed.token).why_not == "The old plan is not sold any more."


def test_what_a_colleague_did_after_it_stands_against_it_until_that_is_taken_back(desk: Bench) -> None:
    about, mine = did(desk, "extension")
    a_second_passes()
    later, _ = press(BEN, "extend_trial", about, **WEEK)
    assert "after it came “Extend trial” by Ben" in offered(mine).why_not
    with pytest.raises(Conflict, match="“Extend trial” by Ben"):
        undo.open(ANA, mine)
    assert confirmed(undo.open(ANA, later.token), ANA, {}).state == "done"
    assert confirmed(undo.open(ANA, mine), ANA, {}).state == "done"
    assert about.subscription
    assert account(desk, about)["trial_end"] == about.subscription.trial_end


def test_a_cancellation_that_another_one_replaced_is_not_taken_back_for_it(desk: Bench) -> None:
    about, mine = did(desk, "end of the period")
    a_second_passes()
    press(BEN, "undo_cancel", about)
    a_second_passes()
    press(BEN, "cancel", about, when="period_end")
    assert "after it came “Cancel” by Ben" in offered(mine).why_not
    assert account(desk, about)["cancel_at"]


def test_what_changed_in_stripe_since_is_read_before_anything_is_offered(desk: Bench) -> None:
    about, mine = did(desk, "extension")
    moved = int(row(mine)["after"]["trial_end"]) + clock.DAY
    desk.sdk.subscriptions.update(about.object_id, {"trial_end": moved, "proration_behavior": "none"})
    with pytest.raises(Conflict, match="changed since, in Stripe or by itself"):
        undo.open(ANA, mine)
    assert account(desk, about)["trial_end"] == moved


def test_a_dialog_that_stayed_open_takes_nothing_back_a_second_time(desk: Bench) -> None:
    about, mine = did(desk, "extension")
    stale = undo.open(BEN, mine)
    assert confirmed(undo.open(ANA, mine), ANA, {}).state == "done"
    a_second_passes()
    press(ANA, "extend_trial", about, **WEEK)  # it stands again as the open dialog shows it
    extended = account(desk, about)["trial_end"]
    late = confirmed(stale, BEN, {})
    assert late.overtaken and "Ana did “Take back extension”" in late.message, late
    assert account(desk, about)["trial_end"] == extended


def test_an_old_end_that_has_passed_does_not_come_back(desk: Bench) -> None:
    about, mine = did(desk, "extension")
    opened = undo.open(BEN, mine)
    with database.transaction() as session:
        action = session.get_one(Action, mine)
        action.before = {**action.before, "trial_end": clock.now() - 1}
    assert offered(mine).why_not.startswith("Its old end, ") and "has passed" in offered(mine).why_not
    with pytest.raises(InvalidInput, match="has passed"):
        commands.submit(opened, BEN, {}, "")
    assert account(desk, about)["status"] == "trialing"


def test_a_pause_of_what_has_ended_since_starts_nothing_anew(desk: Bench) -> None:
    about, mine = did(desk, "pause")
    desk.sdk.subscriptions.cancel(about.object_id)
    fresh.subject(about.customer.id, about.object_id)
    assert "does not run any more" in offered(mine).why_not


def test_days_that_were_taken_back_count_for_nobodys_limit(desk: Bench) -> None:
    limited = {(Measure.TRIAL_DAYS, ""): 7, (Measure.TRIAL_DAYS_IN_ALL, ""): 10}
    sam = replace(SAM, policy=Policy(limits={Role.SALES: limited}))
    about = desk.in_state("trialing")
    first, _ = press(sam, "extend_trial", about, **WEEK)
    assert confirmed(undo.open(sam, first.token), sam, {}).state == "done"
    assert press(sam, "extend_trial", about, **WEEK)[1].state == "done"
    assert press(sam, "extend_trial", about, mode="days", days="3")[1].state == "done"
    with pytest.raises(OverLimit, match="this is 11"):
        press(sam, "extend_trial", about, mode="days", days="1")


@pytest.mark.parametrize(("state", "counted"), [("done", 0), ("unknown", 7), ("running", 7), ("failed", 7)])
def test_days_count_until_it_is_known_that_they_were_taken_back(
    desk: Bench, state: str, counted: int
) -> None:
    customer, week = desk.customer(), 7 * clock.DAY
    moves = (("extend_trial", "done", 1000, 1000 + week), ("take_back_extension", state, 1000 + week, 1000))
    with database.transaction() as session:
        for command, stands, before, after in moves:
            session.add(
                Action(
                    token=f"{customer}-{command}", command=command, state=stands, customer=customer,
                    opened_at=1, before={"trial_end": before}, params={"trial_end": after},
                )
            )  # fmt: skip
        assert limits.days_before(session, customer) == counted


def test_a_trial_goes_back_to_no_end_that_it_never_had(desk: Bench) -> None:
    _, others = did(desk, "extension")
    about, mine = did(desk, "extension")
    opened = commands.open(SAM, "take_back_extension", about.customer.id, about.object_id)
    with pytest.raises(InvalidInput, match="no extension of this trial"):
        commands.submit(opened, SAM, {"action": others, "trial_end": "1"}, "")
    assert commands.submit(opened, SAM, {"action": mine}, "").state == "done"
    assert entry(mine).undone.startswith("Undone by Sam, ")


def test_who_may_not_give_the_command_may_not_undo_with_it(desk: Bench) -> None:
    _, extension = did(desk, "extension")
    _, cancellation = did(desk, "end of the period")
    assert "may not extend trials" in offered(extension, VIC).why_not
    assert "may not cancel subscriptions" in offered(cancellation, SAM).why_not
    with pytest.raises(Conflict, match="may not cancel"):
        undo.open(SAM, cancellation)
    opened = undo.open(SAM, extension)
    with pytest.raises(NotAllowed):
        commands.submit(opened, VIC, {}, "")


@pytest.mark.parametrize(
    ("command", "state", "form", "said"),
    [
        ("cancel", "active", {"when": "now"}, "can only be started anew"),
        ("end_trial", "trialing", {}, "cannot be given back"),
        (
            "add_charge",
            "active",
            {"amount": "25", "description": "Setup", "when": "now"},
            "refund its payment",
        ),
    ],
)
def test_what_cannot_be_taken_back_says_why(
    desk: Bench, command: str, state: str, form: dict[str, str], said: str
) -> None:
    opened, outcome = press(ANA, command, desk.in_state(state), **form)
    assert outcome.state == "done" and said in offered(opened.token).why_not


def test_what_was_not_done_has_no_undo(desk: Bench) -> None:
    about = desk.in_state("active")
    opened = commands.open(ANA, "cancel", about.customer.id, about.object_id)
    with database.session() as session:
        assert undo.of(session, ANA, opened.token) is None
    with pytest.raises(Conflict, match="cannot be taken back"):
        undo.open(ANA, opened.token)


@pytest.mark.parametrize("kind", ["extension", "charge"])
def test_what_a_person_said_was_done_is_not_known_well_enough(desk: Bench, kind: str) -> None:
    _, mine = did(desk, kind)
    with database.transaction() as session:  # as a row is left that somebody settled
        action = session.get_one(Action, mine)
        action.result, action.after = {}, {}
    assert offered(mine).why_not.startswith("What it changed is not known here")


def test_a_charge_that_is_on_an_invoice_by_now_stays(desk: Bench) -> None:
    about, mine = did(desk, "charge")
    desk.sdk.invoices.create({"customer": about.customer.id, "subscription": about.object_id})
    desk.mirror("invoiceitem", row(mine)["result"]["invoice_item"])
    assert "It is on an invoice by now" in offered(mine).why_not

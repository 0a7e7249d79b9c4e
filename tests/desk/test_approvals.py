"""What is above a limit is refused, or waits for a second person who may do so much."""

from __future__ import annotations

import contextlib
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from sqlmodel import select

from models import Action, Staff, Subscription
from models.ledger import DECLINED
from services import database
from services.desk import approvals, commands, fresh
from services.desk.limits import OverLimit
from services.errors import Conflict, InvalidInput, NotAllowed
from services.staff import people
from services.staff.roles import Measure, Person, Policy, Role
from tests.desk.bench import ANA, BEN, SAM, VIC, WEEK, Bench, happened, in_days, press
from tests.desk.bench_invoices import paid

pytestmark = pytest.mark.both_databases

LIMITS = {
    Role.SALES: {(Measure.TRIAL_DAYS, ""): 7, (Measure.TRIAL_DAYS_IN_ALL, ""): 10},
    Role.SUPPORT: {(Measure.CHARGE, "usd"): 2000, (Measure.CHARGE, "jpy"): 10, (Measure.REFUND, "usd"): 2000},
}
STRICT, ASKING = Policy(limits=LIMITS), Policy(limits=LIMITS, approvals=True)
CHARGE = {"amount": "25", "description": "Setup", "when": "now"}
FRIDA = Person(5, "Frida", "frida@example.com", Role.FOUNDER, policy=ASKING)


def asking(person: Person) -> Person:
    return replace(person, policy=ASKING)


def row(token: str) -> Action:
    with database.session() as session:
        return session.get_one(Action, token)


def staffed(desk: Bench) -> None:
    """Ana and Sam stand in the staff table, with their ids."""
    with database.transaction() as session:
        for one in (ANA, SAM):
            session.merge(Staff(id=one.id, email=one.email, name=one.name, role=one.role, created_at=1))


def test_above_the_limit_is_refused_where_nobody_can_be_asked(desk: Bench) -> None:
    about = desk.in_state("active")
    ana = replace(ANA, policy=STRICT)
    opened = commands.open(ana, "add_charge", about.customer.id, about.object_id)
    for act in (
        lambda: commands.preview(opened, CHARGE),
        lambda: commands.submit(opened, ana, CHARGE, "Why"),
    ):
        with pytest.raises(OverLimit, match=r"up to \$20\.00 for the amount of a charge; this is \$25\.00"):
            act()
    assert happened(desk, "add_charge", about) == []
    assert commands.submit(opened, ana, {**CHARGE, "amount": "20"}, "Why").state == "done"


def test_days_are_counted_for_the_customer_in_all(desk: Bench) -> None:
    about = desk.in_state("trialing")
    sam = replace(SAM, policy=STRICT)
    assert press(sam, "extend_trial", about, **WEEK)[1].state == "done"
    with pytest.raises(
        OverLimit, match="up to 10 days for the days of trial given to one customer in all; this is 14"
    ):
        press(sam, "extend_trial", about, **WEEK)
    assert press(sam, "extend_trial", about, mode="days", days="3")[1].state == "done"


def test_a_currency_that_nobody_thought_of_is_above_the_limit(desk: Bench) -> None:
    customer = desk.customer()
    ana = replace(ANA, policy=STRICT)
    opened = commands.open(ana, "add_charge", customer, customer)
    with pytest.raises(OverLimit, match=r"no amount of a charge in EUR; this is €9,000\.00"):
        commands.preview(opened, {**CHARGE, "amount": "9000", "currency": "eur"})


def test_dialogs_that_are_open_at_once_add_up(desk: Bench) -> None:
    about = desk.in_state("trialing")
    other = fresh.subject(about.customer.id, desk.trial(about.customer.id))
    sam = replace(SAM, policy=STRICT)
    first, second = (
        commands.open(sam, "extend_trial", about.customer.id, one.object_id) for one in (about, other)
    )
    assert commands.submit(first, sam, WEEK, "").state == "done"
    with pytest.raises(OverLimit, match="this is 14"):
        commands.submit(second, sam, WEEK, "")
    assert commands.submit(first, sam, WEEK, "").state == "done", "the same click once more"


def test_what_waits_is_carried_out_once_a_second_person_allows_it(desk: Bench) -> None:
    about = desk.in_state("active")
    opened, outcome = press(asking(ANA), "add_charge", about, **CHARGE)
    assert (outcome.state, happened(desk, "add_charge", about)) == ("waiting", [])
    staffed(desk)
    with database.session() as session:
        [request] = [one for one in approvals.waiting(session, FRIDA) if one.entry.token == opened.token]
        [own] = [one for one in approvals.waiting(session, asking(ANA)) if one.entry.token == opened.token]
    assert (request.is_own, request.why_not, own.is_own) == (False, "", True)
    assert "$20.00" in request.over[0]
    assert "It is for “Setup”." in request.entry.happens[0]
    assert "If the card is declined, the invoice stays open." in request.entry.warnings
    second = commands.preview(
        commands.open(asking(BEN), "add_charge", about.customer.id, about.object_id), CHARGE
    )
    assert second.waits and any("Ana asked for the same on" in sentence for sentence in second.warnings)
    off = replace(FRIDA, policy=STRICT)
    with pytest.raises(NotAllowed, match="switched off"):
        approvals.allow(off, opened.token)
    for nobody in (asking(ANA), asking(BEN), asking(VIC)):
        with pytest.raises(NotAllowed):
            approvals.allow(nobody, opened.token)
    assert approvals.allow(FRIDA, opened.token).message == "$25.00 was charged."
    assert len(happened(desk, "add_charge", about)) == 1
    held = row(opened.token)
    assert (held.state, held.staff_name, held.decider_name) == ("done", "Ana", "Frida")
    with pytest.raises(Conflict, match="Frida has decided"):
        approvals.allow(FRIDA, opened.token)
    assert len(happened(desk, "add_charge", about)) == 1


def test_of_two_who_decide_at_once_the_second_is_told_who_was_first(
    desk: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    about = desk.in_state("active")
    opened, _ = press(asking(ANA), "add_charge", about, **CHARGE)
    real, turn = approvals.refusal, threading.Barrier(2)

    def meet(*given: Any) -> str:
        with contextlib.suppress(threading.BrokenBarrierError):  # SQLite lets one write at a time
            turn.wait(1)
        return real(*given)

    def decline(person: Person) -> str:
        try:
            return approvals.decline(person, opened.token, "no").message
        except Conflict as problem:
            return problem.message

    monkeypatch.setattr(approvals, "refusal", meet)
    with ThreadPoolExecutor(2) as both:
        said = sorted(both.map(decline, (FRIDA, asking(BEN))))
    first = row(opened.token).decider_name
    assert said == sorted(
        [f"{first} said no: no", f"This does not wait for approval any more. {first} has decided about it."]
    )


def test_a_request_is_declined_with_a_reason_or_taken_back(desk: Bench) -> None:
    about = desk.in_state("active")
    first, _ = press(asking(ANA), "add_charge", about, **CHARGE)
    with pytest.raises(InvalidInput, match="Say why not"):
        approvals.decline(FRIDA, first.token, " ")
    with pytest.raises(NotAllowed):
        approvals.decline(asking(VIC), first.token, "no")
    assert approvals.decline(FRIDA, first.token, "too much").message == "Frida said no: too much"
    second, _ = press(asking(ANA), "add_charge", about, **CHARGE)
    assert approvals.decline(asking(ANA), second.token, "").message == "Ana took it back."
    assert [row(one.token).end for one in (first, second)] == [DECLINED, DECLINED]
    assert happened(desk, "add_charge", about) == []


def test_what_has_changed_since_stops_what_was_asked_for(desk: Bench) -> None:
    about = desk.in_state("trialing")
    staffed(desk)
    opened, outcome = press(asking(SAM), "extend_trial", about, mode="days", days="9")
    assert outcome.state == "waiting"
    desk.sdk.subscriptions.update(about.object_id, {"trial_end": in_days(20), "proration_behavior": "none"})
    stopped = approvals.allow(FRIDA, opened.token)
    assert (stopped.state, stopped.overtaken) == ("failed", True)
    assert "Trial ends" in stopped.message


def test_who_is_gone_has_nothing_carried_out_any_more(desk: Bench) -> None:
    about = desk.in_state("active")
    opened, _ = press(asking(ANA), "add_charge", about, **CHARGE)
    staffed(desk)
    with database.transaction() as session:
        people.deactivate(session, ANA.email)
    with pytest.raises(NotAllowed, match="Ana may not do this any more"):
        approvals.allow(FRIDA, opened.token)
    assert approvals.decline(FRIDA, opened.token, "she has left").state == "failed"


def test_what_the_first_asked_for_is_measured_and_not_what_the_tables_say_since(desk: Bench) -> None:
    about = desk.in_state("trialing")
    staffed(desk)
    opened, _ = press(asking(SAM), "extend_trial", about, mode="days", days="60")
    desk.sdk.subscriptions.update(about.object_id, {"trial_end": in_days(70), "proration_behavior": "none"})
    fresh.subject(about.customer.id, about.object_id)
    month = replace(
        asking(BEN), policy=Policy(limits={Role.SUPPORT: {(Measure.TRIAL_DAYS, ""): 30}}, approvals=True)
    )
    with pytest.raises(NotAllowed, match="this is 60 days"):
        approvals.allow(month, opened.token)


def test_a_refund_above_its_own_limit_waits_for_a_second_person(desk: Bench) -> None:
    about = paid(desk)
    form = {"part": "part", "amount": "20.01", "code": ""}
    with pytest.raises(OverLimit, match=r"up to \$20\.00 for the amount of a refund; this is \$20\.01"):
        press(replace(ANA, policy=STRICT), "refund", about, **form)
    staffed(desk)
    opened, outcome = press(asking(ANA), "refund", about, **form)
    assert (outcome.state, happened(desk, "refund", about)) == ("waiting", [])
    with pytest.raises(NotAllowed, match="amount of a refund"):
        approvals.allow(asking(BEN), opened.token)
    assert approvals.allow(FRIDA, opened.token).message.startswith("$20.01 was refunded to the Visa card")
    assert len(happened(desk, "refund", about)) == 1


def test_a_trial_that_is_started_gives_days_too(desk: Bench) -> None:
    customer, price = desk.customer(), desk.price()
    started = {"price": price, "quantity": "1", "days": "8", "at_end": "cancel"}
    strict = replace(ANA, policy=Policy(limits={Role.SUPPORT: LIMITS[Role.SALES]}))
    opened = commands.open(strict, "start_trial", customer)
    with pytest.raises(OverLimit, match="up to 7 days for the days of trial given at once; this is 8 days"):
        commands.submit(opened, strict, started, "Why")
    opened.ask({**started, "days": "7"})
    assert commands.submit(opened, strict, {**started, "days": "7"}, "Why").state == "done"
    with database.session() as session:
        [begun] = session.exec(select(Subscription).where(Subscription.customer == customer)).all()
    with pytest.raises(
        OverLimit, match="up to 10 days for the days of trial given to one customer in all; this is 14"
    ):
        press(strict, "extend_trial", fresh.subject(customer, begun.id), **WEEK)


def test_credit_has_a_limit_of_its_own_and_what_is_taken_back_that_of_a_charge(desk: Bench) -> None:
    about = desk.in_state("active")
    policy = Policy(limits={Role.SUPPORT: {(Measure.CREDIT, "usd"): 500, (Measure.CHARGE, "usd"): 100}})
    ben, credit = replace(BEN, policy=policy), {"way": "give", "description": "Sorry"}
    with pytest.raises(OverLimit, match=r"up to \$5\.00 for the amount of account credit; this is \$5\.01"):
        press(ben, "account_credit", about, **credit, amount="5.01")
    assert press(ben, "account_credit", about, **credit, amount="5")[1].state == "done"
    with pytest.raises(OverLimit, match=r"up to \$1\.00 for the amount of a charge; this is \$1\.01"):
        press(ben, "account_credit", about, **{**credit, "way": "take"}, amount="1.01")

"""Requests to cancel are kept once, decided once, and approved by nothing but a cancel that was done."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
from sqlmodel import Session, col, select

from models import Action, CancellationRequest
from pages.components import formats
from services import clock, database
from services.customers import timeline
from services.desk import (
    activity,
    answering,
    asked,
    commands,
    fresh,
    hearing,
    requestboard,
    requests,
    unknown,
)
from services.desk.activity import ActivityFilter
from services.desk.hearing import Wish
from services.desk.requestboard import RequestFilter
from services.errors import Conflict, InvalidInput, NotAllowed, NotFound
from tests.desk.bench import ANA, BEN, SAM, VIC, Bench, press
from tests.desk.requested import ask, decide, held

pytestmark = pytest.mark.both_databases


def test_a_request_is_kept_once_and_what_is_said_again_is_added(desk: Bench) -> None:
    sub = desk.in_state("active").object_id
    first = ask(sub, None, "form-1", reason="unused", comment="Bye")
    assert (first.source, first.state, first.wish) == ("customer", "open", "period_end")
    assert ask(sub, None, "form-1", comment="Bye").comment == "Bye"
    decide(requests.offer, "form-1", "pause", "A month", by=ANA)
    offered = asked.as_seen(held("form-1"))
    for _ in range(2):
        ask(sub, ANA, "call-1", when="now", comment="I called, too")
    row = held("form-1")
    assert (row.comment, row.wish, row.reason) == ("Bye", "now", "unused")
    assert [(each["id"], each["by"], each["comment"]) for each in row.again] == [
        ("call-1", "Ana", "I called, too")
    ]
    assert row.state == "open", "what was offered did not keep them"
    with pytest.raises(Conflict, match="changed meanwhile"):
        decide(requests.refuse, "form-1", "contract", seen=offered)
    unheard = asked.as_seen(row)
    ask(sub, None, "form-2", when="now")
    with pytest.raises(Conflict, match="changed meanwhile"):
        decide(requests.refuse, "form-1", "contract", seen=unheard)


def test_who_asks_in_two_places_at_once_has_one_request(desk: Bench) -> None:
    sub = desk.in_state("active").object_id
    ids = [f"{sub}-{n}" for n in range(8)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda id: ask(sub, None, id, comment=id), [*ids, *ids]))
    with database.session() as session:
        [row] = session.exec(select(CancellationRequest).where(CancellationRequest.subscription == sub))
    assert sorted(each.id for each in hearing.sayings(row)) == ids
    assert sorted(each.comment for each in hearing.sayings(row)) == ids


def test_what_has_ended_or_is_not_there_cannot_be_asked_to_end(desk: Bench) -> None:
    with pytest.raises(Conflict, match=r"The subscription has ended on .* nothing to cancel"):
        ask(desk.shared("canceled").object_id)
    with pytest.raises(NotFound):
        ask("sub_nobody")
    running = desk.shared("active").object_id
    with pytest.raises(NotAllowed):
        ask(running, VIC)
    assert ask(running, SAM, "heard").received_by_name == "Sam", "sales hear it on calls"
    with pytest.raises(NotAllowed):
        decide(requests.refuse, "heard", "no", by=SAM)
    with database.transaction() as session, pytest.raises(NotFound):
        hearing.receive(session, "cus_other", "form", Wish(running))
    with pytest.raises(Conflict, match="another subscription"):
        ask(desk.shared("trialing").object_id, None, "heard")
    for wrong in ({"when": "soon"}, {"reason": "bored"}, {"comment": "x" * 2_001}):
        with pytest.raises(InvalidInput):
            ask(running, **wrong)


def test_approving_is_the_cancel_with_what_the_customer_said(desk: Bench) -> None:
    about = desk.in_state("active")
    request = ask(about.object_id, reason="too_expensive", comment="It costs\ntoo much")
    opened = answering.open(BEN, request.id)
    assert opened.answering and "too expensive" in opened.answering.said
    form = opened.answering.form
    assert held(request.id).state == "open", "a dialog that is open decides nothing"
    for _ in range(2):
        assert commands.submit(opened, BEN, form, "asked for it").state == "done"
    row = held(request.id)
    assert (row.state, row.decided_by_name, row.token) == ("approved", "Ben", opened.token)
    shown = desk.sdk.subscriptions.retrieve(about.object_id)
    said = shown.cancellation_details
    assert shown.cancel_at_period_end and said
    assert (said.feedback, said.comment) == ("too_expensive", "It costs too much")
    with pytest.raises(Conflict, match="Ben has dealt with the customer's request to cancel: it is approved"):
        answering.open(ANA, request.id)


def test_the_ordinary_cancel_approves_a_request_too(desk: Bench) -> None:
    about = desk.in_state("active")
    request = ask(about.object_id)
    opened, outcome = press(BEN, "cancel", about, when="now")
    assert outcome.state == "done"
    assert (held(request.id).state, held(request.id).token) == ("approved", opened.token)


def test_what_a_colleague_refused_meanwhile_is_not_canceled(desk: Bench) -> None:
    about = desk.in_state("active")
    request = ask(about.object_id)
    opened = answering.open(ANA, request.id)
    with pytest.raises(InvalidInput, match="Say why"):
        decide(requests.refuse, request.id, " ")
    decide(requests.refuse, request.id, "A year was agreed")
    assert opened.answering
    outcome = commands.submit(opened, ANA, opened.answering.form, "asked for it")
    assert (outcome.state, outcome.overtaken) == ("failed", True)
    assert outcome.message == "Ben has dealt with the customer's request to cancel: it is refused."
    assert not desk.sdk.subscriptions.retrieve(about.object_id).cancel_at_period_end
    assert held(request.id).note.endswith("Ben refused it: A year was agreed")
    with pytest.raises(Conflict):
        decide(requests.withdraw, request.id, "", by=ANA)


def test_a_click_on_approve_and_one_on_refuse_at_once_end_in_one_of_them(desk: Bench) -> None:
    about = desk.in_state("active")
    request = ask(about.object_id)
    opened = answering.open(ANA, request.id)
    assert opened.answering
    form = opened.answering.form

    def refuse() -> None:
        with suppress(Conflict):
            decide(requests.refuse, request.id, "no")

    with ThreadPoolExecutor(2) as pool:
        done = pool.submit(commands.submit, opened, ANA, form, "asked for it")
        pool.submit(refuse).result()
        state = done.result().state
    ends = desk.sdk.subscriptions.retrieve(about.object_id).cancel_at_period_end
    assert (state, held(request.id).state, ends) in (("done", "approved", True), ("failed", "refused", False))


def test_nobody_decides_while_a_cancel_has_no_known_end(desk: Bench) -> None:
    about = desk.in_state("active")
    request = ask(about.object_id)
    with database.transaction() as session:
        session.add(
            Action(
                token=f"open-{request.id}", command="cancel", state="unknown", staff=ANA.id, staff_name="Ana",
                customer=about.customer.id, object_id=about.object_id, opened_at=clock.now(),
                params={"when": "now", "feedback": "", "comment": "", "request": asked.as_seen(request)},
            )
        )  # fmt: skip
    with pytest.raises(Conflict, match=r"Ana has begun to cancel .* nobody knows"):
        decide(requests.refuse, request.id, "no")
    with database.session() as session:
        assert (
            "Ana has begun"
            in requestboard.undecided_of(session, about.customer.id)[about.object_id].under_way
        )
    unknown.settle(BEN, f"open-{request.id}", done=True, note="I looked")
    assert (held(request.id).state, held(request.id).token) == ("approved", f"open-{request.id}")


def test_what_was_ended_elsewhere_says_so_and_is_closed(desk: Bench) -> None:
    about = desk.in_state("active")
    request = ask(about.object_id)
    with pytest.raises(Conflict, match="goes on"):
        decide(requests.close, request.id)
    desk.sdk.subscriptions.update(about.object_id, {"cancel_at_period_end": True})
    fresh.subject(about.customer.id, about.object_id)
    with database.session() as session:
        [shown] = requestboard.undecided_of(session, about.customer.id).values()
    assert shown.settled.startswith("The subscription is set to end on ") and not shown.is_over
    desk.sdk.subscriptions.cancel(about.object_id)
    fresh.subject(about.customer.id, about.object_id)
    decide(requests.close, request.id)
    assert held(request.id).state == "elsewhere"
    assert "Ben closed it. The subscription has ended on" in held(request.id).note


def test_the_list_knows_what_the_customer_is_worth(desk: Bench) -> None:
    about = desk.in_state("active")
    for charge in desk.sdk.charges.list({"customer": about.customer.id}).data:
        desk.mirror("charge", charge.id)
    request = ask(about.object_id, reason="low_quality")
    later = ask(desk.in_state("trialing").object_id, reason="low_quality")
    with database.transaction() as session:
        session.get_one(CancellationRequest, request.id).received_at -= 60
    where = requestboard.conditions(RequestFilter(reason="low_quality"))
    with database.session() as session:
        before = requestboard.count_open(session)
        [one] = requestboard.page(session, where, offset=0, limit=1)
        [other] = requestboard.page(session, where, offset=1, limit=1)
        assert requestboard.count(session, where) == 2
    assert (one.row.id, one.name, one.plan) == (request.id, "Ada Lovelace", "Team 4900-usd-month")
    assert (one.value_micros, one.currency, one.paid) == (4_900_000_000, "usd", (("usd", 4900),))
    assert (other.row.id, other.status, other.paid) == (later.id, "trialing", ())
    decide(requests.offer, later.id, "longer_trial", "Two weeks", by=ANA)
    decide(requests.refuse, request.id, "no")
    with database.session() as session:
        assert requestboard.count_open(session) == before - 2, "an offer waits for the customer"
        assert [one.row.id for one in requestboard.page(session, where, offset=0, limit=9)] == [later.id]
        everything = requestboard.conditions(RequestFilter("", "low_quality"))
        counts = requestboard.count_by_state(session, everything)
        assert (counts["offered"], counts["refused"], counts["approved"]) == (1, 1, 0)


def test_activity_and_the_timeline_tell_what_became_of_it(desk: Bench) -> None:
    about = desk.in_state("active")
    request = ask(about.object_id, None, reason="too_complex", comment="My own words")
    decide(requests.offer, request.id, "coupon", "Half the price", by=ANA)
    decide(requests.withdraw, request.id, "She takes it")
    ask(about.object_id)
    with database.session() as session:
        wanted = ActivityFilter(customer=about.customer.id)
        found = [(each.title, each.staff_name, each.change, each.reason) for each in _told(session, wanted)]
        shown = timeline.latest(session, ANA, about.customer.id, ["Changes"], formats, limit=9).entries
    assert found == [
        ("Request to cancel", "The customer", "To end at the end of the period; because too complex", ""),
        ("Offer something else", "Ana", "Offered a discount; note Half the price", ""),
        ("Customer stays", "Ben", "", "She takes it"),
        ("Request to cancel", "Ana", "To end at the end of the period", ""),
    ]
    assert sorted(each.title for each in shown) == sorted(title for title, *_ in found)
    assert [each.detail for each in shown if each.title == "Customer stays"] == ["Why: She takes it"]
    with database.session() as session:
        seen = timeline.latest(session, VIC, about.customer.id, ["Changes"], formats, limit=9).entries
    assert [each.detail for each in seen if "note" in each.detail.lower() or "Why" in each.detail] == []


def _told(session: Session, wanted: ActivityFilter) -> list[activity.Entry]:
    return sorted(activity.search(session, ANA, wanted), key=lambda entry: int(entry.token))


def test_two_undecided_requests_of_one_subscription_cannot_be_kept(desk: Bench) -> None:
    sub = desk.in_state("active").object_id
    ask(sub)
    with database.session() as session:
        kept = session.exec(select(CancellationRequest).where(col(CancellationRequest.subscription) == sub))
        values = kept.one().model_dump() | {"id": "twin", "state": "offered"}
    with database.transaction() as session:
        assert not database.insert_once(session, CancellationRequest, values)

"""A cancel stops at what the customer or a colleague has said since, and fulfils no more than it does."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import UTC, datetime

import pytest

from models import Action
from services import clock, database
from services.desk import answering, asked, commands, limits, requestboard, requests, runner
from services.desk.asked import Seen
from services.desk.asking import Opened
from services.desk.subject import Subject
from services.errors import Conflict
from tests.desk.bench import ANA, BEN, Bench, press
from tests.desk.requested import ask, decide, held

pytestmark = pytest.mark.both_databases
PERIOD_END = 1_800_000_000


def test_what_is_said_since_the_dialog_opened_stops_a_cancel(desk: Bench) -> None:
    about = desk.in_state("active")
    sub = about.object_id

    def ordinary() -> Opened:
        return commands.open(ANA, "cancel", about.customer.id, sub)

    def stopped(opened: Opened, meanwhile: Callable[[], object]) -> str:
        meanwhile()
        outcome = commands.submit(opened, ANA, {"when": "now"}, "asked for it")
        assert (outcome.state, outcome.overtaken) == ("failed", True)
        return outcome.message

    said = stopped(ordinary(), lambda: ask(sub, None, "first", when="now"))
    assert said == "The customer has asked to cancel since this dialog was opened: now."
    for opened in (ordinary(), answering.open(ANA, "first")):
        said = stopped(opened, lambda: ask(sub, None, when="period_end"))
        assert said.endswith("asked again to cancel since this dialog was opened: at the end of the period.")
    offer = lambda: decide(requests.offer, "first", "coupon", "Half the price")  # noqa: E731
    said = stopped(answering.open(ANA, "first"), offer)
    assert said == "The customer was offered something else since this dialog was opened."
    said = stopped(ordinary(), lambda: decide(requests.withdraw, "first", "She stays"))
    assert said == "Ben has dealt with the customer's request to cancel: it is withdrawn."

    def comes_and_is_refused() -> None:
        decide(requests.refuse, ask(sub).id, "A year was agreed")

    assert stopped(ordinary(), comes_and_is_refused).endswith("it is refused.")
    assert desk.sdk.subscriptions.retrieve(sub).status == "active"


def test_what_is_said_while_a_cancel_runs_stays_open(desk: Bench) -> None:
    for seen, late in ((True, False), (True, True), (False, True)):
        about = desk.in_state("active")
        if seen:
            ask(about.object_id, None, f"{about.object_id}-1")
        token = running(about, when="period_end")
        if late:
            ask(about.object_id, None, f"{about.object_id}-2", when="now", comment="Now!")
        assert runner.close(token, 1) == "done"
        row = held(f"{about.object_id}-{1 if seen else 2}")
        assert row.state == ("open" if late else "approved")


def running(about: Subject, **params: str | int) -> str:
    """A cancel that Stripe has carried out, and that the ledger has not closed; its token."""
    token = commands.new_token()
    with database.transaction() as session:
        seen = {asked.SEEN: asked.seen(session, about.object_id)}
        session.add(
            Action(
                token=token, command="cancel", state="running", attempt=1, staff=ANA.id, staff_name="Ana",
                customer=about.customer.id, object_id=about.object_id, opened_at=clock.now(),
                before={"current_period_end": PERIOD_END}, params={**params, **seen},
            )
        )  # fmt: skip
    return token


def test_whoever_decides_and_a_cancel_that_ends_take_turns(desk: Bench) -> None:
    about = desk.in_state("active")
    request = ask(about.object_id)
    token = running(about, when="period_end")
    with ThreadPoolExecutor(1) as pool:
        with database.transaction() as session:
            limits.take_turn(session, about.customer.id)
            ends = pool.submit(runner.close, token, 1)
            wait([ends], timeout=0.5)
            seen = asked.as_seen(request)
            with pytest.raises(Conflict, match="Ana has begun to cancel"):
                requests.refuse(session, BEN, request.id, "no", seen=seen)
        assert ends.result() == "done"
    assert held(request.id).state == "approved"


@pytest.mark.parametrize(
    ("wish", "done", "stays"),
    [
        ("now", {"when": "now"}, False),
        ("now", {"when": "period_end"}, True),
        ("now", {"when": "date", "cancel_at": PERIOD_END - 1}, True),
        ("period_end", {"when": "now"}, False),
        ("period_end", {"when": "period_end"}, False),
        ("period_end", {"when": "date", "cancel_at": PERIOD_END}, False),
        ("period_end", {"when": "date", "cancel_at": PERIOD_END + 1}, True),
    ],
)
def test_an_end_that_is_later_than_asked_for_settles_nothing(
    wish: str, done: dict[str, str | int], stays: bool
) -> None:
    seen: Seen = {"id": "asked", "state": "open", "wish": wish, "said": "asked"}
    assert bool(asked.stays_open({**done, asked.SEEN: seen}, PERIOD_END)) == stays
    assert not asked.stays_open({**done, asked.SEEN: {**seen, "state": "refused"}}, PERIOD_END)
    assert not asked.stays_open({**done, asked.SEEN: None}, PERIOD_END)


def test_a_cancel_far_ahead_says_that_the_request_stays_open_and_the_card_how_it_stands(desk: Bench) -> None:
    about = desk.in_state("active")
    request = ask(about.object_id, when="now")
    opened = commands.open(ANA, "cancel", about.customer.id, about.object_id)
    day = datetime.fromtimestamp(clock.now() + 700 * clock.DAY, UTC).date().isoformat()
    form = {"when": "date", "date": day}
    opened.ask(form)
    told = commands.preview(opened, form).warnings
    assert "The customer asked for an earlier end (now): their request stays open." in told
    assert commands.submit(opened, ANA, form, "as agreed").state == "done"
    assert held(request.id).state == "open"
    with database.session() as session:
        shown = requestboard.undecided_of(session, about.customer.id)[about.object_id]
    assert shown.settled.startswith("The subscription is set to end on ")


def test_an_end_that_is_taken_back_is_told_of_an_approved_request(desk: Bench) -> None:
    about = desk.in_state("active")
    request = ask(about.object_id)
    goes_on = []
    for command, form in (("cancel", {"when": "period_end"}), ("undo_cancel", {})):
        assert press(BEN, command, about, **form)[1].state == "done"
        with database.session() as session:
            everything = requestboard.page(session, [], offset=0, limit=999)
        [shown] = [one for one in everything if one.row.id == request.id]
        goes_on.append((shown.row.state, shown.goes_on))
    assert goes_on == [("approved", ""), ("approved", "By now the subscription is not set to end.")]

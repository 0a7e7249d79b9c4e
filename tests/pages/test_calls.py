"""The Calls page: what is to be done, mine and all, with what the caller should know."""

from __future__ import annotations

from types import ModuleType

import pytest

from models import CallRequest
from services import clock
from services.staff import people
from tests.pages.work import add_trial, captions, column, open_page


@pytest.fixture
def board(staffed: ModuleType, ready: None) -> ModuleType:
    """A late call of Sam, one of nobody, one that is done."""
    now = clock.now()
    facts = {"plan": "Team, monthly", "plan_micros": 4_900_000_000, "currency": "usd", "trial_end": now}
    add_trial(staffed, "Jo", 2.5, phone="+44 20 7946 0000", country="JP", **facts)
    with staffed.transaction() as session:
        sam = next(person.id for person in people.active(session) if person.name == "Sam Okafor")
        for token, state, assignee, due, outcome in (
            ("late", "requested", sam, now - clock.DAY, None),
            ("open", "requested", None, None, None),
            ("over", "done", sam, now, "will_pay"),
        ):
            session.add(
                CallRequest(
                    token=token, customer="cus_jo", state=state, assignee=assignee, due_at=due, note=token,
                    created_at=now, outcome=outcome, closed_at=now if outcome else None, outcome_note="soon",
                )
            )  # fmt: skip
    return staffed


def test_what_is_to_be_done_stands_due_first(board: ModuleType) -> None:
    app = open_page("calls")
    assert column(app, "note") == ["late", "open"]
    assert column(app, "due")[0].startswith("Overdue: ")
    assert column(app, "due")[1] == "No date"
    assert column(app, "assignee") == ["Sam Okafor", "Nobody yet"]
    assert (column(app, "phone")[0], column(app, "value")[0]) == ("+44 20 7946 0000", "$49.00")
    assert column(app, "there")[0].endswith("M, Asia/Tokyo")
    assert "Requested 2 · Scheduled 0 · Done 1 · No-show 0 · Declined 0" in captions(app)


@pytest.mark.parametrize(
    ("address", "found"),
    [
        ({"calls_of": "Mine"}, ["late"]),
        ({"calls_of": "Nobody's"}, ["open"]),
        ({"calls_due": "Overdue"}, ["late"]),
        ({"calls_of": "Nobody's", "calls_due": "By today"}, []),
        ({"call_state": "Done"}, ["over"]),
        ({"calls_of": "Mine", "call_state": "Scheduled"}, []),
    ],
)
def test_an_address_shows_the_same_view(board: ModuleType, address: dict[str, str], found: list[str]) -> None:
    app = open_page("calls", **address)
    assert column(app, "note") == found
    if not found:
        assert any(caption.startswith("No call fits this view.") for caption in captions(app))


def test_an_outcome_is_told_in_words_beside_the_state(board: ModuleType) -> None:
    app = open_page("calls", call_state="Done")
    assert column(app, "outcome") == ["Will pay. soon"]
    assert list(app.dataframe[0].value)[:3] == ["customer", "state", "outcome"]
    assert "outcome" not in open_page("calls").dataframe[0].value


def test_a_viewer_sees_calls_and_why_the_buttons_are_closed(board: ModuleType) -> None:
    app = open_page("calls", acting_as="vera@trialdesk.test")
    assert column(app, "note") == ["late", "open"]
    help = {button.label: button.help or "" for button in app.button}
    assert all("may not work through calls" in help[label] for label in ("Schedule", "Outcome", "Reassign"))
    assert not any("Tick" in caption for caption in captions(app))


def test_who_sells_begins_with_their_own_calls(board: ModuleType) -> None:
    assert column(open_page("calls", acting_as="pia@trialdesk.test"), "note") == []
    everybody = open_page("calls", acting_as="pia@trialdesk.test", calls_of="All")
    assert column(everybody, "note") == ["late", "open"]

"""The page Requests to cancel, the same cards on the customer's page, and what their dialogs announce."""

from __future__ import annotations

from types import ModuleType

import pytest
from streamlit.testing.v1 import AppTest

from models import CancellationRequest, Customer, Subscription
from pages.components.request_dialogs import _Offer, _Record, _Refuse, _Stays
from services import clock
from services.desk import loading, requestboard
from services.desk.requestboard import Request
from services.errors import Conflict, InvalidInput
from services.outreach import messages
from services.outreach.variables import Occasion
from services.staff.roles import Person
from tests.pages.work import add_trial, captions, open_page

pytestmark = [
    pytest.mark.usefixtures("ready"),
    pytest.mark.parametrize("database_url", ["sqlite"], indirect=True),  # SQL has tests on both
]
NASTY = "**bye** <b>now</b>"


@pytest.fixture
def asked(staffed: ModuleType) -> ModuleType:
    """Jo asked first; Al was offered something; Cy was refused; Di has ended meanwhile."""
    for name in ("Jo", "Al", "Cy", "Di"):
        add_trial(staffed, name, 3)
    now = clock.now()
    with staffed.transaction() as session:
        session.get_one(Subscription, "sub_di").status = "canceled"
        for age, (name, state, reason) in enumerate(
            (
                ("Di", "open", ""),
                ("Cy", "refused", "other"),
                ("Al", "offered", "unused"),
                ("Jo", "open", "other"),
            )
        ):
            id = name.lower()
            session.add(
                CancellationRequest(
                    id=id, customer=f"cus_{id}", subscription=f"sub_{id}", source="customer", wish="now",
                    state=state, reason=reason, comment=NASTY, received_at=now - age * 60,
                    decided_at=now if state == "refused" else None, decided_by_name="Ben",
                )
            )  # fmt: skip
    return staffed


def shown(app: AppTest) -> list[str]:
    """Whose requests stand on the page, in order."""
    return [line.value.split("**")[1] for line in app.markdown if "to cancel" in line.value]


def labels(app: AppTest, id: str) -> list[str]:
    """The buttons of one request."""
    return [one.label for one in app.button if (one.key or "").endswith(f"-{id}")]


def test_the_longest_waiting_stands_first_with_what_can_be_answered(asked: ModuleType) -> None:
    app = open_page("cancel_requests")
    assert shown(app) == ["Jo", "Al", "Di"]
    assert "Open 2 · Offered 1 · Approved 0 · Refused 1 · Withdrawn 0 · Done elsewhere 0" in captions(app)
    answers = ["Approve", "Offer something else", "Refuse", "Customer stays", "Open customer"]
    assert labels(app, "jo") == labels(app, "al") == answers
    assert labels(app, "di") == ["Done elsewhere", "Open customer"]
    told = [text.value for text in app.text]
    assert f"“{NASTY}”" in told, "as it was typed, and as text"
    assert {"Why: Another reason", "Trial: 3 days left", "Would pay $49.00 a month"} <= set(told)
    assert "Paid so far: nothing" in told


@pytest.mark.parametrize(
    ("address", "found"),
    [
        ({"request_state": "Offered"}, ["Al"]),
        ({"request_state": "All", "request_reason": "Another reason"}, ["Jo", "Cy"]),
        ({"request_reason": "Not said"}, ["Di"]),
        ({"request_state": "Approved"}, []),
    ],
)
def test_an_address_shows_the_same_view(asked: ModuleType, address: dict[str, str], found: list[str]) -> None:
    app = open_page("cancel_requests", **address)
    assert shown(app) == found
    assert ("No request fits these filters." in captions(app)) == (not found)


def test_what_has_ended_elsewhere_is_closed_with_one_click(asked: ModuleType) -> None:
    app = open_page("cancel_requests")
    app.button(key="elsewhere-di").click().run()
    assert not app.exception and not app.error
    assert shown(app) == ["Jo", "Al"]
    with asked.session() as session:
        row = session.get_one(CancellationRequest, "di")
    assert (row.state, row.decided_by_name) == ("elsewhere", "Sam Okafor")


def test_a_viewer_sees_them_and_why_there_are_no_buttons(asked: ModuleType) -> None:
    app = open_page("cancel_requests", acting_as="vera@trialdesk.test")
    assert labels(app, "jo") == ["Open customer"]
    assert any("may not cancel subscriptions" in caption for caption in captions(app))


def test_the_customers_page_shows_what_waits_and_takes_what_is_said(asked: ModuleType) -> None:
    app = open_page("customer", id="cus_jo")
    assert shown(app) == ["The customer"]
    assert labels(app, "jo") == ["Approve", "Offer something else", "Refuse", "Customer stays"]
    assert not app.button(key="record:sub_jo").disabled
    assert shown(open_page("customer", id="cus_cy")) == []
    app = open_page("customer", id="cus_jo", acting_as="vera@trialdesk.test")
    assert app.button(key="record:sub_jo").disabled


def test_what_is_recorded_is_announced_and_kept_once(staffed: ModuleType, sam: Person) -> None:
    customer = add_trial(staffed, "Jo", 2)
    with staffed.session() as session:
        dialogue = _Record(loading.load(session, customer, "sub_jo"))
    form = {"when": "now", "reason": "unused", "comment": "By phone"}
    assert dialogue.preview(form).warnings == ()
    for _ in range(2):
        assert dialogue.submit(sam, form, "").state == "done"
    request = of(staffed, customer)
    assert (request.row.comment, request.row.received_by_name) == ("By phone", "Sam Okafor")
    [warning] = dialogue.preview(form).warnings
    assert warning.startswith("A request waits already")


def test_each_answer_says_what_it_does_and_does_it(staffed: ModuleType, sam: Person) -> None:
    customer = add_trial(staffed, "Jo", 2)
    with staffed.session() as session:
        record = _Record(loading.load(session, customer, "sub_jo"))
    record.submit(sam, {"when": "now", "reason": "", "comment": ""}, "")
    offer = _Offer(of(staffed, customer))
    with pytest.raises(InvalidInput, match="Say what exactly"):
        offer.preview({"what": "pause", "note": " "})
    form = {"what": "longer_trial", "note": "Two weeks"}
    assert (
        offer.preview(form).happens[-1].startswith("Where the customer agrees: “Extend trial” on their page")
    )
    assert offer.submit(sam, form, "").state == "done"
    assert of(staffed, customer).row.state == "offered"
    with pytest.raises(Conflict):
        _Refuse(offer._request).submit(sam, {}, "It was seen before the offer")
    assert _Stays(of(staffed, customer)).submit(sam, {}, "").message == "Closed: the customer stays."
    with staffed.session() as session:
        assert requestboard.undecided_of(session, customer) == {}


def test_the_mail_to_who_wants_to_leave_says_what_is_offered(staffed: ModuleType, sam: Person) -> None:
    customer = add_trial(staffed, "Jo", 2)
    with staffed.session() as session:
        for offer in ("", "Two weeks more"):
            choices = messages.choices(session, sam, customer, Occasion(offer=offer))
            [one] = [each for each in choices if each.template.slug == "cancellation_offer"]
            assert (offer in one.draft.body) if one.draft else ("Use “Offer something else”" in one.problem)
            assert bool(one.draft) == bool(offer)


def of(database: ModuleType, customer: str) -> Request:
    with database.session() as session:
        [request] = requestboard.undecided_of(session, customer).values()
    return request


def test_a_customer_who_is_gone_keeps_no_page_from_its_list(asked: ModuleType) -> None:
    with asked.transaction() as session:
        session.delete(session.get_one(Customer, "cus_jo"))
        session.delete(session.get_one(Subscription, "sub_jo"))
    app = open_page("cancel_requests")
    assert shown(app)[0] == "cus\\_jo"
    assert labels(app, "jo") == ["Done elsewhere", "Open customer"]

"""The page Requests to cancel, the same cards on the customer's page, and what their dialogs announce."""

from __future__ import annotations

from types import ModuleType

import pytest
from streamlit.testing.v1 import AppTest

from models import CancellationRequest, Customer, Subscription
from services import clock
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
    assert "Open 2 · Offered 1 · Approved 0 · Refused 1 · Withdrawn 0 · Ends anyway 0" in captions(app)
    answers = ["Approve", "Offer something else", "Refuse", "Customer stays", "Open customer"]
    assert labels(app, "jo") == labels(app, "al") == answers
    assert labels(app, "di") == ["Close request", "Open customer"]
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


def announced(page: str, key: str, **address: str) -> str:
    """What a dialog says as it opens, by the button that opens it."""
    app = open_page(page, **address)
    app.button(key=key).click().run()
    assert not app.exception
    return "\n".join(each.value for each in (*app.markdown, *app.caption))


def test_dialogs_announce_what_is_true_of_what_goes_on(asked: ModuleType) -> None:
    assert "A request waits already; this is added to it" in announced(
        "customer", "record:sub_jo", id="cus_jo"
    )
    assert "The subscription goes on as it is" in announced("cancel_requests", "refuse-jo")
    assert "The request is closed" in announced("cancel_requests", "stays-jo")
    assert "Choose what is offered" in announced("cancel_requests", "offer-jo")


def test_dialogs_announce_what_is_true_of_what_is_set_to_end(asked: ModuleType) -> None:
    with asked.transaction() as session:
        for name in ("jo", "cy"):
            session.get_one(Subscription, f"sub_{name}").cancel_at = clock.now() + clock.DAY
    ends = "The subscription is set to end on"
    assert ends in announced("customer", "record:sub_cy", id="cus_cy")
    told = announced("cancel_requests", "refuse-jo")
    assert "The request is refused" in told and "goes on" not in told
    assert "“Undo cancel” on their page takes that back" in announced("cancel_requests", "stays-jo")


def test_notes_are_for_who_may_read_others_reasons_and_sales_may_record(asked: ModuleType) -> None:
    note = "Ben offered a pause of two months"
    with asked.transaction() as session:
        row = session.get_one(CancellationRequest, "al")
        row.note, row.again = note, [{"id": "2", "at": row.received_at, "by": "Pia", "comment": "By phone"}]
    app = open_page("cancel_requests")
    assert note in captions(app)
    assert any(each.startswith("Again ") and each.endswith("recorded by Pia") for each in captions(app))
    assert "“By phone”" in [text.value for text in app.text]
    assert note not in captions(open_page("cancel_requests", acting_as="pia@trialdesk.test"))
    app = open_page("customer", id="cus_al", acting_as="pia@trialdesk.test")
    assert not app.button(key="record:sub_al").disabled and labels(app, "al") == []


def test_the_mail_to_who_wants_to_leave_says_what_is_offered(staffed: ModuleType, sam: Person) -> None:
    customer = add_trial(staffed, "Jo", 2)
    with staffed.session() as session:
        for offer in ("", "Two weeks more"):
            choices = messages.choices(session, sam, customer, Occasion(offer=offer))
            [one] = [each for each in choices if each.template.slug == "cancellation_offer"]
            assert (offer in one.draft.body) if one.draft else ("Use “Offer something else”" in one.problem)
            assert bool(one.draft) == bool(offer)


def test_a_customer_who_is_gone_keeps_no_page_from_its_list(asked: ModuleType) -> None:
    with asked.transaction() as session:
        session.delete(session.get_one(Customer, "cus_jo"))
        session.delete(session.get_one(Subscription, "sub_jo"))
    app = open_page("cancel_requests")
    assert shown(app)[0] == "cus\\_jo"
    assert labels(app, "jo") == ["Close request", "Open customer"]

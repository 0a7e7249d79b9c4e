"""The pages Policy and Approvals: what an admin decides holds, and what waits stands there."""

from __future__ import annotations

from types import ModuleType

import pytest
from sqlmodel import select

from models import Action, AuditEntry, Customer
from services import clock, database
from services.desk.commands import Outcome
from services.staff import policy
from services.staff.roles import Measure, Permission, Policy, Role
from tests.pages.work import captions, open_page, whoever

pytestmark = [
    pytest.mark.usefixtures("ready"),
    pytest.mark.parametrize("database_url", ["sqlite"], indirect=True),  # SQL has tests on both
]
ADMIN, SALES, FOUNDER, VIEWER = (f"{name}@trialdesk.test" for name in ("ada", "pia", "frida", "vera"))
_OVER = "Your role (sales) may go up to 30 days; this is 45 days."


@pytest.fixture
def paying(staffed: ModuleType) -> ModuleType:
    with staffed.transaction() as session:
        session.add(Customer(id="cus_1", created=1, name="Ada *L*", currency="usd"))
    return staffed


def decided() -> Policy:
    with database.session() as session:
        return policy.load(session)


def test_an_admin_decides(paying: ModuleType) -> None:
    app = open_page("policy", acting_as=ADMIN)
    app.checkbox(key="CANCEL-sales-0").check()
    app.checkbox(key="EXTEND_TRIAL-sales-0").uncheck()
    app.text_input(key="CHARGE-usd-support-0").input("500")
    app.text_input(key="TRIAL_DAYS--sales-0").input("")
    app.toggle(key="approvals-0").set_value(True)
    app.button[0].click().run()
    assert not app.exception and not app.error
    assert app.success[0].value == "Saved."
    held = decided()
    sales = held.grants[Role.SALES]
    assert (Permission.CANCEL in sales, Permission.EXTEND_TRIAL in sales, held.approvals) == (
        True,
        False,
        True,
    )
    assert held.most(Role.SUPPORT, Measure.CHARGE, "usd") == 50_000
    assert held.most(Role.SALES, Measure.TRIAL_DAYS) is None
    assert held.most(Role.SALES, Measure.TRIAL_DAYS_IN_ALL) == 60
    assert app.text_input(key="CHARGE-usd-support-1").value == "500.00", "what holds stands there"
    with paying.session() as session:
        entry = session.exec(select(AuditEntry)).one()
    assert (entry.kind, entry.staff_name, entry.after["approvals"]) == ("policy", "Ada Berg", "on")
    assert entry.after["support_limits"] == ["amount of a charge $500.00"]


@pytest.mark.parametrize(
    ("key", "typed", "said"),
    [
        ("CHARGE-usd-support-0", "12,34,5", "Support, Amount of a charge, USD"),
        ("TRIAL_DAYS--sales-0", "a week", "Sales, Days of trial given at once: “a week”"),
    ],
)
def test_what_is_no_limit_is_named_and_nothing_is_saved(
    paying: ModuleType, key: str, typed: str, said: str
) -> None:
    app = open_page("policy", acting_as=ADMIN)
    app.text_input(key=key).input(typed)
    app.button[0].click().run()
    assert said in app.error[0].value.replace("\\", "")
    assert app.text_input(key=key).value == typed, "what was typed stays"
    with paying.session() as session:
        assert policy.version(session) == 0


def test_nobody_else_opens_it(staffed: ModuleType) -> None:
    app = open_page("policy", acting_as=FOUNDER)
    assert "may not decide who may do what" in app.info[0].value
    assert not app.checkbox


@pytest.fixture
def request_of_pia(paying: ModuleType) -> ModuleType:
    pia = whoever(paying, SALES)
    with paying.transaction() as session:
        session.add(
            Action(
                token="t1", command="extend_trial", state="waiting", staff=pia.id, staff_name=pia.name,
                role="sales", customer="cus_1", object_id="cus_1", reason="They <b>asked</b>",
                over=[_OVER],
                amounts=[["TRIAL_DAYS", 45, ""]], opened_at=clock.now(),
                preview={"happens": ["The trial ends later."], "warnings": ["It is set to cancel.", _OVER]},
            )
        )  # fmt: skip
    return paying


def test_who_may_allow_it_sees_all_that_was_said_and_may_say_no(request_of_pia: ModuleType) -> None:
    with request_of_pia.transaction() as session:
        policy.write(session, Policy(approvals=True), seen=0)
    app = open_page("approvals", acting_as=FOUNDER)
    assert [button.label for button in app.button] == ["Approve", "Decline", "Open customer"]
    told = " ".join(each.value for each in app.markdown).replace("\\", "")
    assert all(said in told for said in ("The trial ends later.", "It is set to cancel."))
    assert told.count("this is 45 days") == 1
    app.button(key="declined-t1").click().run()
    assert "Say why not" in app.error[0].value
    app.text_input(key="note-t1").input("Too long")
    app.button(key="declined-t1").click().run()
    assert not app.exception and not app.button
    with request_of_pia.session() as session:
        row = session.get_one(Action, "t1")
    assert (row.end, row.decider_name, row.error["message"]) == (
        "declined", "Frida Lund", "Frida Lund said no: Too long",
    )  # fmt: skip


def test_where_approvals_were_switched_off_it_can_still_be_declined(request_of_pia: ModuleType) -> None:
    app = open_page("approvals", acting_as=FOUNDER)
    assert any("can only be declined" in caption for caption in captions(app))
    assert [button.label for button in app.button] == ["Decline", "Open customer"]


def test_a_request_is_told_and_declined(request_of_pia: ModuleType) -> None:
    app = open_page("approvals", acting_as=VIEWER)
    assert "t1" not in " ".join(
        button.key or "" for button in app.button if "customer" not in (button.key or "")
    )
    assert any("may not extend trials" in caption for caption in captions(app))
    app = open_page("approvals", acting_as=SALES)
    assert [button.label for button in app.button] == ["Take back", "Open customer"]
    app.button(key="take-back-t1").click().run()
    assert not app.exception
    assert app.info[0].value == "Nothing waits for approval."
    with request_of_pia.session() as session:
        assert session.get_one(Action, "t1").error["message"] == "Pia Novak took it back."


def test_what_came_of_a_request_stands_until_it_is_read(request_of_pia: ModuleType) -> None:
    app = open_page("approvals", acting_as=FOUNDER)
    app.session_state["approved"] = Outcome("t0", "failed", "The card was declined.")
    for _ in range(2):  # the page is drawn anew as data changes
        app.run()
        assert "The card was declined." in app.error[0].value.replace("\\", "")
    app.button(key="read").click().run()
    assert not app.exception and not app.error

"""The Activity page: who did what, filtered by the address, with open ends on top."""

from __future__ import annotations

from types import ModuleType

import pytest
from streamlit.testing.v1 import AppTest

from models import Action, Customer, CustomerFacts, Subscription
from models.ledger import DECLINED
from pages.components import formats
from pages.components.navigation import ROOT
from services import clock, config
from services.customers import notes, timeline
from services.staff import people
from tests.customers import builders
from tests.pages.work import captions, column, open_page, whoever

pytestmark = [
    pytest.mark.usefixtures("ready"),
    pytest.mark.parametrize("database_url", ["sqlite"], indirect=True),  # SQL has tests on both
]
ADMIN, SALES = "ada@trialdesk.test", "pia@trialdesk.test"


@pytest.fixture
def ledger(staffed: ModuleType) -> ModuleType:
    """Four actions: two done by Ada, one by Pia that failed, one by Pia whose end nobody knows."""
    with staffed.transaction() as session:
        staff = {email: people.admit(session, email) for email in (ADMIN, SALES)}
        session.add(Customer(id="cus_1", created=1, name="*Ada* <b>"))
        session.add(CustomerFacts(customer="cus_1", search_key="*ada* <b>"))
        for number, (email, state) in enumerate(
            [(ADMIN, "done"), (ADMIN, "done"), (SALES, "failed"), (SALES, "unknown")]
        ):
            person = staff[email]
            session.add(
                Action(
                    token=f"t{number}",
                    command="cancel" if number else "extend_trial",
                    state=state,
                    staff=person.id,
                    staff_name=person.name,
                    role=str(person.role),
                    customer="cus_1",
                    object_id="sub_1",
                    reason="asked _twice_",
                    opened_at=clock.now() - clock.DAY * number,
                    started_at=clock.now() - clock.DAY * number,
                    before={"status": "active"},
                    after={"status": "canceled"} if state == "done" else {},
                    error={}
                    if state == "done"
                    else {"message": "Stripe was silent.", "remedy": "Look at sub_1."},
                )
            )
    return staffed


def told(app: AppTest) -> str:
    """Everything that the page says in words."""
    return " | ".join([*(each.value for each in app.markdown), *captions(app), *(e.value for e in app.error)])


def test_every_action_is_listed_with_who_what_why_and_the_change(ledger: ModuleType) -> None:
    app = open_page("activity", acting_as=ADMIN)
    assert column(app, "title") == ["Extend trial", "Cancel", "Cancel", "Cancel"]
    assert column(app, "customer_name") == ["*Ada* <b>"] * 4
    assert column(app, "reason") == ["asked _twice_"] * 4
    assert column(app, "change")[0] == "Status active → canceled"
    assert column(app, "change")[2] == "Stripe was silent."
    assert [list(state) for state in column(app, "state")] == [["Done"], ["Done"], ["Failed"], ["Unknown"]]
    assert "What everybody did" in told(app) and "UTC" in told(app) and "4 entries" in told(app)


def test_who_allowed_an_action_is_named_beside_who_asked_for_it(ledger: ModuleType) -> None:
    with ledger.transaction() as session:
        for token in ("t0", "t2"):
            session.get_one(Action, token).decider_name = "Frida Lund"
        session.get_one(Action, "t2").error = {DECLINED: True, "message": "Frida Lund said no: why?"}
    app = open_page("activity", acting_as=ADMIN)
    assert column(app, "who") == ["Ada Berg, approved by Frida Lund", "Ada Berg", "Pia Novak", "Pia Novak"]
    with ledger.session() as session:
        page = timeline.latest(session, whoever(ledger, ADMIN), "cus_1", ("Actions",), formats, limit=9)
    assert [each.who for each in page.entries] == column(app, "who")


def test_the_address_is_the_filter(ledger: ModuleType) -> None:
    today = _today()
    for address, found in (
        ({"did": "Extend trial"}, 1),
        ({"result": "Failed"}, 1),
        ({"by": "Pia Novak"}, 2),
        ({"account": "ada"}, 4),
        ({"account": "nobody"}, 0),
        ({"since": today}, 1),
        ({"until": today, "result": "Done"}, 2),
        ({"words": "TWICE"}, 4),
        ({"words": "never"}, 0),
    ):
        app = open_page("activity", acting_as=ADMIN, **address)
        assert len(column(app, "title")) == found, address
    assert "Nothing fits these filters." in told(open_page("activity", acting_as=ADMIN, account="nobody"))


def test_what_a_colleague_was_first_with_is_shown_as_refused_and_not_as_failed(ledger: ModuleType) -> None:
    with ledger.transaction() as session:
        session.get(Action, "t2").error = {"message": "Ada did it.", "overtaken": True}
    said = "Refused: had changed"
    assert column(open_page("activity", acting_as=ADMIN), "state")[2] == [said]
    assert column(open_page("activity", acting_as=ADMIN, result=said), "change") == ["Ada did it."]
    assert column(open_page("activity", acting_as=ADMIN, result="Failed"), "change") == []


def test_what_nobody_knows_stands_on_top_with_what_to_check(ledger: ModuleType) -> None:
    app = open_page("activity", acting_as=ADMIN)
    assert "Stripe was silent" in told(app) and "Look at sub\\_1" in told(app)
    assert "\\*Ada\\* \\<b\\>" in told(app), "the name is not read as Markdown"
    app.button(key="check-t3").click().run()
    assert not app.exception
    assert "The desk is starting or stopping\\." in told(app), "nothing is asked while no queue runs"


@pytest.mark.parametrize(("answer", "state"), [("done", "done"), ("not-done", "failed")])
def test_who_looked_in_stripe_says_how_it_ended(ledger: ModuleType, answer: str, state: str) -> None:
    app = open_page("activity", acting_as=ADMIN)
    app.button(key=f"{answer}-t3").click().run()
    assert "Say how you know" in told(app), "nothing is settled without a note"
    app.text_input(key="note-t3").input("req_1 in the log").run()
    app.button(key=f"{answer}-t3").click().run()
    assert not app.exception
    with ledger.session() as session:
        row = session.get(Action, "t3")
    assert row.state == state and "marked it as" in row.comment and row.comment.endswith(": req_1 in the log")
    assert row.staff_name == "Pia Novak", "the action stays hers"
    assert "check-t3" not in {button.key for button in app.button}


def test_a_role_that_may_not_see_all_sees_its_own(ledger: ModuleType) -> None:
    app = open_page("activity", acting_as=SALES)
    assert set(column(app, "who")) == {"Pia Novak"}
    assert "What you did" in told(app)
    assert app.selectbox(key="by").disabled


def test_an_empty_ledger_says_so(staffed: ModuleType) -> None:
    app = open_page("activity", acting_as=ADMIN)
    assert "Nobody has done anything yet." in told(app)


def test_open_ends_that_are_not_shown_are_counted_and_a_click_away(ledger: ModuleType) -> None:
    with ledger.transaction() as session:
        for number in range(24):
            session.add(
                Action(
                    token=f"u{number}", command="cancel", state="unknown", customer="cus_1", opened_at=number
                )
            )
    app = open_page("activity")
    assert "20 of 25 actions with an unknown end are shown." in captions(app)
    more = app.button(key="open_ends:more")
    assert more.label == "Show 5 more"
    more.click().run()
    assert len([button for button in app.button if button.label == "Check again"]) == 25
    assert "actions with an unknown end" not in told(app)


def test_what_else_people_do_stands_beside_it(ledger: ModuleType) -> None:
    with ledger.transaction() as session:
        pia = people.admit(session, SALES)
        notes.add(session, pia, "cus_1", "Likes *tea*")
        notes.set_tags(session, pia, "cus_1", ["vip"], seen=[])
        notes.set_owner(session, pia, "cus_1", pia.id)
    app = open_page("activity", acting_as=ADMIN, by="Pia Novak", since=_today())
    changes = dict(zip(column(app, "title"), column(app, "change"), strict=True))
    assert changes == {
        "Change owner": "Owner nobody → Pia Novak",
        "Change tags": "Tags – → vip",
        "Add note": "Likes *tea*",
    }
    assert set(column(app, "customer_name")) == {"*Ada* <b>"}
    assert column(open_page("activity", acting_as=ADMIN, did="Change tags"), "title") == ["Change tags"]
    assert "Add note" in column(open_page("activity", acting_as=SALES), "title")


def _today() -> str:
    return clock.local(clock.now(), config.settings().zone).date().isoformat()


def test_a_name_from_right_to_left_turns_nothing_around_that_stands_beside_it(ledger: ModuleType) -> None:
    name = "محمد (שלום) 12"
    with ledger.transaction() as session:
        session.get(Customer, "cus_1").name = name
        notes.set_tags(session, people.admit(session, ADMIN), "cus_1", ["שלום"], seen=[])
        notes.set_tags(session, people.admit(session, ADMIN), "cus_1", ["محمد"], seen=["שלום"])
    app = open_page("activity", acting_as=ADMIN)
    assert set(column(app, "customer_name")) == {f"\u200e\u2068{name}\u2069"}
    assert "\u200eTags \u2068שלום\u2069 → \u2068محمد\u2069" in column(app, "change")
    assert f"for \u2068{name}\u2069, by Pia Novak" in told(app).replace("\\", "")


def opened(row: int, **address: str) -> AppTest:
    """The page with a row's details open."""
    app = AppTest.from_file(str(ROOT / "pages" / "activity.py"), default_timeout=60)
    app.session_state["as"] = ADMIN
    app.session_state["activity_open"] = {"row": row}
    for name, value in address.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception, app.exception[0].value
    return app


@pytest.fixture
def extended(ledger: ModuleType) -> ModuleType:
    """Ada's extension of a trial that runs still, in the newest row."""
    ends = clock.now() + 10 * clock.DAY
    with ledger.transaction() as session:
        builders.row(
            session, Subscription, id="sub_1", customer="cus_1", status="trialing", currency="usd",
            plan_micros=0, trial_end=ends,
        )  # fmt: skip
        row = session.get(Action, "t0")
        row.params, row.finished_at = {"trial_end": ends}, clock.now()
        row.before, row.after = {"trial_end": ends - 7 * clock.DAY}, {"trial_end": ends}
        session.get(Action, "t1").params = {"when": "now"}
    return ledger


def test_the_row_of_what_can_be_taken_back_has_a_button_for_it(extended: ModuleType) -> None:
    app = opened(0)
    assert app.button(key="undo-t0").label == "Undo"
    assert "No undo" not in told(app)


def test_a_row_says_why_it_has_no_undo(extended: ModuleType) -> None:
    app = opened(1)
    assert "undo-t1" not in {button.key for button in app.button}
    assert "No undo: The subscription has ended" in told(app)
    assert "No undo" not in told(opened(2)), "what failed did nothing"


def test_a_row_that_was_taken_back_says_by_whom_and_has_no_button(extended: ModuleType) -> None:
    with extended.transaction() as session:
        session.add(
            Action(
                token="back", command="take_back_extension", state="done", staff=1, staff_name="Pia Novak",
                customer="cus_1", object_id="sub_1", opened_at=1, finished_at=2, params={"undoes": "t0"},
            )
        )  # fmt: skip
    app = opened(0, did="Extend trial")
    assert "Undone by Pia Novak, " in column(app, "change")[0]
    assert any(text.value.startswith("Undone by Pia Novak, ") for text in app.text)
    assert "undo-t0" not in {button.key for button in app.button} and "No undo" not in told(app)
    back = opened(0, did="Take back extension")
    assert any(text.value.startswith("Takes back “Extend trial” by Ada Berg, ") for text in back.text)

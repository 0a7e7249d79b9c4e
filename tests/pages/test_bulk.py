"""One command for many, on the pages: its dialog, the whole filter, and how far a run is."""

from __future__ import annotations

from types import ModuleType

import pytest
from sqlmodel import col, select
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime.scriptrunner_utils.script_run_context import ScriptRunContext
from streamlit.testing.v1 import AppTest

from models import Action, BulkRow, BulkRun, Coupon, Subscription
from pages.components import bulk
from services import clock, durable
from services.desk import approvals, bulk_runner
from services.staff import policy
from services.staff.roles import Measure, Person, Policy, Role
from tests.customers.builders import row
from tests.pages.work import add_failure, add_trial, captions, column, open_page, whoever

pytestmark = [
    pytest.mark.usefixtures("ready"),
    pytest.mark.parametrize("database_url", ["sqlite"], indirect=True),  # SQL has tests on both
]
SAM, SALES, VIEWER = (f"{name}@trialdesk.test" for name in ("sam", "pia", "vera"))


@pytest.fixture
def trials(staffed: ModuleType) -> ModuleType:
    """Three running trials; nobody works through runs."""
    for name, days in (("Al", 1), ("Bo", 2), ("*Cy*", 30)):
        add_trial(staffed, name, days)
    return staffed


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """The attempts at runs that were put on the queue, which nobody takes off it."""
    found: list[tuple[str, int]] = []
    monkeypatch.setattr(durable, "require", lambda: None)
    monkeypatch.setattr(bulk_runner, "begin", lambda run, attempt: found.append((run, attempt)))
    return found


def add_run(database: ModuleType, who: Person, *states: str, state: str = "running") -> None:
    """A run of this person's, with a row in each of these states; a failed one has an action."""
    with database.transaction() as session:
        session.add(
            BulkRun(
                id="run_1", command="extend_trial", form={"mode": "days", "days": "7"}, state=state,
                reason="They <b>asked</b>", staff=who.id, role=str(who.role), created_at=clock.now(),
            )
        )  # fmt: skip
        for position, (name, each) in enumerate(zip(("al", "bo", "*cy*"), states, strict=False)):
            session.add(
                BulkRow(
                    run="run_1", position=position, customer=f"cus_{name}", object_id=f"sub_{name}",
                    token=f"t{position}", state=each, message=f"It was *{each}*.",
                )
            )  # fmt: skip


def text(app: AppTest) -> str:
    """What a page says, as it reads."""
    said = (*app.markdown, *app.caption, *app.warning, *app.error, *app.info)
    return " ".join(each.value for each in said).replace("\\", "")


def test_the_whole_filter_is_taken(trials: ModuleType) -> None:
    app = open_page("trials", days="7")
    menu = app.menu_button(key="trials-all")
    assert menu.label == "For all 2 trials"
    assert [words(each) for each in menu.options] == [
        "Extend trials", "Cancel at the period's end", "Undo cancel", "Apply coupon",
    ]  # fmt: skip
    menu.click("extend_trial").run()
    assert not app.exception
    assert app.text[0].value == "2 trials: Al, Bo."
    assert "Each of the 2 trials ends 7 days later" in text(app)
    assert [button.label for button in app.button][-2:] == ["Extend all", "Cancel"]


def words(option: str) -> str:
    """An option of a menu without its icon."""
    return option.partition(": ")[2]


def test_subscriptions_of_customers_are_taken_from_the_whole_filter(trials: ModuleType) -> None:
    with trials.transaction() as session:
        kept = session.get_one(Subscription, "sub_al")
        kept.cancel_at_period_end, kept.cancel_at = True, kept.trial_end
    app = open_page("customers")
    menu = app.menu_button(key="customers-all")
    assert menu.label == "For all 3 customers"
    menu.click("undo_cancel").run()
    assert not app.exception
    left = "Of 3 customers 2 have no cancellation that could be undone: "
    assert app.text[0].value.startswith(f"1 cancellation: Al. {left}") and "Bo" in app.text[0].value
    assert "The subscription goes on instead of ending." in text(app)
    app = open_page("customers", q="Bo")
    assert not [menu for menu in app.menu_button if menu.key == "customers-all"], "one row has buttons"
    app = open_page("customers", status="trialing")
    app.menu_button(key="customers-all").click("cancel").run()
    assert "Why the customer leaves" in [box.label for box in app.selectbox]
    assert [button.label for button in app.button][-2:] == ["Cancel all", "Go back"]


def test_the_coupons_are_offered_that_fit_some_of_them(trials: ModuleType) -> None:
    with trials.transaction() as session:
        for id, currency in (("FIVE", "usd"), ("YEN", "jpy")):
            row(session, Coupon, id=id, currency=currency, valid=True, amount_off=500, duration="once")
        row(session, Coupon, id="TEN", valid=True, percent_off="10.0", duration="forever")
    app = open_page("trials")
    app.menu_button(key="trials-all").click("apply_coupon").run()
    assert not app.exception
    [box] = [box for box in app.selectbox if box.label == "Coupon"]
    assert box.options == [
        "FIVE: $5.00 off on the next invoice only",
        "TEN: 10 % off on every invoice",
    ]
    assert "Choose one of the coupons in the list." in text(app)


def test_failed_payments_are_given_up_from_the_whole_filter(trials: ModuleType) -> None:
    for name, amount, currency in (("Du", 4900, "usd"), ("Ed", 500, "jpy")):
        add_failure(trials, name, amount, currency, finalized_at=clock.now())
    app = open_page("failed_payments")
    app.menu_button(key="failures-all").click("mark_uncollectible").run()
    assert not app.exception
    assert "In all they ask for ¥500 and $49.00." in text(app)
    assert app.menu_button(key="failures-ticked").disabled, "no row is ticked"


def test_the_dialog_begins_one_run_and_shows_how_far_it_is(
    trials: ModuleType, begun: list[tuple[str, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    with trials.transaction() as session:
        for name in ("al", "bo", "*cy*"):
            kept = session.get_one(Subscription, f"sub_{name}")
            kept.collection_method, kept.cancel_at_period_end = "charge_automatically", name == "al"
    shown: list[tuple[bulk._Bulk, str]] = []
    monkeypatch.setattr(bulk, "show", lambda dialogue, about, **_: shown.append((dialogue, about)))
    sam = whoever(trials, SAM)
    bulk.dialog(sam, "extend_trial", ["sub_al", "sub_*cy*", "sub_bo"])
    [(dialogue, about)] = shown
    assert about == "3 trials: Al, *Cy*, Bo."
    form = {"mode": "days", "days": "3"}
    assert dialogue.preview(form).warnings == (
        "Set to cancel, and that moves along with the end of the trial, so that nothing is charged: Al.",
        "Without a card, and billed at the new end with an invoice that nobody can pay: *Cy*, Bo.",
    )
    first, second = (dialogue.submit(sam, form, "asked for it") for _ in range(2))
    assert (first.token, first.state) == (second.token, "running")
    assert {*begun} == {(first.token, 1)}
    with trials.session() as session:
        kept = session.get_one(BulkRun, first.token)
        rows = session.exec(select(BulkRow.object_id).order_by(col(BulkRow.position))).all()
    assert (kept.form, kept.reason, rows) == (form, "asked for it", ["sub_al", "sub_*cy*", "sub_bo"])
    app = open_page("bulk_run", run=first.token)
    assert [each.proto.text.replace("\\", "") for each in app.get("progress")] == ["0 of 3 trials extended."]
    assert column(open_page("bulk_runs"), "said") == ["0 of 3 trials extended."]


def test_above_the_limit_of_accounts_it_waits_on_approvals_until_somebody_allows_it(
    trials: ModuleType, begun: list[tuple[str, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    limits = {Role.SALES: {(Measure.ACCOUNTS, ""): 2}}
    with trials.transaction() as session:
        policy.write(session, Policy(limits=limits, approvals=True), seen=0)
    app = open_page("trials", acting_as=SALES)
    app.menu_button(key="trials-all").click("extend_trial").run()
    assert "up to 2 accounts in one bulk run; this is 3 accounts." in text(app)
    assert [button.label for button in app.button][-2:] == ["Ask for approval", "Cancel"]
    shown: list[bulk._Bulk] = []
    monkeypatch.setattr(bulk, "show", lambda dialogue, **_: shown.append(dialogue))
    pia, ids = whoever(trials, SALES), ["sub_al", "sub_bo", "sub_*cy*"]
    bulk.dialog(pia, "extend_trial", ids)
    asked, again = (shown[0].submit(pia, {"mode": "days", "days": "7"}, "") for _ in range(2))
    assert (asked.token, asked.state) == (again.token, "waiting") and not begun
    with trials.session() as session:
        assert approvals.count(session) == 1
    id = asked.token
    app = open_page("bulk_run", acting_as=SALES, run=id)
    assert "Nothing was done yet: it waits for approval." in text(app)
    assert [button.label for button in app.button] == ["All bulk runs"]
    app = open_page("approvals", acting_as=SALES)
    assert [button.label for button in app.button] == ["Take back", "Open the run"]
    app = open_page("approvals")
    assert "Extend trial by 7 days** for 3 accounts, asked for by Pia Novak (sales)" in text(app)
    assert [button.label for button in app.button] == ["Approve", "Decline", "Open the run"]
    app.button(key=f"approve-{id}").click().run()
    assert begun == [(id, 2)] and not app.exception
    assert "It has begun, in the name of Pia Novak." in text(app)
    assert "Nothing waits for approval." in text(app)
    app = open_page("bulk_run", run=id)
    assert "Begun by Pia Novak, approved by Sam Okafor" in text(app)


def test_where_approvals_were_switched_off_a_run_can_only_be_declined(trials: ModuleType) -> None:
    add_run(trials, whoever(trials, SALES), "waiting", "skipped", state="asked")
    app = open_page("approvals")
    assert "switched off on the page Policy: it can only be declined" in text(app)
    assert [button.label for button in app.button] == ["Decline", "Open the run"]
    app.text_input(key="note-run_1").input("Too many")
    app.button(key="declined-run_1").click().run()
    assert not app.exception and "Nothing waits for approval." in text(app)
    app = open_page("bulk_run", acting_as=SALES, run="run_1")
    assert "Asked for by Pia Novak, " in text(app) and "Sam Okafor said no: Too many" in text(app)
    assert column(app, "state") == [["Declined"], ["Left out"]]
    assert [button.label for button in app.button] == ["All bulk runs"]


def test_who_may_not_sees_why_and_no_dialog(trials: ModuleType) -> None:
    menu = open_page("trials", acting_as=VIEWER).menu_button(key="trials-all")
    assert menu.disabled and "may not extend trials, cancel subscriptions or apply" in menu.help
    menu = open_page("customers", acting_as=SALES).menu_button(key="customers-all")
    assert [words(each) for each in menu.options] == ["Extend trials"], "and nothing else"


def test_a_run_is_looked_at_again_only_while_it_moves(
    trials: ModuleType, begun: list[tuple[str, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[ForwardMsg] = []
    real = ScriptRunContext.enqueue

    def enqueue(context: ScriptRunContext, message: ForwardMsg) -> None:
        told.append(message)
        real(context, message)

    monkeypatch.setattr(ScriptRunContext, "enqueue", enqueue)

    def looks() -> list[tuple[str, float]]:
        kinds = [(one.WhichOneof("type"), one.auto_rerun.interval) for one in told]
        told.clear()
        return [each for each in kinds if each[0] in ("auto_rerun", "stop_auto_rerun")]

    add_run(trials, whoever(trials, SAM), "waiting")
    app = open_page("bulk_run", run="run_1")
    assert looks() == [("auto_rerun", 1.0)]
    app.button(key="bulk-run_1-Stop").click().run()
    assert looks() == [("stop_auto_rerun", 0.0)]
    app.button(key="bulk-run_1-Resume").click().run()
    assert looks() == [("auto_rerun", 1.0)]


def test_a_run_is_found_again_with_what_became_of_each_row(trials: ModuleType) -> None:
    add_run(trials, whoever(trials, SAM), "done", "failed", "waiting", state="stopped")
    with trials.transaction() as session:
        session.add(Action(token="t1", command="extend_trial", state="done", opened_at=1))
    app = open_page("bulk_runs")
    assert (column(app, "title"), column(app, "state")) == (["Extend trial by 7 days"], [["Stopped"]])
    app = open_page("bulk_run", run="run_1")
    assert column(app, "name") == ["*Cy*", "Al", "Bo"], "what is not over comes first"
    assert column(app, "state") == [["Waiting"], ["Done"], ["Done"]], "as the action is by now"
    assert column(app, "message") == ["It was *waiting*.", "It was *done*.", ""]
    assert "Why: They <b>asked</b>" in text(app)


def test_a_run_is_stopped_resumed_and_its_failures_tried_again(
    trials: ModuleType, begun: list[tuple[str, int]]
) -> None:
    add_run(trials, whoever(trials, SAM), "done", "failed")
    _press("Stop", leads_to="Stopped")  # at once: no row is under way
    _press("Resume", leads_to="Running")
    with trials.transaction() as session:
        session.get_one(BulkRun, "run_1").state = "done"
    _press("Retry failed rows", leads_to="Running")
    assert begun == [("run_1", 2), ("run_1", 3)]
    with trials.session() as session:
        assert [session.get_one(BulkRow, ("run_1", each)).state for each in (0, 1)] == ["done", "waiting"]


def _press(label: str, *, leads_to: str) -> None:
    app = open_page("bulk_run", run="run_1")
    app.button(key=f"bulk-run_1-{label}").click().run()
    assert not app.exception and not app.error
    assert leads_to in text(app)


def test_only_who_began_it_goes_on_and_others_see_none_of_it(trials: ModuleType) -> None:
    add_run(trials, whoever(trials, SALES), "waiting", state="stopped")
    button = open_page("bulk_run", run="run_1").button(key="bulk-run_1-Resume")
    assert button.disabled and "Pia Novak began this run" in (button.help or "")
    app = open_page("bulk_run", acting_as=VIEWER, run="run_1")
    assert "There is no bulk run" in text(app) and not app.dataframe
    assert any(
        "begun for several at once yet" in one for one in captions(open_page("bulk_runs", acting_as=VIEWER))
    )

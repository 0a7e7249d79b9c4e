"""The Customer page: everything about one customer, changed in place, and a sentence where there is none."""

from __future__ import annotations

from datetime import timedelta
from types import ModuleType
from typing import Any

import pytest
import sqlalchemy as sa
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Button, TextArea

from models import (
    Action,
    CallRequest,
    Charge,
    Customer,
    CustomerFacts,
    Dispute,
    Event,
    Invoice,
    InvoiceItem,
    InvoicePayment,
    Note,
    PaymentMethod,
    Price,
    Product,
    Subscription,
    SubscriptionItem,
    Task,
)
from pages.components.navigation import ROOT
from services import clock, config
from services.customers import notes, tasks
from services.staff import people
from tests.customers.builders import customer, row
from tests.support.statements import asked

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # SQL has tests on both
VIEWER, ADMIN, SUPPORT = "vera@trialdesk.test", "ada@trialdesk.test", "sam@trialdesk.test"
NASTY = "**Ada** [x](http://evil.example) <b>"


@pytest.fixture
def account(staffed: ModuleType) -> ModuleType:
    """Ada: a past due plan, an ended one, a failed invoice, a dispute, a card, and a namesake."""
    now = clock.now()
    with staffed.transaction() as s:
        customer(
            s,
            "cus_ada",
            name=NASTY,
            email="ada@x.com",
            phone="+49 30 1",
            country="DE",
            address_city="Berlin",
            status="past_due",
            plan="Pro, monthly",
            currency="usd",
            mrr_micros=4_900_000_000,
            created=1_767_225_600,
            metadata_={"source": "ads"},
        )
        customer(s, "cus_twin", name="Twin", email="ada@x.com")
        customer(s, "cus_gone", name="Gone", deleted=True)
        row(s, Product, id="prod_1", name="Pro")
        row(s, Price, id="price_1", product="prod_1", currency="usd", unit_amount=4900, interval="month")
        row(
            s,
            Subscription,
            id="sub_1",
            customer="cus_ada",
            status="past_due",
            currency="usd",
            created=now,
            current_period_end=1_798_761_600,
            cancel_at_period_end=True,
            cancel_at=1_798_761_600,
            default_payment_method="pm_1",
            start_date=1_767_225_600,
        )
        row(
            s,
            Subscription,
            id="sub_0",
            customer="cus_ada",
            status="canceled",
            created=now - 9,
            ended_at=1_767_225_600,
            cancellation_feedback="too_expensive",
        )
        row(
            s,
            SubscriptionItem,
            id="si_1",
            subscription="sub_1",
            price="price_1",
            product="prod_1",
            quantity=3,
        )
        row(
            s,
            Invoice,
            id="in_1",
            customer="cus_ada",
            number="A-1",
            status="open",
            total=14700,
            amount_due=14700,
            amount_remaining=14700,
            currency="usd",
            attempted=True,
            attempt_count=2,
            next_payment_attempt=1_798_761_600,
            hosted_invoice_url="http://127.0.0.1/in_1",
        )
        row(s, InvoicePayment, id="inpay_1", invoice="in_1", payment_intent="pi_1")
        row(
            s,
            Charge,
            id="ch_1",
            customer="cus_ada",
            payment_intent="pi_1",
            status="failed",
            amount=14700,
            currency="usd",
            failure_code="card_declined",
            decline_code="insufficient_funds",
            card_brand="visa",
            card_last4="4242",
        )
        row(
            s,
            Dispute,
            id="du_1",
            charge="ch_1",
            status="needs_response",
            amount=500,
            currency="usd",
            reason="product_not_received",
            evidence_due_by=1_798_761_600,
        )
        row(
            s,
            PaymentMethod,
            id="pm_1",
            customer="cus_ada",
            type="card",
            brand="visa",
            last4="4242",
            exp_month=1,
            exp_year=2020,
        )
        row(
            s,
            InvoiceItem,
            id="ii_1",
            customer="cus_ada",
            amount=900,
            currency="usd",
            description="Set-up *help*",
        )
        s.add(
            Event(
                id="evt_1",
                created=now - 5,
                type="invoice.payment_failed",
                customer="cus_ada",
                facts={"number": "A-1", "attempt_count": 2},
            )
        )
        s.add(
            Action(
                token="a1",
                command="extend_trial",
                state="done",
                customer="cus_ada",
                opened_at=now - 4,
                staff_name="Sam Okafor",
                reason="asked nicely",
            )
        )
    return staffed  # fmt: skip


def opened(id: str | None = "cus_ada", *, acting_as: str = ADMIN, **query: str) -> AppTest:
    app = AppTest.from_file(str(ROOT / "dashboard.py"), default_timeout=60)
    app.session_state["as"] = acting_as
    app.run()
    app.switch_page("pages/customer.py")
    for name, value in ({"id": id} if id is not None else {}).items() | query.items():
        app.query_params[name] = value
    return ran(app)


def ran(changed: Any) -> AppTest:
    """Runs the page after a change of one of its elements."""
    app: AppTest = changed.run()
    assert not app.exception, app.exception
    return app


def read(app: AppTest) -> str:
    """Everything that stands on the page as text."""
    kinds = ("title", "subheader", "markdown", "caption", "text", "info", "warning", "error", "badge")
    return "\n".join(str(element.value) for kind in kinds for element in app.get(kind))


def test_the_head_says_who_it_is_and_names_stay_text(account: ModuleType) -> None:
    app = opened()
    title = app.title[-1].value
    assert "**" not in title.replace("\\*", "")
    assert title.replace("\\", "").replace("\u2060", "") == NASTY
    text = read(app).replace("\\", "")
    for fact in ("ada@x.com", "Pro, monthly", "$49.00", "Jan 1, 2026", "+49 30 1", "Berlin, Germany",
                 "Europe/Berlin", "sandbox account"):  # fmt: skip
        assert fact in text, fact


def test_the_dialog_that_asks_for_a_call_says_the_number_and_the_local_time(account: ModuleType) -> None:
    app = ran(opened(acting_as=SUPPORT).button(key="call:cus_ada").click())
    [about] = [text.value for text in app.text if " · +49 30 1 · Local time " in text.value]
    assert about.endswith(", Europe/Berlin")


def test_the_head_says_that_a_way_to_reach_the_customer_is_missing(account: ModuleType) -> None:
    assert "No phone number" not in read(opened())
    with account.transaction() as session:
        customer = session.get_one(Customer, "cus_ada")
        customer.email = customer.phone = None
    text = read(opened())
    assert "No email address" in text and "No phone number" in text


def test_an_open_call_is_told_in_the_head(account: ModuleType) -> None:
    assert "Open call" not in read(opened())
    with account.transaction() as session:
        sam = next(person.id for person in people.active(session) if person.email == SUPPORT)
        for token, state in (("open", "requested"), ("over", "done")):
            row(session, CallRequest, token=token, customer="cus_ada", state=state, assignee=sam,
                created_at=clock.now())  # fmt: skip
    assert read(opened()).count("Open call: Sam Okafor, without a date") == 1


def test_what_needs_somebody_stands_first_in_plain_words(account: ModuleType) -> None:
    text = read(opened())
    assert "There was not enough money on the card." in text
    assert "Tried 2 times by Stripe's count. Stripe tries again on Jan 1, 2027" in text
    assert "Reason given: product not received. Evidence is due by Jan 1, 2027" in text


def test_a_sent_invoice_that_is_overdue_is_told_at_the_top_and_in_the_list(account: ModuleType) -> None:
    now = clock.now()
    with account.transaction() as session:
        sent = {"status": "open", "collection_method": "send_invoice", "currency": "usd", "total": 9_900}
        for id, due, left in (("late", now - 3 * clock.DAY, 9_900), ("soon", now + clock.DAY, 9_900),
                              ("nothing", now - clock.DAY, 0)):  # fmt: skip
            row(session, Invoice, id=f"in_{id}", customer="cus_twin", number=id, due_date=due, created=now,
                amount_remaining=left, **sent)  # fmt: skip
    app = opened("cus_twin", view="Invoices")
    text = read(app).replace("\\", "")
    assert "$99.00 of invoice late is not paid" in text and "3 days ago." in text
    assert "It was sent for the customer to pay, and was due on" in text
    assert "invoice soon" not in text and "invoice nothing" not in text and "payment method to" not in text
    [listed] = app.dataframe
    shown = dict(zip(listed.value["number"], [list(cell) for cell in listed.value["status"]], strict=True))
    assert (shown["late"], shown["soon"], shown["nothing"]) == (["Overdue"], ["Open"], ["Open"])
    assert "–" not in list(listed.value["due"])


def test_subscriptions_say_how_they_stand(account: ModuleType) -> None:
    text = read(opened()).replace("\\", "")
    assert "Pro: 3 × $49.00 a month" in text
    assert "It is set to end on Jan 1, 2027" in text
    assert "It ended on Jan 1, 2026: too expensive." in text
    assert "$9.00: Set-up *help*" in text
    assert "Visa ·· 4242, 01/2020" in text


def test_a_source_that_was_never_charged_is_on_file_all_the_same(account: ModuleType) -> None:
    assert "once it was charged" not in read(opened())
    with account.transaction() as session:
        row = session.get(Customer, "cus_ada")
        row.default_payment_method, row.default_source = None, "card_unseen"
        session.execute(sa.update(Subscription).values(default_payment_method=None))
        session.execute(sa.delete(PaymentMethod))
    said = read(opened())
    assert "A payment method is on file; its brand and digits show once it was charged" in said
    assert "No payment method on file." not in said


def test_lists_are_read_when_their_tab_is_open(account: ModuleType) -> None:
    assert not opened().dataframe
    (invoices,) = opened(view="Invoices").dataframe
    assert list(invoices.value["number"]) == ["A-1"]
    assert list(invoices.value["why"]) == ["There was not enough money on the card."]
    (payments,) = opened(view="Payments").dataframe
    assert (payments.value["invoice"][0], payments.value["card"][0]) == ("A-1", "Visa ·· 4242")


def test_the_timeline_joins_stripe_and_staff_and_is_filtered_by_kind(account: ModuleType) -> None:
    app = opened()
    told = "Invoice A-1 was not paid at attempt 2; no further try is planned"
    text = read(app).replace("\\", "")
    assert told in text
    assert "Extend trial\u2002:green-badge[Done]\u2002:small[:gray[Sam Okafor]]" in text
    assert "asked nicely" in text
    only = read(opened(kinds="Actions")).replace("\\", "")
    assert "asked nicely" in only
    assert told not in only


def test_older_entries_are_shown_on_demand(account: ModuleType) -> None:
    with account.transaction() as s:
        for n in range(40):
            s.add(Note(customer="cus_twin", body=f"entry {n:02d}.", created_at=n + 1))
    app = opened("cus_twin", kinds="Notes")
    assert "entry 39." in [text.value for text in app.text]
    more = app.button(key="timeline:cus_twin:more")
    shown = [element.value for element in app.text].count("entry 00.")
    assert [element.value for element in ran(more.click()).text].count("entry 00.") == shown + 1


def blank_note(app: AppTest) -> TextArea:
    return next(one for one in app.text_area if one.label == "Write a note")


def button(app: AppTest, label: str) -> Button:
    return next(one for one in app.button if one.label == label)


def test_notes_tags_owner_and_tasks_are_changed_in_place(account: ModuleType) -> None:
    app = opened(acting_as=SUPPORT)
    blank_note(app).set_value("Called, *will* pay")
    ran(button(app, "Add note").click())
    assert blank_note(app).value == ""
    with account.session() as s:
        sam = next(id for id, name in people.names(s).items() if name == "Sam Okafor")
    ran(app.selectbox(key="owner:cus_ada").select(sam))
    ran(app.multiselect(key="tags:cus_ada").set_value(["VIP"]))
    next(one for one in app.text_input if one.label == "What is to be done").set_value("Send the offer")
    ran(button(app, "Add").click())
    with account.session() as s:
        assert [note.body for note in notes.on(s, "cus_ada")] == ["Called, *will* pay"]
        assert notes.owner(s, "cus_ada") == sam
        assert s.get(CustomerFacts, "cus_ada").owner == sam
        assert notes.tags(s, "cus_ada") == ["vip"]
        (task,) = tasks.on(s, "cus_ada")
        assert (task.title, task.assignee, task.done_at) == ("Send the offer", sam, None)
    ran(app.checkbox(key=f"done:{task.id}:None").check())
    with account.session() as s:
        assert s.get(Task, task.id).done_at is not None
    assert "Called, *will* pay" in [text.value for text in app.text]


def test_a_page_that_is_old_leaves_a_colleagues_tag(account: ModuleType) -> None:
    app = opened(acting_as=SUPPORT)
    with account.transaction() as s:
        notes.set_tags(s, people.admit(s, ADMIN), "cus_ada", ["theirs"], seen=[])
    ran(app.multiselect(key="tags:cus_ada").set_value(["mine"]))
    with account.session() as s:
        assert notes.tags(s, "cus_ada") == ["mine", "theirs"]


def planned(database: ModuleType, title: str = "Send the offer", by: str = SUPPORT) -> int:
    """The id of a new task of Ada's for this person."""
    with database.transaction() as s:
        id = tasks.add(s, people.admit(s, by), "cus_ada", title).id
    assert id is not None
    return id


def form(app: AppTest, label: str) -> Any:
    """The field of the first task's form."""
    fields = [*app.text_input, *app.selectbox, *app.date_input]
    return next(one for one in fields if one.label == label)


def test_a_task_is_due_today_at_the_latest_until_midnight(account: ModuleType) -> None:
    evening = clock.day_start(clock.now(), config.settings().zone) + 20 * 3600
    clock.follow(clock.offset() + evening - clock.now())
    today = clock.local(evening, config.settings().zone).date()
    for day, says in ((today - timedelta(days=1), ["This time has passed."]), (today, [])):
        app = opened()
        key = app.session_state["form:new_task:cus_ada"]
        app.text_input(key=f"{key}:title").set_value("Call")
        app.date_input(key=f"{key}:due").set_value(day)
        ran(button(app, "Add").click())
        assert [error.value.replace("\\", "") for error in app.error] == says
    with account.session() as s:
        [row] = tasks.on(s, "cus_ada")
    assert row.due_at == evening + 4 * 3600 - 60


@pytest.mark.parametrize("left", [True, False])
def test_a_task_stays_with_whom_it_was_until_somebody_else_is_chosen(account: ModuleType, left: bool) -> None:
    id = planned(account)
    with account.transaction() as s:
        people.deactivate(s, SUPPORT)
        sam = s.get(Task, id).assignee
        if not left:
            s.get(Task, id).assignee = None
    app = opened()
    who = form(app, "Who")
    assert who.value == (sam if left else None)
    assert ("Sam Okafor" in who.options) is left
    form(app, "What is to be done").set_value("Send a new offer")
    ran(button(app, "Save").click())
    with account.session() as s:
        task = s.get(Task, id)
        assert task.assignee == (sam if left else None)
        assert task.title == ("Send a new offer" if left else "Send the offer")
    if not left:
        assert "Nobody is chosen for the task" in app.error[0].value


def test_a_tasks_form_shows_what_a_colleague_changed_and_does_not_take_it_back(account: ModuleType) -> None:
    id = planned(account)
    app = opened()
    with account.transaction() as s:
        task = s.get(Task, id)
        tasks.edit(
            s, people.admit(s, SUPPORT), id, title="Send a better offer", due_at=None,
            assignee=task.assignee, seen=tasks.plan(task),
        )  # fmt: skip
    form(app, "What is to be done").set_value("Forget it")
    ran(button(app, "Save").click())
    assert "Somebody else has changed this task meanwhile" in app.error[0].value
    assert form(app, "What is to be done").value == "Send a better offer"
    form(app, "What is to be done").set_value("Send the best offer")
    ran(button(app, "Save").click())
    assert not app.error
    with account.session() as s:
        assert s.get(Task, id).title == "Send the best offer"


def test_what_is_typed_stays_while_a_colleague_changes_the_task(account: ModuleType) -> None:
    id = planned(account)
    app = opened()
    app.session_state[f"edit_task:{id}"] = True  # AppTest has no popovers: it takes their state back
    field = form(ran(app), "What is to be done")
    with account.transaction() as s:
        ada = people.admit(s, ADMIN)
        task = s.get(Task, id)
        tasks.edit(
            s, people.admit(s, SUPPORT), id, title=task.title, due_at=1_800_000_000, assignee=ada.id,
            seen=tasks.plan(task),
        )  # fmt: skip
    app.session_state[f"edit_task:{id}"] = True
    ran(app)
    assert "A colleague changed this task meanwhile: it is due Jan 15, 2027, it is for Ada Berg" in plain(app)
    stayed = form(app, "What is to be done")
    assert stayed.id == field.id  # the same field: what is typed in it is the browser's until it is sent
    stayed.set_value("Send the offer by post")
    ran(button(app, "Save").click())
    assert not app.error
    assert not app.session_state[f"edit_task:{id}"]
    with account.session() as s:
        saved = tasks.plan(s.get(Task, id))
    assert saved == tasks.Plan("Send the offer by post", 1_800_000_000, ada.id)


def plain(app: AppTest) -> str:
    """What the page tells in boxes, without the signs that keep Markdown away."""
    return " ".join(box.value for box in app.info).replace("\\", "")


@pytest.mark.parametrize(
    ("place", "field", "add"), [("new_note", "", "Add note"), ("new_task", ":title", "Add")]
)
def test_a_second_click_on_the_same_form_adds_what_is_new_in_it(
    account: ModuleType, place: str, field: str, add: str
) -> None:
    """What the first click wrote into the session is lost when the second comes at once: the form stays."""
    app = opened()
    key = app.session_state[f"form:{place}:cus_ada"]
    for typed in ("first", "first", "second"):
        app.session_state[f"form:{place}:cus_ada"] = key
        blank = next(one for one in [*ran(app).text_area, *app.text_input] if one.key == key + field)
        blank.set_value(typed)
        ran(button(app, add).click())
    with account.session() as s:
        told = [note.body for note in notes.on(s, "cus_ada")] + [
            task.title for task in tasks.on(s, "cus_ada")
        ]
    assert sorted(told) == ["first", "second"]


def test_what_cannot_be_kept_is_explained_and_nothing_typed_is_lost(account: ModuleType) -> None:
    app = opened()
    blank_note(app).set_value("   ")
    ran(button(app, "Add note").click())
    assert "note is empty" in app.error[0].value
    long = "x" * 10_001
    blank_note(app).set_value(long)
    ran(button(app, "Add note").click())
    assert "10,001 characters" in app.error[0].value
    assert blank_note(app).value == long
    with account.session() as s:
        assert notes.on(s, "cus_ada") == []


def test_only_ones_own_notes_can_be_changed(account: ModuleType) -> None:
    with account.transaction() as s:
        sam = people.admit(s, SUPPORT)
        note = notes.add(s, sam, "cus_ada", "Sam’s")
    key = f"note:cus_ada:{note.id}"
    assert key + ":save" not in {button.key for button in opened(acting_as=ADMIN).button}
    app = opened(acting_as=SUPPORT)
    app.text_area(key=f"{key}:body").set_value("Sam’s, better")
    ran(app.button(key=f"{key}:save").click())
    with account.session() as s:
        assert [n.body for n in notes.on(s, "cus_ada")] == ["Sam’s, better"]


def test_a_viewer_sees_everything_and_changes_nothing(account: ModuleType) -> None:
    app = opened(acting_as=VIEWER)
    assert "may not write notes" in read(app)
    assert blank_note(app).disabled
    assert button(app, "Add note").disabled
    assert app.selectbox(key="owner:cus_ada").disabled
    assert app.multiselect(key="tags:cus_ada").disabled
    assert app.button(key="message:cus_ada").disabled
    assert app.button(key="call:cus_ada").disabled


def test_customers_who_share_the_email_are_linked(account: ModuleType) -> None:
    links = opened().get("page_link")
    assert [
        (link.proto.label, link.proto.query_string) for link in links if "cus_" in link.proto.query_string
    ] == [("Twin", "id=cus_twin")]


def test_a_deleted_customer_is_history(account: ModuleType) -> None:
    app = opened("cus_gone")
    assert "was deleted in Stripe" in app.warning[0].value
    keys = {button.key for button in app.button}
    assert not keys & {"message:cus_gone", "call:cus_gone"}
    assert not any(str(key).startswith("action:") for key in keys)


@pytest.mark.parametrize(
    ("id", "says"), [("cus_none", "no customer with the id"), (None, "No customer is chosen")]
)
def test_where_there_is_no_customer_a_sentence_says_what_to_do(
    account: ModuleType, id: str | None, says: str
) -> None:
    app = opened(id)
    assert says in read(app).replace("\\", "")
    assert "Search customers" in [button.label for button in app.button]


def test_who_is_not_there_yet_is_told_when_the_desk_looks_again(
    account: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "looks for news in Stripe every 2 seconds" in read(opened("cus_none"))
    monkeypatch.setenv("POLL_INTERVAL", "1")
    config.settings.cache_clear()
    assert "looks for news in Stripe every 1 second:" in read(opened("cus_none"))


def test_links_out_lead_to_the_right_mode_and_to_ones_own_tools(
    account: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INTERCOM_APP_ID", "app1")
    monkeypatch.setenv("ADMIN_URL_TEMPLATE", "https://admin.example/c/{id}")
    config.settings.cache_clear()
    urls = {link.proto.label: link.proto.url for link in opened().get("link_button")}
    assert urls["Admin"] == "https://admin.example/c/cus_ada"
    assert urls["Intercom"].startswith("https://app.intercom.com/a/apps/app1/")
    assert "Stripe" not in urls


def add_plans(database: ModuleType, first: int, last: int) -> None:
    """Running subscriptions of the twin, each with an item and an invoice that failed."""
    with database.transaction() as s:
        for n in range(first, last):
            row(
                s,
                Subscription,
                id=f"sub_t{n}",
                customer="cus_twin",
                status="active",
                created=n,
                currency="usd",
            )
            row(
                s,
                SubscriptionItem,
                id=f"si_t{n}",
                subscription=f"sub_t{n}",
                price="price_1",
                product="prod_1",
            )
            row(
                s, Invoice, id=f"in_t{n}", customer="cus_twin", number=f"T-{n}", subscription=f"sub_t{n}",
                status="open", attempted=True, amount_remaining=100 + n, currency="usd",
            )  # fmt: skip


def test_a_hundred_subscriptions_cost_no_more_than_a_dozen(account: ModuleType) -> None:
    costs = []
    for first, last in ((0, 12), (12, 100)):
        add_plans(account, first, last)
        app = opened("cus_twin")
        with asked(account.engine()) as statements:
            ran(app)
        costs.append(len(statements))
        assert len([key for key in keys(app) if key.startswith("action:cancel:sub_t")]) == 10
    assert costs[0] == costs[1]


def test_an_ordinary_customer_takes_few_statements(account: ModuleType) -> None:
    app = opened("cus_twin")
    with asked(account.engine()) as statements:
        ran(app)
    assert len(statements) <= 38


def test_what_is_not_shown_is_counted_and_a_click_away(account: ModuleType) -> None:
    add_plans(account, 0, 12)
    app = opened("cus_twin")
    text = read(app)
    assert "10 of 12 subscriptions are shown." in text
    assert "5 of 12 unpaid invoices are shown." in text
    assert text.count("is not paid") == 5
    app = ran(app.button(key="plans:cus_twin:more").click())
    app = ran(app.button(key="unpaid:cus_twin:more").click())
    assert "subscriptions are shown" not in read(app)
    assert "10 of 12 unpaid invoices are shown." in read(app)
    app = ran(app.button(key="unpaid:cus_twin:more").click())
    assert read(app).count("is not paid") == 12


def keys(app: AppTest) -> list[str]:
    """The keys of the page's buttons."""
    return [str(button.key) for button in app.button]


def test_a_name_in_the_tab_is_one_line_that_nothing_can_turn_around(account: ModuleType) -> None:
    with account.transaction() as session:
        session.get(Customer, "cus_ada").name = "Ada\n\u202eBerg\x07 " + "x" * 200  # type: ignore[union-attr]
    title = opened().session_state["tab_title"]
    assert title.startswith("Ada Berg xxx")
    assert title.endswith("x… · Trialdesk")
    assert len(title) < 80


def test_what_waits_can_be_removed_by_whoever_may(account: ModuleType) -> None:
    key = "action:remove_charge:ii_1"
    assert opened(acting_as=SUPPORT).button(key=key).label == "Remove charge"
    assert key not in {one.key for one in opened(acting_as=VIEWER).button}

"""The fields of the actions' dialogs give back what was typed."""

from __future__ import annotations

import json
from types import ModuleType

import pytest
from streamlit.testing.v1 import AppTest

from services.staff import policy
from services.staff.roles import Measure, Policy, Role

# Who looks comes from the database; its SQL has tests on both.
LOOKED_AT = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
SALES = "pia@trialdesk.test"


def page() -> None:
    import streamlit as st

    from pages.components.actions import days_field

    st.text(days_field("f")["days"])


@LOOKED_AT
@pytest.mark.usefixtures("ready")
@pytest.mark.parametrize(
    ("typed", "given"),
    [(7.0, "7"), (1.5, "1.5"), (-3.0, "-3"), (1e20, "100000000000000000000"), (1e-7, "0.0000001")],
)
def test_a_number_of_days_is_told_in_digits(staffed: ModuleType, typed: float, given: str) -> None:
    app = AppTest.from_function(page, default_timeout=60).run()
    app.number_input[0].set_value(typed).run()
    assert not app.exception
    assert app.text[0].value == given


@LOOKED_AT
@pytest.mark.usefixtures("ready")
def test_an_emptied_number_of_days_is_none(staffed: ModuleType) -> None:
    app = AppTest.from_function(page, default_timeout=60).run()
    assert app.text[0].value == "7"
    app.number_input[0].set_value(None).run()
    assert not app.exception
    assert app.text[0].value == ""


@LOOKED_AT
@pytest.mark.usefixtures("ready")
@pytest.mark.parametrize(("most", "first"), [(30, "7"), (5, "5")])
def test_no_more_days_are_proposed_than_the_looker_may_give_at_once(
    staffed: ModuleType, most: int, first: str
) -> None:
    held = Policy(limits={Role.SALES: {(Measure.TRIAL_DAYS, ""): most}})
    with staffed.transaction() as session:
        policy.write(session, held, seen=0)
    app = AppTest.from_function(page, default_timeout=60)
    app.session_state["as"] = SALES
    assert app.run().text[0].value == first


def charge() -> None:
    import streamlit as st

    from models import Customer, Subscription
    from pages.components.invoice_fields import add_charge
    from services.desk.subject import Subject

    for status in ("trialing", "active", "past_due", "unpaid", "paused", "incomplete", "canceled", ""):
        plan = Subscription(id="sub_1", created=0, customer="cus_1", status=status) if status else None
        form = add_charge(Subject(Customer(id="cus_1", created=0), subscription=plan), status or "none")
        st.text(form["when"])


def test_a_charge_is_first_offered_where_it_is_possible() -> None:
    app = AppTest.from_function(charge, default_timeout=60).run()
    assert not app.exception
    assert [text.value for text in app.text] == ["next"] * 3 + ["now"] * 5
    app.radio[3].set_value("next").run()
    assert app.text[3].value == "next", "the choice stays"


def plan() -> None:
    import json

    import streamlit as st

    from models import Customer, Price, Product, Subscription, SubscriptionItem
    from pages.components.plan_fields import FIELDS
    from services.desk.selling import Plan
    from services.desk.subject import Item, Subject

    def sold(id: str, amount: int, interval: str = "month", **more: str) -> Plan:
        price = Price(id=id, created=0, currency="usd", unit_amount=amount, interval=interval, **more)
        return Plan(price, Product(id=f"prod_{id}", created=0, name=id.title()))

    plans = (sold("pro", 9900), sold("yearly", 99000, "year"), sold("calls", 2, usage_type="metered"))
    row = SubscriptionItem(id="si_1", created=0, subscription="sub_1", price="team", quantity=2)
    own = sold("team", 4900)
    for status in ("active", "trialing"):
        subscription = Subscription(id="sub_1", created=0, customer="cus_1", status=status, currency="usd")
        subject = Subject(
            Customer(id="cus_1", created=0), subscription=subscription,
            items=(Item(row, own.price, own.product),), plans=plans,
        )  # fmt: skip
        st.text(json.dumps(FIELDS["change_plan"](subject, status)))


def test_a_plan_is_chosen_among_those_sold_and_billed_as_it_can_be() -> None:
    app = AppTest.from_function(plan, default_timeout=60).run()
    assert not app.exception
    as_now = {"item": "si_1", "price": "team", "quantity": "2", "billing": "next"}
    assert [json.loads(text.value) for text in app.text] == [as_now, as_now | {"billing": "none"}]
    assert app.selectbox[0].options[:2] == ["Team, $49.00 a month (as now)", "Pro, $99.00 a month"]
    assert len(app.radio) == 1, "in a trial nothing is billed"
    app.selectbox[0].set_value("yearly").run()
    assert app.radio[0].options == ["At once, with credit for the time not used", "At once, without credit"]
    assert json.loads(app.text[0].value) == as_now | {"price": "yearly", "billing": "now"}
    app.selectbox[0].set_value("calls").run()
    assert json.loads(app.text[0].value)["quantity"] == "" and len(app.number_input) == 1


@pytest.mark.parametrize(("typed", "given"), [(1.5, "1.5"), (None, ""), (3.0, "3")])
def test_a_quantity_is_told_as_typed(typed: float | None, given: str) -> None:
    app = AppTest.from_function(plan, default_timeout=60).run()
    app.number_input[0].set_value(typed).run()
    assert not app.exception
    assert json.loads(app.text[0].value)["quantity"] == given


def plan_back() -> None:
    import json

    import streamlit as st

    from models import Customer, Price, Product, Subscription, SubscriptionItem
    from pages.components.plan_fields import billed
    from services.desk.selling import Plan
    from services.desk.subject import Item, Subject

    team, yearly = (
        Price(id=id, created=0, currency="usd", unit_amount=4900, interval=interval)
        for id, interval in (("team", "month"), ("yearly", "year"))
    )
    product = Product(id="prod_1", created=0, name="Team")
    row = SubscriptionItem(id="si_1", created=0, subscription="sub_1", price="team", quantity=2)
    subject = Subject(
        Customer(id="cus_1", created=0), items=(Item(row, team, product),), plans=(Plan(yearly, product),),
        subscription=Subscription(id="sub_1", created=0, customer="cus_1", status="active", currency="usd"),
    )  # fmt: skip
    for price in ("team", "yearly"):
        st.text(json.dumps(billed(subject, {"item": "si_1", "price": price, "quantity": "1"}, price)))


def test_how_a_plan_that_comes_back_is_billed_is_all_that_is_asked() -> None:
    app = AppTest.from_function(plan_back, default_timeout=60).run()
    assert not app.exception and not app.selectbox and not app.number_input
    assert [json.loads(text.value) for text in app.text] == [{"billing": "next"}, {"billing": "now"}]
    assert app.radio[1].options == ["At once, with credit for the time not used", "At once, without credit"]


def again() -> None:
    import json

    import streamlit as st

    from models import Customer, Price, Product, Subscription, SubscriptionItem
    from pages.components.plan_fields import FIELDS
    from services.desk.subject import Item, Subject

    row = SubscriptionItem(id="si_1", created=0, subscription="sub_1", price="old")
    old, new = (
        Price(id=id, created=0, currency="usd", unit_amount=amount, interval="month")
        for id, amount in (("old", 1500), ("new", 1900))
    )
    item = Item(row, old, Product(id="prod_1", created=0, name="Team"), successor=new)
    for status in ("canceled", "paused"):
        plan = Subscription(id="sub_1", created=0, customer="cus_1", status=status, currency="usd")
        subject = Subject(Customer(id="cus_1", created=0), subscription=plan, items=(item,))
        st.text(json.dumps(FIELDS["reactivate"](subject, status)))


def test_the_successor_of_an_archived_price_is_agreed_to() -> None:
    app = AppTest.from_function(again, default_timeout=60).run()
    assert not app.exception
    assert [json.loads(text.value) for text in app.text] == [{"successor": ""}, {}]
    [box] = app.checkbox
    assert box.label == r"Begin with Team at \$19\.00 a month"
    box.check().run()
    assert json.loads(app.text[0].value) == {"successor": "yes"}


def call_outcome() -> None:
    from pages.components.call_dialogs import _Close

    _Close(None).fields("f")  # type: ignore[arg-type]  # the fields ask nothing of the call


@pytest.mark.parametrize(("state", "shown"), [("done", ["Outcome"]), ("no_show", []), ("declined", [])])
def test_only_a_call_that_took_place_is_asked_for_its_outcome(state: str, shown: list[str]) -> None:
    app = AppTest.from_function(call_outcome, default_timeout=60).run()
    app.radio[0].set_value(state).run()
    assert not app.exception
    assert [field.label for field in app.selectbox] == shown


def cancellation() -> None:
    import streamlit as st

    from models import Customer, Subscription
    from pages.components.account_fields import cancel
    from services.desk.subject import Subject

    for status in ("active", "trialing"):
        plan = Subscription(id="sub_1", created=0, customer="cus_1", status=status)
        st.json(dict(cancel(Subject(Customer(id="cus_1", created=0), subscription=plan), status)))


def test_how_an_end_is_billed_is_asked_where_a_period_is_paid_for() -> None:
    app = AppTest.from_function(cancellation, default_timeout=60).run()
    assert not app.exception and not app.checkbox and not app.date_input
    app.radio[0].set_value("date")
    app.radio[1].set_value("date").run()
    assert [box.label[:10] for box in app.checkbox] == ["Credit the"] and len(app.date_input) == 2
    app.checkbox[0].check()
    app.radio[1].set_value("now").run()
    app.radio[0].set_value("now").run()
    assert [box.label[:6] for box in app.checkbox] == ["Credit", "Make a"], "a trial has nothing to credit"
    assert '"prorate": "yes"' in app.json[0].value.replace('":"', '": "')


def trial_start() -> None:
    import streamlit as st

    from models import Customer, Price, Product
    from pages.components.account_fields import pause, start_trial
    from services.desk.selling import Plan
    from services.desk.subject import Subject

    price = Price(id="price_1", created=0, currency="usd", unit_amount=4900, interval="month")
    team = Plan(price, Product(id="prod_1", created=0, name="Team"))
    about = Subject(Customer(id="cus_1", created=0), plans=(team,))
    st.json(dict(start_trial(about, "t")))
    st.json(dict(pause(about, "p")))


def test_a_plan_is_chosen_by_name_and_a_pause_lasts_until_a_day() -> None:
    app = AppTest.from_function(trial_start, default_timeout=60).run()
    assert not app.exception and app.selectbox[0].options == ["Team at $49.00 a month"]
    app.selectbox[0].set_value("price_1")
    app.radio(key="p:until").set_value("day").run()
    trial, pause = (json.loads(shown.value) for shown in app.json)
    assert trial == {"price": "price_1", "quantity": "1", "days": "14", "at_end": "cancel"}
    assert pause["behavior"] == "void" and len(pause["date"]) == 10


def credit_given() -> None:
    import streamlit as st

    from models import Customer
    from pages.components.account_fields import credit
    from services.desk.subject import Subject

    st.json(dict(credit(Subject(Customer(id="cus_1", created=0, currency="eur")), "c")))


def test_credit_is_given_in_the_customers_currency() -> None:
    app = AppTest.from_function(credit_given, default_timeout=60).run()
    app.text_input(key="c:amount").set_value("12.5").run()
    assert not app.exception and app.caption[0].value == "Read as €12\\.50"
    given = json.loads(app.json[0].value)
    assert given == {"way": "give", "amount": "12.5", "currency": "EUR", "description": ""}


def contact_changed() -> None:
    import streamlit as st

    from models import Customer
    from pages.components.account_fields import contact
    from services.desk.subject import Subject

    st.json(dict(contact(Subject(Customer(id="cus_1", created=0, email="ada@x.example")), "c")))


def test_a_contact_is_changed_from_what_it_is() -> None:
    app = AppTest.from_function(contact_changed, default_timeout=60).run()
    app.text_input(key="c:name").set_value("Ada").run()
    assert not app.exception and json.loads(app.json[0].value) == {"email": "ada@x.example", "name": "Ada"}


def rebates() -> None:
    import json

    import streamlit as st

    from models import Coupon, Customer, Subscription
    from pages.components.plan_fields import FIELDS
    from services.desk.subject import Subject

    given = Coupon(id="LAUNCH", created=0, name="Launch", percent_off="20.0", duration="once")
    plan = Subscription(id="sub_1", created=0, customer="cus_1", status="active", discounts=["di_1", "di_2"])
    subject = Subject(Customer(id="cus_1", created=0), subscription=plan, coupons=(given,))
    for command in ("apply_coupon", "remove_coupon"):
        st.text(json.dumps(FIELDS[command](subject, command)))


def test_a_coupon_is_chosen_or_a_code_typed_and_one_of_several_removed() -> None:
    app = AppTest.from_function(rebates, default_timeout=60).run()
    assert not app.exception
    assert app.selectbox[0].options == ["Launch: 20 % off on the next invoice only"]
    app.selectbox[0].set_value("LAUNCH")
    app.selectbox[1].set_value("di_2").run()
    given = [json.loads(text.value) for text in app.text]
    assert given == [{"kind": "coupon", "coupon": "LAUNCH"}, {"discount": "di_2"}]
    app.radio[0].set_value("code").run()
    app.text_input[0].set_value("FRIEND").run()
    assert json.loads(app.text[0].value) == {"kind": "code", "code": "FRIEND"}

"""The fields of the actions' dialogs give back what was typed."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest


def page() -> None:
    import streamlit as st

    from pages.components.actions import days_field

    st.text(days_field("f")["days"])


@pytest.mark.parametrize(
    ("typed", "given"),
    [(7.0, "7"), (1.5, "1.5"), (-3.0, "-3"), (1e20, "100000000000000000000"), (1e-7, "0.0000001")],
)
def test_a_number_of_days_is_told_in_digits(typed: float, given: str) -> None:
    app = AppTest.from_function(page, default_timeout=60).run()
    app.number_input[0].set_value(typed).run()
    assert not app.exception
    assert app.text[0].value == given


def test_an_emptied_number_of_days_is_none() -> None:
    app = AppTest.from_function(page, default_timeout=60).run()
    assert app.text[0].value == "7"
    app.number_input[0].set_value(None).run()
    assert not app.exception
    assert app.text[0].value == ""


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


def call_outcome() -> None:
    from pages.components.call_dialogs import _Close

    _Close(None).fields("f")  # type: ignore[arg-type]  # the fields ask nothing of the call


@pytest.mark.parametrize(("state", "shown"), [("done", ["Outcome"]), ("no_show", []), ("declined", [])])
def test_only_a_call_that_took_place_is_asked_for_its_outcome(state: str, shown: list[str]) -> None:
    app = AppTest.from_function(call_outcome, default_timeout=60).run()
    app.radio[0].set_value(state).run()
    assert not app.exception
    assert [field.label for field in app.selectbox] == shown

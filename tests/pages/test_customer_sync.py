"""“Sync now” on the Customer page: only a click asks Stripe, it waits meanwhile, and says what came of it."""

from __future__ import annotations

from concurrent.futures import Future
from types import ModuleType

import pytest
from streamlit.testing.v1 import AppTest

from pages.components.navigation import ROOT
from services.errors import Unavailable
from services.mirror.drift import Found
from services.mirror.one_customer import Synced
from services.stripe_api import client
from tests.customers.builders import customer
from tests.pages.work import captions

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # no SQL of its own


@pytest.fixture
def ada(staffed: ModuleType, ready: None) -> ModuleType:
    """One customer; no account is connected, so that asking Stripe would fail."""
    client.configure(None)
    with staffed.transaction() as session:
        customer(session, "cus_ada", name="Ada")
        customer(session, "cus_bob", name="Bob")
    return staffed


def opened(answer: Future[Synced] | None = None, about: str = "cus_ada") -> AppTest:
    app = AppTest.from_file(str(ROOT / "pages" / "customer.py"), default_timeout=60)
    app.session_state["as"] = "vera@trialdesk.test"
    app.query_params["id"] = "cus_ada"
    if answer is not None:
        app.session_state["customer_sync"] = (about, answer)
    app.run()
    assert not app.exception, app.exception[0].value
    return app


def done(*changes: Found, left_out: tuple[str, ...] = ()) -> Future[Synced]:
    answer: Future[Synced] = Future()
    answer.set_result(Synced(changes, left_out))
    return answer


def said(app: AppTest) -> str:
    return " ".join(captions(app)).replace("\\", "")


def test_opening_asks_nobody_and_a_click_says_what_stripe_said(ada: ModuleType) -> None:
    app = opened()
    assert "No Stripe account" not in said(app)
    app.button(key="sync:cus_ada").click().run()
    _, answer = app.session_state["customer_sync"]
    assert answer.exception(30) is not None
    app.run()
    assert ":red[No Stripe account is connected yet. Start the desk" in said(app)
    assert not app.button(key="sync:cus_ada").disabled


def test_it_waits_while_the_customer_is_read(ada: ModuleType) -> None:
    button = opened(Future()).button(key="sync:cus_ada")
    assert (button.label, button.disabled) == ("Asking Stripe…", True)


def test_it_says_what_was_different_and_what_is_left_out(ada: ModuleType) -> None:
    changes = [
        Found(1, "subscriptions", "sub_1", "sub_1", "changed", ("status", "trial_end")),
        Found(1, "invoice_items", "ii_1", "ii_1", "missing"),
        Found(1, "invoices", "in_1", "in_1", "gone"),
        *(Found(1, "charges", f"ch_{n}", f"ch_{n}", "missing") for n in range(3)),
    ]
    app = opened(done(*changes, left_out=("It may *not*.", "It may *not*.")))
    assert (
        "6 differences, up to date now: subscription sub_1 (status, trial end); invoice item ii_1 was "
        "missing here; invoice in_1 is gone in Stripe; charge ch_0 was missing here; and 2 more."
    ) in said(app)
    [left] = [one for one in app.caption if "Not all could be read" in one.value]
    assert left.help == r"It may \*not\*\."


def test_nothing_different_is_said_too(ada: ModuleType) -> None:
    assert "Read from Stripe: nothing was different." in said(opened(done()))


def test_what_stripe_refused_is_in_plain_words(ada: ModuleType) -> None:
    answer: Future[Synced] = Future()
    answer.set_exception(Unavailable("Stripe does *not* answer.", remedy="Try again."))
    assert ":red[Stripe does *not* answer. Try again.]" in said(opened(answer))


def test_what_was_said_of_another_customer_is_not_said_here(ada: ModuleType) -> None:
    app = opened(done(), about="cus_bob")
    assert "Read from Stripe" not in said(app)

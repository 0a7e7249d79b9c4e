"""What an address asks for and the desk does not know is ignored, with a sentence."""

from __future__ import annotations

from types import ModuleType

import pytest
from streamlit.testing.v1 import AppTest

from models import Subscription
from services import clock
from tests.metrics import count
from tests.pages.menu import open_in_menu
from tests.pages.work import add_failure, add_trial

SAID = "The address asks for what the desk does not know; it is ignored: "


def ignored(app: AppTest) -> list[str]:
    """What the page says that it ignores."""
    said = [info.value.replace("\\", "") for info in app.info]
    return [each.removeprefix(SAID) for each in said if each.startswith(SAID)]


@pytest.fixture
def rows(pulled: ModuleType) -> ModuleType:
    """A trial and a failed payment."""
    add_trial(pulled, "Ada", 5)
    add_failure(pulled, "Bea", 4900)
    with pulled.transaction() as session:
        running = session.get_one(Subscription, "sub_ada")
        running.created = running.trial_start = clock.now() - 9 * clock.DAY
    count.everybody(pulled)
    return pulled


@pytest.mark.parametrize(
    ("page", "name", "value"),
    [
        ("customers", "status", "nonsense"),
        ("customers", "only", "nonsense"),
        ("customers", "sort", "Nonsense"),
        ("customers", "trial_days", "soon"),
        ("customers", "created_from", "yesterday"),
        ("customers", "currency", "XXX"),
        ("customers", "country", "Atlantis"),
        ("customers", "plan", "Nonsense"),
        ("customers", "owner", "Nobody Knows"),
        ("customers", "page", "last"),
        ("customers", "page", "9999"),
        ("trials", "trials_page", "2"),
        ("trials", "days", "many"),
        ("trials", "trial_card", "gold"),
        ("trials", "trial_owner", "Nobody Knows"),
        ("trials", "trial_sort", "Beauty"),
        ("failed_payments", "retry", "never"),
        ("failed_payments", "currency", "moons"),
        ("failed_payments", "show", "nonsense"),
        ("failed_payments", "currency", "XXX"),
        ("failed_payments", "show", "recovered:much"),
        ("failed_payments", "show", "recovered:xyz"),
        ("calls", "calls_of", "Theirs"),
        ("calls", "call_state", "nonsense"),
        ("outbox", "message_state", "lost"),
        ("activity", "did", "nonsense"),
        ("activity", "since", "monday"),
        ("activity", "who", "xx"),
        ("overview", "status", "active"),
        ("conversion", "id", "cus_ada"),
        ("conversion", "period", "3 moons"),
        ("conversion", "show", "nonsense"),
        ("conversion", "show", "number:bogus"),
        ("conversion", "show", "cohort:1999-01"),
    ],
)
def test_what_is_not_understood_is_said(
    rows: ModuleType, ready: None, page: str, name: str, value: str
) -> None:
    app = open_in_menu(page, **{name: value})
    [said] = ignored(app)
    assert said == f"{name} “{value}”."
    assert name not in app.query_params, "the address does not say it any longer"
    assert ignored(app.run()) == [said], "it stays while one looks at the page"


@pytest.mark.parametrize(
    ("page", "address"),
    [
        (
            "customers",
            {
                "status": "trialing",
                "sort": "Name",
                "trial_days": "5",
                "created_from": "2026-01-01",
                "page": "1",
            },
        ),
        ("customers", {"currency": "SEK", "country": "Iceland (IS)", "tag": "gone", "owner": "Sam Okafor"}),
        ("trials", {"days": "30", "trial_card": "Not on file", "trial_owner": "Nobody"}),
        ("failed_payments", {"retry": "No further retry", "currency": "USD", "show": "recovered:usd"}),
        ("calls", {"calls_of": "Mine", "call_state": "Done"}),
        ("conversion", {"period": "6 months", "within": "14 days", "show": "number:running"}),
        ("overview", {"utm_source": "mail"}),
        ("customer", {"id": "cus_ada", "view": "Timeline"}),
        ("not_found", {"asked": "/custmers"}),
        ("trials", {"days": "", "trial_card": ""}),
    ],
)
def test_what_is_understood_needs_no_word(
    rows: ModuleType, ready: None, page: str, address: dict[str, str]
) -> None:
    assert ignored(open_in_menu(page, **address)) == []


def test_what_an_address_holds_stays_text(rows: ModuleType, ready: None) -> None:
    [said] = ignored(open_in_menu("trials", trial_card="**b** ![i](http://evil.example/i.png) " + "x" * 99))
    assert said.startswith("trial_card “**b** ![i](")
    assert len(said) < 100
    assert r"\*\*b\*\*" in "".join(info.value for info in open_in_menu("trials", trial_card="**b**").info)


def test_what_was_corrected_is_forgotten(rows: ModuleType, ready: None) -> None:
    app = open_in_menu("conversion", show="nonsense")
    assert ignored(app)
    app.query_params["show"] = "number:running"
    assert ignored(app.run()) == []

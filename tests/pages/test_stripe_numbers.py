"""Why not Stripe's number: from ours to Stripe's, what is left to a number that was read, the rows behind."""

from __future__ import annotations

from types import ModuleType

import pytest
from streamlit.testing.v1 import AppTest

from services import clock
from services.customers import export_revenue
from services.errors import NotAllowed
from services.metrics.revenue import bridge
from services.metrics.revenue.bridge import Rules
from services.staff.roles import Person, Role
from tests.metrics import count
from tests.metrics.build import Account
from tests.pages.menu import open_in_menu
from tests.pages.work import captions, column, whoever

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # SQL has tests on both
DAY = clock.DAY
PRO = 4_900_000_000


@pytest.fixture
def account(staffed: ModuleType, ready: None) -> ModuleType:
    """Two pay 49.00; of one more nothing is collected; one pays euros."""
    told, begun = Account(), clock.now() - 60 * DAY
    told.plan("eu", 4900, "month", "eur")
    for name, fields in {
        "ada": {},
        "bob": {"cancel_at_period_end": True},
        "cem": {"pause_collection": "void"},
        "eva": {"currency": "eur", "plan": "eu", "plan_micros": PRO},
    }.items():
        told.subscription(told.customer(name, begun), begun, **fields)
    told.save(staffed)
    count.see(staffed, clock.now() - 5 * DAY)
    count.everybody(staffed)
    return staffed


@pytest.fixture
def page(account: ModuleType) -> AppTest:
    return open_page()


def open_page(**address: str) -> AppTest:
    return open_in_menu("stripe_numbers", acting_as="ada@trialdesk.test", **address)


def words(page: AppTest) -> str:
    return " ".join(one.value for one in page.markdown).replace("\\", "")


def test_each_cause_is_told_and_what_no_rate_is_known_for(page: AppTest) -> None:
    assert not page.exception
    assert "Paused collection: +$49.00" in words(page)
    assert "Timing: no difference" in words(page)
    assert any("Not in it" in one and "EUR" in one for one in captions(page))


def test_a_number_that_was_read_is_explained_or_not(page: AppTest) -> None:
    page.text_input(key="read:MRR that Stripe shows, in USD").input("147.00").run()
    assert [one.value for one in page.success] == ["Explained to the last unit."]
    page.text_input(key="read:MRR that Stripe shows, in USD").input("150").run()
    assert any("3\\.00 more on Stripe" in one.value for one in page.info)
    page.text_input(key="read:MRR that Stripe shows, in USD").input("many").run()
    assert page.error
    page.text_input(key="read:Active subscribers that Stripe shows").input("4").run()
    assert len(page.success) == 1


def test_the_settings_of_stripes_page_are_in_the_address(account: ModuleType) -> None:
    assert "Set to cancel: -$49.00" in words(open_page(leavers="when they cancel"))


def test_the_rows_behind_a_cause_and_their_file(account: ModuleType) -> None:
    with account.session() as session:
        paused = bridge.behind(session, Rules(), "collection_paused", "usd")
        (leaving,) = bridge.behind(session, Rules(at_once=True), "at_once", "usd")
        (row,) = bridge.named(session, paused)
    assert (row.customer, row.ours, row.theirs) == ("cus_cem", 0, PRO)
    assert (leaving.customer, leaving.ours, leaving.theirs) == ("cus_bob", PRO, 0)
    header, line = export_revenue.bridge_csv(whoever(account, "ada@trialdesk.test"), [row])
    assert header.strip().endswith("our_mrr,stripe_mrr,difference")
    assert "cus_cem" in line
    with pytest.raises(NotAllowed):
        list(export_revenue.bridge_csv(Person(9, "Vi", "vi@example.com", Role.VIEWER), [row]))
    page = open_page(show="cause:collection_paused")
    assert column(page, "title") == ["Cem"]

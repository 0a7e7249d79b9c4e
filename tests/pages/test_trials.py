"""The Trials page: the right rows, filters in the address, buttons that say why they are closed."""

from __future__ import annotations

from types import ModuleType

import pytest

from services import clock
from tests.pages.work import add_trial, captions, column, open_page


@pytest.fixture
def trials(staffed: ModuleType, ready: None) -> ModuleType:
    """Three running trials."""
    add_trial(staffed, "Soon", 0.5, payment_method_on_file=True)
    add_trial(staffed, "Later", 5.5, last_contact_at=clock.now() - 7200, last_contact_kind="email")
    add_trial(staffed, "**Bold**<b>", 20, product="prod_solo")
    return staffed


def test_trials_stand_by_days_left(trials: ModuleType) -> None:
    app = open_page("trials")
    assert column(app, "customer") == ["Soon", "Later", "**Bold**<b>"]
    assert column(app, "days_left") == ["12 hours", "6 days", "20 days"]
    assert column(app, "plan") == ["Team, monthly", "Team, monthly", "Solo, monthly"]
    assert column(app, "value") == ["$49.00"] * 3
    assert column(app, "card") == ["On file", "None", "None"]
    assert column(app, "contact") == ["Not contacted yet", "Email, 2 hours ago", "Not contacted yet"]
    assert "3 running trials · Trial MRR $147.00" in [told.replace("\\", "") for told in captions(app)]


@pytest.mark.parametrize(
    ("address", "found"),
    [
        ({"days": "7"}, ["Soon", "Later"]),
        ({"trial_plan": "Solo"}, ["**Bold**<b>"]),
        ({"trial_card": "On file"}, ["Soon"]),
        ({"trial_contact": "Not contacted"}, ["Soon", "**Bold**<b>"]),
        ({"trial_currency": "JPY"}, []),
        ({"trial_sort": "Plan value"}, ["**Bold**<b>", "Later", "Soon"]),
        ({"days": "0", "trial_card": "On file"}, []),
        ({"trial_plan": "no such plan", "days": "-3"}, ["Soon", "Later", "**Bold**<b>"]),
    ],
)
def test_an_address_shows_a_colleague_the_same(
    trials: ModuleType, address: dict[str, str], found: list[str]
) -> None:
    app = open_page("trials", **address)
    assert column(app, "customer") == found
    if not found:
        assert "No running trial fits these filters." in captions(app)


def test_without_trials_it_says_so(staffed: ModuleType, ready: None) -> None:
    assert "No trial is running." in captions(open_page("trials"))


def test_buttons_wait_for_a_row_and_say_why_a_role_may_not(trials: ModuleType) -> None:
    for who, told in (("sam@trialdesk.test", ""), ("vera@trialdesk.test", "may not")):
        buttons = {button.label: button for button in open_page("trials", acting_as=who).button}
        ours = [buttons[label] for label in ("Extend trial", "Send message", "Request a call")]
        assert all(button.disabled and told in (button.help or "") for button in ours)
        app = open_page("trials", acting_as=who)
        hint = "may not extend trials, send messages or request calls" if told else "Tick one or several rows"
        assert any(hint in caption.replace("\\", "") for caption in captions(app))
        assert not (told and any("Tick" in caption for caption in captions(app)))

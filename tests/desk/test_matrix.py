"""Is each command, in each state of a subscription, either offered and works, or refused with a reason?"""

from __future__ import annotations

import pytest

from services.desk import catalog, commands
from services.desk.command import Form
from services.errors import Conflict
from tests.desk.bench import ANA, STATES, Bench, press, row

# The commands have tests on both databases; what is to be seen here is the account's.
pytestmark = pytest.mark.parametrize(
    "idle_desk",
    ["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)],
    indirect=True,
    scope="module",
)
TRIALS = {"trialing", "trialing without a card"}
OFFERED = {
    "extend_trial": TRIALS,
    "end_trial": TRIALS,
    "cancel": set(STATES) - {"canceled"},
    "undo_cancel": {"set to cancel"},
    "reactivate": {"paused", "collection paused", "canceled"},
    "add_charge": set(STATES) - {"canceled"},
    "change_plan": set(STATES) - {"canceled", "paused", "incomplete"},
    "apply_coupon": set(STATES) - {"canceled", "incomplete"},
    "remove_coupon": {"discounted"},
}
FORMS: dict[str, Form] = {
    "extend_trial": {"mode": "days", "days": "7"},
    "cancel": {"when": "now", "feedback": "unused"},
    "add_charge": {"amount": "12.50", "description": "Onboarding", "when": "next"},
    "change_plan": {"quantity": "2", "billing": "next"},
    "apply_coupon": {"kind": "coupon", "coupon": "FIFTH"},
}
CHARGED_NOW = {"paused", "incomplete"}  # no next invoice to put an amount on
STATUS_AFTER = {
    ("end_trial", "trialing"): "active",
    ("end_trial", "trialing without a card"): "canceled",
    ("reactivate", "paused"): "active",
    ("reactivate", "collection paused"): "active",
    ("reactivate", "canceled"): "canceled",
}


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("name", OFFERED)
def test_offered_and_works_or_refused_with_a_reason(desk: Bench, name: str, state: str) -> None:
    offered = state in OFFERED[name]
    about = desk.in_state(state) if offered else desk.shared(state)
    assert about.subscription is not None
    command = catalog.find(name)
    if not offered:
        reason = command.offered(about)
        assert reason.endswith(".") and len(reason) > 20
        before = len(desk.writes("/v1/subscriptions"))
        with pytest.raises(Conflict, match=reason[:20]):
            commands.open(ANA, name, about.customer.id, about.object_id)
        assert len(desk.writes("/v1/subscriptions")) == before
        return
    form = dict(FORMS.get(name, {}))
    desk.coupon("FIFTH", 20)
    if name == "add_charge" and state in CHARGED_NOW:
        form["when"] = "now"
        if state == "incomplete":
            desk.sandbox.add_card(about.customer.id)
    opened, outcome = press(ANA, name, about, **form)
    assert (outcome.state, outcome.message[-1]) == ("done", "."), outcome
    shown = desk.sdk.subscriptions.retrieve(about.object_id)
    kept = row(opened.token)
    assert kept["after"]["status"] == shown.status
    expected = "canceled" if name == "cancel" else STATUS_AFTER.get((name, state), about.subscription.status)
    assert shown.status == expected


def test_every_reason_is_the_same_for_the_button_and_the_service(desk: Bench) -> None:
    about = desk.shared("active")
    for offer in catalog.offers(ANA, about):
        assert offer.reason == offer.command.offered(about)
    assert {offer.command.name for offer in catalog.offers(ANA, about)} == set(OFFERED)

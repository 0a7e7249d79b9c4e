"""Does each button do what it says, in each state, once?"""

from __future__ import annotations

import time

from tests.desk.bench import ANA, Bench, in_days, press, row


def test_a_trial_is_extended_by_days(desk: Bench) -> None:
    about = desk.in_state("trialing")
    assert about.subscription and about.subscription.trial_end
    began = time.perf_counter()
    opened, outcome = press(ANA, "extend_trial", about, mode="days", days="7")
    print("took", time.perf_counter() - began)
    assert outcome.state == "done", outcome
    found = desk.sdk.subscriptions.retrieve(about.object_id)
    assert found.trial_end == about.subscription.trial_end + 7 * 86_400
    kept = row(opened.token)
    assert kept["after"]["trial_end"] == found.trial_end
    assert kept["before"]["trial_end"] == about.subscription.trial_end
    assert kept["request_id"].startswith("req_")
    assert kept["staff_name"] == "Ana" and kept["reason"] == "asked for it"
    for _ in range(5):
        began = time.perf_counter()
        _, outcome = press(ANA, "extend_trial", about, mode="days", days="7")
        print("took", time.perf_counter() - began)


def test_cancel_now(desk: Bench) -> None:
    about = desk.in_state("active")
    opened, outcome = press(ANA, "cancel", about, when="now", feedback="unused")
    assert outcome.state == "done", outcome
    print(row(opened.token))
    assert desk.sdk.subscriptions.retrieve(about.object_id).status == "canceled"

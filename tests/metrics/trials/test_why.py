"""Why trials brought nothing: by state, reason, plan and money, and in the customers' own words."""

from __future__ import annotations

from types import ModuleType
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from services.clock import DAY
from services.metrics import periods
from services.metrics.trials import conversion, members, why
from services.metrics.trials.slices import Segment, Slice
from services.metrics.trials.why import Comment, Reason
from tests.metrics import count
from tests.metrics.build import Account, at

NOW = at("2026-06-15 12:00")
APRIL, MAY, JUNE = periods.last("month", 3, until=NOW, zone=ZoneInfo("UTC"))
SPRING = Slice("month", (APRIL, MAY, JUNE))
PRO, TEAM = 4_900_000_000, 4_083_333_333


@pytest.fixture
def told(database: ModuleType) -> ModuleType:
    """Ada and Bob found it too expensive, Cem had no card, Dan did not pay, Eve did, Fay still tries."""
    account = Account()
    dear = {"cancellation_feedback": "too_expensive"}
    cancel(account, "ada", APRIL.begins, cancellation_comment="Twice the price!", **dear)
    cancel(account, "bob", MAY.begins, plan="team", cancellation_comment="Too much.", **dear)
    end = MAY.begins + 14 * DAY
    account.trial(
        account.customer("cem", MAY.begins), MAY.begins, status="canceled", canceled_at=end, ended_at=end
    )
    late = account.trial(account.customer("dan", MAY.begins), MAY.begins, status="past_due", currency="eur")
    account.invoice(late, end, paid_at=None)
    good = account.trial(account.customer("eve", MAY.begins), MAY.begins, status="active")
    account.invoice(good, end)
    account.trial(account.customer("fay", JUNE.begins), JUNE.begins, 30)
    account.save(database)
    count.everybody(database, now=NOW)
    return database


def cancel(account: Account, name: str, start: int, **fields: Any) -> None:
    over = {"canceled_at": start + 3 * DAY, "ended_at": start + 14 * DAY}
    account.trial(account.customer(name, start), start, status="canceled", **over, **fields)


def test_each_reason_with_its_plan_and_what_it_would_have_paid(told: ModuleType) -> None:
    with told.session() as session:
        found = why.reasons(session, SPRING)
    assert found == [
        Reason(APRIL, "cancelled_in_trial", "too_expensive", "prod_pro", "usd", 1, PRO),
        Reason(MAY, "cancelled_in_trial", "too_expensive", "prod_team", "usd", 1, TEAM),
        Reason(MAY, "expired", "", "prod_pro", "usd", 1, PRO),
        Reason(MAY, "missed_payment", "", "prod_pro", "eur", 1, PRO),
    ]


@pytest.mark.parametrize(
    ("segment", "number"),
    [
        (Segment(), 4),
        (Segment(plan="prod_team"), 1),
        (Segment(currency="eur"), 1),
        (Segment(source="ads"), 0),
        (Segment(country="DE"), 0),
    ],
)
def test_reasons_of_a_segment_add_up_to_its_states_and_rows(told, segment: Segment, number: int) -> None:
    asked = Slice("month", SPRING.periods, segment)
    with told.session() as session:
        found = why.reasons(session, asked)
        states = conversion.outcomes(session, asked, as_of=NOW)
        rows = members.count(session, members.Trials(asked, lost=True), as_of=NOW)
    assert sum(one.trials for one in found) == rows == number
    assert rows == sum(states.count(state) for state in ("missed_payment", "cancelled_in_trial", "expired"))


def test_reasons_by_week_are_those_by_month(told: ModuleType) -> None:
    weeks = Slice("week", tuple(periods.last("week", 14, until=NOW, zone=ZoneInfo("UTC"))))
    with told.session() as session:
        by_week, by_month = why.reasons(session, weeks), why.reasons(session, SPRING)
    assert [(one.state, one.why, one.trials) for one in by_week] == [
        (one.state, one.why, one.trials) for one in by_month
    ]


def test_the_rows_of_one_reason(told: ModuleType) -> None:
    with told.session() as session:
        dear, unknown = (
            members.read(session, members.Trials(SPRING, state, why=reason), as_of=NOW)
            for state, reason in (("cancelled_in_trial", "too_expensive"), ("expired", ""))
        )
    assert [row.name for row in dear] == ["Bob", "Ada"]
    assert [row.name for row in unknown] == ["Cem"]


def test_comments_stand_newest_first_page_by_page(told: ModuleType) -> None:
    with told.session() as session:
        assert why.count_comments(session, SPRING) == 2
        first, second = (why.comments(session, SPRING, offset=place, limit=1) for place in (0, 1))
        assert why.comments(session, SPRING) == [*first, *second]
        assert why.count_comments(session, SPRING.during([APRIL])) == 1
    assert first == [
        Comment("cus_bob", "Bob", "bob@example.com", "Team", "usd", TEAM, "too_expensive", "Too much.",
                MAY.begins + 3 * DAY)
    ]  # fmt: skip
    assert second[0].comment == "Twice the price!"

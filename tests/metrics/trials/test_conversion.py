"""Cohorts, windows, plans and sources: known answers, and sums that must agree."""

from __future__ import annotations

import random
from types import ModuleType
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.clock import DAY
from services.metrics import periods
from services.metrics.periods import Period
from services.metrics.statistics.statistics import Rate
from services.metrics.trials import conversion
from services.metrics.trials.conversion import Days, Outcomes
from services.metrics.trials.slices import Segment, Slice
from services.metrics.trials.trials import STATES
from tests.metrics import count
from tests.metrics.build import HOUR, Account, at

NOW = at("2026-06-15 12:00")
UTC = ZoneInfo("UTC")
MONTHS = tuple(periods.last("month", 4, until=NOW, zone=UTC))  # March to June
SPRING = Slice("month", MONTHS)


@pytest.fixture
def account() -> Account:
    return Account()


def counted(database: ModuleType, account: Account, as_of: int = NOW, asked: Slice = SPRING) -> Outcomes:
    account.save(database)
    count.everybody(database, now=as_of)
    with database.session() as session:
        return conversion.outcomes(session, asked, as_of=as_of)


def convert(account: Account, name: str, start: int, *, after: int = 14, **fields: str) -> None:
    """A trial of `after` days whose first invoice is paid an hour after it was made."""
    plan = fields.pop("plan", "pro")
    sub = account.trial(account.customer(name, start, **fields), start, after, status="active", plan=plan)
    account.invoice(sub, start + after * DAY)


def expire(account: Account, name: str, start: int, **fields: str) -> None:
    """A trial of 14 days that ends without a card."""
    end = start + 14 * DAY
    plan = fields.pop("plan", "pro")
    customer = account.customer(name, start, **fields)
    account.trial(customer, start, status="canceled", canceled_at=end, ended_at=end, plan=plan)


def test_a_cohort_is_the_month_of_the_start_and_its_rate_is_converted_of_started(database, account) -> None:
    convert(account, "ada", at("2026-04-30 23:59"))
    expire(account, "bob", at("2026-04-01"))
    convert(account, "cem", at("2026-05-01"))
    _, april, may, _ = counted(database, account).cohorts(30)
    assert (april.period.key, april.rate) == ("2026-04", Rate(1, 2))
    assert may.rate == Rate(1, 1)
    assert (april.states["converted"], april.states["expired"], april.started) == (1, 1, 2)


def test_a_month_without_trials_has_no_data(database, account) -> None:
    march, *_ = counted(database, account).cohorts(30)
    assert march.rate.value is None


def test_a_window_counts_only_who_converted_within_it(database, account) -> None:
    convert(account, "ada", at("2026-03-02"), after=14)
    convert(account, "bob", at("2026-03-02"), after=29)
    convert(account, "cem", at("2026-03-02"), after=30)  # paid an hour after the thirtieth day
    found = counted(database, account)
    assert [found.cohorts(window)[0].rate.part for window in (7, 14, 30, 60, None)] == [0, 0, 2, 3, 3]


def test_days_to_convert_are_those_of_the_converted_trials_of_the_months(database, account) -> None:
    convert(account, "ada", at("2026-03-02"), after=29)
    convert(account, "bob", at("2026-03-02"), after=14, plan="team")
    convert(account, "cem", at("2026-02-28"), after=7)
    expire(account, "dan", at("2026-03-02"))
    account.save(database)
    count.everybody(database, now=NOW)
    with database.session() as session:
        found = [
            conversion.outcomes(session, Slice("month", MONTHS, segment), as_of=NOW).days
            for segment in (Segment(), Segment(plan="prod_team"), Segment(source="ads"))
        ]
    assert found == [Days(2, 15, 30), Days(1, 15, 15), None]


def test_a_cohort_is_open_until_its_last_trial_is_as_old_as_the_window(database, account) -> None:
    expire(account, "ada", at("2026-05-01"))
    (may,) = periods.last("month", 1, until=at("2026-05-01"), zone=UTC)
    for as_of, is_open in ((may.ends + 30 * DAY - 1, True), (may.ends + 30 * DAY, False)):
        cohort = counted(database, account, as_of).cohorts(30)[2]
        assert (cohort.period.key, cohort.open) == ("2026-05", is_open)


def test_without_a_window_a_cohort_is_open_while_a_trial_of_it_runs(database, account) -> None:
    account.trial(account.customer("ada", at("2026-04-20")), at("2026-04-20"), 90)
    convert(account, "bob", at("2026-03-20"))
    march, april, *_ = counted(database, account).cohorts(None)
    assert (march.open, april.open) == (False, True)


def test_the_last_closed_cohort_skips_months_without_trials(database, account) -> None:
    convert(account, "ada", at("2026-03-02"))
    convert(account, "bob", at("2026-06-02"), after=3)
    last, before = conversion.last_closed(counted(database, account).cohorts(30))
    assert last is not None
    assert (last.period.key, before) == ("2026-03", None)


def test_groups_compare_closed_cohorts_only(database, account) -> None:
    convert(account, "ada", at("2026-03-02"), source="ads")
    expire(account, "bob", at("2026-03-03"), source="ads", plan="team")
    convert(account, "cem", at("2026-04-03"), plan="team")
    account.trial(account.customer("dan", at("2026-06-10"), source="ads"), at("2026-06-10"))
    account.save(database)
    count.everybody(database, now=NOW)
    with database.session() as session:
        sources, plans = (
            conversion.breakdown(session, SPRING, dim, 30, as_of=NOW) for dim in ("source", "plan")
        )
    assert {group.key: group.rate for group in sources} == {"ads": Rate(1, 2), "": Rate(1, 1)}
    assert {group.key: group.rate for group in plans} == {"prod_pro": Rate(1, 1), "prod_team": Rate(1, 2)}
    assert [group.states["expired"] for group in plans] == [1, 0]


def period_rate(database: ModuleType, account: Account) -> Rate:
    account.save(database)
    count.everybody(database, now=NOW)
    with database.session() as session:
        return conversion.period_rate(session, as_of=NOW)


def test_stripes_rate_counts_trials_that_ended_in_the_last_30_days(database, account) -> None:
    convert(account, "ada", NOW - 20 * DAY)  # ended 6 days ago
    expire(account, "bob", NOW - 44 * DAY + HOUR)  # ended just inside
    expire(account, "cem", NOW - 44 * DAY - HOUR)  # ended just outside
    account.trial(account.customer("dan", NOW - DAY), NOW - DAY)
    assert period_rate(database, account) == Rate(1, 2)


def test_an_early_cancel_ended_when_it_ended_and_not_at_the_trials_end(database, account) -> None:
    account.trial(
        account.customer("ada", NOW - 40 * DAY),
        NOW - 40 * DAY,
        60,
        status="canceled",
        canceled_at=NOW - 35 * DAY,
        ended_at=NOW - 35 * DAY,
    )
    assert period_rate(database, account) == Rate(0, 0)


def test_months_are_cut_in_the_workspaces_zone(database, account) -> None:
    convert(account, "ada", at("2026-04-30 23:30"))  # already May in Berlin
    account.save(database)
    zone = ZoneInfo("Europe/Berlin")
    count.everybody(database, zone, now=NOW)
    berlin = Slice("month", tuple(periods.last("month", 2, until=at("2026-05-20"), zone=zone)))
    with database.session() as session:
        april, may = conversion.outcomes(session, berlin, as_of=NOW).cohorts(30)
    assert (april.started, may.started) == (0, 1)


def test_the_usual_window_leaves_time_for_the_usual_trial(database, account) -> None:
    with database.session() as session:
        assert conversion.typical_days(session, as_of=NOW) is None
    for number in range(9):
        account.trial(account.customer(f"c{number}", NOW - DAY), NOW - DAY, 14)
    account.trial(account.customer("long", NOW - DAY), NOW - DAY, 90)
    account.save(database)
    count.everybody(database, now=NOW)
    with database.session() as session:
        assert conversion.typical_days(session, as_of=NOW) == 14
    assert [conversion.usual_window(days) for days in (None, 7, 14, 20, 21, 30, 60, 180)] == [
        30, 30, 30, 30, 60, 60, 90, 90,
    ]  # fmt: skip


# What must hold for any account

keys = st.sampled_from([period.begins for period in MONTHS]).flatmap(
    lambda begins: st.one_of(
        st.tuples(st.just(begins), st.just("converted"), st.integers(0, 120)),
        st.tuples(st.just(begins), st.sampled_from(STATES[1:]), st.just(-1)),
    )
)
many = st.dictionaries(keys, st.integers(1, 50), max_size=30).map(lambda found: Outcomes(MONTHS, NOW, found))
windows = st.sampled_from((*conversion.WINDOWS, None))


@given(many, windows)
def test_the_six_states_add_up_to_the_cohort(outcomes: Outcomes, window: int | None) -> None:
    for cohort in outcomes.cohorts(window):
        assert sum(cohort.states.values()) == cohort.started
        assert set(cohort.states) == set(STATES)
    assert sum(cohort.started for cohort in outcomes.cohorts(window)) == outcomes.started


@given(many)
def test_a_wider_window_never_lowers_a_rate(outcomes: Outcomes) -> None:
    for narrow, wide in zip(conversion.WINDOWS, (*conversion.WINDOWS[1:], None), strict=True):
        pairs = zip(outcomes.cohorts(narrow), outcomes.cohorts(wide), strict=True)
        assert all(one.rate.part <= two.rate.part for one, two in pairs)


@given(many)
def test_the_heat_map_rises_and_says_of_a_window_what_the_cohort_says(outcomes: Outcomes) -> None:
    for row, cohort in zip(outcomes.heat((0, 7, 30)), outcomes.cohorts(30), strict=True):
        told = [share.part for share in row.shares if share is not None]
        assert told == sorted(told)
        assert (row.shares[2] is None) == cohort.open
        assert row.shares[2] in (None, cohort.rate)


@given(many)
def test_half_of_the_conversions_took_no_longer_than_the_median(outcomes: Outcomes) -> None:
    took = sorted(
        days for (_, state, days), n in outcomes.counts.items() for _ in range(n) if state == "converted"
    )
    if outcomes.days is None:
        assert took == []
    else:
        assert outcomes.days.count == len(took)
        assert sum(days <= outcomes.days.median for days in took) >= len(took) / 2
        assert sum(days < outcomes.days.median for days in took) < len(took) / 2
        assert sum(days <= outcomes.days.p90 for days in took) >= len(took) * 0.9


@given(many, windows, st.randoms())
def test_the_order_of_rows_does_not_matter(
    outcomes: Outcomes, window: int | None, shuffler: random.Random
) -> None:
    rows = list(outcomes.counts.items())
    shuffler.shuffle(rows)
    shuffled = Outcomes(MONTHS, NOW, dict(rows))
    assert shuffled.cohorts(window) == outcomes.cohorts(window)
    assert (shuffled.days, shuffled.heat()) == (outcomes.days, outcomes.heat())


@given(many, windows)
def test_a_year_is_the_sum_of_its_months(outcomes: Outcomes, window: int | None) -> None:
    def of(months: tuple[Period, ...]) -> Rate:
        return outcomes.group("", months, window).rate

    whole, parts = of(MONTHS), [of((month,)) for month in MONTHS]
    assert (whole.part, whole.whole) == (sum(p.part for p in parts), sum(p.whole for p in parts))

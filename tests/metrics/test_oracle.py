"""Thousands of random accounts: the desk's numbers are the oracle's to the unit, customer by customer.

In each account people sign up, try, pay, fail, pause, leave and come back, in three currencies; a desk
connects in the middle of it and looks now and then. The oracle (tests/metrics/oracle) sees what that desk
could see, and shares no code with it.
"""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType

import pytest

from services import clock
from services.metrics import goals, periods
from services.metrics.periods import Period
from services.metrics.recovery import dunning, recovery
from services.metrics.revenue import retention, revenue, revenue_history
from services.metrics.revenue.revenue_history import View
from services.metrics.trials import conversion, curves, forecast, funnel
from services.metrics.trials.slices import Slice
from services.metrics.trials.trials import STATES
from tests.conftest import BACKENDS
from tests.metrics import sliced, stories
from tests.metrics import told as say
from tests.metrics.oracle import failures, now
from tests.metrics.oracle import funnel as ways
from tests.metrics.oracle import goals as aims
from tests.metrics.oracle import revenue as ledger
from tests.metrics.oracle import trials as tried
from tests.metrics.oracle.people import People
from tests.metrics.oracle.reading import Thing
from tests.metrics.shops import CURRENCIES
from tests.metrics.stories import Story

WINDOWS = (None, 7, 14, 30, 60, 90)
SLOW = (pytest.mark.slow, pytest.mark.timeout(900))
ACCOUNTS = [
    *(pytest.param(kind, seed, 60, id=f"{kind}-{seed}") for kind in BACKENDS for seed in (1, 2, 3)),
    *(pytest.param("sqlite", seed, 250, id=f"many-{seed}", marks=SLOW) for seed in range(4, 16)),
]


@pytest.mark.parametrize(("database_url", "seed", "customers"), ACCOUNTS, indirect=["database_url"])
def test_every_number_of_an_account_is_what_the_oracle_says(
    database: ModuleType, seed: int, customers: int
) -> None:
    then: dict[object, object] = {}

    def remember(story: Story) -> None:
        with database.session() as session:
            then.update(_before(say.moves_told(session), story))

    with stories.told(database, seed, customers, connected=remember) as story:
        with database.session() as session:
            assert _before(say.moves_told(session), story) == then != {}  # the past is what it was
        _check_customers(database, story)
        _check_conversion(database, story)
        _check_funnel(database, story)
        _check_revenue(database, story)
        _check_goals(database, story)
        _check_failures(database, story)
        _check_dunning(database, story)


def _before(moves: say.Rows, story: Story) -> say.Rows:
    """The movements of the days that were over when the desk connected."""
    today = clock.day_start(story.seen.at, story.zone)
    return {key: move for key, move in moves.items() if key[2] < today}


def _ledger(story: Story) -> ledger.Ledger:
    return ledger.Ledger(story.seen, story.zone, repeating=story.deducts_repeating)


def _check_customers(database: ModuleType, story: Story) -> None:
    seen = story.seen
    moves = _ledger(story).moves()
    with database.session() as session:
        assert say.trials_told(session) == say.trials_asked(seen)
        assert say.journeys_told(session) == say.journeys_asked(seen)
        assert say.moves_told(session) == say.moves_asked(moves)
        assert say.committed_told(session, 0) == say.committed_asked(moves, 0)
        asked = say.failures_asked(seen)
        assert say.failures_told(session, list(CURRENCIES), seen.now) == asked


def _check_conversion(database: ModuleType, story: Story) -> None:
    every, at = list(tried.trials(story.seen.last).values()), story.seen.now
    people = People(story.seen)
    of = {one.customer: people.slices(one) for one in every}
    with database.session() as session:
        rate = conversion.period_rate(session, as_of=at)
        assert (rate.part, rate.whole) == tried.period_rate(every, at)
        for grain, back in (("month", 14), ("week", 60)):
            spans = tuple(periods.last(grain, back, until=at, zone=story.zone))
            found = conversion.outcomes(session, Slice(grain, spans), as_of=at)
            cohorts = tried.cohorts(every, grain, story.zone)
            assert sum(map(len, cohorts.values())) == found.started
            for window in WINDOWS:
                for cohort in found.cohorts(window):
                    mine = cohorts.get(cohort.period.key, [])
                    states = tried.states(mine)
                    assert cohort.states == {state: states[state] for state in STATES}
                    assert (cohort.rate.part, cohort.rate.whole) == tried.rate(mine, window)
            days = tried.days_to_convert(every)
            assert found.days is not None
            assert (found.days.count, found.days.median) == (len(days), days[(len(days) - 1) // 2])
            asked = curves.curve(session, Slice(grain, spans), as_of=at)
            assert (list(asked.at_risk), list(asked.converted)) == tried.by_day(every, at, curves.LONGEST)
            for dim in sliced.DIMS:
                mine = sliced.grouped(every, lambda one, dim=dim: of[one.customer][dim])
                part = Slice(grain, spans)
                told = sliced.conversion_told(session, part, dim, at)
                assert told == sliced.conversion_asked(mine, grain, story.zone)
                assert sliced.curves_told(session, part, dim, at) == sliced.curves_asked(mine, at)


def _check_goals(database: ModuleType, story: Story) -> None:
    seen, zone, people = story.seen, story.zone, People(story.seen)
    every = list(tried.trials(seen.last).values())
    given = [(one, int(people.slices(one)["trial_days"])) for one in every]
    failed, mrr = (
        failures.failed(seen).values(),
        now.mrr(seen.last, seen.now, repeating=story.deducts_repeating),
    )
    with database.session() as session:
        for code in CURRENCIES:
            assert goals.value(session, "mrr", code, as_of=seen.now, zone=zone) == mrr.get(code, (0, 0))[0]
        found = goals.value(session, "conversion", "", as_of=seen.now, zone=zone)
        assert found == aims.conversion(given, seen.now, zone)
        found = goals.value(session, "recovery", "", as_of=seen.now, zone=zone)
        assert found == aims.recovery(failed, seen.now, zone)
        said = [forecast.now(session, seen.now)]
        said += forecast.tried(session, periods.last("month", 14, until=seen.now, zone=zone), seen.now)
    for place, one in enumerate(said):
        running = [t for t in every if t.started <= one.at < t.over_at]
        if place == 0:
            running = [t for t in every if t.state == "running"]
        asked = aims.forecast(every, running, one.at)
        assert (one.running, one.unknown, one.alike) == (asked.running, asked.unknown, asked.alike)
        assert one.converted in (None, asked.converted)


def _check_funnel(database: ModuleType, story: Story) -> None:
    every, people = ways.journeys(story.seen.last, story.seen.now).values(), People(story.seen)
    tries = {one.customer: people.slices(one) for one in tried.trials(story.seen.last).values()}
    spans = tuple(periods.last("month", 14, until=story.seen.now, zone=story.zone))
    with database.session() as session:
        counted = funnel.walked(session, Slice("month", spans))
        told = sliced.funnel_told(session, Slice("month", spans), "country")
        assert told == sliced.funnel_asked(every, lambda one: people.country(one.customer))
        told = sliced.funnel_told(session, Slice("month", spans), "extended")
        assert told == sliced.funnel_asked(
            every, lambda one: tries.get(one.customer, {}).get("extended", "0")
        )
    for path, names in (("trial", ways.TRIAL), ("direct", ways.DIRECT)):
        for place, step in enumerate(funnel.steps(counted, path)):
            mine = [one for one in every if one.path == path or (path == "trial" and place == 0)]
            reached = [one for one in mine if names[place] in one.reached or place == 0]
            assert (step.name, step.count) == (names[place], len(reached))
            waits = [one for one in mine if one.path == path and one.waits and len(one.reached) == place]
            assert step.undecided == len(waits)


def _check_revenue(database: ModuleType, story: Story) -> None:
    seen, zone, book = story.seen, story.zone, _ledger(story)
    moves, people = book.moves(), People(seen)
    countries = {one.customer: people.country(one.customer) for one in moves}
    parts: dict[str, Callable[[Thing, ledger.Worth], str]] = {
        "plan": lambda _, worth: worth.plan,
        "country": lambda one, _: people.country(one["customer"]),
    }
    months = periods.last("month", 14, until=seen.now, zone=zone)
    with database.session() as session:
        found = revenue.now(session)
        assert found.customers == now.active_customers(seen.last, seen.now, repeating=book.repeating)
        by_currency = {code: (one.mrr, one.customers) for code, one in found.by_currency.items()}
        assert by_currency == now.mrr(seen.last, seen.now, repeating=book.repeating)
        for month in months:
            stood = revenue.stood(session, month.begins)
            assert stood is not None
            standing = ledger.standing(moves, month.begins)
            assert stood.customers == len({who for every in standing.values() for who in every})
            assert {code: one.mrr for code, one in stood.by_currency.items()} == {
                code: sum(every.values()) for code, every in standing.items() if every
            }
        for code in CURRENCIES:
            for until in (seen.at + 1, seen.at + 50 * 86_400, seen.now + 1):
                ends = clock.day_start(until, zone, plus_days=1)
                for name, part_of in parts.items():
                    found = revenue_history.by(session, name, View(code), ends)
                    told = {part.key: (part.level.mrr, part.level.trial) for part in found}
                    assert told == book.by(code, min(ends - 1, seen.now), part_of)
            for country in ("", *sorted(set(countries.values()) - {""})):
                view = View(code, country=country)
                mine = [one for one in moves if country in ("", countries[one.customer])]
                _check_months(revenue_history.movements(session, view, months), mine, code, book)
                kept = retention.cohorts(session, view, months, seen.now + 1)
                assert _kept(kept, months) == _retained(mine, code, months, book)
            daily = dict(revenue_history.daily(session, View(code), months[0].begins, months[-1].ends))
            for day, ends in book.days(seen.at - 40 * 86_400):
                if day in daily:
                    stood = book.total(min(ends - 1, seen.now))[code]
                    assert (daily[day].mrr, daily[day].trial) == (stood.mrr, stood.trial)


def _check_months(
    found: list[revenue_history.Movements], moves: list[ledger.Move], code: str, book: ledger.Ledger
) -> None:
    expected = ledger.by_month(moves, book.zone)
    for month in found:
        span = month.period.begins, month.period.ends
        moved = {kind: micros for kind, micros in month.moved.items() if micros}
        key = month.period.key
        assert moved == {k: n for (c, m, k), n in expected.items() if (c, m) == (code, key) and n}
        assert month.after.mrr - month.before.mrr == sum(month.moved.values())
        standing = ledger.standing(moves, month.period.ends).get(code, {})
        assert (month.after.mrr, month.after.customers) == (sum(standing.values()), len(standing))
        lost, gained, start = ledger.revenue_churn(moves, *span).get(code, (0, 0, 0))
        assert (month.gross_churn.part, month.gross_churn.whole) == (lost, start)
        assert (month.net_churn.part, month.net_churn.whole) == (lost - gained, start)
        causes = [one for one in moves if one.kind == "churn" and one.currency == code]
        mine = [one for one in causes if span[0] <= one.day < span[1]]
        churned = {cause: micros for cause, micros in month.churned.items() if micros}
        assert churned == {
            cause: sum(one.mrr for one in mine if one.cause == cause) for cause in {one.cause for one in mine}
        }


def _kept(found: list[retention.Retained], months: list[Period]) -> dict[tuple[str, str], object]:
    keys = {month.begins: month.key for month in months}
    return {
        (keys[one.cohort], keys[month]): (one.customers[place], one.mrr[place])
        for one in found
        for place, month in enumerate(month for month in keys if month >= one.cohort)
        if any((*one.customers, *one.mrr))
    }


def _retained(
    moves: list[ledger.Move], code: str, months: list[Period], book: ledger.Ledger
) -> dict[tuple[str, str], object]:
    moved = ledger.retention(moves, book.zone)
    keys = [month.key for month in months]
    found: dict[tuple[str, str], object] = {}
    for cohort in keys:
        people = micros = 0
        for month in (key for key in keys if key >= cohort):
            more = moved.get((code, cohort, month), (0, 0))
            people, micros = people + more[0], micros + more[1]
            if any(key[:2] == (code, cohort) for key in moved):
                found[cohort, month] = (people, micros)
    return found


def _check_dunning(database: ModuleType, story: Story) -> None:
    seen = story.seen
    every = [one for one in failures.failed(seen).values() if not one.is_first_after_trial]
    at_once = failures.passed(seen).values()
    months = tuple(periods.last("month", 14, until=seen.now, zone=story.zone))
    with database.session() as session:
        for code in CURRENCIES:
            told = sliced.dunning_told(session, dunning.Asked(code, months), seen.now)
            assert told == sliced.dunning_asked(seen, story.tries, code, months)
            for month in dunning.read(session, dunning.Asked(code, months), as_of=seen.now).cohorts:
                begins, ends = month.period.begins, month.period.ends
                mine = [one for one in every if one.currency == code and begins <= one.failed_at < ends]
                for state, sums in month.states.items():
                    some = [one.amount for one in mine if one.came_to == state]
                    assert (sums.count, sums.amount) == (len(some), sum(some))
                passed = [one.amount for one in at_once if one.currency == code and begins <= one.at < ends]
                assert (month.passed.count, month.passed.amount) == (len(passed), sum(passed))
                assert month.failure.whole == len(passed) + len(mine)


def _check_failures(database: ModuleType, story: Story) -> None:
    seen = story.seen
    every = [one for one in failures.failed(seen).values() if not one.is_first_after_trial]
    with database.session() as session:
        for ended, told in zip((False, True), recovery.open_failures(session), strict=True):
            told_pairs = {code: (one.count, one.amount) for code, one in told.items()}
            assert told_pairs == failures.open_failures(seen.last, ended=ended)
        disputed = recovery.open_disputes(session)
        pairs = {code: (one.count, one.amount) for code, one in disputed.items()}
        assert pairs == failures.open_disputes(seen.last)
        for month in periods.last("month", 14, until=seen.now, zone=story.zone):
            mine = [one for one in every if month.begins <= one.failed_at < month.ends]
            found = recovery.recovered(session, month.begins, month.ends)
            assert found.keys() == {one.currency for one in mine}
            for code, told_of in found.items():
                some = [one for one in mine if one.currency == code]
                back = [one for one in some if one.came_to == "recovered"]
                assert (told_of.rate.part, told_of.rate.whole) == (len(back), len(some))
                assert told_of.recovered_amount == sum(one.amount for one in back)
                assert told_of.failed_amount == sum(one.amount for one in some)

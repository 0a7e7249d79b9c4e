"""The numbers of a living account with eighteen months behind it, against an oracle that shares no code."""

from __future__ import annotations

from collections.abc import Iterator
from types import ModuleType
from zoneinfo import ZoneInfo

import pytest

from services import clock, config
from services.metrics import conversion, funnel, members, overview, periods, recovery, revenue, trials
from services.metrics.statistics import Rate
from services.metrics.trials import STATES
from services.mirror import identity, pull
from services.stripe_api import client
from tests.metrics import oracle
from tests.metrics.oracle import Books
from tests.support.sandbox import Sandbox, start_sandbox

CUSTOMERS = 120
ZONE = ZoneInfo("Asia/Kathmandu")  # 5:45 ahead: months are not cut where the machine would cut them


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with start_sandbox(tmp_path_factory.mktemp("metrics"), CUSTOMERS, seed=23) as started:
        yield started


@pytest.fixture(scope="module")
def books(account: Sandbox) -> Books:
    return oracle.read(account.url, account.key)


@pytest.fixture
def pulled(database: ModuleType, account: Sandbox) -> Iterator[ModuleType]:
    client.configure(client.connect(account.key, account.url))
    with database.transaction() as session:
        identity.claim(session, identity.ask(config.Settings(_env_file=None)))
    pull.whole_account()
    yield database
    client.configure(None)


def test_every_number_is_the_oracles(pulled: ModuleType, books: Books) -> None:
    now = clock.now()
    months = periods.last("month", 20, until=now, zone=ZONE)
    with pulled.session() as session:
        assert {c: (r.mrr, r.customers) for c, r in revenue.now(session).items()} == oracle.mrr(books)
        for ended in (False, True):
            told = recovery.open_failures(session, ended=ended)
            assert _pairs(told) == oracle.open_failures(books, ended=ended) != {}
        assert _pairs(recovery.open_disputes(session)) == oracle.open_disputes(books)
        running = trials.running_now(session, now)
        assert {code: one.running for code, one in running.items()} == oracle.running_trials(books)
        counted = conversion.cube(session, months, as_of=now).cohorts(30)
        _check_overview(overview.read(session, as_of=now, zone=ZONE), books)
        just_now = revenue.reconstructed(session, now - 7_200)
    for code, (micros, _) in oracle.mrr(books).items():  # only what changed in two hours may differ
        assert just_now[code].mrr == pytest.approx(micros, rel=0.1)
    expected = oracle.cohorts(books, now, ZONE)
    assert sum(cohort.started for cohort in counted) == sum(sum(one.values()) for one in expected.values())
    for cohort in counted:
        assert cohort.states == {state: expected[cohort.period.key][state] for state in STATES}
    assert {state for one in expected.values() for state in one} >= set(STATES) - {"free"}


def _pairs(found: dict[str, recovery.AtStake]) -> dict[str, tuple[int, int]]:
    return {code: (one.count, one.amount) for code, one in found.items()}


def test_rows_and_segments_agree_with_the_numbers(pulled: ModuleType) -> None:
    now = clock.now()
    months = periods.last("month", 12, until=now, zone=ZONE)
    with pulled.session() as session:
        for cohort in conversion.cube(session, months, as_of=now).cohorts(30)[-3:]:
            for state, number in cohort.states.items():
                chosen = members.Trials((cohort.period,), state)
                rows = members.read(session, chosen, as_of=now)
                assert len(rows) == number == members.count(session, chosen, as_of=now)
                assert all(row.state == state and _in(row.since, cohort.period) for row in rows)
        counted = funnel.cells(session, months, as_of=now)
        for path in ("trial", "direct"):
            steps = funnel.steps(counted, path)
            for step in steps:
                walkers = members.Walkers(tuple(months), path, step.name)
                assert members.count(session, walkers, as_of=now) == step.count, (path, step.name)
            assert steps[1].count > 0
        for as_of in (now, now - 100 * clock.DAY):
            cube = conversion.cube(session, months, as_of=as_of)
            for name in ("plan", "source"):
                for value in {getattr(cell, name) for cell in cube.cells if getattr(cell, name)}:
                    segment = trials.Segment(**{name: value})
                    asked = conversion.cube(session, months, as_of=as_of, segment=segment)
                    assert asked.cohorts(30) == cube.only(segment).cohorts(30)
            assert cube.count("running") > 0
            assert sum(cell.count for cell in cube.cells) >= sum(c.started for c in cube.cohorts(30))


def _in(instant: int, period: periods.Period) -> bool:
    return period.begins <= instant < period.ends


def _check_overview(seen: overview.Overview, books: Books) -> None:
    by_key = {figure.key: figure for figure in seen.all}
    expected = oracle.mrr(books)
    assert by_key["active_customers"].value == sum(customers for _, customers in expected.values())
    at_stake, left = (oracle.open_failures(books, ended=ended) for ended in (False, True))
    assert by_key["failing"].value == sum(count for count, _ in at_stake.values())
    assert by_key["failing_ended"].value == sum(count for count, _ in left.values())
    assert isinstance(by_key["cohort_rate"].value, Rate)
    assert next(iter(seen.by_currency)) == max(expected, key=lambda code: expected[code][1])
    for code, figures in seen.by_currency.items():
        mine = {figure.key: figure for figure in figures}
        assert mine["mrr"].value == expected.get(code, (0, 0))[0]
        for key, side, standing in (("at_stake", at_stake, "Not ended"), ("at_stake_ended", left, "Ended")):
            assert mine[key].value == side.get(code, (0, 0))[1]
            assert mine[key].params == {"currency": code.upper(), "subscription": standing}
        assert mine["trials_running"].params["trial_currency"] == code.upper()

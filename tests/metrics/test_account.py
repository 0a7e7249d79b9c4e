"""The numbers of a living account with eighteen months behind it, against an oracle that shares no code."""

from __future__ import annotations

from collections.abc import Iterator
from types import ModuleType
from zoneinfo import ZoneInfo

import pytest
from sqlmodel import Session

from models import Charge
from services import clock, config
from services.customers import search, worklists
from services.customers.conditions import conditions
from services.customers.filters import CustomerFilter
from services.customers.worklists import FailureFilter, Standing, TrialFilter
from services.metrics import overview, periods
from services.metrics.overview import Figure
from services.metrics.periods import Grain
from services.metrics.recovery import recovery
from services.metrics.revenue import revenue
from services.metrics.statistics.statistics import Rate
from services.metrics.trials import conversion, funnel, members, slices, trials
from services.metrics.trials.slices import NOT_GIVEN, Segment, Slice
from services.metrics.trials.trials import STATES
from services.mirror import facts, identity, pull
from services.stripe_api import client
from tests.metrics import count
from tests.metrics.build import Account
from tests.metrics.oracle import failures, now, reading
from tests.metrics.oracle import trials as trial_oracle
from tests.metrics.oracle.reading import Books
from tests.support.sandbox import Sandbox, start_sandbox

CUSTOMERS = 120
ZONE = ZoneInfo("Asia/Kathmandu")  # 5:45 ahead: months are not cut where the machine would cut them


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with start_sandbox(tmp_path_factory.mktemp("metrics"), CUSTOMERS, seed=23) as started:
        yield started


@pytest.fixture(scope="module")
def books(account: Sandbox) -> Books:
    return reading.read(reading.over_http(account.url, account.key))


@pytest.fixture
def pulled(database: ModuleType, account: Sandbox) -> Iterator[ModuleType]:
    client.configure(client.connect(account.key, account.url))
    with database.transaction() as session:
        identity.claim(session, identity.ask(config.Settings(_env_file=None)))
    pull.whole_account()
    count.everybody(database, ZONE)
    yield database
    client.configure(None)


def test_every_number_is_the_oracles(pulled: ModuleType, books: Books) -> None:
    at = clock.now()
    months = periods.last("month", 20, until=at, zone=ZONE)
    with pulled.session() as session:
        found = revenue.now(session).by_currency
        assert {c: (r.mrr, r.customers) for c, r in found.items()} == now.mrr(books, clock.now())
        for ended, told in zip((False, True), recovery.open_failures(session), strict=True):
            assert _pairs(told) == failures.open_failures(books, ended=ended) != {}
        assert _pairs(recovery.open_disputes(session)) == failures.open_disputes(books)
        running = trials.running_now(session, at)
        assert {code: one.running for code, one in running.items()} == now.running_trials(books)
        counted = conversion.outcomes(session, Slice("month", tuple(months)), as_of=at).cohorts(30)
        _check_overview(overview.read(session, as_of=at, zone=ZONE), books)
        just_now = revenue.stood(session, at + 1).by_currency
    assert {code: (one.mrr, one.customers) for code, one in just_now.items()} == now.mrr(books, clock.now())
    every = trial_oracle.trials(books).values()
    expected = trial_oracle.cohorts(every, "month", ZONE)
    assert sum(cohort.started for cohort in counted) == len(every)
    for cohort in counted:
        counts = trial_oracle.states(expected.get(cohort.period.key, []))
        assert cohort.states == {state: counts[state] for state in STATES}
    assert trial_oracle.states(every).keys() >= set(STATES) - {"free"}


def _pairs(found: dict[str, recovery.AtStake]) -> dict[str, tuple[int, int]]:
    return {code: (one.count, one.amount) for code, one in found.items()}


def test_rows_and_segments_agree_with_the_numbers(pulled: ModuleType) -> None:
    now = clock.now()
    months = Slice("month", tuple(periods.last("month", 12, until=now, zone=ZONE)))
    with pulled.session() as session:
        outcomes = conversion.outcomes(session, months, as_of=now)
        for cohort in outcomes.cohorts(30)[-3:]:
            for state, number in cohort.states.items():
                chosen = members.Trials(months.during([cohort.period]), state)
                rows = members.read(session, chosen, as_of=now)
                assert len(rows) == number == members.count(session, chosen, as_of=now)
                assert all(row.state == state and _in(row.since, cohort.period) for row in rows)
        for path in ("trial", "direct"):
            steps = funnel.steps(funnel.walked(session, months), path)
            for step in steps:
                walkers = members.Walkers(months, path, step.name)
                assert members.count(session, walkers, as_of=now) == step.count, (path, step.name)
            assert steps[1].count > 0
        assert conversion.running(session) > 0


@pytest.mark.parametrize("grain", ["month", "week"])
def test_every_cut_of_the_trials_adds_up_from_cells_and_from_facts(pulled: ModuleType, grain: Grain) -> None:
    """What one dimension's cells say is what the facts say, and all its values together are the whole."""
    now = clock.now()
    whole = Slice(grain, tuple(periods.last(grain, 30, until=now, zone=ZONE)))
    with pulled.session() as session:
        everybody = conversion.outcomes(session, whole, as_of=now)
        for dim in slices.TRIAL_DIMS:
            parts = conversion.outcomes_by(session, whole, dim, as_of=now)
            assert conversion.together(parts.values(), whole, now).counts == everybody.counts, dim
            for value, part in parts.items():
                assert conversion.outcomes(session, whole.of(dim, value), as_of=now).counts == part.counts
                rows = members.count(session, members.Trials(whole.of(dim, value)), as_of=now)
                assert rows == part.started, (dim, value)
        for dim in slices.JOURNEY_DIMS:
            parts = funnel.walked_by(session, whole, dim)
            together = funnel.steps([cell for cells in parts.values() for cell in cells], "trial")
            assert together == funnel.steps(funnel.walked(session, whole), "trial")


def test_two_filters_at_once_are_the_part_that_both_take(pulled: ModuleType) -> None:
    now = clock.now()
    months = tuple(periods.last("month", 24, until=now, zone=ZONE))
    with pulled.session() as session:
        rows = members.read(session, members.Trials(Slice("month", months)), as_of=now)
        for first in rows[::10]:
            segment = Segment(source=first.source or NOT_GIVEN, currency=first.currency)
            asked = Slice("month", months, segment).of("card_at_start", "1")
            mine = members.read(session, members.Trials(asked), as_of=now)
            assert len(mine) == conversion.outcomes(session, asked, as_of=now).started
            assert {(row.source, row.currency) for row in mine} <= {(first.source, first.currency)}


def test_every_tile_counts_the_rows_that_it_leads_to(pulled: ModuleType) -> None:
    check_tiles(pulled, clock.now())


def check_tiles(database: ModuleType, now: int) -> None:
    """Each number of the Overview against the list behind its link, in all currencies and in each."""
    with database.session() as session:
        seen = overview.read(session, as_of=now, zone=ZONE)
        for code, figures in {"": seen.all, **seen.by_currency}.items():
            told = {one.key: one.value if one.unit == "count" else one.beside for one in figures}
            told["mrr"] = told["active_customers"]  # the money of these rows
            for figure in figures:
                listed = _listed(session, figure, now)
                assert None in (listed, told[figure.key]) or told[figure.key] == listed, (code, figure.key)
                if code and figure.key in ("mrr", "trial_mrr", "disputed"):
                    assert _in_all(session, figure, now).get(code, 0) == figure.value, (code, figure.key)


def _in_all(session: Session, figure: Figure, now: int) -> dict[str, int]:
    """What the list behind a figure's link says that its rows come to, by currency."""
    wanted = {key: str(value) for key, value in figure.params.items()}
    if figure.page == "trials":
        asked = TrialFilter(currency=wanted.get("trial_currency", "").lower())
        return worklists.worth(session, worklists.trial_conditions(asked, now))
    where = conditions(CustomerFilter.from_params(wanted), now=now, zone=ZONE)
    return search.disputed(session, where) if figure.key == "disputed" else search.mrr(session, where)


def _listed(session: Session, figure: Figure, now: int) -> int | None:
    """How many rows the page shows for a figure's link; of disputes how many they have. None: no count."""
    wanted = {key: str(value) for key, value in figure.params.items()}
    code = wanted.get("currency", "").lower()
    if figure.page == "trials":
        days = int(wanted["days"]) if "days" in wanted else None
        asked = TrialFilter(within_days=days, currency=wanted.get("trial_currency", "").lower())
        return worklists.count_trials(session, worklists.trial_conditions(asked, now))
    if figure.page == "failed-payments" and "subscription" in wanted:
        standing: Standing = "ended" if wanted["subscription"] == "Ended" else "not ended"
        asked_for = FailureFilter(currency=code, subscription=standing)
        stakes = worklists.stakes(session, worklists.failure_conditions(asked_for))
        return sum(stake.invoices + stake.ended_invoices for stake in stakes)
    if figure.page == "customers":
        where = conditions(CustomerFilter.from_params(wanted), now=now, zone=ZONE)
        if figure.key == "disputed":
            return None  # the rows' disputes are those of all currencies
        if figure.key != "disputes":
            return search.count(session, where)
        rows = search.page(session, where, sort="Newest", offset=0, limit=1000)
        return sum(row.facts.open_disputes for row in rows)
    return None


def test_who_pays_in_two_currencies_is_one_active_customer(database: ModuleType) -> None:
    """Ada pays in two; Bob's dollars are unpaid, his euros paid; Cem's trials, failures and disputes too."""
    now, told = clock.now(), Account()
    told.plan("dollar", 3900, "month")
    told.plan("euro", 3900, "month", "eur")
    begun, then = now - 75 * clock.DAY, now - 30 * clock.DAY
    for name, dollars in (("ada", "active"), ("bob", "unpaid"), ("cem", "past_due")):
        told.customer(name, begun)
        for plan, currency, status in (("dollar", "usd", dollars), ("euro", "eur", "active")):
            of = told.subscription(
                f"cus_{name}", begun, status, plan=plan, currency=currency, plan_micros=3_900_000_000
            )
            told.line(told.invoice(of, then - clock.DAY, 3900), then - clock.DAY, now, plan)
            told.invoice(of, now - clock.DAY, 3900, paid_at=None)
            told.trial(f"cus_{name}", now, 5, plan=plan, currency=currency)
            told.dispute(now - clock.DAY, 700, currency=currency)
            told.add(Charge(id=told.rows[-1].id.replace("dp", "ch"), created=0, customer=f"cus_{name}"))
            told.rows[-2].charge = told.rows[-1].id
    told.save(database)
    with database.transaction() as session:
        facts.refresh(session, ["cus_ada", "cus_bob", "cus_cem"])
    count.see(database, now)
    count.everybody(database, ZONE)
    with database.session() as session:
        seen = overview.read(session, as_of=now, zone=ZONE)
        found = {code: members[1].value for code, members in seen.by_currency.items()}
        active = seen.all[0]
        assert revenue.stood(session, then).customers == 3
    assert (active.key, active.value, active.before) == ("active_customers", 3, 3)
    assert found == {"usd": 2, "eur": 3}
    check_tiles(database, now)


def _in(instant: int, period: periods.Period) -> bool:
    return period.begins <= instant < period.ends


def _check_overview(seen: overview.Overview, books: Books) -> None:
    by_key = {figure.key: figure for figure in seen.all}
    expected = now.mrr(books, clock.now())
    assert by_key["active_customers"].value == now.active_customers(books, clock.now())
    at_stake, left = (failures.open_failures(books, ended=ended) for ended in (False, True))
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

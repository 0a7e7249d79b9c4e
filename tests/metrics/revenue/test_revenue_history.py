"""MRR's history adds up: periods to their days, parts to the whole, rows to their number, by any rates."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from fractions import Fraction
from types import ModuleType
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlmodel import Session

from models import Customer, MetricsState, RevenueMove
from services import clock
from services.clock import DAY
from services.metrics import periods
from services.metrics.counting import calendar, rollups
from services.metrics.periods import Period
from services.metrics.revenue import leaving, retention, revenue_history, revenue_rows
from services.metrics.revenue.exchange import Rate
from services.metrics.revenue.movements import KINDS, SWITCH, Point, moves
from services.metrics.revenue.revenue_book import BOOK
from services.metrics.revenue.revenue_history import Movements, View
from services.metrics.revenue.revenue_rows import Moves, Payers
from tests.metrics import plans
from tests.metrics.build import Account, at
from tests.metrics.revenue.test_movements import Timeline

BERLIN = ZoneInfo("Europe/Berlin")
BEGIN, DAYS = at("2026-01-10"), 110
NOW = BEGIN + DAYS * DAY
MONTHS = periods.last("month", 6, until=NOW, zone=BERLIN)
WEEKS = periods.last("week", 26, until=NOW, zone=BERLIN)
PLANS, COUNTRIES, CODES = ("basic", "pro"), ("DE", "", "JP"), ("usd", "eur", "jpy")
EURO, YEN = Rate("eur", "usd", "2026-01-01", "1.0842"), Rate("jpy", "usd", "2026-01-01", "0.0066")
VIEWS = [
    View("usd"),
    View("eur"),
    View("usd", plan="pro"),
    View("usd", country="DE"),
    View("jpy", "basic", "JP"),
]
ALL = View("usd", rates=(EURO, YEN))
DAY_BEFORE = clock.day_start(BEGIN + 60 * DAY, BERLIN)  # in the midst of March
SO_FAR = Period("", BEGIN, DAY_BEFORE)


@dataclass
class Told:
    """A customer: where it lives, and its subscriptions by currency."""

    country: str
    paid: dict[str, list[Timeline]] = field(default_factory=dict)


@st.composite
def accounts(draw: st.DrawFn) -> list[Told]:
    return draw(st.lists(_customer(), min_size=1, max_size=6))


def _customer() -> st.SearchStrategy[Told]:
    timelines = st.lists(_timeline(), min_size=1, max_size=2)
    paid = st.dictionaries(st.sampled_from(CODES), timelines, min_size=1, max_size=2)
    return st.builds(Told, st.sampled_from(COUNTRIES), paid)


def _timeline() -> st.SearchStrategy[Timeline]:
    instant = st.integers(BEGIN, NOW - 1)
    many = st.integers(1, 6)  # left to itself, Hypothesis would try one or two points
    instants = many.flatmap(lambda n: st.sets(instant, min_size=n, max_size=n).map(sorted))
    return instants.flatmap(lambda found: st.tuples(*map(_point, found)).map(list))


def _point(instant: int) -> st.SearchStrategy[Point]:
    plan, amount = st.sampled_from(PLANS), st.integers(1, 10**12)
    paying = st.builds(lambda p, mrr: Point(instant, p, mrr, committed=mrr), plan, amount)
    trying = st.builds(lambda p, trial: Point(instant, p, trial=trial, exact=False), plan, amount)
    gone = st.sampled_from(("voluntary", "unpaid")).map(lambda cause: Point(instant, cause=cause))
    return st.one_of(paying, paying, trying, gone, gone)


def count(database: ModuleType, told: list[Told]) -> None:
    """Writes the facts of these customers, and what they come to, in place of all others."""
    days = calendar.of(BERLIN)
    facts = [
        {"customer": f"cus_{number}", "currency": code, "country": one.country, "people": 0, **asdict(move)}
        for number, one in enumerate(told)
        for code, timelines in one.paid.items()
        for move in moves(timelines, days.day)
    ]
    with database.transaction() as session:
        for table in (RevenueMove, *(each.cells for each in BOOK.sums)):
            session.execute(sa.delete(table))
        session.merge(MetricsState(id=1, generation=1))
        session.add_all(RevenueMove(**row) for row in facts)
        for each in BOOK.sums:
            rollups.add(session, each.cells, 1, rollups.sum_of(each, facts, days))


def stood(told: list[Told], view: View, until: int, of: Callable[[Point], int]) -> int:
    """What the account came to at an instant, the obvious way."""
    return sum(
        of(last)
        for one in told
        if view.country in ("", one.country)
        for last in (_last(points, until) for points in one.paid.get(view.currency, ()))
        if last and view.plan in ("", last.plan)
    )


def _last(points: Timeline, until: int) -> Point | None:
    return ([None] + [point for point in points if point.at < until])[-1]


tried = settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])


@tried
@given(accounts())
def test_what_stands_at_a_periods_end_is_what_the_subscriptions_come_to(database, told) -> None:
    count(database, told)
    with database.session() as session:
        for view in VIEWS:
            for found in revenue_history.movements(session, view, MONTHS):
                ends = found.period.ends
                assert found.after.mrr == stood(told, view, ends, lambda point: point.mrr)
                assert found.after.committed == stood(told, view, ends, lambda point: point.committed)
                assert found.after.trial == stood(told, view, ends, lambda point: point.trial)


@tried
@given(accounts())
def test_movements_add_up_to_the_change_of_mrr_in_every_period_and_view(database, told) -> None:
    count(database, told)
    with database.session() as session:
        for view in (*VIEWS, ALL, View("usd", "pro", "DE", (EURO,))):
            for cut in (MONTHS, WEEKS):
                found = revenue_history.movements(session, view, cut)
                assert all(one.before.mrr + sum(one.moved.values()) == one.after.mrr for one in found)
                assert all(
                    one.before.customers + sum(one.people.values()) == one.after.customers for one in found
                )
                assert [one.after for one in found][:-1] == [one.before for one in found][1:]
                assert all(sum(one.churned.values()) == one.moved["churn"] for one in found)
                assert view.plan or not any(one.moved[SWITCH] for one in found)


@tried
@given(accounts())
def test_a_month_is_the_sum_of_its_days(database, told) -> None:
    count(database, told)
    month = MONTHS[3]
    starts = range(month.begins, month.ends, DAY)  # no clock changes in February
    days = [Period("", begins, begins + DAY) for begins in starts]
    with database.session() as session:
        for view in (View("usd"), ALL):
            (whole,) = revenue_history.movements(session, view, [month])
            parts = revenue_history.movements(session, view, days)
            lines = revenue_history.daily(session, view, MONTHS[0].begins, MONTHS[-1].ends)
            assert whole.moved == {kind: sum(one.moved[kind] for one in parts) for kind in whole.moved}
            assert (parts[0].before, parts[-1].after) == (whole.before, whole.after)
            assert [level for day, level in lines if day < month.ends][-1:] in ([], [whole.after])


@tried
@given(accounts())
def test_plans_and_countries_add_up_to_the_whole(database, told) -> None:
    count(database, told)
    with database.session() as session:
        for view in (View("usd"), ALL):
            whole = revenue_history.movements(session, view, MONTHS)[-1].after
            for name in ("plan", "country"):
                parts = revenue_history.by(session, name, view, NOW)
                then = sum(part.level.mrr for part in revenue_history.by(session, name, view, DAY_BEFORE))
                assert then == revenue_history.movements(session, view, [SO_FAR])[0].after.mrr
                assert sum(part.level.mrr for part in parts) == whole.mrr
                assert sum(part.level.trial for part in parts) == whole.trial
            assert sum(part.level.customers for part in parts) == whole.customers


@tried
@given(accounts())
def test_cohorts_add_up_to_mrr_and_customers(database, told) -> None:
    count(database, told)
    with database.session() as session:
        for view in (View("usd"), View("usd", country="DE"), ALL):
            now = revenue_history.movements(session, view, MONTHS)[-1].after
            cohorts = retention.cohorts(session, view, MONTHS, NOW)
            assert sum(one.mrr[-1] for one in cohorts) == now.mrr
            assert sum(one.customers[-1] for one in cohorts) == now.customers
            assert [len(one.mrr) for one in cohorts] == list(range(len(MONTHS), 0, -1))
            assert all(0 <= people <= one.started for one in cohorts for people in one.customers)
            moved = revenue_history.movements(session, view, MONTHS)
            assert [one.started for one in cohorts] == [one.people["new"] for one in moved]


@tried
@given(accounts())
def test_converted_figures_are_the_exact_sums_of_each_currencys(database, told) -> None:
    count(database, told)
    weights = {"usd": Fraction(1), "eur": Fraction("1.0842"), "jpy": Fraction("0.66")}
    with database.session() as session:
        parts = {code: revenue_history.movements(session, View(code), MONTHS) for code in CODES}
        for place, found in enumerate(revenue_history.movements(session, ALL, MONTHS)):
            for kind in KINDS:
                wanted = sum(weights[code] * parts[code][place].moved[kind] for code in CODES)
                assert found.moved[kind] == wanted
            for name in ("mrr", "committed", "trial"):
                wanted = sum(weights[code] * getattr(parts[code][place].after, name) for code in CODES)
                assert getattr(found.after, name) == wanted


@tried
@given(accounts())
def test_what_has_no_rate_is_left_out_and_told(database, told) -> None:
    count(database, told)
    some = View("usd", country="DE", rates=(EURO,))
    with database.session() as session:
        left = revenue_history.left_out(session, some, NOW)
        yen = revenue_history.movements(session, View("jpy", country="DE"), MONTHS)[-1].after
        assert left.get("jpy", revenue_history.Level()) == yen
        assert not {"usd", "eur"}.intersection(left)


@tried
@given(accounts())
def test_the_rows_of_a_movement_add_up_to_it(database, told) -> None:
    count(database, told)
    with database.session() as session:
        for view in VIEWS:
            for found in revenue_history.movements(session, view, MONTHS):
                everything = revenue_rows.moved(session, _moves(view, found))
                assert sum(row.change for row in everything) == found.net
                _check_kinds(session, view, found)
                for cause, mrr in found.churned.items():
                    lost = revenue_rows.moved(session, _moves(view, found, ("churn",), cause))
                    assert sum(row.change for row in lost) == mrr


def _check_kinds(session: Session, view: View, found: Movements) -> None:
    for kind in KINDS:
        rows = revenue_rows.moved(session, _moves(view, found, (kind,)))
        assert sum(row.change for row in rows) == found.moved[kind]
        whole = revenue_rows.whole(session, _moves(view, found, (kind,)))
        assert (whole.rows, sum(whole.amounts.values())) == (len(rows), found.moved[kind])
        assert kind != "churn" or len(rows) == -found.people[kind]
        assert view.plan or all(row.before + row.change == row.after for row in rows)


def _moves(view: View, found: Movements, kinds: tuple[str, ...] = (), cause: str | None = None) -> Moves:
    return Moves(view, found.period.begins, found.period.ends, kinds, cause)


@tried
@given(accounts())
def test_the_rows_of_a_level_and_of_a_cohort_add_up_to_it(database, told) -> None:
    count(database, told)
    with database.session() as session:
        for view in VIEWS:
            level = revenue_history.movements(session, view, MONTHS)[-1].after
            rows = revenue_rows.payers(session, Payers(view, NOW))
            assert (sum(row.mrr for row in rows), len(rows)) == (level.mrr, level.customers)
            trials = revenue_rows.payers(session, Payers(view, NOW, "trial"))
            assert sum(row.trial for row in trials) == level.trial
            assert sum(revenue_rows.whole(session, Payers(view, NOW)).amounts.values()) == level.mrr
        for cohort in retention.cohorts(session, View("usd"), MONTHS, NOW):
            month = next(one for one in MONTHS if one.begins == cohort.cohort)
            chosen = Payers(View("usd"), month.ends, cohort=(month.begins, month.ends))
            rows = revenue_rows.payers(session, chosen)
            assert (sum(row.mrr for row in rows), len(rows)) == (cohort.mrr[0], cohort.customers[0])
            whole = revenue_rows.whole(session, chosen)
            assert (whole.rows, sum(whole.amounts.values())) == (len(rows), cohort.mrr[0])


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_payers_are_added_up_in_the_order_in_which_they_lie(database: ModuleType) -> None:
    with database.session() as session:
        steps = plans.of(session, lambda session: revenue_rows.whole(session, Payers(View("usd"), NOW)))
    assert [step for step in steps if "revenue_moves" in step] == ["SCAN revenue_moves"], steps
    assert not [step for step in steps if "TEMP B-TREE" in step], steps


def test_a_page_of_rows_is_a_part_of_all_of_them(database: ModuleType) -> None:
    told = [Told("DE", {"usd": [[Point(BEGIN + at, "pro", 5 + at)]]}) for at in range(7)]
    count(database, told)
    with database.transaction() as session:
        session.add(Customer(id="cus_6", created=1, name="Ada", email="ada@example.com"))
    chosen, payers = Moves(View("usd"), BEGIN - DAY, NOW), Payers(View("usd"), NOW)
    with database.session() as session:
        moved = revenue_rows.moved(session, chosen)
        assert revenue_rows.moved(session, chosen, offset=2, limit=3) == moved[2:5]
        paying = revenue_rows.payers(session, payers)
        assert revenue_rows.payers(session, payers, offset=2, limit=3) == paying[2:5]
        largest = paying[0]
        assert (largest.name, largest.email, largest.plan, largest.mrr) == (
            "Ada",
            "ada@example.com",
            "pro",
            11,
        )
        assert (moved[-1].name, moved[-1].kind, moved[-1].before, moved[-1].after) == ("Ada", "new", 0, 11)


def test_filters_offer_what_there_is_the_currency_of_most_customers_first(database: ModuleType) -> None:
    one, two = [Point(BEGIN, "pro", 5)], [Point(BEGIN, "basic", trial=5)]
    count(database, [Told("DE", {"usd": [two]}), Told("", {"eur": [one]}), Told("JP", {"jpy": [two]})])
    with database.session() as session:
        found = revenue_history.options(session, NOW)
    assert found == revenue_history.Options(("eur", "jpy", "usd"), ("basic", "pro"), ("DE", "JP"))


def test_what_was_reconstructed_says_so_in_its_row(database: ModuleType) -> None:
    guess = Point(BEGIN, "pro", 5, exact=False)
    count(database, [Told("DE", {"usd": [[guess, Point(BEGIN + 9 * DAY, "pro", 7)]]})])
    with database.session() as session:
        rows = revenue_rows.moved(session, Moves(View("usd"), BEGIN - DAY, NOW))
    assert [(row.kind, row.exact) for row in rows] == [("expansion", True), ("new", False)]


def test_churn_is_gross_without_and_net_with_what_came_back(database: ModuleType) -> None:
    """MRR of 100: 20 leave, 10 are given up by a cheaper plan, 15 come on top and 5 come back."""
    march = MONTHS[-2].begins + DAY

    def of(*amounts: int, since: int = BEGIN) -> Told:
        points = [Point(since, "pro", amounts[0]), *(Point(march, "pro", mrr) for mrr in amounts[1:])]
        return Told("DE", {"usd": [points]})

    back = Told("", {"usd": [[Point(BEGIN, "pro", 5), Point(BEGIN + DAY), Point(march, "pro", 5)]]})
    count(database, [of(20, 0), of(30, 20), of(50, 65), back])
    with database.session() as session:
        found = revenue_history.movements(session, View("usd"), MONTHS)[-2]
    assert found.before.mrr == 100
    assert (found.gross_churn.value, found.net_churn.value) == (0.3, 0.1)
    assert (found.customer_churn.part, found.customer_churn.whole) == (1, 3)


def test_where_nobody_paid_there_is_no_rate(database: ModuleType) -> None:
    count(database, [Told("DE", {"usd": [[Point(NOW - DAY, "pro", 5)]]})])
    with database.session() as session:
        found = revenue_history.movements(session, View("usd"), MONTHS)[-1]
    assert found.gross_churn.value is found.net_churn.value is found.customer_churn.value is None
    assert found.before.arpa is None


def test_a_yens_rate_knows_that_a_yen_has_no_cents() -> None:
    assert Rate("jpy", "usd", "2026-01-01", "0.0066").weight == Fraction("0.66")
    assert Rate("usd", "jpy", "2026-01-01", "151.5").weight == Fraction("1.515")
    assert Rate("kwd", "usd", "2026-01-01", "3").weight == Fraction("0.3")


@pytest.fixture
def cancelled(database: ModuleType) -> ModuleType:
    """In May one cancels for June, one goes at the trial's end, one pays euros; in June Jun leaves."""
    told, may = Account(), at("2026-05-10")
    for name, fields in {
        "ada": {"canceled_at": may, "cancel_at": at("2026-06-10"), "cancellation_feedback": "too_expensive"},
        "bob": {"canceled_at": may, "trial_end": may, "status": "canceled"},
        "ivo": {"canceled_at": may, "status": "incomplete_expired"},
        "eva": {"canceled_at": may, "currency": "eur"},
        "jun": {"canceled_at": at("2026-06-02"), "ended_at": at("2026-06-02"), "plan": "team"},
        "may": {},
    }.items():
        who = told.customer(name, may - 90 * DAY, country="JP" if name == "jun" else "DE")
        told.subscription(who, may - 90 * DAY, **fields)
    told.save(database)
    return database


def test_cancellations_are_counted_when_they_were_decided(cancelled: ModuleType) -> None:
    cut = periods.last("month", 2, until=at("2026-06-15"), zone=BERLIN)
    views = [
        View("usd"),
        View("usd", plan="prod_team"),
        View("usd", country="DE"),
        View("usd", rates=(EURO,)),
    ]
    with cancelled.session() as session:
        assert [leaving.counts(session, view, cut) for view in views] == [[1, 1], [0, 1], [1, 0], [2, 1]]
        (row,) = leaving.read(session, View("usd"), cut[0])
        assert (row.customer, row.at, row.ends_at) == ("cus_ada", at("2026-05-10"), at("2026-06-10"))
        assert (row.why, row.micros, row.country) == ("too_expensive", 4_900_000_000, "DE")
        assert leaving.count(session, View("usd"), cut[0]) == 1
        both = leaving.whole(session, View("usd", rates=(EURO,)), cut[0])
        assert (both.rows, both.amounts) == (2, {"usd": 4_900_000_000, "eur": 4_900_000_000})


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_cancellations_are_found_by_their_index(cancelled: ModuleType) -> None:
    cut = periods.last("month", 2, until=at("2026-06-15"), zone=BERLIN)
    with cancelled.session() as session:
        steps = plans.of(session, lambda session: leaving.counts(session, View("usd"), cut))
        steps += plans.of(session, lambda session: leaving.read(session, View("usd"), cut[0], limit=25))
    assert len([step for step in steps if "ix_subscriptions_canceled" in step]) == 2, steps

"""How one customer's MRR moves: whatever its subscriptions do, the movements add up and are called right."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from itertools import groupby

from hypothesis import given
from hypothesis import strategies as st

from services.clock import DAY
from services.metrics.revenue.movements import KINDS, SWITCH, Move, Point, moves

Timeline = list[Point]
HALF_DAYS = range(DAY + 60, 13 * DAY, DAY // 2)


def day_of(at: int) -> int:
    return at // DAY * DAY


@st.composite
def timelines(draw: st.DrawFn) -> list[Timeline]:
    """A customer's subscriptions: each at some instants comes to something, to a trial, or to nothing."""
    found = []
    for _ in range(draw(st.sampled_from((1, 1, 2, 3, 0)))):
        many = draw(st.sampled_from(range(9)))  # left to itself, Hypothesis would try one or two
        instants = draw(st.sets(st.sampled_from(HALF_DAYS), min_size=many, max_size=many))
        found.append([draw(_point(at)) for at in sorted(instants)])
    return found


def _point(at: int) -> st.SearchStrategy[Point]:
    plans = st.sampled_from(("basic", "pro"))
    paying = st.builds(
        lambda plan, mrr, share, exact: Point(at, plan, mrr, committed=mrr * share, exact=exact),
        plans, st.integers(1, 3), st.integers(0, 1), st.booleans(),
    )  # fmt: skip
    trying = st.builds(lambda plan, trial: Point(at, plan, trial=trial), plans, st.integers(1, 3))
    gone = st.builds(lambda cause: Point(at, cause=cause), st.sampled_from(("voluntary", "unpaid")))
    return st.one_of(paying, paying, trying, gone, gone)


def by_day(found: Sequence[Move]) -> list[tuple[int, list[Move]]]:
    return [(day, list(some)) for day, some in groupby(found, key=lambda move: move.day)]


def levels(of: Sequence[Timeline]) -> dict[int, int]:
    """What all subscriptions together come to at the end of each day on which one has a point: worked out
    afresh for each day."""
    days = sorted({day_of(point.at) for points in of for point in points})
    return {day: sum(_last(points, day + DAY) for points in of) for day in days}


def _last(points: Timeline, before: int) -> int:
    return ([0] + [point.mrr for point in points if point.at < before])[-1]


@given(timelines())
def test_movements_add_up_to_what_stands_at_the_end_of_every_day(of: list[Timeline]) -> None:
    level, moved = 0, dict(by_day(moves(of, day_of)))
    for day, wanted in levels(of).items():
        level += sum(move.mrr for move in moved.get(day, ()))
        assert level == wanted
        assert all(move.after == wanted for move in moved.get(day, ()))


@given(timelines())
def test_committed_and_trial_mrr_add_up_too(of: list[Timeline]) -> None:
    found, last = moves(of, day_of), [points[-1] for points in of if points]
    assert sum(move.committed for move in found) == sum(point.committed for point in last)
    assert sum(move.trial for move in found) == sum(point.trial for point in last)


@given(timelines(), st.randoms())
def test_the_order_of_subscriptions_says_nothing(of: list[Timeline], random: object) -> None:
    mixed = list(of)
    random.shuffle(mixed)  # type: ignore[attr-defined]
    assert moves(mixed, day_of) == moves(of, day_of)


@given(timelines())
def test_a_day_has_one_kind_and_each_kind_has_its_sign(of: list[Timeline]) -> None:
    for _, some in by_day(moves(of, day_of)):
        (kind,) = {move.kind for move in some if move.mrr} or {""}
        change = sum(move.mrr for move in some)
        rises = {"new": 1, "reactivation": 1, "expansion": 1, "contraction": -1, "churn": -1}
        assert (change > 0) - (change < 0) == rises.get(kind, 0)
        assert kind in (*KINDS, SWITCH, "")


@given(timelines())
def test_a_customer_is_new_once_at_most_and_comes_back_only_after_it_left(of: list[Timeline]) -> None:
    kinds = [max(move.kind for move in some) for _, some in by_day(moves(of, day_of))]
    told = [kind for kind in kinds if kind in ("new", "reactivation", "churn")]
    assert told == [
        "new" if place == 0 else "churn" if place % 2 else "reactivation" for place in range(len(told))
    ]


@given(timelines())
def test_customers_are_counted_as_they_come_and_go(of: list[Timeline]) -> None:
    found, standing, plans = moves(of, day_of), levels(of), defaultdict(int)
    assert sum(move.accounts for move in found) == (bool(standing) and list(standing.values())[-1] > 0)
    for points in of:
        if points:
            plans[points[-1].plan] += points[-1].mrr
    for plan in ("basic", "pro"):
        assert sum(move.customers for move in found if move.plan == plan) == (plans[plan] > 0)


@given(timelines())
def test_only_churn_has_a_cause(of: list[Timeline]) -> None:
    assert all(move.kind == "churn" for move in moves(of, day_of) if move.cause)


def kinds(*of: Timeline) -> list[tuple[str, int]]:
    return [(move.kind, move.mrr) for move in moves(of, day_of)]


def test_canceling_one_of_two_subscriptions_is_contraction() -> None:
    one = [Point(DAY, "basic", 5), Point(9 * DAY, cause="voluntary")]
    assert kinds(one, [Point(2 * DAY, "pro", 7)]) == [("new", 5), ("expansion", 7), ("contraction", -5)]


def test_another_plan_at_the_same_price_is_a_switch() -> None:
    assert kinds([Point(DAY, "basic", 5), Point(2 * DAY, "pro", 5)]) == [
        ("new", 5), (SWITCH, -5), (SWITCH, 5),
    ]  # fmt: skip


def test_who_leaves_in_the_trial_was_never_a_customer() -> None:
    assert kinds([Point(DAY, "pro", trial=5), Point(2 * DAY, cause="voluntary")]) == [("", 0), ("", 0)]


def test_what_comes_and_goes_within_a_day_is_nothing() -> None:
    assert kinds([Point(DAY, "pro", 5), Point(DAY + 60, cause="voluntary")]) == []


def test_the_cause_of_churn_is_that_of_the_subscription_that_came_to_most() -> None:
    one = [Point(DAY, "basic", 5), Point(9 * DAY, cause="voluntary")]
    two = [Point(DAY, "pro", 7), Point(9 * DAY, cause="unpaid")]
    assert {move.cause for move in moves([one, two], day_of) if move.kind == "churn"} == {"unpaid"}

"""Windows against made-up lists: all is listed, in few requests, however they are split."""

from __future__ import annotations

import random
from itertools import pairwise
from types import ModuleType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlmodel import select

from models import SyncWindow
from services import database as desk
from services.mirror import windows
from services.mirror.readers import Readers, ReadPage
from services.mirror.windows import Plan, Saved, Window
from services.stripe_api.client import Page
from tests.mirror.conftest import sqlite_only
from tests.mirror.lists import BEGIN, END, Lists, times

Kept = list[tuple[list[Saved], list[str]]]


def work(
    begun: list[Window], lists: Lists, readers: int, draws: random.Random, pages: int = 10**9
) -> tuple[Kept, bool]:
    """What `readers` bring who take turns as it happens, rows to save with ids, and whether that is all."""
    held: list[Window] = []
    kept: Kept = []
    plan = Plan[list[str]](begun, lambda rows, ids: kept.append((rows, ids or [])))
    while pages:
        while len(held) < readers and (found := plan._next()):
            plan._busy.append(found)
            held.append(found)
        if not held:
            return kept, True
        window = held.pop(draws.randrange(len(held)))
        page = lists.page(window)
        plan.give_back(window, page, [one["id"] for one in page.objects])
        pages -= 1
    return kept, False


sizes = st.sampled_from([0, 1, 99, 100, 101, 750, 900, 2_500, 12_000])


@given(a=sizes, b=sizes, skew=st.floats(0.5, 3), seed=st.integers(0, 2**32), readers=st.integers(1, 16))
@settings(max_examples=40)
def test_all_is_listed_in_few_requests(a: int, b: int, skew: float, seed: int, readers: int) -> None:
    draws = random.Random(seed)
    lists = Lists(a=times(draws, a, skew), b=times(draws, b, 1))
    kept, _ = work([Window("a", 1), Window("b", 1)], lists, readers, draws)
    for name, created in lists.created.items():
        listed = {id for rows, ids in kept for id in ids if rows[0]["resource"] == name}
        assert listed == set(map(str, range(len(created))))
    assert lists.requests <= 1.25 * lists.ideal + 1


@pytest.mark.parametrize("low", [0, BEGIN])
def test_a_window_that_is_split_while_a_request_of_it_is_under_way_loses_nothing(low: int) -> None:
    """The answer was asked for before the split: what it has of the older half is listed there once more."""
    lists = Lists(a=[BEGIN + 10_000 * at for at in range(3_000)])
    kept: Kept = []
    plan = Plan[list[str]]([Window("a", 1, low)], lambda rows, ids: kept.append((rows, ids or [])))

    def bring(window: Window, page: Page) -> None:
        plan.give_back(window, page, [one["id"] for one in page.objects])

    splits = 0
    while window := plan.take():
        page = lists.page(window)  # under way
        others = []
        while len(others) < 7 and (other := plan._next()):
            plan._busy.append(other)
            others.append((other, lists.page(other)))
            splits += other.reached is None
        for one in (*others, (window, page)):
            bring(*one)
    assert splits > 1
    assert {id for _, ids in kept for id in ids} == set(map(str, range(3_000)))
    last = {row["number"]: row for rows, _ in kept for row in rows}
    assert all(row["done"] for row in last.values())
    covered = sorted((row["low"], row["high"] or END) for row in last.values())
    assert covered[0][0] == low
    assert all(high + 1 == after for (_, high), (after, _) in pairwise(covered))


def test_a_page_of_a_window_that_was_given_away_meanwhile_ends_it() -> None:
    """All that the answer holds is older than the window's new end: the older half has it."""
    kept: list[Saved] = []
    plan = Plan[None]([Window("a", 1, BEGIN)], lambda rows, _: kept.extend(rows))
    window = plan.take()
    assert window is not None
    plan.give_back(window, Page([{"created": END - at} for at in range(100)], END, "c1"), None)
    assert plan.take() is window
    older = plan.take()  # while a page of the first is under way
    assert older is not None
    assert (older.low, older.high, window.low) == (BEGIN, window.low - 1, older.high and older.high + 1)
    assert [one["number"] for one in kept[-2:]] == [2, 1], "the older half is saved before the window is cut"
    plan.give_back(window, Page([{"created": BEGIN + 50 - at} for at in range(50)], END, "c2"), None)
    assert kept[-1]["done"]
    assert plan._busy == [older]


@given(seed=st.integers(0, 2**32))
@settings(max_examples=10)
def test_many_at_one_instant_are_all_listed(seed: int) -> None:
    draws = random.Random(seed)
    crowded = [BEGIN + 1_000 * (at // 700) for at in range(4_000)]
    lists = Lists(a=crowded)
    kept, _ = work([Window("a", 1)], lists, 8, draws)
    assert {id for _, ids in kept for id in ids} == set(map(str, range(4_000)))


@sqlite_only
def test_whenever_it_ends_it_goes_on_from_what_was_saved(database: ModuleType) -> None:
    for seed in range(12):
        draws = random.Random(seed)
        lists = Lists(a=times(draws, 9_000, draws.choice([0.6, 1, 2])))
        stored: set[str] = set()
        lives = saved = 0
        over = False
        while not over:
            with desk.transaction() as session:
                begun = windows.load(session, ["a"])
                kept, all_read = work(begun, lists, 8, draws, pages=draws.randrange(1, 40))
                survived = len(kept) if all_read else draws.randrange(len(kept) + 1)
                for rows, ids in kept[:survived]:
                    windows.save(session, rows)
                    stored |= set(ids)
                    saved += bool(ids)
                over = windows.is_listed(session, "a") and all_read
            lives += 1
        assert lives > 2
        assert stored == set(map(str, range(9_000)))
        assert saved <= 1.25 * lists.ideal + lives
        with desk.transaction() as session:
            windows.forget(session, "a")
            assert session.exec(select(SyncWindow)).all() == []


def test_a_split_may_come_without_any_page() -> None:
    readers = Readers([], lambda: False, lambda *_: None)
    readers._read.put(ReadPage("charges", is_split=True))
    assert [one.is_split for some in readers.pages() for one in some] == [True]
    readers.end()

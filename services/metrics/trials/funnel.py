"""How far did the people who signed up come?

Funnel: signed up (the customer's `created`) -> trial started -> payment method on file, or collected by
invoice -> trial over -> first payment -> still paying after 30 and 90 days. Each step counts the same
customers as the step before it, so that each is a part of it. A customer who never trialed goes straight to
paying in a path of its own. Who paid had a way to pay, whatever is on file today. Steps that lie in the
future for some are said to be undecided for those. Still paying is decided by what was true on that day: an
invoice above zero covers it, paid or still asked for. What happens later changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import accumulate
from typing import Literal

from sqlmodel import Session

from services.metrics.trials import slices
from services.metrics.trials.slices import JOURNEYS, Slice

Path = Literal["trial", "direct"]
TRIAL_STEPS = ("signed_up", "trial", "method", "over", "paid", "paying_30", "paying_90")
DIRECT_STEPS = ("signed_up", "paid", "paying_30", "paying_90")


@dataclass(frozen=True, slots=True)
class Step:
    """`count` customers reached the step; for `undecided` more of the step before it is too early to tell."""

    name: str
    count: int
    undecided: int = 0


@dataclass(frozen=True, slots=True)
class Cell:
    """`count` customers alike: `depth` is the last step reached on their path (from 0).

    `waits`: the step after `depth` lies in the future for them.
    """

    path: Path
    depth: int
    waits: bool
    count: int


def walked(session: Session, asked: Slice) -> list[Cell]:
    """The customers of a slice, counted by how far they came."""
    return walked_by(session, asked, "").get("", [])


def walked_by(session: Session, asked: Slice, dim: str) -> dict[str, list[Cell]]:
    """The same by the values of a dimension, one of slices.JOURNEY_DIMS; with "" all are under ""."""
    by = [dim] if dim else []
    found: dict[str, list[Cell]] = {}
    for *value, path, depth, waits, count in slices.counted(
        session, JOURNEYS, asked, [*by, *JOURNEYS.own], "customers"
    ):
        found.setdefault(value[0] if value else "", []).append(Cell(path, depth, bool(waits), count))
    return found


def steps(counted: Iterable[Cell], path: Path) -> list[Step]:
    """The path's steps with their counts. `direct` begins with all who signed up and never trialed."""
    names = TRIAL_STEPS if path == "trial" else DIRECT_STEPS
    reached, waiting = [0] * len(names), [0] * len(names)
    for cell in counted:
        if cell.path == path:
            reached[cell.depth] += cell.count
            if cell.waits:
                waiting[cell.depth + 1] += cell.count
        elif path == "trial":
            reached[0] += cell.count
    totals = list(accumulate(reversed(reached)))[::-1]
    return [Step(*one) for one in zip(names, totals, waiting, strict=True)]

"""Of which months can there be a report? Of those that are over and of which anything is known."""

from __future__ import annotations

import re
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlmodel import Session, col

from models import RevenueCell, TrialCell
from services import clock
from services.errors import InvalidInput, Unavailable
from services.metrics import periods
from services.metrics.counting import rollups
from services.metrics.periods import Period

_KEY = re.compile(r"(?!0000)\d{4}-(0[1-9]|1[0-2])", re.ASCII)
_LIKE = "Write it as 2026-10."


def last(now: int, zone: ZoneInfo) -> Period:
    """The last whole month."""
    return periods.last("month", 2, until=now, zone=zone)[0]


def until(month: Period, count: int, zone: ZoneInfo) -> list[Period]:
    """The `count` months that end with this one, oldest first."""
    return periods.last("month", count, until=month.begins, zone=zone)


def known(session: Session, now: int, zone: ZoneInfo) -> list[Period]:
    """All months that a report can be about, the newest first. Raises Unavailable before all is counted."""
    if not rollups.generation(session):
        raise Unavailable(
            "No numbers have been counted yet.",
            remedy="Start the desk and wait until the account has been read and counted.",
        )
    newest, first = last(now, zone), _first(session)
    if first is None or first >= newest.ends:
        return []
    back = 12 * (clock.local(newest.begins, zone).year - clock.local(first, zone).year)
    back += clock.local(newest.begins, zone).month - clock.local(first, zone).month
    return until(newest, back + 1, zone)[::-1]


def _first(session: Session) -> int | None:
    """When the first trial or the first MRR began."""
    cells: tuple[tuple[Any, Any], ...] = ((RevenueCell, RevenueCell.day), (TrialCell, TrialCell.period))
    asked = (sa.select(sa.func.min(col(at))).where(rollups.standing(of)) for of, at in cells)
    found = [first for one in asked if (first := session.execute(one).scalar()) is not None]
    return min(found, default=None)


def named(session: Session, key: str, now: int, zone: ZoneInfo) -> Period:
    """The month `2026-10`; "" is the last whole one.

    Raises InvalidInput where that is no month, is not over, or nothing is known of it, and Unavailable before
    all is counted.
    """
    newest = last(now, zone)
    wanted = key.strip() or newest.key
    if not _KEY.fullmatch(wanted):
        raise InvalidInput(f"“{wanted[:40]}” is not a month.", field="month", remedy=_LIKE)
    if wanted > newest.key:
        raise InvalidInput(
            f"{wanted} is not over yet in {zone.key}.", field="month", remedy=f"The last one is {newest.key}."
        )
    there = known(session, now, zone)
    for month in there:
        if month.key == wanted:
            return month
    since = f"The first month is {there[-1].key}." if there else "The first month is not over yet."
    raise InvalidInput(f"Nothing is known of {wanted}.", field="month", remedy=since)

"""How do the customers behind numbers of revenue leave the desk? As `export` writes all files; days are those
of the workspace's zone, as on the page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from services import clock, config
from services.customers.export import exact, line, time
from services.metrics.revenue.bridge import Row
from services.metrics.revenue.leaving import Cancelled
from services.metrics.revenue.revenue_rows import Moved, Payer
from services.staff.roles import Permission, Person

_WHO: Final = ("customer", "name", "email", "currency")
MOVED_HEADER: Final = (
    *_WHO, "plan", "country", "day", "movement", "cause", "before", "change", "after", "exact"
)  # fmt: skip
PAYERS_HEADER: Final = (*_WHO, "plan", "country", "mrr", "committed_mrr", "trial_mrr", "first_paid")
BRIDGE_HEADER: Final = (*_WHO, "our_mrr", "stripe_mrr", "difference")
CANCELLED_HEADER: Final = (*_WHO, "country", "canceled", "ends", "mrr", "reason")


def moved_csv(person: Person, rows: Sequence[Moved]) -> Iterator[str]:
    """Whose MRR moved, header first. Raises NotAllowed before the first line."""
    person.require(Permission.EXPORT)
    return (line(cells) for cells in (MOVED_HEADER, *map(_moved, rows)))


def payers_csv(person: Person, rows: Sequence[Payer]) -> Iterator[str]:
    """Who pays, header first. Raises NotAllowed before the first line."""
    person.require(Permission.EXPORT)
    return (line(cells) for cells in (PAYERS_HEADER, *map(_payer, rows)))


def bridge_csv(person: Person, rows: Sequence[Row]) -> Iterator[str]:
    """What Stripe's MRR counts otherwise, header first. Raises NotAllowed before the first line."""
    person.require(Permission.EXPORT)
    return (line(cells) for cells in (BRIDGE_HEADER, *map(_bridge, rows)))


def _bridge(row: Row) -> tuple[Any, ...]:
    amounts = (exact(each, row.currency) for each in (row.ours, row.theirs, row.more))
    return (row.customer, row.name, row.email, row.currency.upper(), *amounts)


def cancelled_csv(person: Person, rows: Sequence[Cancelled]) -> Iterator[str]:
    """Who canceled, header first. Raises NotAllowed before the first line."""
    person.require(Permission.EXPORT)
    return (line(cells) for cells in (CANCELLED_HEADER, *map(_cancelled, rows)))


def _moved(row: Moved) -> tuple[Any, ...]:
    amounts = (exact(each, row.currency) for each in (row.before, row.change, row.after))
    return (
        *_who(row), row.plan, row.country, _day(row.day), row.kind, row.cause, *amounts, int(row.exact)
    )  # fmt: skip


def _payer(row: Payer) -> tuple[Any, ...]:
    amounts = (exact(each, row.currency) for each in (row.mrr, row.committed, row.trial))
    return (*_who(row), row.plan, row.country, *amounts, row.since and _day(row.since))


def _cancelled(row: Cancelled) -> tuple[Any, ...]:
    return (
        *_who(row), row.country, time(row.at), time(row.ends_at), exact(row.micros, row.currency), row.why
    )  # fmt: skip


def _who(row: Moved | Payer | Cancelled) -> tuple[str, ...]:
    return row.customer, row.name, row.email, row.currency.upper()


def _day(instant: int) -> str:
    """The day that begins at the instant."""
    return clock.local(instant, config.settings().zone).date().isoformat()

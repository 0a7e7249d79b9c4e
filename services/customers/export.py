"""How do the rows of a filter or a number leave the desk as a CSV file that a spreadsheet opens safely?

All of them, not one page. Amounts are decimal numbers in the currency's units, with all its decimals and
beside its code; MRR has as many as it takes to be exact, so that its rows add up. Instants are ISO 8601 in
UTC. Text that a spreadsheet would run as a formula gets a leading apostrophe.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import chain
from typing import Any, Final, TypeVar

from sqlmodel import Session

from services import database, money
from services.customers import audit, notes, search, worklists
from services.customers.conditions import Condition
from services.customers.search import Row
from services.customers.worklists import FailureRow, TrialRow
from services.metrics.recovery.dunning_rows import FailedPayment
from services.metrics.recovery.recovery import Failed
from services.metrics.trials.members import Member
from services.staff import people
from services.staff.roles import Permission, Person

T = TypeVar("T")
_BATCH: Final = 1_000
_PHONE: Final = re.compile("[+][0-9][0-9 ]*")
_FORMULA_STARTS: Final = tuple("=+-@\t\r\n＝＋－＠")
HEADER: Final = (
    "id", "name", "email", "phone", "status", "plan", "currency", "mrr", "created", "trial_end", "cancel_at",
    "country", "source", "owner", "tags", "failed_invoices", "open_amount", "open_currency", "failure_code",
    "open_disputes", "last_contact", "deleted",
)  # fmt: skip


def file(person: Person, lines: Callable[[Session, Person], Iterable[str]], *, name: str) -> bytes:
    """The bytes of a file, in UTF-8 with a mark by which spreadsheets know it; kept on record with its rows.

    `lines` is one of the functions below, the header first. Opens its own transactions. Raises NotAllowed and
    NotOnStaff as of now, whoever the person was when the page was drawn.
    """
    with database.session() as session:
        asking = people.anew(session, person)
        asking.require(Permission.EXPORT)
        listed = list(lines(session, asking))
    with database.transaction() as session:
        audit.record(session, asking, "export", after={"file": f"{name}.csv", "rows": len(listed) - 1})
    return "".join(listed).encode("utf-8-sig")


def customers_csv(
    session: Session,
    person: Person,
    where: Sequence[Condition],
    *,
    sort: str,
    label: Callable[[str], str],
) -> Iterator[str]:
    """The lines of the file, header first, for `conditions(...)` in the list's order; `label` says a status
    as the page does.

    Raises NotAllowed before the first line where the person may not export.
    """
    person.require(Permission.EXPORT)
    return _lines(session, where, sort, label)


MEMBERS_HEADER: Final = (
    "customer", "name", "email", "state", "plan", "source", "currency", "since", "trial_end", "first_payment",
    "days_to_convert",
)  # fmt: skip


def members_csv(person: Person, members: Sequence[Member]) -> Iterator[str]:
    """The customers behind a number, header first. Raises NotAllowed before the first line."""
    person.require(Permission.EXPORT)
    return (line(cells) for cells in (MEMBERS_HEADER, *map(_member, members)))


def _member(row: Member) -> tuple[Any, ...]:
    return (
        row.customer, row.name, row.email, row.state, row.plan, row.source, row.currency.upper(),
        time(row.since), time(row.trial_end), time(row.paid_at), row.days,
    )  # fmt: skip


def chart_csv(person: Person, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[str]:
    """The numbers that a chart is drawn from, header first. Raises NotAllowed before the first line."""
    person.require(Permission.EXPORT)
    return (line(cells) for cells in (header, *rows))


FAILED_HEADER: Final = (
    "invoice", "number", "customer", "name", "email", "currency", "total", "came_to", "first_failed", "paid",
)  # fmt: skip


def failed_csv(person: Person, payments: Sequence[Failed]) -> Iterator[str]:
    """Payments that failed, with what became of them. Raises NotAllowed before the first line."""
    person.require(Permission.EXPORT)
    return (line(cells) for cells in (FAILED_HEADER, *map(_failed, payments)))


def _failed(row: Failed) -> tuple[Any, ...]:
    return (
        row.invoice, row.number, row.customer, row.name, row.email, row.currency.upper(),
        _units(row.amount, row.currency), row.came_to, time(row.failed_at), time(row.paid_at),
    )  # fmt: skip


PAYMENTS_HEADER: Final = (
    "invoice", "number", "customer", "name", "email", "plan", "country", "currency", "total", "came_to",
    "recovered_by", "first_code", "last_code", "attempts", "first_failed", "paid",
)  # fmt: skip


def payments_csv(person: Person, payments: Sequence[FailedPayment]) -> Iterator[str]:
    """The failed payments behind a number. Raises NotAllowed before the first line."""
    person.require(Permission.EXPORT)
    return (line(cells) for cells in (PAYMENTS_HEADER, *map(_payment, payments)))


def _payment(row: FailedPayment) -> tuple[Any, ...]:
    return (
        row.invoice, row.number, row.customer, row.name, row.email, row.plan, row.country,
        row.currency.upper(), _units(row.amount, row.currency), row.state, row.recovered_by, row.code,
        row.last_code, row.attempts, time(row.failed_at), time(row.paid_at),
    )  # fmt: skip


TRIALS_HEADER: Final = (
    "subscription", "customer", "name", "email", "plan", "currency", "plan_value_per_month", "trial_end",
    "card", "set_to_cancel", "last_contact", "owner",
)  # fmt: skip


def trials_csv(session: Session, person: Person, where: Sequence[Condition], *, sort: str) -> Iterator[str]:
    """The running trials of `worklists.trial_conditions`, in the list's order.

    Raises NotAllowed before the first line.
    """
    person.require(Permission.EXPORT)
    rows = _every(lambda offset: worklists.trials(session, where, sort=sort, offset=offset, limit=_BATCH))
    return (line(cells) for cells in chain([TRIALS_HEADER], map(_trial, rows)))


def _trial(row: TrialRow) -> tuple[Any, ...]:
    return (
        row.subscription, row.customer, row.name, row.email, row.plan, row.currency.upper(),
        exact(row.plan_micros, row.currency), time(row.trial_end), _yes(row.card),
        _yes(row.canceling), time(row.last_contact_at), row.owner,
    )  # fmt: skip


FAILURES_HEADER: Final = (
    "invoice", "number", "customer", "name", "email", "currency", "at_stake", "code", "advice", "card",
    "attempts", "failed_since", "next_attempt", "subscription_status", "last_contact", "owner",
)  # fmt: skip


def failures_csv(session: Session, person: Person, where: Sequence[Condition]) -> Iterator[str]:
    """The open failed payments of `worklists.failure_conditions`, in the list's order.

    Raises NotAllowed before the first line.
    """
    person.require(Permission.EXPORT)
    found = worklists.stakes(session, where)
    rows = _every(lambda offset: worklists.failures(session, where, found, offset=offset, limit=_BATCH))
    return (line(cells) for cells in chain([FAILURES_HEADER], map(_failure, rows)))


def _failure(row: FailureRow) -> tuple[Any, ...]:
    return (
        row.invoice, row.number, row.customer, row.name, row.email, row.currency.upper(),
        _units(row.amount, row.currency), row.code, row.advice, _yes(row.card), row.attempts,
        time(row.failed_since), time(row.next_attempt), row.subscription_status,
        time(row.last_contact_at), row.owner,
    )  # fmt: skip


def _every(batch: Callable[[int], list[T]]) -> Iterator[T]:
    """The rows of all batches; `batch` is asked for those from an offset on."""
    offset = 0
    while rows := batch(offset):
        yield from rows
        offset += len(rows)


def _yes(is_so: bool) -> str:
    return "yes" if is_so else ""


def _lines(
    session: Session, where: Sequence[Condition], sort: str, label: Callable[[str], str]
) -> Iterator[str]:
    yield line(HEADER)
    for batch in search.every(session, where, sort=sort, batch=_BATCH):
        ids = [row.facts.customer for row in batch]
        phones, tags = search.phones(session, ids), notes.tags_of(session, ids)
        for row in batch:
            id = row.facts.customer
            yield line(_cells(row, phones.get(id, ""), ", ".join(tags.get(id, ())), label(row.facts.status)))


def _cells(row: Row, phone: str, tags: str, status: str) -> tuple[Any, ...]:
    facts = row.facts
    return (
        facts.customer, row.name, row.email, _phone(phone), status, facts.plan, facts.currency.upper(),
        exact(facts.mrr_micros, facts.currency), time(facts.created), time(facts.trial_end),
        time(facts.cancel_at), facts.country, facts.source, row.owner, tags, facts.failed_invoices,
        _units(facts.open_amount, facts.open_currency), facts.open_currency.upper(), facts.failure_code,
        facts.open_disputes, time(facts.last_contact_at), _yes(facts.deleted),
    )  # fmt: skip


def _units(amount: int, currency: str) -> str:
    """Minor units as a decimal number of the currency's units; "" without a currency."""
    return str(money.units(amount, currency)) if currency else ""


def exact(micros: int, currency: str) -> str:
    """The same of millionths of minor units."""
    return Number(f"{money.exact_units(micros, currency):f}") if currency else ""


def time(instant: int | None) -> str:
    """An instant (UTC seconds) as it stands in a file; "" for none."""
    return "" if instant is None else datetime.fromtimestamp(instant, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class _Dialled(str):
    """A phone number such as +49 30 1: with an apostrophe before it no program dials it."""

    __slots__ = ()


class Number(str):
    """A number as it stands in a file: no program takes it for a formula, also with a minus before it."""

    __slots__ = ()


def _phone(number: str) -> str:
    return _Dialled(number) if _PHONE.fullmatch(number) else number


def line(cells: Sequence[Any]) -> str:
    """One line of a file."""
    buffer = io.StringIO()
    csv.writer(buffer).writerow([harmless(cell) if type(cell) is str else cell for cell in cells])
    return buffer.getvalue()


def harmless(text: str) -> str:
    """The text so that no spreadsheet takes it for a formula."""
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text

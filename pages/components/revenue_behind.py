"""Who is behind a number of the Revenue page? The rows of what was clicked, in the address as `show`.

`show` reads `paying:mrr` (or `committed`, `trial`), `moves:2026-05`, `moves:2026-05:churn,contraction`,
`moves:2026-05:churn:unpaid`, `kept:2026-03:2` (months since), `plan:prod_...`, `country:DE`, or
`canceled:2026-05`. The rows add up to the number, under the page's filters, each in its own currency.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from pages.components import address, behind, charts, formats, navigation, tables, worklist
from pages.components.revenue_view import Look
from pages.components.revenue_words import CAUSES, LEVELS, MOVES
from pages.components.tables import Column
from services import database
from services.customers import export_revenue as files
from services.customers import names
from services.metrics.periods import Period
from services.metrics.revenue import leaving, revenue_rows
from services.metrics.revenue.leaving import Cancelled
from services.metrics.revenue.revenue_rows import Moved, Moves, Of, Payer, Payers, Whole
from services.staff.roles import Person

_WHO = Column("title", "Customer", width=180, pinned=True)
_EMAIL = Column("email", "Email", width=220)  # last: on a phone a number is worth more
_MOVED = (
    _WHO,
    Column("day", "Day", "day"),
    Column("kind", "Movement"),
    Column("before", "Before", "micros"),
    Column("change", "Change", "micros"),
    Column("after", "After", "micros", help="The customer’s MRR at the end of the day, all plans together."),
    Column("cause", "Cause", width=130),
    Column("plan", "Plan"),
    Column("country", "Country"),
    Column("known", "Known", help="Exact since the account was first read; before, reconstructed."),
    _EMAIL,
)
_PAYING = (
    _WHO,
    Column("mrr", "MRR", "micros"),
    Column("committed", "Committed", "micros"),
    Column("trial", "Trial MRR", "micros"),
    Column("plan", "Plan"),
    Column("country", "Country"),
    Column("since", "First paid", "day"),
    _EMAIL,
)
_CANCELLED = (
    _WHO,
    Column("at", "Canceled", "day"),
    Column("ends_at", "Ends", "day"),
    Column("micros", "MRR", "micros", help="What the subscription comes to a month."),
    Column("why", "Why"),
    Column("country", "Country"),
    _EMAIL,
)


@dataclass(frozen=True, slots=True)
class Listed:
    """Rows of one kind: what they come to in all (and what that is called), how to read some, how they look
    and how they stand in a file."""

    title: str
    columns: Sequence[Column]
    amount: str
    whole: Callable[[Any], Whole]
    read: Callable[..., Sequence[Any]]
    lines: Callable[[Person, Sequence[Any]], Iterable[str]]
    file: str


def asked(look: Look) -> Listed | None:
    """What the address asks for; None for nothing, or for what cannot be read."""
    kind, _, rest = address.read(behind.SHOW).partition(":")
    found = _READERS[kind](rest, look) if kind in _READERS else None
    behind.judge(found is not None)
    return found


def _paying(rest: str, look: Look) -> Listed | None:
    if rest not in LEVELS:
        return None
    of: Of = "trial" if rest == "trial" else "committed" if rest == "committed" else "mrr"
    return _payers(Payers(look.of, look.ends, of), f"Customers with {LEVELS[rest]} now")


def _part(dimension: str) -> Callable[[str, Look], Listed | None]:
    def read(rest: str, look: Look) -> Listed | None:
        if not rest:
            return None
        view = replace(look.of, plan=rest) if dimension == "plan" else replace(look.of, country=rest)
        return _payers(Payers(view, look.ends), f"Customers with MRR now: {look.called(dimension, rest)}")

    return read


def _kept(rest: str, look: Look) -> Listed | None:
    key, _, since = rest.partition(":")
    place = next((at for at, month in enumerate(look.months) if month.key == key), None)
    if place is None or not (since.isascii() and since.isdigit()) or place + int(since) >= len(look.months):
        return None
    cohort, until = look.months[place], look.months[place + int(since)]
    view = replace(look.of, plan="")
    chosen = Payers(view, until.ends, cohort=(cohort.begins, cohort.ends))
    on = formats.plural(int(since), "month")
    return _payers(chosen, f"First paid in {charts.month(key)}, paying {on} on")


def _moves(rest: str, look: Look) -> Listed | None:
    key, _, rest = rest.partition(":")
    listed, told, cause = rest.partition(":")
    kinds, period = tuple(filter(None, listed.split(","))), _period(key, look)
    if period is None or not {*kinds} <= {*MOVES} or (told and cause not in CAUSES):
        return None
    chosen = Moves(look.of, period.begins, period.ends, kinds, cause if told else None)
    what = ", ".join(MOVES[kind] for kind in kinds) or "All movements of MRR"
    why = f" ({CAUSES[cause].lower()})" if told else ""
    return Listed(
        f"{what}{why}, {charts.begin(key)}",
        _MOVED,
        "Change",
        lambda session: revenue_rows.whole(session, chosen),
        lambda session, **part: revenue_rows.moved(session, chosen, **part),
        files.moved_csv,
        "mrr-moved",
    )


def _cancelled(key: str, look: Look) -> Listed | None:
    period = _period(key, look)
    if period is None:
        return None
    return Listed(
        f"Subscriptions canceled in {charts.begin(key)}",
        _CANCELLED,
        "MRR",
        lambda session: leaving.whole(session, look.of, period),
        lambda session, **part: leaving.read(session, look.of, period, **part),
        files.cancelled_csv,
        "canceled-subscriptions",
    )


def _payers(chosen: Payers, title: str) -> Listed:
    return Listed(
        title,
        _PAYING,
        LEVELS[chosen.of],
        lambda session: revenue_rows.whole(session, chosen),
        lambda session, **part: revenue_rows.payers(session, chosen, **part),
        files.payers_csv,
        "paying-customers",
    )


def _period(key: str, look: Look) -> Period | None:
    return next((one for one in (*look.periods, *look.months) if one.key == key), None)


_READERS: dict[str, Callable[[str, Look], Listed | None]] = {
    "paying": _paying,
    "plan": _part("plan"),
    "country": _part("country"),
    "kept": _kept,
    "moves": _moves,
    "canceled": _cancelled,
}


def show(look: Look, listed: Listed) -> None:
    """Opens the rows in a dialog: what they come to, a way to each customer, and a file of all of them."""
    behind.dialog(listed.title, lambda person: _rows(person, look, listed))


def _rows(person: Person, look: Look, listed: Listed) -> None:
    told = behind.head(
        person, lambda session, asking: listed.lines(asking, listed.read(session)), listed.file
    )
    with database.session() as session:
        whole = listed.whole(session)
        page = tables.page_of(whole.rows, key=behind.PAGE_KEY, size=25)
        rows = listed.read(session, offset=page.offset, limit=page.limit)
    with told:
        tables.caption(whole.rows, page, "row", sums=_sums(look, listed.amount, whole))
    picked = tables.show(
        [_cells(row) for row in rows], listed.columns, key="behind", alt="Customers behind the number",
        empty="Nobody.", open_label="Customer",
    )  # fmt: skip
    if picked.opened is not None:
        navigation.go("customer", id=rows[picked.opened].customer)


def _sums(look: Look, amount: str, whole: Whole) -> str:
    """What all rows add up to: in each currency, and in that of the page where it converts them."""
    each = formats.in_all(amount, whole.amounts)
    if not look.converts or not each:
        return each
    weights = look.of.weights
    one = sum((weights[code] * micros for code, micros in whole.amounts.items()), Fraction(0))
    return f"{each}; in all {look.money(one)}"


def _cells(row: Moved | Payer | Cancelled) -> dict[str, object]:
    shared = {
        "title": worklist.called(row.name, row.email, row.customer),
        "email": row.email,
        "currency": row.currency,
        "country": row.country,
    }
    match row:
        case Moved():
            own = {"kind": MOVES[row.kind], "cause": CAUSES[row.cause] if row.kind == "churn" else ""}
            fields = ("day", "before", "change", "after", "plan")
            own["known"] = "Exact" if row.exact else "Reconstructed"
        case Payer():
            own, fields = {}, ("mrr", "committed", "trial", "plan", "since")
        case Cancelled():
            own, fields = {"why": _why(row.why)}, ("at", "ends_at", "micros")
    return shared | own | {name: getattr(row, name) for name in fields}


def _why(code: str) -> str:
    return names.FEEDBACK.get(code) or code.replace("_", " ").capitalize()

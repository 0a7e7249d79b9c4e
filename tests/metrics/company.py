"""A small company as it stands on June 10th, 2026: what a board would read of its May."""

from __future__ import annotations

import time
from types import ModuleType

from models import SyncCursor, Workspace
from services import clock
from services.clock import DAY
from services.metrics.counting import counting
from services.mirror import cursors
from tests.metrics import count
from tests.metrics.build import HOUR, at
from tests.metrics.failing import Failing

NOW, EXACT = at("2026-06-10 09:00"), at("2026-06-01")
HOSTILE = """<script>alert("x")</script> & 'Söhne' {{ 7 * 7 }} https://evil.example/?a=1&b=2"""


def found(database: ModuleType) -> None:
    """Writes the company's rows, counts them, and sets the clock to its day."""
    clock.follow(NOW - int(time.time()))
    told = Failing()
    told.plan("yen", 5000, "month", "jpy")
    _pays(told, "ada", "2026-02-10")
    _pays(told, "hostile", "2026-05-05")
    _pays(told, "bob", "2026-02-01", until="2026-05-20")
    _pays(told, "jun", "2026-04-03", plan="yen", currency="jpy", plan_micros=5_000_000_000, amount=5000)
    _failed(told)
    for name, start in (("dan", "2026-03-02"), ("eve", "2026-03-20"), ("fay", "2026-05-08")):
        _tried(told, name, start, converts=name != "eve")
    next(row for row in told.rows if getattr(row, "name", "") == "Hostile").name = HOSTILE
    told.save(database)
    count.see(database, EXACT)
    with database.transaction() as session:
        session.add(Workspace(account="acct_1", account_name="Ada & Söhne <GmbH>", mode="test"))
        session.add(SyncCursor(resource=cursors.FEED, state="running", cursor=str(NOW)))
        for resource in (*cursors.RESOURCES, cursors.DERIVED):
            session.add(SyncCursor(resource=resource, state="complete"))
        session.get_one(Workspace, 1).clock_offset = clock.offset()
        counting.begin_exact(session, EXACT)
    count.everybody(database)


def _pays(
    told: Failing, name: str, since: str, *, until: str = "", amount: int = 4900, **fields: object
) -> None:
    start, end = at(since), at(until) if until else None
    currency = str(fields.get("currency", "usd"))
    gone = {"ended_at": end, "canceled_at": end - 3 * DAY} if end else {}
    customer = told.customer(name, start, currency=currency)
    row = told.subscription(customer, start, "canceled" if end else "active", **fields, **gone)
    for begins in range(start, end or NOW, 30 * DAY):
        bill = told.invoice(row, begins, amount)
        told.line(bill, begins, begins + 30 * DAY, plan=str(fields.get("plan", "pro")))


def _failed(told: Failing) -> None:
    """Gus pays in May only at the second try, Hal not at all yet."""
    for name, paid in (("gus", True), ("hal", False)):
        start = at("2026-04-12")
        row = told.subscription(told.customer(name, start), start, "active" if paid else "past_due")
        told.line(told.invoice(row, start), start, start + 30 * DAY)
        bill = told.failure(row, start + 30 * DAY)
        told.line(bill, bill.created, bill.created + 30 * DAY)
        if paid:
            told.retried(bill, bill.created + 3 * DAY)


def _tried(told: Failing, name: str, since: str, *, converts: bool) -> None:
    start = at(since)
    over = start + 14 * DAY
    customer = told.customer(name, start, card=converts)
    gone = {} if converts else {"ended_at": over, "canceled_at": over}
    row = told.trial(customer, start, status="active" if converts else "canceled", **gone)
    if converts:
        for begins in range(over, NOW, 30 * DAY):
            told.line(told.invoice(row, begins, paid_at=begins + HOUR), begins, begins + 30 * DAY)

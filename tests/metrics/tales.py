"""One customer's story told in dates and words, on a real account with a real desk."""

from __future__ import annotations

from datetime import datetime
from types import ModuleType
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from models import RevenueMove, TrialFact
from services.metrics.counting import counting
from services.metrics.counting.books import BOOKS
from services.metrics.recovery import recovery
from services.metrics.revenue import revenue_history
from services.metrics.revenue.revenue_history import Level, View
from services.sandbox.billing import cards, catalog, changes, customers, subscriptions
from tests.metrics.build import at
from tests.metrics.worlds import DAY, Desk

UTC = ZoneInfo("UTC")


class Tale:
    """The account begins on a day. Nothing is seen before the desk connects. Instants are UTC."""

    def __init__(self, desk: Desk, database: ModuleType, **settings: Any) -> None:
        self._desk, self._database, self.world = desk, database, desk.world
        self.world.account.set(**settings)

    def connect(self) -> Tale:
        """A desk connects now: all that was before is made up from what it finds."""
        self._desk.connect()
        counting.work(BOOKS, UTC)
        return self

    def until(self, day: str) -> None:
        """Time passes until the day (noon, unless it names an hour); the desk looks every week, and then."""
        ends = at(day if " " in day else f"{day} 12:00")
        while self.world.now < ends:
            self.world.pass_until(min(ends, self.world.now + 7 * DAY))
            self.look()

    def look(self) -> None:
        """The desk looks, and counts, if there is one."""
        if self._desk.seen is None:
            return
        self._desk.look()
        counting.work(BOOKS, UTC)

    # What people do

    def do(self, deed: Any, *args: Any, **params: Any) -> Any:
        """Something that the account does not refuse."""
        made = self.world.do(deed, *args, **params)
        assert made is not None
        return made

    def price(self, amount: int, interval: str = "month", currency: str = "usd") -> str:
        """A price in minor units of the currency; the product is called by it."""
        product = self.world.do(catalog.create_product, name=f"{amount} a {interval}")
        made = self.world.do(
            catalog.create_price, product=product["id"], currency=currency, unit_amount=amount,
            recurring={"interval": interval},
        )  # fmt: skip
        return str(made["id"])

    def customer(self, name: str, card: str | None = "ok") -> str:
        """Somebody signs up; the card behaves like that (None: no card)."""
        id = str(self.world.do(customers.create, name=name)["id"])
        if card:
            self.world.do(cards.attach, card, id, default=True)
        return id

    def subscribe(self, customer: str, price: str, **terms: Any) -> str:
        """A new subscription's id."""
        items = [{"price": price, "quantity": terms.pop("quantity", 1)}]
        return str(self.do(subscriptions.create, customer=customer, items=items, **terms)["id"])

    def change(self, subscription: str, **params: Any) -> None:
        """Staff change a subscription."""
        self.do(changes.update, subscription, **params)

    def item(self, subscription: str, place: int = 0) -> str:
        """One of the subscription's items."""
        body = self.world.account.get("subscription", subscription)
        return str(body["items"]["data"][place]["id"])

    def card_of(self, customer: str) -> str:
        """The card that is charged."""
        body = self.world.account.customer(customer)
        return str(body["invoice_settings"]["default_payment_method"])

    def latest_invoice(self, subscription: str) -> dict[str, Any]:
        """The subscription's latest invoice."""
        body = self.world.account.get("subscription", subscription)
        return dict(self.world.account.get("invoice", body["latest_invoice"]))

    def charge_of(self, customer: str) -> str:
        """The customer's latest charge that was paid."""
        every = self.world.account.store.all("charge", "customer = ?", (customer,))
        return str(next(one["id"] for one in reversed(every) if one["paid"]))

    # What the desk says

    def level(self, day: str, currency: str = "usd") -> Level:
        """What stood at the end of a day."""
        with self._database.session() as session:
            return revenue_history.daily(session, View(currency), at(day), at(day) + DAY)[-1][1]

    def moves(self) -> list[tuple[str, str, int]]:
        """Every movement of MRR: its day, what it was (with its cause), and by how many micros."""
        with self._database.session() as session:
            rows = session.execute(sa.select(RevenueMove).order_by(RevenueMove.day)).scalars()
            return [(_day(row.day), _words(row), row.mrr) for row in rows if row.mrr]

    def trial(self) -> TrialFact:
        """What became of the only trial."""
        with self._database.session() as session:
            found: TrialFact = session.execute(sa.select(TrialFact)).scalars().one()
            session.expunge(found)
            return found

    def failed(self, currency: str = "usd") -> list[str]:
        """What came of each payment that failed, the latest first."""
        with self._database.session() as session:
            return [one.came_to for one in recovery.failed(session, 0, self.world.now, currency)]


def _day(instant: int) -> str:
    return datetime.fromtimestamp(instant, UTC).strftime("%Y-%m-%d")


def _words(row: RevenueMove) -> str:
    return f"{row.kind}: {row.cause}" if row.cause else row.kind

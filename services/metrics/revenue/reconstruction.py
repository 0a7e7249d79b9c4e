"""What did a subscription come to before the desk first saw it?

Shared definition (metrics: Money): past MRR is reconstructed from invoice lines (their service periods) and
from when the subscription started, was in trial, and ended. Of what was known when the desk first saw it (F)
only: what invoices become later changes nothing of the past.

At an instant before F: nothing before the start, in the trial, and after the end. Otherwise what the newest
line of each item that covers the instant asks for, of invoices that were asked for by F. Where these lines
name the same prices and quantities as the subscription had at F, what that comes to; any other counts by
price and quantity, less what discounts took off the line, or as the line asks where the price is not simply
for one unit. A change in mid-period counts from its own line where the subscription has one item: what it
leaves of several cannot be told.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from services.metrics.revenue.movements import Point
from services.metrics.revenue.mrr import PER_YEAR
from services.metrics.statistics.sums import LARGEST
from services.money import MICROS

_KEPT = 10_000  # basis points
FOR_EVER = LARGEST


@dataclass(frozen=True, slots=True)
class Rate:
    """What is to be known of a price. `by_unit`: its amount is for one, in the subscription's currency."""

    product: str
    unit_amount: int | None
    interval: str
    interval_count: int
    tiered: bool
    by_unit: bool

    def monthly(self, amount: int) -> int:
        """An amount for the price's interval as micros a month, rounded down."""
        return amount * MICROS * PER_YEAR.get(self.interval, 365) // (12 * self.interval_count)


@dataclass(slots=True)  # not frozen: millions are made, in a third of the time
class Line:
    """What covers a service period: an invoice's line, or a change in mid-period (`is_change`).

    `asked` is what all lines of its item on the invoice ask for after discounts, `amount` and `discount` its
    own; minor units.
    """

    id: str
    item: str
    rate: Rate
    quantity: int
    amount: int
    discount: int
    asked: int
    begins: int
    ends: int
    created: int
    is_change: bool = False

    def says(self, item: str, rate: Rate, quantity: int, amount: int, discount: int, asked: int) -> bool:
        """Whether it asks for the same."""
        mine = (self.item, self.rate, self.quantity, self.amount, self.discount, self.asked)
        return mine == (item, rate, quantity, amount, discount, asked)

    @property
    def full_price(self) -> int:
        """Price times quantity."""
        return (self.rate.unit_amount or 0) * self.quantity

    @property
    def micros(self) -> int:
        """What it comes to a month; 0 where that is more than a column holds."""
        if self.rate.by_unit:
            worth = self.rate.monthly(self.full_price) * self._kept // _KEPT
        else:
            worth = self.rate.monthly(self.asked)
        return worth if abs(worth) <= LARGEST else 0

    @property
    def _kept(self) -> int:
        """What discounts left of it, in basis points; nothing of a line of zero, as of a trial."""
        if not self.amount:
            return 0
        if self.is_change or not 0 <= self.discount <= self.amount:
            return _KEPT
        return (self.amount - self.discount) * _KEPT // self.amount


@dataclass(frozen=True, slots=True)
class Seen:
    """How the subscription stood when it was first seen, at `at`. `worth`: what its items came to a month in
    micros, whatever its status; `full_price`: their prices times quantities, None where one goes by tiers.
    `items` counts those that recur.
    """

    at: int
    plan: str
    worth: int
    full_price: int | None
    items: int


@dataclass(frozen=True, slots=True)
class Life:
    """A subscription's own dates (UTC seconds). `stopped`: when it stopped to count though it had not ended
    (it is paused, or unpaid); `cause` is why it counts no more from its end, or from then, on; `unasked`, why
    nothing is asked for meanwhile. `cancels_from`: since when it is set to end.
    """

    start: int
    trial: tuple[int, int] | None
    ended: int | None
    stopped: int | None
    cause: str
    cancels_from: int | None
    unasked: str = "free"


def before(seen: Seen, life: Life, lines: Iterable[Line]) -> list[Point]:
    """The points of the time before the subscription was first seen, oldest first."""
    served = sorted(lines, key=lambda line: (line.begins, line.created, line.id))
    over = min(life.ended or FOR_EVER, life.stopped or FOR_EVER)
    cuts = {life.start, over, life.cancels_from or life.start, *(life.trial or ())}
    cuts.update(line.begins for line in served)
    cuts.update(line.ends for line in served)
    found: list[Point] = []
    running: list[Line] = []
    waiting = 0
    for at in sorted(cut for cut in cuts if life.start <= cut < seen.at):
        while waiting < len(served) and served[waiting].begins <= at:
            running.append(served[waiting])
            waiting += 1
        running = [line for line in running if line.ends > at]
        point = _point(at, seen, life, running, over)
        if not found or _differs(found[-1], point):
            found.append(point)
    return found


def _differs(one: Point, other: Point) -> bool:
    return (one.plan, one.mrr, one.committed, one.trial) != (
        other.plan, other.mrr, other.committed, other.trial
    )  # fmt: skip


def _point(at: int, seen: Seen, life: Life, running: Sequence[Line], over: int) -> Point:
    if at >= over:
        return Point(at, seen.plan, cause=life.cause, exact=False)
    if life.trial and life.trial[0] <= at < life.trial[1]:
        return Point(at, seen.plan, trial=seen.worth, cause="free", exact=False)
    latest = _latest(running, seen.items)
    if not latest:
        return Point(at, seen.plan, cause=life.unasked, exact=False)
    worth = _worth(latest, seen)
    is_set_to_end = life.cancels_from is not None and at >= life.cancels_from
    return Point(
        at,
        _plan(latest, seen),
        mrr=worth,
        committed=0 if is_set_to_end else worth,
        cause="" if worth else "free",
        exact=False,
    )


def _latest(running: Iterable[Line], items: int) -> list[Line]:
    """The newest line of each item. A change stands for all that is older, where there is one item."""
    found: dict[str, Line] = {}
    for line in running:  # the oldest first
        if not line.is_change:
            found.pop("", None)
            found[line.item] = line
        elif items == 1:
            found = {"": line}
    return list(found.values())


def _worth(latest: Sequence[Line], seen: Seen) -> int:
    told = all((line.amount or not line.full_price) and not line.rate.tiered for line in latest)
    if told and seen.full_price is not None and _full_price(latest) == seen.full_price:
        return seen.worth
    worth = sum(line.micros for line in latest)
    return max(0, worth) if worth <= LARGEST else 0


def _full_price(latest: Iterable[Line]) -> int:
    return sum(line.full_price for line in latest)


def _plan(latest: Sequence[Line], seen: Seen) -> str:
    """The product of the dearest line."""
    return max(latest, key=lambda line: line.full_price).rate.product or seen.plan

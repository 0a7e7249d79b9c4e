"""What does a subscription come to a month?

MRR: what each active item costs (see `pricing`: amounts by currency, packages, tiers), normalised to a month
(year / 12 n, month / n, week x 52 / 12 n, day x 365 / 12 n), each item rounded once, half to even, to integer
micros (millionths of a minor unit); every sum is a sum of these integers. Statuses `active` and `past_due`;
out are `trialing`, `paused`, `unpaid`, `incomplete*`, free and metered items, tax, and subscriptions whose
collection is paused. Less discounts with duration `forever` (a switch also deducts running `repeating` ones):
percentages first, then amounts for each invoice interval, only on the products they apply to, never below 0.

An item whose price is not known beforehand comes to 0, and is counted as `unvalued`; so are all items of a
subscription that comes to more than a column holds (see services/mirror/rates).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from services import config
from services.metrics.revenue.pricing import Tariff
from services.money import MICROS

FOREVER = frozenset(("forever",))
WITH_REPEATING = frozenset(("forever", "repeating"))
PER_YEAR = {"year": 1, "month": 12, "week": 52, "day": 365}
COUNTED = frozenset(("active", "past_due"))


@dataclass(frozen=True, slots=True)
class Rebate:
    """A coupon at work. `percent_off` is Stripe's decimal text, `amount_off` minor units of `currency`.

    `applies_to` holds product ids; empty means all.
    """

    percent_off: str | None
    amount_off: int | None
    currency: str | None
    duration: str
    applies_to: frozenset[str]

    def fits(self, product: str) -> bool:
        """Whether the coupon applies to the product."""
        return not self.applies_to or product in self.applies_to


@dataclass(frozen=True, slots=True)
class PricedItem:
    """A subscription's item with what its price asks for in the subscription's currency."""

    tariff: Tariff
    quantity: int
    interval: str | None
    interval_count: int
    usage_type: str | None
    product: str
    rebates: tuple[Rebate, ...] = ()

    @property
    def months(self) -> Fraction:
        """How many invoices of this item fall in a month; 0 for what does not recur."""
        return Fraction(PER_YEAR.get(self.interval or "", 0), 12 * max(1, self.interval_count))

    @property
    def monthly(self) -> Fraction:
        """Minor units a month before discounts, exactly; 0 for free, metered and unvalued items."""
        cost = None if self.usage_type == "metered" else self.tariff.cost(self.quantity)
        return (cost or Fraction(0)) * self.months

    @property
    def unvalued(self) -> bool:
        """Whether nobody can say what the item comes to, though it is not paid by use."""
        unknown = self.tariff.cost(self.quantity) is None or not self.months
        return self.usage_type != "metered" and unknown


def deducted() -> frozenset[str]:
    """The durations of the discounts that MRR is after, as the settings say."""
    return WITH_REPEATING if config.settings().mrr_deducts_repeating else FOREVER


def counts(status: str, pause_collection: str | None) -> bool:
    """Whether a subscription in this state is in MRR."""
    return status in COUNTED and not pause_collection


def mrr_micros(
    status: str,
    pause_collection: str | None,
    items: Sequence[PricedItem],
    rebates: Iterable[Rebate],
    *,
    currency: str,
    deducted: Collection[str] = FOREVER,
) -> int:
    """The subscription's MRR in micros of `currency`; 0 where its state does not count."""
    if not counts(status, pause_collection):
        return 0
    return plan_micros(items, rebates, currency=currency, deducted=deducted)


def plan_micros(
    items: Sequence[PricedItem],
    rebates: Iterable[Rebate],
    *,
    currency: str,
    deducted: Collection[str] = FOREVER,
) -> int:
    """What the items come to a month after discounts of the `deducted` durations, in micros of `currency`, in
    any status.

    `rebates` are those of the subscription (and of its customer); an item's own are on the item.
    """
    shared = _of(deducted, rebates)
    own = [_of(deducted, item.rebates) for item in items]
    amounts = [_less_percent(item, (*mine, *shared)) for item, mine in zip(items, own, strict=True)]
    for index, mine in enumerate(own):
        for rebate in _amounts_off(mine, currency):
            _take_off(amounts, items, rebate, [index])
    for rebate in _amounts_off(shared, currency):
        _take_off(amounts, items, rebate, range(len(items)))
    return sum(round(amount * MICROS) for amount in amounts)


def _of(durations: Collection[str], rebates: Iterable[Rebate]) -> list[Rebate]:
    return [rebate for rebate in rebates if rebate.duration in durations]


def _less_percent(item: PricedItem, rebates: Iterable[Rebate]) -> Fraction:
    amount = max(item.monthly, Fraction(0))
    for rebate in rebates:
        if rebate.percent_off and rebate.fits(item.product):
            amount *= max(1 - Fraction(rebate.percent_off) / 100, Fraction(0))
    return amount


def _amounts_off(rebates: Iterable[Rebate], currency: str) -> list[Rebate]:
    """Amounts off in this currency, the narrowest coupon first, so that their order does not matter."""
    mine = [rebate for rebate in rebates if rebate.amount_off and rebate.currency == currency]
    return sorted(
        mine, key=lambda r: (not r.applies_to, len(r.applies_to), sorted(r.applies_to), r.amount_off)
    )


def _take_off(
    amounts: list[Fraction], items: Sequence[PricedItem], rebate: Rebate, candidates: Iterable[int]
) -> None:
    """Takes a coupon's amount once for each invoice, in proportion, from the items billed most often."""
    fitting = [i for i in candidates if amounts[i] > 0 and rebate.fits(items[i].product)]
    if not fitting:
        return
    often = max(items[i].months for i in fitting)
    pool = [i for i in fitting if items[i].months == often]
    total = sum((amounts[i] for i in pool), Fraction(0))
    kept = 1 - min(Fraction(rebate.amount_off or 0) * often / total, Fraction(1))
    for i in pool:
        amounts[i] *= kept

"""What came in every month, on any day: exact after the desk connected, reconstructed before. Per currency.

A subscription's worth at an instant is found from its latest snapshot at or before it. Before the first
snapshot (how it stood at the connection) it is made up from its dates and from what it was billed.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from fractions import Fraction
from math import inf
from zoneinfo import ZoneInfo

from tests.metrics.oracle.funnel import is_proration
from tests.metrics.oracle.money import (
    MICROS,
    invoices_a_month,
    known_discount,
    learn_discounts,
    monthly_micros,
    runs,
)
from tests.metrics.oracle.reading import DAY, Seen, Thing, recurs, subscription_of
from tests.metrics.oracle.trials import ONE_OFF, dearest

WHOLE = 10_000


@dataclass(frozen=True)
class Worth:
    """A subscription at an instant, in micros a month; `cause`: why it counts for nothing."""

    mrr: int = 0
    committed: int = 0
    trial: int = 0
    cause: str = ""
    plan: str = ""


NOTHING = Worth()


@dataclass(frozen=True)
class Move:
    """What a customer's MRR in a currency did on a day. `kind` is "" where it stood still, and only what is
    beside it moved."""

    customer: str
    currency: str
    day: int
    kind: str
    cause: str
    mrr: int
    committed: int
    trial: int
    after: int
    first_day: int


class Ledger:
    """All that was seen of an account, turned over day by day; `repeating` discounts are deducted too."""

    def __init__(self, seen: Seen, zone: ZoneInfo, *, repeating: bool) -> None:
        self.seen, self.zone, self.books, self.repeating = seen, zone, seen.last, repeating
        self._states = _states(seen)
        self._lines, self._changes = _lines(seen), _changes(seen)
        self._invoices: dict[str | None, list[Thing]] = defaultdict(list)
        for invoice in seen.first.invoices:
            self._invoices[subscription_of(invoice)].append(invoice)
        self._monthly: dict[object, int] = {}
        self._own = _own_discounts(seen)
        self.subscriptions = {one["id"]: one for one in self.books.subscriptions}
        for books in (seen.first, seen.last):
            for one in books.subscriptions:
                learn_discounts(self.books, one["discounts"])
                for item in one["items"]["data"]:
                    learn_discounts(self.books, item["discounts"])
        learn_discounts(self.books, (one["data"]["object"] for one in seen.events.values()))

    def worth(self, id: str, at: int) -> Worth:
        """What a subscription is worth at an instant (UTC seconds)."""
        known = self._states.get(id, [])
        before = [state for since, state in known if since <= at]
        if before:
            return self._worth_of(before, at)
        first = self.seen.first.one("subscriptions", id)
        return NOTHING if first is None else self._reconstructed(first, at)

    def _worth_of(self, states: list[Thing], at: int) -> Worth:
        """By the last of the states that there have been."""
        state = states[-1]
        plan, amount = dearest(state)["price"]["product"], self._amount(state, at)
        if state["status"] == "trialing" and not state["pause_collection"]:
            return Worth(trial=amount, cause="free", plan=plan)
        if state["status"] in ("active", "past_due") and not state["pause_collection"]:
            stays = not (state["cancel_at"] or state["cancel_at_period_end"])
            return Worth(amount, amount if stays else 0, cause="free", plan=plan)
        return Worth(cause=_cause(states), plan=plan)

    def _amount(self, state: Thing, at: int) -> int:
        """What a state comes to a month with the discounts of an instant."""
        own = self._own_discount(state["customer"], at)
        named = [*state["discounts"], *(one for item in state["items"]["data"] for one in item["discounts"])]
        known = (known_discount(self.books, one) for one in (*named, own))
        key = id(state), tuple(one["id"] for one in known if one and runs(one, at))
        if key not in self._monthly:
            self._monthly[key] = monthly_micros(self.books, state, at, own, repeating=self.repeating)
        return self._monthly[key]

    def _own_discount(self, customer: str, at: int) -> Thing | None:
        """The customer's own at an instant, one at most."""
        return next((one for since, one in reversed(self._own.get(customer, ())) if since <= at), None)

    # Before the connection

    def _reconstructed(self, first: Thing, at: int) -> Worth:
        plan = dearest(first)["price"]["product"]
        if at < first["start_date"] or first["status"].startswith("incomplete"):
            return replace(NOTHING, plan=plan)
        if first["ended_at"] and first["ended_at"] <= at:
            return Worth(cause="involuntary" if self._was_owing(first) else _cause([first]), plan=plan)
        if first["trial_start"] and first["trial_start"] <= at < first["trial_end"]:
            return Worth(trial=self._amount(first, self.seen.at), cause="free", plan=plan)
        if first["status"] == "paused" and at >= first["trial_end"]:
            return Worth(cause="paused", plan=plan)
        if first["status"] == "unpaid" and at >= self._given_up_at(first):
            return Worth(cause="unpaid", plan=plan)
        lines = self._lines_at(first, at)
        amount = self._billed(first, lines)
        said = first["canceled_at"]
        set_to_cancel = said is not None and said <= at
        why = "free" if lines or first["status"] == "canceled" else _cause([first])
        return Worth(amount, 0 if set_to_cancel else amount, cause=why, plan=plan)

    def _was_owing(self, first: Thing) -> bool:
        """Whether an invoice that was tried was not paid when a subscription ended: it was past due then."""
        return any(
            one["created"] < first["ended_at"]
            and one["total"] > 0
            and one["attempted"]
            and one["collection_method"] != "send_invoice"
            and not _was_settled(one, first["ended_at"])
            for one in self._invoices.get(first["id"], ())
        )

    def _given_up_at(self, first: Thing) -> float:
        """When a subscription that is unpaid had its last failed try; where none is open, nothing tells."""
        mine = [
            one
            for one in self._invoices.get(first["id"], ())
            if one["status"] == "open" and one["total"] > 0 and one["billing_reason"] not in ONE_OFF
        ]
        if not mine:
            return inf
        latest = max(mine, key=lambda one: (one["created"], one["id"]))
        books = self.seen.first
        intents = {
            one["payment"]["payment_intent"]
            for one in books.invoice_payments
            if one["invoice"] == latest["id"]
        }
        failed = [
            one["created"]
            for one in books.charges
            if one["status"] == "failed" and one["payment_intent"] in intents - {None}
        ]
        return int(max(failed, default=latest["status_transitions"]["finalized_at"] or latest["created"]))

    def _billed(self, first: Thing, lines: list[Thing]) -> int:
        """What lines come to a month."""
        if not lines:
            return 0
        prices = self.books.lists["prices"]
        asked = [(prices[line["price"]], line["quantity"]) for line in lines]
        items = [item for item in first["items"]["data"] if recurs(item["price"])]
        now = [(item["price"], item["quantity"]) for item in items]
        tried = any(line["amount"] == 0 and _sum([one]) for line, one in zip(lines, asked, strict=True))
        if not tried and not _by_tiers(asked) and not _by_tiers(now) and _sum(asked) == _sum(now):
            return self._amount(first, self.seen.at)
        return sum(self._of_line(line, first["currency"]) for line in lines)

    def _lines_at(self, first: Thing, at: int) -> list[Thing]:
        """The newest line of each item. A change in mid-period stands for all that is older, where there is
        one item: what it leaves of several cannot be told."""
        covers = [line for line in self._lines.get(first["id"], []) if line["start"] <= at < line["end"]]
        lines = [line for line in covers if self._counts(line, first)]
        change = self._change_at(first, at)
        if change is not None:
            lines = [line for line in lines if _order(line) > _order(change)] or [change]
        newest = {line["item"]: line for line in sorted(lines, key=_order)}
        return list(newest.values())

    def _change_at(self, first: Thing, at: int) -> Thing | None:
        """The newest change that covers an instant and says what its item costs for a whole period."""
        if len([item for item in first["items"]["data"] if recurs(item["price"])]) != 1:
            return None
        covers = [
            change
            for change in self._changes.get(first["id"], [])
            if max(change["created"], change["start"]) <= at < change["end"]
            and self._is_by_unit(change, first["currency"])
        ]
        return max(covers, key=_order, default=None)

    def _counts(self, line: Thing, first: Thing) -> bool:
        """Whether a line's invoice was asked for."""
        invoice = line["invoice"]
        finalized = invoice["status_transitions"]["finalized_at"]
        if invoice["status"] == "draft" or finalized is None or finalized > self.seen.at:
            fresh = self.seen.at - DAY < invoice["created"] <= self.seen.at  # it is asked for in an hour
            return fresh and not first["pause_collection"]
        if invoice["status"] == "void":
            return False
        return not (first["pause_collection"] and invoice["status"] == "uncollectible")

    def _of_line(self, line: Thing, currency: str) -> int:
        price = self.books.lists["prices"][line["price"]]
        if not recurs(price):
            return 0
        often = invoices_a_month(price) * MICROS
        if not self._is_by_unit(line, currency):
            return int(Fraction(line["net"]) * often // 1)
        full = price["unit_amount"] * line["quantity"]
        return int(full * often // 1) * line["kept"] // WHOLE

    def _is_by_unit(self, line: Thing, currency: str) -> bool:
        """Whether a line's price is simply for one, in the currency that is billed."""
        price = self.books.lists["prices"][line["price"]]
        known = price["unit_amount"] is not None and price["currency"] == currency
        return known and not price["transform_quantity"]

    # Over time

    def moves(self) -> list[Move]:
        """Every change from the end of one local day to the end of the next, by customer and currency."""
        mine: dict[tuple[str, str], list[str]] = defaultdict(list)
        for one in self.subscriptions.values():
            mine[one["customer"], one["currency"]].append(one["id"])
        return [move for (who, code), ids in mine.items() for move in self._moves(who, code, ids)]

    def _moves(self, customer: str, currency: str, ids: list[str]) -> Iterator[Move]:
        begins = min(self.subscriptions[id]["start_date"] for id in ids)
        before, first_day = dict.fromkeys(ids, NOTHING), 0
        for day, ends in self.days(begins):
            after = {id: self.worth(id, min(ends - 1, self.seen.now)) for id in ids}
            was, now = _total(before.values()), _total(after.values())
            if now.mrr and not first_day:
                first_day = day
                kind = "new"
            else:
                kind = _kind(was.mrr, now.mrr)
            if (was.mrr, was.committed, was.trial) != (now.mrr, now.committed, now.trial):
                yield Move(
                    customer, currency, day, kind,
                    _why(before, after) if kind == "churn" else "",
                    now.mrr - was.mrr, now.committed - was.committed, now.trial - was.trial,
                    now.mrr, first_day,
                )  # fmt: skip
            before = after

    def days(self, begins: int) -> Iterator[tuple[int, int]]:
        """Local days from the one that holds an instant up to today: first instants, and the next one's."""
        day = datetime.fromtimestamp(begins, self.zone).date()
        while (starts := _midnight(day, self.zone)) <= self.seen.now:
            day += timedelta(days=1)
            yield starts, _midnight(day, self.zone)

    def by(
        self, currency: str, at: int, part_of: Callable[[Thing, Worth], str]
    ) -> dict[str, tuple[int, int]]:
        """MRR and trial MRR of each part at an instant; `part_of` says of which one a subscription is."""
        found: dict[str, tuple[int, int]] = defaultdict(lambda: (0, 0))
        for one in self.subscriptions.values():
            worth = self.worth(one["id"], at)
            if one["currency"] == currency and (worth.mrr or worth.trial):
                mrr, trial = found[part_of(one, worth)]
                found[part_of(one, worth)] = mrr + worth.mrr, trial + worth.trial
        return dict(found)

    def total(self, at: int) -> dict[str, Worth]:
        """All subscriptions together at an instant, by currency."""
        found: dict[str, list[Worth]] = defaultdict(list)
        for one in self.subscriptions.values():
            found[one["currency"]].append(self.worth(one["id"], at))
        return {code: _total(every) for code, every in found.items()}


# Sums of movements


def month_of(day: int, zone: ZoneInfo) -> str:
    """The local month of an instant."""
    return datetime.fromtimestamp(day, zone).strftime("%Y-%m")


def by_month(moves: Iterable[Move], zone: ZoneInfo) -> dict[tuple[str, str, str], int]:
    """What the movements of each kind come to, by currency, month and kind (micros)."""
    found: Counter[tuple[str, str, str]] = Counter()
    for one in moves:
        if one.kind:
            found[one.currency, month_of(one.day, zone), one.kind] += one.mrr
    return dict(found)


def standing(moves: Iterable[Move], until: int) -> dict[str, dict[str, int]]:
    """Each customer's MRR by currency before an instant; only above zero."""
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for one in sorted(moves, key=lambda move: move.day):
        if one.day < until:
            found[one.currency][one.customer] = one.after
    return {code: {who: mrr for who, mrr in every.items() if mrr} for code, every in found.items()}


def customer_churn(moves: Iterable[Move], begins: int, ends: int) -> dict[str, tuple[int, int]]:
    """Who churned from `begins` to before `ends`, of those active at the start, by currency."""
    every = list(moves)
    active = standing(every, begins)
    churned: dict[str, set[str]] = defaultdict(set)
    for one in every:
        if begins <= one.day < ends and one.kind == "churn":
            churned[one.currency].add(one.customer)
    return {code: (len(churned[code]), len(active.get(code, {}))) for code in active.keys() | churned.keys()}


def revenue_churn(moves: Iterable[Move], begins: int, ends: int) -> dict[str, tuple[int, int, int]]:
    """By currency: churned and contracted, what expansion and reactivation brought, and MRR at the start."""
    every = list(moves)
    active = standing(every, begins)
    lost, gained = Counter[str](), Counter[str]()
    for one in every:
        if begins <= one.day < ends:
            lost[one.currency] -= one.mrr if one.kind in ("churn", "contraction") else 0
            gained[one.currency] += one.mrr if one.kind in ("expansion", "reactivation") else 0
    codes = active.keys() | lost.keys() | gained.keys()
    return {code: (lost[code], gained[code], sum(active.get(code, {}).values())) for code in codes}


def retention(moves: Iterable[Move], zone: ZoneInfo) -> dict[tuple[str, str, str], tuple[int, int]]:
    """By how much the customers who first came to MRR in a month, and their MRR, changed in each month.

    Keys: currency, cohort, month. Values: customers, micros.
    """
    found: dict[tuple[str, str, str], tuple[int, int]] = defaultdict(lambda: (0, 0))
    for one in moves:
        if one.kind:
            key = one.currency, month_of(one.first_day, zone), month_of(one.day, zone)
            came = {"new": 1, "reactivation": 1, "churn": -1}.get(one.kind, 0)
            found[key] = found[key][0] + came, found[key][1] + one.mrr
    return {key: value for key, value in found.items() if any(value)}


# Small parts


def _states(seen: Seen) -> dict[str, list[tuple[int, Thing]]]:
    """Every snapshot of each subscription with its instant, as they came."""
    found: dict[str, list[tuple[int, Thing]]] = defaultdict(list)
    for one in seen.first.subscriptions:
        found[one["id"]].append((seen.at, one))
    for event in seen.happened:
        if event["data"]["object"]["object"] == "subscription":
            found[event["data"]["object"]["id"]].append((event["created"], event["data"]["object"]))
    return found


def _own_discounts(seen: Seen) -> dict[str, list[tuple[int, Thing | None]]]:
    """From when on each customer had which discount of its own, or none, as it came."""
    found: dict[str, list[tuple[int, Thing | None]]] = defaultdict(list)
    for one in seen.first.customers:
        if one["discount"]:
            found[one["id"]].append((seen.at, one["discount"]))
    for event in seen.happened:
        one = event["data"]["object"]
        if one["object"] != "discount" or one["subscription"] or one["subscription_item"] or one["invoice"]:
            continue
        mine = found[one["customer"]]
        if event["type"] != "customer.discount.deleted":
            mine.append((event["created"], one))
        elif mine and mine[-1][1] and mine[-1][1]["id"] == one["id"]:
            mine.append((event["created"], None))
    return found


def _lines(seen: Seen) -> dict[str, list[Thing]]:
    """The lines for service of each subscription, as they stood at the connection."""
    found: dict[str, list[Thing]] = defaultdict(list)
    for invoice in seen.first.invoices:
        for line in invoice["lines"]["data"]:
            if line["subscription"] and not is_proration(line):
                found[line["subscription"]].append(_line(invoice, line))
    return found


def _line(invoice: Thing, line: Thing) -> Thing:
    off = sum(part["amount"] for part in line["discount_amounts"] or [])
    amount, net = line["amount"], line["amount"] - off
    details = line["parent"]["subscription_item_details"] or {}
    price = (line["pricing"] or {}).get("price_details", {}) or {}
    return {
        "id": line["id"],
        "created": invoice["created"],
        "invoice": invoice,
        "item": details.get("subscription_item") or price.get("price"),
        "price": price.get("price"),
        "quantity": line["quantity"] if line["quantity"] is not None else 1,
        "amount": amount,
        "net": net,
        "kept": 0 if amount == 0 else net * WHOLE // amount if 0 <= off <= amount else WHOLE,
        "start": line["period"]["start"],
        "end": line["period"]["end"],
    }


def _changes(seen: Seen) -> dict[str, list[Thing]]:
    """What changes in mid-period asked for, oldest first."""
    found: dict[str, list[Thing]] = defaultdict(list)
    for one in seen.first.invoiceitems:
        price = ((one["pricing"] or {}).get("price_details") or {}).get("price")
        if one["proration"] and one["amount"] > 0 and price:
            found[subscription_of(one) or ""].append(
                {
                    "id": one["id"],
                    "item": "",
                    "created": one["date"],
                    "price": price,
                    "quantity": one["quantity"],
                    "amount": one["amount"],
                    "net": one["amount"],
                    "kept": WHOLE,
                    "start": one["period"]["start"],
                    "end": one["period"]["end"],
                }
            )
    return {id: sorted(every, key=_order) for id, every in found.items()}


def _was_settled(invoice: Thing, at: int) -> bool:
    """Whether an invoice was paid or void by an instant."""
    times = invoice["status_transitions"]
    if invoice["status"] == "paid":
        return bool(times["paid_at"] <= at)
    return bool(times["voided_at"] and times["voided_at"] < at)


def _order(line: Thing) -> tuple[int, int, str]:
    return line["start"], line["created"], line["id"]


def _sum(pairs: Iterable[tuple[Thing, int]]) -> int:
    return sum((price["unit_amount"] or 0) * quantity for price, quantity in pairs if recurs(price))


def _by_tiers(pairs: Iterable[tuple[Thing, int]]) -> bool:
    return any(price["billing_scheme"] == "tiered" for price, _ in pairs)


def _cause(states: list[Thing]) -> str:
    """Why a subscription that stands so counts for nothing."""
    state = states[-1]
    if state["status"] == "canceled":
        behind = len(states) > 1 and states[-2]["status"] in ("past_due", "unpaid")
        reason = (state["cancellation_details"] or {}).get("reason")
        return "involuntary" if behind or reason == "payment_failed" else "voluntary"
    if state["status"] in ("unpaid", "paused"):
        return str(state["status"])
    return "collection_paused" if state["pause_collection"] else "free"


def _total(every: Iterable[Worth]) -> Worth:
    found = list(every)
    return Worth(
        sum(one.mrr for one in found), sum(one.committed for one in found), sum(one.trial for one in found)
    )


def _kind(before: int, after: int) -> str:
    if before == after:
        return ""
    if not before:
        return "reactivation"
    if not after:
        return "churn"
    return "expansion" if after > before else "contraction"


def _why(before: dict[str, Worth], after: dict[str, Worth]) -> str:
    """The cause of the dearest subscription that counts no more."""
    stopped = [id for id, one in before.items() if one.mrr]
    return after[max(stopped, key=lambda id: (before[id].mrr, id))].cause


def _midnight(day: object, zone: ZoneInfo) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=zone).timestamp())  # type: ignore[attr-defined]


__all__ = ["DAY", "Ledger", "Move", "Worth"]

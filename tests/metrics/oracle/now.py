"""What stands now: MRR, who pays, whose trial runs."""

from __future__ import annotations

from collections import Counter, defaultdict

from tests.metrics.oracle.money import monthly_micros
from tests.metrics.oracle.reading import Books, Thing


def _paying(books: Books, at: int, repeating: bool) -> list[tuple[Thing, int]]:
    """The subscriptions that count, with what each is worth a month."""

    def own(customer: str) -> Thing | None:
        return (books.one("customers", customer) or {}).get("discount")

    counted = [
        (one, monthly_micros(books, one, at, own(one["customer"]), repeating=repeating))
        for one in books.subscriptions
        if one["status"] in ("active", "past_due") and not one["pause_collection"]
    ]
    return [(one, worth) for one, worth in counted if worth]


def active_customers(books: Books, at: int, *, repeating: bool = False) -> int:
    """Active customers of all currencies at the instant that the books are of; `repeating` discounts are
    deducted too."""
    return len({one["customer"] for one, _ in _paying(books, at, repeating)})


def mrr(books: Books, at: int, *, repeating: bool = False) -> dict[str, tuple[int, int]]:
    """MRR in micros and active customers, by currency."""
    money: Counter[str] = Counter()
    people: dict[str, set[str]] = defaultdict(set)
    for one, worth in _paying(books, at, repeating):
        money[one["currency"]] += worth
        people[one["currency"]].add(one["customer"])
    return {code: (money[code], len(people[code])) for code in money}


def running_trials(books: Books) -> Counter[str]:
    """Subscriptions in trial by currency."""
    return Counter(one["currency"] for one in books.subscriptions if one["status"] == "trialing")

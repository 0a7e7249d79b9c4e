"""What stands now: MRR, who pays, whose trial runs."""

from __future__ import annotations

from collections import Counter, defaultdict

from tests.metrics.oracle.money import monthly_micros
from tests.metrics.oracle.reading import Books, Thing


def _paying(books: Books) -> list[tuple[Thing, int]]:
    """The subscriptions that count, with what each is worth a month."""
    counted = [
        (one, monthly_micros(books, one))
        for one in books.subscriptions
        if one["status"] in ("active", "past_due") and not one["pause_collection"]
    ]
    return [(one, worth) for one, worth in counted if worth]


def active_customers(books: Books) -> int:
    """Active customers of all currencies."""
    return len({one["customer"] for one, _ in _paying(books)})


def mrr(books: Books) -> dict[str, tuple[int, int]]:
    """MRR in micros and active customers, by currency."""
    money: Counter[str] = Counter()
    people: dict[str, set[str]] = defaultdict(set)
    for one, worth in _paying(books):
        money[one["currency"]] += worth
        people[one["currency"]].add(one["customer"])
    return {code: (money[code], len(people[code])) for code in money}


def running_trials(books: Books) -> Counter[str]:
    """Subscriptions in trial by currency."""
    return Counter(one["currency"] for one in books.subscriptions if one["status"] == "trialing")

"""Which payments failed, when first, and what became of them? What is open now, what is disputed?"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from tests.metrics.oracle.reading import DAY, Books, Seen, Thing, subscription_of
from tests.metrics.oracle.trials import ONE_OFF, dearest

OPEN_DISPUTES = {"needs_response", "under_review", "warning_needs_response", "warning_under_review"}
ENDED = ("canceled", "incomplete_expired")


@dataclass
class Failed:
    """An invoice above zero of which an attempt failed. `came_to`: recovered, in_recovery, lost."""

    invoice: str
    customer: str
    currency: str
    amount: int
    failed_at: int
    came_to: str
    is_first_after_trial: bool
    plan: str


@dataclass
class Passed:
    """An invoice above zero that was paid at the first try, `at` that."""

    customer: str
    currency: str
    amount: int
    at: int
    plan: str


def failed(seen: Seen) -> dict[str, Failed]:
    """All of them, by invoice."""
    books, found = seen.last, {}
    subscriptions = books.lists["subscriptions"]
    by_subscription: dict[str, list[Thing]] = defaultdict(list)
    for one in books.invoices:
        by_subscription[subscription_of(one) or ""].append(one)
    tries = _Tries(seen)
    for one in books.invoices:
        at = tries.first_failure(one)
        if one["total"] <= 0 or at is None:
            continue
        subscription = subscriptions.get(subscription_of(one) or "")
        others = by_subscription[subscription_of(one) or ""]
        found[one["id"]] = Failed(
            one["id"], one["customer"], one["currency"], one["total"], at,
            _came_to(one, subscription), _is_first_after_trial(one, subscription, others),
            _plan(subscription),
        )  # fmt: skip
    return found


class _Tries:
    """What is known of attempts to be paid."""

    def __init__(self, seen: Seen) -> None:
        books = seen.last
        self._intents = books.lists["payment_intents"]
        self._of_invoice: dict[str, list[Thing]] = defaultdict(list)
        for one in books.invoice_payments:
            self._of_invoice[one["invoice"]].append(one["payment"])
        self._charges: dict[str, list[Thing]] = defaultdict(list)
        for one in books.charges:
            self._charges[one["payment_intent"] or ""].append(one)
        self._told: dict[str, list[int]] = defaultdict(list)
        for one in seen.events.values():
            if one["type"] == "invoice.payment_failed":
                self._told[one["data"]["object"]["id"]].append(one["created"])

    def first_failure(self, invoice: Thing) -> int | None:
        """When an attempt failed first; None where none did.

        A failed charge has its time, and so has Stripe's event. A try without a card leaves neither where it
        is too old: then an invoice that is charged by itself was tried when it was finalized.
        """
        intents = [one["payment_intent"] for one in self._of_invoice[invoice["id"]] if one["payment_intent"]]
        charges = [charge for intent in intents for charge in self._charges[intent]]
        times = [one["created"] for one in charges if one["status"] == "failed"] + self._told[invoice["id"]]
        finalized = invoice["status_transitions"]["finalized_at"] or invoice["created"]
        unpaid = invoice["status"] in ("open", "uncollectible", "void") and invoice["attempted"]
        about = [finalized] if unpaid or invoice["attempt_count"] > 1 else []
        known = [self._intents[id] for id in intents if id in self._intents]
        errors = [one["created"] for one in known if one["last_payment_error"]]
        if (
            times
            and about
            and invoice["collection_method"] != "send_invoice"
            and min(times) > finalized + DAY
        ):
            return int(finalized)
        return min(times or about + errors, default=None)


def _came_to(invoice: Thing, subscription: Thing | None) -> str:
    if invoice["status"] == "paid":
        return "recovered"
    over = subscription is not None and subscription["status"] in ENDED
    return "lost" if over or invoice["status"] in ("void", "uncollectible") else "in_recovery"


def _is_first_after_trial(invoice: Thing, subscription: Thing | None, others: list[Thing]) -> bool:
    if subscription is None or not subscription["trial_start"]:
        return False
    return not any(
        other["created"] < invoice["created"]
        and other["total"] > 0
        and other["status"] != "void"
        and other["billing_reason"] not in ONE_OFF
        for other in others
    )


def _plan(subscription: Thing | None) -> str:
    return dearest(subscription)["price"]["product"] if subscription else ""


def passed(seen: Seen) -> dict[str, Passed]:
    """The invoices above zero that were paid at the first try.

    What is charged by itself is tried when it is finalized, what was sent when it is paid. One that was
    settled without any try (out of band, by credit) was not tried. The first after a trial is left out.
    """
    have_failed, found = failed(seen), {}
    by_subscription: dict[str, list[Thing]] = defaultdict(list)
    for one in seen.last.invoices:
        by_subscription[subscription_of(one) or ""].append(one)
    for one in seen.last.invoices:
        was_tried = one["attempt_count"] > 0 and one["amount_due"] > 0 and one["total"] > 0
        if one["status"] != "paid" or not was_tried or one["id"] in have_failed:
            continue
        subscription = seen.last.one("subscriptions", subscription_of(one))
        if _is_first_after_trial(one, subscription, by_subscription[subscription_of(one) or ""]):
            continue
        times = one["status_transitions"]
        at = times["paid_at"] if one["collection_method"] == "send_invoice" else times["finalized_at"]
        found[one["id"]] = Passed(one["customer"], one["currency"], one["total"], at, _plan(subscription))
    return found


def open_failures(books: Books, *, ended: bool) -> dict[str, tuple[int, int]]:
    """How many failed invoices still ask for money, and for how much, by currency.

    Those of subscriptions that have ended, or all others.
    """
    over = {one["id"] for one in books.subscriptions if one["status"] in ENDED}
    found: dict[str, tuple[int, int]] = {}
    for one in books.invoices:
        if one["status"] == "open" and one["attempted"] and one["amount_remaining"] > 0:
            if (subscription_of(one) in over) is not ended:
                continue
            count, amount = found.get(one["currency"], (0, 0))
            found[one["currency"]] = (count + 1, amount + one["amount_remaining"])
    return found


def open_disputes(books: Books) -> dict[str, tuple[int, int]]:
    """How many disputes are not decided, and their amount, by currency."""
    found: dict[str, tuple[int, int]] = {}
    for one in books.disputes:
        if one["status"] in OPEN_DISPUTES:
            count, amount = found.get(one["currency"], (0, 0))
            found[one["currency"]] = (count + 1, amount + one["amount"])
    return found

"""Why did a payment fail first, and what paid it in the end?"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable

from tests.metrics.oracle.failures import Failed
from tests.metrics.oracle.reading import Books, Thing


class Tries:
    """All tries to charge invoices that left a trace; `by_staff` are the desk's own: the invoice, and whether
    it was paid."""

    def __init__(self, books: Books, by_staff: Iterable[tuple[str, bool]]) -> None:
        self._books, self._by_staff = books, Counter(by_staff)
        self._payments: dict[str, list[Thing]] = defaultdict(list)
        for one in books.invoice_payments:
            self._payments[one["invoice"]].append(one)
        self._charges: dict[str, list[Thing]] = defaultdict(list)
        for one in sorted(books.charges, key=lambda charge: (charge["created"], charge["id"])):
            self._charges[one["payment_intent"] or ""].append(one)
        self._credited: dict[str, int] = defaultdict(int)
        for one in books.credit_notes:
            self._credited[one["invoice"]] = max(one["created"], self._credited[one["invoice"]])

    def why(self, failed: Failed) -> str:
        """The bank's reason for the first failure, else Stripe's."""
        for charge in self._of(failed):
            if charge["status"] == "failed":
                return str((charge["outcome"] or {}).get("reason") or charge["failure_code"])
        for intent in self._intents(failed):
            if error := intent["last_payment_error"]:
                return str(error.get("decline_code") or error["code"])
        waits = any(one["status"] == "requires_action" for one in self._intents(failed))
        return "authentication_required" if waits else ""

    def paid_by(self, failed: Failed) -> str:
        """What paid a payment that failed; "" where it is not paid.

        The schedule's tries are counted on the invoice, those by hand only where they are the first.
        """
        if failed.came_to != "recovered":
            return ""
        invoice, charges = self._books.lists["invoices"][failed.invoice], self._of(failed)
        cards_failed = [one["payment_method"] for one in charges if one["status"] == "failed"]
        succeeded = [one["payment_method"] for one in charges if one["status"] == "succeeded"]
        if not succeeded:
            if self._credited[failed.invoice] >= failed.failed_at:
                return "credit"
            through_stripe = any(one["status"] == "paid" for one in self._payments[failed.invoice])
            return "unknown" if through_stripe else "out_of_band"
        if self._by_staff[failed.invoice, True]:
            return "staff"
        if invoice["collection_method"] == "send_invoice":
            return "customer"
        if not cards_failed:
            return "unknown"
        if invoice["attempt_count"] <= len(cards_failed) - self._by_staff[failed.invoice, False]:
            return "customer"
        return "automatic" if succeeded[-1] in cards_failed else "new_card"

    def _intents(self, failed: Failed) -> list[Thing]:
        ids = [one["payment"]["payment_intent"] for one in self._payments[failed.invoice]]
        return [self._books.lists["payment_intents"][id] for id in ids if id]

    def _of(self, failed: Failed) -> list[Thing]:
        return [charge for intent in self._intents(failed) for charge in self._charges[intent["id"]]]

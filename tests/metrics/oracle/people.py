"""Where is each customer from, and how did each trial begin? What numbers are sliced by."""

from __future__ import annotations

from collections import defaultdict

from tests.metrics.oracle.reading import DAY, Seen, Thing, subscription_of
from tests.metrics.oracle.trials import Trial, dearest


class People:
    """The customers of all that was seen of an account."""

    def __init__(self, seen: Seen) -> None:
        self._seen = seen
        self._charges: dict[str, list[Thing]] = defaultdict(list)
        for one in sorted(seen.last.charges, key=lambda charge: (charge["created"], charge["id"])):
            self._charges[one["customer"] or ""].append(one)
        self._invoices: dict[str, list[Thing]] = defaultdict(list)
        for one in sorted(seen.last.invoices, key=lambda invoice: (invoice["created"], invoice["id"])):
            self._invoices[subscription_of(one) or ""].append(one)
        self._methods = _methods(seen)

    def country(self, customer: str) -> str:
        """Of the address, else of the card that would be charged, else of the last that was."""
        person = self._seen.last.one("customers", customer) or {}
        card = (person.get("invoice_settings") or {}).get("default_payment_method")
        charged = [one["payment_method_details"]["card"]["country"] for one in self._charges[customer]]
        found = (person.get("address") or {}).get("country") or (card and card["card"]["country"])
        return str(found or (charged[-1] if charged else ""))

    def slices(self, trial: Trial) -> dict[str, str]:
        """By what a trial is sliced; each value as text."""
        given = self._given_end(trial)
        return {
            "plan": trial.plan,
            "price": dearest(trial.subscription)["price"]["id"],
            "source": trial.source,
            "currency": trial.currency,
            "country": self.country(trial.customer),
            "trial_days": str(-((trial.started - given) // DAY)),
            "extended": str(int(trial.subscription["trial_end"] > given)),
            "card_at_start": str(int(self._had_card(trial.customer, trial.started + DAY))),
        }

    def _given_end(self, trial: Trial) -> int:
        """When the trial was to end at first: its invoice of zero runs as long, or it was seen so first."""
        for invoice in self._invoices[trial.subscription["id"]]:
            for line in invoice["lines"]["data"]:
                begins, ends = line["period"]["start"], line["period"]["end"]
                if line["amount"] == 0 and begins == trial.started < ends:
                    return int(ends)
        first = self._seen.first.one("subscriptions", trial.subscription["id"])
        told = (event["data"]["object"] for event in self._seen.happened)
        states = [one for one in (first, *told) if one and one["id"] == trial.subscription["id"]]
        return next(int(one["trial_end"]) for one in states if one["trial_start"] == trial.started)

    def _had_card(self, customer: str, by: int) -> bool:
        """Whether a card that is the customer's was there by an instant, or one was charged."""
        had = [created for owner, created in self._methods.values() if owner == customer]
        return any(at <= by for at in (*had, *(one["created"] for one in self._charges[customer])))


def _methods(seen: Seen) -> dict[str, tuple[str | None, int]]:
    """Whose each card is that was ever a default, or was told of, and since when it is there."""
    found = {}
    told = [event["data"]["object"] for event in seen.happened]
    for books, more in ((seen.first, told), (seen.last, [])):
        defaults = [
            (one.get("invoice_settings") or {}).get("default_payment_method") for one in books.customers
        ]
        for one in (*defaults, *more):
            if isinstance(one, dict) and one["object"] == "payment_method":
                found[one["id"]] = one["customer"], one["created"]
    return found

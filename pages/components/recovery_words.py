"""How are the states of failed payments, what paid them, and why they failed called?"""

from __future__ import annotations

from collections.abc import Mapping

from services.customers.filters import country_label
from services.metrics.recovery.dunning import Part
from services.metrics.recovery.recovered_by import By
from services.metrics.recovery.recovery import CameTo
from services.stripe_api import declines

STATES: dict[CameTo, str] = {"recovered": "Recovered", "in_recovery": "In recovery", "lost": "Lost"}
BY: dict[By, str] = {
    "automatic": "Stripe's own retry",
    "new_card": "Retry of another card",
    "staff": "Retry from this desk",
    "customer": "Customer, by hand",
    "out_of_band": "Paid elsewhere",
    "credit": "Credit note",
    "unknown": "Cannot be told",
}
BY_MEANS: dict[By, str] = {
    "automatic": "Stripe tried again by itself, with a card that had failed before.",
    "new_card": "Stripe tried again by itself, with a card that had not failed: somebody had put it in.",
    "staff": "Somebody retried it from this desk.",
    "customer": "Somebody paid it by hand outside the desk: the customer on the invoice's page, or a "
    "colleague in Stripe's Dashboard.",
    "out_of_band": "Somebody said that it was paid elsewhere.",
    "credit": "A credit note settled it.",
    "unknown": "It was paid through Stripe; what is known of the tries does not say how.",
}
PARTS: dict[Part, str] = {"code": "Reason", "plan": "Plan", "country": "Country"}
NOT_GIVEN = "Not given"


def called(part: Part, key: str, plans: Mapping[str, str]) -> str:
    """A plan, a country, a decline code or what paid it, in a few words."""
    if part == "by":
        return next((words for by, words in BY.items() if by == key), key)
    if part == "code":
        return key.replace("_", " ").capitalize() if key else "No reason known"
    if not key:
        return NOT_GIVEN
    return plans.get(key, key) if part == "plan" else country_label(key)


def explained(part: Part, key: str) -> str:
    """What a decline code, or what paid it, means in a sentence; "" for what needs none."""
    if part == "by":
        return next((words for by, words in BY_MEANS.items() if by == key), "")
    return declines.explain(key).words if part == "code" else ""

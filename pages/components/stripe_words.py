"""How are the causes and steps between our numbers and Stripe's told?"""

from __future__ import annotations

from services.metrics.definitions import DEFINITIONS

_KEYS = ("timing", "discounts", "collection_paused", "at_once", "currencies")
CAUSES = {key: (DEFINITIONS[f"stripe_{key}"].title, DEFINITIONS[f"stripe_{key}"].short) for key in _KEYS}
SAME = "Trials, taxes, free plans, prices by use, unpaid and paused subscriptions count in neither number."
STEPS = {
    "conversion": {
        "ours": (
            "Ours",
            "Customers whose first trial ended in the last 30 days; converted by whichever invoice paid "
            "first.",
        ),
        "own_invoice": (
            "By the trial’s own invoice",
            "Converted only where the first invoice of that same subscription is paid; a trial is over when "
            "its time is, though its invoice is still a draft.",
        ),
        "further_trials": (
            "Every trial",
            "Second and further trials of a customer count, too: this is how Stripe counts.",
        ),
    },
    "churn": {
        "ours": ("Ours", "Customers who churned in the last whole month, of those active at its start."),
        "rolling": ("Rolling 30 days", "The same over the last 30 days."),
        "newcomers": (
            "With newcomers",
            "Stripe divides by those active 30 days ago and those who came since.",
        ),
        "collection_paused": (
            "Paused collection is no churn",
            "To Stripe, who is not collected from is still there: this is how it counts.",
        ),
    },
}
UNEXPLAINED = (
    "on Stripe’s page is not explained. Its charts may be hours behind, its day may end in another time "
    "zone, and its exchange rates are its own."
)

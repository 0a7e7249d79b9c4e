"""How are the causes and steps between our numbers and Stripe's told?"""

from __future__ import annotations

CAUSES = {
    "timing": (
        "Timing",
        "What moved here since the end of the day that Stripe’s chart shows, but for pauses of collection.",
    ),
    "discounts": ("Discounts", "Discounts that one of the two deducts and the other does not."),
    "collection_paused": (
        "Paused collection",
        "Stripe counts subscriptions whose collection is paused; we do not.",
    ),
    "at_once": (
        "Set to cancel",
        "Stripe is set to count them as gone when they cancel; here they count until they end.",
    ),
    "currencies": (
        "Other currencies",
        "Stripe adds all currencies, at rates of its own; here by the rates that you entered.",
    ),
}
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

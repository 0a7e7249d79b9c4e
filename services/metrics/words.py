"""What are states, steps, movements and causes called? The same on pages and in reports."""

from __future__ import annotations

STATE_WORDS = {
    "converted": "Converted",
    "running": "Running",
    "missed_payment": "Missed payment",
    "cancelled_in_trial": "Canceled in trial",
    "expired": "Expired",
    "free": "Free",
}
STEP_WORDS = {
    "signed_up": "Signed up",
    "trial": "Trial started",
    "method": "Payment method",
    "over": "Trial over",
    "paid": "First payment",
    "paying_30": "Paying after 30 days",
    "paying_90": "Paying after 90 days",
}
MOVE_WORDS = {
    "new": "New",
    "reactivation": "Reactivation",
    "expansion": "Expansion",
    "switch": "Plan switch",
    "contraction": "Contraction",
    "churn": "Churn",
}
CAUSE_WORDS = {
    "voluntary": "By choice",
    "involuntary": "Payment failed",
    "unpaid": "Unpaid",
    "paused": "Paused",
    "collection_paused": "Collection paused",
    "free": "Moved to a free price",
    "": "Not known",
}

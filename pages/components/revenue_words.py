"""How are movements of MRR called, and the causes of churn?"""

from __future__ import annotations

MOVES = {
    "new": "New",
    "reactivation": "Reactivation",
    "expansion": "Expansion",
    "switch": "Plan switch",
    "contraction": "Contraction",
    "churn": "Churn",
}
CAUSES = {
    "voluntary": "By choice",
    "involuntary": "Payment failed",
    "unpaid": "Unpaid",
    "paused": "Paused",
    "collection_paused": "Collection paused",
    "free": "Moved to a free price",
    "": "Not known",
}
LEVELS = {"mrr": "MRR", "committed": "Committed MRR", "trial": "Trial MRR"}

"""How are movements of MRR called, the causes of churn, and what stands beside MRR?"""

from __future__ import annotations

from services.metrics.words import CAUSE_WORDS, MOVE_WORDS

MOVES, CAUSES = MOVE_WORDS, CAUSE_WORDS
LEVELS = {"mrr": "MRR", "committed": "Committed MRR", "trial": "Trial MRR"}

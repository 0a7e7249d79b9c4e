"""What is counted? One place that names the books, in the order in which a customer is counted.

How far customers came builds on their trials, and what passed at once on what failed: each stands after it.
"""

from __future__ import annotations

from services.metrics.counting.rollups import Book
from services.metrics.recovery import failure_book
from services.metrics.revenue import revenue_book
from services.metrics.trials import journey_book, trial_book

BOOKS: tuple[Book, ...] = (
    revenue_book.BOOK,
    trial_book.BOOK,
    journey_book.BOOK,
    failure_book.FAILED,
    failure_book.PASSED,
)

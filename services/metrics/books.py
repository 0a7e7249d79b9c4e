"""What is counted? One place that names the books, in the order in which a customer is counted.

How far customers came builds on their trials, and what passed at once on what failed: each stands after it.
"""

from __future__ import annotations

from services.metrics import failure_book, journey_book, revenue_book, trial_book
from services.metrics.rollups import Book

BOOKS: tuple[Book, ...] = (
    revenue_book.BOOK,
    trial_book.BOOK,
    journey_book.BOOK,
    failure_book.FAILED,
    failure_book.PASSED,
)

"""What is counted? One place that names the books, in the order in which a customer is counted."""

from __future__ import annotations

from services.metrics import failure_book, revenue_book
from services.metrics.rollups import Book

# What passed is counted beside what `FAILED` has just found to have failed.
BOOKS: tuple[Book, ...] = (revenue_book.BOOK, failure_book.FAILED, failure_book.PASSED)

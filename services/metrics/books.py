"""What is counted? One place that names the books, in the order in which a customer is counted."""

from __future__ import annotations

from services.metrics import failure_book
from services.metrics.rollups import Book

BOOKS: tuple[Book, ...] = (failure_book.FAILED, failure_book.PASSED)  # the latter reads the former

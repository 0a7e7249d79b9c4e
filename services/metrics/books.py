"""What is counted? One place that names the books."""

from __future__ import annotations

from services.metrics import revenue_book
from services.metrics.rollups import Book

BOOKS: tuple[Book, ...] = (revenue_book.BOOK,)

"""What is counted? One place that names the books. How far customers came builds on their trials before."""

from __future__ import annotations

from services.metrics import journey_book, revenue_book, trial_book
from services.metrics.rollups import Book

BOOKS: tuple[Book, ...] = (revenue_book.BOOK, trial_book.BOOK, journey_book.BOOK)

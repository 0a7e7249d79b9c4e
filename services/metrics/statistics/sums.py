"""How does SQL calculate with numbers that together are more than 64 bits hold? So that none of it fails.

PostgreSQL adds up without a limit, but fails where a product is too large; SQLite fails at sums, and takes
products as floating numbers. Nothing that people pay comes near; what Stripe lets one type does.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

LARGEST = 2**63 - 1  # that a column holds
MOST = 10**17  # micros that count of one subscription: a billion a month, of which nobody has the 92 that fit
_PART = 2**32
_SAFE = 2.0**62  # what `roughly` says to be below is below the largest


class _Total(FunctionElement[int]):
    type = sa.BigInteger()
    inherit_cache = True
    name = "total"


def total(amount: Any) -> sa.ColumnElement[int]:
    """SQL: the sum of integers; exact, but on SQLite beyond 64 bits, where it is the nearest floating number.

    Read it with `int`: PostgreSQL answers with a decimal.
    """
    return _Total(amount)


@compiles(_Total)
def _sum(element: Any, compiler: Any, **kwargs: Any) -> str:
    return f"sum({compiler.process(element.clauses, **kwargs)})"


@compiles(_Total, "sqlite")
def _sum_in_parts(element: Any, compiler: Any, **kwargs: Any) -> str:
    amount = f"CAST({compiler.process(element.clauses, **kwargs)} AS INTEGER)"
    return f"(sum({amount} / {_PART}) * {_PART} + sum({amount} % {_PART}))"


def product(amount: Any, times: Any) -> sa.ColumnElement[int]:
    """SQL: amount * times; 0 where that is more than 64 bits hold."""
    return _if_it_fits(_roughly(amount) * times, amount * times)


def share(amount: Any, part: Any, whole: Any) -> sa.ColumnElement[int]:
    """SQL: amount * part // whole, where the product alone need not fit; 0 where that is more than 64 bits
    hold. `part * whole` must fit."""
    exactly = amount // whole * part + amount % whole * part // whole
    return _if_it_fits(_roughly(amount) * part / whole, exactly)


def _roughly(amount: Any) -> sa.ColumnElement[float]:
    return sa.cast(amount, sa.Double)


def _if_it_fits(roughly: Any, exactly: Any) -> sa.ColumnElement[int]:
    return sa.case((sa.func.abs(roughly) < _SAFE, exactly), else_=0)

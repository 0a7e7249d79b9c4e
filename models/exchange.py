"""What amounts of one currency are in another, as staff entered it."""

from __future__ import annotations

from sqlmodel import Field

from models.base import Base, big


class ExchangeRate(Base, table=True):
    """What one unit of `currency` is in units of `into`, from `day` (`2026-05-31`) until the next rate's day.

    `rate` is decimal text, `source` where the person has it from, `author` a staff id.
    """

    __tablename__ = "exchange_rates"

    currency: str = Field(primary_key=True)
    into: str = Field(primary_key=True)
    day: str = Field(primary_key=True)
    rate: str
    source: str = ""
    author: int | None = None
    created_at: int = big(0, nullable=False)


class ReportingCurrency(Base, table=True):
    """The one row that says into which currency all amounts can be converted; "" for none."""

    __tablename__ = "reporting_currency"

    id: int = Field(default=1, primary_key=True)
    currency: str = ""

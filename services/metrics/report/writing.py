"""How are amounts, shares and instants written in a report? As the workspace's locale and zone have it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_datetime
from babel.numbers import format_compact_currency, format_decimal, format_percent

from services import clock, money
from services.metrics.revenue.revenue_history import Amount

NO_DATA = "No data"


@dataclass(frozen=True, slots=True)
class Writing:
    """The words of one workspace. Amounts are minor units, micros millionths of them; instants in UTC
    seconds."""

    locale: str
    zone: ZoneInfo

    def money(self, amount: int, currency: str) -> str:
        """An amount in minor units, e.g. `$1,250.00`."""
        return money.display(amount, currency, locale=self.locale)

    def micros(self, value: Amount | None, currency: str) -> str:
        """Millionths of a minor unit (MRR), rounded only here."""
        return NO_DATA if value is None else self.money(money.whole(value), currency)

    def change(self, value: Amount, currency: str) -> str:
        """The same with its sign, e.g. `+$1,250.00`."""
        return f"{'+' if money.whole(value) > 0 else ''}{self.micros(value, currency)}"

    def about(self, value: Amount, currency: str) -> str:
        """The same in a few signs, for the axis of a chart, e.g. `$1.2K`."""
        units = money.units(money.whole(value), currency)
        short = format_compact_currency(units, currency.upper(), locale=self.locale, fraction_digits=1)
        return str(short)

    def count(self, value: int) -> str:
        """A whole number with the locale's grouping."""
        return str(format_decimal(value, locale=self.locale))

    def signed(self, value: int) -> str:
        """The same with its sign."""
        return f"{'+' if value > 0 else ''}{self.count(value)}"

    def plural(self, value: int, noun: str) -> str:
        """A number with its noun: `1 trial`, `2,300 trials`."""
        return f"{self.count(value)} {noun if value == 1 else noun + 's'}"

    def share(self, value: float | None) -> str:
        """A share as a percentage with one decimal; None is “No data”."""
        if value is None:
            return NO_DATA
        return str(format_percent(value, "#,##0.0 %", locale=self.locale))

    def month(self, key: str) -> str:
        """A month's key (`2026-05`) as people say it: `May 2026`."""
        return str(format_date(_first_day(key), "LLLL y", locale=self.locale))

    def short_month(self, key: str) -> str:
        """The same in a few letters: `May`."""
        return str(format_date(_first_day(key), "LLL", locale=self.locale))

    def day(self, instant: int) -> str:
        """The local day of an instant, e.g. `Mar 3, 2026`."""
        return str(format_date(clock.local(instant, self.zone), "medium", locale=self.locale))

    def moment(self, instant: int) -> str:
        """The local day and time of an instant."""
        return str(format_datetime(clock.local(instant, self.zone), "medium", locale=self.locale))

    @property
    def zone_name(self) -> str:
        """The workspace's time zone by its name, e.g. `Europe/Berlin`."""
        return self.zone.key.replace("_", " ")


def _first_day(key: str) -> date:
    return date.fromisoformat(f"{key}-01")

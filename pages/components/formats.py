"""How are amounts, instants and shares written for the people of this workspace?

The locale and the zone are the workspace's. Amounts are minor units, micros are millionths of them,
instants are seconds since 1970 UTC. A missing value is written as a dash, a share of nothing as “No data”.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from fractions import Fraction
from functools import lru_cache
from typing import Literal
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_time, format_timedelta
from babel.numbers import format_compact_currency, format_decimal, format_percent

from services import clock, config
from services import money as amounts

NOTHING = "–"
NO_DATA = "No data"
_NO_CENTS = 10  # units of a currency from which on a rough amount has no decimals


def money(amount: int | None, currency: str) -> str:
    """An amount in minor units, e.g. `$1,250.00`."""
    if amount is None or not currency:
        return NOTHING
    return amounts.display(amount, currency, locale=_locale())


def in_all(word: str, by_currency: Mapping[str, int]) -> str:
    """Sums of micros with what they are: `MRR $1,250.00, €39.00`; "" where there are none."""
    sums = [micros(value, code) for code, value in by_currency.items() if value]
    return f"{word} {', '.join(sums)}" if sums else ""


def micros(value: int | Fraction | None, currency: str) -> str:
    """Millionths of a minor unit (MRR), rounded only here."""
    if value is None or not currency:
        return NOTHING
    return amounts.display(amounts.whole(value), currency, locale=_locale())


def rough(value: int | Fraction, currency: str) -> str:
    """Millionths of a minor unit in few signs, for charts, e.g. `$1.3K`."""
    units = amounts.units(amounts.whole(value), currency)
    units = round(units) if abs(units) >= _NO_CENTS else units
    written = format_compact_currency(units, currency.upper(), locale=_locale(), fraction_digits=1)
    return str(written)


def count(value: int) -> str:
    """A whole number with the locale's grouping."""
    return _counted(value, _locale())


@lru_cache(maxsize=4096)  # a chart writes hundreds of small numbers, the same ones at every run
def _counted(value: int, locale: str) -> str:
    return str(format_decimal(value, locale=locale))


def share(part: int | Fraction, whole: int | Fraction) -> str:
    """`part` of `whole` as a percentage with one decimal; “No data” where there is no whole."""
    if whole == 0:
        return NO_DATA
    return percent(float(part / whole), decimals=1)


def percent(value: float, *, decimals: Literal[0, 1] = 0) -> str:
    """A share between 0 and 1 as a percentage."""
    return _percentage(value, "#,##0.0 %" if decimals else "#,##0 %", _locale())


def unbroken(text: str) -> str:
    """Text that stays in one line, for a narrow cell of a table that scrolls."""
    return text.replace(" ", "\N{NO-BREAK SPACE}")


def points(value: float) -> str:
    """A difference of two shares (-1 to 1) with its sign, e.g. `+3.1 points`."""
    return f"{format_decimal(100 * value, '+#,##0.0;-#,##0.0', locale=_locale())} points"


@lru_cache(maxsize=4096)
def _percentage(value: float, pattern: str, locale: str) -> str:
    return str(format_percent(value, pattern, locale=locale))


def day(instant: int | None) -> str:
    """The local day of an instant, e.g. `Mar 3, 2026`."""
    if instant is None:
        return NOTHING
    return str(format_date(clock.local(instant, config.settings().zone), "medium", locale=_locale()))


def moment(instant: int | None, *, zone: ZoneInfo | None = None) -> str:
    """The local day and time of an instant, e.g. `Mar 3, 2026, 2:05 PM`; `zone_name` says where."""
    if instant is None:
        return NOTHING
    at = clock.local(instant, zone or config.settings().zone)
    both = str(Locale.parse(_locale()).datetime_formats["medium"])
    date = format_date(at, "medium", locale=_locale())
    return both.replace("{1}", date).replace("{0}", format_time(at, "short", locale=_locale()))


def time_of_day(instant: int, *, zone: ZoneInfo | None = None) -> str:
    """The local time of an instant, e.g. `2:05 PM`."""
    at = clock.local(instant, zone or config.settings().zone)
    return str(format_time(at, "short", locale=_locale()))


def zone_name() -> str:
    """The workspace's time zone by its name, e.g. `Europe/Berlin`; stands beside every list of times."""
    return config.settings().zone.key.replace("_", " ")


def relative(instant: int | None, *, now: int | None = None) -> str:
    """How far an instant is, e.g. `2 hours ago`, `in 3 days`."""
    if instant is None:
        return NOTHING
    distance = instant - (clock.now() if now is None else now)
    if abs(distance) < 60:
        return "just now" if distance <= 0 else "in a moment"
    return str(format_timedelta(timedelta(seconds=distance), add_direction=True, locale=_locale()))


def duration(seconds: int) -> str:
    """A length of time in its largest unit, e.g. `5 minutes`."""
    return str(format_timedelta(timedelta(seconds=seconds), threshold=1, locale=_locale()))


def days_left(until: int | None, *, now: int | None = None) -> str:
    """What a trial still has, rounded up: `3 days`, on its last day `5 hours`; `over` once it has ended."""
    if until is None:
        return NOTHING
    at = clock.now() if now is None else now
    if until <= at:
        return "over"
    hours = -((at - until) // 3600)
    return plural(clock.days_left(until, at), "day") if hours > 24 else plural(hours, "hour")


def plural(number: int, one: str, many: str = "") -> str:
    """A number with its noun: `1 invoice`, `2,300 invoices`."""
    return f"{count(number)} {one if number == 1 else many or one + 's'}"


def resource(name: str) -> str:
    """A table of Stripe's objects as people call it, e.g. `Invoice items`."""
    return name.replace("_", " ").capitalize()


def plain(text: str) -> str:
    """Customer text for a place that reads Markdown: every sign that means something there is escaped.

    An address in it would still become a link, so an invisible sign (U+2060) parts its first letters.
    """
    apart = _LINK_STARTS.sub("\\1\u2060", " ".join(text.split()))
    return "".join(f"\\{sign}" if sign in _MARKDOWN_SIGNS else sign for sign in apart)


_LINK_STARTS = re.compile(r"(htt|ww)(?=(ps?://|w\.))", re.IGNORECASE)
_MARKDOWN_SIGNS = frozenset("\\`*_{}[]()<>#+-.!|~:$&@^=")


def _locale() -> str:
    return config.settings().workspace_locale

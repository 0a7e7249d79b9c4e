"""What time is it where the customer is, and how sure are we?

`timezone` in the customer's metadata wins. Otherwise the country decides, and the state in countries
that span several zones; where its zones differ at that moment the answer is only probable.
Source: CLDR's zones of each territory (Babel), and the tz database.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Final
from zoneinfo import ZoneInfo, available_timezones

from babel.core import get_global

from models import Customer
from services import clock

METADATA_KEY: Final = "timezone"
_MAIN_ZONE: Final = {
    "AR": "America/Argentina/Buenos_Aires", "AU": "Australia/Sydney", "BR": "America/Sao_Paulo",
    "CA": "America/Toronto", "CD": "Africa/Kinshasa", "CL": "America/Santiago", "CN": "Asia/Shanghai",
    "CY": "Asia/Nicosia", "DE": "Europe/Berlin", "EC": "America/Guayaquil", "ES": "Europe/Madrid",
    "FM": "Pacific/Pohnpei", "GL": "America/Nuuk", "ID": "Asia/Jakarta", "KI": "Pacific/Tarawa",
    "KZ": "Asia/Almaty", "MH": "Pacific/Majuro", "MN": "Asia/Ulaanbaatar", "MX": "America/Mexico_City",
    "MY": "Asia/Kuala_Lumpur", "NZ": "Pacific/Auckland", "PF": "Pacific/Tahiti",
    "PG": "Pacific/Port_Moresby", "PS": "Asia/Gaza", "PT": "Europe/Lisbon", "RU": "Europe/Moscow",
    "UA": "Europe/Kyiv", "US": "America/New_York", "UZ": "Asia/Tashkent",
}  # fmt: skip
_STATES: Final = {
    "US": {
        "America/New_York": "CT DE DC FL GA IN KY MA MD ME MI NC NH NJ NY OH PA RI SC VA VT WV",
        "America/Chicago": "AL AR IA IL KS LA MN MO MS ND NE OK SD TN TX WI",
        "America/Denver": "CO ID MT NM UT WY",
        "America/Phoenix": "AZ",
        "America/Los_Angeles": "CA NV OR WA",
        "America/Anchorage": "AK",
        "Pacific/Honolulu": "HI",
    },
    "CA": {
        "America/Toronto": "ON QC",
        "America/Vancouver": "BC",
        "America/Edmonton": "AB NT",
        "America/Regina": "SK",
        "America/Winnipeg": "MB",
        "America/Halifax": "NS NB PE",
        "America/St_Johns": "NL",
        "America/Whitehorse": "YT",
    },
    "AU": {
        "Australia/Sydney": "NSW ACT",
        "Australia/Melbourne": "VIC",
        "Australia/Brisbane": "QLD",
        "Australia/Adelaide": "SA",
        "Australia/Perth": "WA",
        "Australia/Darwin": "NT",
        "Australia/Hobart": "TAS",
    },
}
_SPLIT_STATES: Final = frozenset("FL IN KY MI KS ND NE SD TN TX ID OR AK BC NL".split())


@dataclass(frozen=True, slots=True)
class LocalTime:
    """The customer's zone; `certain` is false where the country or state has several zones that differ."""

    zone: ZoneInfo
    certain: bool


def local_time(customer: Customer, *, at: int) -> LocalTime | None:
    """The zone that the customer's clock follows at an instant; None where nothing tells."""
    told = customer.metadata_.get(METADATA_KEY)
    if isinstance(told, str) and told in _known_zones():
        return LocalTime(ZoneInfo(told), True)
    return _of_place((customer.country or "").upper(), (customer.address_state or "").strip(), at)


def _of_place(country: str, state: str, at: int) -> LocalTime | None:
    zones = [name for name in get_global("territory_zones").get(country, ()) if name in _known_zones()]
    if not zones:
        return None
    if zone := _of_state(country, state.upper()):
        return LocalTime(ZoneInfo(zone), state.upper() not in _SPLIT_STATES)
    offsets = {clock.local(at, ZoneInfo(name)).utcoffset() for name in zones}
    return LocalTime(ZoneInfo(_MAIN_ZONE.get(country, zones[0])), len(offsets) == 1)


@cache
def _known_zones() -> frozenset[str]:
    return frozenset(available_timezones())


def _of_state(country: str, state: str) -> str:
    for zone, states in _STATES.get(country, {}).items():
        if state in states.split():
            return zone
    return ""

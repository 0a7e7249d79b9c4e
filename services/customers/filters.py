"""Which customers does somebody want to see? One value that an address, a saved filter and SQL share.

What stands in the address is what people read on the widgets ("past due", "Germany (DE)"), so a link
says what it shows.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date
from typing import Any, Final

from babel import Locale

from services.errors import InvalidInput

NOBODY: Final = "nobody"
DELETED: Final = "deleted"
STATUSES: Final[dict[str, str]] = {
    "trialing": "trialing",
    "active": "active",
    "past due": "past_due",
    "unpaid": "unpaid",
    "paused": "paused",
    "incomplete": "incomplete",
    "incomplete expired": "incomplete_expired",
    "canceled": "canceled",
    "no subscription": "none",
    DELETED: DELETED,
}
ONLY: Final = ("paying", "failed payment", "open dispute", "set to cancel")
SORTS: Final = ("Newest", "Oldest", "Name", "MRR", "Trial end", "Money at stake", "Last contact")
LONGEST_TRIAL_DAYS: Final = 730
Params = dict[str, list[str]]


@dataclass(frozen=True, slots=True)
class CustomerFilter:
    """Conditions that are all met at once; within one condition any of its values will do (tags: all).

    `only` narrows by money: paying (MRR above zero), failed payment, open dispute, set to cancel.
    `trial_days`: running trials that end within so many days. `created_from` and `created_to` are days
    of the workspace's zone, both included. `meta` is `key=value`, or `key` for any value;
    `currency` a code like USD: of the customer's subscription, with `only` of the money it narrows by.
    """

    q: str = ""
    status: tuple[str, ...] = ()
    plan: tuple[str, ...] = ()
    only: tuple[str, ...] = ()
    trial_days: int | None = None
    country: tuple[str, ...] = ()
    currency: tuple[str, ...] = ()
    owner: tuple[str, ...] = ()
    tag: tuple[str, ...] = ()
    meta: str = ""
    created_from: date | None = None
    created_to: date | None = None
    sort: str = SORTS[0]

    def __post_init__(self) -> None:
        _one_of("status", self.status, tuple(STATUSES))
        _one_of("only", self.only, ONLY)
        _one_of("sort", (self.sort,), SORTS)
        if self.trial_days is not None and not 0 <= self.trial_days <= LONGEST_TRIAL_DAYS:
            raise InvalidInput(
                f"A trial ends within 0 to {LONGEST_TRIAL_DAYS} days.",
                field="trial_days",
                remedy="Change it.",
            )
        if self.created_from and self.created_to and self.created_from > self.created_to:
            raise InvalidInput(
                "“Created from” is later than “created to”.",
                field="created_from",
                remedy="Swap the two days.",
            )

    @classmethod
    def from_params(cls, params: Mapping[str, Sequence[str] | str]) -> CustomerFilter:
        """Reads address parameters; ones of other names are left alone. Raises InvalidInput."""
        given = {name: [value] if isinstance(value, str) else list(value) for name, value in params.items()}
        known = {field.name for field in fields(cls)}
        return cls(
            **{name: _read(name, values) for name, values in given.items() if name in known and values}
        )

    def to_params(self) -> Params:
        """The same as address parameters; what is at its default is left out."""
        return {
            field.name: _written(value)
            for field in fields(self)
            if (value := getattr(self, field.name)) != field.default
        }


def _read(name: str, values: list[str]) -> Any:
    if name in ("status", "plan", "only", "country", "currency", "owner", "tag"):
        return tuple(value for value in values if value)
    last = values[-1]
    try:
        if name == "trial_days":
            return int(last) if last else None
        if name in ("created_from", "created_to"):
            return date.fromisoformat(last.replace("/", "-")) if last else None
    except ValueError:
        shape = "a whole number of days" if name == "trial_days" else "a day like 2026-01-31"
        raise InvalidInput(
            f"“{last[:40]}” is not {shape}.", field=name, remedy="Correct the filter."
        ) from None
    return last or SORTS[0] if name == "sort" else last


def _written(value: Any) -> list[str]:
    return [str(part) for part in value] if isinstance(value, tuple) else [str(value)]


def _one_of(name: str, values: Sequence[str], known: Sequence[str]) -> None:
    for value in values:
        if value not in known:
            raise InvalidInput(
                f"“{value[:40]}” is not a {name} to filter by.", field=name, remedy=f"Use {', '.join(known)}."
            )


def country_label(code: str, locale: str) -> str:
    """How a country stands in the filter and in the address, e.g. `Germany (DE)`."""
    name = Locale.parse(locale).territories.get(code.upper())
    return f"{name} ({code.upper()})" if name else code.upper()


def country_code(label: str) -> str:
    """The two letters of a label made by `country_label`, or of a bare code."""
    found = re.search(r"\(([A-Za-z]{2})\)$", label)
    return (found[1] if found else label).upper()


def is_country(label: str) -> bool:
    """Whether a label or a bare code names a country that there is."""
    return country_code(label) in Locale("en").territories


def metadata_condition(meta: str) -> tuple[str, str | None]:
    """`key=value` as its parts; the value is None for a bare key (any value). Raises InvalidInput."""
    key, equals, value = (part.strip() for part in meta.partition("="))
    if not key or len(key) > 40 or re.search(r'[\[\]"]', key):
        raise InvalidInput(
            f"“{meta[:60]}” is not a metadata filter.",
            field="meta",
            remedy="Type key=value, or only the key (up to 40 characters, no brackets or quotes).",
        )
    return key, value if equals else None

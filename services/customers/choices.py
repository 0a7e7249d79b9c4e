"""What can one choose from in the filters: plans, countries, currencies, owners, tags?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlmodel import Session, col, select

from models import CustomerFacts, Price
from services.customers.filters import NOBODY, country_label
from services.customers.notes import all_tags
from services.staff import people


@dataclass(frozen=True, slots=True)
class Choices:
    """The values as they stand in the filters and in the address, sorted."""

    plans: tuple[str, ...]
    countries: tuple[str, ...]
    currencies: tuple[str, ...]
    owners: tuple[str, ...]
    tags: tuple[str, ...]


def read(session: Session, *, locale: str) -> Choices:
    """All values in use; owners are everybody who works here, and nobody."""
    countries = (country_label(code, locale) for code in _in_use(session, CustomerFacts.country))
    return Choices(
        plans=tuple(_in_use(session, CustomerFacts.plan)),
        countries=tuple(sorted(countries)),
        currencies=tuple(code.upper() for code in _in_use(session, Price.currency)),
        owners=(NOBODY, *dict.fromkeys(person.name for person in people.active(session))),
        tags=tuple(all_tags(session)),
    )


def _in_use(session: Session, column: Any) -> list[str]:
    return [value for value in session.exec(select(col(column)).distinct().order_by(col(column))) if value]

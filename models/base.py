"""What all tables share: one registry, and the column kinds that have a meaning of their own.

Instants are whole seconds since 1970 UTC. Amounts are integers in minor units of the row's currency.
`micros` are integer millionths of a minor unit.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, BigInteger, Index, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel

Json = JSON().with_variant(JSONB(), "postgresql")
CLUSTERED: dict[str, Any] = {"sqlite_with_rowid": False}  # SQLite keeps the rows in the order of their key
_REQUIRED: Any = ...


class Base(SQLModel, registry=registry()):
    """Root of every table; a registry of its own lets Streamlit reload pages in development."""


def big(default: Any = None, **kwargs: Any) -> Any:
    """A 64-bit integer column: an instant (UTC seconds), an amount (minor units), micros, or a number of
    Stripe's that nothing keeps small, such as a quantity."""
    return Field(default=default, sa_type=BigInteger, **kwargs)


def instant_key(**kwargs: Any) -> Any:
    """A required 64-bit integer column that lists sort or cut by."""
    return Field(default=_REQUIRED, sa_type=BigInteger, index=True, **kwargs)


def long_text(default: Any = None) -> Any:
    """A text column without a length."""
    return Field(default=default, sa_type=Text)


def json_column(default_factory: Any = dict, *, name: str | None = None) -> Any:
    """A JSON column (JSONB on PostgreSQL); `name` where the attribute cannot carry the column's name."""
    extra = {"name": name} if name else {}
    return Field(default_factory=default_factory, sa_type=Json, sa_column_kwargs={"nullable": False, **extra})


def partial_index(name: str, of: str, *columns: str) -> Index:
    """An index of the few rows for which the SQL condition `of` holds. Both databases use it only where a
    query says the condition in the same literal words."""
    return Index(name, *columns, sqlite_where=text(of), postgresql_where=text(of))


def metadata_column() -> Any:
    """Stripe's `metadata`; the attribute is `metadata_` because SQLAlchemy keeps the plain name."""
    return json_column(name="metadata")


class Mirrored(Base):
    """A row that mirrors an object of Stripe.

    `as_of` is the instant, on Stripe's clock, at which the row was true: writers replace a row only
    with something newer. `deleted` is a tombstone: the row stays for history, and takes no actions.
    """

    id: str = Field(primary_key=True)
    as_of: int = big(0, nullable=False)
    created: int = instant_key()
    deleted: bool = False

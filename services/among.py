"""Is a column's value one of many, in SQL that is made once?

`in_` has a parameter for each value: SQLAlchemy and PostgreSQL's driver read such a statement anew for each
list, which of a thousand values takes as long as reading a thousand rows. Here the list is one parameter.
"""

from __future__ import annotations

import json
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler


class _Listed(sa.types.TypeDecorator[list[str]]):
    """A list of texts: an array, where there are any, else JSON."""

    impl = sa.Text
    cache_ok = True

    def load_dialect_impl(self, dialect: sa.Dialect) -> sa.types.TypeEngine[Any]:
        """How the database is told."""
        has_arrays = dialect.name == "postgresql"
        return dialect.type_descriptor(postgresql.ARRAY(sa.Text) if has_arrays else sa.Text())

    def process_bind_param(self, value: list[str] | None, dialect: sa.Dialect) -> Any:
        """What it is told."""
        return value if dialect.name == "postgresql" else json.dumps(value)


class among(sa.sql.functions.FunctionElement[bool]):  # noqa: N801 reads as SQL
    """SQL: whether a column of texts is one of those that are given as a list under a parameter's name."""

    inherit_cache = True

    def __init__(self, column: Any, parameter: str) -> None:
        super().__init__(column, sa.bindparam(parameter, type_=_Listed()))

    def self_group(self, against: Any = None) -> among:  # noqa: ARG002 of SQLAlchemy
        """As it is: any other boolean would be compared with 1, which hides it from SQLite's indexes."""
        return self


@compiles(among)
def _write(element: among, compiler: SQLCompiler, **more: Any) -> str:
    column, given = (compiler.process(one, **more) for one in element.clauses)
    if compiler.dialect.name == "postgresql":
        return f"{column} = ANY ({given})"
    return f"{column} IN (SELECT value FROM json_each({given}))"  # noqa: S608 of SQL's own parts

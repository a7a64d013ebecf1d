"""Statements that SQLite and PostgreSQL understand alike."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final, TypeAlias

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

Row: TypeAlias = Mapping[str, Any]

Found: TypeAlias = sa.RowMapping
"""A row as it comes back."""

MOST_NAMED: Final = 500
"""Values in one list of a statement."""


def put(connection: sa.Connection, table: sa.Table, rows: Sequence[Row], *, keep: Collection[str] = ()) -> None:
    """Insert rows, or replace those of the same primary key but for the columns to keep."""
    if not rows:
        return
    insert = _insert(connection, table)
    keys = [column.name for column in table.primary_key]
    replaced = {
        column.name: insert.excluded[column.name]
        for column in table.columns
        if column.name not in keys and column.name not in keep
    }
    connection.execute(insert.on_conflict_do_update(index_elements=keys, set_=replaced), rows)


def _insert(connection: sa.Connection, table: sa.Table) -> sqlite.Insert | postgresql.Insert:
    return sqlite.insert(table) if connection.dialect.name == "sqlite" else postgresql.insert(table)

"""Column types that mean the same in SQLite and PostgreSQL."""

from __future__ import annotations

from decimal import Decimal
from enum import Enum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.types import TypeEngine

_DIGITS = 60


class Whole(sa.types.TypeDecorator[int]):
    """A whole number of up to 60 digits: NUMERIC in PostgreSQL, text in SQLite, whose numbers end at 64 bits."""

    impl = sa.String(_DIGITS + 1)
    cache_ok = True

    def load_dialect_impl(self, dialect: sa.Dialect) -> TypeEngine[Any]:
        """NUMERIC where it is exact."""
        wanted: TypeEngine[Any] = sa.Numeric(_DIGITS, 0) if dialect.name == "postgresql" else sa.String(_DIGITS + 1)
        return dialect.type_descriptor(wanted)

    def process_bind_param(self, value: int | None, dialect: sa.Dialect) -> Decimal | str | None:
        """To the database."""
        if value is None:
            return None
        return Decimal(value) if dialect.name == "postgresql" else str(value)

    def process_result_value(self, value: Any | None, dialect: sa.Dialect) -> int | None:
        """From the database."""
        return None if value is None else int(value)


class Words(sa.types.TypeDecorator[str]):
    """Text of any length. PostgreSQL's cannot hold the character of code 0, which becomes the replacement character."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: sa.Dialect) -> str | None:
        """To the database."""
        return None if value is None else value.replace("\0", "\ufffd")


def one_of(kind: type[Enum], name: str) -> sa.Enum:
    """Names of an enumeration as text, with a constraint that knows them."""
    return sa.Enum(kind, name=name, native_enum=False, create_constraint=True, length=24)

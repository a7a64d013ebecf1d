"""The base of all settings models and the constrained numbers that they share."""

from __future__ import annotations

from decimal import Context, Decimal
from typing import Annotated, Any, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, Strict

LONGEST_DURATION_NS: Final = 2**56 - 1
"""Durations of the fast loop fit 56 bits."""


EXACT: Final = Context(prec=160)
"""Arithmetic that loses no digit: products of a few numbers of at most 24 digits."""


class Section(BaseModel):
    """A table of settings: immutable, and an unknown key is a mistake."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


def _number(value: object) -> object:
    """Refuse what Python would silently read as a number: text and truth values."""
    if isinstance(value, bool | str):
        raise ValueError("must be a number without quotes")
    return value


Flag = Annotated[bool, Strict()]
Count = Annotated[int, Strict()]
Exact = Annotated[Decimal, BeforeValidator(_number), Field(max_digits=24)]
"""A decimal number kept exactly as it is written, of at most 24 digits."""

Exponent = Annotated[int, Strict(), Field(ge=-18, le=0)]
Microseconds = Annotated[int, Strict(), Field(ge=0, le=LONGEST_DURATION_NS // 10**3)]
Milliseconds = Annotated[int, Strict(), Field(ge=0, le=LONGEST_DURATION_NS // 10**6)]


def unit(text: str) -> dict[str, Any]:
    """Schema annotation of a unit that the name of a setting does not already carry."""
    return {"unit": text}

"""Numbers as the exchange writes them, from counts."""

from __future__ import annotations

from typing import Final

from sim.exchange.venue.model import UNIT, UNITS

MILLISECOND_NS: Final = 10**6
MICROSECOND_NS: Final = 10**3
PARTS_PER_BILLION: Final = 10**9


def eight(units: int) -> str:
    """Money units (1e-8) with all eight digits after the point."""
    whole, fraction = divmod(abs(units), UNIT)
    return f"{'-' if units < 0 else ''}{whole}.{fraction:08d}"


def decimals_of(step_units: int) -> int:
    """Digits after the point that multiples of a step need."""
    text = UNITS.text(step_units)
    return len(text) - text.index(".") - 1 if "." in text else 0


def fixed(units: int, decimals: int) -> str:
    """Money units with so many digits after the point; the rest must be zeros, and is cut off."""
    text = eight(units)
    return text[: len(text) - 8 + decimals] if decimals else text[:-9]


def quotient(numerator: int, denominator: int, decimals: int) -> str:
    """A fraction, rounded half up in magnitude; "0" and its decimals for a denominator of 0."""
    scaled = abs(numerator) * 10**decimals * 2 // (abs(denominator) or 1) if denominator else 0
    whole, fraction = divmod((scaled + 1) // 2, 10**decimals)
    sign = "-" if numerator * denominator < 0 and (whole or fraction) else ""
    return f"{sign}{whole}.{fraction:0{decimals}d}" if decimals else f"{sign}{whole}"


def rate(parts_per_billion: int) -> str:
    """A rate with eight digits after the point."""
    return quotient(parts_per_billion, PARTS_PER_BILLION, 8)


def ms(time_ns: int) -> int:
    """Milliseconds since the epoch."""
    return time_ns // MILLISECOND_NS


def us(time_ns: int) -> int:
    """Microseconds since the epoch."""
    return time_ns // MICROSECOND_NS

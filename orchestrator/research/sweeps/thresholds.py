"""Numbers of a grid as they are written on a command line."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

import click

MOST_VALUES = 10_000
"""Of one range."""


def numbers(option: str, texts: tuple[str, ...]) -> tuple[float, ...]:
    """The numbers of ``VALUE`` and ``FIRST:LAST:STEP`` texts, each once, in order; steps are exact in decimal.

    Raises UsageError naming the option and what is wrong.
    """
    found: dict[float, None] = {}
    for text in texts:
        for number in _range(option, text):
            found[float(number)] = None
    return tuple(found)


def whole_numbers(option: str, texts: tuple[str, ...]) -> tuple[int, ...]:
    """As ``numbers``, of whole ones."""
    found = numbers(option, texts)
    for number in found:
        if not number.is_integer():
            raise click.UsageError(f"{option} has {number:g}: must be whole numbers")
    return tuple(int(number) for number in found)


def _range(option: str, text: str) -> list[Decimal]:
    expected = f"{option} was {text!r}: must be a number, or FIRST:LAST:STEP"
    try:
        parts = [Decimal(part) for part in text.split(":")]
    except InvalidOperation:
        raise click.UsageError(expected) from None
    if len(parts) not in (1, 3) or not all(part.is_finite() for part in parts):
        raise click.UsageError(expected)
    if len(parts) == 1:
        return parts
    first, last, step = parts
    if step == 0 or (last - first) * step < 0:
        raise click.UsageError(f"{expected}, where STEP leads from FIRST to LAST")
    count = int((last - first) / step) + 1
    if count > MOST_VALUES:
        raise click.UsageError(f"{option} {text} has {count} values: at most {MOST_VALUES}")
    return [first + step * number for number in range(count)]

"""Exact decimal numbers as int64 counts of a power of ten.

Decimal text is what venues and settings write; counts are what everything inside works with. The way between
them is exact or refused, never rounded.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from market.errors import Fatal, Rejected

COUNT_LEAST: Final = -(1 << 63)
COUNT_MOST: Final = (1 << 63) - 1
LARGEST_EXPONENT: Final = 18
LONGEST_TEXT: Final = 80
"""Characters of a number; more are refused unread."""
_DIGITS: Final = 20
"""More digits than any count has."""
_INTEGER_BITS: Final = 128
_NUMBER: Final = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?")


@dataclass(frozen=True, slots=True)
class Scale:
    """A number is ``count * 10**exponent``.

    Parameters
    ----------
    exponent: -18 to 18; Fatal outside.
    """

    exponent: int

    def __post_init__(self) -> None:
        if not -LARGEST_EXPONENT <= self.exponent <= LARGEST_EXPONENT:
            raise Fatal(f"a scale's exponent was {self.exponent}; expected {-LARGEST_EXPONENT} to {LARGEST_EXPONENT}")

    def count(self, value: Decimal | str | int) -> int:
        """The count of a number, exactly.

        Takes plain or scientific notation. Raises Rejected, naming value and scale, for what is not a finite
        decimal number (floats too), has digits below the scale, or lies outside int64.
        """
        sign, mantissa, exponent = self._parts(value)
        shift = exponent - self.exponent
        if mantissa and shift > _DIGITS:
            raise self._refused(value, "beyond int64")
        if shift >= 0:
            count = mantissa * 10**shift if mantissa else 0
        else:
            count, rest = divmod(mantissa, 10 ** min(-shift, LONGEST_TEXT * 2))
            if rest:
                raise self._refused(value, "more digits than the scale holds")
        return self.checked(-count if sign else count)

    def checked(self, count: int) -> int:
        """The count itself; raises Rejected if int64 does not hold it."""
        if not COUNT_LEAST <= count <= COUNT_MOST:
            raise self._refused(count, "a count beyond int64")
        return count

    def decimal(self, count: int) -> Decimal:
        """The number that a count stands for, with as many digits after the point as the scale has."""
        digits = tuple(int(digit) for digit in str(abs(count)))
        return Decimal((int(count < 0), digits, self.exponent))

    def text(self, count: int) -> str:
        """The number in plain notation, never with an exponent, trailing zeros after the point left out."""
        text = f"{self.decimal(count):f}"
        return text.rstrip("0").rstrip(".") if "." in text else text

    def rescaled(self, count: int, to: Scale) -> int:
        """The same number as a count of another scale; raises Rejected as ``count`` does."""
        return to.count(self.decimal(count))

    def _parts(self, value: Decimal | str | int) -> tuple[int, int, int]:
        """Sign, mantissa and exponent."""
        if isinstance(value, bool | float):
            raise self._refused(value, f"{type(value).__name__} is no exact number")
        if isinstance(value, int):
            if value.bit_length() > _INTEGER_BITS:
                raise self._refused(f"an integer of {value.bit_length()} bits", "beyond int64")
            return int(value < 0), abs(value), 0
        if isinstance(value, str):
            if len(value) > LONGEST_TEXT or not _NUMBER.fullmatch(value):
                raise self._refused(value[:LONGEST_TEXT], "no decimal number")
            value = Decimal(value)
        if not value.is_finite():
            raise self._refused(value, "not finite")
        sign, digits, exponent = value.as_tuple()
        if len(digits) > LONGEST_TEXT:
            raise self._refused(value, f"more than {LONGEST_TEXT} digits")
        mantissa = int("".join(map(str, digits)))
        return sign, mantissa, int(exponent)

    def _refused(self, value: object, why: str) -> Rejected:
        return Rejected(f"{value!r} was {why}; expected a number of at most int64 counts of 1e{self.exponent}")


def floor_to(count: int, step: int) -> int:
    """The largest multiple of a tick or lot that is not above a count; the step is at least 1."""
    return count - count % step


def ceil_to(count: int, step: int) -> int:
    """The smallest multiple of a tick or lot that is not below a count; the step is at least 1."""
    return count + -count % step

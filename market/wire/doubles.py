"""Doubles on the wire as counts of ticks and lots, exactly: floor(value x 10^decimals + 1/2).

A finite double is ``m x 2^e`` with a whole m below 2^53, so ``value x 10^d = m x 5^d x 2^(e + d)``. The product
``m x 5^d`` has at most 81 bits for d up to 12 and is kept in two words; no floating-point operation takes part.
"""

from __future__ import annotations

from typing import Final

from market.native.kernel import inline, part
from market.wire.records import Reject

MAXIMUM_DECIMALS: Final = 12
NULL: Final = -1
"""Bits of an absent double in Deribit's multicast: all ones."""

_OK: Final = int(Reject.NONE)
_BAD_NUMBER: Final = int(Reject.BAD_NUMBER)
_NEGATIVE: Final = int(Reject.NEGATIVE)
_OVERFLOW: Final = int(Reject.OVERFLOW)

_FRACTION_BITS: Final = 52
_FRACTION: Final = (1 << _FRACTION_BITS) - 1
_EXPONENT: Final = 0x7FF
_BIAS: Final = 1075
"""The exponent field of a double minus this is the power of two of its whole mantissa."""
_HALF: Final = 27
_LOW: Final = (1 << _HALF) - 1
_LARGEST: Final = 10**18 - 1


@inline
def _power_of_five(decimals: int) -> int:
    power = 1
    for _ in range(decimals):
        power *= 5
    return power


@inline
def _shifted_right(high: int, low: int, count: int) -> int:
    """``floor((high x 2^27 + low) / 2^count)`` for count >= 0, -1 if that does not fit 62 bits."""
    if count >= _HALF:
        return high >> min(count - _HALF, 63)
    room = 62 - (_HALF - count)
    if high >> room != 0:
        return -1
    return (high << (_HALF - count)) + (low >> count)


@part
def count_of_double(bits: int, decimals: int) -> tuple[int, int]:
    """The number of ``10^-decimals`` that a double's bits say, half up, and a ``Reject`` code.

    ``decimals`` is 0 to MAXIMUM_DECIMALS. An absent double (NULL) is 0. Negative numbers are NEGATIVE, other NaN and
    infinities BAD_NUMBER, counts above 18 digits OVERFLOW.
    """
    if bits == NULL:
        return 0, _OK
    field = (bits >> _FRACTION_BITS) & _EXPONENT
    if field == _EXPONENT:
        return 0, _BAD_NUMBER
    mantissa = (bits & _FRACTION) + (1 << _FRACTION_BITS) if field else bits & _FRACTION
    if mantissa == 0:
        return 0, _OK
    if bits < 0:
        return 0, _NEGATIVE
    power = _power_of_five(decimals)
    products = (mantissa & _LOW) * power
    high, low = (mantissa >> _HALF) * power + (products >> _HALF), products & _LOW
    shift = _BIAS - max(field, 1) - decimals
    if shift > 0:
        doubled = _shifted_right(high, low, shift - 1)
        count = (doubled + 1) >> 1 if doubled >= 0 else -1
    else:
        whole = _shifted_right(high, low, 0)
        count = whole << -shift if whole >= 0 and -shift < 62 and whole >> (62 + shift) == 0 else -1
    if count < 0 or count > _LARGEST:
        return 0, _OVERFLOW
    return count, _OK

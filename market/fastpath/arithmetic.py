"""The integer formulas of the specification that need care: cost, imbalance, microprice, notional.

All results are exact in int64 for prices and quantities below 2^48 and fees below 2^16.
"""

from __future__ import annotations

from typing import Final

from market.fastpath.specification import BASIS_FRACTION_BITS, FEE_FRACTION_BITS, IMBALANCE_FRACTION_BITS, IMBALANCE_ONE
from market.native.kernel import inline, part

_FEE_MASK: Final = (1 << FEE_FRACTION_BITS) - 1
_MICROPRICE_BITS: Final = IMBALANCE_FRACTION_BITS + 1
_MICROPRICE_MASK: Final = (1 << _MICROPRICE_BITS) - 1
_HALF: Final = 24
_HALF_MASK: Final = (1 << _HALF) - 1


@inline
def cost(price: int, fees: int) -> int:
    """``ceil(price * fees / 2^20)``; |fees| < 2^17. The product is split, as it may need 65 bits."""
    return -((price >> FEE_FRACTION_BITS) * -fees + ((price & _FEE_MASK) * -fees >> FEE_FRACTION_BITS))


@inline
def imbalance_of(bid_quantity: int, ask_quantity: int) -> int:
    """``(bid - ask) * 2^15 / (bid + ask)`` truncated, for quantities of at least 1; |result| < 2^15."""
    difference = bid_quantity - ask_quantity
    if difference >= 0:
        return (difference << IMBALANCE_FRACTION_BITS) // (bid_quantity + ask_quantity)
    return -((-difference << IMBALANCE_FRACTION_BITS) // (bid_quantity + ask_quantity))


@inline
def microprice_of(bid: int, ask: int, imbalance: int) -> int:
    """``bid + (((ask - bid) * (2^15 + imbalance)) >> 16)``; the product is split, as it may need 64 bits."""
    spread = ask - bid
    weight = IMBALANCE_ONE + imbalance
    low = (spread & _MICROPRICE_MASK) * weight >> _MICROPRICE_BITS
    return bid + (spread >> _MICROPRICE_BITS) * weight + low


@inline
def deviation_of(doubled_mid: int, other_doubled_mid: int, basis: int, first: bool) -> int:
    """How rich a venue is against another one, beyond their basis B, in units of the doubled mid.

    ``basis`` is B of the pair (a, b); ``first`` says that the venue is a. B is rounded before the
    sign is turned, as both venues of a pair must see one deviation.
    """
    usual = basis >> BASIS_FRACTION_BITS
    return doubled_mid - other_doubled_mid - usual if first else doubled_mid - other_doubled_mid + usual


@inline
def less_unsigned(left: int, right: int) -> bool:
    """Whether ``left < right`` as unsigned 64-bit numbers."""
    return right < 0 if left ^ right < 0 else left < right


@part
def product_exceeds(left: int, right: int, limit_high: int, limit_low: int) -> bool:
    """Whether the product of two numbers in 0..2^48 - 1 exceeds ``limit_high * 2^64 + limit_low``.

    ``limit_low`` is unsigned 64-bit, ``limit_high`` at least 0. The product is built from halves of
    24 bits, none of which overflows.
    """
    low = (left & _HALF_MASK) * (right & _HALF_MASK)
    middle = (left >> _HALF) * (right & _HALF_MASK) + (left & _HALF_MASK) * (right >> _HALF) + (low >> _HALF)
    high = (left >> _HALF) * (right >> _HALF) + (middle >> _HALF)
    product_high = high >> 64 - 2 * _HALF
    product_low = high << 2 * _HALF | (middle & _HALF_MASK) << _HALF | low & _HALF_MASK
    if product_high != limit_high:
        return product_high > limit_high
    return less_unsigned(limit_low, product_low)

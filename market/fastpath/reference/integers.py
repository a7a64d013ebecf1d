"""Integer arithmetic of the fast loop on unbounded integers, with the 64-bit claim checked."""

from __future__ import annotations

from market.errors import Fatal

FEE_BITS = 20
IMBALANCE_BITS = 15


class BoundViolated(Fatal):
    """A value that the specification says fits a signed 64-bit integer does not."""


def int64(value: int) -> int:
    """``value`` itself; raises ``BoundViolated`` outside -2^63..2^63 - 1."""
    if not -(1 << 63) <= value < 1 << 63:
        raise BoundViolated(f"{value} needs {value.bit_length() + 1} bits; the specification claims that 64 are enough")
    return value


def wrapped(counter: int) -> int:
    """A counter after it has wrapped at 2^64."""
    return counter % (1 << 64)


def truncated_quotient(dividend: int, divisor: int) -> int:
    """Division towards zero."""
    magnitude = abs(dividend) // abs(divisor)
    return magnitude if (dividend < 0) == (divisor < 0) else -magnitude


def shifted_product(x: int, f: int, s: int) -> int:
    """``(x * f) >> s`` by the split that fits 64 bits at every point; raises ``BoundViolated`` if it does not."""
    high = int64((x >> s) * f)
    low = int64((x & ((1 << s) - 1)) * f)
    split = int64(high + (low >> s))
    if split != (x * f) >> s:
        raise BoundViolated(f"the split of ({x} * {f}) >> {s} gave {split}; exact is {(x * f) >> s}")
    return split


def cost(price: int, fees: int) -> int:
    """Fees on a price, rounded up: ``-((-(price * fees)) >> 20)``; ``fees`` is the sum of both legs' in 2^-20."""
    exact = -((-(price * fees)) >> FEE_BITS)
    if -shifted_product(price, -fees, FEE_BITS) != exact:
        raise BoundViolated(f"the split cost of price {price} and fees {fees} is not {exact}")
    return exact


def imbalance(bid_quantity: int, ask_quantity: int) -> int:
    """Q15 imbalance of two quantities of at least 1, truncated towards zero."""
    return truncated_quotient(int64((bid_quantity - ask_quantity) << IMBALANCE_BITS), bid_quantity + ask_quantity)


def microprice(bid: int, ask: int, imbalance_q15: int) -> int:
    """``bid + (((ask - bid) * (32768 + imbalance)) >> 16)``."""
    return int64(bid + shifted_product(ask - bid, (1 << IMBALANCE_BITS) + imbalance_q15, IMBALANCE_BITS + 1))

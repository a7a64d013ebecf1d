"""CRC-32 of Ethernet as logic: a remainder, and how bytes change it.

Ref: IEEE Std 802.3-2018 3.2.9. Bits are reflected as on the wire: bit 0 of a byte comes first, and the
remainder's complement is the check sequence with its least significant byte first.
"""

from __future__ import annotations

from typing import Any, Final

from amaranth.hdl import Cat, Const, Value

REMAINDER_BITS: Final = 32
INITIAL_REMAINDER: Final = 0xFFFF_FFFF
"""Remainder before the first byte."""
_POLYNOMIAL: Final = 0xEDB8_8320


def advanced(remainder: int, zero_bytes: int) -> int:
    """The remainder after a number of zero bytes."""
    for _ in range(8 * zero_bytes):
        remainder = remainder >> 1 ^ (_POLYNOMIAL if remainder & 1 else 0)
    return remainder


GOOD_REMAINDER: Final = advanced(INITIAL_REMAINDER, 4)
"""Remainder after the bytes of any frame and its right check sequence; after fewer than four bytes it never comes."""


def good_remainder(missing_bytes: int) -> int:
    """``GOOD_REMAINDER`` when a last beat was filled up with zero bytes."""
    return advanced(GOOD_REMAINDER, missing_bytes)


def next_remainder(remainder: Value, octets: Value) -> Any:
    """The remainder (32 bits) after some bytes, the first one in the lowest bits.

    Raises ``ValueError`` for a number of bits that is not one to eight whole bytes. Depth in two-input gates is about
    the logarithm of half the bits of both; each output bit is one parity of at most 64 bits.
    """
    bits = len(octets)
    if bits % 8 or not 8 <= bits <= 64:
        raise ValueError(f"{bits} bits of data; expected 8 to 64, a multiple of 8")
    # the remainder's low bits meet the data's; a longer remainder only moves down
    met = min(bits, REMAINDER_BITS)
    inputs = Cat(remainder[:met] ^ octets[:met], octets[met:])
    columns = [_shifted_in(bit, bits) for bit in range(bits)]
    outputs = []
    for bit in range(REMAINDER_BITS):
        mask = sum(1 << column for column, image in enumerate(columns) if image >> bit & 1)
        parity = (inputs & Const(mask, bits)).xor()
        outputs.append(parity ^ remainder[bit + bits] if bit + bits < REMAINDER_BITS else parity)
    return Cat(*outputs)


def _shifted_in(bit: int, bits: int) -> int:
    """What one set bit of the data, of so many bits, does to the remainder."""
    remainder = 0
    for at in range(bits):
        low = remainder & 1 ^ (at == bit)
        remainder = remainder >> 1 ^ (_POLYNOMIAL if low else 0)
    return remainder

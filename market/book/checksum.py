"""Checksums that venues state over their best levels, recomputed from a book.

OKX (deprecated; 0 in production since 2026-06-23): CRC-32 of the best 25 levels of each side, bid and ask in turn, as
``price:quantity`` joined by ``:``, a missing level left out; numbers as decimals without trailing zeros. Source: OKX
API v5 guide, "Checksum" of the order book channel.

Kraken v1 and v2: CRC-32 of the best 10 asks and then the best 10 bids, price and quantity with the digits that the
venue writes, without point and leading zeros. Source: Kraken API center, "Book checksum (v1)" and "(v2)".
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from market.book.book import (
    CHECKSUM_STYLE,
    CHECKSUMS,
    CONTRACT_FACTOR,
    MISMATCHES,
    PRICE_DECIMALS,
    QUANTITY_DECIMALS,
    SHAPE,
    ask_side,
    bid_side,
    count,
)
from market.book.ladder import NO_PRICE, best_tick, next_level, quantity_at
from market.native.kernel import inline, shared
from market.native.memory import get
from market.wire.levels import unpack_shape
from market.wire.text import power_of_ten


class Checksum(IntEnum):
    """What a venue's checksum is made of."""

    NONE = 0
    INTERLEAVED = 1
    """Bids and asks in turn, as decimals (OKX)."""
    DIGITS = 2
    """Asks, then bids, as digits (Kraken)."""


_INTERLEAVED: Final = int(Checksum.INTERLEAVED)
_DIGITS: Final = int(Checksum.DIGITS)
_INTERLEAVED_LEVELS: Final = 25
_DIGITS_LEVELS: Final = 10
_ONES: Final = 0xFFFFFFFF
_POLYNOMIAL: Final = 0xEDB88320
_COLON: Final = ord(":")
_POINT: Final = ord(".")
_ZERO: Final = ord("0")
_GROUP_DIGITS: Final = 9
_GROUP: Final = 10**_GROUP_DIGITS


def _crc_table() -> NDArray[np.int64]:
    """CRC-32 (IEEE 802.3) of each byte."""
    entries: NDArray[np.int64] = np.arange(256, dtype=np.int64)
    for _ in range(8):
        entries = np.where(entries & 1, entries >> 1 ^ _POLYNOMIAL, entries >> 1)
    return entries


_TABLE: Final = _crc_table()


@inline
def _feed(crc: int, character: int) -> int:
    """The register after one more byte; begins and ends inverted."""
    return int(_TABLE[(crc ^ character) & 0xFF]) ^ (crc >> 8)


@inline
def _feed_group(crc: int, value: int, width: int) -> int:
    """At most nine digits, with zeros in front up to ``width``."""
    packed = 0
    digits = 0
    while value > 0 or digits < width:
        packed = packed << 4 | value % 10
        value //= 10
        digits += 1
    for _ in range(digits):
        crc = _feed(crc, _ZERO + (packed & 15))
        packed >>= 4
    return crc


@inline
def _feed_number(crc: int, value: int, width: int) -> int:
    """The digits of a number of 0 to 10**18 - 1, with zeros in front up to ``width``."""
    high = value // _GROUP
    if high > 0 or width > _GROUP_DIGITS:
        crc = _feed_group(crc, high, width - _GROUP_DIGITS)
        return _feed_group(crc, value - high * _GROUP, _GROUP_DIGITS)
    return _feed_group(crc, value, width)


@shared
def _feed_decimal(crc: int, value: int, decimals: int) -> int:
    """A count of ``10**-decimals`` as a decimal without trailing zeros, ``0`` in front of a bare point."""
    scale = power_of_ten(decimals)
    whole = value // scale
    fraction = value - whole * scale
    crc = _feed_number(crc, whole, 1)
    if fraction > 0:
        while fraction % 10 == 0:
            fraction //= 10
            decimals -= 1
        crc = _feed_number(_feed(crc, _POINT), fraction, decimals)
    return crc


@inline
def _contracts(lots: int, price: int, factor: int) -> int:
    """The contracts that were floored to lots; exact where a contract is at least one lot (factor >= price)."""
    return -(-lots * price // factor)


@inline
def _feed_pair(crc: int, book: int, side: int, tick: int, first: bool) -> int:
    """``price:quantity`` of one level, behind a colon unless it is the first."""
    if not first:
        crc = _feed(crc, _COLON)
    crc = _feed_decimal(crc, tick, get(book, PRICE_DECIMALS))
    factor = get(book, CONTRACT_FACTOR)
    quantity = quantity_at(side, tick)
    if factor != 0:
        quantity = _contracts(quantity, tick, factor)
    return _feed_decimal(_feed(crc, _COLON), quantity, get(book, QUANTITY_DECIMALS))


@shared
def _interleaved(book: int) -> int:
    """OKX's checksum of the book, 0 to 2**32 - 1."""
    bids = bid_side(book)
    asks = ask_side(book)
    bid = best_tick(bids)
    ask = best_tick(asks)
    crc = _ONES
    first = True
    for _ in range(_INTERLEAVED_LEVELS):
        if bid != NO_PRICE:
            crc = _feed_pair(crc, book, bids, bid, first)
            bid = next_level(bids, bid)
            first = False
        if ask != NO_PRICE:
            crc = _feed_pair(crc, book, asks, ask, first)
            ask = next_level(asks, ask)
            first = False
    return crc ^ _ONES


@inline
def _feed_written(crc: int, value: int, decimals: int, written: int) -> int:
    """A count of ``10**-decimals`` with as many digits behind the point as the venue writes, all run together."""
    while decimals > written:
        value //= 10
        decimals -= 1
    crc = _feed_number(crc, value, 1)
    while decimals < written:
        crc = _feed(crc, _ZERO)
        decimals += 1
    return crc


@shared
def _feed_side(crc: int, book: int, side: int) -> int:
    price_digits, quantity_digits, _ = unpack_shape(get(book, SHAPE))
    tick = best_tick(side)
    for _ in range(_DIGITS_LEVELS):
        if tick == NO_PRICE:
            break
        crc = _feed_written(crc, tick, get(book, PRICE_DECIMALS), price_digits)
        crc = _feed_written(crc, quantity_at(side, tick), get(book, QUANTITY_DECIMALS), quantity_digits)
        tick = next_level(side, tick)
    return crc


@shared
def verify(book: int, stated: int) -> bool:
    """Whether the book has the checksum that its venue states, counting it; true when it states none (below 0).

    A book of contracts that are worth less than a lot at its prices cannot be checked, and is taken as it is.
    """
    if stated < 0 or not _is_exact(book):
        return True
    count(book, CHECKSUMS)
    style = get(book, CHECKSUM_STYLE)
    crc = stated
    if style == _INTERLEAVED:
        crc = _interleaved(book)
    elif style == _DIGITS:
        crc = _feed_side(_feed_side(_ONES, book, ask_side(book)), book, bid_side(book)) ^ _ONES
    if crc == stated:
        return True
    count(book, MISMATCHES)
    return False


@inline
def _is_exact(book: int) -> bool:
    """Whether lots tell the contracts they came from, at all prices up to twice the best ask."""
    factor = get(book, CONTRACT_FACTOR)
    if factor == 0:
        return True
    ask = best_tick(ask_side(book))
    return 2 * max(ask, best_tick(bid_side(book))) <= factor

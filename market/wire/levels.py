"""Price levels as venues list them, read straight into rows of (ticks, lots)."""

from __future__ import annotations

from typing import Final

from market.native.kernel import inline
from market.native.memory import get, load_u8, put
from market.wire.markets import CONTRACT_FACTOR, CONTRACT_LIMIT, PRICE_DECIMALS, QUANTITY_DECIMALS
from market.wire.records import Reject
from market.wire.text import (
    CLOSE_BRACKET,
    COMMA,
    MALFORMED,
    NEGATIVE,
    OK,
    OPEN_BRACKET,
    OVERFLOW,
    read_quoted_decimal,
)

TOO_LONG: Final = int(Reject.TOO_LONG)


@inline
def scale_lots(market: int, price: int, quantity: int) -> tuple[int, int]:
    """Lots of a quantity, converting contracts of fixed value at a price in ticks; and a reject code."""
    factor = get(market, CONTRACT_FACTOR)
    if factor == 0:
        return quantity, OK
    if quantity > get(market, CONTRACT_LIMIT):
        return 0, OVERFLOW
    return quantity * factor // price, OK


@inline
def quantity_decimals(market: int) -> int:
    """Decimals in which quantities arrive: whole contracts for inverse markets."""
    return 0 if get(market, CONTRACT_FACTOR) != 0 else get(market, QUANTITY_DECIMALS)


@inline
def read_levels(at: int, market: int, rows: int, capacity: int) -> tuple[int, int, int]:
    """Levels of the form ``[["price","quantity"],...]`` into rows.

    Returns (levels written, address after the closing bracket, reject code).
    """
    if load_u8(at, 0) != OPEN_BRACKET:
        return 0, at, MALFORMED
    at += 1
    if load_u8(at, 0) == CLOSE_BRACKET:
        return 0, at + 1, OK
    price_decimals = get(market, PRICE_DECIMALS)
    decimals = quantity_decimals(market)
    converts = get(market, CONTRACT_FACTOR) != 0
    count = 0
    while True:
        if load_u8(at, 0) != OPEN_BRACKET:
            return 0, at, MALFORMED
        price, at, reason = read_quoted_decimal(at + 1, price_decimals)
        if reason != OK:
            return 0, at, reason
        if load_u8(at, 0) != COMMA:
            return 0, at, MALFORMED
        quantity, at, reason = read_quoted_decimal(at + 1, decimals)
        if reason != OK:
            return 0, at, reason
        if load_u8(at, 0) != CLOSE_BRACKET:
            return 0, at, MALFORMED
        if price == 0:
            return 0, at, NEGATIVE
        if count == capacity:
            return 0, at, TOO_LONG
        if converts:
            quantity, reason = scale_lots(market, price, quantity)
            if reason != OK:
                return 0, at, reason
        put(rows, 2 * count, price)
        put(rows, 2 * count + 1, quantity)
        count += 1
        separator = load_u8(at, 1)
        at += 2
        if separator == CLOSE_BRACKET:
            return count, at, OK
        if separator != COMMA:
            return 0, at, MALFORMED

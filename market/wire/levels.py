"""Price levels as venues list them, read straight into rows of (ticks, lots)."""

from __future__ import annotations

from typing import Final

from market.native.kernel import inline, shared
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
    POINT,
    QUOTE_MARK,
    read_decimal,
    read_quoted_decimal,
    skip_value,
)

TOO_LONG: Final = int(Reject.TOO_LONG)
SHAPE_QUANTITY: Final = 1 << 8
SHAPE_DEPTH: Final = 1 << 16
_DIGITS_MASK: Final = SHAPE_QUANTITY - 1


@inline
def pack_shape(price_digits: int, quantity_digits: int, depth: int) -> int:
    """The SHAPE column: digits behind the point of prices and quantities as written, and the depth subscribed to."""
    return price_digits + SHAPE_QUANTITY * quantity_digits + SHAPE_DEPTH * depth


@inline
def unpack_shape(shape: int) -> tuple[int, int, int]:
    """Digits of prices, digits of quantities, and depth; each 0 when unknown."""
    return shape & _DIGITS_MASK, (shape // SHAPE_QUANTITY) & _DIGITS_MASK, shape // SHAPE_DEPTH


@inline
def wider_shape(first: int, second: int) -> int:
    """The larger of each part of two shapes."""
    price, quantity, depth = unpack_shape(first)
    other_price, other_quantity, other_depth = unpack_shape(second)
    return pack_shape(max(price, other_price), max(quantity, other_quantity), max(depth, other_depth))


@shared
def read_number(at: int, decimals: int) -> tuple[int, int, int, int]:
    """A decimal with or without quotation marks.

    Returns (count of ``10**-decimals``, digits behind the point as written, address behind, reject code).
    """
    if load_u8(at, 0) == QUOTE_MARK:
        value, end, reason = read_quoted_decimal(at, decimals)
        last = end - 1
    else:
        value, end, reason = read_decimal(at, decimals)
        last = end
    digits = 0
    if reason == OK:
        while at < last and load_u8(at, 0) != POINT:
            at += 1
        digits = max(last - at - 1, 0)
    return value, min(digits, _DIGITS_MASK), end, reason


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
    return get(market, QUANTITY_DECIMALS)


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


@shared
def store_level(market: int, rows: int, count: int, capacity: int, price: int, quantity: int) -> int:
    """Put one level, quantity as it arrived, into the rows; returns a reject code."""
    if price == 0:
        return NEGATIVE
    if count >= capacity:
        return TOO_LONG
    lots, reason = scale_lots(market, price, quantity)
    put(rows, 2 * count, price)
    put(rows, 2 * count + 1, lots)
    return reason


@shared
def read_wide_levels(at: int, market: int, rows: int, capacity: int) -> tuple[int, int, int, int]:
    """Levels of the form ``[["price","quantity",...],...]``, whatever follows the quantity, into rows.

    Returns (levels written, their shape, address after the closing bracket, reject code).
    """
    if load_u8(at, 0) != OPEN_BRACKET:
        return 0, 0, at, MALFORMED
    at += 1
    if load_u8(at, 0) == CLOSE_BRACKET:
        return 0, 0, at + 1, OK
    count = 0
    shape = 0
    while True:
        if load_u8(at, 0) != OPEN_BRACKET:
            return 0, 0, at, MALFORMED
        price, price_digits, at, reason = read_number(at + 1, get(market, PRICE_DECIMALS))
        if reason == OK and load_u8(at, 0) != COMMA:
            reason = MALFORMED
        if reason != OK:
            return 0, 0, at, reason
        quantity, quantity_digits, at, reason = read_number(at + 1, get(market, QUANTITY_DECIMALS))
        while reason == OK and load_u8(at, 0) == COMMA:
            at, reason = skip_value(at + 1)
        if reason == OK and load_u8(at, 0) != CLOSE_BRACKET:
            reason = MALFORMED
        if reason == OK:
            reason = store_level(market, rows, count, capacity, price, quantity)
        if reason != OK:
            return 0, 0, at, reason
        shape = wider_shape(shape, pack_shape(price_digits, quantity_digits, 0))
        count += 1
        separator = load_u8(at, 1)
        at += 2
        if separator == CLOSE_BRACKET:
            return count, shape, at, OK
        if separator != COMMA:
            return 0, 0, at, MALFORMED

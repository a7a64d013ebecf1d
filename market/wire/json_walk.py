"""Walking JSON objects and arrays key by key, and the values that several venues write alike."""

from __future__ import annotations

from market.native.kernel import inline, shared
from market.native.memory import load_u8
from market.wire.text import (
    BAD_NUMBER,
    CLOSE_BRACE,
    CLOSE_BRACKET,
    COLON,
    COMMA,
    MALFORMED,
    MINUS,
    OK,
    OPEN_BRACE,
    OPEN_BRACKET,
    QUOTE_MARK,
    pack_text,
    read_integer,
    read_string,
)


@inline
def enter_object(at: int) -> tuple[bool, int, int]:
    """Step into an object: (whether it has a first key, address of that key or behind the object, reject code)."""
    if load_u8(at, 0) != OPEN_BRACE:
        return False, at, MALFORMED
    if load_u8(at, 1) == CLOSE_BRACE:
        return False, at + 2, OK
    return True, at + 1, OK


@inline
def enter_array(at: int) -> tuple[bool, int, int]:
    """Step into an array, as ``enter_object``."""
    if load_u8(at, 0) != OPEN_BRACKET:
        return False, at, MALFORMED
    if load_u8(at, 1) == CLOSE_BRACKET:
        return False, at + 2, OK
    return True, at + 1, OK


@shared
def read_key(at: int) -> tuple[int, int, int, int, int]:
    """A key: (its first 16 bytes as two words, its length, address of its value, reject code)."""
    length, end, reason = read_string(at)
    if reason != OK or load_u8(end, 0) != COLON:
        return 0, 0, 0, end, MALFORMED
    low, high = pack_text(at + 1, length)
    return low, high, length, end + 1, OK


@inline
def next_member(at: int, reason: int) -> tuple[bool, int, int]:
    """Behind a value of an object: (whether a key follows, its address or behind the object, reject code)."""
    if reason != OK:
        return False, at, reason
    separator = load_u8(at, 0)
    if separator == COMMA:
        return True, at + 1, OK
    return False, at + 1, OK if separator == CLOSE_BRACE else MALFORMED


@inline
def next_element(at: int, reason: int) -> tuple[bool, int, int]:
    """Behind a value of an array, as ``next_member``."""
    if reason != OK:
        return False, at, reason
    separator = load_u8(at, 0)
    if separator == COMMA:
        return True, at + 1, OK
    return False, at + 1, OK if separator == CLOSE_BRACKET else MALFORMED


@shared
def read_text(at: int) -> tuple[int, int, int, int, int]:
    """A string value: (its first 16 bytes as two words, its length, address behind it, reject code)."""
    length, end, reason = read_string(at)
    if reason != OK:
        return 0, 0, 0, end, reason
    low, high = pack_text(at + 1, length)
    return low, high, length, end, OK


@shared
def read_count(at: int) -> tuple[int, int, int]:
    """An unsigned integer with or without quotation marks: (value, address behind it, reject code)."""
    if load_u8(at, 0) != QUOTE_MARK:
        return read_integer(at)
    value, end, reason = read_integer(at + 1)
    if reason == OK and load_u8(end, 0) != QUOTE_MARK:
        reason = BAD_NUMBER
    return value, end + 1, reason


@shared
def read_signed(at: int) -> tuple[int, int, int]:
    """An integer with an optional minus sign: (value, address behind it, reject code)."""
    if load_u8(at, 0) != MINUS:
        return read_integer(at)
    value, end, reason = read_integer(at + 1)
    return -value, end, reason


@shared
def ends_with_value(at: int, end: int, reason: int) -> int:
    """The reject code of a message whose outermost value was read up to ``at``: nothing may follow it."""
    if reason != OK:
        return reason
    return OK if at == end else MALFORMED

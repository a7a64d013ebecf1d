"""Reading JSON text in place: numbers, strings, and skipping what is not needed.

Every reader works on an address and stops at any byte below 32, so a text must be followed by one: a
newline, or the zero byte after a Python ``bytes``. JSON text itself holds none where venues write it.
A reader returns the address after what it read; on failure it returns a ``Reject`` code beside it.
"""

from __future__ import annotations

from typing import Final

from market.native.kernel import inline, shared
from market.native.memory import load_i64, load_u8, shift_right_logical, trailing_zeros
from market.native.vectors import BLOCK, string_stops, value_stops
from market.wire.records import Reject

OK: Final = int(Reject.NONE)
MALFORMED: Final = int(Reject.MALFORMED)
BAD_NUMBER: Final = int(Reject.BAD_NUMBER)
NEGATIVE: Final = int(Reject.NEGATIVE)
PRECISION: Final = int(Reject.PRECISION)
OVERFLOW: Final = int(Reject.OVERFLOW)

QUOTE_MARK: Final = ord('"')
COLON: Final = ord(":")
COMMA: Final = ord(",")
OPEN_BRACE: Final = ord("{")
CLOSE_BRACE: Final = ord("}")
OPEN_BRACKET: Final = ord("[")
CLOSE_BRACKET: Final = ord("]")
BACKSLASH: Final = ord("\\")
MINUS: Final = ord("-")
PLUS: Final = ord("+")
POINT: Final = ord(".")
SPACE: Final = 32
EXPONENT_MARK: Final = ord("e")
_DIGITS: Final = 18
_INTEGER_DIGITS: Final = 19
_POINT_DIGIT: Final = POINT ^ 48
_MAX_NESTING: Final = 64
_PAGE: Final = 4096
"""Memory is mapped in pages of at least this many bytes."""
_ZEROS: Final = 0x3030303030303030
_PAST_NINE: Final = 0x7676767676767676
_HIGH_BITS: Final = 0x8080808080808080 - (1 << 64)
_PAIRS: Final = 0x000000FF000000FF
_TO_HIGH: Final = 100 + (1_000_000 << 32)
_TO_LOW: Final = 1 + (10_000 << 32)


@inline
def power_of_ten(exponent: int) -> int:
    """10**exponent for exponents 0 to 18."""
    result = 1
    for _ in range(exponent):
        result *= 10
    return result


@inline
def can_load(at: int, size: int) -> bool:
    """Whether that many bytes can be loaded at the address of a readable one: they lie in its memory page."""
    return at & (_PAGE - 1) <= _PAGE - size


@inline
def _eight_digits_at(at: int) -> tuple[int, bool]:
    """The eight bytes at an address with digits turned into their values, and whether all of them are digits."""
    values = load_i64(at, 0) ^ _ZEROS
    return values, ((values + _PAST_NINE) | values) & _HIGH_BITS == 0


@inline
def _number_of(values: int) -> int:
    """Eight digit values as one number, the most significant in the lowest byte.

    Pairs, then fours, then all: three multiplications (D. Lemire, "Quickly parsing eight digits", 2018).
    """
    pairs = values * 10 + (values >> 8)
    high = (pairs & _PAIRS) * _TO_HIGH
    low = ((pairs >> 16) & _PAIRS) * _TO_LOW
    return shift_right_logical(high + low, 32)


@inline
def _long_fraction(value: int, values: int, decimals: int) -> tuple[int, int, int]:
    """A whole part with a fraction of eight digits: the count of ``10**-decimals``, decimals still missing, the rest.

    The rest is 0 when the digits beyond ``decimals`` are zeros.
    """
    if decimals >= 8:
        return value * 100_000_000 + _number_of(values), decimals - 8, 0
    if decimals == 0:
        return value, 0, values
    kept = values << (64 - 8 * decimals)
    return value * power_of_ten(decimals) + _number_of(kept), 0, values >> (8 * decimals)


@inline
def read_decimal(at: int, decimals: int) -> tuple[int, int, int]:
    """An unsigned decimal as a count of ``10**-decimals``, exactly.

    Returns (count, address after the number, reject code). Digits beyond ``decimals`` must be zeros.
    A number has at most 18 significant digits after scaling.
    """
    value = 0
    start = at
    digit = load_u8(at, 0) ^ 48
    while digit <= 9:
        value = value * 10 + digit
        at += 1
        digit = load_u8(at, 0) ^ 48
    digits = at - start
    beyond = 0
    missing = decimals
    if digit == _POINT_DIGIT:
        at += 1
        fraction_start = at
        digit = load_u8(at, 0) ^ 48
        # Spot prices and quantities have eight decimals: those are read at once.
        if can_load(at, 8) and load_u8(at, 3) ^ 48 <= 9:
            values, all_digits = _eight_digits_at(at)
            if all_digits:
                value, missing, beyond = _long_fraction(value, values, decimals)
                at += 8
                digit = load_u8(at, 0) ^ 48
        while digit <= 9 and missing > 0:
            value = value * 10 + digit
            missing -= 1
            at += 1
            digit = load_u8(at, 0) ^ 48
        while digit <= 9:
            beyond |= digit
            at += 1
            digit = load_u8(at, 0) ^ 48
        if at == fraction_start:
            return 0, at, BAD_NUMBER
    if digits == 0:
        return 0, at, NEGATIVE if load_u8(start, 0) == MINUS else BAD_NUMBER
    if digits + decimals > _DIGITS:
        return 0, at, OVERFLOW
    if beyond != 0:
        return 0, at, PRECISION
    while missing > 0:
        value *= 10
        missing -= 1
    if load_u8(at, 0) | 32 == EXPONENT_MARK:
        return 0, at, BAD_NUMBER
    return value, at, OK


@inline
def read_quoted_decimal(at: int, decimals: int) -> tuple[int, int, int]:
    """A decimal inside quotation marks; otherwise as ``read_decimal``."""
    if load_u8(at, 0) != QUOTE_MARK:
        return 0, at, BAD_NUMBER
    value, at, reason = read_decimal(at + 1, decimals)
    if reason == OK and load_u8(at, 0) != QUOTE_MARK:
        return 0, at, BAD_NUMBER
    return value, at + 1, reason


@inline
def read_integer(at: int) -> tuple[int, int, int]:
    """An unsigned integer below 2**63 of at most 19 digits: (value, address after it, reject code)."""
    value = 0
    start = at
    if can_load(at, 16):
        values, all_digits = _eight_digits_at(at)
        if all_digits:
            value = _number_of(values)
            values, all_digits = _eight_digits_at(at + 8)
            at += 8
            if all_digits:
                value = value * 100_000_000 + _number_of(values)
                at += 8
    digit = load_u8(at, 0) ^ 48
    while digit <= 9:
        value = value * 10 + digit
        at += 1
        digit = load_u8(at, 0) ^ 48
    digits = at - start
    if digits == 0:
        return 0, at, NEGATIVE if load_u8(start, 0) == MINUS else BAD_NUMBER
    # Nineteen digits stay below 2**64, so they overflow int64 exactly when they turn negative.
    if digits > _INTEGER_DIGITS or value < 0:
        return 0, at, OVERFLOW
    return value, at, OK


@inline
def read_string(at: int) -> tuple[int, int, int]:
    """A string without escapes: (length, address of the first byte after its closing mark, reject code).

    ``at`` is the address of the opening mark; the text begins at ``at + 1``.
    """
    if load_u8(at, 0) != QUOTE_MARK:
        return 0, at, MALFORMED
    start = at + 1
    at = start
    if can_load(at, BLOCK):
        found = string_stops(at)
        at += trailing_zeros(found) if found != 0 else BLOCK
    character = load_u8(at, 0)
    while character != QUOTE_MARK and character != BACKSLASH and character >= SPACE:
        at += 1
        character = load_u8(at, 0)
    if character != QUOTE_MARK:
        return 0, at, MALFORMED
    return at - start, at + 1, OK


@inline
def text_equals(at: int, length: int, low: int, high: int, expected: int) -> bool:
    """Whether a text of at most 16 bytes equals the one packed into two words by ``pack_text``."""
    if length != expected:
        return False
    found_low, found_high = pack_text(at, length)
    return found_low == low and found_high == high


@inline
def _first_bytes(word: int, count: int) -> int:
    """The lowest bytes of a word, zeros above."""
    if count <= 0:
        return 0
    return word if count >= 8 else word & ((1 << (8 * count)) - 1)


@inline
def pack_text(at: int, length: int) -> tuple[int, int]:
    """The first 16 bytes of a text as two little-endian words, zero-filled."""
    if can_load(at, 16):
        return _first_bytes(load_i64(at, 0), length), _first_bytes(load_i64(at, 8), length - 8)
    low = 0
    high = 0
    for position in range(min(length, 8)):
        low |= load_u8(at, position) << (8 * position)
    for position in range(8, min(length, 16)):
        high |= load_u8(at, position) << (8 * (position - 8))
    return low, high


def packed(text: str) -> tuple[int, int]:
    """The two words of ``pack_text`` for a constant, as signed 64-bit integers."""
    raw = text.encode().ljust(16, b"\0")[:16]
    return int.from_bytes(raw[:8], "little", signed=True), int.from_bytes(raw[8:], "little", signed=True)


@shared
def skip_string(at: int) -> tuple[int, int]:
    """Address after a string with any escapes, and a reject code."""
    at += 1
    if can_load(at, BLOCK):
        found = string_stops(at)
        at += trailing_zeros(found) if found != 0 else BLOCK
    character = load_u8(at, 0)
    while character != QUOTE_MARK:
        if character < SPACE:
            return at, MALFORMED
        if character == BACKSLASH:
            at += 1
            if load_u8(at, 0) < SPACE:
                return at, MALFORMED
        at += 1
        character = load_u8(at, 0)
    return at + 1, OK


@shared
def skip_value(at: int) -> tuple[int, int]:
    """Address after any JSON value, and a reject code; brackets must balance in number and kind."""
    nesting = 0
    kinds = 0
    while True:
        character = load_u8(at, 0)
        if character < SPACE:
            return at, MALFORMED
        if character == QUOTE_MARK:
            at, reason = skip_string(at)
            if reason != OK:
                return at, reason
        elif character == OPEN_BRACE or character == OPEN_BRACKET:
            if nesting == _MAX_NESTING - 2:
                return at, MALFORMED
            kinds = (kinds << 1) | (1 if character == OPEN_BRACE else 0)
            nesting += 1
            at += 1
            continue
        elif character == CLOSE_BRACE or character == CLOSE_BRACKET:
            if nesting == 0 or (kinds & 1) != (1 if character == CLOSE_BRACE else 0):
                return at, MALFORMED
            kinds >>= 1
            nesting -= 1
            at += 1
        elif character == COMMA or character == COLON:
            if nesting == 0:
                return at, MALFORMED
            at += 1
            continue
        else:
            start = at
            if can_load(at, BLOCK):
                found = value_stops(at)
                at += trailing_zeros(found) if found != 0 else BLOCK
                character = load_u8(at, 0)
            while (
                character > SPACE
                and character != COMMA
                and character != CLOSE_BRACE
                and character != CLOSE_BRACKET
                and character != COLON
                and character != QUOTE_MARK
            ):
                at += 1
                character = load_u8(at, 0)
            if at == start:
                at += 1
                continue
        if nesting == 0:
            return at, OK

"""Rows of Binance's aggTrades files: bytes to integers, with every refused row counted by its reason.

Columns: aggregate id, price, quantity, first and last trade id, time, whether the buyer was the maker; spot files
end with whether the price was the best. Times are in ms or us since the epoch, told apart by their size. A first line
of names is passed over.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from market.native.kernel import entry, inline, part
from market.native.memory import address_of, load_u8

Integers = NDArray[np.int64]


class Column(IntEnum):
    """Columns of the parsed rows, int64."""

    TIME_NS = 0
    ID = 1
    FIRST_ID = 2
    LAST_ID = 3
    PRICE = 4
    QUANTITY = 5
    IS_SELL = 6


class Reason(IntEnum):
    """Why a row is refused."""

    MALFORMED = 0
    COLUMNS = 1
    NOT_POSITIVE = 2
    TIME = 3
    TRADE_IDS = 4
    TOO_LARGE = 5
    DUPLICATE = 6
    UNSORTED = 7
    EARLIER = 8
    TOO_FINE = 9


class Slot(IntEnum):
    """Slots of a reader's state: those from ``COUNTS`` and ``FIRST_LINES`` on are indexed by ``Reason``."""

    LINE = 0
    SEEN_ID = 1
    SEEN_NS = 2
    COLUMNS = 3
    GAPS = 4
    MISSING_IDS = 5
    COUNTS = 8
    FIRST_LINES = 24
    WIDTH = 40


SPOT_COLUMNS: Final = 8
FUTURES_COLUMNS: Final = 7
SHORTEST_ROW: Final = 24
"""No readable row is shorter, its end of line included: six numbers, a time and a flag."""

_TIME_NS: Final = int(Column.TIME_NS)
_ID: Final = int(Column.ID)
_FIRST_ID: Final = int(Column.FIRST_ID)
_LAST_ID: Final = int(Column.LAST_ID)
_PRICE: Final = int(Column.PRICE)
_QUANTITY: Final = int(Column.QUANTITY)
_IS_SELL: Final = int(Column.IS_SELL)
_MALFORMED: Final = int(Reason.MALFORMED)
_COLUMNS: Final = int(Reason.COLUMNS)
_NOT_POSITIVE: Final = int(Reason.NOT_POSITIVE)
_TIME: Final = int(Reason.TIME)
_TRADE_IDS: Final = int(Reason.TRADE_IDS)
_TOO_LARGE: Final = int(Reason.TOO_LARGE)
_DUPLICATE: Final = int(Reason.DUPLICATE)
_UNSORTED: Final = int(Reason.UNSORTED)
_EARLIER: Final = int(Reason.EARLIER)
_TOO_FINE: Final = int(Reason.TOO_FINE)
_LINE: Final = int(Slot.LINE)
_SEEN_ID: Final = int(Slot.SEEN_ID)
_SEEN_NS: Final = int(Slot.SEEN_NS)
_SEEN_COLUMNS: Final = int(Slot.COLUMNS)
_GAPS: Final = int(Slot.GAPS)
_MISSING_IDS: Final = int(Slot.MISSING_IDS)
_COUNTS: Final = int(Slot.COUNTS)
_FIRST_LINES: Final = int(Slot.FIRST_LINES)

_NEWLINE: Final = 10
_CARRIAGE_RETURN: Final = 13
_COMMA: Final = 44
_MINUS: Final = 45
_POINT: Final = 46
_ZERO: Final = 48
_LETTERS: Final = 65
_SPACE_OF_CASE: Final = 32
_T: Final = 116
_F: Final = 102
_LARGEST: Final = 1 << 46
_LARGEST_NUMBER: Final = 9 * 10**17
_LEAST_MS: Final = 10**12
_LEAST_US: Final = 10**15
_MOST_US: Final = 4 * 10**15
_NS_PER_MS: Final = 1_000_000
_NS_PER_US: Final = 1_000


@part
def _number(base: int, at: int, stop: int, decimals: int) -> int:
    """A number as an integer of so many decimals, no point where that is -1; below 0: minus its reason, minus 1."""
    if at < stop and load_u8(base, at) == _MINUS:
        return -1 - _NOT_POSITIVE if at + 1 < stop else -1 - _MALFORMED
    value, digits, places, seen_point = 0, 0, 0, False
    while at < stop:
        digit = load_u8(base, at) - _ZERO
        at += 1
        if digit == _POINT - _ZERO and decimals >= 0 and not seen_point and digits > 0 and at < stop:
            seen_point = True
            continue
        if digit < 0 or digit > 9:
            return -1 - _MALFORMED
        digits += 1
        if seen_point:
            places += 1
            if places > decimals:
                if digit > 0:
                    return -1 - _TOO_FINE
                continue
        value = value * 10 + digit
        if value > _LARGEST_NUMBER:
            return -1 - _TOO_LARGE
    if digits == 0:
        return -1 - _MALFORMED
    for _ in range(min(places, decimals), decimals):
        value *= 10
        if value > _LARGEST_NUMBER:
            return -1 - _TOO_LARGE
    return value


@inline
def _flag(base: int, at: int, stop: int) -> int:
    """1 for true, 0 for false in any case of letters, else -1."""
    first = load_u8(base, at) | _SPACE_OF_CASE if at < stop else 0
    if first == _T and stop - at == 4:
        return 1
    return 0 if first == _F and stop - at == 5 else -1


@inline
def _time_ns(time: int) -> int:
    """A time in ms or us as ns, -1 for what is neither."""
    if _LEAST_MS <= time < _MOST_US // 1000:
        return time * _NS_PER_MS
    return time * _NS_PER_US if _LEAST_US <= time < _MOST_US else -1


@part
def _row(base: int, at: int, stop: int, columns: int, decimals: tuple[int, int], row: Integers) -> int:
    """Read one line into a row; returns -1 when it is a row, else the reason."""
    commas = 0
    for place in range(at, stop):
        commas += load_u8(base, place) == _COMMA
    if commas + 1 != columns:
        return _COLUMNS
    field = 0
    while field < columns:
        end = at
        while end < stop and load_u8(base, end) != _COMMA:
            end += 1
        if field >= 6:
            value = _flag(base, at, end)
            if value < 0:
                return _MALFORMED
            if field == 6:
                row[_IS_SELL] = value
        else:
            scale = decimals[0] if field == 1 else decimals[1] if field == 2 else -1
            value = _number(base, at, end, scale)
            if value < 0:
                return -1 - value
            if field == 0:
                row[_ID] = value
            elif field == 1:
                row[_PRICE] = value
            elif field == 2:
                row[_QUANTITY] = value
            elif field == 3:
                row[_FIRST_ID] = value
            elif field == 4:
                row[_LAST_ID] = value
            else:
                row[_TIME_NS] = _time_ns(value)
        field += 1
        at = end + 1
    if row[_PRICE] == 0 or row[_QUANTITY] == 0:
        return _NOT_POSITIVE
    if row[_PRICE] >= _LARGEST or row[_QUANTITY] >= _LARGEST:
        return _TOO_LARGE
    if row[_TIME_NS] < 0:
        return _TIME
    return _TRADE_IDS if row[_LAST_ID] < row[_FIRST_ID] else -1


@inline
def _order(row: Integers, state: Integers) -> int:
    """Whether a row follows the one before it: -1, else the reason; counts ids that are left out."""
    seen = state[_SEEN_ID]
    if seen >= 0:
        if row[_ID] <= seen:
            return _DUPLICATE if row[_ID] == seen else _UNSORTED
        if row[_TIME_NS] < state[_SEEN_NS]:
            return _EARLIER
        if row[_ID] > seen + 1:
            state[_GAPS] += 1
            state[_MISSING_IDS] += row[_ID] - seen - 1
    state[_SEEN_ID] = row[_ID]
    state[_SEEN_NS] = row[_TIME_NS]
    return -1


@entry("int64(uint8[::1], int64, int64[::1], int64, int64, int64[:, ::1])")
def parse_rows(
    text: NDArray[np.uint8],
    length: int,
    state: Integers,
    price_decimals: int,
    quantity_decimals: int,
    rows: Integers,
) -> int:
    """Parse whole lines; returns how many rows were read.

    Parameters
    ----------
    length: bytes of ``text`` to read, the last of them an end of line. state: int64[Slot.WIDTH].
    rows: int64[at least length // SHORTEST_ROW + 1, len(Column)].
    """
    base = address_of(text)
    count, at = 0, 0
    while at < length:
        end = at
        while end < length and load_u8(base, end) != _NEWLINE:
            end += 1
        stop = end - 1 if end > at and load_u8(base, end - 1) == _CARRIAGE_RETURN else end
        state[_LINE] += 1
        is_header = state[_LINE] == 1 and stop > at and load_u8(base, at) >= _LETTERS
        if stop > at and not is_header:
            if state[_SEEN_COLUMNS] == 0:
                commas = 0
                for place in range(at, stop):
                    commas += load_u8(base, place) == _COMMA
                if commas == SPOT_COLUMNS - 1 or commas == FUTURES_COLUMNS - 1:
                    state[_SEEN_COLUMNS] = commas + 1
            row = rows[min(count, rows.shape[0] - 1)]
            reason = _row(base, at, stop, state[_SEEN_COLUMNS], (price_decimals, quantity_decimals), row)
            if reason < 0:
                reason = _order(row, state)
            if reason < 0:
                count += 1
            else:
                if state[_COUNTS + reason] == 0:
                    state[_FIRST_LINES + reason] = state[_LINE]
                state[_COUNTS + reason] += 1
        at = end + 1
    return count

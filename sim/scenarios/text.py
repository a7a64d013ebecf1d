"""Rows of the compiled market as lines of a recording: ``<receive ns> <message>``, as Binance's USD-M streams write."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from market.native.kernel import BYTES, entry, inline, part
from market.native.memory import address_of, load_u8, store_8
from sim.scenarios.layout import Column, Message, Rows

_KIND: Final = int(Column.KIND)
_RECEIVE_NS: Final = int(Column.RECEIVE_NS)
_EVENT_MS: Final = int(Column.EVENT_MS)
_FIRST: Final = int(Column.FIRST)
_A: Final = int(Column.A)
_B: Final = int(Column.B)
_C: Final = int(Column.C)
_D: Final = int(Column.D)
_E: Final = int(Column.E)
_F: Final = int(Column.F)
_DEPTH: Final = int(Message.DEPTH)
_SNAPSHOT: Final = int(Message.SNAPSHOT)
_QUOTE: Final = int(Message.QUOTE)

_PIECES: Final = (
    ' {"stream":"btcusdt@depth@0ms","data":{"e":"depthUpdate","E":',
    ',"T":',
    ',"s":"BTCUSDT","U":',
    ',"u":',
    ',"pu":',
    ',"b":[',
    '],"a":[',
    "]}}\n",
    ' {"lastUpdateId":',
    ',"E":',
    ',"bids":[',
    '],"asks":[',
    "]}\n",
    ' {"stream":"btcusdt@bookTicker","data":{"e":"bookTicker","u":',
    ',"s":"BTCUSDT","b":"',
    '","B":"',
    '","a":"',
    '","A":"',
    '","T":',
    "}}\n",
    ' {"stream":"btcusdt@trade","data":{"e":"trade","E":',
    ',"s":"BTCUSDT","t":',
    ',"p":"',
    '","q":"',
    '","X":"MARKET","m":',
    "true}}\n",
    "false}}\n",
)
_QUOTE_MARK: Final = 34
_COMMA: Final = 44
_POINT: Final = 46
_ZERO: Final = 48
_OPEN: Final = 91
_CLOSE: Final = 93
PRICE_DECIMALS: Final = 1
QUANTITY_DECIMALS: Final = 3
LINE_ROOM: Final = 320
"""Bytes that a line without its levels takes at most."""
LEVEL_ROOM: Final = 40


@dataclass(frozen=True)
class Written:
    """How a market is written.

    Parameters
    ----------
    symbol: as the venue writes it. price_decimals: 1 or 2. lots: of 0.001 that a lot of the session is.
    """

    symbol: str = "BTCUSDT"
    price_decimals: int = PRICE_DECIMALS
    lots: int = 1

    @property
    def pieces(self) -> tuple[str, ...]:
        """The fixed pieces of lines."""
        lower = self.symbol.lower()
        return tuple(piece.replace("BTCUSDT", self.symbol).replace("btcusdt", lower) for piece in _PIECES)


BITCOIN: Final = Written()


@inline
def _piece(out: int, at: int, text: int, starts: int, number: int) -> int:
    """Copy a fixed piece; returns where it ends."""
    first, last = _start(starts, number), _start(starts, number + 1)
    for place in range(first, last):
        store_8(out, at + place - first, load_u8(text, place))
    return at + last - first


@inline
def _start(starts: int, number: int) -> int:
    return load_u8(starts, 2 * number) + 256 * load_u8(starts, 2 * number + 1)


@part
def _whole(out: int, at: int, value: int) -> int:
    """Write a number that is not negative; returns where it ends."""
    digits, rest = 1, value
    while rest >= 10:
        rest //= 10
        digits += 1
    end = at + digits
    for place in range(end - 1, at - 1, -1):
        store_8(out, place, _ZERO + value % 10)
        value //= 10
    return end


@part
def _price(out: int, at: int, tick: int, per_unit: int) -> int:
    """Ticks, 10 or 100 of which are 1, written with two decimals."""
    at = _whole(out, at, tick // per_unit)
    cents = tick % per_unit * (100 // per_unit)
    store_8(out, at, _POINT)
    store_8(out, at + 1, _ZERO + cents // 10)
    store_8(out, at + 2, _ZERO + cents % 10)
    return at + 3


@part
def _quantity(out: int, at: int, lots: int, each: int) -> int:
    """Lots, each of so many 0.001."""
    lots *= each
    at = _whole(out, at, lots // 1000)
    store_8(out, at, _POINT)
    store_8(out, at + 1, _ZERO + lots // 100 % 10)
    store_8(out, at + 2, _ZERO + lots // 10 % 10)
    store_8(out, at + 3, _ZERO + lots % 10)
    return at + 4


@part
def _levels(out: int, at: int, levels: Rows, first: int, count: int, per_unit: int, each: int) -> int:
    for place in range(first, first + count):
        if place > first:
            store_8(out, at, _COMMA)
            at += 1
        store_8(out, at, _OPEN)
        store_8(out, at + 1, _QUOTE_MARK)
        at = _price(out, at + 2, levels[place, 0], per_unit)
        store_8(out, at, _QUOTE_MARK)
        store_8(out, at + 1, _COMMA)
        store_8(out, at + 2, _QUOTE_MARK)
        at = _quantity(out, at + 3, levels[place, 1], each)
        store_8(out, at, _QUOTE_MARK)
        store_8(out, at + 1, _CLOSE)
        at += 2
    return at


@part
def _book(
    out: int, at: int, text: int, starts: int, rows: Rows, row: int, levels: Rows, per_unit: int, each: int
) -> int:
    """A depth message or the whole book."""
    kind, time = rows[row, _KIND], rows[row, _EVENT_MS]
    if kind == _SNAPSHOT:
        at = _whole(out, _piece(out, at, text, starts, 8), rows[row, _FIRST])
        at = _whole(out, _piece(out, at, text, starts, 9), time)
        at = _whole(out, _piece(out, at, text, starts, 1), time)
        at = _levels(out, _piece(out, at, text, starts, 10), levels, rows[row, _C], rows[row, _D], per_unit, each)
        at = _levels(out, _piece(out, at, text, starts, 11), levels, rows[row, _E], rows[row, _F], per_unit, each)
        return _piece(out, at, text, starts, 12)
    at = _whole(out, _piece(out, at, text, starts, 0), time + 1)
    at = _whole(out, _piece(out, at, text, starts, 1), time)
    at = _whole(out, _piece(out, at, text, starts, 2), rows[row, _FIRST])
    at = _whole(out, _piece(out, at, text, starts, 3), rows[row, _A])
    at = _whole(out, _piece(out, at, text, starts, 4), rows[row, _B])
    at = _levels(out, _piece(out, at, text, starts, 5), levels, rows[row, _C], rows[row, _D], per_unit, each)
    at = _levels(out, _piece(out, at, text, starts, 6), levels, rows[row, _E], rows[row, _F], per_unit, each)
    return _piece(out, at, text, starts, 7)


@part
def _quote(out: int, at: int, text: int, starts: int, rows: Rows, row: int, per_unit: int, each: int) -> int:
    at = _whole(out, _piece(out, at, text, starts, 13), rows[row, _FIRST])
    at = _price(out, _piece(out, at, text, starts, 14), rows[row, _A], per_unit)
    at = _quantity(out, _piece(out, at, text, starts, 15), rows[row, _B], each)
    at = _price(out, _piece(out, at, text, starts, 16), rows[row, _C], per_unit)
    at = _quantity(out, _piece(out, at, text, starts, 17), rows[row, _D], each)
    at = _whole(out, _piece(out, at, text, starts, 18), rows[row, _EVENT_MS])
    at = _whole(out, _piece(out, at, text, starts, 9), rows[row, _EVENT_MS] + 1)
    return _piece(out, at, text, starts, 19)


@part
def _trade(out: int, at: int, text: int, starts: int, rows: Rows, row: int, per_unit: int, each: int) -> int:
    at = _whole(out, _piece(out, at, text, starts, 20), rows[row, _EVENT_MS] + 1)
    at = _whole(out, _piece(out, at, text, starts, 1), rows[row, _EVENT_MS])
    at = _whole(out, _piece(out, at, text, starts, 21), rows[row, _FIRST])
    at = _price(out, _piece(out, at, text, starts, 22), rows[row, _A], per_unit)
    at = _quantity(out, _piece(out, at, text, starts, 23), rows[row, _B], each)
    at = _piece(out, at, text, starts, 24)
    return _piece(out, at, text, starts, 25 if rows[row, _C] == 1 else 26)


@entry(f"int64(uint8[::1], {BYTES}, {BYTES}, int64[:, ::1], int64, int64[:, ::1], int64, int64)")
def _write(
    out: NDArray[np.uint8],
    text: bytes,
    starts: bytes,
    rows: Rows,
    count: int,
    levels: Rows,
    per_unit: int,
    each: int,
) -> int:
    """Write lines; returns how many bytes."""
    target, pieces, places, at = address_of(out), address_of(text), address_of(starts), 0
    for row in range(count):
        at = _whole(target, at, rows[row, _RECEIVE_NS])
        kind = rows[row, _KIND]
        if kind == _DEPTH or kind == _SNAPSHOT:
            at = _book(target, at, pieces, places, rows, row, levels, per_unit, each)
        elif kind == _QUOTE:
            at = _quote(target, at, pieces, places, rows, row, per_unit, each)
        else:
            at = _trade(target, at, pieces, places, rows, row, per_unit, each)
    return at


def lines_of(rows: Rows, levels: Rows, written: Written = BITCOIN) -> bytes:
    """Lines of rows, int64[n, MESSAGE_WIDTH], and of their levels, int64[m, 2]."""
    out = np.empty(len(rows) * LINE_ROOM + len(levels) * LEVEL_ROOM, dtype=np.uint8)
    pieces = written.pieces
    starts = np.cumsum([0, *map(len, pieces)]).astype("<u2").tobytes()
    text, per_unit = "".join(pieces).encode("ascii"), 10**written.price_decimals
    return out[: _write(out, text, starts, rows, len(rows), levels, per_unit, written.lots)].tobytes()

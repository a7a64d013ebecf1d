"""Archived trades and a synthetic book around them, as lines of a recording."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from sim.archive.bars import BAR_NS
from sim.archive.book_rule import BookRule, Levels, SyntheticBook
from sim.archive.dialect import Dialect
from sim.archive.rows import Column, Integers

_NS_PER_MS: Final = 1_000_000
_ROWS: Final = 4_096
_COLUMNS: Final = [int(column) for column in Column]


class SyntheticRecording:
    """Lines ``<receive ns> <message>`` of trades in order of time.

    After what moves the best prices or their sizes comes a quote, every interval with changes ends with a depth update,
    and the first bar with a snapshot. Nothing depends on a later trade.

    Parameters
    ----------
    feed_ns: from a moment at the exchange to its receipt.
    """

    def __init__(self, dialect: Dialect, rule: BookRule, feed_ns: int) -> None:
        self._dialect, self._interval, self._feed_ns = dialect, rule.interval_ns, feed_ns
        self._book = SyntheticBook(rule)
        self._bar_end = self._interval_end = 0
        self._high = self._low = self._volume = 0
        self._id = self._depth_id = 0
        self._top: tuple[int, int, int] | None = None
        self._bids: Levels = {}
        self._asks: Levels = {}
        self.books = 0

    def add(self, rows: Integers) -> Iterator[str]:
        """Lines of the next trades, int64[n, len(Column)]."""
        for start in range(0, len(rows), _ROWS):
            for row in rows[start : start + _ROWS].tolist():
                yield from self._trade(row)

    def finish(self) -> Iterator[str]:
        """Lines of what ends with the last trade's second."""
        if self._bar_end:
            yield from self._until(self._bar_end)

    def _trade(self, row: list[int]) -> Iterator[str]:
        time_ns, number, first, last, price, lots, is_sell = row
        yield from self._until(time_ns)
        if not self._bar_end:
            self._bar_end = (time_ns // BAR_NS + 1) * BAR_NS
            self._high = self._low = price
            self._volume = 0
        self._interval_end = (time_ns // self._interval + 1) * self._interval
        self._high, self._low, self._volume = max(self._high, price), min(self._low, price), self._volume + lots
        text = self._dialect.trade((number, first, last), price, lots, is_sell == 1, time_ns // _NS_PER_MS)
        yield self._line(time_ns, text)
        self._book.trade(price, is_sell == 1)
        yield from self._quote(time_ns)

    def _until(self, time_ns: int) -> Iterator[str]:
        """What ends up to a moment: the interval of the last trade, and its bar."""
        if not self._bar_end:
            return
        if self._interval_end <= time_ns and self._interval_end < self._bar_end:
            yield from self._depth(self._interval_end)
        if self._bar_end <= time_ns:
            self._book.bar(self._high - self._low, self._volume)
            yield from self._quote(self._bar_end)
            yield from self._depth(self._bar_end)
            self._bar_end = 0

    def _quote(self, time_ns: int) -> Iterator[str]:
        """A quote if the best prices or their sizes are others than before."""
        book = self._book
        if not book.is_there or self._top == (top := (*book.top(), book.lots)):
            return
        self._top = top
        self._id += 1
        bid, ask, lots = top
        yield self._line(time_ns, self._dialect.quote(self._id, (bid, lots), (ask, lots), time_ns // _NS_PER_MS))

    def _depth(self, time_ns: int) -> Iterator[str]:
        """The levels that are others than before; the whole book at first."""
        if not self._book.is_there:
            return
        bids, asks = self._book.sides()
        new_bids, new_asks = _changes(self._bids, bids), _changes(self._asks, asks)
        if not new_bids and not new_asks:
            return
        dialect, time = self._dialect, time_ns // _NS_PER_MS
        self.books += 1
        if not self._bids:
            text = dialect.snapshot(self._id, bids.items(), asks.items(), time)
        else:
            text = dialect.depth((self._depth_id + 1, self._id, self._depth_id), new_bids, new_asks, time)
        self._depth_id, self._bids, self._asks = self._id, bids, asks
        yield self._line(time_ns, text)

    def _line(self, time_ns: int, text: str) -> str:
        return f"{time_ns + self._feed_ns} {text}\n"


def _changes(before: Levels, now: Levels) -> list[tuple[int, int]]:
    """Levels that have other lots than before, those that are gone with none."""
    if before == now:
        return []
    gone = [(tick, 0) for tick in before if tick not in now]
    return gone + [(tick, lots) for tick, lots in now.items() if before.get(tick) != lots]

"""A tape: what recordings say happened at the exchanges, and when the strategy heard of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np

from market.errors import Fatal, MissingInput
from market.wire import records
from market.wire.records import Batch, Kind, Rows, Words
from sim.backtest.joining import (
    AHEAD_NS,
    IN_BAND,
    JOIN_WORDS,
    JOINED_WIDTH,
    LEAST_NS,
    RULE,
    SETTINGS_WORDS,
    TAKES_QUOTES,
    clear_join,
    join_records,
    settle_quotes,
)
from sim.backtest.layout import (
    ASKS,
    ASKS_START,
    BIDS,
    BIDS_START,
    EXCHANGE_NS,
    OPERATION_WIDTH,
    ORDERS,
    ORDERS_START,
    RECEIVE_NS,
    TAPE_KIND,
    TAPE_MARKET,
    TAPE_WIDTH,
    TapeKind,
)
from sim.backtest.order_tape import OrderColumns, order_clock_ahead_ns, placed_in_time, read_orders
from sim.recording.damage import Damage
from sim.replay.feed import FeedMarket
from sim.replay.packet_source import PacketSourceSettings
from sim.replay.source import SourceSettings

_BOOK_KINDS: Final = (TapeKind.DIFF, TapeKind.OLDER_DIFF, TapeKind.SNAPSHOT, TapeKind.GAP)
NO_OPERATIONS: Final[Rows] = np.zeros((0, OPERATION_WIDTH), dtype=np.int64)
_NO_LEVELS: Final[Rows] = np.zeros((0, 2), dtype=np.int64)
LEAST_LATENCY_NS: Final = 100_000
"""Latency of the fastest record where a recording's clocks say nothing about it."""


@dataclass(frozen=True)
class TapeClock:
    """How the exchange's clock is read.

    Parameters
    ----------
    ahead_ns: what the exchange's clock is ahead of the receiver's; None: measured on the recording, so that its
        fastest record took ``least_ns``. That uses the whole recording, and nothing but its clocks.
    least_ns: no record was on its way for less; at least 0.
    """

    ahead_ns: int | None = None
    least_ns: int = LEAST_LATENCY_NS


@dataclass(frozen=True)
class TapeMarket:
    """One market of a tape; ticks and lots are those of the recording.

    Parameters
    ----------
    most_orders: that stood at once, where the recording states every order; 0 where it does not.
    """

    source: str
    market: FeedMarket
    most_orders: int = 0


@dataclass(frozen=True, eq=False)
class Tape:
    """What ``core.BacktestCore`` plays.

    Parameters
    ----------
    rows: int64[n, layout.TAPE_WIDTH] in the order of the exchange's time; at one time in that of their receipt.
    received: int64[n], the rows in the order of their receipt.
    bids, asks: int64[m, 2], (tick, lots) of the rows' levels.
    operations: int64[k, layout.OPERATION_WIDTH], of the rows of single orders.
    markets: by their numbers in the rows. ahead_ns: by source, what its clock was ahead.
    damage: by source, what was wrong with its file. refused: by source, messages that could not be read.
    """

    rows: Rows
    received: Words
    bids: Rows
    asks: Rows
    markets: tuple[TapeMarket, ...]
    ahead_ns: tuple[tuple[str, int], ...]
    damage: tuple[tuple[str, Damage], ...] = ()
    refused: tuple[tuple[str, int], ...] = ()
    operations: Rows = field(default_factory=lambda: NO_OPERATIONS)

    @property
    def events(self) -> int:
        """Book levels, trades, and operations on single orders."""
        kinds = self.rows[:, TAPE_KIND]
        in_book = np.isin(kinds, _BOOK_KINDS)
        single = int(self.rows[kinds == TapeKind.ORDERS, ORDERS].sum())
        return int((kinds == TapeKind.TRADE).sum() + self.rows[in_book][:, [BIDS, ASKS]].sum()) + single

    def most_operations(self) -> dict[int, int]:
        """Of the largest transaction of each market that has any."""
        rows = self.rows[self.rows[:, TAPE_KIND] == TapeKind.ORDERS]
        return {
            int(number): int(rows[rows[:, TAPE_MARKET] == number, ORDERS].max())
            for number in np.unique(rows[:, TAPE_MARKET])
        }

    @property
    def first_ns(self) -> int:
        """When the first row was received."""
        return int(self.rows[self.received[0], RECEIVE_NS])

    @property
    def last_ns(self) -> int:
        """When the last row was received."""
        return int(self.rows[self.received[-1], RECEIVE_NS])

    def until(self, exchange_ns: int) -> Tape:
        """The tape as far as it had happened before a time; nothing that was received by then is missing."""
        kept = self.rows[:, EXCHANGE_NS] < exchange_ns
        number = np.cumsum(kept) - 1
        rows = np.ascontiguousarray(self.rows[kept])
        received = np.ascontiguousarray(number[self.received[kept[self.received]]])
        return replace(self, rows=rows, received=received)


@dataclass(frozen=True, eq=False)
class RecordedColumns:
    """A whole recording as a decoder writes it.

    Parameters
    ----------
    rows: int64[n, records.WIDTH]. bids, asks: int64[m, 2], referred to by them. damage: of the file.
    """

    rows: Rows
    bids: Rows
    asks: Rows
    damage: tuple[Damage, ...] = ()


def columns_of(batch: Batch) -> RecordedColumns:
    """A copy of a batch's columns."""
    return RecordedColumns(
        batch.filled().copy(),
        batch.bids[: int(batch.cursor[records.CURSOR_BIDS])].copy(),
        batch.asks[: int(batch.cursor[records.CURSOR_ASKS])].copy(),
    )


def read_columns(settings: SourceSettings) -> RecordedColumns:
    """Decode a whole recording; raises MissingInput when it cannot be read."""
    parts: list[RecordedColumns] = []
    bids = asks = 0
    source = settings.open()
    for batch in source.batches():
        part = columns_of(batch)
        part.rows[:, records.BIDS_START] += np.where(_has_levels(part.rows), bids, 0)
        part.rows[:, records.ASKS_START] += np.where(_has_levels(part.rows), asks, 0)
        bids, asks = bids + len(part.bids), asks + len(part.asks)
        parts.append(part)
    if not parts:
        raise MissingInput(f"{settings.path} holds no message")
    return RecordedColumns(
        np.concatenate([part.rows for part in parts]),
        np.concatenate([part.bids for part in parts]),
        np.concatenate([part.asks for part in parts]),
        tuple(source.damage),
    )


def read_tape(
    sources: Sequence[SourceSettings | PacketSourceSettings], clock: TapeClock | None = None, *, quotes: bool = False
) -> Tape:
    """A tape of recordings side by side; raises MissingInput for one that cannot be read or that holds no book.

    Parameters
    ----------
    sources: lines, or captures of packets that state every order.
    quotes: see ``make_tape``.
    """
    clock = _checked(clock)
    return _merged(
        [
            _line_part(source, read_columns(source), clock, quotes=quotes)
            if isinstance(source, SourceSettings)
            else _order_part(source, read_orders(source), clock)
            for source in sources
        ]
    )


def make_tape(
    sources: Sequence[tuple[SourceSettings, RecordedColumns]], clock: TapeClock | None = None, *, quotes: bool = False
) -> Tape:
    """A tape of decoded recordings; markets are numbered in the order of the sources, ties go to the first source.

    Parameters
    ----------
    quotes: whether best prices that venues state, where they number them like the book, hold at the exchange when they
        are newer than its depth; what a strategy hears first must not be news to the exchange.
    """
    clock = _checked(clock)
    return _merged([_line_part(source, columns, clock, quotes=quotes) for source, columns in sources])


@dataclass(frozen=True, eq=False)
class _Part:
    """One source of a tape: its rows in the order of their receipt, referring to its own levels and operations."""

    name: str
    rows: Rows
    bids: Rows
    asks: Rows
    operations: Rows
    markets: tuple[TapeMarket, ...]
    ahead_ns: int
    damage: tuple[Damage, ...]
    refused: int


def _checked(clock: TapeClock | None) -> TapeClock:
    clock = TapeClock() if clock is None else clock
    if clock.least_ns < 0:
        raise Fatal(f"the least latency was {clock.least_ns} ns; expected 0 or more")
    return clock


def _line_part(source: SourceSettings, columns: RecordedColumns, clock: TapeClock, *, quotes: bool) -> _Part:
    # What somebody adds to the times of receipt changes nothing at the exchange.
    least_ns = clock.least_ns + source.lag_ns
    ahead_ns = clock_ahead_ns(columns.rows, least_ns) if clock.ahead_ns is None else clock.ahead_ns
    return _Part(
        name=source.name,
        rows=_joined(source, columns.rows, ahead_ns, least_ns, quotes=quotes),
        bids=columns.bids,
        asks=columns.asks,
        operations=NO_OPERATIONS,
        markets=tuple(TapeMarket(source.name, market) for market in source.markets),
        ahead_ns=ahead_ns,
        damage=columns.damage,
        refused=int((columns.rows[:, records.KIND] == Kind.REJECTED).sum()),
    )


def _order_part(source: PacketSourceSettings, columns: OrderColumns, clock: TapeClock) -> _Part:
    least_ns = clock.least_ns + source.lag_ns
    ahead_ns = order_clock_ahead_ns(columns.rows, least_ns) if clock.ahead_ns is None else clock.ahead_ns
    rows = np.zeros((len(columns.rows), JOINED_WIDTH), dtype=np.int64)
    rows[:, :TAPE_WIDTH] = placed_in_time(columns.rows, ahead_ns, least_ns)
    return _Part(
        name=source.name,
        rows=rows,
        bids=_NO_LEVELS,
        asks=_NO_LEVELS,
        operations=columns.operations,
        markets=tuple(
            TapeMarket(source.name, market, most)
            for market, most in zip(source.markets, columns.most_orders, strict=True)
        ),
        ahead_ns=ahead_ns,
        damage=columns.damage,
        refused=columns.refused,
    )


def _merged(parts: Sequence[_Part]) -> Tape:
    rows: list[Rows] = []
    markets: list[TapeMarket] = []
    bids = asks = operations = 0
    for part in parts:
        own = part.rows
        in_book, single = np.isin(own[:, TAPE_KIND], _BOOK_KINDS), own[:, TAPE_KIND] == TapeKind.ORDERS
        own[:, TAPE_MARKET] += len(markets)
        own[:, BIDS_START] += np.where(in_book, bids, 0)
        own[:, ASKS_START] += np.where(in_book, asks, 0)
        own[:, ORDERS_START] += np.where(single, operations, 0)
        bids, asks, operations = bids + len(part.bids), asks + len(part.asks), operations + len(part.operations)
        rows.append(own)
        markets += part.markets
    joined = np.concatenate(rows)
    settle_quotes(joined, np.argsort(joined[:, EXCHANGE_NS], kind="stable"), len(markets))
    heard = np.ascontiguousarray(joined[joined[:, TAPE_KIND] != 0, :TAPE_WIDTH])
    played = np.argsort(heard[:, EXCHANGE_NS], kind="stable")
    place = np.empty(len(heard), dtype=np.int64)
    place[played] = np.arange(len(heard))
    return Tape(
        np.ascontiguousarray(heard[played]),
        np.ascontiguousarray(place[np.argsort(heard[:, RECEIVE_NS], kind="stable")]),
        np.concatenate([part.bids for part in parts]),
        np.concatenate([part.asks for part in parts]),
        tuple(markets),
        tuple((part.name, part.ahead_ns) for part in parts),
        tuple((part.name, damage) for part in parts for damage in part.damage),
        tuple((part.name, part.refused) for part in parts),
        np.concatenate([part.operations for part in parts]),
    )


def clock_ahead_ns(rows: Rows, least_ns: int) -> int:
    """What the clock of the events was ahead of the receiver's if the fastest record took a time; 0 without times."""
    timed = rows[(rows[:, records.EVENT_NS] > 0) & np.isin(rows[:, records.KIND], (Kind.DIFF, Kind.TRADE))]
    if not len(timed):
        return 0
    return int((timed[:, records.EVENT_NS] - timed[:, records.RECEIVE_NS]).max()) + least_ns


def _joined(source: SourceSettings, rows: Rows, ahead_ns: int, least_ns: int, *, quotes: bool) -> Rows:
    """Rows of a tape in the order of their receipt, markets by their number in the source."""
    settings = np.zeros(SETTINGS_WORDS, dtype=np.int64)
    settings[AHEAD_NS], settings[LEAST_NS] = ahead_ns, least_ns
    settings[TAKES_QUOTES] = quotes and source.venue.numbered
    joins = np.zeros((len(source.markets), JOIN_WORDS), dtype=np.int64)
    joins[:, RULE], joins[:, IN_BAND] = int(source.venue.rule), int(source.venue.in_band)
    clear_join(joins)
    tape = np.zeros((2 * len(rows) + 1, JOINED_WIDTH), dtype=np.int64)
    count = join_records(rows, settings, joins, tape)
    if not (tape[:count, TAPE_KIND] == TapeKind.SNAPSHOT).any():
        raise MissingInput(f"{source.path} holds no snapshot that its updates continue: there is no book to trade in")
    return tape[:count]


def _has_levels(rows: Rows) -> Words:
    return np.asarray(np.isin(rows[:, records.KIND], (Kind.DIFF, Kind.SNAPSHOT)), dtype=np.int64)

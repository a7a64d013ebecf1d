"""The market signals of one source's records, sampled on a grid of time.

A stage of its own beside the decisions: it has its own books, reads decoded batches and writes nothing that the engine
sees, so no decision can depend on whether it runs, on when, or on which thread.

Grid: moments that are whole multiples of the interval. A market is sampled at the first moment after each of its
records, with what was received before that moment; windows end there. Moments without a record of the market since
the one before have no sample, so a quiet market costs nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from market.book.book import BOOK_WORDS
from market.errors import Fatal
from market.native.kernel import entry, inline, shared
from market.native.memory import address_of, cycle_counter, get, put
from market.pipeline.intake import repeats_trade
from market.pipeline.samples import Samples
from market.protocols import FeedSource, MarketKey
from market.signals.counters import Counter, read_counters
from market.signals.layout import NOW, Values, new_values
from market.signals.outputs import WIDTH
from market.signals.reading import read, read_once
from market.signals.record_intake import take_signal_record
from market.signals.streaming import SignalSettings, advance, new_state
from market.wire.records import IGNORED, KIND, MARKET, RECEIVE_NS, REJECTED, TRADE, Batch, Rows, Words
from market.wire.records import WIDTH as RECORD_WIDTH

# Words of the stage, then one row per market of the source.
_INTERVAL: Final = 0
_CLOCK: Final = 1
"""Newest receive time so far."""
_RECORDS: Final = 2
_TICKS: Final = 3
"""Ticks of the time-stamp counter that all batches took."""
_MARKETS: Final = 4
_ROWS: Final = 8
_STATE: Final = 0
"""Address of the market's signals, 0 when it has none."""
_DUE: Final = 1
"""Moment of the next sample, 0 when none is due."""
_ROW: Final = 2


@inline
def _market_row(stage: int, market: int) -> int:
    return stage + 8 * (_ROWS + _ROW * market)


@shared
def _sample(place: int, market: int, values: Values, stamps: Rows, row: int) -> None:
    """Read a market's signals as of the moment that was due."""
    due = get(place, _DUE)
    put(place, _DUE, 0)
    advance(get(place, _STATE), due)
    read(get(place, _STATE), values, row)
    stamps[row, 0] = due
    stamps[row, 1] = market


@entry(
    "int64(int64[::1], int64[::1], int64[:, ::1], int64, int64[:, ::1], int64[:, ::1], float64[:, ::1], int64[:, ::1])"
)
def sample_batch(
    stage: Words, books: Words, records: Rows, count: int, bids: Rows, asks: Rows, values: Values, stamps: Rows
) -> int:
    """Take a batch into books and signals; returns the number of samples.

    Parameters
    ----------
    records, count, bids, asks: the batch.
    values, stamps: float64[n, WIDTH] and int64[n, 2], filled with the samples and their (moment, market); n is at
        least the records and markets together, since each record and the end of the batch give a market one at most.
    """
    start = cycle_counter()
    base, rows, markets = address_of(stage), address_of(records), stage[_MARKETS]
    used = 0
    for index in range(count):
        row = rows + 8 * RECORD_WIDTH * index
        kind, market = get(row, KIND), get(row, MARKET)
        if kind == REJECTED:
            continue
        clock = max(get(base, _CLOCK), get(row, RECEIVE_NS))
        put(base, _CLOCK, clock)
        if kind == IGNORED or market < 0 or market >= markets or get(_market_row(base, market), _STATE) == 0:
            continue
        place = _market_row(base, market)
        if get(place, _DUE) != 0 and clock >= get(place, _DUE):
            _sample(place, market, values, stamps, used)
            used += 1
        if get(place, _DUE) == 0:
            put(place, _DUE, (clock // get(base, _INTERVAL) + 1) * get(base, _INTERVAL))
        book = address_of(books) + 8 * BOOK_WORDS * market
        if kind != TRADE or not repeats_trade(book, row):
            take_signal_record(get(place, _STATE), book, row, address_of(bids), address_of(asks))
    for market in range(markets):
        place = _market_row(base, market)
        if get(place, _DUE) != 0 and get(base, _CLOCK) >= get(place, _DUE):
            _sample(place, market, values, stamps, used)
            used += 1
    put(base, _RECORDS, get(base, _RECORDS) + count)
    put(base, _TICKS, get(base, _TICKS) + cycle_counter() - start)
    return used


@dataclass(frozen=True)
class SignalPlan:
    """Which markets have signals, and how often they are sampled.

    Parameters
    ----------
    interval_ns: of the grid, above 0.
    settings: by instrument and venue; a market that is not listed has none.
    """

    interval_ns: int
    settings: Mapping[MarketKey, SignalSettings]

    def __post_init__(self) -> None:
        if self.interval_ns < 1:
            raise Fatal(f"the interval of signal samples was {self.interval_ns} ns: must be at least 1 ns")


@dataclass(frozen=True)
class FinalSignals:
    """A market's signals as of its last record or sample, whichever came later.

    Parameters
    ----------
    key: instrument and venue. time_ns: newest time that its signals saw, 0 without a record.
    values: float64[WIDTH], columns as ``Output`` says.
    """

    key: MarketKey
    source: str
    symbol: str
    price_decimals: int
    quantity_decimals: int
    time_ns: int
    values: Values
    counters: Mapping[Counter, int]


class SignalStage:
    """The signals of one source's markets; about 6 MB for each that has any, book included."""

    def __init__(self, source: FeedSource, plan: SignalPlan) -> None:
        self._source = source
        keys = [(route.instrument, route.venue) if route is not None else None for route in source.routes]
        self._states = {
            market: new_state(plan.settings[key])
            for market, key in enumerate(keys)
            if key is not None and key in plan.settings
        }
        self._books = source.new_books() if self._states else np.zeros(0, dtype=np.int64)
        self._stage: Words = np.zeros(_ROWS + _ROW * len(keys), dtype=np.int64)
        self._stage[_INTERVAL], self._stage[_MARKETS] = plan.interval_ns, len(keys)
        for market, state in self._states.items():
            self._stage[_ROWS + _ROW * market + _STATE] = state.ctypes.data
        self._columns = np.array(
            [
                (*(key or (-1, -1)), market.price_decimals, market.quantity_decimals)
                for key, market in zip(keys, source.markets, strict=True)
            ],
            dtype=np.int64,
        ).reshape(-1, 4)
        self._values = new_values(0, WIDTH)

    def take(self, batch: Batch) -> Samples:
        """Take the source's next batch and return the samples that it completed, by time within each market."""
        room = batch.count + len(self._columns)
        if len(self._values) < room:
            self._values = new_values(room, WIDTH)
        stamps: Rows = np.zeros((room, 2), dtype=np.int64)
        used = sample_batch(
            self._stage, self._books, batch.records, batch.count, batch.bids, batch.asks, self._values, stamps
        )
        instruments, venues, price_decimals, quantity_decimals = self._columns[stamps[:used, 1]].T
        values = self._values[:used].copy()
        return Samples(stamps[:used, 0], instruments, venues, price_decimals, quantity_decimals, values)

    @property
    def clock_ns(self) -> int:
        """Newest receive time so far; samples that are still to come lie after it."""
        return int(self._stage[_CLOCK])

    @property
    def records(self) -> int:
        """Records taken."""
        return int(self._stage[_RECORDS])

    @property
    def ticks(self) -> int:
        """Ticks of the time-stamp counter that they took."""
        return int(self._stage[_TICKS])

    def final(self) -> list[FinalSignals]:
        """The signals of every market that has any, as of now."""
        return [self._final(market) for market in self._states]

    def _final(self, number: int) -> FinalSignals:
        state, market = self._states[number], self._source.markets[number]
        values = new_values(1, WIDTH)
        read_once(state, values)
        instrument, venue = (int(part) for part in self._columns[number, :2])
        return FinalSignals(
            key=(instrument, venue),
            source=self._source.name,
            symbol=market.symbol,
            price_decimals=market.price_decimals,
            quantity_decimals=market.quantity_decimals,
            time_ns=int(state[NOW]),
            values=values[0],
            counters=read_counters(state),
        )

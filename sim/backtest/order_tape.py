"""Captures of single orders as columns of a tape."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final

import numpy as np

from market.book.order_book import BUFFER_ROWS, new_order_books, order_book_words
from market.book.order_stream import OrderFormat, OrderStream
from market.errors import MissingInput, Rejected
from market.wire import order_records
from market.wire.instruments import instrument_table
from market.wire.order_records import OrderKind
from market.wire.packet_stream import pack_payloads
from market.wire.records import Batch, Rows, Words
from sim.backtest.layout import (
    EXCHANGE_NS,
    OPERATION_WIDTH,
    ORDERS_START,
    RECEIVE_NS,
    TAPE_KIND,
    TAPE_MARKET,
    TAPE_ORDERS,
    TAPE_WIDTH,
)
from sim.backtest.order_joining import (
    MOST_ORDERS,
    OUT_USED,
    STAGED_ROWS,
    STAGED_WIDTH,
    TAPE_USED,
    join_orders,
    market_words,
    new_desk,
)
from sim.capture import Datagram, read_datagrams
from sim.recording.damage import Damage, DamageReason
from sim.replay.capture_format import CaptureFormat
from sim.replay.packet_source import PACKETS_PER_TAKE, PacketSourceSettings

ORDER_FORMATS: Final = {
    CaptureFormat.STARBASE: OrderFormat.STARBASE,
    CaptureFormat.COINBASE_DERIVATIVES: OrderFormat.COINBASE_DERIVATIVES,
}
_TAPE_ROWS: Final = 1 << 15


@dataclass(frozen=True, eq=False)
class OrderColumns:
    """A whole capture of single orders, joined.

    Parameters
    ----------
    rows: int64[n, TAPE_WIDTH] in the order of their receipt, with the venue's own times, 0 where it states none.
    operations: int64[k, OPERATION_WIDTH], of the rows. most_orders: of each market, that stood at once.
    damage: of the file. refused: messages that could not be read.
    """

    rows: Rows
    operations: Rows
    most_orders: tuple[int, ...]
    damage: tuple[Damage, ...]
    refused: int


class _OrderRows(OrderStream):
    """The rows of single orders that the packets of a capture hold, before any book."""

    def __init__(self, form: OrderFormat, settings: PacketSourceSettings) -> None:
        super().__init__(form, settings.markets, capacity=1)
        self.taken: list[Rows] = []

    def _apply(self, batch: Batch) -> int:
        self.taken.append(self._rows.filled()[self._row :].copy())
        return self._rows.count


class _Joiner:
    """Books of all markets, and what became of them."""

    def __init__(self, settings: PacketSourceSettings) -> None:
        self._count = len(settings.markets)
        self._words = order_book_words(settings.capacity)
        self._books = new_order_books(self._count, settings.capacity)
        self._instruments = instrument_table(settings.markets)
        self._desk: Words = new_desk(self._count)
        self._staged: Rows = np.zeros((STAGED_ROWS, STAGED_WIDTH), dtype=np.int64)
        room = 2 * STAGED_ROWS + BUFFER_ROWS + settings.capacity
        self._operations: Rows = np.zeros((room, OPERATION_WIDTH), dtype=np.int64)
        self._tape: Rows = np.zeros((_TAPE_ROWS + 2 * self._count, TAPE_WIDTH), dtype=np.int64)
        self.operations: list[Rows] = []
        self.tape: list[Rows] = []
        self._written = 0

    def take(self, rows: Rows) -> None:
        """Join further rows."""
        first = 0
        while first < len(rows):
            first = join_orders(
                rows,
                first,
                self._books,
                self._count,
                self._words,
                self._instruments,
                self._desk,
                self._staged,
                self._operations,
                self._tape,
            )
            tape = self._tape[: self._desk[TAPE_USED]].copy()
            tape[:, ORDERS_START] += self._written
            self.tape.append(tape)
            self.operations.append(self._operations[: self._desk[OUT_USED]].copy())
            self._written += len(self.operations[-1])

    @property
    def most_orders(self) -> tuple[int, ...]:
        """That stood at once, of each market."""
        return tuple(market_words(self._desk, self._count)[:, MOST_ORDERS].tolist())


def states_orders(settings: PacketSourceSettings) -> bool:
    """Whether a capture states every order."""
    return settings.form in ORDER_FORMATS


def read_orders(settings: PacketSourceSettings) -> OrderColumns:
    """Decode and join a whole capture; raises MissingInput when it cannot be read or a book is never known."""
    stream, joiner, batch = _OrderRows(ORDER_FORMATS[settings.form], settings), _Joiner(settings), Batch()
    damage: list[Damage] = []
    datagrams, line, refused = _datagrams(settings, damage), 1, 0
    while taken := list(islice(datagrams, PACKETS_PER_TAKE)):
        times = [datagram.time_ns + settings.lag_ns for datagram in taken]
        stream.take(pack_payloads([datagram.payload for datagram in taken], times, line))
        stream.fill(batch)
        line += len(taken)
        for rows in stream.taken:
            refused += int((rows[:, order_records.KIND] == OrderKind.REJECTED).sum())
            joiner.take(rows)
        stream.taken.clear()
    rows = np.concatenate([np.zeros((0, TAPE_WIDTH), dtype=np.int64), *joiner.tape])
    if not ((rows[:, TAPE_KIND] == TAPE_ORDERS) & (rows[:, 6] != 0)).any():
        raise MissingInput(f"{settings.path} holds no snapshot that its updates continue: there is no book to trade in")
    operations = np.concatenate([np.zeros((0, OPERATION_WIDTH), dtype=np.int64), *joiner.operations])
    return OrderColumns(rows, operations, joiner.most_orders, tuple(damage), refused)


def _datagrams(settings: PacketSourceSettings, damage: list[Damage]) -> Iterator[Datagram]:
    try:
        yield from read_datagrams(settings.path)
    except Rejected as error:
        damage.append(Damage(DamageReason.CORRUPT, None, None, str(error)))


def order_clock_ahead_ns(rows: Rows, least_ns: int) -> int:
    """What the clock of the venue was ahead of the receiver's if the fastest row took a time; 0 without times."""
    timed = rows[rows[:, EXCHANGE_NS] > 0]
    if not len(timed):
        return 0
    return int((timed[:, EXCHANGE_NS] - timed[:, RECEIVE_NS]).max()) + least_ns


def placed_in_time(rows: Rows, ahead_ns: int, least_ns: int) -> Rows:
    """The rows with the receiver's time of what happened: ``least_ns`` before receipt at the latest, never back."""
    placed = rows.copy()
    placed[:, RECEIVE_NS] = np.maximum.accumulate(rows[:, RECEIVE_NS])
    latest = placed[:, RECEIVE_NS] - least_ns
    stated = np.where(rows[:, EXCHANGE_NS] > 0, rows[:, EXCHANGE_NS] - ahead_ns, latest)
    placed[:, EXCHANGE_NS] = np.minimum(stated, latest)
    for market in np.unique(rows[:, TAPE_MARKET]):
        own = rows[:, TAPE_MARKET] == market
        placed[own, EXCHANGE_NS] = np.maximum.accumulate(placed[own, EXCHANGE_NS])
    return placed

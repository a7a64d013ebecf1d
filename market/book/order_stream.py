"""Order-by-order multicast as a stream of quotes and trades, with the books inside."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Final

import numpy as np

from market.book import order_book as header
from market.book.order_book import new_order_books, order_book_words
from market.book.order_intake import new_desk, take_orders
from market.errors import Fatal
from market.native.counter import read_cycle_counter
from market.wire import coinbase_derivatives, deribit_starbase
from market.wire.binary import BinaryBatch, Bytes, Rows, Words
from market.wire.channels import ChannelTotals, channel_totals, new_channels
from market.wire.instruments import Instrument, instrument_table
from market.wire.order_output import HAND_WORDS, new_market_words
from market.wire.order_packets import COINBASE, ROWS_PER_MESSAGE, STARBASE, take_order_packets
from market.wire.order_records import OrderBatch
from market.wire.packet_stream import OrderBookTotals, Payloads
from market.wire.records import Batch

PACKETS_PER_CALL: Final = 512
MESSAGES_PER_PACKET: Final = 4096
"""More than the smallest messages that a UDP datagram has room for."""
ORDERS_PER_BOOK: Final = 1 << 15


class OrderFormat(Enum):
    """Formats whose packets carry single orders."""

    STARBASE = STARBASE
    COINBASE_DERIVATIVES = COINBASE


_NEW_BATCH: Final[dict[OrderFormat, Callable[[int], BinaryBatch]]] = {
    OrderFormat.STARBASE: deribit_starbase.new_batch,
    OrderFormat.COINBASE_DERIVATIVES: coinbase_derivatives.new_batch,
}
_DECODE: Final[dict[OrderFormat, Callable[[Bytes, Words, BinaryBatch], int]]] = {
    OrderFormat.STARBASE: deribit_starbase.decode_packets,
    OrderFormat.COINBASE_DERIVATIVES: coinbase_derivatives.decode_packets,
}


class OrderStream:
    """Quotes and trades of the given instruments.

    Parameters
    ----------
    instruments: their order gives the market numbers of the records.
    capacity: orders per book; one more gives the book up until a snapshot that fits.
    """

    def __init__(self, form: OrderFormat, instruments: tuple[Instrument, ...], capacity: int = ORDERS_PER_BOOK) -> None:
        if capacity < 1:
            raise Fatal(f"a book needs room for orders, was {capacity}")
        self._form = form
        self._words = order_book_words(capacity)
        self._count = len(instruments)
        self._table = instrument_table(instruments)
        self._books = new_order_books(self._count, capacity)
        self._desk = new_desk(self._count)
        self._markets = new_market_words(self._count)
        self._channels = new_channels()
        self._scratch = np.zeros(2, dtype=np.int64)
        self._hand = np.zeros(HAND_WORDS, dtype=np.int64)
        self._decoded = _NEW_BATCH[form](PACKETS_PER_CALL)
        self._rows = OrderBatch(ROWS_PER_MESSAGE * MESSAGES_PER_PACKET + self._count + 1)
        self._payloads: Payloads | None = None
        self._start = self._decoded_count = self._packet = self._row = self._cycles = 0

    def take(self, payloads: Payloads) -> None:
        """Begin with further payloads; those before must have been used up."""
        self._payloads = payloads
        self._start = self._decoded_count = self._packet = self._row = self._rows.count = 0

    def fill(self, batch: Batch) -> bool:
        """Write records behind those that the batch holds; whether the payloads are used up."""
        if len(batch.records) < 2 + self._count:
            raise Fatal(f"a batch must hold a record per instrument and two, was {len(batch.records)}")
        while self._payloads is not None:
            if self._row == self._rows.count and not self._bridge(self._payloads):
                self._payloads = None
                break
            self._row = self._apply(batch)
            if self._row < self._rows.count:
                return False
        return True

    def _bridge(self, payloads: Payloads) -> bool:
        """Turn the next packets into rows; whether there were any packets."""
        if self._packet == self._decoded_count and not self._decode(payloads):
            return False
        self._packet = take_order_packets(
            self._form.value,
            payloads.buffer,
            payloads.bounds[self._start :],
            payloads.times[self._start :],
            self._decoded.packets,
            self._decoded.rows,
            self._table,
            self._markets,
            self._channels,
            self._scratch,
            self._hand,
            self._rows.rows,
            self._packet,
            self._decoded_count,
            payloads.first_line + self._start,
            self._cycles,
        )
        self._rows.count = int(self._hand[1])
        self._row = 0
        return True

    def _decode(self, payloads: Payloads) -> bool:
        self._start += self._decoded_count
        self._packet = self._decoded_count = 0
        if self._start == payloads.count:
            return False
        before = read_cycle_counter()
        self._decoded_count = _DECODE[self._form](payloads.buffer, payloads.bounds[self._start :], self._decoded)
        self._cycles = (read_cycle_counter() - before) // self._decoded_count
        return True

    def _apply(self, batch: Batch) -> int:
        return take_orders(
            self._rows.rows,
            self._row,
            self._rows.count,
            self._books,
            self._count,
            self._words,
            self._table,
            self._desk,
            batch.records,
            batch.bids,
            batch.asks,
            batch.cursor,
        )

    @property
    def channels(self) -> ChannelTotals:
        """What the channels carried so far."""
        return channel_totals(self._channels)

    @property
    def book_headers(self) -> Rows:
        """View of the books' headers, one row per instrument; columns as ``market.book.order_book`` names them."""
        return self._books.reshape(self._count, self._words)[:, : header.HEADER_WORDS]

    @property
    def books(self) -> OrderBookTotals:
        """State of the books."""
        rows = self.book_headers
        used = rows[(rows[:, header.UPDATES] > 0) | (rows[:, header.BUFFERED] > 0) | (rows[:, header.STARTED] > 0)]

        def total(counter: int) -> int:
            return int(rows[:, counter].sum())

        return OrderBookTotals(
            books=len(used),
            synchronised=bool(len(used) and used[:, header.SYNCHRONISED].all()),
            snapshots=total(header.SNAPSHOTS),
            updates=total(header.UPDATES),
            gaps=total(header.GAPS),
            resyncs=total(header.RESYNCS),
            stale=total(header.STALE),
            overflows=total(header.OVERFLOWS),
        )

"""Deribit's legacy multicast as a stream of records."""

from __future__ import annotations

import numpy as np

from market.errors import Fatal
from market.native.counter import read_cycle_counter
from market.wire.channels import ChannelTotals, channel_totals, new_channels
from market.wire.deribit_legacy import decode_packets, new_batch
from market.wire.deribit_packets import take_packets
from market.wire.deribit_records import STATE_WORDS
from market.wire.instruments import Instrument, instrument_table
from market.wire.packet_stream import LEVELS_PER_BATCH, RECORDS_PER_BATCH, OrderBookTotals, Payloads
from market.wire.pieces import new_pieces
from market.wire.records import Batch

PACKETS_PER_CALL = 512


class DeribitStream:
    """Records of the given instruments; messages of others are records that say so.

    Parameters
    ----------
    instruments: their order gives the market numbers of the records.
    """

    def __init__(self, instruments: tuple[Instrument, ...]) -> None:
        self._table = instrument_table(instruments)
        self._states = np.zeros(max(1, STATE_WORDS * len(instruments)), dtype=np.int64)
        self._channels = new_channels()
        self._pieces = new_pieces()
        self._groups = np.zeros(3, dtype=np.int64)
        self._decoded = new_batch(PACKETS_PER_CALL)
        self._payloads: Payloads | None = None
        self._start = self._count = self._position = self._cycles = 0

    def take(self, payloads: Payloads) -> None:
        """Begin with further payloads; those before must have been used up."""
        self._payloads = payloads
        self._start = self._count = self._position = 0

    def fill(self, batch: Batch) -> bool:
        """Write records behind those that the batch holds; whether the payloads are used up."""
        if len(batch.records) < RECORDS_PER_BATCH or min(len(batch.bids), len(batch.asks)) < LEVELS_PER_BATCH:
            raise Fatal(f"a batch must hold {RECORDS_PER_BATCH} records and {LEVELS_PER_BATCH} levels")
        while self._payloads is not None:
            if self._position == self._count and not self._decode(self._payloads):
                self._payloads = None
                break
            self._position = self._bridge(self._payloads, batch)
            if self._position < self._count:
                return False
        return True

    def _decode(self, payloads: Payloads) -> bool:
        """Decode the next payloads; whether there are any."""
        self._start += self._count
        self._position = self._count = 0
        if self._start == payloads.count:
            return False
        before = read_cycle_counter()
        self._count = decode_packets(payloads.buffer, payloads.bounds[self._start :], self._decoded)
        self._cycles = (read_cycle_counter() - before) // self._count
        return True

    def _bridge(self, payloads: Payloads, batch: Batch) -> int:
        changes, levels, trades = self._decoded.entries
        return take_packets(
            payloads.times[self._start :],
            self._decoded.packets,
            self._decoded.rows,
            changes,
            levels,
            trades,
            self._table,
            self._states,
            self._channels,
            self._pieces,
            self._groups,
            batch.records,
            batch.bids,
            batch.asks,
            batch.cursor,
            self._position,
            self._count,
            payloads.first_line + self._start,
            self._cycles,
        )

    @property
    def channels(self) -> ChannelTotals:
        """What the channels carried so far."""
        return channel_totals(self._channels)

    @property
    def books(self) -> OrderBookTotals | None:
        """None: the records are book updates."""
        return None

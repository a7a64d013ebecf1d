"""Payloads of multicast packets in, batches of records out: what every binary format's stream has in common."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from market.wire.binary import Bytes, Words, pack
from market.wire.channels import ChannelTotals
from market.wire.records import Batch

RECORDS_PER_BATCH = 8192
LEVELS_PER_BATCH = 32768
"""A batch of this size holds the records of any one packet."""


@dataclass(frozen=True)
class Payloads:
    """Payloads in order of arrival.

    Parameters
    ----------
    buffer: uint8[n], payload i is ``buffer[bounds[i]:bounds[i + 1]]``. bounds: int64[count + 1].
    times: int64[count], receive times in ns.
    first_line: number of the first of them in its capture, from 1.
    """

    buffer: Bytes
    bounds: Words
    times: Words
    first_line: int

    @property
    def count(self) -> int:
        """How many payloads there are."""
        return len(self.times)


def pack_payloads(payloads: Sequence[bytes], times: Sequence[int], first_line: int) -> Payloads:
    """Payloads and their receive times as arrays."""
    buffer, bounds = pack(list(payloads))
    return Payloads(buffer, bounds, np.array(times, dtype=np.int64), first_line)


@dataclass(frozen=True)
class OrderBookTotals:
    """State of the books of a stream that keeps its own.

    Parameters
    ----------
    synchronised: whether every book that had a snapshot or updates is. gaps, resyncs: of all books.
    stale: updates that a snapshot already held. overflows: orders that found no room.
    """

    books: int
    synchronised: bool
    snapshots: int
    updates: int
    gaps: int
    resyncs: int
    stale: int
    overflows: int


class PacketStream(Protocol):
    """Turns payloads into records; keeps sequence numbers, unfinished snapshots and the like between calls."""

    def take(self, payloads: Payloads) -> None:
        """Begin with further payloads; those before must have been used up."""

    def fill(self, batch: Batch) -> bool:
        """Write records behind those that the batch holds; whether the payloads are used up."""

    @property
    def channels(self) -> ChannelTotals:
        """What the channels carried so far."""

    @property
    def books(self) -> OrderBookTotals | None:
        """State of the stream's own books; None for a stream whose records are book updates."""

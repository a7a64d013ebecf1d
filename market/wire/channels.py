"""Packet sequence numbers of multicast channels: what is new, what came twice, what is missing.

All lines of a channel (A and B) share one expected number: a lower one is a duplicate, a higher one a gap after which
the sequence goes on from the higher number. Where messages are numbered, lines may group them differently: a packet
that begins before the expected number and ends behind it is taken, less the messages that were there.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

import numpy as np

from market.native.kernel import inline, part
from market.native.memory import get, put
from market.wire.records import Words


class Order(IntEnum):
    """How a packet stands in its channel's sequence."""

    NEXT = 0
    GAP = 1
    DUPLICATE = 2
    CROWDED = 3
    """The channel is one more than the table holds."""


NEXT: Final = int(Order.NEXT)
GAP: Final = int(Order.GAP)
DUPLICATE: Final = int(Order.DUPLICATE)
CROWDED: Final = int(Order.CROWDED)

SLOTS: Final = 512
SNAPSHOTS: Final = 1 << 40
"""Added to the number of a channel to name the snapshots on it."""
_KEY: Final = 0
"""Channel number + 1, 0 in a free slot."""
_EXPECTED: Final = 1
_PACKETS: Final = 2
_GAPS: Final = 3
_MISSING: Final = 4
_DUPLICATES: Final = 5
_HEARTBEATS: Final = 6
_SINCE: Final = 7
"""Number from which on nothing is missing."""
_ROW: Final = 8


@dataclass(frozen=True)
class ChannelTotals:
    """What all channels of a source carried.

    Parameters
    ----------
    packets: taken, duplicates not among them. heartbeats: those without a message.
    gaps: times that packets were missing. missing: sequence numbers that were.
    """

    channels: int
    packets: int
    heartbeats: int
    gaps: int
    missing: int
    duplicates: int


def new_channels() -> Words:
    """A table without channels."""
    return np.zeros(SLOTS * _ROW, dtype=np.int64)


def channel_totals(table: Words) -> ChannelTotals:
    """The sum over all channels."""
    rows = table.reshape(SLOTS, _ROW)
    sums = rows.sum(axis=0)
    return ChannelTotals(
        channels=int((rows[:, _KEY] != 0).sum()),
        packets=int(sums[_PACKETS]),
        heartbeats=int(sums[_HEARTBEATS]),
        gaps=int(sums[_GAPS]),
        missing=int(sums[_MISSING]),
        duplicates=int(sums[_DUPLICATES]),
    )


@inline
def _find(table: int, channel: int) -> int:
    """Address of a channel's row, a free one if it is new, 0 if there is none."""
    slot = channel & (SLOTS - 1)
    for _ in range(SLOTS):
        row = table + 8 * _ROW * slot
        if get(row, _KEY) == channel + 1 or get(row, _KEY) == 0:
            return row
        slot = (slot + 1) & (SLOTS - 1)
    return 0


@inline
def _add(row: int, word: int, amount: int) -> None:
    put(row, word, get(row, word) + amount)


@part
def take_sequence(table: int, channel: int, sequence: int, count: int, modulus: int, is_empty: bool) -> tuple[int, int]:
    """Place a packet in its channel's sequence; an ``Order``, and how many of its numbers were there before.

    Parameters
    ----------
    sequence: of the packet or of its first message. count: numbers that the packet uses up.
    modulus: at which numbers begin again from 0, a power of two; 0 if they never do.
    is_empty: whether the packet is a heartbeat.
    """
    row = _find(table, channel)
    if row == 0:
        return CROWDED, 0
    ahead = 0
    if get(row, _KEY) != 0:
        ahead = sequence - get(row, _EXPECTED)
        if modulus != 0:
            ahead = ((ahead + modulus // 2) & (modulus - 1)) - modulus // 2
    if ahead < 0 and ahead + count <= 0:
        _add(row, _DUPLICATES, 1)
        return DUPLICATE, count
    if get(row, _KEY) == 0 or ahead > 0:
        put(row, _SINCE, sequence)
    put(row, _KEY, channel + 1)
    put(row, _EXPECTED, (sequence + count) & (modulus - 1) if modulus != 0 else sequence + count)
    _add(row, _PACKETS, 1)
    _add(row, _HEARTBEATS, 1 if is_empty else 0)
    if ahead <= 0:
        return NEXT, -ahead
    _add(row, _GAPS, 1)
    _add(row, _MISSING, ahead)
    return GAP, 0


@inline
def complete_since(table: int, channel: int) -> int:
    """Number from which on a channel's messages are complete, -1 if none came yet."""
    row = _find(table, channel)
    return get(row, _SINCE) if row != 0 and get(row, _KEY) != 0 else -1


@part
def take_snapshot_sequence(table: int, channel: int, sequence: int, count: int) -> int:
    """Place a packet of snapshots, which are numbered by themselves or by the update that they include.

    The same number as before or the one after the packet before is NEXT, a lower one a DUPLICATE; with a higher one
    (GAP) a snapshot that is being read may lack a part, but nothing is counted as missing.
    """
    row = _find(table, SNAPSHOTS + channel)
    if row == 0:
        return CROWDED
    known = get(row, _KEY) != 0
    if known and sequence < get(row, _SINCE):
        _add(row, _DUPLICATES, 1)
        return DUPLICATE
    follows = not known or sequence == get(row, _SINCE) or sequence == get(row, _EXPECTED)
    put(row, _KEY, SNAPSHOTS + channel + 1)
    put(row, _SINCE, sequence)
    put(row, _EXPECTED, sequence + count)
    _add(row, _PACKETS, 1)
    return NEXT if follows else GAP

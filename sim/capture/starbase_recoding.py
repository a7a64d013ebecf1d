"""L2 updates re-encoded as Deribit Starbase packets, an invented order standing for each price level.

What comes out is re-encoded market data with invented order ids: the tops of book are those of the updates, queues are
not. It exists to carry real markets through the L3 books.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from market.wire.sbe import encode, encode_packet, load_schema
from market.wire.schemas import DERIBIT_STARBASE

_SCHEMA: Final = load_schema(DERIBIT_STARBASE)
_START, _END = 1, 2
_INCREMENTAL, _SNAPSHOT = 1, 2
MESSAGES_PER_PACKET: Final = 20
Level = tuple[int, int]
"""Price in ticks, quantity in lots; 0 removes."""


class StarbaseRecoder:
    """One instrument's updates as packets of one channel.

    Parameters
    ----------
    instrument: number on the wire. price_decimals: of ticks, at most 9. Quantity mantissas are the lots.
    """

    def __init__(self, instrument: int, price_decimals: int, *, channel: int = 1, first_sequence: int = 1) -> None:
        self._instrument = instrument
        self._scale = 10 ** (9 - price_decimals)
        self._channel = channel
        self._sequence = first_sequence
        self._orders: dict[tuple[str, int], tuple[int, int]] = {}
        self._identifier = 0

    def update(self, time_ns: int, bids: Sequence[Level], asks: Sequence[Level]) -> Iterator[bytes]:
        """The packets of one transaction that makes these changes; a heartbeat if it changes nothing."""
        changes = [*(("Bid", *level) for level in bids), *(("Ask", *level) for level in asks)]
        drafts = [draft for side, tick, lots in changes if (draft := self._change(side, tick, lots)) is not None]
        for start in range(0, max(1, len(drafts)), MESSAGES_PER_PACKET):
            piece = drafts[start : start + MESSAGES_PER_PACKET]
            messages = [
                self._message(name, values, time_ns, self._flags(start + place, len(drafts)))
                for place, (name, values) in enumerate(piece)
            ]
            yield self._packet(time_ns, messages, _INCREMENTAL, self._sequence)
            self._sequence += len(messages)

    def snapshot(self, time_ns: int) -> Iterator[bytes]:
        """The packets of a snapshot of now."""
        last = self._sequence - 1
        head = {"incrementalTimestamp": time_ns, "incrementalSeqNum": last}
        drafts = [("SnapshotHeader", head)]
        drafts += [self._put(side, tick, *order) for (side, tick), order in self._orders.items()]
        drafts.append(("SnapshotTrailer", {"timestamp": time_ns, "incrementSeqNum": last}))
        for start in range(0, len(drafts), MESSAGES_PER_PACKET):
            piece = drafts[start : start + MESSAGES_PER_PACKET]
            messages = [self._message(name, values, time_ns, 0) for name, values in piece]
            yield self._packet(time_ns, messages, _SNAPSHOT, last)

    def _change(self, side: str, tick: int, lots: int) -> tuple[str, dict[str, int]] | None:
        """The message that gives a level its quantity; None if there is nothing to say."""
        known = self._orders.get((side, tick))
        if lots == 0:
            if known is None:
                return None
            del self._orders[side, tick]
            return f"{side}Delete", {"orderId": known[0]}
        if known is None:
            self._identifier += 1
            self._orders[side, tick] = (self._identifier, lots)
            return self._put(side, tick, self._identifier, lots)
        if lots == known[1]:
            return None
        self._orders[side, tick] = (known[0], lots)
        if lots < known[1]:
            return f"{side}QtyReduced", {"orderId": known[0], "quantityMantissa": lots}
        return self._put(side, tick, known[0], lots)

    def _put(self, side: str, tick: int, identifier: int, lots: int) -> tuple[str, dict[str, int]]:
        numbers = {"quantityMantissa": lots, "price": tick * self._scale}
        return f"{side}Put", {"orderId": identifier, "sortOrderId": identifier, **numbers}

    @staticmethod
    def _flags(place: int, count: int) -> int:
        return (_START if place == 0 else 0) | (_END if place == count - 1 else 0)

    def _message(self, name: str, values: dict[str, int], time_ns: int, flags: int) -> bytes:
        header = {"flags": flags, "transactTime": time_ns}
        return encode(_SCHEMA, name, {"instrumentId": self._instrument, **values}, header)

    def _packet(self, time_ns: int, messages: Sequence[bytes], kind: int, sequence: int) -> bytes:
        header = {"sendingTime": time_ns, "seqNum": sequence, "channelId": self._channel, "type": kind}
        return encode_packet(_SCHEMA, header, messages)

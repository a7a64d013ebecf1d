"""Binance's SBE messages as batches of records, and the JSON books that are fetched beside them."""

from __future__ import annotations

from binascii import a2b_base64, b2a_base64
from collections import deque
from collections.abc import Sequence
from typing import Final

import numpy as np

from market.wire.binance_sbe import decode_messages, new_batch
from market.wire.binance_sbe_records import take_messages
from market.wire.binary import pack
from market.wire.compiled.binance_stream import DEPTH_DIFF
from market.wire.markets import Market, market_table
from market.wire.records import Batch, Words
from market.wire.venues import Venue
from orchestrator.feeds.arrivals import Arrival, ArrivalKind
from orchestrator.feeds.decoding import RECORDS_PER_BATCH, LineDecoder

MESSAGES_PER_CALL: Final = 512
ENTRIES_PER_CALL: Final = 65_536
_JSON: Final = b"{"
_WRITTEN: Final = b'{"sbe":"'
_WRITTEN_END: Final = b'"}'
_TEMPLATE: Final = slice(2, 4)
_DIFF: Final = DEPTH_DIFF.to_bytes(2, "little")


class SbeDecoder:
    """SBE messages of one venue; what begins with a brace is a JSON message.

    Parameters
    ----------
    has_updates: whether there are book updates among them.

    A recording has lines like those of JSON streams; an SBE message stands in ``{"sbe":"..."}``, in base 64.
    """

    def __init__(self, venue: Venue, markets: Sequence[Market], *, has_updates: bool = True) -> None:
        self.has_updates = has_updates
        self._venue = venue
        self._markets = tuple(markets)
        self._table = market_table(list(markets))
        self._lines = LineDecoder(venue, markets)
        self._decoded = new_batch(MESSAGES_PER_CALL, ENTRIES_PER_CALL)
        self._batch = Batch(max(RECORDS_PER_BATCH, len(self._markets)), venue.levels)
        self._waiting: deque[Arrival] = deque()
        self._buffer, self._bounds = pack([b""])
        self._times: Words = np.zeros(1, dtype=np.int64)
        self._next = self._count = 0
        self._line = 1

    def fresh(self) -> SbeDecoder:
        """A decoder of the same markets that has seen nothing."""
        return SbeDecoder(self._venue, self._markets, has_updates=self.has_updates)

    def is_book(self, content: bytes) -> bool:
        """Whether a message is a book update."""
        return content[_TEMPLATE] == _DIFF

    @property
    def suffix(self) -> str:
        """Lines, compressed."""
        return ".gz"

    @property
    def preamble(self) -> bytes:
        """Nothing."""
        return b""

    def record(self, arrival: Arrival) -> bytes:
        """An arrival as a recorded line."""
        if self._is_text(arrival):
            return self._lines.record(arrival)
        written = b2a_base64(arrival.content, newline=False)
        return self._lines.record(arrival._replace(content=_WRITTEN + written + _WRITTEN_END))

    def begin(self, arrivals: Sequence[Arrival]) -> None:
        """Begin with further arrivals, as they were received or as they stand in a recording."""
        self._waiting.extend(map(_unwritten, arrivals))

    def next_batch(self) -> Batch | None:
        """The next records, either of SBE messages or of JSON; None at the end of the arrivals."""
        batch = self._lines.next_batch()
        if batch is not None:
            return batch
        if self._next < self._count:
            return self._fill()
        if not self._waiting:
            return None
        if self._is_text(self._waiting[0]):
            return self._next_text(self._waiting.popleft())
        taken: list[Arrival] = []
        while self._waiting and len(taken) < MESSAGES_PER_CALL and not self._is_text(self._waiting[0]):
            taken.append(self._waiting.popleft())
        self._buffer, self._bounds = pack([arrival.content for arrival in taken])
        self._times = np.array([arrival.stamp_ns for arrival in taken], dtype=np.int64)
        self._next, self._count = 0, decode_messages(self._buffer, self._bounds, self._decoded)
        self._waiting.extendleft(reversed(taken[self._count :]))
        return self._fill()

    def _fill(self) -> Batch:
        batch = self._batch
        batch.restart(self._line)
        first = self._next
        bids, asks, trades = self._decoded.entries
        self._next = take_messages(
            self._buffer,
            self._times,
            self._decoded.rows,
            bids,
            asks,
            trades,
            self._table,
            batch.records,
            batch.bids,
            batch.asks,
            batch.cursor,
            first,
            self._count,
            self._line - first,
        )
        self._line += self._next - first
        return batch

    def _next_text(self, arrival: Arrival) -> Batch | None:
        """Records of a JSON message or a break, numbered with the others."""
        self._lines.number_next(self._line)
        self._line += 1
        self._lines.begin([arrival])
        return self._lines.next_batch()

    def _is_text(self, arrival: Arrival) -> bool:
        return arrival.kind is ArrivalKind.BROKEN or arrival.content[:1] == _JSON


def _unwritten(arrival: Arrival) -> Arrival:
    content = arrival.content
    if not content.startswith(_WRITTEN):
        return arrival
    try:
        return arrival._replace(content=a2b_base64(content[len(_WRITTEN) : -len(_WRITTEN_END)], strict_mode=True))
    except ValueError:
        return arrival

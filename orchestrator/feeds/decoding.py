"""Arrivals as batches of records: what every format's decoder offers to a source, and the decoder of JSON lines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Protocol

from market.wire.lines import gap_mark
from market.wire.markets import Market, market_table
from market.wire.records import CURSOR_POSITION, Batch
from market.wire.venues import Venue
from orchestrator.feeds.arrivals import Arrival, ArrivalKind
from orchestrator.recording.recorder import one_line

RECORDS_PER_BATCH: Final = 1024
MAXIMUM_JUMP_NS: Final = 60 * 10**9
"""As in replays; stamps of a live feed never jump back, so nothing is ever refused for it."""


class Decoder(Protocol):
    """Turns arrivals into records, keeping what the format needs from call to call."""

    def begin(self, arrivals: Sequence[Arrival]) -> None:
        """Begin with further arrivals; those before must have been used up."""

    def next_batch(self) -> Batch | None:
        """The next records, None when the arrivals are used up; valid until the next call."""

    def fresh(self) -> Decoder:
        """A decoder of the same markets that has seen nothing."""

    def is_book(self, content: bytes) -> bool:
        """Whether a message changes a book that is fetched by snapshots."""

    @property
    def has_updates(self) -> bool:
        """Whether records are updates of books; else they are quotes and trades, of books that the decoder keeps."""

    @property
    def suffix(self) -> str:
        """How the name of a recording ends."""

    @property
    def preamble(self) -> bytes:
        """What a recording begins with."""

    def record(self, arrival: Arrival) -> bytes:
        """An arrival as it stands in a recording; empty where it cannot stand in one, and is not decoded either."""


class LineDecoder:
    """JSON messages of one venue, by way of the lines that a recording of them has.

    Parameters
    ----------
    venue: how its messages are decoded.
    """

    def __init__(self, venue: Venue, markets: Sequence[Market]) -> None:
        self._venue = venue
        self._markets = tuple(markets)
        self._table = market_table(list(markets))
        self._batch = Batch(max(RECORDS_PER_BATCH, len(self._markets)), venue.levels)
        self._block = b""
        self._position = 0
        self._line = 1

    def fresh(self) -> LineDecoder:
        """A decoder of the same markets that has seen nothing."""
        return LineDecoder(self._venue, self._markets)

    def is_book(self, content: bytes) -> bool:
        """Whether a message is one of Binance's depth updates; other venues send whole books in the stream itself."""
        return b'"depthUpdate"' in content

    @property
    def has_updates(self) -> bool:
        """Records are updates of books."""
        return True

    @property
    def suffix(self) -> str:
        """Lines, compressed."""
        return ".gz"

    @property
    def preamble(self) -> bytes:
        """Nothing."""
        return b""

    def record(self, arrival: Arrival) -> bytes:
        """An arrival as a recorded line; a message that cannot stand on a line is left out, as the recorder does."""
        content: bytes | None = arrival.content
        if arrival.kind is ArrivalKind.BROKEN:
            content = self.mark(arrival.market)
        elif b"\n" in arrival.content or b"\r" in arrival.content or not content:
            content = one_line(arrival.content)
        return b"" if content is None else b"%d %s\n" % (arrival.stamp_ns, content)

    def mark(self, market: int) -> bytes:
        """The message that says that the books of a market, or of all, are no longer known."""
        return gap_mark(self._markets[market].symbol if market >= 0 else "")

    def number_next(self, line: int) -> None:
        """The next message has this number."""
        self._line = line

    def begin(self, arrivals: Sequence[Arrival]) -> None:
        """Begin with further arrivals."""
        self._block = b"".join(map(self.record, arrivals))
        self._position = 0

    def next_batch(self) -> Batch | None:
        """The next records; None at the end of the arrivals."""
        if self._position >= len(self._block):
            return None
        batch = self._batch
        batch.restart(self._line)
        batch.cursor[CURSOR_POSITION] = self._position
        self._venue.decode_lines(
            self._block,
            MAXIMUM_JUMP_NS,
            self._table,
            batch.records,
            batch.bids,
            batch.asks,
            batch.cursor,
            0,
        )
        self._position, self._line = batch.position, batch.line
        return batch

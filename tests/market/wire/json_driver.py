"""Feeding messages to a venue's decoder and looking at its records."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from market.wire.lines import DecodeLines
from market.wire.markets import Market, market_table
from market.wire.records import Batch, Column, Kind, Reject, Rows, Words

START_NS = 1_723_161_255_000_000_000


def lines(messages: Sequence[str]) -> bytes:
    """Messages as recorded lines, one nanosecond apart."""
    return "".join(f"{START_NS + i} {message}\n" for i, message in enumerate(messages)).encode()


@dataclass
class Decoding:
    """A decoder with its connection's state and one batch."""

    decode_lines: DecodeLines
    markets: list[Market]
    records: int = 64
    levels: int = 256
    batch: Batch = field(init=False)
    table: Words = field(init=False)

    def __post_init__(self) -> None:
        self.batch = Batch(self.records, self.levels)
        self.table = market_table(self.markets)

    def block(self, block: bytes, at_position: int = 0) -> Decoding:
        """Decode a block from its start or a position on, in an emptied batch."""
        self.batch.restart()
        self.batch.cursor[0] = at_position
        batch = self.batch
        self.decode_lines(block, 10**10, self.table, batch.records, batch.bids, batch.asks, batch.cursor, 0)
        return self

    def take(self, *messages: str) -> Decoding:
        """Decode messages."""
        return self.block(lines(messages))

    @property
    def rows(self) -> Rows:
        """The records of the last call."""
        return self.batch.filled()

    @property
    def outcomes(self) -> list[tuple[Kind, Reject]]:
        """Kind and reject reason of each record."""
        return [(Kind(int(row[Column.KIND])), Reject(int(row[Column.REASON]))) for row in self.rows]

    @property
    def kinds(self) -> list[Kind]:
        """Kind of each record."""
        return [kind for kind, _ in self.outcomes]

    def columns(self, index: int, *names: int) -> list[int]:
        """Some columns of one record."""
        return [int(self.rows[index][name]) for name in names]

    def bids(self, index: int) -> list[list[int]]:
        """Bid rows of one record."""
        return _levels(self.batch.bids, self.columns(index, Column.BIDS_START, Column.BIDS))

    def asks(self, index: int) -> list[list[int]]:
        """Ask rows of one record."""
        return _levels(self.batch.asks, self.columns(index, Column.ASKS_START, Column.ASKS))


def _levels(rows: Rows, span: list[int]) -> list[list[int]]:
    levels: list[list[int]] = rows[span[0] : span[0] + span[1]].tolist()
    return levels

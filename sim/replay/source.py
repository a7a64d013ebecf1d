"""One recording as decoded batches."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from market.book.continuity import Rule
from market.wire.markets import Market, market_table
from market.wire.records import CURSOR_POSITION, Batch, Rows, Words
from sim.recording.blocks import Block, open_blocks
from sim.recording.damage import Damage
from sim.replay.feed import OwnBooks, Route

RECORDS_PER_BATCH: Final = 1024
LEVELS_PER_BATCH: Final = 16384
BATCHES: Final = 2
"""Batches of a source in turn: one is worked on while the next is decoded."""

DecodeLines = Callable[[bytes, int, Words, Rows, Rows, Rows, Words, int], int]


@dataclass(frozen=True)
class SourceSettings:
    """One recording of one venue.

    Parameters
    ----------
    name: the source's name in results, a venue.
    path: file of raw lines, plain, gzip or Zstandard.
    decode_lines: the venue's decoder entry.
    rule: how the venue numbers its depth updates.
    markets, routes: the symbols to decode, and where each goes; a market without a route is only counted.
    lag_ns: added to every receive time, to see what a slower feed would have done.
    maximum_jump_ns: a line stamped that much later than the next is refused.
    needs_book: stated quotes count only while the book is synchronised.
    depth_limit: levels kept per side, 0 for all.
    """

    name: str
    path: Path
    decode_lines: DecodeLines
    rule: Rule
    markets: tuple[Market, ...]
    routes: tuple[Route | None, ...]
    lag_ns: int = 0
    maximum_jump_ns: int = 60 * 10**9
    needs_book: bool = True
    depth_limit: int = 0

    def open(self) -> Source:
        """Open the recording; raises MissingInput if it cannot be read."""
        return Source(self)


class Source:
    """Decodes a recording batch by batch; see ``batches``.

    Members
    -------
    damage: damaged places found so far. content_bytes: decompressed bytes read so far.
    """

    def __init__(self, settings: SourceSettings) -> None:
        self.settings = settings
        self._blocks = open_blocks(settings.path)
        self._table = market_table(list(settings.markets))
        self._batches = [Batch(RECORDS_PER_BATCH, LEVELS_PER_BATCH) for _ in range(BATCHES)]

    @property
    def damage(self) -> list[Damage]:
        """What was wrong with the file so far."""
        return self._blocks.damage

    @property
    def content_bytes(self) -> int:
        """Decompressed bytes read so far."""
        return self._blocks.content_bytes

    @property
    def own_books(self) -> OwnBooks | None:
        """None: the records are book updates."""
        return None

    @property
    def transport(self) -> Mapping[str, int]:
        """Nothing: lines have no packets."""
        return {}

    def batches(self) -> Iterator[Batch]:
        """Decoded batches in file order; each stays valid until the one after the next is asked for."""
        turn = 0
        for block in self._blocks:
            position = 0
            line = block.first_line
            while position < len(block.data):
                batch = self._batches[turn % BATCHES]
                position, line = self._decode(batch, block, position, line)
                turn += 1
                yield batch

    def _decode(self, batch: Batch, block: Block, position: int, line: int) -> tuple[int, int]:
        """Decode from a position of the block on; returns where it stopped, and the line there."""
        batch.restart(line)
        batch.cursor[CURSOR_POSITION] = position
        settings = self.settings
        settings.decode_lines(
            block.data,
            settings.maximum_jump_ns,
            self._table,
            batch.records,
            batch.bids,
            batch.asks,
            batch.cursor,
            settings.lag_ns,
        )
        return batch.position, batch.line


__all__ = ["DecodeLines", "Route", "Source", "SourceSettings"]

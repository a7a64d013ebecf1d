"""One recording as decoded batches."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from market.wire.markets import Market, market_table
from market.wire.records import CURSOR_POSITION, Batch, Words
from market.wire.venues import Venue
from sim.recording.blocks import Block, Blocks, open_blocks
from sim.recording.damage import Damage
from sim.recording.feed_capture import CaptureBlocks, open_capture
from sim.replay.feed import OwnBooks, Route

RECORDS_PER_BATCH: Final = 1024
BATCHES: Final = 2
"""Batches of a source in turn: one is worked on while the next is decoded."""


@dataclass(frozen=True)
class SourceSettings:
    """One recording of one venue.

    Parameters
    ----------
    name: the source's name in results, a venue.
    path: file of raw lines or, with ``is_capture``, of captured connections; plain, gzip or Zstandard.
    venue: how its messages are decoded and its books kept.
    markets, routes: the symbols to decode, and where each goes; a market without a route is only counted.
    lag_ns: added to every receive time, to see what a slower feed would have done.
    maximum_jump_ns: a line stamped that much later than the next is refused.
    """

    name: str
    path: Path
    venue: Venue
    markets: tuple[Market, ...]
    routes: tuple[Route | None, ...]
    lag_ns: int = 0
    maximum_jump_ns: int = 60 * 10**9
    is_capture: bool = False

    @property
    def numbered(self) -> bool:
        """Whether update ids never go back, so that they can number quotes elsewhere too."""
        return self.venue.numbered

    def new_books(self) -> Words:
        """Fresh books, one per market."""
        return self.venue.new_books(self.markets)

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
        self._blocks: Blocks | CaptureBlocks = (
            open_capture(settings.path, connection=settings.venue.connection)
            if settings.is_capture
            else open_blocks(settings.path)
        )
        self._table = market_table(list(settings.markets))
        self._batches = [Batch(RECORDS_PER_BATCH, settings.venue.levels) for _ in range(BATCHES)]

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
        settings.venue.decode_lines(
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


__all__ = ["Route", "Source", "SourceSettings"]

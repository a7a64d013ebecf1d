"""What a replay needs of a recording, whatever its format."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from market.wire.records import Batch, Words
from sim.recording.damage import Damage


@dataclass(frozen=True)
class Route:
    """Where a market's quotes go in the engine, and the exponents of the mantissas that carry them.

    Parameters
    ----------
    instrument, venue: the engine's numbers.
    price_exponent, quantity_exponent: of the mantissas; must hold every tick and lot of the market.
    """

    instrument: int
    venue: int
    price_exponent: int
    quantity_exponent: int


class FeedMarket(Protocol):
    """One market of a recording: its name, and the ticks and lots of its records."""

    @property
    def symbol(self) -> str: ...

    @property
    def price_decimals(self) -> int: ...

    @property
    def quantity_decimals(self) -> int: ...


@dataclass(frozen=True)
class OwnBooks:
    """State of books that a recording keeps itself; its records are then quotes and trades.

    Parameters
    ----------
    diffs, snapshots: updates and snapshots taken. synchronised: whether every book that had any is.
    """

    diffs: int
    snapshots: int
    gaps: int
    resyncs: int
    synchronised: bool


class RecordedFeed(Protocol):
    """An opened recording."""

    @property
    def settings(self) -> FeedSettings:
        """As it was opened."""

    @property
    def damage(self) -> Sequence[Damage]:
        """What was wrong with the file so far."""

    @property
    def content_bytes(self) -> int:
        """Bytes of content read so far."""

    @property
    def own_books(self) -> OwnBooks | None:
        """State of its own books; None if its records are book updates."""

    @property
    def transport(self) -> Mapping[str, int]:
        """What a recording of packets carried below its messages: packets, gaps, duplicates and the like by name."""

    def batches(self) -> Iterator[Batch]:
        """Decoded batches in file order; each stays valid until the one after the next is asked for."""


class FeedSettings(Protocol):
    """One recording of one venue, and how it is read."""

    @property
    def name(self) -> str: ...

    @property
    def path(self) -> Path: ...

    @property
    def numbered(self) -> bool:
        """Whether update ids never go back, so that they can number quotes elsewhere too."""

    @property
    def markets(self) -> Sequence[FeedMarket]: ...

    @property
    def routes(self) -> Sequence[Route | None]: ...

    def new_books(self) -> Words:
        """Fresh books, one per market."""

    def open(self) -> RecordedFeed:
        """Open the recording; raises MissingInput if it cannot be read."""

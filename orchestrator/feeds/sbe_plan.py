"""Sources of Binance's SBE streams: binary over WebSocket, books fetched as JSON."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from market.wire.markets import Market
from market.wire.records import Batch, Words
from market.wire.venues import Venue
from orchestrator.feeds.arrivals import Arrival, ArrivalKind, Arrivals
from orchestrator.feeds.decoding import Decoder
from orchestrator.feeds.limits import FeedLimits
from orchestrator.feeds.link import WebSocketLink
from orchestrator.feeds.sbe_decoding import SbeDecoder
from orchestrator.feeds.snapshots import Fetch
from orchestrator.feeds.websocket import StreamAddress
from orchestrator.recording.snapshot import fetch_snapshot
from sim.recording.blocks import open_blocks
from sim.replay.source import Route


@dataclass(frozen=True)
class RecordedArrivals:
    """A recording that is decoded by a live feed's decoder, to be replayed.

    Parameters
    ----------
    read: the arrivals in a file, in lists. new_decoder: makes the decoder.
    """

    name: str
    path: Path
    markets: tuple[Market, ...]
    routes: tuple[Route | None, ...]
    new_books: Callable[[], Words]
    new_decoder: Callable[[], Decoder]
    read: Callable[[Path], Iterator[Sequence[Arrival]]]
    numbered: bool = False

    def open(self) -> RecordedArrivals:
        """Itself: the file is opened when its batches are read."""
        return self

    def batches(self) -> Iterator[Batch]:
        """Decoded batches in file order; each stays valid until the next is asked for."""
        decoder = self.new_decoder()
        for arrivals in self.read(self.path):
            decoder.begin(arrivals)
            while (batch := decoder.next_batch()) is not None:
                if batch.count:
                    yield batch


def read_lines(path: Path) -> Iterator[list[Arrival]]:
    """The lines of a recording as arrivals; raises MissingInput if it cannot be opened."""
    for block in open_blocks(path):
        arrivals = []
        for line in block.data.split(b"\n")[:-1]:
            stamp, _, content = line.partition(b" ")
            arrivals.append(Arrival(int(stamp), ArrivalKind.MESSAGE, content))
        yield arrivals


@dataclass(frozen=True, kw_only=True)
class SbePlan:
    """One venue's SBE stream; parameters as ``line_plan.LinePlan``."""

    name: str
    venue: Venue
    markets: tuple[Market, ...]
    routes: tuple[Route | None, ...]
    stream: StreamAddress
    snapshots: tuple[str, ...]
    limits: FeedLimits = field(default_factory=FeedLimits)
    fetch: Fetch = fetch_snapshot

    def recorded(self, path: Path) -> RecordedArrivals:
        """The source as a recording of it, to be replayed from a file."""
        venue = replace(self.venue, numbered=False)
        return RecordedArrivals(
            name=self.name,
            path=path,
            markets=self.markets,
            routes=self.routes,
            new_books=lambda: venue.new_books(self.markets),
            new_decoder=self.decoder,
            read=read_lines,
        )

    @cached_property
    def settings(self) -> RecordedArrivals:
        """What it carries."""
        return self.recorded(Path())

    @property
    def is_checked(self) -> bool:
        """Whether fetched books are compared."""
        return True

    @property
    def has_reserve(self) -> bool:
        """None."""
        return False

    def decoder(self) -> SbeDecoder:
        """A decoder of its messages."""
        return SbeDecoder(self.venue, self.markets)

    def link(self, index: int, arrivals: Arrivals, note: Callable[[str], None]) -> WebSocketLink:
        """What it is connected to."""
        streams = ((self.stream,),)
        return WebSocketLink(index, arrivals, streams, self.limits, note, snapshots=self.snapshots, fetch=self.fetch)

"""Sources of Binance's SBE streams: binary over WebSocket, books fetched as JSON."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from market.wire.markets import Market
from market.wire.venues import Venue
from orchestrator.feeds.arrivals import Arrivals
from orchestrator.feeds.limits import FeedLimits
from orchestrator.feeds.link import WebSocketLink
from orchestrator.feeds.recorded import RecordedArrivals, read_lines
from orchestrator.feeds.sbe_decoding import SbeDecoder
from orchestrator.feeds.snapshots import Fetch
from orchestrator.feeds.websocket import StreamAddress
from orchestrator.recording.snapshot import fetch_snapshot
from sim.replay.source import Route


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

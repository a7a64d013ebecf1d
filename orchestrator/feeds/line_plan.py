"""Sources of JSON messages over WebSocket, decoded by the decoders of recorded lines."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from market.wire.markets import Market
from market.wire.venues import Venue
from orchestrator.feeds.arrivals import Arrivals
from orchestrator.feeds.decoding import LineDecoder
from orchestrator.feeds.limits import FeedLimits
from orchestrator.feeds.link import WebSocketLink
from orchestrator.feeds.snapshots import Fetch
from orchestrator.feeds.websocket import StreamAddress
from orchestrator.recording.snapshot import fetch_snapshot
from sim.replay.source import Route, SourceSettings

WHOLE_BOOK_PAUSE_S = 10.0
"""A venue that sends whole books only when a stream begins is not begun anew more often than this."""


@dataclass(frozen=True, kw_only=True)
class LinePlan:
    """One venue's JSON streams.

    Parameters
    ----------
    name: of the source, a venue. venue: how its messages are decoded and its books kept.
    streams: addresses of the stream that is followed, and maybe of one in reserve; one of each has the books.
    snapshots: address of the book of each market; none when the venue sends whole books in the stream.

    Quotes are numbered here as they come, not by update ids: a venue that comes back with a new book may count anew.
    """

    name: str
    venue: Venue
    markets: tuple[Market, ...]
    routes: tuple[Route | None, ...]
    streams: tuple[tuple[StreamAddress, ...], ...]
    snapshots: tuple[str, ...] = ()
    limits: FeedLimits = field(default_factory=FeedLimits)
    fetch: Fetch = fetch_snapshot

    def recorded(self, path: Path) -> SourceSettings:
        """The source as a recording of it, to be replayed from a file."""
        return SourceSettings(
            name=self.name,
            path=path,
            venue=replace(self.venue, numbered=False),
            markets=self.markets,
            routes=self.routes,
        )

    @cached_property
    def settings(self) -> SourceSettings:
        """What it carries."""
        return self.recorded(Path())

    @property
    def is_checked(self) -> bool:
        """Whether there are fetched books to compare with."""
        return bool(self.snapshots)

    @property
    def has_reserve(self) -> bool:
        """Whether a second stream stands by."""
        return len(self.streams) > 1

    def decoder(self) -> LineDecoder:
        """A decoder of its messages."""
        return LineDecoder(self.venue, self.markets)

    def link(self, index: int, arrivals: Arrivals, note: Callable[[str], None]) -> WebSocketLink:
        """What it is connected to."""
        return WebSocketLink(
            index, arrivals, self.streams, self.limits, note, snapshots=self.snapshots, fetch=self.fetch
        )

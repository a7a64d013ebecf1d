"""A live feed and the intake of a run loop over it, driven by conditions instead of times."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Final

from market.book.book import BOOK_WORDS, SYNCHRONISED
from market.pipeline import layout
from market.protocols import FeedRoute
from market.wire.markets import Market
from market.wire.records import ASKS, BIDS, CYCLES, DIFF, KIND, QUOTE, SNAPSHOT, TRADE, WIDTH, Batch, Words
from market.wire.venues import VENUES
from orchestrator.clock import WakingClock
from orchestrator.feeds.feed import LiveFeed, SourcePlan
from orchestrator.feeds.health import SourceState
from orchestrator.feeds.limits import FeedLimits
from orchestrator.feeds.line_plan import LinePlan
from orchestrator.feeds.websocket import StreamAddress
from orchestrator.live.network import NetworkThread
from orchestrator.recording.backoff import Backoff
from orchestrator.run_loop.intake import FINISHED, Intake
from sim.replay.source import Route
from tests.orchestrator.feeds.toy_venue import SYMBOL, ToyVenue

LIMIT_S: Final = 60.0
EVENTS_AT_ONCE: Final = 500
QUICK: Final = FeedLimits(
    silence_s=20.0,
    delay_s=20.0,
    snapshot_every_s=0.0,
    snapshot_pause_s=0.02,
    connect_s=1.0,
    backoff=Backoff(first_s=0.005, longest_s=0.02, attempts=10),
)
"""A machine that stands still for a while is neither silence nor delay."""
HASTY: Final = replace(QUICK, silence_s=0.25, delay_s=0.5)
"""For tests of silence and delay."""
MARKET: Final = Market(SYMBOL, 2, 3)

Quote = tuple[int, int, int, int]
"""Bid, its quantity, ask, its quantity, in ticks and lots; all 0 when it was withdrawn."""


def plan_of(
    venue: ToyVenue,
    *,
    limits: FeedLimits = QUICK,
    name: str = "binance-spot",
    reserve: bool = False,
    instrument: int = 0,
    number: int = 0,
) -> LinePlan:
    """The toy venue as a source."""
    streams = [(StreamAddress(url=venue.stream),)]
    if reserve:
        streams.append((StreamAddress(url=venue.other_stream),))
    return LinePlan(
        name=name,
        venue=VENUES[name],
        markets=(MARKET,),
        routes=(Route(instrument, number, -2, -3),),
        streams=tuple(streams),
        snapshots=(venue.depth,),
        limits=limits,
    )


Record = tuple[int, ...]


def records_of(batch: Batch) -> list[Record]:
    """Records with their levels in place of where those stand, and without the time that decoding took."""
    found: list[Record] = []
    for row in batch.filled().tolist():
        levels: list[int] = []
        if row[KIND] in (DIFF, SNAPSHOT):
            for rows, start, count in ((batch.bids, row[7], row[BIDS]), (batch.asks, row[9], row[ASKS])):
                levels += rows[start : start + count].ravel().tolist()
            row[7] = row[9] = 0
        elif row[KIND] not in (QUOTE, TRADE):
            row[7:11] = [0, 0, 0, 0]
        found.append(tuple(row[:CYCLES] + row[CYCLES + 1 : WIDTH] + levels))
    return found


class Recorded:
    """A feed that remembers the records that were taken of each source."""

    def __init__(self, feed: Any) -> None:
        self._feed = feed
        self.taken: list[list[Record]] = [[] for _ in feed.sources]

    def take(self, source: int) -> Batch | None:
        batch: Batch | None = self._feed.take(source)
        if batch is not None:
            self.taken[source] += records_of(batch)
        return batch

    def __getattr__(self, name: str) -> Any:
        return getattr(self._feed, name)


@dataclass
class Rig:
    """What a test drives.

    Members
    -------
    quotes: of each source, in order. order: source and receive time of every event, in the order of the loop.
    """

    feed: LiveFeed
    clock: WakingClock
    notes: list[str]
    quotes: list[list[Quote]]
    recorded: Recorded
    intake: Intake
    order: list[tuple[int, int]] = field(default_factory=list)
    seen: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    is_over: bool = False

    def pump(self) -> None:
        """Take what waits, as the run loop does, but not for ever."""
        found = 0
        for _ in range(EVENTS_AT_ONCE):
            # Up to now: what goes on arriving must not keep a busy machine here for ever.
            found = self.intake.next(self.clock.now_ns())
            if found < 0:
                break
            event = self.intake.event
            self.order.append((found, int(event[layout.EVENT_TIME])))
            if event[layout.EVENT_TYPE] == layout.QUOTE_EVENT:
                quote = tuple(int(event[layout.EVENT_BID_PRICE + word]) for word in range(4))
                if quote[1] == quote[3] == 0:
                    quote = (0, 0, 0, 0)
                    self.intake.request_lost_book(found)
                else:
                    source = self.feed.sources[found]
                    known = self.is_synchronised(found, _market_of(source.routes, event)) or not source.has_updates
                    assert known, "an unsynchronised book was quoted"
                self.quotes[found].append(quote)  # type: ignore[arg-type]
        self.is_over = found == FINISHED

    def until(self, condition: Callable[[], object], limit_s: float = LIMIT_S) -> None:
        """Drive the loop until something is true; fails when that takes too long."""
        end_ns = self.clock.now_ns() + round(limit_s * 1e9)
        self.pump()
        while not condition():
            assert self.clock.now_ns() < end_ns, f"waited {limit_s:g} s in vain; notes: {self.notes[-5:]}"
            self.clock.wait_until(self.clock.now_ns() + 5_000_000)
            self.pump()

    def until_live(self, source: int = 0) -> None:
        self.until(lambda: self.feed.state(source) is SourceState.LIVE)

    def until_quote(self, quote: Quote, source: int = 0) -> None:
        """Drive the loop until a quote has come that was not waited for before."""
        self.until(lambda: quote in self.quotes[source][self.seen[source] :])
        self.seen[source] = self.quotes[source].index(quote, self.seen[source]) + 1

    def is_synchronised(self, source: int, market: int = 0) -> bool:
        books = self.feed.sources[source].books
        return bool(books.reshape(-1, BOOK_WORDS)[market, SYNCHRONISED])

    def noted(self, text: str) -> bool:
        return any(text in note for note in self.notes)

    def finish(self) -> None:
        """Close the feed and take the rest."""
        self.feed.close()
        self.until(lambda: self.is_over)


def _market_of(routes: Sequence[FeedRoute | None], event: Words) -> int:
    wanted = (int(event[layout.EVENT_INSTRUMENT]), int(event[layout.EVENT_VENUE]))
    return [route is not None and (route.instrument, route.venue) == wanted for route in routes].index(True)


@contextmanager
def rig_of(
    *plans: SourcePlan, start: bool = True, before: Callable[[LiveFeed], object] = lambda feed: None
) -> Iterator[Rig]:
    """A feed of these sources, connected; ``before`` is called before it is."""
    errors: list[BaseException] = []
    notes: list[str] = []
    clock = WakingClock()
    with NetworkThread(errors.append) as network:
        feed = LiveFeed(plans, clock=clock, wake=clock.wake, network=network, note=notes.append)
        recorded = Recorded(feed)
        quotes: list[list[Quote]] = [[] for _ in plans]
        rig = Rig(feed, clock, notes, quotes, recorded, Intake(recorded))
        before(feed)
        if start:
            feed.start()
        try:
            yield rig
        finally:
            feed.stop_capture()
            feed.close()
    assert not errors, errors
    assert threading.active_count() < 50

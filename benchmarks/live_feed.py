"""One message at a time through the live feed, from the network's queue to the quote, beside ccxt.pro's handler."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from benchmarks.depth import Depth
from benchmarks.harness import Report, seconds, take_turns
from benchmarks.peers_books import MESSAGES, ccxt_messages
from benchmarks.recordings import load_recording
from config.venues import VenueName
from market.book import book as header
from market.errors import Fatal, MissingExtra
from market.protocols import FOREVER, FeedStatus
from market.wire.records import Batch
from orchestrator.clock import SystemClock
from orchestrator.feeds.arrivals import Arrival, ArrivalKind, Arrivals
from orchestrator.feeds.decoding import LineDecoder
from orchestrator.feeds.limits import FeedLimits
from orchestrator.feeds.link import LinkState
from orchestrator.feeds.live_source import LiveSource
from orchestrator.run_loop.intake import Intake
from sim.generator.settings import Coin

TARGET: Final = 5.0
_LIMITS: Final = FeedLimits(delay_s=0.0)


def measure(report: Report) -> None:
    """Time per depth message: stamped and queued, taken, decoded, into the book, to the loop's event."""
    depth = Depth(load_recording(Coin.BTC, report), VenueName.BINANCE_USDM)
    contents = [line[line.index(b" ") + 1 :] for line in depth.buffered_lines()[: MESSAGES + 1]]
    report.note(f"{MESSAGES:,} depth messages with {depth.levels(MESSAGES):,} levels, one at a time")

    def ours() -> float:
        path = _Path(depth)
        path.take(contents[0])
        taken = seconds(lambda: path.take_all(contents[1:]))
        path.check(depth)
        return taken * 1e6 / MESSAGES

    try:
        peer = ccxt_messages(depth)
    except MissingExtra as missing:
        report.note(str(missing))
        return
    values = take_turns({"ours": ours, "ccxt": lambda: peer() * 1e6 / MESSAGES}, min(report.rounds, 5))
    report.compare(
        "message to quote, one at a time",
        "us/message",
        values["ours"],
        "ccxt.pro 4.5.90",
        values["ccxt"],
        target=TARGET,
        caveat="its handle_order_book, from dictionaries that are decoded already; ours from the bytes of the message",
    )


class _NoLink:
    """Nothing is connected."""

    state = LinkState.UP
    reconnections = 0
    switches = 0

    async def run(self) -> None:
        """Nothing."""

    def request_snapshot(self, market: int) -> None:
        """Nothing."""

    def restart(self, reason: str) -> None:
        """Nothing."""

    def resume(self) -> None:
        """Nothing."""


class _OneSource:
    """A feed of one source."""

    def __init__(self, source: LiveSource) -> None:
        self.sources: Sequence[LiveSource] = [source]

    def take(self, source: int) -> Batch | None:
        """The source's next batch."""
        return self.sources[source].take()

    def status(self, source: int) -> FeedStatus:
        """More may come."""
        return FeedStatus.LIVE

    def request_snapshot(self, source: int, market: int) -> None:
        """Nothing."""


class _Path:
    """A live source and the run loop's intake over it."""

    def __init__(self, depth: Depth) -> None:
        clock, source = SystemClock(), depth.source
        self._arrivals = Arrivals(clock, lambda: None, 1)
        decoder = LineDecoder(source.venue, source.markets)
        self._source = LiveSource(
            source, 0, self._arrivals, decoder, _NoLink(), _LIMITS, clock, lambda function: None, print, is_checked=True
        )
        self._intake = Intake(_OneSource(self._source))

    def take(self, content: bytes) -> None:
        """A message arrives, and the loop looks."""
        self._arrivals.put(0, Arrival(self._arrivals.stamp_ns(), ArrivalKind.MESSAGE, content))
        while self._intake.next(FOREVER) >= 0:
            pass

    def take_all(self, contents: Sequence[bytes]) -> None:
        """Messages, one after the other."""
        for content in contents:
            self.take(content)

    def check(self, depth: Depth) -> None:
        """Raises Fatal unless the book ends as the recording's."""
        book = self._source.books
        top = (int(book[header.TOP_BID]), int(book[header.TOP_ASK]))
        if top != depth.top(MESSAGES):
            raise Fatal(f"the live feed ends with the top {top} in ticks, expected {depth.top(MESSAGES)}")

"""Live feeds from the simulated exchange: JSON and SBE, spot and futures, and every fault of its market data."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Final

import pytest

from market.wire.markets import Market
from market.wire.records import ASKS, BIDS_START, KIND, LAST_ID, MARKET, QUOTE, TRADE
from market.wire.venues import VENUES
from orchestrator.feeds.health import SourceState
from orchestrator.feeds.limits import FeedLimits
from orchestrator.feeds.line_plan import LinePlan
from orchestrator.feeds.sbe_plan import SbePlan
from orchestrator.feeds.websocket import StreamAddress
from orchestrator.recording.backoff import Backoff
from orchestrator.run_loop.intake import FINISHED, Intake
from sim.exchange.venue.model import BackgroundModel
from sim.faults.plan import Channel, Fault, FaultKind
from sim.feed.replay_feed import ReplayFeed
from sim.replay.source import Route
from tests.orchestrator.feeds.rig import QUICK, Recorded, Rig, rig_of
from tests.sim.exchange.stage import ED25519, FUTURES, SPOT, Stage, Wishes, running

MS: Final = 1_000_000
BACKGROUND: Final = BackgroundModel(seed=3, requote_ns=20 * MS, trades_per_minute=600)
LIMITS: Final = replace(
    QUICK,
    snapshot_every_s=0.3,
    snapshot_pause_s=0.1,
    backoff=Backoff(first_s=0.02, longest_s=0.2, attempts=10),
)
"""An outage is shorter than all the pauses together."""
HASTY: Final = replace(LIMITS, silence_s=1.0, delay_s=0.5)
MARKETS: Final = {SPOT: Market("BTCUSDT", 2, 5), FUTURES: Market("BTCUSDT", 1, 3)}
BOOKS: Final = {SPOT: "/api/v3/depth", FUTURES: "/fapi/v1/depth"}


class Exchange:
    """A running exchange in a thread of its own."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.ready = threading.Event()
        self.ended = asyncio.Event()
        self.stage: Stage | None = None

    async def serve(self) -> None:
        async with running(Wishes(background=BACKGROUND)) as stage:
            self.stage = stage
            self.ready.set()
            await self.ended.wait()

    def run(self) -> None:
        asyncio.set_event_loop(self.loop)
        self.loop.run_until_complete(self.serve())
        self.loop.run_until_complete(asyncio.sleep(0.05))
        self.loop.close()

    def http(self, venue: str) -> str:
        assert self.stage is not None
        return self.stage.address(venue).http

    def ws(self, venue: str) -> str:
        assert self.stage is not None
        return self.stage.address(venue).ws

    def fault(self, kind: FaultKind, venue: str, **values: Any) -> None:
        """Have something go wrong for a moment from now on."""
        stage = self.stage
        assert stage is not None
        fault = Fault(kind=kind, venue=venue, **({"duration_ns": 300 * MS} | values))
        done = threading.Event()

        def add() -> None:
            stage.fault(fault)
            done.set()

        self.loop.call_soon_threadsafe(add)
        assert done.wait(60)


@contextmanager
def exchange() -> Iterator[Exchange]:
    served = Exchange()
    thread = threading.Thread(target=served.run, daemon=True)
    thread.start()
    try:
        assert served.ready.wait(60)
        yield served
    finally:
        served.loop.call_soon_threadsafe(served.ended.set)
        thread.join(20)


def depth(served: Exchange, venue: str) -> str:
    return f"{served.http(venue)}{BOOKS[venue]}?symbol=BTCUSDT&limit=100"


def json_plan(served: Exchange, venue: str, *, reserve: bool = False, limits: FeedLimits = LIMITS) -> LinePlan:
    streams = "btcusdt@depth@100ms/btcusdt@bookTicker/btcusdt@trade"
    address = StreamAddress(url=f"{served.ws(venue)}/stream?streams={streams}")
    return LinePlan(
        name=venue,
        venue=VENUES[venue],
        markets=(MARKETS[venue],),
        routes=(Route(0, 0 if venue == SPOT else 1, -8, -8),),
        streams=((address,), (address,)) if reserve else ((address,),),
        snapshots=(depth(served, venue),),
        limits=limits,
    )


def sbe_plan(served: Exchange) -> SbePlan:
    streams = "btcusdt@depth/btcusdt@bestBidAsk/btcusdt@trade"
    return SbePlan(
        name=SPOT,
        venue=VENUES[SPOT],
        markets=(MARKETS[SPOT],),
        routes=(Route(0, 0, -8, -8),),
        stream=StreamAddress(
            url=f"{served.ws(SPOT)}/sbe/stream?streams={streams}", headers={"X-MBX-APIKEY": ED25519.key}
        ),
        snapshots=(depth(served, SPOT),),
        limits=LIMITS,
    )


def until_checked(rig: Rig, source: int = 0) -> None:
    """Drive the loop until two fetched books in a row were equal to the stream's."""

    def sound() -> bool:
        now = rig.feed.metrics()[source]
        if now.books_corrupted != before[0].books_corrupted:
            before[0] = now
        return rig.feed.state(source) is SourceState.LIVE and now.books_checked >= before[0].books_checked + 2

    before = [rig.feed.metrics()[source]]
    rig.until(sound)


@pytest.mark.parametrize("form", ["spot", "futures", "sbe"])
def test_books_are_those_of_the_venue(form: str, tmp_path: Any) -> None:
    with exchange() as served:
        plan = sbe_plan(served) if form == "sbe" else json_plan(served, SPOT if form == "spot" else FUTURES)
        with rig_of(plan, before=lambda feed: feed.start_capture(tmp_path)) as rig:
            until_checked(rig)
            metrics = rig.feed.metrics()[0]
            assert (metrics.books_corrupted, metrics.rejected, metrics.regressions) == (0, 0, 0)
            assert len(rig.quotes[0]) > 5
            rig.finish()
        feed = Recorded(ReplayFeed([plan.recorded(tmp_path / f"{plan.name}.gz")]).open())
        intake = Intake(feed)
        while intake.next(1 << 62) != FINISHED:
            pass
    assert feed.taken == rig.recorded.taken


def test_sbe_and_json_tell_of_the_same_prices_trades_and_books() -> None:
    columns = [KIND, MARKET, LAST_ID, *range(BIDS_START, ASKS + 1)]
    with exchange() as served:
        other = replace(sbe_plan(served), name="sbe", routes=(Route(0, 1, -8, -8),))
        with rig_of(json_plan(served, SPOT), other) as rig:
            until_checked(rig, 0)
            until_checked(rig, 1)
            begun = [len(taken) for taken in rig.recorded.taken]
            trades = [0, 0]

            def compared() -> bool:
                """Whether both have told of as many trades and prices, and whether these are the same."""
                told = [
                    [[record[column] for column in columns] for record in taken[start:] if record[0] in (QUOTE, TRADE)]
                    for taken, start in zip(rig.recorded.taken, begun, strict=True)
                ]
                first = max(told, key=lambda records: records[0][2] if records else 0)[0] if all(told) else None
                if first is None:
                    return False
                both = [records[records.index(first) :] if first in records else [] for records in told]
                shorter = min(map(len, both))
                trades[:] = [sum(record[0] == TRADE for record in records[:shorter]) for records in both]
                assert both[0][:shorter] == both[1][:shorter]
                return trades[0] >= 5 and shorter > 100

            rig.until(compared)
            books = [metrics.books_corrupted for metrics in rig.feed.metrics()]
            assert books == [0, 0]


FAULTS: Final[dict[str, tuple[FaultKind, dict[str, Any]]]] = {
    "gap": (FaultKind.GAP, {"channel": Channel.MARKET, "count": 2}),
    "drop": (FaultKind.DROP, {"channel": Channel.MARKET, "permille": 300}),
    "duplicate": (FaultKind.DUPLICATE, {"channel": Channel.MARKET}),
    "reorder": (FaultKind.REORDER, {"channel": Channel.MARKET, "permille": 500}),
    "corrupt": (FaultKind.CORRUPT, {"channel": Channel.MARKET, "permille": 300}),
    "half-open": (FaultKind.HALF_OPEN, {"duration_ns": 1_300 * MS}),
    "delay": (FaultKind.DELAY, {"channel": Channel.MARKET, "amount_ns": 800 * MS}),
    "disconnect": (FaultKind.DISCONNECT, {"every_ns": 60 * MS}),
    "outage": (FaultKind.OUTAGE, {}),
}


@pytest.mark.long
@pytest.mark.parametrize("venue", [SPOT, FUTURES])
def test_every_fault_is_recovered_from(venue: str) -> None:
    with exchange() as served, rig_of(json_plan(served, venue, limits=HASTY)) as rig:
        until_checked(rig)
        for name, (kind, values) in FAULTS.items():
            served.fault(kind, venue, **values)
            if kind is FaultKind.DELAY:
                rig.until(lambda: rig.feed.is_paused)
            elif kind in (FaultKind.HALF_OPEN, FaultKind.DISCONNECT, FaultKind.OUTAGE):
                quotes = len(rig.quotes[0])
                rig.until(lambda quotes=quotes: (0, 0, 0, 0) in rig.quotes[0][quotes:])  # type: ignore[misc]
            until_checked(rig)
            assert rig.feed.state(0) is SourceState.LIVE, name


def test_a_reserve_keeps_the_book_while_a_stream_breaks() -> None:
    with exchange() as served, rig_of(json_plan(served, SPOT, reserve=True)) as rig:
        until_checked(rig)
        rig.until(lambda: rig.feed.metrics()[0].cross_checks >= 3)
        assert rig.feed.metrics()[0].cross_differences == 0

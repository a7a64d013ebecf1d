"""Datagrams as a source: decoded as in the replay of a capture, captured again, silent when nothing comes."""

from __future__ import annotations

import socket
from dataclasses import replace
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any, Final

import pytest

from market.book.book import new_books
from market.book.continuity import Rule
from market.protocols import FOREVER
from market.wire.deribit_stream import DeribitStream
from market.wire.instruments import Instrument
from market.wire.markets import Market
from market.wire.sbe import encode, load_schema
from market.wire.schemas import BINANCE_STREAM
from market.wire.venues import VENUES
from orchestrator.feeds.datagram_source import DatagramLink, DatagramPlan, PacketDecoder
from orchestrator.feeds.sbe_decoding import SbeDecoder
from orchestrator.recording.datagrams import UdpAddress
from orchestrator.recording.pcapng_file import Endpoint
from orchestrator.run_loop.intake import FINISHED, Intake
from sim.capture import read_datagrams
from sim.feed.replay_feed import ReplayFeed
from sim.replay.capture_format import CaptureFormat, capture_definitions
from sim.replay.source import Route
from tests.orchestrator.feeds.rig import QUICK, Recorded, Rig, rig_of

LOCAL: Final = UdpAddress(local=Endpoint(IPv4Address("127.0.0.1"), 0))
PATIENT: Final = replace(QUICK, silence_s=60.0, delay_s=0.0)
SCHEMA: Final = load_schema(BINANCE_STREAM)
MARKET: Final = Market("BTCUSDT", 2, 5)


def sbe_plan(limits: Any = PATIENT) -> DatagramPlan:
    return DatagramPlan(
        name="binance-spot",
        address=LOCAL,
        markets=(MARKET,),
        routes=(Route(0, 0, -8, -8),),
        new_decoder=lambda: SbeDecoder(VENUES["binance-spot"], [MARKET], has_updates=False),
        new_books=lambda: new_books([Rule.OVERLAPPING], needs_book=False),
        limits=limits,
    )


def top(update: int, bid: int) -> bytes:
    prices = {"bidPrice": bid, "bidQty": 1_000, "askPrice": bid + 1_000_000, "askQty": 2_000}
    common = {"eventTime": 1, "bookUpdateId": update, "priceExponent": -8, "qtyExponent": -8, "symbol": "BTCUSDT"}
    return encode(SCHEMA, "BestBidAskStreamEvent", common | prices)


def sender_to(rig: Rig) -> socket.socket:
    """A socket that sends to the rig's first source."""
    link = rig.feed.sources[0].link
    assert isinstance(link, DatagramLink)
    rig.until(lambda: link.local is not None)
    assert link.local is not None
    sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sender.connect((str(link.local.address), link.local.port))
    return sender


def replayed(plan: DatagramPlan, path: Path) -> Recorded:
    feed = Recorded(ReplayFeed([plan.recorded(path)]).open())
    intake = Intake(feed)
    while intake.next(FOREVER) != FINISHED:
        pass
    return feed


def test_best_prices_in_datagrams_are_quotes(tmp_path: Path) -> None:
    plan = sbe_plan()
    with rig_of(plan, before=lambda feed: feed.start_capture(tmp_path)) as rig:
        with sender_to(rig) as sender:
            for update in range(1, 50):
                sender.send(top(update, 6_170_000_000_000 + update * 1_000_000))
            rig.until(lambda: len(rig.recorded.taken[0]) == 49)
        assert [quote[0] for quote in rig.quotes[0]] == [(617_000_000 + 100 * n) * 10_000 for n in range(1, 50)]
        rig.finish()
    assert replayed(plan, tmp_path / "binance-spot.gz").taken == rig.recorded.taken


def test_silence_is_told_and_ends_with_the_next_datagram() -> None:
    with rig_of(sbe_plan(replace(PATIENT, silence_s=0.1))) as rig, sender_to(rig) as sender:
        sender.send(top(1, 100_000_000))
        rig.until(lambda: rig.noted("silent for 0.1 s"))
        assert rig.feed.is_paused
        sender.send(top(2, 100_000_000))
        rig.until(lambda: len(rig.quotes[0]) >= 2)


@pytest.fixture
def capture(data: Path) -> Path:
    return data / "deribit-multicast" / "sample_capture_v1_6.pcapng"


def test_a_multicast_is_taken_as_its_capture_is_replayed(capture: Path, tmp_path: Path) -> None:
    markets: tuple[Instrument, ...] = tuple(
        definition.instrument() for definition in capture_definitions(capture, CaptureFormat.DERIBIT)
    )
    plan = DatagramPlan(
        name="deribit",
        address=LOCAL,
        markets=markets,
        routes=(None,) * len(markets),
        new_decoder=lambda: PacketDecoder(lambda: DeribitStream(markets), has_updates=True),
        new_books=lambda: new_books([Rule.CHAINED] * len(markets)),
        limits=PATIENT,
    )
    payloads = [datagram.payload for datagram in read_datagrams(capture)][:1500]
    with rig_of(plan, before=lambda feed: feed.start_capture(tmp_path)) as rig:
        with sender_to(rig) as sender:
            for number, payload in enumerate(payloads):
                sender.send(payload)
                if number % 50 == 49:
                    # No more under way than the socket holds: what does not fit is lost.
                    rig.until(lambda sent=number + 1: rig.feed.accounts()[0].received == sent)  # type: ignore[misc]
            rig.until(lambda: len(rig.recorded.taken[0]) >= len(payloads))
        rig.finish()
    live = rig.recorded.taken
    assert replayed(plan, tmp_path / "deribit.pcapng").taken == live
    assert len({record[0] for record in live[0]}) >= 3

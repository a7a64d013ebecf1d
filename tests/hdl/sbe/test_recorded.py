"""A recorded market, taken apart by the hardware as by the compiled decoders, on both buses."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import msgspec
import pytest

pytest.importorskip("amaranth", reason="the fpga extra is not installed: make test installs it")

from market.fastpath.feeds.verdict import GOOD, SKIPPED
from market.fastpath.specification import Feed
from market.wire.sbe import encode, load_schema
from market.wire.schemas import BINANCE_STREAM
from sim.capture import read_datagrams
from sim.capture.starbase_recoding import StarbaseRecoder
from tests.hdl.feeds.binance_bench import Bench
from tests.hdl.feeds.order_bench import Bench as OrderBench
from tests.hdl.feeds.order_bench import Sent
from tests.hdl.feeds.order_bench import assert_as_the_reference_says as assert_operations
from tests.hdl.feeds.test_binance import INSTRUMENT, VENUE, assert_as_the_reference_says
from tests.hdl.sbe.test_groups import assert_as_the_compiled_decoder_reads, take_depth

SCHEMA = load_schema(BINANCE_STREAM)
DIGITS = 8
both_buses = pytest.mark.parametrize("bus_bytes", [8, 1])


def mantissa(text: str) -> int:
    whole, _, fraction = text.partition(".")
    return int(whole + fraction.ljust(DIGITS, "0"))


def levels(sides: list[list[str]]) -> list[dict[str, int]]:
    return [{"price": mantissa(price), "qty": mantissa(quantity)} for price, quantity in sides]


def message_of(stream: str, event: dict[str, Any]) -> bytes:
    """A recorded event as the venue's binary stream has it."""
    common = {"priceExponent": -DIGITS, "qtyExponent": -DIGITS, "symbol": event["s"]}
    if stream.endswith("@bookTicker"):
        values = {"eventTime": 0, "bookUpdateId": event["u"]}
        values |= {"bidPrice": mantissa(event["b"]), "bidQty": mantissa(event["B"])}
        values |= {"askPrice": mantissa(event["a"]), "askQty": mantissa(event["A"])}
        return encode(SCHEMA, "BestBidAskStreamEvent", values | common)
    times = {"eventTime": event["E"] * 1000}
    if stream.endswith("@trade"):
        trade = {"id": event["t"], "price": mantissa(event["p"]), "qty": mantissa(event["q"])}
        trades = [trade | {"isBuyerMaker": int(event["m"]), "isBestMatch": 1}]
        values = times | {"transactTime": event["T"] * 1000, "trades": trades}
        return encode(SCHEMA, "TradesStreamEvent", values | common)
    ids = {"firstBookUpdateId": event["U"], "lastBookUpdateId": event["u"]}
    values = times | ids | {"bids": levels(event["b"]), "asks": levels(event["a"])}
    return encode(SCHEMA, "DepthDiffStreamEvent", values | common)


@pytest.fixture(scope="module")
def events(data: Path) -> list[tuple[str, dict[str, Any]]]:
    """The first events of a recording: the name of the stream, and the event."""
    found = []
    with gzip.open(data / "binance-20240808" / "spot_btcusdt_20240808.gz") as lines:
        for line in lines:
            message = msgspec.json.decode(line.split(b" ", 1)[1])
            if "stream" in message and "lastUpdateId" not in message["data"]:
                found.append((message["stream"], message["data"]))
            if len(found) == 300:
                return found
    return found


@both_buses
def test_quotes_and_trades(events: list[tuple[str, dict[str, Any]]], bus_bytes: int) -> None:
    payloads = []
    for name, count in (("@bookTicker", 8), ("@trade", 4), ("@depth", 1)):
        messages = [message_of(stream, event) for stream, event in events if name in stream]
        payloads += [message for message in messages if len(message) <= 300][: count * bus_bytes]
    said = Bench(bus_bytes, instrument=INSTRUMENT, venue=VENUE).run(payloads)
    for payload, one in zip(payloads, said, strict=True):
        assert_as_the_reference_says(payload, one)
    assert {one.verdict for one in said} == {GOOD, SKIPPED}
    assert sum(one.is_quote for one in said) == 8 * bus_bytes
    assert sum(one.trade_count for one in said) == 4 * bus_bytes


@both_buses
def test_depth_updates(events: list[tuple[str, dict[str, Any]]], bus_bytes: int) -> None:
    messages = [message_of(stream, event) for stream, event in events if "@depth" in stream]
    messages = [message for message in messages if len(message) <= 1472][: 4 * bus_bytes]
    taken = take_depth(bus_bytes, messages)
    assert_as_the_compiled_decoder_reads(messages, taken)
    assert sum(len(one.entries[side]) for one in taken for side in ("bids", "asks")) >= 20


@both_buses
def test_a_book_recoded_order_by_order(events: list[tuple[str, dict[str, Any]]], bus_bytes: int) -> None:
    recoder = StarbaseRecoder(77, DIGITS)
    packets: list[bytes] = []
    for stream, event in events:
        if "@depth" in stream:
            bids, asks = ([(level["price"], level["qty"]) for level in levels(event[side])] for side in ("b", "a"))
            packets += recoder.update(event["E"] * 1_000_000, bids, asks)
    assert_read(bus_bytes, Feed.STARBASE, packets[: 3 * bus_bytes])


@both_buses
def test_captured_packets_of_coinbase_derivatives(data: Path, bus_bytes: int) -> None:
    folder = data / "omi" / "Coinbase" / "MarketDataApi.v1.2"
    packets = [datagram.payload for path in sorted(folder.glob("*.pcap")) for datagram in read_datagrams(path)]
    assert len(packets) == 5
    assert_read(bus_bytes, Feed.COINBASE_DERIVATIVES, packets)


def assert_read(bus_bytes: int, feed: Feed, packets: list[bytes]) -> None:
    bench = OrderBench(bus_bytes)
    sent = [Sent(feed, packet) for packet in packets]
    said = bench.run(sent)
    assert all(one.good for one in said)
    assert_operations(sent, said, bench.operations)

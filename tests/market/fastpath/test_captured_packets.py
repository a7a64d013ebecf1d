"""Real captures and a re-encoded recording through the frame path, as Ethernet frames."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from market.engine import Engine
from market.fastpath.books.status import BookState
from market.fastpath.conformance.case import Control
from market.fastpath.engine import CpuEngine
from market.fastpath.layout import SCHEMA
from market.fastpath.reference import ReferenceEngine
from market.fastpath.specification import NO_INSTRUMENT, EngineSizes, Feed, Side
from market.wire.sbe import decode, decode_packet, load_schema
from market.wire.schemas import COINBASE_DERIVATIVES, DERIBIT_MULTICAST, DERIBIT_STARBASE
from sim.capture import read_datagrams, read_packets
from sim.capture.starbase_recoding import StarbaseRecoder
from tests.market.fastpath.frame_builder import with_fcs
from tests.market.fastpath.line_driver import LineDriver, Order, quote_of
from tests.sim.capture.test_starbase_recoding import depth

STARBASE = load_schema(DERIBIT_STARBASE)
CHANNELS = 8
"""Channels of the capture that carry updates; the others, from 100 on, carry snapshots."""


def write(engine: Engine, controls: list[tuple[str, dict[str, int]]]) -> None:
    """Control messages, all of which must be applied."""
    for sequence, (name, fields) in enumerate(controls, start=1):
        engine.control(Control(name, {"sequence": sequence, **fields}).payload(), 1)
    results = [decode(SCHEMA, each) for each in engine.outputs()]
    assert {each.fields["result"] for each in results if each.name == "Acknowledge"} == {0}


def frames_of(path: Path) -> tuple[list[bytes], list[int]]:
    """The captured frames and their times in ns, with what captures leave out.

    That is the check sequence, and of this one the UDP checksum, which is wrong in all frames: absent instead.
    """
    packets = list(read_packets(path))
    frames = []
    for packet in packets:
        network = 18 if packet.frame[12:14] == b"\x81\x00" else 14
        checksum = network + 20 + 6
        frames.append(with_fcs(packet.frame[:checksum] + bytes(2) + packet.frame[checksum + 2 :]))
    return frames, [packet.time_ns for packet in packets]


def frame_counters(engine: Engine) -> dict[str, int]:
    fields = decode(SCHEMA, engine.frame_counters()).fields
    return {name: count for name, count in fields.items() if count and name != "step"}


def address_of(destination: str) -> int:
    return int.from_bytes(bytes(int(part) for part in destination.split(".")), "big")


def test_the_deribit_capture(data: Path) -> None:
    """Every ticker of the update channels is a quote, every trade a trade; no error, no gap."""
    path = data / "deribit-multicast" / "sample_capture_v1_6.pcapng"
    schema = load_schema(DERIBIT_MULTICAST)
    messages = Counter[str]()
    tickers: dict[tuple[int, int], tuple[float | None, ...]] = {}
    destinations: dict[tuple[str, int], int] = {}
    for datagram in read_datagrams(path):
        packet = decode_packet(schema, datagram.payload)
        channel = packet.header["channelId"]
        destinations[datagram.destination, datagram.destination_port] = channel
        for message in packet.messages:
            messages[message.name if channel < 100 else "snapshots"] += 1
            if channel < 100 and message.name == "Ticker":
                names = ("bestBidPrice", "bestBidAmount", "bestAskPrice", "bestAskAmount")
                tickers[channel, message.fields["instrumentId"]] = tuple(message.fields[name] for name in names)
    incremental = sorted({channel for channel in destinations.values() if channel < 100})
    assert len(incremental) == CHANNELS
    known = sorted(tickers)
    sizes = EngineSizes(venues=1, instruments=len(known), books=len(known))
    controls: list[tuple[str, dict[str, int]]] = [("Hello", {"epoch": 1})]
    for number, ((destination, port), _) in enumerate(destinations.items()):
        row = {"address": address_of(destination), "port": port, "channel": number, "instrument": NO_INSTRUMENT}
        controls.append(("ChannelRow", {**row, "venue": 0, "feed": int(Feed.DERIBIT_LEGACY), "enabled": 1}))
    for line, channel in enumerate(incremental):
        row = {"line": line, "venue": 0, "wireChannel": channel, "feed": int(Feed.DERIBIT_LEGACY), "enabled": 1}
        controls.append(("LineRow", row))
    for instrument, (channel, wire_instrument) in enumerate(known):
        exponents = {"priceExponent": -4, "quantityExponent": -4}
        row = {"book": instrument, "line": incremental.index(channel), "wireInstrument": wire_instrument, "tick": 1}
        controls.append(("BookRow", {**row, "instrument": instrument, **exponents, "enabled": 1}))
        shifts = {"priceShift": 0, "quantityShift": 0}
        controls.append(("ScalingRow", {"instrument": instrument, "venue": 0, **exponents, **shifts}))
    engine, reference = CpuEngine(sizes), ReferenceEngine(sizes)
    for each in (engine, reference):
        write(each, controls)
        each.push(*frames_of(path))
    counters = frame_counters(engine)
    assert counters == frame_counters(reference)
    assert engine.counters == reference.counters
    assert (counters["frames"], engine.counters["quoteEvents"], messages["Ticker"]) == (5_066, 4_017, 4_017)
    assert set(counters) == {"frames", "messages", "skippedMessages"}
    assert counters["messages"] + counters["skippedMessages"] == messages.total()
    valid = 0
    for instrument, key in enumerate(known):
        bid, bid_amount, ask, ask_amount = (round((value or 0) * 10**4) for value in tickers[key])
        quote = quote_of(engine, instrument, 0)
        assert quote.valid is (bid_amount > 0 and ask_amount > 0 and 0 < bid < ask)
        if quote.valid:
            assert quote[1:] == (bid, bid_amount, ask, ask_amount)
            valid += 1
    assert (len(known), valid) == (84, 30)


def test_packets_of_coinbase_derivatives(data: Path) -> None:
    """The five captured packets are whole; the updates among them move their instruments' books."""
    schema = load_schema(COINBASE_DERIVATIVES)
    captures = sorted((data / "omi" / "Coinbase" / "MarketDataApi.v1.2").glob("*.pcap"))
    datagrams = [datagram for capture in captures for datagram in read_datagrams(capture)]
    engine = CpuEngine(EngineSizes(venues=1, instruments=1))
    controls: list[tuple[str, dict[str, int]]] = [("Hello", {"epoch": 1})]
    destinations = sorted({(datagram.destination, datagram.destination_port) for datagram in datagrams})
    for number, (destination, port) in enumerate(destinations):
        row = {"address": address_of(destination), "port": port, "channel": number, "instrument": NO_INSTRUMENT}
        controls.append(("ChannelRow", {**row, "venue": 0, "feed": int(Feed.COINBASE_DERIVATIVES), "enabled": 1}))
    for line, channel in enumerate((44_849, 44_850)):
        row = {"line": line, "venue": 0, "wireChannel": channel, "feed": int(Feed.COINBASE_DERIVATIVES), "enabled": 1}
        controls.append(("LineRow", row))
    write(engine, controls)
    kinds = Counter[int]()
    for number, datagram in enumerate(datagrams):
        packet = decode_packet(schema, datagram.payload)
        kinds[packet.header["flags"]] += 1
        channel = destinations.index((datagram.destination, datagram.destination_port))
        engine.push_datagram(datagram.payload, channel, number)
    assert (len(datagrams), kinds) == (5, {1: 2, 2: 3})
    assert frame_counters(engine) == {"skippedMessages": 13}
    put = next(d for d in datagrams if "Put" in str(decode_packet(schema, d.payload).messages[0].name))
    message = decode_packet(schema, put.payload).messages[0].fields
    driver = LineDriver(
        EngineSizes(venues=1, instruments=1),
        Feed.COINBASE_DERIVATIVES,
        message["instrHeader.instrumentId"],
        tick=10_000_000,
        exponent=0,
    )
    driver.apply("LineRow", line=0, venue=0, wireChannel=44_850, feed=int(Feed.COINBASE_DERIVATIVES), enabled=1)
    number = int.from_bytes(put.payload[8:16], "little")
    heartbeat = put.payload[:19] + b"\0" + put.payload[20:24]
    driver.packet(heartbeat)
    price = message["price"]
    is_bid = message["instrHeader.side"] == 1
    other: Order = (1, Side.SELL, price + 50_000_000, 9) if is_bid else (1, Side.BUY, price - 50_000_000, 9)
    assert driver.load(price - 100_000_000, [other], number - 1)
    driver.packet(put.payload)
    assert driver.book is BookState.LIVE
    best = driver.quote_now.bid if is_bid else driver.quote_now.ask
    assert (driver.quote_now.valid, best) == (True, price)


def test_a_recording_re_encoded_as_starbase(data: Path) -> None:
    """A host that follows the feed and loads the book anew whenever the market leaves its window keeps it right."""
    updates = depth(data / "binance-20240808" / "spot_btcusdt_20240808.gz")
    ticks, tick = 1_024, 10_000_000
    sizes = EngineSizes(venues=1, instruments=1, order_books=1, book_orders=4_096, book_ticks=ticks)
    driver = LineDriver(sizes, Feed.STARBASE, 77, tick, exponent=-8)
    recoder = StarbaseRecoder(77, 2)
    driver.apply("LineRow", line=0, venue=0, wireChannel=1, feed=int(Feed.STARBASE), enabled=1)
    driver.packet(next(recoder.update(1, [], [])))
    sides: dict[Side, dict[int, int]] = {Side.BUY: {}, Side.SELL: {}}
    compared = loads = 0
    for time_ns, bids, asks in updates:
        for packet in recoder.update(time_ns, bids, asks):
            driver.packet(packet)
        for side, levels in ((Side.BUY, bids), (Side.SELL, asks)):
            sides[side].update(levels)
            for level in [level for level, lots in levels if not lots]:
                del sides[side][level]
        bid, ask = max(sides[Side.BUY]), min(sides[Side.SELL])
        quote = driver.quote_now
        if driver.book is BookState.LIVE and quote.valid:
            expected = (bid * tick, sides[Side.BUY][bid], ask * tick, sides[Side.SELL][ask])
            assert quote[1:] == expected
            compared += 1
        else:
            load_around(driver, recoder, bid - ticks // 2)
            loads += 1
    assert compared > 300
    assert 1 <= loads < 60
    assert set(driver.frames()) <= {"messages", "skippedMessages", "heartbeats"}


def load_around(driver: LineDriver, recoder: StarbaseRecoder, base: int) -> None:
    """The book as the venue has it, from a snapshot of its own."""
    orders: list[Order] = []
    last = 0
    for packet in recoder.snapshot(1):
        for message in decode_packet(STARBASE, packet).messages:
            if message.name in ("BidPut", "AskPut"):
                side = Side.BUY if message.name == "BidPut" else Side.SELL
                fields = message.fields
                in_reach = base * 10_000_000 <= fields["price"] < (base + 1_024) * 10_000_000
                if in_reach:
                    orders.append((fields["orderId"], side, fields["price"], fields["quantityMantissa"]))
            elif message.name == "SnapshotHeader":
                last = message.fields["incrementalSeqNum"]
    assert driver.load(base * 10_000_000, orders, last)

"""The Binance feed in frames: its two messages, the skipped and the bad ones, and what a channel row says."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from market.fastpath.conformance.case import Case
from market.fastpath.conformance.directed.frames import PORT_0, PORT_1, channel, quote, send, start
from market.fastpath.conformance.frame_builder import Wrapping, best_bid_ask, frame, trades
from market.fastpath.conformance.rules import Rule
from market.fastpath.specification import NO_INSTRUMENT, Feed, Kind

VECTOR_QUOTE = bytes.fromhex(
    "32001127010000002a2e7fbe341f0600b22bcaa90b000000f8f8005856859e0500001081380900000000409a65859e050000284ded01000000"
    "000742544355534454"
)
"""BTCUSDT 61,784.00 x 1.54698, 61,784.01 x 0.32329, exponents -8, update 50,093,239,218."""
VECTOR_TRADES = bytes.fromhex(
    "120010270100000040e481be341f06003fe481be341f0600f8f819000200000061e1eedd00000000005856859e050000e80300000000000001"
    "62e1eedd00000000c01547859e050000d007000000000000010742544355534454"
)
"""Two sales: 61,784.00 x 0.00001 and 61,783.99 x 0.00002."""


def cases() -> Iterator[Case]:
    yield _quotes()
    yield _trade_frame()
    yield _trades_share_a_step()
    yield _skipped()
    yield _bad_best_bid_ask()
    yield _bad_trades()
    yield _bad_header()
    yield _other_feeds()
    yield _channel_rows()
    yield _no_instrument()


def _quotes() -> Case:
    scenario = start(
        "frame-best-bid-ask",
        "the published message on venue 0 with k = 1, then venue 1 ten below it; then an old update id",
        Rule.BINANCE_QUOTE,
        Rule.FRAME_STEP,
        Rule.SCALING,
        Rule.REJECT_OLD_SEQUENCE,
    )
    ten = 10 * 10**9
    scenario.instrument_row(Kind.ARB, priceHigh=10**14, maximumQuantity=10**9, positionLimit=10**12)
    for venue in (0, 1):
        scenario.scaling_row(0, venue, priceExponent=-8, quantityExponent=-8, priceShift=1, quantityShift=1)
    send(scenario, frame(VECTOR_QUOTE, Wrapping()))
    below = best_bid_ask(-8, -8, 5, 6_178_300_000_000 - ten // 10, 10**8, 6_178_400_000_000 - ten // 10, 10**8)
    send(scenario, frame(below, Wrapping(port=PORT_1)))
    send(scenario, frame(below, Wrapping(port=PORT_1)))
    return scenario.case()


def _trade_frame() -> Case:
    scenario = start(
        "frame-trades",
        "the published message: two sales; then buys, and an aggressor of neither kind; then no trades at all",
        Rule.BINANCE_TRADES,
        Rule.TRADE_VOLUME,
    )
    scenario.scaling_row(0, 0, priceExponent=-8, quantityExponent=-8, priceShift=1, quantityShift=1)
    send(scenario, frame(VECTOR_TRADES, Wrapping()))
    entries = ((1_000, 5, 0), (1_000, 7, 1), (1_000, 9, 2), (1_000, 11, 255), (0, 1, 0), (1_000, 0, 1))
    send(scenario, frame(trades(-8, -8, entries), Wrapping()))
    send(scenario, frame(trades(-8, -8, ()), Wrapping()))
    scenario.control("StatusRequest")
    return scenario.case()


def _trades_share_a_step() -> Case:
    scenario = start(
        "frame-one-step",
        "a frame of three trades is one step with one time, and its status counts all three",
        Rule.FRAME_STEP,
        Rule.STATUS_INTERVAL,
    )
    scenario.wait(10_000_000)
    send(scenario, frame(trades(-9, -9, ((1, 1, 0), (2, 2, 1), (3, 3, 0))), Wrapping()))
    scenario.wait(-1)
    send(scenario, frame(trades(-9, -9, ((1, 1, 0), (2, 2, 1), (3, 3, 0))), Wrapping()))
    scenario.control("StatusRequest")
    return scenario.case()


def _skipped() -> Case:
    scenario = start(
        "frame-skipped",
        "depth messages and templates of nobody are skipped unread: a step without events that makes the venue heard",
        Rule.FRAME_SKIPPED,
        Rule.HEARD,
    )
    scenario.venue_row(1, maximumSilence=1_000)
    send(scenario, frame(quote(1, 999, 1_001), Wrapping(port=PORT_1)))
    for template in (10_002, 10_003, 9_999, 0):
        scenario.wait(1_000)
        send(scenario, frame(struct.pack("<HHHH", 1, template, 1, 0) + b"?", Wrapping(port=PORT_1)))
    send(scenario, frame(struct.pack("<HHHH", 0, 10_003, 1, 0), Wrapping(port=PORT_1)))
    send(scenario, frame(quote(1, 1_010, 1_012), Wrapping()))
    return scenario.case()


def _bad_best_bid_ask() -> Case:
    scenario = start(
        "frame-bad-best-bid-ask",
        "block length, missing or long symbol, bytes behind it; an empty symbol and one of other bytes are good",
        Rule.BINANCE_BAD,
        Rule.BINANCE_QUOTE,
    )
    good = quote(1, 999, 1_001)
    for payload in (
        b"\x31" + good[1:],
        b"\x33" + good[1:],
        good[:-1],
        good + b"\0",
        good[:58],
        good[:57],
        good[:20],
        good[:58] + b"\x08" + good[59:],
        good[:58] + b"\xff",
    ):
        send(scenario, frame(payload, Wrapping()))
    send(scenario, frame(good[:58] + b"\0", Wrapping()))
    send(scenario, frame(quote(2, 999, 1_001)[:58] + b"\3\0\xff\0", Wrapping()))
    return scenario.case()


def _bad_trades() -> Case:
    scenario = start(
        "frame-bad-trades",
        "block length, entry length, counts that do not fit up to 2^32 - 1, a cut entry, symbol; nothing counts",
        Rule.BINANCE_BAD,
        Rule.BINANCE_TRADES,
    )
    good = trades(-9, -9, ((1_000, 1, 0), (1_000, 1, 1)))
    empty = trades(-9, -9, ())
    for payload in (
        b"\x11" + good[1:],
        b"\x13" + good[1:],
        good[:26] + b"\x18" + good[27:],
        good[:26] + b"\x1a" + good[27:],
        empty[:26] + b"\0" + empty[27:],
        good[:28] + struct.pack("<I", 1) + good[32:],
        good[:28] + struct.pack("<I", 3) + good[32:],
        good[:28] + struct.pack("<I", (1 << 32) - 1) + good[32:],
        good[:28] + struct.pack("<I", 0x0A3D70A5) + good[32:],
        good[:28] + struct.pack("<I", 1 << 16) + good[32:],
        good[:32],
        good[:31],
        good[:26],
        good[:50],
        good[:82],
        good[:-1],
        good + b"\0",
    ):
        send(scenario, frame(payload, Wrapping()))
    send(scenario, frame(good, Wrapping()))
    scenario.control("StatusRequest")
    return scenario.case()


def _bad_header() -> Case:
    scenario = start(
        "frame-bad-header",
        "schema, version, and fewer than 8 bytes, also of messages that would be skipped",
        Rule.BINANCE_BAD,
        Rule.FRAME_SKIPPED,
    )
    good = quote(1, 999, 1_001)
    for template in (good, struct.pack("<HHHH", 0, 10_003, 1, 0)):
        for position, value in ((4, 0), (4, 2), (5, 1), (6, 1), (7, 1)):
            send(scenario, frame(template[:position] + bytes([value]) + template[position + 1 :], Wrapping()))
    for length in (0, 1, 7, 8):
        send(scenario, frame(good[:length], Wrapping()))
    return scenario.case()


def _other_feeds() -> Case:
    scenario = start(
        "frame-other-feed",
        "a message of another feed than the row says, and an empty payload: BAD_MESSAGE",
        Rule.FRAME_FEED,
    )
    channel(scenario, 0, 0, feed=int(Feed.DERIBIT_LEGACY))
    send(scenario, frame(quote(1, 999, 1_001), Wrapping()))
    send(scenario, frame(b"", Wrapping()))
    return scenario.case()


def _channel_rows() -> Case:
    scenario = start(
        "frame-channel-rows",
        "of rows with the same address and port the lowest enabled one wins; a rewritten row holds from the next frame",
        Rule.CHANNEL_LOOKUP,
        Rule.FRAME_STEP,
    )
    channel(scenario, 5, 1, port=PORT_0)
    channel(scenario, 63, 1, port=PORT_0 + 7)
    send(scenario, frame(quote(1, 1_010, 1_012), Wrapping()))
    channel(scenario, 0, 0, enabled=0)
    send(scenario, frame(quote(1, 999, 1_001), Wrapping()))
    scenario.wait(1_000_000)
    channel(scenario, 0, 0, port=PORT_0 + 7)
    send(scenario, frame(quote(2, 1_000, 1_002), Wrapping(port=PORT_0 + 7)))
    send(scenario, frame(quote(3, 1_020, 1_022), Wrapping(port=PORT_0 + 7)))
    return scenario.case()


def _no_instrument() -> Case:
    scenario = start(
        "frame-no-instrument",
        "a row without an instrument, on a feed whose messages name none: every event is UNKNOWN",
        Rule.FRAME_FEED,
        Rule.REJECT_UNKNOWN,
        Rule.TRADE_REJECT,
    )
    channel(scenario, 0, 0, instrument=NO_INSTRUMENT)
    send(scenario, frame(quote(1, 999, 1_001), Wrapping()))
    send(scenario, frame(trades(-9, -9, ((1, 1, 0), (2, 2, 1))), Wrapping()))
    return scenario.case()

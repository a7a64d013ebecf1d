"""Numbered feeds: both lines of a channel, gaps, duplicates, loading a book; skipped by a core without them."""

from __future__ import annotations

from typing import Any

import cocotb

from market.fastpath.conformance import packet_builder as wire
from market.fastpath.conformance.case import Frame
from market.fastpath.conformance.directed.numbered_feeds import (
    BASE,
    FIRST,
    INSTRUMENT,
    LINE_A,
    LINE_B,
    ORDERS,
    PAUSE_NS,
    TICK,
    book_row,
    clear,
    destination,
    heartbeat,
    line_row,
    load,
    load_order,
    ready,
)
from market.fastpath.specification import DropReason, Feed, Kind, Refusal, Side
from sim.rtl.bench.desk import Desk
from sim.rtl.bench.scapy_frames import frame
from tests.hdl.cocotb.control_cases import refused
from tests.hdl.cocotb.gate_cases import triggers
from tests.hdl.cocotb.session import LINE_FEEDS, desk_of

CHANNELS = (10, 11)
"""Rows of lines A and B, apart from those of the venues."""


def packet(feed: Feed, number: int, messages: list[bytes]) -> bytes:
    """An incremental packet."""
    make = wire.starbase_packet if feed is Feed.STARBASE else wire.coinbase_packet
    return make(number, messages)


def bid(feed: Feed, order: int, price: int) -> bytes:
    """A put of ten that ends its transaction."""
    if feed is Feed.STARBASE:
        return wire.starbase_put(order, INSTRUMENT, False, price, 10)
    return wire.coinbase_put(order, INSTRUMENT, 1, price, 10)


def send(desk: Desk, payload: bytes, port: int = LINE_A) -> list[dict[str, Any]]:
    """A packet in a frame; its triggers."""
    desk.wait(PAUSE_NS)
    return triggers(desk.give(Frame(frame(payload, port))))


def live(desk: Desk, feed: Feed) -> None:
    """Venue 1 quoted flat, venue 0 on a line whose book is live: 10 at 990, 10 at 1,100."""
    desk.fresh(Kind.ARB)
    for channel, port in zip(CHANNELS, (LINE_A, LINE_B), strict=True):
        destination(desk, channel, port, 0, feed)
    line_row(desk, feed)
    book_row(desk)
    desk.flat(1)
    send(desk, heartbeat(feed, FIRST))
    load(desk, FIRST - 1)


@cocotb.test(skip=not LINE_FEEDS)
async def a_book_makes_triggers(dut: Any) -> None:
    desk = await desk_of(dut)
    for feed in LINE_FEEDS:
        live(desk, feed)
        assert send(desk, packet(feed, FIRST, [bid(feed, 9, 1_000)])) == []
        assert len(send(desk, packet(feed, FIRST + 1, [bid(feed, 10, 1_010)]))) == 1
        assert send(desk, packet(feed, FIRST + 2, [bid(feed, 11, 1_010)])) == []
    await desk.play()


@cocotb.test(skip=not LINE_FEEDS)
async def the_second_of_two_lines_is_dropped(dut: Any) -> None:
    desk = await desk_of(dut)
    drops = desk.engine.state.frame_counters.drops
    for feed in LINE_FEEDS:
        live(desk, feed)
        before = drops[DropReason.DUPLICATE]
        for number in range(8):
            first, second = (LINE_A, LINE_B) if number % 3 else (LINE_B, LINE_A)
            payload = packet(feed, FIRST + number, [bid(feed, 20 + number, 900 + TICK * number)])
            send(desk, payload, first)
            send(desk, payload, second)
        assert drops[DropReason.DUPLICATE] == before + 8
        # a spoiled one is not counted as one of the line: the other line's is the first
        good = frame(packet(feed, FIRST + 8, [bid(feed, 40, 1_010)]), LINE_A)
        assert desk.give(Frame(good[:-1] + bytes([good[-1] ^ 1]))) == []
        assert len(send(desk, packet(feed, FIRST + 8, [bid(feed, 40, 1_010)]), LINE_B)) == 1
    await desk.play()


@cocotb.test(skip=not LINE_FEEDS)
async def a_gap_breaks_the_book_until_it_is_loaded(dut: Any) -> None:
    desk = await desk_of(dut)
    counters = desk.engine.state.frame_counters
    for feed in LINE_FEEDS:
        live(desk, feed)
        gaps = counters.gaps
        assert send(desk, packet(feed, FIRST + 1, [bid(feed, 9, 1_010)])) == []
        assert counters.gaps == gaps + 1
        load(desk, FIRST + 1, (*ORDERS, (9, Side.BUY, 1_000, 10)))
        assert send(desk, packet(feed, FIRST + 2, [bid(feed, 12, 1_000)])) == []
        assert len(send(desk, packet(feed, FIRST + 3, [bid(feed, 13, 1_010)]))) == 1
    await desk.play()


@cocotb.test(skip=not LINE_FEEDS)
async def refusals_about_books(dut: Any) -> None:
    desk = await desk_of(dut)
    for feed in LINE_FEEDS:
        live(desk, feed)
        order = {"book": 0, "order": 5, "side": int(Side.BUY), "price": 1_000, "quantity": 1}
        refused(desk, Refusal.BOOK_STATE, "BookOrder", **order)
        refused(desk, Refusal.BOOK_STATE, "BookReady", book=0, number=FIRST)
        refused(desk, Refusal.UNKNOWN_ROW, "BookClear", book=desk.sizes.order_books, base=BASE)
        clear(desk)
        load_order(desk, ORDERS[0])
        refused(desk, Refusal.BOOK_ORDER, "BookOrder", **(order | {"price": 1_001}))
        refused(desk, Refusal.WRONG_NUMBER, "BookReady", book=0, number=FIRST + 5)
        load_order(desk, ORDERS[1])
        ready(desk, FIRST - 1)
        assert len(send(desk, packet(feed, FIRST, [bid(feed, 13, 1_010)]))) == 1
    for channel, port in zip(CHANNELS, (LINE_A, LINE_B), strict=True):
        desk.control("ChannelRow", address=0, port=port, channel=channel, instrument=0, venue=0, feed=1, enabled=0)
    line_row(desk, Feed.STARBASE, enabled=0)
    await desk.play()

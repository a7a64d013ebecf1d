"""A line full of orders: every message changes the top of a book, and the books keep up."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

import pytest

from market.fastpath.conformance.frame_builder import ADDRESS, Wrapping, frame
from market.fastpath.conformance.packet_builder import (
    starbase_delete,
    starbase_packet,
    starbase_put,
    starbase_reduce,
)
from market.fastpath.specification import Feed, Side
from sim.rtl.lines import Line
from tests.sim.rtl.side_by_side import SideBySide

LINE: Final = Wrapping(port=31_000, udp_checksum=None)
VENUE, CHANNEL, INSTRUMENT = 2, 7, 500
BASE: Final = 100
LEVELS: Final = 800
"""Bids of one order each, at prices 100 to 899."""
PAYLOAD_LIMIT: Final = 1_472
Messages = Callable[[int], bytes]


def messages_to_frames(messages: list[bytes], number: int) -> Iterator[bytes]:
    """As few packets as the messages go into, numbered on."""
    packet: list[bytes] = []
    for message in [*messages, b""]:
        if not message or sum(map(len, packet)) + len(message) + 24 > PAYLOAD_LIMIT:
            yield frame(starbase_packet(number, packet, channel=CHANNEL), LINE)
            number += len(packet)
            packet = []
        packet.append(message)


def pair_with_book(line: Line) -> SideBySide:
    """A live book, its bids from one price to the next, and an ask above all of them."""
    pair = SideBySide(line.bus_bytes, line=line)
    pair.control(
        "ChannelRow", address=ADDRESS, port=LINE.port, channel=9, instrument=65_535, venue=VENUE, feed=2, enabled=1
    )
    pair.control("LineRow", line=0, venue=VENUE, wireChannel=CHANNEL, feed=int(Feed.STARBASE), enabled=1)
    row = {"book": 0, "line": 0, "wireInstrument": INSTRUMENT, "instrument": 0, "tick": 1}
    pair.control("BookRow", **row, priceExponent=-9, quantityExponent=-9, enabled=1)
    pair.push([frame(starbase_packet(1, [], channel=CHANNEL), LINE)])
    pair.control("BookClear", book=0, base=BASE)
    for level in range(LEVELS):
        pair.control("BookOrder", book=0, order=level, side=int(Side.BUY), price=BASE + level, quantity=LEVELS)
    pair.control("BookOrder", book=0, order=LEVELS, side=int(Side.SELL), price=1_100, quantity=5)
    pair.control("BookReady", book=0, number=0)
    assert pair.differences() == []
    return pair


def delete(step: int) -> bytes:
    """The best bid goes."""
    return starbase_delete(LEVELS - 1 - step, INSTRUMENT, False)


def reduce(step: int) -> bytes:
    """The best bid becomes smaller."""
    return starbase_reduce(LEVELS - 1, INSTRUMENT, False, LEVELS - 1 - step)


def put(step: int) -> bytes:
    """A better bid."""
    return starbase_put(1_000 + step, INSTRUMENT, False, BASE + LEVELS + step % 100, 1 + step)


def put_and_delete(step: int) -> bytes:
    """A better bid comes and goes: what a line can do for ever."""
    number = step // 2
    if step % 2:
        return starbase_delete(1_000 + number, INSTRUMENT, False)
    return starbase_put(1_000 + number, INSTRUMENT, False, BASE + LEVELS + number % 100, 1 + number)


@pytest.mark.parametrize("line", [Line.NARROW, Line.GEARED], ids=lambda line: str(line.name))
@pytest.mark.parametrize("message", [delete, reduce, put, put_and_delete], ids=lambda message: str(message.__name__))
def test_a_full_line_of_messages_that_each_change_the_top(message: Messages, line: Line) -> None:
    pair = pair_with_book(line)
    frames = list(messages_to_frames([message(step) for step in range(700)], 1))
    pair.fill_the_line(frames)
    assert pair.differences(log_may_miss_steps=True) == []
    assert SideBySide.frame_counters(pair.cpu)["messages"] >= 700

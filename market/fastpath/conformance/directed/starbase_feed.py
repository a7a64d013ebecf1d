"""Starbase: what its messages mean, and which packets are bad."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from market.fastpath.conformance.case import Case
from market.fastpath.conformance.directed.numbered_feeds import FIRST, INSTRUMENT, live, send, start
from market.fastpath.conformance.packet_builder import (
    END,
    starbase_delete,
    starbase_message,
    starbase_packet,
    starbase_put,
    starbase_reduce,
    starbase_trade,
)
from market.fastpath.conformance.rules import Rule
from market.fastpath.specification import Kind

PUBLISHED = bytes.fromhex(
    "158d3d4efad57918e90300000000000007000000010002003800140001000100158d3d4efad579180b0000000000000096370300000000"
    "00a86100000000000000b9f62ffa5200000b000000000000002000180001000200158d3d4efad579180900000000000000963703000000"
    "0000"
)
"""BidPut of order 11 (25,000 at 91,234.5) and BidDelete of order 9, instrument 210,838, sequence 1,001, channel 7."""


def cases() -> Iterator[Case]:
    yield _published()
    yield _trades()
    yield _bad_packets()
    yield _bad_lengths()
    yield _versions()


def _published() -> Case:
    scenario = start(
        "starbase-published",
        "the published packet: a put at 91,234.5, and the end of its transaction; price and quantity in a trigger",
        Rule.STARBASE_ORDERS,
        Rule.TRANSACTION_END,
    )
    scenario.instrument_row(Kind.ARB, priceHigh=10**14, maximumQuantity=10**6, positionLimit=10**9)
    scenario.scaling_row(0, 0, quantityExponent=-3)
    tick = 500_000_000
    fields = {"book": 0, "line": 0, "wireInstrument": 210_838, "instrument": 0, "tick": tick}
    scenario.control("BookRow", **fields, priceExponent=-9, quantityExponent=-3, enabled=1)
    send(scenario, starbase_packet(1_001, []))
    base = 91_000_000_000_000
    scenario.control("BookClear", book=0, base=base)
    scenario.control("BookOrder", book=0, order=2, side=2, price=base + 60 * tick, quantity=7)
    scenario.control("BookOrder", book=0, order=9, side=1, price=base + 3 * tick, quantity=7)
    scenario.control("BookReady", book=0, number=1_000)
    send(scenario, PUBLISHED)
    scenario.quote(1, 90_000_000_000_000, 10, 91_000_000_000_000, 40_000)
    # 91,234.5 lies beyond 64 ticks of 0.5 from 91,000: the book broke; once more with a base that fits
    scenario.control("BookClear", book=0, base=91_220_000_000_000)
    scenario.control("BookOrder", book=0, order=2, side=2, price=91_220_000_000_000 + 60 * tick, quantity=7)
    scenario.control("BookReady", book=0, number=1_002)
    renumbered = bytearray(PUBLISHED)
    renumbered[8:16] = struct.pack("<q", 1_003)
    send(scenario, bytes(renumbered))
    return scenario.case()


def _trades() -> Case:
    scenario = live(
        "starbase-trade",
        "the maker's side gives the aggressor; other flags do not matter; unknown instruments; bad numbers",
        Rule.STARBASE_TRADE,
        Rule.TRADE_REJECT,
    )
    send(
        scenario,
        starbase_packet(
            FIRST,
            [
                starbase_trade(INSTRUMENT, False, 990, 3),
                starbase_trade(INSTRUMENT, True, 1_100, 4),
                starbase_message(31, struct.pack("<qqqqqI", 5, INSTRUMENT, 6, 20, 990, 2)),
                starbase_message(31, struct.pack("<qqqqqI", 5, INSTRUMENT, -(1 << 63), 30, 990, 7)),
                starbase_trade(INSTRUMENT + 1, False, 990, 100),
                starbase_trade(INSTRUMENT, False, 0, 200),
                starbase_trade(INSTRUMENT, False, 990, 0, flags=END),
                starbase_message(30, bytes(56)),
                starbase_message(33, bytes(78)),
            ],
        ),
    )
    for _ in range(4):
        scenario.control("StatusRequest")
    return scenario.case()


def _bad_packets() -> Case:
    scenario = live(
        "starbase-bad-count",
        "more or fewer messages than the packet says; bytes left over; the last message cut: nothing is applied",
        Rule.STARBASE_BAD,
    )
    messages = [starbase_put(9, INSTRUMENT, False, 1_020, 10), starbase_delete(9, INSTRUMENT, False)]
    for count in (0, 1, 3, 65_535):
        send(scenario, starbase_packet(FIRST, messages, count=count))
    send(scenario, starbase_packet(FIRST, [], count=1))
    good = starbase_packet(FIRST, messages)
    for length in (24 + 8, 24 + 16, 24 + 55, 24 + 56, len(good) - 8, len(good) - 1):
        send(scenario, good[:length])
    for extra in (1, 8, 16):
        send(scenario, good + bytes(extra))
    send(scenario, good[:-32] + starbase_put(10, INSTRUMENT, False, 1_010, 10))
    return scenario.case()


def _bad_lengths() -> Case:
    scenario = live(
        "starbase-bad-length",
        "messages of each template 8 bytes too short and too long, in packets that they fill; lengths of 0, 8 and 20",
        Rule.STARBASE_BAD,
    )
    bodies = {20: 40, 21: 40, 22: 24, 23: 24, 24: 16, 25: 16, 31: 48}
    for template, body in bodies.items():
        for change in (-8, 8):
            send(scenario, starbase_packet(FIRST, [starbase_message(template, bytes(body + change))]))
    unknown = starbase_message(99, bytes(8))
    for length in (0, 8, 15, 20, 32):
        send(scenario, starbase_packet(FIRST, [struct.pack("<H", length) + unknown[2:]]))
    send(scenario, starbase_packet(FIRST, [unknown, starbase_message(98, b""), starbase_message(97, bytes(260))]))
    send(scenario, starbase_packet(FIRST + 3, [starbase_put(9, INSTRUMENT, False, 1_020, 10)]))
    return scenario.case()


def _versions() -> Case:
    scenario = live(
        "starbase-version",
        "any version of a message with the right length; flags beyond the two that are known",
        Rule.STARBASE_BAD,
        Rule.STARBASE_ORDERS,
    )
    body = struct.pack("<qqqqq", 9, INSTRUMENT, 10, 1_020, 9)
    send(scenario, starbase_packet(FIRST, [starbase_message(20, body, flags=0xFFFE, version=2)]))
    reduced = starbase_reduce(9, INSTRUMENT, False, 4, flags=0)
    send(scenario, starbase_packet(FIRST + 1, [reduced[:4] + b"\0\0" + reduced[6:]]))
    send(scenario, starbase_packet(FIRST + 2, [starbase_message(24, struct.pack("<qq", 9, INSTRUMENT), 3, 65_535)]))
    return scenario.case()

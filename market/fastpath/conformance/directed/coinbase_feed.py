"""Coinbase Derivatives: what its messages mean, and which packets are bad."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from market.fastpath.conformance.case import Case
from market.fastpath.conformance.directed.numbered_feeds import (
    FIRST,
    INSTRUMENT,
    ORDERS,
    clear,
    live,
    load,
    ready,
    send,
)
from market.fastpath.conformance.packet_builder import (
    CLEAR,
    END,
    SNAPSHOT,
    coinbase_delete,
    coinbase_message,
    coinbase_other,
    coinbase_packet,
    coinbase_put,
    coinbase_trade,
    instrument_header,
)
from market.fastpath.conformance.rules import Rule
from market.fastpath.specification import Feed

CDE = Feed.COINBASE_DERIVATIVES


def cases() -> Iterator[Case]:
    yield _orders()
    yield _sides()
    yield _transactions()
    yield _clear()
    yield _trades()
    yield _line()
    yield _bad_packets()
    yield _bad_blocks()


def bid(order: int, price: int, quantity: int = 10, flags: int = END) -> bytes:
    """OrderPut of a bid of book 0."""
    return coinbase_put(order, INSTRUMENT, 1, price, quantity, flags)


def _orders() -> Case:
    scenario = live(
        "coinbase-orders",
        "puts of both sides, stated anew with less and with more, moved, deleted; negative quantities break",
        Rule.COINBASE_ORDERS,
        Rule.BOOK_CHANGES,
        feed=CDE,
    )
    asks = coinbase_put(10, INSTRUMENT, -1, 980, 10)
    steps = (
        [bid(9, 1_020, 7)],
        [bid(9, 1_020, 5), bid(9, 1_020, 9)],
        [bid(9, 980, 5), coinbase_delete(9, INSTRUMENT, 1)],
        [coinbase_delete(1, INSTRUMENT, 1), bid(11, 900), asks],
        [coinbase_delete(10, INSTRUMENT, -1)],
        [bid(12, 1_030, 3)],
        [bid(12, 1_030, -3)],
    )
    number = FIRST
    for messages in steps:
        send(scenario, coinbase_packet(number, messages))
        number += len(messages)
    return scenario.case()


def _sides() -> Case:
    scenario = live(
        "coinbase-sides",
        "a put or delete of another side than 1 and -1, or of the other side, breaks the book",
        Rule.COINBASE_ORDERS,
        Rule.BOOK_BREAKS,
        Rule.BOOK_CANNOT_TAKE,
        feed=CDE,
    )
    number = FIRST
    for message in (
        coinbase_put(9, INSTRUMENT, 0, 980, 10),
        coinbase_put(9, INSTRUMENT, 2, 980, 10),
        coinbase_delete(77, INSTRUMENT, 0),
        coinbase_delete(1, INSTRUMENT, -1),
        coinbase_put(1, INSTRUMENT, -1, 1_000, 10),
    ):
        send(scenario, coinbase_packet(number, [bid(11, 1_020), message]))
        number += 2
        load(scenario, number - 1)
    send(scenario, coinbase_packet(number, [bid(11, 1_020)]))
    return scenario.case()


def _transactions() -> Case:
    scenario = live(
        "coinbase-transaction",
        "the end flag of any message with an instrument header, of any instrument; a block of 21 bytes has no flags",
        Rule.TRANSACTION_END,
        feed=CDE,
    )
    send(scenario, coinbase_packet(FIRST, [bid(9, 1_020, flags=1)]))
    send(scenario, coinbase_packet(FIRST + 1, [coinbase_message(124, b"\xff" * 21)]))
    send(scenario, coinbase_packet(FIRST + 2, [coinbase_message(124, bytes([END]) + b"\1" * 21)]))
    send(scenario, coinbase_packet(FIRST + 3, [bid(9, 980, flags=0), coinbase_other(INSTRUMENT + 1, END)]))
    send(scenario, coinbase_packet(FIRST + 5, [bid(9, 1_010, flags=0), coinbase_trade(INSTRUMENT, 1, 1_010, 1, END)]))
    return scenario.case()


def _clear() -> Case:
    scenario = live(
        "coinbase-clear",
        "a clear flag breaks a live book in a put, a trade and a message that is not read; not another instrument's",
        Rule.COINBASE_CLEAR,
        Rule.BOOK_BREAKS,
        Rule.BOOK_READY,
        feed=CDE,
    )
    number = FIRST
    for message in (
        bid(9, 1_030, flags=CLEAR | END),
        coinbase_trade(INSTRUMENT, 1, 990, 1, CLEAR),
        coinbase_other(INSTRUMENT, CLEAR | END),
        coinbase_delete(77, INSTRUMENT, 0, CLEAR),
    ):
        send(scenario, coinbase_packet(number, [bid(11, 1_020), coinbase_other(INSTRUMENT + 1, CLEAR), message]))
        send(scenario, coinbase_packet(number + 3, [coinbase_other(INSTRUMENT, CLEAR)]))
        number += 4
        load(scenario, number - 1)
    # while loading it is a message that the book did not take
    clear(scenario)
    send(scenario, coinbase_packet(number, [coinbase_other(INSTRUMENT, CLEAR), coinbase_other(INSTRUMENT, END)]))
    for said in (number - 1, number):
        ready(scenario, said)
    return scenario.case()


def _trades() -> Case:
    scenario = live(
        "coinbase-trade",
        "aggressors by side, none for 0; amendments and busts are not read",
        Rule.COINBASE_TRADE,
        Rule.TRADE_REJECT,
        feed=CDE,
    )
    trades = [coinbase_trade(INSTRUMENT, side, 990, 10**n) for n, side in enumerate((1, -1, 0, 2))]
    trades += [coinbase_trade(INSTRUMENT + 1, 1, 990, 7), coinbase_trade(INSTRUMENT, 1, 990, -1)]
    trades += [coinbase_message(31, instrument_header(INSTRUMENT, 1, 0) + bytes(40))]
    send(scenario, coinbase_packet(FIRST, trades))
    for _ in range(4):
        scenario.control("StatusRequest")
    return scenario.case()


def _line() -> Case:
    scenario = live(
        "coinbase-line",
        "duplicates, packets that are partly old, snapshots, heartbeats and a gap, as on the other feed of orders",
        Rule.PACKET_DUPLICATE,
        Rule.PACKET_OVERLAP,
        Rule.PACKET_SNAPSHOT,
        Rule.PACKET_GAP,
        Rule.PACKET_HEARTBEAT,
        feed=CDE,
    )
    first = coinbase_packet(FIRST, [bid(9, 980), bid(9, 1_010, flags=0)])
    for packet in (
        first,
        first,
        coinbase_packet(FIRST + 1, [bid(10, 1_050), bid(9, 1_020)]),
        coinbase_packet(FIRST + 90, [bid(9, 1_030)], kind=SNAPSHOT),
        coinbase_packet(FIRST + 3, [bid(9, 1_030)], channel=8),
        coinbase_packet(FIRST + 3, []),
        coinbase_packet(FIRST + 2, []),
        coinbase_packet(FIRST + 4, []),
    ):
        send(scenario, packet)
    scenario.flat(1)
    load(scenario, FIRST + 3, ORDERS)
    send(scenario, coinbase_packet(FIRST + 4, [bid(9, 1_040)]))
    return scenario.case()


def _bad_packets() -> Case:
    scenario = live(
        "coinbase-bad-count",
        "other counts, bytes left over, cut messages, another schema: nothing is applied",
        Rule.COINBASE_BAD,
        feed=CDE,
    )
    messages = [bid(9, 1_020), coinbase_delete(9, INSTRUMENT, 1)]
    for count in (0, 1, 3, 255):
        send(scenario, coinbase_packet(FIRST, messages, count=count))
    good = coinbase_packet(FIRST, messages)
    for length in (23, 24 + 9, 24 + 10, 24 + 16, 24 + 55, 24 + 56, len(good) - 1):
        send(scenario, good[:length])
    for extra in (1, 8, 16):
        send(scenario, good + bytes(extra))
    send(scenario, coinbase_packet(FIRST, [bid(9, 1_020), coinbase_message(99, bytes(30), schema=1_200)]))
    send(scenario, good[:-40] + bid(9, 1_010)[:40])
    send(scenario, coinbase_packet(FIRST, [bid(9, 1_020)]))
    return scenario.case()


def _bad_blocks() -> Case:
    scenario = live(
        "coinbase-bad-block",
        "blocks of another length than their template's, or beyond their message; lengths that are no multiple of 8",
        Rule.COINBASE_BAD,
        feed=CDE,
    )
    for template, block in ((20, 42), (21, 30), (30, 58)):
        for length in (block - 2, block - 1, block + 1, block + 4, 22):
            send(scenario, coinbase_packet(FIRST, [coinbase_message(template, bytes(length))]))
        longer = coinbase_message(template, bytes(block)) + bytes(8)
        send(scenario, coinbase_packet(FIRST, [struct.pack("<H", len(longer)) + longer[2:]]))
    unknown = coinbase_message(99, bytes(30))
    for length in (0, 8, 9, 10, 36, 48):
        send(scenario, coinbase_packet(FIRST, [struct.pack("<H", length) + unknown[2:]]))
    for block in (31, 65_535):
        send(scenario, coinbase_packet(FIRST, [unknown[:2] + struct.pack("<H", block) + unknown[4:]]))
    send(scenario, coinbase_packet(FIRST, [unknown, coinbase_message(98, b""), coinbase_message(10, bytes(500))]))
    send(scenario, coinbase_packet(FIRST + 3, [bid(9, 1_020)]))
    return scenario.case()

"""Deribit's legacy multicast: tickers, trades, doubles, and which packets are bad."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from market.fastpath.conformance.case import Case
from market.fastpath.conformance.directed.lines import ticker
from market.fastpath.conformance.directed.numbered_feeds import INSTRUMENT, book_row, send, start
from market.fastpath.conformance.packet_builder import (
    ABSENT,
    deribit_book,
    deribit_message,
    deribit_packet,
    deribit_ticker,
    deribit_trades,
    double,
)
from market.fastpath.conformance.rules import Rule
from market.fastpath.specification import Feed, Kind

LEGACY = Feed.DERIBIT_LEGACY
INFINITE, NOT_A_NUMBER, NEGATIVE_ZERO = double(float("inf")), ABSENT - 1, 1 << 63


def cases() -> Iterator[Case]:
    yield _tickers()
    yield _trades()
    yield _halves()
    yield _exponents()
    yield _prices()
    yield _amounts()
    yield _bad_packets()
    yield _bad_shapes()
    yield _bad_groups()
    yield _skipped()


def _tickers() -> Case:
    scenario = start(
        "deribit-ticker",
        "ticker and book in one packet; two tickers of one packet count up; book first; another instrument",
        Rule.DERIBIT_TICKER,
        Rule.BOOK_LOOKUP,
        feed=LEGACY,
    )
    send(scenario, deribit_packet(1, [ticker(1_010), deribit_book(INSTRUMENT, 3)]))
    send(scenario, deribit_packet(2, [ticker(980), ticker(1_020)]))
    send(scenario, deribit_packet(3, [ticker(980)]))
    amount = double(10e-9)
    other = deribit_ticker(INSTRUMENT + 1, double(1_030e-9), amount, double(1_200e-9), amount)
    send(scenario, deribit_packet(4, [deribit_book(INSTRUMENT, 0), other, ticker(1_030)]))
    book_row(scenario, book=15)
    book_row(scenario, enabled=0)
    send(scenario, deribit_packet(5, [ticker(980)]))
    send(scenario, deribit_packet(6, [ticker(1_040)]))
    return scenario.case()


def _trades() -> Case:
    scenario = start(
        "deribit-trades",
        "directions; several entries; none; numbers that cannot be; another instrument",
        Rule.DERIBIT_TRADES,
        Rule.TRADE_REJECT,
        feed=LEGACY,
    )
    price = double(1_000e-9)
    entries = [(direction, price, double(10.0**direction * 1e-9)) for direction in (0, 1, 2, 3, 255)][:4]
    entries += [(0, ABSENT, price), (0, price, ABSENT), (0, price, double(-1.0)), (0, NOT_A_NUMBER, price)]
    send(scenario, deribit_packet(1, [deribit_trades(INSTRUMENT, entries), deribit_trades(INSTRUMENT, [])]))
    send(scenario, deribit_packet(2, [deribit_trades(INSTRUMENT + 1, entries)]))
    for _ in range(4):
        scenario.control("StatusRequest")
    return scenario.case()


def _quote(number: int, *bits: int) -> bytes:
    """A packet with a ticker of bid, amount, ask, amount."""
    return deribit_packet(number, [deribit_ticker(INSTRUMENT, *bits)])


def _halves() -> Case:
    scenario = start(
        "double-halves",
        "exponent 0: 1,004.5 counts as 1,005 and the double below it as 1,004: no edge of 5; halves of small numbers",
        Rule.DOUBLES,
        feed=LEGACY,
    )
    scenario.scaling_row(0, 0, priceExponent=0, quantityExponent=0)
    book_row(scenario, priceExponent=0, quantityExponent=0)
    scenario.instrument_row(Kind.ARB, minimumEdge=4)
    below = double(1_004.5) - 1
    for number, (price, amount) in enumerate(
        (
            (below, double(3.0)),
            (double(1_004.5), double(2.5)),
            (below, double(3.0)),
            (double(1_005.0), double(2.5) - 1),
            (below, double(0.5)),
            (double(1_005.0), double(0.5) - 1),
            (double(1_005.0), double(0.5)),
        )
    ):
        send(scenario, _quote(number, price, amount, double(1_200.0), double(4.0)))
    return scenario.case()


def _exponents() -> Case:
    scenario = start(
        "double-exponents",
        "1,234.5678 in every exponent from -9 to 0, with a quantity of 0.1 in all that have it",
        Rule.DOUBLES,
        Rule.BOOK_EXPONENTS,
        feed=LEGACY,
    )
    wide = {"priceHigh": 10**14, "maximumQuantity": 10**9, "positionLimit": 10**13, "maximumSpread": 10**13}
    scenario.instrument_row(Kind.IMBALANCE, imbalanceThreshold=1, **wide)
    number = 1
    for exponent in range(-9, 1):
        scenario.scaling_row(0, 0, priceExponent=exponent, quantityExponent=min(exponent, -1))
        book_row(scenario, priceExponent=exponent, quantityExponent=min(exponent, -1))
        for amount in (0.3, 0.1):
            send(
                scenario,
                _quote(
                    number, double(1_234.5678), double(amount), double(1_236.0), double(0.1 if amount > 0.2 else 0.4)
                ),
            )
            number += 1
    return scenario.case()


def _prices() -> Case:
    scenario = start(
        "double-prices",
        "prices: absent, zeros, negative, infinite, no number, the smallest double, above P bits, above all: RANGE",
        Rule.DOUBLES,
        Rule.REJECT_RANGE,
        feed=LEGACY,
    )
    amount, ask = double(10e-9), double(1_200e-9)
    top = float((1 << 48) - 1) / 1e9
    prices = [ABSENT, 0, NEGATIVE_ZERO, double(-1.0), double(-1e-12), INFINITE, INFINITE | 1 << 63, NOT_A_NUMBER, 1]
    prices += [double(0.4e-9), double(0.6e-9), double(top * 2), double(1e9 + 1), double(1e300), double(5e18)]
    for number, price in enumerate(prices):
        send(scenario, _quote(2 * number, price, amount, ask, amount))
        send(scenario, _quote(2 * number + 1, double(1_010e-9), amount, price, amount))
    send(scenario, _quote(100, double(1_010e-9), amount, double(top), amount))
    return scenario.case()


def _amounts() -> Case:
    scenario = start(
        "double-amounts",
        "amounts: absent and zero are EMPTY, negative and no number RANGE, what is above P bits is cut",
        Rule.DOUBLES,
        Rule.REJECT_EMPTY,
        Rule.REJECT_RANGE,
        Rule.QUANTITY_CUT,
        feed=LEGACY,
    )
    bid, ask, amount = double(1_010e-9), double(1_200e-9), double(10e-9)
    amounts = [ABSENT, 0, NEGATIVE_ZERO, double(0.4e-9), double(-1e-12), INFINITE, NOT_A_NUMBER]
    amounts += [double(1e6), double(1e300), double(0.6e-9)]
    for number, each in enumerate(amounts):
        send(scenario, _quote(2 * number, bid, each, ask, amount))
        send(scenario, _quote(2 * number + 1, bid, amount, ask, each))
    return scenario.case()


def _bad_packets() -> Case:
    scenario = start(
        "deribit-bad-length",
        "packet lengths other than the payload's; messages that end early; bytes left over; another schema",
        Rule.DERIBIT_BAD,
        feed=LEGACY,
    )
    good = deribit_packet(1, [ticker(1_010), deribit_book(INSTRUMENT, 2)])
    for change in (-1, 1):
        send(scenario, struct.pack("<H", len(good) - 8 + change) + good[2:])
    for length in (0, 7, 9, 19, 20, 8 + 12 + 132, 8 + 12 + 133 + 11, len(good) - 18, len(good) - 1):
        cut = good[:length]
        send(scenario, struct.pack("<H", max(0, length - 8)) + cut[2:] if length >= 2 else cut)
    for extra in (1, 12):
        send(scenario, struct.pack("<H", len(good) - 8 + extra) + good[2:] + bytes(extra))
    for schema in (0, 2, 257):
        send(scenario, deribit_packet(1, [ticker(1_010), deribit_message(1_009, bytes(22), schema=schema)]))
    send(scenario, good)
    return scenario.case()


def _bad_shapes() -> Case:
    scenario = start(
        "deribit-bad-shape",
        "ticker, book and trades with other blocks, groups, entries or a text",
        Rule.DERIBIT_BAD,
        feed=LEGACY,
    )
    entry, change = bytes(83), bytes(18)
    for message in (
        deribit_message(1_003, bytes(132)),
        deribit_message(1_003, bytes(134)),
        deribit_message(1_003, bytes(133), [(18, b"")]),
        deribit_message(1_003, bytes(133), texts=[b""]),
        deribit_message(1_001, bytes(29)),
        deribit_message(1_001, bytes(28), [(18, change)]),
        deribit_message(1_001, bytes(30), [(18, change)]),
        deribit_message(1_001, bytes(29), [(17, bytes(17))]),
        deribit_message(1_001, bytes(29), [(0, b"")]),
        deribit_message(1_001, bytes(29), [(18, change), (18, change)]),
        deribit_message(1_001, bytes(29), [(18, change)], texts=[b"a"]),
        deribit_message(1_002, bytes(4)),
        deribit_message(1_002, bytes(3), [(83, entry)]),
        deribit_message(1_002, bytes(5), [(83, entry)]),
        deribit_message(1_002, bytes(4), [(82, bytes(82))]),
        deribit_message(1_002, bytes(4), [(83, entry), (83, b"")]),
        deribit_message(1_002, bytes(4), [(83, entry)], texts=[b""]),
    ):
        send(scenario, deribit_packet(1, [ticker(1_010), message]))
    send(scenario, deribit_packet(1, [ticker(1_010)]))
    return scenario.case()


def _bad_groups() -> Case:
    scenario = start(
        "deribit-bad-group",
        "entries with groups or texts of their own, entries of no bytes, counts and texts that lie",
        Rule.DERIBIT_BAD,
        feed=LEGACY,
    )
    for dimension in (
        (4, 1, 1, 0),
        (4, 1, 0, 1),
        (0, 1, 0, 0),
        (0, 65_535, 0, 0),
        (4, 2, 0, 0),
        (65_535, 65_535, 0, 0),
    ):
        message = struct.pack("<6H", 4, 1_004, 1, 2, 1, 0) + bytes(4) + struct.pack("<4H", *dimension) + bytes(4)
        send(scenario, deribit_packet(1, [ticker(1_010), message]))
    for texts, content in ((1, b""), (1, b"\5abcd"), (2, b"\3abc"), (65_535, b"\0" * 40)):
        message = struct.pack("<6H", 0, 1_000, 1, 2, 0, texts) + content
        send(scenario, deribit_packet(1, [ticker(1_010), message]))
    message = struct.pack("<6H", 4, 1_004, 1, 2, 3, 0) + bytes(4) + struct.pack("<4H", 0, 0, 0, 0) * 2
    send(scenario, deribit_packet(1, [ticker(1_010), message]))
    send(scenario, deribit_packet(1, [ticker(1_010)]))
    return scenario.case()


def _skipped() -> Case:
    scenario = start(
        "deribit-skipped",
        "definitions with groups and texts, snapshots, an index, empty groups: skipped; a ticker behind them; versions",
        Rule.DERIBIT_BAD,
        Rule.DERIBIT_TICKER,
        feed=LEGACY,
    )
    messages = [
        deribit_message(1_000, bytes(140), texts=[b"BTC-PERPETUAL"]),
        deribit_message(1_010, bytes(139), [(16, bytes(32))], [b"x" * 255]),
        deribit_message(1_004, bytes(22), [(17, bytes(34))]),
        deribit_message(1_008, bytes(32)),
        deribit_message(1_006, b""),
        deribit_message(7, b"", [(0, b""), (5, bytes(10))], [b"", b"a"]),
        ticker(1_010),
    ]
    send(scenario, deribit_packet(1, messages))
    for number, version in enumerate((0, 1, 3, 65_535), start=2):
        message = ticker(1_020 if number % 2 else 980)
        send(scenario, deribit_packet(number, [message[:6] + struct.pack("<H", version) + message[8:]]))
    return scenario.case()

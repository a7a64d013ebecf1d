"""Lines: which packets are whose, their numbers, duplicates, gaps, heartbeats."""

from __future__ import annotations

from collections.abc import Iterator

from market.fastpath.conformance import packet_builder as wire
from market.fastpath.conformance.case import Case, Frame
from market.fastpath.conformance.directed.numbered_feeds import (
    FIRST,
    INSTRUMENT,
    LINE_A,
    LINE_B,
    ORDERS,
    book_row,
    destination,
    line_row,
    live,
    load,
    ready,
    send,
    start,
)
from market.fastpath.conformance.frame_builder import Wrapping, frame
from market.fastpath.conformance.packet_builder import END, SNAPSHOT, starbase_packet, starbase_put
from market.fastpath.conformance.rules import Rule
from market.fastpath.conformance.scenario import Scenario
from market.fastpath.specification import Feed


def cases() -> Iterator[Case]:
    yield _lookup()
    yield _rows()
    yield _duplicates()
    yield _overlap()
    yield _gap()
    yield _gap_while_loading()
    yield _heartbeats()
    yield _snapshots()
    yield _first_check()
    yield _numbers()
    yield _reset()
    yield _stated()
    yield _wrap()


def bid(order: int, price: int, quantity: int = 10, flags: int = END) -> bytes:
    """A new bid of book 0."""
    return starbase_put(order, INSTRUMENT, False, price, quantity, flags)


def _lookup() -> Case:
    scenario = live(
        "line-lookup",
        "the same bid on another channel id, venue or feed; then on the line's: only that is applied",
        Rule.LINE_LOOKUP,
    )
    for channel in (6, 8, 7 - (1 << 31), 7 + (1 << 16)):
        send(scenario, starbase_packet(FIRST, [bid(9, 1_020)], channel=channel))
    destination(scenario, 2, 31_002, 1, Feed.STARBASE)
    send(scenario, starbase_packet(FIRST, [bid(9, 1_020)]), 31_002)
    destination(scenario, 3, 31_003, 0, Feed.COINBASE_DERIVATIVES)
    send(scenario, wire.coinbase_packet(FIRST, [wire.coinbase_put(9, INSTRUMENT, 1, 1_020, 10)]), 31_003)
    send(scenario, starbase_packet(FIRST, [bid(9, 1_020)]))
    return scenario.case()


def _rows() -> Case:
    scenario = live(
        "line-rows",
        "of two rows of a channel the lowest enabled one; a row that is written again begins anew, its book unloaded",
        Rule.LINE_LOOKUP,
        Rule.LINE_FIRST,
        Rule.BOOK_UNLOADED,
    )
    line_row(scenario, Feed.STARBASE, line=1)
    send(scenario, starbase_packet(FIRST, [bid(9, 1_020)]))
    # line 1 has not been used; line 0 is off and its book unloaded
    line_row(scenario, Feed.STARBASE, enabled=0)
    send(scenario, starbase_packet(5, [bid(10, 1_030)]))
    send(scenario, starbase_packet(6, [bid(10, 1_030)]))
    line_row(scenario, Feed.STARBASE)
    send(scenario, starbase_packet(3, [bid(10, 1_030)]))
    load(scenario, 3)
    send(scenario, starbase_packet(4, [bid(11, 1_040)]))
    return scenario.case()


def _duplicates() -> Case:
    scenario = live(
        "packet-duplicate",
        "the other destination repeats; older ones; of several messages, all old",
        Rule.PACKET_DUPLICATE,
    )
    first = starbase_packet(FIRST, [bid(9, 980), bid(10, 1_010, flags=0)])
    second = starbase_packet(FIRST + 2, [bid(11, 1_020)])
    for packet, port in ((first, LINE_B), (first, LINE_A), (second, LINE_A), (second, LINE_B), (first, LINE_A)):
        send(scenario, packet, port)
    send(scenario, starbase_packet(FIRST, [bid(12, 1_030), bid(13, 1_030), bid(14, 1_030)]))
    send(scenario, starbase_packet(0, []))
    return scenario.case()


def _overlap() -> Case:
    scenario = live(
        "packet-overlap",
        "lines that group differently: 100+101, then 101+102 of which only 102 is new; its transaction ends count, too",
        Rule.PACKET_OVERLAP,
        Rule.TRANSACTION_END,
    )
    send(scenario, starbase_packet(FIRST, [bid(9, 980), bid(10, 1_010, flags=0)]))
    # the old message would end the transaction and would put another price
    send(scenario, starbase_packet(FIRST + 1, [bid(10, 1_020, flags=END), bid(11, 1_020, flags=0)]), LINE_B)
    send(scenario, starbase_packet(FIRST + 2, [bid(11, 1_020, flags=0), bid(12, 970, flags=END)]))
    return scenario.case()


def _gap() -> Case:
    scenario = start(
        "packet-gap",
        "one number is missing: both live books of the line break in order, later packets are skipped; reloaded",
        Rule.PACKET_GAP,
        Rule.BOOK_BREAKS,
        Rule.BOOK_LOADING,
    )
    scenario.scaling_row(1, 0)
    book_row(scenario, book=1, wireInstrument=501, instrument=1)
    send(scenario, starbase_packet(FIRST, []))
    load(scenario, FIRST - 1)
    load(scenario, FIRST - 1, book=1)
    send(scenario, starbase_packet(FIRST, [bid(9, 1_010)]))
    send(scenario, starbase_packet(FIRST + 2, [bid(10, 1_020)]))
    send(scenario, starbase_packet(FIRST + 3, [bid(11, 1_030)]))
    scenario.flat(1)
    load(scenario, FIRST + 3, [*ORDERS, (12, ORDERS[0][1], 1_040, 7)])
    send(scenario, starbase_packet(FIRST + 4, [bid(13, 980)]))
    return scenario.case()


def _gap_while_loading() -> Case:
    scenario = start(
        "packet-gap-loading",
        "a gap while a book is loading: ready needs a number from before the packet behind the gap on",
        Rule.PACKET_GAP,
        Rule.BOOK_READY,
    )
    send(scenario, starbase_packet(FIRST, []))
    scenario.control("BookClear", book=0, base=500)
    send(scenario, starbase_packet(FIRST + 10, []))
    for number in (FIRST - 1, FIRST + 8, FIRST + 10, FIRST + 9):
        ready(scenario, number)
    return scenario.case()


def _heartbeats() -> Case:
    scenario = live(
        "packet-heartbeat",
        "on time from both destinations, late (dropped), and ahead: a gap; a venue that only beats is heard",
        Rule.PACKET_HEARTBEAT,
        Rule.PACKET_GAP,
        Rule.PACKET_DUPLICATE,
    )
    scenario.venue_row(0, maximumSilence=100_000)
    send(scenario, starbase_packet(FIRST, [bid(9, 980)]))
    scenario.wait(80_000)
    send(scenario, starbase_packet(FIRST + 1, []))
    send(scenario, starbase_packet(FIRST + 1, []), LINE_B)
    scenario.wait(80_000)
    scenario.quote(1, 960, 10, 970, 10)
    scenario.flat(1)
    scenario.wait(30_000)
    send(scenario, starbase_packet(FIRST, []))
    scenario.quote(1, 950, 10, 960, 10)
    send(scenario, starbase_packet(FIRST + 2, []))
    send(scenario, starbase_packet(FIRST + 2, [bid(10, 1_020)]))
    # without a line it is one, too
    send(scenario, starbase_packet(5, [], channel=99))
    return scenario.case()


def _snapshots() -> Case:
    scenario = live(
        "packet-snapshot",
        "packets with the snapshot bit are no updates, whatever their number; they are checked",
        Rule.PACKET_SNAPSHOT,
    )
    for kind in (SNAPSHOT, SNAPSHOT | 1, SNAPSHOT | 4):
        send(scenario, starbase_packet(FIRST + 50, [bid(9, 1_020)], kind=kind))
        send(scenario, starbase_packet(0, [], kind=kind))
        send(scenario, starbase_packet(FIRST, [bid(9, 1_020)], kind=kind, count=2))
    # neither a retransmission nor an unknown bit makes one
    send(scenario, starbase_packet(FIRST, [bid(9, 1_010)], kind=5))
    send(scenario, starbase_packet(FIRST + 1, [bid(10, 1_020)], kind=0))
    return scenario.case()


def _first_check() -> Case:
    scenario = live(
        "packet-first-check",
        "short header; an old packet with bad messages is DUPLICATE; a new one BAD_MESSAGE, its number still next",
        Rule.PACKET_FIRST_CHECK,
        Rule.PACKET_DUPLICATE,
    )
    good = starbase_packet(FIRST - 5, [bid(9, 1_020)])
    for length in (0, 8, 23):
        send(scenario, good[:length])
    for length in (24, 32, len(good) - 1):
        send(scenario, good[:length])
    bad = starbase_packet(FIRST, [bid(9, 1_020)[:48]])
    send(scenario, bad)
    spoiled = bytearray(frame(starbase_packet(FIRST, [bid(9, 1_020)]), Wrapping(port=LINE_A)))
    spoiled[-1] ^= 1
    scenario.give(Frame(bytes(spoiled)))
    send(scenario, starbase_packet(FIRST, [bid(9, 1_020)]))
    return scenario.case()


def _numbers() -> Case:
    scenario = start(
        "packet-numbers",
        "numbers outside 0..2^62-1 are BAD_MESSAGE; the largest is taken as any; 0 may be the first",
        Rule.PACKET_FIRST_CHECK,
        Rule.LINE_FIRST,
    )
    for number in (-1, -(1 << 63), 1 << 62, (1 << 63) - 1):
        send(scenario, starbase_packet(number, []))
    send(scenario, starbase_packet(0, []))
    load(scenario, -1)
    send(scenario, starbase_packet(0, [bid(9, 1_020)]))
    send(scenario, starbase_packet((1 << 62) - 1, [bid(10, 1_030)]))
    send(scenario, starbase_packet((1 << 62) - 1, [bid(10, 1_030)]))
    return scenario.case()


def _reset() -> Case:
    scenario = live(
        "reset-lines",
        "a reset of the other venue leaves the line alone; one of its own forgets number and book; then one of all",
        Rule.RESET_LINES,
        Rule.LINE_FIRST,
        Rule.RESET_VENUE,
        Rule.RESET_ALL,
    )
    scenario.control("Reset", venue=1)
    scenario.flat(1)
    send(scenario, starbase_packet(FIRST, [bid(9, 1_010)]))
    for venue in (0, 255):
        scenario.control("Reset", venue=venue)
        scenario.flat(1)
        ready(scenario, FIRST)
        send(scenario, starbase_packet(3, [bid(10, 1_020)]))
        load(scenario, 3)
        send(scenario, starbase_packet(4, [bid(11, 1_030)]))
    return scenario.case()


def ticker(bid_price: int) -> bytes:
    """A ticker of book 0 with a bid, and an ask of 1,200, ten each; prices in 10^-9."""
    amount = wire.double(10e-9)
    return wire.deribit_ticker(INSTRUMENT, wire.double(bid_price * 1e-9), amount, wire.double(1_200e-9), amount)


def _stated() -> Case:
    scenario = start(
        "packet-gap-stated",
        "tickers: a gap counts and the quote stays; a repeated packet is dropped; another channel has no line",
        Rule.PACKET_GAP_STATED,
        Rule.PACKET_DUPLICATE,
        Rule.DERIBIT_TICKER,
        Rule.PACKET_HEARTBEAT,
        feed=Feed.DERIBIT_LEGACY,
    )
    _send_stated(scenario, (5, 1_010), (6, 980), (6, 1_010), (9, 1_020), (8, 1_030), (10, 990))
    send(scenario, wire.deribit_packet(11, []))
    send(scenario, wire.deribit_packet(14, []))
    send(scenario, wire.deribit_packet(15, [ticker(1_030)], channel=107))
    send(scenario, wire.deribit_packet(15, [ticker(1_030)]))
    return scenario.case()


def _send_stated(scenario: Scenario, *packets: tuple[int, int]) -> None:
    for number, price in packets:
        send(scenario, wire.deribit_packet(number, [ticker(price)]))


def _wrap() -> Case:
    last = (1 << 32) - 1
    scenario = start(
        "packet-wrap",
        "2^32 - 1 is followed by 0, the sequence of quotes goes on; half of the range is old, the other half ahead",
        Rule.PACKET_WRAP,
        Rule.DERIBIT_TICKER,
        feed=Feed.DERIBIT_LEGACY,
    )
    _send_stated(scenario, (last, 1_010), (0, 980), (last, 1_010), (1, 1_020))
    _send_stated(scenario, ((1 << 31) + 2, 1_030), ((1 << 31) + 1, 980), ((1 << 31) + 2, 1_030))
    return scenario.case()

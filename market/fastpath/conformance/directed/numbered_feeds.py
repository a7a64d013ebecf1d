"""What the cases of numbered feeds begin with: a line on two destinations, a book on it, and a host that loads books.

Venue 0 is on the line, venue 1 is quoted by the host at 999 and 1,001, so that ARB shows a bid above 1,005 or an ask
below 995. The book's window has 64 prices, 500 to 1,130 in tens.
"""

from __future__ import annotations

from collections.abc import Sequence

from market.fastpath.conformance import packet_builder as wire
from market.fastpath.conformance.case import Frame
from market.fastpath.conformance.frame_builder import ADDRESS, Wrapping, frame
from market.fastpath.conformance.rules import Rule
from market.fastpath.conformance.scenario import Scenario
from market.fastpath.specification import EngineSizes, Feed, Kind, Side

SMALL = EngineSizes(venues=2, instruments=2, order_books=2, book_orders=32, book_ticks=64)
LINE_A, LINE_B = 31_000, 31_001
INSTRUMENT = 500
"""Wire instrument of book 0."""
BASE, TICK = 500, 10
PAUSE_NS = 3_000
FIRST = 100
"""Number of the first packet."""
Order = tuple[int, Side, int, int]
"""Id, side, price, quantity."""
ORDERS: tuple[Order, ...] = ((1, Side.BUY, 990, 10), (2, Side.SELL, 1_100, 10))


def destination(scenario: Scenario, channel: int, port: int, venue: int, feed: Feed) -> None:
    """A channel row without an instrument."""
    fields = {"address": ADDRESS, "port": port, "channel": channel, "instrument": 65_535, "venue": venue}
    scenario.control("ChannelRow", **fields, feed=int(feed), enabled=1)


def line_row(scenario: Scenario, feed: int, **changes: int) -> None:
    """Line 0: channel 7 of venue 0."""
    fields = {"line": 0, "venue": 0, "wireChannel": 7, "feed": int(feed), "enabled": 1}
    scenario.control("LineRow", **(fields | changes))


def book_row(scenario: Scenario, **changes: int) -> None:
    """Book 0 on line 0: wire instrument 500 is instrument 0, ticks of ten."""
    fields = {"book": 0, "line": 0, "wireInstrument": INSTRUMENT, "instrument": 0, "tick": TICK}
    scenario.control("BookRow", **(fields | {"priceExponent": -9, "quantityExponent": -9, "enabled": 1} | changes))


def start(
    name: str,
    about: str,
    *rules: Rule,
    feed: Feed = Feed.STARBASE,
    kinds: Sequence[Kind] = (Kind.ARB,),
    sizes: EngineSizes = SMALL,
) -> Scenario:
    """Tables, a line with book 0, and venue 1's quote."""
    scenario = Scenario(name, about, *rules, sizes=sizes)
    scenario.set_up(*kinds)
    destination(scenario, 0, LINE_A, 0, feed)
    destination(scenario, 1, LINE_B, 0, feed)
    line_row(scenario, feed)
    book_row(scenario)
    scenario.flat(1)
    return scenario


def send(scenario: Scenario, packet: bytes, port: int = LINE_A) -> None:
    """A packet in a frame, late enough for the rate not to matter."""
    scenario.wait(PAUSE_NS)
    scenario.give(Frame(frame(packet, Wrapping(port=port))))


def clear(scenario: Scenario, book: int = 0, base: int = BASE) -> None:
    """BookClear."""
    scenario.control("BookClear", book=book, base=base)


def load_order(scenario: Scenario, order: Order, book: int = 0) -> None:
    """BookOrder."""
    number, side, price, quantity = order
    scenario.control("BookOrder", book=book, order=number, side=int(side), price=price, quantity=quantity)


def ready(scenario: Scenario, number: int, book: int = 0) -> None:
    """BookReady."""
    scenario.control("BookReady", book=book, number=number)


def load(scenario: Scenario, number: int, orders: Sequence[Order] = ORDERS, book: int = 0, base: int = BASE) -> None:
    """A book loaded in one go, whole up to a number."""
    clear(scenario, book, base)
    for order in orders:
        load_order(scenario, order, book)
    ready(scenario, number, book)


def heartbeat(feed: Feed, number: int) -> bytes:
    """A packet without messages."""
    if feed is Feed.STARBASE:
        return wire.starbase_packet(number, [])
    return wire.coinbase_packet(number, []) if feed is Feed.COINBASE_DERIVATIVES else wire.deribit_packet(number, [])


def live(
    name: str,
    about: str,
    *rules: Rule,
    feed: Feed = Feed.STARBASE,
    kinds: Sequence[Kind] = (Kind.ARB,),
    sizes: EngineSizes = SMALL,
    orders: Sequence[Order] = ORDERS,
) -> Scenario:
    """As ``start``, and book 0 is live: a bid of 10 at 990, an ask of 10 at 1,100, and 100 is the next number."""
    scenario = start(name, about, *rules, feed=feed, kinds=kinds, sizes=sizes)
    send(scenario, heartbeat(feed, FIRST))
    load(scenario, FIRST - 1, orders)
    return scenario

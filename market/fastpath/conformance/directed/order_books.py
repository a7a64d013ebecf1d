"""Order books: what messages do to them, what breaks them, and when their quotes change."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from zlib import crc32

from market.fastpath.conformance.case import Case
from market.fastpath.conformance.directed.numbered_feeds import (
    BASE,
    FIRST,
    INSTRUMENT,
    ORDERS,
    SMALL,
    TICK,
    Order,
    book_row,
    live,
    load,
    send,
    start,
)
from market.fastpath.conformance.packet_builder import (
    END,
    START,
    starbase_delete,
    starbase_message,
    starbase_packet,
    starbase_put,
    starbase_reduce,
)
from market.fastpath.conformance.rules import Rule
from market.fastpath.conformance.scenario import Scenario
from market.fastpath.specification import EngineSizes, Kind, Side

TOP = (1 << 48) - 1
LAST = BASE + TICK * (SMALL.book_ticks - 1)


class Updates:
    """Sends messages of book 0, numbered from 100 on, one packet each unless told otherwise."""

    def __init__(self, scenario: Scenario) -> None:
        self._scenario = scenario
        self.number = FIRST

    def send(self, *messages: bytes) -> None:
        """One packet of these messages."""
        send(self._scenario, starbase_packet(self.number, messages))
        self.number += len(messages)

    def reload(self, orders: Sequence[Order] = ORDERS) -> None:
        """The book loaded anew, whole up to the last message."""
        load(self._scenario, self.number - 1, orders)


def bid(order: int, price: int, quantity: int = 10, flags: int = END) -> bytes:
    """BidPut of book 0."""
    return starbase_put(order, INSTRUMENT, False, price, quantity, flags)


def ask(order: int, price: int, quantity: int = 10, flags: int = END) -> bytes:
    """AskPut of book 0."""
    return starbase_put(order, INSTRUMENT, True, price, quantity, flags)


def cut(order: int, quantity: int, is_ask: bool = False, flags: int = END) -> bytes:
    """BidQtyReduced or AskQtyReduced of book 0."""
    return starbase_reduce(order, INSTRUMENT, is_ask, quantity, flags)


def gone(order: int, is_ask: bool = False, flags: int = END) -> bytes:
    """BidDelete or AskDelete of book 0."""
    return starbase_delete(order, INSTRUMENT, is_ask, flags)


def cases() -> Iterator[Case]:
    yield _changes()
    yield _totals()
    yield _transactions()
    yield _several_books()
    yield _empty_side()
    yield _window()
    yield from _through()
    yield from _cannot_take()
    yield _sequence_of_withdrawal()
    yield _withdrawal_without_scaling()
    yield _room()
    yield _room_of_second_table()
    yield _lookup()
    yield _exponents()
    yield _crossed()
    yield _large_window()


def _changes() -> Case:
    scenario = live(
        "book-changes",
        "a put moves an order, with another quantity; a reduction; a deletion; an order that is not kept is ignored",
        Rule.BOOK_CHANGES,
        Rule.STARBASE_ORDERS,
        Rule.TRANSACTION_END,
    )
    updates = Updates(scenario)
    updates.send(bid(9, 1_020, 7))
    updates.send(bid(9, 990, 6))
    updates.send(bid(9, 1_030, 5))
    updates.send(cut(9, 4))
    updates.send(gone(9))
    # nothing of this is kept: no event
    updates.send(gone(9), cut(9, 3), gone(77, is_ask=True), cut(77, 1 << 50 >> 10, is_ask=True))
    updates.send(ask(10, 960, 3))
    updates.send(cut(10, 2, is_ask=True))
    updates.send(gone(10, is_ask=True))
    updates.send(ask(2, 970, 2))
    return scenario.case()


def _totals() -> Case:
    scenario = live(
        "book-totals",
        "orders of one price add up; a put of the same price replaces its own part; the next best after a deletion",
        Rule.BOOK_CHANGES,
        Rule.TRANSACTION_END,
    )
    updates = Updates(scenario)
    updates.send(bid(9, 1_020, 7), bid(10, 1_020, 5), bid(11, 1_010, 3))
    updates.send(gone(10))
    updates.send(bid(9, 1_020, 2))
    updates.send(gone(9), bid(12, 500, 1), bid(13, LAST - 200, 1), gone(13))
    updates.send(gone(11))
    updates.send(bid(14, 1_040, 4))
    return scenario.case()


def _transactions() -> Case:
    scenario = live(
        "transaction-end",
        "no event before the end flag, over packets and through messages of others; none for a top that comes back",
        Rule.TRANSACTION_END,
        kinds=(Kind.ARB, Kind.IMBALANCE),
    )
    updates = Updates(scenario)
    updates.send(bid(9, 1_020, 40, flags=START))
    updates.send(bid(10, 1_030, 50, flags=0), gone(9, flags=0))
    # the end of a message about another instrument, of a template that is not read
    updates.send(starbase_message(16, b"\1" * 9, flags=END))
    updates.send(gone(10, flags=START), bid(11, 1_030, 50, flags=END))
    updates.send(bid(12, 1_040, flags=0))
    updates.send(starbase_put(12, INSTRUMENT + 9, False, 1, 1, flags=END))
    updates.send(gone(12, flags=END), gone(11, flags=END | START | 4))
    return scenario.case()


def _several_books() -> Case:
    scenario = start(
        "transaction-several-books",
        "one transaction changes two books of one instrument: events in the order of rows, the second one too old",
        Rule.TRANSACTION_END,
        Rule.BOOK_LOOKUP,
    )
    book_row(scenario, book=1, wireInstrument=501)
    send(scenario, starbase_packet(FIRST, []))
    load(scenario, FIRST - 1, book=1)
    load(scenario, FIRST - 1)
    # both books are instrument 0 of venue 0: the second event has the sequence of the first
    send(scenario, starbase_packet(FIRST, [starbase_put(9, 501, False, 1_020, 10, 0), bid(9, 1_030, 5)]))
    send(scenario, starbase_packet(FIRST + 2, [starbase_put(9, 501, False, 980, 10), gone(9)]))
    return scenario.case()


def _empty_side() -> Case:
    scenario = live(
        "book-empty-side",
        "the last bid goes: EMPTY once, although asks change no more; a bid comes back; both sides empty",
        Rule.BOOK_EMPTY_SIDE,
        Rule.REJECT_EMPTY,
    )
    updates = Updates(scenario)
    updates.send(gone(1))
    updates.send(ask(9, 1_110))
    updates.send(bid(10, 1_010))
    updates.send(gone(10), gone(9, is_ask=True), gone(2, is_ask=True))
    updates.send(ask(2, 990), bid(1, 980))
    return scenario.case()


def _window() -> Case:
    scenario = live(
        "book-window",
        "both ends of the window; orders away from it are not kept, and are forgotten when a put moves them away",
        Rule.BOOK_WINDOW,
        Rule.BOOK_CHANGES,
    )
    updates = Updates(scenario)
    updates.send(bid(9, BASE), ask(10, LAST))
    updates.send(bid(11, BASE - TICK), bid(12, BASE - 1), bid(13, -(1 << 63)), bid(14, -5))
    updates.send(ask(15, LAST + TICK), ask(16, LAST + 10 * TICK + 3), ask(17, (1 << 63) - 1))
    updates.send(gone(11), cut(12, 5), gone(15, is_ask=True))
    updates.send(bid(1, BASE - TICK))
    updates.send(gone(9))
    updates.send(bid(1, LAST))
    updates.send(gone(1), ask(2, LAST + TICK), ask(10, BASE))
    updates.send(gone(10, is_ask=True))
    return scenario.case()


def _broken(name: str, about: str, *breaking: bytes, rules: Sequence[Rule]) -> Case:
    """A live book that each of the messages breaks, loaded anew every time."""
    scenario = live(name, about, *rules, Rule.BOOK_BREAKS)
    updates = Updates(scenario)
    for message in breaking:
        updates.send(bid(9, 1_020))
        updates.send(message)
        updates.send(bid(10, 1_030))
        updates.reload()
    updates.send(bid(10, 1_030))
    return scenario.case()


def _through() -> Iterator[Case]:
    yield _broken(
        "book-through-window",
        "bids above the window and asks below it break the book, on a tick or not",
        bid(11, LAST + TICK),
        bid(11, LAST + 1 + TICK),
        bid(1, (1 << 63) - 1),
        ask(11, BASE - 1),
        ask(11, BASE - TICK),
        ask(2, -(1 << 63)),
        rules=(Rule.BOOK_WINDOW,),
    )


def _cannot_take() -> Iterator[Case]:
    yield _broken(
        "book-cannot-take",
        "quantities of 0, below, and above P bits; totals above; between two ticks; the other side; more than there is",
        bid(11, 980, 0),
        bid(11, 980, -1),
        bid(11, 980, TOP + 1),
        bid(11, BASE - TICK, 0),
        bid(11, 990, TOP - 9),
        ask(11, LAST + TICK, TOP + 1),
        bid(11, LAST - 1),
        bid(11, BASE + 1),
        ask(1, 1_000),
        ask(1, LAST + TICK),
        gone(1, is_ask=True),
        cut(1, 5, is_ask=True),
        cut(1, 11),
        cut(1, 0),
        cut(77, 0),
        cut(77, TOP + 1),
        rules=(Rule.BOOK_CANNOT_TAKE,),
    )
    scenario = live(
        "book-just-takes",
        "a total of all bits; a reduction to what there is; an order away with a price between two ticks",
        Rule.BOOK_CANNOT_TAKE,
    )
    updates = Updates(scenario)
    updates.send(bid(11, 990, TOP - 10))
    updates.send(cut(1, 10), cut(11, TOP - 10), bid(12, BASE - 3), bid(13, 1_010, TOP), bid(13, 1_010, TOP))
    updates.send(bid(1, 1_020, 1))
    yield scenario.case()


def _sequence_of_withdrawal() -> Case:
    scenario = live(
        "book-break-sequence",
        "a quote with a sequence far ahead is withdrawn all the same, and the book's own numbers count again",
        Rule.BOOK_BREAKS,
        Rule.REJECT_OLD_SEQUENCE,
    )
    updates = Updates(scenario)
    scenario.quote(0, 1_020, 10, 1_030, 10, sequence=1 << 40)
    updates.send(bid(9, 1_010))
    updates.send(bid(9, 1_010, 0))
    scenario.flat(1)
    updates.reload()
    updates.send(bid(9, 1_020))
    return scenario.case()


def _withdrawal_without_scaling() -> Case:
    scenario = start(
        "book-break-scaling",
        "books that break without a scaling row and with another one are UNKNOWN and EXPONENT",
        Rule.BOOK_BREAKS,
        Rule.REJECT_UNKNOWN,
        Rule.REJECT_EXPONENT,
    )
    book_row(scenario, instrument=1)
    book_row(scenario, book=1, wireInstrument=501, priceExponent=-8)
    send(scenario, starbase_packet(FIRST, []))
    load(scenario, FIRST - 1)
    load(scenario, FIRST - 1, book=1)
    scenario.quote(0, 1_010, 10, 1_020, 10)
    send(scenario, starbase_packet(FIRST, [bid(9, 980)]))
    send(scenario, starbase_packet(FIRST + 2, []))
    scenario.flat(1)
    return scenario.case()


def _ids_of_sets(first: int, second: int, sets: int, count: int) -> list[int]:
    """Order ids, from 1,000 on, whose sets are these two."""
    found: list[int] = []
    number = 1_000
    while len(found) < count:
        crc = crc32(number.to_bytes(8, "little"))
        if (crc % sets, (crc >> 16) % sets) == (first, second):
            found.append(number)
        number += 1
    return found


def _room() -> Case:
    scenario = live(
        "book-room",
        "16 orders whose two sets are the same; the 17th does not fit, but one with another set does",
        Rule.BOOK_ROOM,
        Rule.BOOK_BREAKS,
        orders=((_ids_of_sets(1, 1, 2, 1)[0], Side.SELL, 1_100, 10),),
    )
    updates = Updates(scenario)
    full = _ids_of_sets(0, 0, 2, 18)
    for order in full[:16]:
        updates.send(bid(order, 990 - 10 * (order % 5), 1))
    updates.send(gone(full[3]), bid(full[16], 1_010, 1), *(bid(n, 980) for n in _ids_of_sets(0, 1, 2, 2)))
    updates.send(bid(full[5], 1_020, 1))
    updates.send(bid(full[17], 1_030, 1))
    updates.send(bid(9, 1_030, 1))
    return scenario.case()


def _room_of_second_table() -> Case:
    scenario = live(
        "book-room-fewer",
        "orders with a choice go where fewer are, and stay there when others leave",
        Rule.BOOK_ROOM,
        orders=((_ids_of_sets(1, 1, 2, 1)[0], Side.SELL, 1_100, 10),),
    )
    updates = Updates(scenario)
    only_first, both = _ids_of_sets(0, 0, 2, 12), _ids_of_sets(0, 1, 2, 12)
    mirrored = _ids_of_sets(1, 0, 2, 12)
    for group in (only_first[:4], both[:9], mirrored[:9]):
        for order in group:
            updates.send(bid(order, 900, 1))
    updates.send(gone(only_first[1]), gone(both[2]), bid(both[2], 910, 1))
    for order in (*both[9:], *mirrored[9:], *only_first[4:]):
        updates.send(bid(order, 1_010, 1))
    return scenario.case()


def _lookup() -> Case:
    scenario = live(
        "book-lookup",
        "the lowest enabled row of a wire instrument; ids that differ in the high half; another line; a disabled row",
        Rule.BOOK_LOOKUP,
        Rule.BOOK_UNLOADED,
    )
    scenario.scaling_row(1, 0)
    updates = Updates(scenario)
    book_row(scenario, book=5, instrument=1)
    for wire_instrument in (INSTRUMENT + (1 << 32), -INSTRUMENT, INSTRUMENT - 1):
        updates.send(starbase_put(9, wire_instrument, False, 1_020, 10))
    updates.send(bid(9, 1_010))
    book_row(scenario, enabled=0)
    scenario.flat(1)
    updates.send(bid(9, 1_020))
    book_row(scenario, line=3)
    updates.send(bid(9, 1_020))
    book_row(scenario)
    updates.reload()
    updates.send(bid(9, 1_030))
    return scenario.case()


def _exponents() -> Case:
    scenario = start(
        "book-exponents",
        "events carry the row's exponents: EXPONENT unless the scaling row has them; then k applies",
        Rule.BOOK_EXPONENTS,
        Rule.SCALING,
    )
    book_row(scenario, priceExponent=-8, quantityExponent=-7, tick=1)
    send(scenario, starbase_packet(FIRST, []))
    load(scenario, FIRST - 1, [(1, Side.BUY, 99, 1), (2, Side.SELL, 110, 1)], base=60)
    send(scenario, starbase_packet(FIRST, [bid(9, 101, 2)]))
    scenario.scaling_row(0, 0, priceExponent=-8, priceShift=1, quantityExponent=-7, quantityShift=2)
    send(scenario, starbase_packet(FIRST + 1, [bid(9, 102, 2)]))
    return scenario.case()


def _crossed() -> Case:
    scenario = live(
        "book-crossed",
        "a bid at and above the best ask: CROSSED at the end of the transaction, the book goes on",
        Rule.REJECT_CROSSED,
        Rule.TRANSACTION_END,
    )
    updates = Updates(scenario)
    updates.send(bid(9, 1_100))
    updates.send(ask(10, 1_090, flags=0), bid(9, 1_060))
    updates.send(bid(11, 1_130, flags=0), gone(11, flags=0), ask(10, 1_070))
    return scenario.case()


def _large_window() -> Case:
    scenario = live(
        "book-large-window",
        "4,096 prices: best prices far from each other are found again",
        Rule.BOOK_WINDOW,
        sizes=EngineSizes(venues=2, instruments=1, order_books=1, book_orders=64, book_ticks=4_096),
        orders=((1, Side.BUY, 500, 10), (2, Side.SELL, 500 + 40_950, 10)),
    )
    updates = Updates(scenario)
    for order, price in enumerate((1_010, 1_140, 1_150, 30_000, 41_440), start=10):
        updates.send(bid(order, price))
    for order in range(14, 9, -1):
        updates.send(gone(order))
    updates.send(gone(2, is_ask=True))
    for order, price in enumerate((41_450, 30_000, 1_150, 1_140, 990), start=10):
        updates.send(ask(order, price))
    for order in range(14, 9, -1):
        updates.send(gone(order, is_ask=True))
    return scenario.case()

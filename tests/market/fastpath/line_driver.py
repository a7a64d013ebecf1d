"""Drives a CPU engine by packets of one line: its rows, the loading of its first book, and what its quote says."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from market.fastpath import state
from market.fastpath.books.status import BookState
from market.fastpath.engine import CpuEngine
from market.fastpath.layout import SCHEMA
from market.fastpath.specification import NO_INSTRUMENT, EngineSizes, Feed, Side
from market.wire.sbe import decode
from tests.market.fastpath.engine_driver import Driver
from tests.market.fastpath.frame_builder import PORT, Frame, write_channel

Order = tuple[int, Side, int, int]
"""Id, side, price, quantity."""


class Quote(NamedTuple):
    """What an engine has stored of one (instrument, venue)."""

    valid: bool
    bid: int
    bid_quantity: int
    ask: int
    ask_quantity: int


def quote_of(engine: CpuEngine, instrument: int, venue: int) -> Quote:
    """The stored quote, zeros unless it is valid."""
    words = engine.state
    at = int(words[state.INSTRUMENT_ROWS] + instrument * words[state.INSTRUMENT_STRIDE]) // state.WORD
    at += state.QUOTES // state.WORD + venue * state.QUOTE_WORDS
    if not words[at + state.VALID]:
        return Quote(False, 0, 0, 0, 0)
    slots = (state.BID, state.BID_QUANTITY, state.ASK, state.ASK_QUANTITY)
    return Quote(True, *(int(words[at + slot]) for slot in slots))


class LineDriver(Driver):
    """Venue 0 on line 0, whose channel is 7, at two destinations; book 0 is one wire instrument of it."""

    def __init__(self, sizes: EngineSizes, feed: Feed, wire_instrument: int, tick: int, exponent: int = -9) -> None:
        super().__init__(sizes, event_log=True)
        self.set_up()
        self.write_scaling(0, 0, quantityExponent=exponent)
        for destination in (0, 1):
            fields = {"channel": destination, "port": PORT + destination, "feed": int(feed)}
            write_channel(self, 0, instrument=NO_INSTRUMENT, **fields)
        self.apply("LineRow", line=0, venue=0, wireChannel=7, feed=int(feed), enabled=1)
        row = {"book": 0, "line": 0, "wireInstrument": wire_instrument, "instrument": 0, "tick": tick}
        self.apply("BookRow", **row, priceExponent=-9, quantityExponent=exponent, enabled=1)

    def packet(self, payload: bytes, destination: int = 0) -> None:
        """One packet, some time after the one before."""
        self.now += 1_000
        self.engine.push([Frame(payload, port=PORT + destination).bytes()], [self.now])

    def load(self, base: int, orders: Iterable[Order], number: int) -> bool:
        """Load book 0; whether it became live."""
        self.apply("BookClear", book=0, base=base)
        for order, side, price, quantity in orders:
            fields = {"order": order, "side": int(side), "price": price, "quantity": quantity}
            self.apply("BookOrder", book=0, **fields)
        return bool(self.send("BookReady", book=0, number=number)["result"] == 0)

    @property
    def quote_now(self) -> Quote:
        """Venue 0's quote of instrument 0."""
        return quote_of(self.engine, 0, 0)

    @property
    def book(self) -> BookState:
        """How far book 0 is."""
        return self.engine.books[0].state

    def frames(self) -> dict[str, int]:
        """The frame counters that are not zero, without the number of frames."""
        fields = decode(SCHEMA, self.engine.frame_counters()).fields
        return {name: count for name, count in fields.items() if count and name not in ("step", "frames")}

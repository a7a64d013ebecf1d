"""A market of the matching engine that publishes every order, as captures of two venues."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from market.wire.instruments import Instrument
from market.wire.sbe import encode
from sim.backtest.tape import Tape, TapeClock, read_tape
from sim.capture import write_pcap
from sim.matching.book import MatchingBook
from sim.matching.layout import ASK, BID, Command, CommandKind, Event, EventKind, Term
from sim.replay.capture_format import CaptureFormat
from sim.replay.packet_source import PacketSourceSettings
from tests.market.book.order_feeds import END, INSTRUMENT, STARBASE, START, Coinbase, Dialect, Resting, Starbase

CAPACITY = 4096
STEP_NS = 1_000
TICKS = 5
"""Ticks of the tape in one price of the model."""
MIDDLE = 200
OWNER = 7


class TimedStarbase(Starbase):
    """Starbase with the time of each message."""

    time_ns = 0

    def _message(self, name: str, values: dict[str, Any], flags: int) -> bytes:
        return encode(STARBASE, name, values, {"flags": flags, "transactTime": self.time_ns})


FORMS: dict[CaptureFormat, tuple[Callable[[], Dialect], Instrument]] = {
    CaptureFormat.STARBASE: (TimedStarbase, Instrument(INSTRUMENT, "BTC-PERPETUAL", 1, 3, wire_exponent=-3)),
    CaptureFormat.COINBASE_DERIVATIVES: (Coinbase, Instrument(INSTRUMENT, "BIT-29MAR24-CDE", 1, 0)),
}


def command(kind: CommandKind, identifier: int, side: int = 0, price: int = 0, lots: int = 0,
            term: Term = Term.GTC) -> list[int]:  # fmt: skip
    """A command of an owner who has no other order."""
    return [int(kind), identifier, 100 + identifier, side, price, lots, int(term), 0]


@dataclass
class Publisher:
    """The packets that a market sends of its orders; the first is a snapshot of a book that is empty."""

    form: CaptureFormat
    chance: np.random.Generator
    first: int = 100
    book: MatchingBook = field(default_factory=lambda: MatchingBook(CAPACITY))
    standing: dict[int, Resting] = field(default_factory=dict)
    packets: list[tuple[int, bytes]] = field(default_factory=list)
    sent: int = 0
    priority: int = 0

    def __post_init__(self) -> None:
        self.dialect = FORMS[self.form][0]()
        self.send(0, [self.dialect.other(START | END)])
        self.snapshot(0)

    def snapshot(self, time_ns: int) -> None:
        """All orders, best first."""
        orders = dict(sorted(self.standing.items(), key=lambda item: item[1].priority))
        for packet in self.dialect.snapshot(self.first + self.sent - 1, orders, 5):
            self.packets.append((time_ns, packet))

    def send(self, time_ns: int, messages: list[bytes]) -> None:
        """A packet of messages."""
        self.packets.append((time_ns, self.dialect.packet(self.first + self.sent, messages)))
        self.sent += len(messages)

    def _placed(self, identifier: int, side: int, price: int, lots: int) -> tuple[int, Resting]:
        self.priority += 1
        return identifier, Resting(side, price, lots, self.priority)

    def do(self, row: list[int], time_ns: int, *, lost: bool = False) -> list[list[int]]:
        """Carry out a command and tell of it; its events. ``lost``: the packet never arrives."""
        events: list[list[int]] = self.book.submit(np.array([row], dtype=np.int64)).tolist()
        trades: list[Callable[[int], bytes]] = []
        changes: list[Callable[[int], bytes]] = []
        for event in events:
            self._tell(event, trades, changes)
        if row[Command.KIND] == CommandKind.AMEND and events[0][Event.KIND] == EventKind.AMENDED:
            self._tell_amended(row[Command.ID], events, changes)
        # Which comes first differs between venues; nothing may depend on it.
        if isinstance(self.dialect, TimedStarbase):
            self.dialect.time_ns = time_ns
        messages = [*trades, *changes] if self.chance.random() < 0.5 else [*changes, *trades]
        if messages:
            flags = [(START if not index else 0) | (END if index == len(messages) - 1 else 0)
                     for index in range(len(messages))]  # fmt: skip
            written = [write(flag) for write, flag in zip(messages, flags, strict=True)]
            if lost:
                self.sent += len(written)
            else:
                self.send(time_ns, written)
        return events

    def _tell(self, event: list[int], trades: list[Callable[[int], bytes]],
              changes: list[Callable[[int], bytes]]) -> None:  # fmt: skip
        kind, identifier, dialect = event[Event.KIND], event[Event.ID], self.dialect
        if kind == EventKind.TRADED:
            maker, lots, left = event[Event.OTHER], event[Event.LOTS], event[Event.OTHER_LEFT]
            told = Resting(self.standing[maker].side, self.standing[maker].price, 0, 0)
            trades.append(lambda flag: dialect.trade(told, lots, flag))
            self._lessen(maker, left, changes)
        elif kind == EventKind.RESTED:
            _, order = self._placed(identifier, event[Event.SIDE], event[Event.PRICE], event[Event.LOTS])
            self.standing[identifier] = order
            told = Resting(order.side, order.price, order.quantity, order.priority)
            changes.append(lambda flag: dialect.put(identifier, told, flag))
        elif kind == EventKind.CANCELLED:
            self._lessen(identifier, 0, changes)

    def _lessen(self, identifier: int, left: int, changes: list[Callable[[int], bytes]]) -> None:
        order, dialect = self.standing[identifier], self.dialect
        order.quantity = left
        told = Resting(order.side, order.price, left, order.priority)
        if left:
            changes.append(lambda flag: dialect.reduce(identifier, told, flag))
        else:
            del self.standing[identifier]
            changes.append(lambda flag: dialect.delete(identifier, told, flag))

    def _tell_amended(self, identifier: int, events: list[list[int]], changes: list[Callable[[int], bytes]]) -> None:
        """An order that keeps its place is reduced; one that entered anew and does not rest is deleted."""
        if events[0][Event.OTHER_LEFT]:
            self._lessen(identifier, events[0][Event.LOTS], changes)
        elif not any(event[Event.KIND] == EventKind.RESTED for event in events):
            self._lessen(identifier, 0, changes)

    def capture(self, path: Path) -> None:
        """Write all packets, each at its time."""
        write_pcap(path, self.packets)

    def tape(self, path: Path) -> Tape:
        """The tape of all packets: what happens is received at the same time."""
        self.capture(path)
        source = PacketSourceSettings(self.form.value, path, self.form, (FORMS[self.form][1],), (None,))
        return read_tape([source], TapeClock(ahead_ns=-(10**18), least_ns=0))


@dataclass
class Crowd:
    """Random commands around a middle, such that an own order changes what others get, and never what they ask for.

    What a recording cannot show is left out: orders that trade less than they could, or are refused, only as ours is
    not there; orders of our side beyond our price that rest after a trade; and orders that ours has taken and that are
    amended to trade with another.
    """

    publisher: Publisher
    side: int
    price: int
    """Of the own order; others of its side that trade at better prices expire then."""
    lot: int = 9
    identifier: int = 0

    def next(self) -> list[int] | None:
        """A command; None where there is nothing to do."""
        chance, standing = self.publisher.chance, self.publisher.standing
        what = chance.random()
        known = list(standing)
        self.identifier += 1
        if known and what < 0.2:
            return command(CommandKind.CANCEL, known[int(chance.integers(len(known)))])
        if known and what < 0.35:
            return self._amendment(known[int(chance.integers(len(known)))])
        side, lots = int(chance.integers(2)), int(chance.integers(1, self.lot))
        if what < 0.6:
            return self._taker(side, lots)
        return self._limit(self.identifier, side, MIDDLE + int(chance.integers(-6, 7)), lots)

    def _limit(self, identifier: int, side: int, price: int, lots: int) -> list[int] | None:
        if self._is_beyond(side, price) and self.publisher.book.reach(side, price, lots).lots:
            return command(CommandKind.LIMIT, identifier, side, price, lots, Term.IOC)
        return command(CommandKind.LIMIT, identifier, side, price, lots)

    def _taker(self, side: int, lots: int) -> list[int] | None:
        reach = self.publisher.book.reach(side, 0, lots)
        if not reach.lots:
            return None
        return command(CommandKind.LIMIT, self.identifier, side, reach.worst_price, reach.lots, Term.IOC)

    def _amendment(self, identifier: int) -> list[int] | None:
        chance, order = self.publisher.chance, self.publisher.standing[identifier]
        price, lots = order.price + int(chance.integers(-2, 3)), int(chance.integers(1, self.lot))
        trades = self.publisher.book.reach(order.side, price, lots).lots > 0
        if trades and (self._is_beyond(order.side, price) or self._has_met(order)):
            return None
        if (price, lots) == (order.price, order.quantity):
            return None
        return command(CommandKind.AMEND, identifier, 0, price, lots)

    def _has_met(self, order: Resting) -> bool:
        """Whether an order stands where ours would have traded with it."""
        reached = order.price <= self.price if self.side == BID else order.price >= self.price
        return order.side != self.side and reached

    def _is_beyond(self, side: int, price: int) -> bool:
        return side == self.side and (price > self.price if side == BID else price < self.price)


def passive_book(publisher: Publisher, identifier: int) -> list[list[int]]:
    """Commands of a first book around the middle."""
    chance = publisher.chance
    return [
        command(
            CommandKind.LIMIT,
            identifier + index,
            side,
            MIDDLE + (-1 if side == BID else 1) * distance,
            int(chance.integers(1, 9)),
        )
        for index, (side, distance) in enumerate((side, distance) for side in (BID, ASK) for distance in range(1, 6))
    ]

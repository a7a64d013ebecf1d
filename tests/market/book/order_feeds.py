"""Venues that publish every order, as models: what they send, and what their books were at every message."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from market.book.ladder import ASK, BID, NO_PRICE
from market.wire.sbe import encode, encode_packet, load_schema
from market.wire.schemas import COINBASE_DERIVATIVES, DERIBIT_STARBASE

STARBASE = load_schema(DERIBIT_STARBASE)
COINBASE = load_schema(COINBASE_DERIVATIVES)
CHANNEL = 7
INSTRUMENT = 210838
TICK = 500_000_000
"""Half a unit of quote currency as a mantissa x 1e-9: five ticks of a tenth."""
Top = tuple[int, int, int, int]
START, END = 1, 2


@dataclass
class Resting:
    """An order of the model: price in mantissas of TICK, quantity in units of 10^-3."""

    side: int
    price: int
    quantity: int
    priority: int


class Dialect(Protocol):
    """How a venue writes messages and packets."""

    def put(self, identifier: int, order: Resting, flags: int) -> bytes: ...

    def reduce(self, identifier: int, order: Resting, flags: int) -> bytes: ...

    def delete(self, identifier: int, order: Resting, flags: int) -> bytes: ...

    def trade(self, order: Resting, quantity: int, flags: int) -> bytes: ...

    def other(self, flags: int) -> bytes: ...

    def packet(self, sequence: int, messages: Sequence[bytes]) -> bytes: ...

    def snapshot(self, sequence: int, orders: dict[int, Resting], per_packet: int) -> list[bytes]: ...


class Starbase:
    """Deribit Starbase; quantities are mantissas of the instrument's exponent -3."""

    def _message(self, name: str, values: dict[str, Any], flags: int) -> bytes:
        return encode(STARBASE, name, values, {"flags": flags, "transactTime": 1_700_000_000_000_000_000})

    def put(self, identifier: int, order: Resting, flags: int) -> bytes:
        ids = {"orderId": identifier, "instrumentId": INSTRUMENT, "sortOrderId": order.priority}
        numbers = {"quantityMantissa": order.quantity, "price": order.price * TICK}
        return self._message("BidPut" if order.side == BID else "AskPut", ids | numbers, flags)

    def reduce(self, identifier: int, order: Resting, flags: int) -> bytes:
        ids = {"orderId": identifier, "instrumentId": INSTRUMENT, "quantityMantissa": order.quantity}
        return self._message("BidQtyReduced" if order.side == BID else "AskQtyReduced", ids, flags)

    def delete(self, identifier: int, order: Resting, flags: int) -> bytes:
        ids = {"orderId": identifier, "instrumentId": INSTRUMENT}
        return self._message("BidDelete" if order.side == BID else "AskDelete", ids, flags)

    def trade(self, order: Resting, quantity: int, flags: int) -> bytes:
        values = {"matchId": 5, "instrumentId": INSTRUMENT, "fillQtyMantissa": quantity}
        values |= {"fillPrice": order.price * TICK, "makerFlags": 1 if order.side == ASK else 0}
        return self._message("Trade", values, flags)

    def other(self, flags: int) -> bytes:
        return self._message("InstrumentStatusUpdate", {"instrumentId": INSTRUMENT, "tradingStatus": 0}, flags)

    def packet(self, sequence: int, messages: Sequence[bytes], kind: int = 1) -> bytes:
        header = {"sendingTime": 1, "seqNum": sequence, "channelId": CHANNEL, "type": kind}
        return encode_packet(STARBASE, header, messages)

    def snapshot(self, sequence: int, orders: dict[int, Resting], per_packet: int) -> list[bytes]:
        edge = {"instrumentId": INSTRUMENT}
        head = {"incrementalTimestamp": 1, "incrementalSeqNum": sequence}
        tail = {"timestamp": 1, "incrementSeqNum": sequence}
        puts = [self.put(identifier, order, 0) for identifier, order in orders.items()]
        messages = [self._message("SnapshotHeader", edge | head, 0), *puts]
        messages.append(self._message("SnapshotTrailer", edge | tail, 0))
        pieces = [messages[at : at + per_packet] for at in range(0, len(messages), per_packet)]
        return [self.packet(sequence, piece, kind=2) for piece in pieces]


class Coinbase:
    """Coinbase Derivatives; every incremental message counts in the instrument's own sequence."""

    def __init__(self) -> None:
        self.number = 1
        self.day = 20000

    def header(self, side: int, flags: int) -> dict[str, Any]:
        header = {"flags": flags, "side": side, "instrumentId": INSTRUMENT, "instrSeqNum": self.number}
        header |= {"tradingSessionDate": self.day, "reserved": 0, "transactTime": 1_700_000_000_000_000_000}
        self.number += 1
        return {f"instrHeader.{name}": value for name, value in header.items()}

    def put(self, identifier: int, order: Resting, flags: int) -> bytes:
        values = {"orderId": identifier, "price": order.price * TICK, "quantity": order.quantity}
        return encode(COINBASE, "OrderPut", self.header(1 if order.side == BID else -1, flags) | values)

    def reduce(self, identifier: int, order: Resting, flags: int) -> bytes:
        return self.put(identifier, order, flags)

    def delete(self, identifier: int, order: Resting, flags: int) -> bytes:
        return encode(
            COINBASE, "OrderDelete", self.header(1 if order.side == BID else -1, flags) | {"orderId": identifier}
        )

    def trade(self, order: Resting, quantity: int, flags: int) -> bytes:
        values = {"matchId": 5, "price": order.price * TICK, "quantity": quantity}
        return encode(COINBASE, "Trade", self.header(-1 if order.side == BID else 1, flags) | values)

    def other(self, flags: int) -> bytes:
        return encode(COINBASE, "OpenInterest", self.header(1, flags) | {"quantity": 5})

    def packet(self, sequence: int, messages: Sequence[bytes], kind: int = 1) -> bytes:
        header = {"sendingTime": 1, "seqNum": sequence, "channelId": CHANNEL, "flags": kind}
        return encode_packet(COINBASE, header | {"snapshotInstrumentId": INSTRUMENT if kind == 2 else 0}, messages)

    def snapshot(self, sequence: int, orders: dict[int, Resting], per_packet: int) -> list[bytes]:
        layout = COINBASE.message("StartOfOutrightInstrumentSnapshot")
        values: dict[str, Any] = {name: 0 for name, leaf in layout.fields.items() if leaf.array_length == 1}
        values |= dict.fromkeys(("symbol", "productCode", "description", "cfiCode", "currency"), "X")
        values |= {"orderCount": len(orders), "lastInstrSeqNum": self.number - 1}
        end = COINBASE.message("EndOfSnapshot").fields
        messages = [encode(COINBASE, layout.name, values)]
        for identifier, order in orders.items():
            signed = order.quantity if order.side == BID else -order.quantity
            fields = {"snapshotSeqNum": 0, "quantity": signed, "transactTime": 0, "orderId": identifier}
            messages.append(encode(COINBASE, "OrderSnapshot", fields | {"price": order.price * TICK}))
        messages.append(encode(COINBASE, "EndOfSnapshot", dict.fromkeys(end, 0)))
        pieces = [messages[at : at + per_packet] for at in range(0, len(messages), per_packet)]
        return [self.packet(sequence, piece, kind=2) for piece in pieces]


@dataclass
class Venue:
    """A venue with one instrument.

    Members
    -------
    messages: everything sent so far; the first has the number ``first``.
    tops: the top of book after the transaction that ended with the message of a number, in ticks of a tenth.
    snapshots: after which number, and the packets.
    """

    dialect: Dialect
    random: np.random.Generator
    first: int = 100
    orders: dict[int, Resting] = field(default_factory=dict)
    messages: list[bytes] = field(default_factory=list)
    tops: dict[int, Top] = field(default_factory=dict)
    snapshots: list[tuple[int, list[bytes]]] = field(default_factory=list)
    _identifiers: int = 1000

    @property
    def last(self) -> int:
        """Number of the last message."""
        return self.first + len(self.messages) - 1

    def top(self) -> Top:
        """Best prices in ticks and the sums of their orders."""
        sums: dict[tuple[int, int], int] = {}
        for order in self.orders.values():
            key = (order.side, order.price)
            sums[key] = sums.get(key, 0) + order.quantity
        bid = max((price for side, price in sums if side == BID), default=None)
        ask = min((price for side, price in sums if side == ASK), default=None)
        bids = (NO_PRICE, 0) if bid is None else (bid * 5, sums[BID, bid])
        return (*bids, *((NO_PRICE, 0) if ask is None else (ask * 5, sums[ASK, ask])))

    def transact(self) -> None:
        """One transaction of a few random changes."""
        steps = int(self.random.integers(1, 5))
        for step in range(steps):
            flags = (START if step == 0 else 0) | (END if step == steps - 1 else 0)
            self.messages.append(self._change(flags))
        self.tops[self.last] = self.top()

    def _change(self, flags: int) -> bytes:
        choice = self.random.random()
        known = list(self.orders)
        identifier = known[int(self.random.integers(len(known)))] if known else 0
        if not known or choice < 0.4:
            return self._put(self._new(), flags)
        order = self.orders[identifier]
        if choice < 0.5:
            del self.orders[identifier]
            return self._put(identifier, flags, order.side)
        if choice < 0.65 and order.quantity > 1:
            order.quantity = int(self.random.integers(1, order.quantity))
            return self.dialect.reduce(identifier, order, flags)
        if choice < 0.75:
            return self.dialect.trade(order, 1, flags)
        if choice < 0.8:
            return self.dialect.other(flags)
        del self.orders[identifier]
        return self.dialect.delete(identifier, order, flags)

    def _new(self) -> int:
        self._identifiers += 1
        return self._identifiers

    def _put(self, identifier: int, flags: int, side: int | None = None) -> bytes:
        side = int(self.random.integers(2)) if side is None else side
        price = int(self.random.integers(100, 110)) if side == BID else int(self.random.integers(110, 120))
        order = Resting(side, price, int(self.random.integers(1, 50)), int(self.random.integers(1, 10**6)))
        self.orders[identifier] = order
        return self.dialect.put(identifier, order, flags)

    def publish_snapshot(self) -> None:
        """A snapshot of now, in packets of a few messages."""
        per_packet = int(self.random.integers(1, 8))
        self.snapshots.append((self.last, self.dialect.snapshot(self.last, dict(self.orders), per_packet)))

    def line(self) -> list[tuple[int, bytes]]:
        """All messages in packets of random sizes, with the number of the last message of each; heartbeats between."""
        packets: list[tuple[int, bytes]] = []
        at = 0
        while at < len(self.messages):
            size = int(self.random.integers(0, 5))
            taken = self.messages[at : at + size]
            packets.append((self.first + at + len(taken) - 1, self.dialect.packet(self.first + at, taken)))
            at += size
        return packets

    def feed(self, lines: int, loss: float = 0.0) -> list[bytes]:
        """Packets of several lines and of the snapshots in an order in which they may arrive, some of them lost."""
        arrivals: list[tuple[float, int, bytes]] = []
        for _ in range(lines):
            delay = 0.0
            for position, (number, packet) in enumerate(self.line()):
                delay = max(delay, number + float(self.random.random()))
                arrivals.append((delay, position, packet))
        arrivals = [arrival for arrival in arrivals if self.random.random() >= loss]
        for number, packets in self.snapshots:
            late = number + 0.5 + float(self.random.random()) * 8
            arrivals += [(late, -1_000_000 + place, packet) for place, packet in enumerate(packets)]
        return [packet for _, _, packet in sorted(arrivals, key=lambda arrival: arrival[:2])]

"""One market's book from Python."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from market.errors import Fatal
from market.wire.records import Rows, Words
from sim.matching.engine import process, process_one
from sim.matching.layout import (
    COMMAND_WIDTH,
    EVENT_WIDTH,
    EVENTS_PER_COMMAND,
    EVENTS_PER_ORDER,
    EVENTS_PER_PART,
    LARGEST_CAPACITY,
    CommandKind,
    Prevention,
    Term,
)
from sim.matching.queues import CONSUMED, LAST_PRICE, ORDERS, TRADES, new_state
from sim.matching.reading import read_levels, read_order, read_reach


class BookLevel(NamedTuple):
    """All orders of a side at a price."""

    price: int
    lots: int
    orders: int


class RestingOrder(NamedTuple):
    """An order in the book, and what trades before it at its price."""

    owner: int
    side: int
    price: int
    lots: int
    orders_ahead: int
    lots_ahead: int


class Reach(NamedTuple):
    """What an order would trade at once: lots, price times lots, and the worst price (0 for nothing)."""

    lots: int
    money: int
    worst_price: int


class MatchingBook:
    """Price-time priority; see ``layout`` for commands and events.

    Parameters
    ----------
    capacity: orders that may rest at once, at most ``LARGEST_CAPACITY``; raises Fatal for another number.
    """

    def __init__(self, capacity: int) -> None:
        if not 1 <= capacity <= LARGEST_CAPACITY:
            raise Fatal(f"the capacity of a book was {capacity} orders; expected 1 to {LARGEST_CAPACITY}")
        self._state: Words = new_state(capacity)
        # Pages of events that no command ever made are never touched.
        self._events: Rows = np.empty(
            (EVENTS_PER_PART + EVENTS_PER_COMMAND + EVENTS_PER_ORDER * capacity, EVENT_WIDTH), dtype=np.int64
        )
        self._levels: Rows = np.empty((capacity, 3), dtype=np.int64)
        self._found: Words = np.zeros(6, dtype=np.int64)
        self._reach: Words = np.zeros(3, dtype=np.int64)
        self._process_one = process_one.direct()
        self._read_reach = read_reach.direct()

    def submit(self, commands: Rows) -> Rows:
        """Do a batch of commands, int64 of shape (n, 8); gives their events, int64 of shape (m, 12).

        Raises Fatal for an array of another shape or type.
        """
        if commands.dtype != np.int64 or commands.ndim != 2 or commands.shape[1] != COMMAND_WIDTH:
            raise Fatal(f"commands were {commands.dtype} {commands.shape}; expected int64 (n, {COMMAND_WIDTH})")
        pending = np.ascontiguousarray(commands)
        parts: list[Rows] = []
        while len(pending):
            count = process(self._state, pending, self._events)
            parts.append(self._events[:count].copy())
            done = int(self._state[CONSUMED])
            # The index of the command counts from the start of the whole batch.
            parts[-1][:, EVENT_WIDTH - 1] += len(commands) - len(pending)
            pending = pending[done:]
        return np.concatenate(parts) if parts else np.empty((0, EVENT_WIDTH), dtype=np.int64)

    def place(
        self,
        identifier: int,
        owner: int,
        side: int,
        price: int,
        lots: int,
        term: Term = Term.GTC,
        prevention: Prevention = Prevention.NONE,
    ) -> list[list[int]]:
        """A limit order; its events."""
        return self._one(CommandKind.LIMIT, identifier, owner, side, price, lots, term, prevention)

    def place_market(
        self,
        identifier: int,
        owner: int,
        side: int,
        lots: int,
        term: Term = Term.IOC,
        prevention: Prevention = Prevention.NONE,
    ) -> list[list[int]]:
        """A market order; its events."""
        return self._one(CommandKind.MARKET, identifier, owner, side, 0, lots, term, prevention)

    def cancel(self, identifier: int, owner: int) -> list[list[int]]:
        """Take an order out; the events."""
        return self._one(CommandKind.CANCEL, identifier, owner, 0, 0, 0, Term.GTC, Prevention.NONE)

    def amend(
        self,
        identifier: int,
        owner: int,
        price: int,
        lots: int,
        term: Term = Term.GTC,
        prevention: Prevention = Prevention.NONE,
    ) -> list[list[int]]:
        """Give an order another price (0: the same) or remaining quantity; the events."""
        return self._one(CommandKind.AMEND, identifier, owner, 0, price, lots, term, prevention)

    def _one(
        self,
        kind: CommandKind,
        identifier: int,
        owner: int,
        side: int,
        price: int,
        lots: int,
        term: Term,
        prevention: Prevention,
    ) -> list[list[int]]:
        count = self._process_one(
            self._state, self._events, kind, identifier, owner, side, price, lots, term, prevention
        )
        events: list[list[int]] = self._events[:count].tolist()
        return events

    def levels(self, side: int, limit: int = 0) -> list[BookLevel]:
        """Levels of a side, best first; at most ``limit``, all with 0."""
        rows = self._levels[:limit] if limit else self._levels
        count = read_levels(self._state, side, rows)
        return [BookLevel(*row) for row in rows[:count].tolist()]

    def order(self, identifier: int) -> RestingOrder | None:
        """A resting order with its place in the queue; None if no such order rests."""
        if not read_order(self._state, identifier, self._found):
            return None
        return RestingOrder(*self._found.tolist())

    def reach(self, side: int, price: int, lots: int, money: int = -1) -> Reach:
        """What an order would trade at once, its owner's own orders included; see ``engine.read_reach``."""
        self._read_reach(self._state, side, price, lots, money, self._reach)
        return Reach(*self._reach.tolist())

    def best(self, side: int) -> BookLevel | None:
        """The best level of a side; None if it is empty."""
        found = self.levels(side, 1)
        return found[0] if found else None

    @property
    def orders(self) -> int:
        """Orders that rest."""
        return int(self._state[ORDERS])

    @property
    def last_price(self) -> int:
        """Price of the last trade, 0 before the first."""
        return int(self._state[LAST_PRICE])

    @property
    def trades(self) -> int:
        """Trades so far."""
        return int(self._state[TRADES])

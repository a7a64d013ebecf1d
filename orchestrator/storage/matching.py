"""Profit by trade: what was bought is matched with what was sold, first in, first out.

A trade is one order's quantity closed by another's, of one strategy and instrument, on whatever venues: a purchase on
one venue and a sale on another make a trade. Positions hold average costs instead; the profits of both agree whenever
nothing is open. A commission in base is a fee at the fill's price and leaves less to be closed, as in positions.
Pure and in whole numbers: shares are rounded towards zero and the rest stays open, so that nothing is lost.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

import msgspec

from market.orders.kinds import Side
from market.orders.order import Fill, Order

Book: TypeAlias = tuple[str, int]
"""Strategy and instrument."""


class Lot(msgspec.Struct, frozen=True, kw_only=True):
    """What is open of one fill, with its share of price and fee; ``entry_order`` is empty for what was carried over."""

    entry_order: str
    venue: int
    side: Side
    quantity: int
    notional: int
    fee: int
    opened_ns: int
    reason: str


class ClosedTrade(msgspec.Struct, frozen=True, kw_only=True):
    """A quantity that was opened by one order and closed by another.

    Parameters
    ----------
    side: of the entry. epoch: of the session in which it was closed.
    fees: of both orders, for this quantity. opened_ns: first entry. closed_ns: last exit.
    """

    entry_order: str
    exit_order: str
    epoch: int
    strategy: str
    instrument: int
    entry_venue: int
    exit_venue: int
    side: Side
    quantity: int
    entry_notional: int
    exit_notional: int
    fees: int
    opened_ns: int
    closed_ns: int
    entry_reason: str
    exit_reason: str

    @property
    def gross(self) -> int:
        """Profit without fees."""
        return self.side.sign * (self.exit_notional - self.entry_notional)

    @property
    def net(self) -> int:
        """Profit."""
        return self.gross - self.fees

    @property
    def held_ns(self) -> int:
        """How long it was open."""
        return self.closed_ns - self.opened_ns

    def with_more(self, other: ClosedTrade) -> ClosedTrade:
        """The same orders' trade after another part of it."""
        return msgspec.structs.replace(
            self,
            quantity=self.quantity + other.quantity,
            entry_notional=self.entry_notional + other.entry_notional,
            exit_notional=self.exit_notional + other.exit_notional,
            fees=self.fees + other.fees,
            opened_ns=min(self.opened_ns, other.opened_ns),
            closed_ns=max(self.closed_ns, other.closed_ns),
            epoch=other.epoch,
        )


class Result(msgspec.Struct):
    """What one strategy made of one instrument: profit of what was closed, without fees, and all fees."""

    realised: int = 0
    fees: int = 0


class ProfitTracker:
    """Open lots by strategy and instrument, oldest first."""

    def __init__(self) -> None:
        self._open: dict[tuple[Book, Side], deque[Lot]] = {}

    @property
    def books(self) -> Sequence[Book]:
        """All books that ever had a lot."""
        return sorted({book for book, _ in self._open})

    def lots(self, book: Book) -> Sequence[Lot]:
        """What is open of a book; of both sides only if it was so from the start."""
        return [lot for side in Side for lot in self._open.get((book, side), ())]

    def restore(self, lots: Mapping[Book, Iterable[Lot]]) -> None:
        """Begin with lots that are open, instead of those that are there."""
        self._open = {}
        for book, open_lots in lots.items():
            for lot in open_lots:
                self._open.setdefault((book, lot.side), deque()).append(lot)

    def book(self, order: Order, fill: Fill, epoch: int, reason: str) -> Sequence[ClosedTrade]:
        """Take a fill in; returns what it closed, oldest entry first."""
        side, quantity = order.intent.side, fill.quantity - order.intent.side.sign * fill.fee_base
        rest: Lot | None = Lot(
            entry_order=order.client_order_id,
            venue=order.intent.venue,
            side=side,
            quantity=quantity,
            notional=quantity * fill.price,
            fee=fill.fee,
            opened_ns=fill.receive_ns,
            reason=reason,
        )
        book = (order.intent.cause.strategy, order.intent.instrument)
        lots = self._open.setdefault((book, side.opposite), deque())
        trades = []
        while rest is not None and rest.quantity and lots:
            taken = min(rest.quantity, lots[0].quantity)
            entry, left = _split(lots.popleft(), taken)
            if left is not None:
                lots.appendleft(left)
            exit_part, rest = _split(rest, taken)
            trades.append(_trade(order, entry, exit_part, epoch))
        if rest is not None and rest.quantity:
            self._open.setdefault((book, side), deque()).append(rest)
        return trades


def _split(lot: Lot, quantity: int) -> tuple[Lot, Lot | None]:
    """A part of a lot, and the rest with what rounding left; None when nothing is left."""
    if quantity == lot.quantity:
        return lot, None
    notional, fee = (_share(whole, quantity, lot.quantity) for whole in (lot.notional, lot.fee))
    rest = msgspec.structs.replace(
        lot, quantity=lot.quantity - quantity, notional=lot.notional - notional, fee=lot.fee - fee
    )
    return msgspec.structs.replace(lot, quantity=quantity, notional=notional, fee=fee), rest


def _share(whole: int, quantity: int, of: int) -> int:
    share = abs(whole) * quantity // of
    return share if whole >= 0 else -share


def _trade(order: Order, entry: Lot, closing: Lot, epoch: int) -> ClosedTrade:
    return ClosedTrade(
        entry_order=entry.entry_order,
        exit_order=order.client_order_id,
        epoch=epoch,
        strategy=order.intent.cause.strategy,
        instrument=order.intent.instrument,
        entry_venue=entry.venue,
        exit_venue=closing.venue,
        side=entry.side,
        quantity=entry.quantity,
        entry_notional=entry.notional,
        exit_notional=closing.notional,
        fees=entry.fee + closing.fee,
        opened_ns=entry.opened_ns,
        closed_ns=closing.opened_ns,
        entry_reason=entry.reason,
        exit_reason=closing.reason,
    )

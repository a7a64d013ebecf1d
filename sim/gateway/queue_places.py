"""Where resting orders on paper stand in the live queues, seen without hope: the backtest's ``risk-averse`` model.

An order comes behind all that is displayed at its price. Trades at that price take from the front; who cancels stood
behind, but never is more ahead than is displayed. A trade beyond its price has passed it, and so has the other side's
best price: it is filled whole. At a price that is out of sight the queue is of unknown length: nothing is filled there
until it is in sight.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from market.orders.kinds import Side
from sim.exchange.venue.records import VenueOrder

Levels = Mapping[int, int]
"""Lots of the feed by tick, as they are displayed."""


class Depth(Protocol):
    """What a live book displays."""

    def lots(self, side: Side, tick: int) -> int | None:
        """Lots of the feed at a price; None where the book does not reach."""


@dataclass(frozen=True)
class BestLevels:
    """The best levels of a book; a side with ``sight`` of them may have others behind."""

    bids: Levels
    asks: Levels
    sight: int

    def lots(self, side: Side, tick: int) -> int | None:
        """Lots of the feed at a price; None where it is out of sight."""
        levels = self.bids if side is Side.BUY else self.asks
        if tick in levels:
            return levels[tick]
        worst = min((each * side.sign for each in levels), default=None)
        is_beyond = worst is None or tick * side.sign < worst
        return None if is_beyond and (worst is None or len(levels) >= self.sight) else 0


@dataclass(slots=True)
class _Place:
    """Lots of the feed ahead, None while that is not known, and those that met the order but make no whole lot."""

    ahead: int | None
    spare: int = 0


class QueuePlaces:
    """The places of one market's resting orders.

    Parameters
    ----------
    lot: lots of the feed in a lot of an order.
    """

    def __init__(self, lot: int) -> None:
        self._lot = lot
        self._places: dict[int, _Place] = {}

    def see(self, resting: Sequence[VenueOrder], depth: Depth) -> None:
        """Give new orders a place, move up those that have more ahead than is displayed, forget those that ended."""
        places: dict[int, _Place] = {}
        for order in sorted(resting, key=lambda order: order.order_id):
            place, displayed = self._places.get(order.order_id), depth.lots(order.side, order.price_ticks)
            if place is not None and place.ahead is not None:
                place.ahead = place.ahead if displayed is None else min(place.ahead, displayed)
            else:
                place = _Place(displayed)
                # Who came before at the same price is not ahead of anything that this one is not behind of.
                before = [
                    places[other.order_id].ahead
                    for other in resting
                    if other.order_id in places and (other.side, other.price_ticks) == (order.side, order.price_ticks)
                ]
                if place.ahead is not None:
                    place.ahead = max([place.ahead, *(ahead for ahead in before if ahead is not None)])
            places[order.order_id] = place
        self._places = places

    def ahead(self, order_id: int) -> int | None:
        """Lots of the feed ahead of an order; None where that is not known."""
        place = self._places.get(order_id)
        return None if place is None else place.ahead

    def traded(
        self, resting: Sequence[VenueOrder], aggressor: Side, tick: int, lots: int
    ) -> Iterator[tuple[VenueOrder, int]]:
        """The orders that a trade would have met or passed, in their turn, and how many of their lots.

        Parameters
        ----------
        resting: those that have been seen. lots: of the feed.
        """
        met = [order for order in resting if order.side is not aggressor]
        left = lots
        for order in best_first(met):
            place, remaining = self._places[order.order_id], order.quantity_lots - order.executed_lots
            beyond = (order.price_ticks - tick) * order.side.sign
            if beyond > 0:
                yield order, remaining
            if beyond != 0 or place.ahead is None:
                continue
            ahead, place.ahead = place.ahead, max(place.ahead - lots, 0)
            reached = place.spare + max(min(lots - ahead, left), 0)
            filled = min(reached // self._lot, remaining)
            place.spare = reached % self._lot
            if filled:
                left -= filled * self._lot
                yield order, filled


def best_first(orders: Sequence[VenueOrder]) -> list[VenueOrder]:
    """Orders of one side in the order in which the other side meets them."""
    return sorted(orders, key=lambda order: (-order.price_ticks * order.side.sign, order.order_id))

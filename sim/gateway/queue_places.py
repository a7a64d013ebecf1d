"""Where resting orders on paper stand in the live queues, seen without hope.

An order comes behind all that is displayed at its price. Trades at that price take from the front; who cancels stood
behind. So it is filled by what trades at its price after all that was displayed has traded, and by whatever trades
beyond its price. At a price that is out of sight the queue is of unknown length: nothing is filled there until it is in
sight.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from market.orders.kinds import Side
from sim.exchange.venue.records import VenueOrder

Levels = Mapping[int, int]
"""Lots of the feed by tick, as they are displayed."""


@dataclass(slots=True)
class _Place:
    """Lots of the feed ahead, None while that is not known, and those that met the order but make no whole lot."""

    ahead: int | None
    spare: int = 0


class QueuePlaces:
    """The places of one market's resting orders.

    Parameters
    ----------
    lot: lots of the feed in a lot of an order. sight: levels of a side that are shown at most.
    """

    def __init__(self, lot: int, sight: int) -> None:
        self._lot = lot
        self._sight = sight
        self._places: dict[int, _Place] = {}

    def see(self, resting: Sequence[VenueOrder], shown: Mapping[Side, Levels]) -> None:
        """Give every new order a place, and forget those that rest no more."""
        places: dict[int, _Place] = {}
        for order in sorted(resting, key=lambda order: order.order_id):
            place = self._places.get(order.order_id)
            if place is None or place.ahead is None:
                place = _Place(self._displayed(order, shown[order.side]))
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
        """The orders that a trade would have met, in their turn, and how many of their lots.

        Parameters
        ----------
        resting: those that have been seen. lots: of the feed.
        """
        met = [order for order in resting if order.side is not aggressor]
        left = lots
        for order in sorted(met, key=lambda order: (-order.price_ticks * order.side.sign, order.order_id)):
            place = self._places[order.order_id]
            beyond = (order.price_ticks - tick) * order.side.sign
            if beyond < 0 or (beyond == 0 and place.ahead is None):
                continue
            ahead = (place.ahead or 0) if beyond == 0 else 0
            place.ahead = max(ahead - lots, 0)
            reached = place.spare + max(min(lots - ahead, left), 0)
            filled = min(reached // self._lot, order.quantity_lots - order.executed_lots)
            place.spare = reached % self._lot
            if filled:
                left -= filled * self._lot
                yield order, filled

    def _displayed(self, order: VenueOrder, levels: Levels) -> int | None:
        """Lots at an order's price; None where it is out of sight."""
        if order.price_ticks in levels:
            return levels[order.price_ticks]
        worst = min((tick * order.side.sign for tick in levels), default=None)
        is_beyond = worst is None or order.price_ticks * order.side.sign < worst
        return None if is_beyond and (worst is None or len(levels) >= self._sight) else 0

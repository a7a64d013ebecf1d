"""The simplest strategy: do what the fast loop says."""

from __future__ import annotations

import math
from collections.abc import Iterable

from market.errors import Rejected
from market.fixed_point import floor_to
from market.orders.cause import Cause, Origin
from market.orders.kinds import OrderType, TimeInForce
from market.orders.order import OrderIntent
from market.protocols import Intent, MarketView, Trigger, Triggered, WakeCause, Wakes


class TakeTriggers:
    """Turns each leg of each trigger into an immediate-or-cancel limit order at the trigger's price.

    Both legs get the same quantity: the trigger's, rounded down to what the lots of all its venues have in common. A
    trigger that is too small for one of its venues is left alone.
    """

    def __init__(self, tag: str = "take") -> None:
        self._tag = tag

    @property
    def tag(self) -> str:
        """The strategy's tag."""
        return self._tag

    @property
    def wakes(self) -> Wakes:
        """Triggers alone."""
        return Wakes(triggers=True)

    def wake(self, cause: WakeCause, view: MarketView) -> Iterable[Intent]:
        """Orders for a trigger; raises Rejected when a venue would not take one of them."""
        return self._orders(cause.trigger, view) if isinstance(cause, Triggered) else ()

    def _orders(self, trigger: Trigger, view: MarketView) -> list[OrderIntent]:
        listings = [view.listing(trigger.instrument, leg.venue) for leg in trigger.legs]
        quantity = floor_to(min(leg.quantity for leg in trigger.legs), math.lcm(*(listing.lot for listing in listings)))
        for leg, listing in zip(trigger.legs, listings, strict=True):
            try:
                listing.check(leg.price, quantity)
            except Rejected as refusal:
                raise Rejected(f"trigger {trigger.epoch}/{trigger.id} was left alone: {refusal}") from refusal
        return [
            OrderIntent(
                cause=Cause(
                    strategy=self._tag, origin=Origin.TRIGGER, epoch=trigger.epoch, number=trigger.id, leg=number
                ),
                decided_ns=view.now_ns,
                instrument=trigger.instrument,
                venue=leg.venue,
                side=leg.side,
                type=OrderType.LIMIT,
                time_in_force=TimeInForce.IOC,
                quantity=quantity,
                limit_price=leg.price,
            )
            for number, leg in enumerate(trigger.legs)
        ]

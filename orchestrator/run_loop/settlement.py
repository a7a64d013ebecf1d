"""What the fast loop is told about orders: settlements of its triggers' legs, positions changed by other orders."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from market.errors import Rejected
from market.orders.cause import Origin
from market.orders.kinds import Side
from market.orders.machine import Verdict
from market.orders.order import Order, OrderIntent
from market.protocols import Leg, MarketKey, Trigger
from market.risk.room import Standing
from orchestrator.run_loop.fast_loop import FastLoop


@dataclass
class _OpenLeg:
    """A leg that is being answered."""

    leg: Leg
    unclaimed: int


class Settlement:
    """Keeps the fast loop's positions and pendings true.

    Orders that answer a trigger's leg were counted as pending by the fast loop itself and are settled; all others are
    made known by stating position and pendings anew. Either way the limits of the fast loop hold for both.
    """

    def __init__(self, fast_loop: FastLoop) -> None:
        self._fast_loop = fast_loop
        self._standings: dict[MarketKey, Standing] = {}
        self._trigger: Trigger | None = None
        self._legs: list[_OpenLeg] = []
        self._is_started = False

    def restore(self, standings: Mapping[MarketKey, Standing]) -> None:
        """Take over positions and pendings of earlier runs; before ``start``."""
        self._standings.update(standings)

    def start(self, time_ns: int) -> None:
        """The fast loop is armed: state what there is already, and everything that changes from now on."""
        self._is_started = True
        for key, standing in sorted(self._standings.items()):
            if standing != Standing():
                self._state(key, standing, time_ns)

    def standing(self, key: MarketKey) -> Standing:
        """Position and pendings of a market, as the fast loop should have them."""
        return self._standings.get(key, Standing())

    def open(self, trigger: Trigger) -> None:
        """Begin a trigger's answer: the fast loop counts its legs as pending."""
        self._trigger = trigger
        self._legs = [_OpenLeg(leg, leg.quantity) for leg in trigger.legs]
        for leg in trigger.legs:
            key = (trigger.instrument, leg.venue)
            self._standings[key] = self.standing(key).committed(leg.side, leg.quantity)

    def close(self, time_ns: int) -> None:
        """End the trigger's answer: what no order claimed stops pending."""
        if self._trigger is None:
            return
        for open_leg in self._legs:
            if open_leg.unclaimed:
                key = (self._trigger.instrument, open_leg.leg.venue)
                self._settle(key, open_leg.leg, open_leg.unclaimed, time_ns)
        self._trigger = None
        self._legs = []

    def claim(self, intent: OrderIntent) -> None:
        """Take an order's quantity out of the leg that it answers; raises Rejected if it answers none."""
        cause, trigger = intent.cause, self._trigger
        if trigger is None or (cause.epoch, cause.number) != (trigger.epoch, trigger.id):
            now = "none" if trigger is None else f"trigger {trigger.epoch}/{trigger.id}"
            raise Rejected(
                f"order {intent.client_order_id} answers trigger {cause.epoch}/{cause.number}; expected one of the "
                f"trigger that is being answered, {now}"
            )
        if cause.leg >= len(self._legs):
            raise Rejected(f"order {intent.client_order_id} answers leg {cause.leg} of {len(self._legs)}")
        open_leg = self._legs[cause.leg]
        wanted = (trigger.instrument, open_leg.leg.venue, open_leg.leg.side)
        if (intent.instrument, intent.venue, intent.side) != wanted or intent.quantity > open_leg.unclaimed:
            raise Rejected(
                f"order {intent.client_order_id} is {intent.side.name} {intent.quantity} of instrument "
                f"{intent.instrument} on venue {intent.venue}; expected {open_leg.leg.side.name} at most "
                f"{open_leg.unclaimed} of {trigger.instrument} on {open_leg.leg.venue}"
            )
        open_leg.unclaimed -= intent.quantity

    def placed(self, order: Order, time_ns: int) -> None:
        """An order is about to be sent."""
        if order.intent.cause.origin is Origin.DECISION:
            key = _key(order)
            self._standings[key] = self.standing(key).committed(order.intent.side, order.intent.quantity)
            self._state(key, self._standings[key], time_ns)

    def changed(self, before: Order, after: Order, verdict: Verdict, time_ns: int) -> None:
        """An order that was placed was filled or ended."""
        filled = after.filled - before.filled
        ended = after.state.is_terminal and not before.state.is_terminal
        if not filled and not ended:
            return
        key, side = _key(after), after.intent.side
        standing = self.standing(key)
        fee_base = sum(fill.fee_base for fill in after.fills[len(before.fills) :])
        if verdict is Verdict.LATE_FILL:
            # It stopped pending when the order ended, so there is nothing left to settle.
            self._standings[key] = standing.traded(side, filled).charged(fee_base)
            self._state(key, self._standings[key], time_ns)
            return
        released = filled + (after.remaining if ended else 0)
        self._standings[key] = standing.settled(side, released, filled).charged(fee_base)
        # A settlement moves the position by at most what it releases, a fee on top of what was sold by more.
        moved = filled - side.sign * fee_base
        is_settled = after.intent.cause.origin is Origin.TRIGGER
        if is_settled:
            self._tell(key, side, released, min(max(moved, 0), released), time_ns)
        if not is_settled or not 0 <= moved <= released:
            self._state(key, self._standings[key], time_ns)

    def state_again(self, time_ns: int) -> None:
        """State the positions that the fast loop refused because it had sent a newer trigger; all to a new engine."""
        outdated = self._fast_loop.take_outdated()
        for key in sorted(self._standings) if self._fast_loop.take_takeover() else outdated:
            self._state(key, self.standing(key), time_ns)

    def _settle(self, key: MarketKey, leg: Leg, released: int, time_ns: int) -> None:
        self._standings[key] = self.standing(key).settled(leg.side, released, 0)
        self._tell(key, leg.side, released, 0, time_ns)

    def _state(self, key: MarketKey, standing: Standing, time_ns: int) -> None:
        if self._is_started:
            self._fast_loop.set_position(key, standing, time_ns)

    def _tell(self, key: MarketKey, side: Side, released: int, filled: int, time_ns: int) -> None:
        if self._is_started:
            self._fast_loop.settle(key, side, released, filled, time_ns)


def _key(order: Order) -> MarketKey:
    return order.intent.instrument, order.intent.venue

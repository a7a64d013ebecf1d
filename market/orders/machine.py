"""The order state machine: pure, so that the same events give the same order after any crash."""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum
from typing import Any

import msgspec

from market.errors import Rejected
from market.orders.events import Acknowledged, Cancelled, Expired, Filled, OrderEvent, Refused, Sent
from market.orders.kinds import OrderState
from market.orders.order import Fill, Order
from market.orders.transitions import TRANSITIONS, Outcome, Target


class Verdict(IntEnum):
    """What an event did to an order."""

    APPLIED = 1
    LATE_FILL = 2
    """A fill of an order that had ended was booked."""
    DUPLICATE = 3
    """Nothing: all of it was known."""


def advance(order: Order, event: OrderEvent) -> Order:
    """The order after an event; the very same object when the event says nothing new.

    A fill counts once by its ``fill_id``, whenever and however often it is reported; one that comes after a
    cancellation or expiry is booked. Raises Rejected, and the order stays what it was, for a transition that
    ``TRANSITIONS`` does not list, more filled than ordered, a fill id that comes again with other numbers, a
    second venue order id, or a refusal of an order that has fills.
    """
    target = TRANSITIONS[type(event)].get(order.state)
    if target is None:
        raise _impossible(order, event, "expected no such event in this state")
    changes: dict[str, Any] = {}
    if isinstance(event, Filled):
        if not _is_new(order, event.fill):
            return order
        changes["filled"] = order.filled + event.fill.quantity
        changes["fills"] = (*order.fills, event.fill)
    elif isinstance(event, Acknowledged):
        _note_acknowledged(order, event, changes)
    elif isinstance(event, Refused) and order.fills:
        raise _impossible(order, event, f"expected no refusal after {len(order.fills)} fills")
    state = _next_state(order, target, changes.get("filled", order.filled), "acknowledged_ns" in changes)
    if state is not order.state:
        changes["state"] = state
        _note_change(order, event, state, changes)
    return msgspec.structs.replace(order, **changes) if changes else order


def verdict(before: Order, after: Order) -> Verdict:
    """What the event between two orders of ``advance`` did."""
    if before is after:
        return Verdict.DUPLICATE
    if before.state.is_terminal and after.filled > before.filled:
        return Verdict.LATE_FILL
    return Verdict.APPLIED


def replay(order: Order, events: Iterable[OrderEvent]) -> Order:
    """The order after all events in turn; raises as ``advance``."""
    for event in events:
        order = advance(order, event)
    return order


def _is_new(order: Order, fill: Fill) -> bool:
    """Whether the fill has not been booked; checks that it fits the order."""
    for known in order.fills:
        if known.fill_id == fill.fill_id:
            if (known.price, known.quantity) == (fill.price, fill.quantity):
                return False
            raise Rejected(
                f"order {order.client_order_id}: fill {fill.fill_id} came again with price {fill.price} and quantity "
                f"{fill.quantity}; expected {known.price} and {known.quantity}"
            )
    if fill.quantity > order.remaining:
        raise Rejected(
            f"order {order.client_order_id}: fill {fill.fill_id} was of {fill.quantity}; expected at most "
            f"{order.remaining} of {order.intent.quantity}"
        )
    return True


def _note_acknowledged(order: Order, event: Acknowledged, changes: dict[str, Any]) -> None:
    if order.venue_order_id and order.venue_order_id != event.venue_order_id:
        raise Rejected(
            f"order {order.client_order_id}: venue order id was {event.venue_order_id!r}; expected "
            f"{order.venue_order_id!r}, as before"
        )
    if not order.venue_order_id and event.venue_order_id:
        changes["venue_order_id"] = event.venue_order_id
    if not order.acknowledged_ns:
        changes["acknowledged_ns"] = event.time_ns


def _next_state(order: Order, target: Target, filled: int, acknowledged_now: bool) -> OrderState:
    if isinstance(target, OrderState):
        return target
    if target is Outcome.SAME:
        return order.state
    if target is Outcome.WORKING:
        if filled:
            return OrderState.PARTIALLY_FILLED
        return OrderState.OPEN if order.acknowledged_ns or acknowledged_now else OrderState.SENT
    if filled == order.intent.quantity:
        return OrderState.FILLED
    return OrderState.PARTIALLY_FILLED if target is Outcome.BOOKED else order.state


def _note_change(order: Order, event: OrderEvent, state: OrderState, changes: dict[str, Any]) -> None:
    """Times and reason of a change of state."""
    if isinstance(event, Sent) and not order.sent_ns:
        changes["sent_ns"] = event.time_ns
    if state.is_terminal and not order.ended_ns:
        changes["ended_ns"] = event.time_ns
    if isinstance(event, Refused | Cancelled | Expired):
        changes["reason"] = event.reason


def _impossible(order: Order, event: OrderEvent, expected: str) -> Rejected:
    return Rejected(f"order {order.client_order_id} is {order.state.name}: {type(event).__name__} came; {expected}")

"""Reports of the backtest as events of orders."""

from __future__ import annotations

import msgspec

from market.instruments import Listing
from market.orders.events import Acknowledged, Cancelled, CancelRefused, Expired, Filled, OrderEvent, Refused
from market.orders.kinds import Liquidity
from market.orders.order import Fill, Order
from sim.backtest.layout import Report
from sim.matching.layout import EventKind, Reason

_WORDS = {
    Reason.NONE: "",
    Reason.DUPLICATE: "an order of this id works already",
    Reason.UNKNOWN: "the order does not work any more",
    Reason.WRONG: "not an order that the venue could take",
    Reason.FULL: "too many orders work",
    Reason.WOULD_TRADE: "a post-only order would have traded",
    Reason.UNFILLED: "nothing to trade with at its price",
    Reason.NOT_WHOLE: "it could not be filled whole",
    Reason.SELF_TRADE: "it met an order of its owner",
}


def event_of(report: list[int], listing: Listing, order: Order) -> OrderEvent:
    """What a report of any kind but RESTED says of its order, as it stood before, in counts of the instrument."""
    kind, heard_ns = EventKind(report[Report.KIND]), report[Report.RECEIVE_NS]
    reason = _WORDS.get(Reason(report[Report.REASON]), "")
    if kind is EventKind.ACCEPTED:
        return Acknowledged(time_ns=heard_ns, venue_order_id=str(report[Report.ID]))
    if kind is EventKind.TRADED:
        return Filled(fill=_fill(report, listing, len(order.fills) + 1))
    if kind is EventKind.CANCELLED:
        return Cancelled(time_ns=heard_ns, executed=order.filled)
    if kind is EventKind.EXPIRED:
        return Expired(time_ns=heard_ns, reason=reason)
    if report[Report.AHEAD]:
        return CancelRefused(time_ns=heard_ns, reason=reason)
    if report[Report.REASON] == Reason.UNFILLED:
        reason = "the venue was too busy, or its book is not known"
    return Refused(time_ns=heard_ns, reason=reason)


def _fill(report: list[int], listing: Listing, number: int) -> Fill:
    return Fill(
        fill_id=str(number),
        price=report[Report.PRICE] * listing.tick,
        quantity=report[Report.LOTS] * listing.lot,
        fee=report[Report.FEE] * listing.tick * listing.lot,
        liquidity=Liquidity(report[Report.LIQUIDITY]),
        venue_ns=report[Report.EXCHANGE_NS],
        receive_ns=report[Report.RECEIVE_NS],
    )


def heard_at(event: OrderEvent, time_ns: int) -> OrderEvent:
    """An event told again."""
    if isinstance(event, Filled):
        return Filled(fill=msgspec.structs.replace(event.fill, receive_ns=time_ns))
    return msgspec.structs.replace(event, time_ns=time_ns)

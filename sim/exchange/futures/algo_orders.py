"""Conditional orders on futures. Since December 2025 Binance takes them at endpoints of their own.

A conditional order and the order that it becomes once its price is reached are one order of the venue: both have the
same number and the same client id.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sim.exchange.answers import ApiError, Json
from sim.exchange.calls import Call
from sim.exchange.futures.orders import order_kind, place_request
from sim.exchange.futures.written import FuturesWriter, waits
from sim.exchange.orders import listed, named_order
from sim.exchange.symbols import Symbols
from sim.exchange.venue.records import VenueOrder
from sim.exchange.venue.refusals import VenueRefusal, cancel_unknown, no_such_order
from sim.exchange.venue.venue import SimulatedVenue

_MOST: Final = 1_000
_BY_ID: Final = ("algoId", "clientAlgoId")


class AlgoOrders:
    """See the module."""

    def __init__(self, venue: SimulatedVenue, symbols: Symbols, writer: FuturesWriter) -> None:
        self._venue = venue
        self._symbols = symbols
        self._writer = writer

    def place(self, call: Call) -> Json:
        """A new conditional order."""
        parameters = call.parameters
        kind = order_kind(parameters)
        if parameters.text("algoType") != "CONDITIONAL" or not kind.has_stop:
            raise ApiError(-1116, "Invalid orderType.")
        request = place_request(parameters, call.account, self._symbols, kind, "clientAlgoId", "triggerPrice")
        return self._writer.algo(self._venue.place(request, call.now_ns))

    def query(self, call: Call) -> Json:
        """One conditional order."""
        return self._writer.algo(self._found(call))

    def cancel(self, call: Call) -> Json:
        """Cancel a conditional order that waits."""
        try:
            found = self._found(call)
        except VenueRefusal:
            raise cancel_unknown() from None
        if not waits(found):
            raise cancel_unknown()
        self._venue.cancel(call.account, found.symbol, call.now_ns, order_id=found.order_id)
        return {
            "algoId": found.order_id,
            "clientAlgoId": found.client_order_id,
            "code": "200",
            "msg": "success",
        }

    def cancel_all(self, call: Call) -> Json:
        """Cancel all conditional orders of a symbol that wait."""
        symbol = self._symbols.named(call.parameters).symbol
        for order in self._venue.open_orders(call.account, symbol):
            if waits(order):
                self._venue.cancel(call.account, symbol, call.now_ns, order_id=order.order_id)
        return {"code": 200, "msg": "The operation of cancel all open order is done."}

    def open_orders(self, call: Call) -> Json:
        """Conditional orders that wait, of one symbol or all."""
        found = self._venue.open_orders(call.account, self._symbols.optional(call.parameters))
        return [self._writer.algo(order) for order in found if waits(order)]

    def all_orders(self, call: Call) -> Json:
        """Conditional orders of a symbol, whatever became of them."""
        parameters = call.parameters
        symbol, first = self._symbols.named(parameters).symbol, parameters.whole("algoId", 0)

        def fetch(limit: int) -> Sequence[VenueOrder]:
            found = self._venue.all_orders(call.account, symbol, from_order_id=first, limit=limit)
            return [order for order in found if order.kind.has_stop]

        return [self._writer.algo(order) for order in listed(parameters, _MOST, fetch, lambda one: one.created_ns)]

    def _found(self, call: Call) -> VenueOrder:
        """The order that is meant; a symbol need not be named."""
        order_id, client_id = named_order(call.parameters, *_BY_ID)
        name = self._symbols.optional(call.parameters)
        for symbol in [name] if name else [model.symbol for model in self._symbols]:
            try:
                found = self._venue.order(call.account, symbol, order_id=order_id, client_order_id=client_id)
            except VenueRefusal:
                continue
            if found.kind.has_stop:
                return found
        raise no_such_order()

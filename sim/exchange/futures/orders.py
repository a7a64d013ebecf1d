"""Orders on futures: placing, changing, cancelling, in batches and after a countdown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec

from sim.exchange import answers
from sim.exchange.answers import ApiError, Json
from sim.exchange.calls import Call
from sim.exchange.futures.written import ONE_WAY, FuturesWriter, waits
from sim.exchange.orders import SideWord, listed, named_order, prevention
from sim.exchange.parameters import Parameters, plain
from sim.exchange.symbols import Symbols
from sim.exchange.venue.kinds import OrderKind, TimeInForce
from sim.exchange.venue.records import VenueOrder, VenueTrade
from sim.exchange.venue.refusals import VenueRefusal, cancel_unknown, no_such_order
from sim.exchange.venue.requests import PlaceRequest
from sim.exchange.venue.venue import SimulatedVenue

_MOST: Final = 1_000
_BATCH_MOST: Final = 5
_CANCEL_BATCH_MOST: Final = 10
_DONE: Final = 200


class FuturesOrders:
    """See the module."""

    def __init__(self, venue: SimulatedVenue, symbols: Symbols, writer: FuturesWriter) -> None:
        self._venue = venue
        self._symbols = symbols
        self._writer = writer

    def place(self, call: Call) -> Json:
        """A new order."""
        return self._placed(call.parameters, call)

    def test(self, call: Call) -> Json:
        """Check the parameters of an order that is not placed."""
        self._request(call.parameters, call.account)
        return {}

    def place_batch(self, call: Call) -> Json:
        """Up to five orders, each on its own."""
        legs = _json_list(call.parameters, "batchOrders")
        if not 1 <= len(legs) <= _BATCH_MOST:
            raise answers.invalid("batchOrders")
        return [self._leg(_leg_parameters(leg), call) for leg in legs]

    def modify(self, call: Call) -> Json:
        """Change price and quantity of a limit order."""
        parameters = call.parameters
        model = self._symbols.named(parameters)
        found = self._found(call, named_order(parameters))
        amended = self._venue.amend(
            call.account,
            model.symbol,
            call.now_ns,
            order_id=found.order_id,
            quantity_lots=self._symbols.quantity(parameters, "quantity", model),
            price_ticks=self._symbols.price(parameters, "price", model) if parameters.has("price") else 0,
        )
        return self._writer.order(amended)

    def query(self, call: Call) -> Json:
        """One order."""
        return self._writer.order(self._found(call, named_order(call.parameters)))

    def open_order(self, call: Call) -> Json:
        """One order that works."""
        found = self._found(call, named_order(call.parameters))
        if not found.is_open:
            raise no_such_order()
        return self._writer.order(found)

    def cancel(self, call: Call) -> Json:
        """Cancel one order."""
        return self._writer.order(self._cancelled(call, named_order(call.parameters)))

    def cancel_all(self, call: Call) -> Json:
        """Cancel all orders of a symbol but conditional ones that wait."""
        symbol = self._symbols.named(call.parameters).symbol
        self._cancel_each(call, (one for one in self._venue.open_orders(call.account, symbol) if not waits(one)))
        return {"code": _DONE, "msg": "The operation of cancel all open order is done."}

    def cancel_batch(self, call: Call) -> Json:
        """Cancel up to ten orders, each on its own."""
        values = {name.lower(): value for name, value in call.parameters.values.items()}
        numbers = _json_list(Parameters(values), "orderidlist") if values.get("orderidlist") else []
        ids = _json_list(Parameters(values), "origclientorderidlist") if values.get("origclientorderidlist") else []
        named = [(int(plain(number, "orderIdList")), "") for number in numbers]
        named += [(0, plain(one, "origClientOrderIdList")) for one in ids]
        if not 1 <= len(named) <= _CANCEL_BATCH_MOST:
            raise answers.either("orderIdList", "origClientOrderIdList")
        return [self._cancelled_or_refused(call, one) for one in named]

    def countdown(self, call: Call) -> Json:
        """Cancel all orders of a symbol once the countdown has run down."""
        symbol = self._symbols.named(call.parameters).symbol
        countdown_ms = call.parameters.whole("countdownTime")
        if countdown_ms < 0:
            raise answers.invalid("countdownTime")
        self._venue.countdown_cancel(call.account, symbol, countdown_ms, call.now_ns)
        return {"symbol": symbol, "countdownTime": str(countdown_ms)}

    def open_orders(self, call: Call) -> Json:
        """Orders that work, of one symbol or all."""
        found = self._venue.open_orders(call.account, self._symbols.optional(call.parameters))
        return [self._writer.order(order) for order in found if not waits(order)]

    def all_orders(self, call: Call) -> Json:
        """Orders of a symbol, whatever became of them."""
        parameters = call.parameters
        symbol, first = self._symbols.named(parameters).symbol, parameters.whole("orderId", 0)

        def fetch(limit: int) -> Sequence[VenueOrder]:
            found = self._venue.all_orders(call.account, symbol, from_order_id=first, limit=limit)
            return [order for order in found if not waits(order)]

        return [self._writer.order(order) for order in listed(parameters, _MOST, fetch, lambda one: one.created_ns)]

    def trades(self, call: Call) -> Json:
        """Trades of an account in a symbol."""
        parameters = call.parameters
        symbol = self._symbols.named(parameters).symbol
        order_id, first = parameters.whole("orderId", 0), parameters.whole("fromId", 0)

        def fetch(limit: int) -> Sequence[VenueTrade]:
            return self._venue.trades(call.account, symbol, order_id=order_id, from_trade_id=first, limit=limit)

        return [self._writer.trade(trade) for trade in listed(parameters, _MOST, fetch, lambda one: one.time_ns)]

    def _placed(self, parameters: Parameters, call: Call) -> Json:
        return self._writer.order(self._venue.place(self._request(parameters, call.account), call.now_ns))

    def _leg(self, parameters: Parameters, call: Call) -> Json:
        try:
            return self._placed(parameters, call)
        except (ApiError, VenueRefusal) as refusal:
            return {"code": refusal.code, "msg": refusal.message}

    def _request(self, parameters: Parameters, account: str) -> PlaceRequest:
        kind = order_kind(parameters)
        if kind.has_stop:
            text = "Order type not supported for this endpoint. Please use the Algo Order API endpoints instead."
            raise ApiError(-4120, text)
        if parameters.has("stopPrice"):
            raise answers.not_required("stopPrice")
        return place_request(parameters, account, self._symbols, kind, "newClientOrderId")

    def _found(self, call: Call, named: tuple[int, str]) -> VenueOrder:
        symbol = self._symbols.named(call.parameters).symbol
        found = self._venue.order(call.account, symbol, order_id=named[0], client_order_id=named[1])
        if waits(found):
            raise no_such_order()
        return found

    def _cancelled(self, call: Call, named: tuple[int, str]) -> VenueOrder:
        symbol = self._symbols.named(call.parameters).symbol
        try:
            found = self._found(call, named)
        except VenueRefusal:
            raise cancel_unknown() from None
        return self._venue.cancel(call.account, symbol, call.now_ns, order_id=found.order_id)

    def _cancelled_or_refused(self, call: Call, named: tuple[int, str]) -> Json:
        try:
            return self._writer.order(self._cancelled(call, named))
        except VenueRefusal as refusal:
            return {"code": refusal.code, "msg": refusal.message}

    def _cancel_each(self, call: Call, orders: Iterable[VenueOrder]) -> None:
        for order in tuple(orders):
            self._venue.cancel(call.account, order.symbol, call.now_ns, order_id=order.order_id)


def order_kind(parameters: Parameters) -> OrderKind:
    """The type that is asked for, by its name on futures."""
    try:
        return OrderKind.from_futures_name(parameters.text("type"))
    except KeyError:
        raise ApiError(-1116, "Invalid orderType.") from None


def place_request(
    parameters: Parameters, account: str, symbols: Symbols, kind: OrderKind, client_id: str, trigger: str = "stopPrice"
) -> PlaceRequest:
    """What the parameters of a new order ask for; ``client_id`` and ``trigger`` name two of them."""
    model = symbols.named(parameters)
    if parameters.has("positionSide") and parameters.text("positionSide") != ONE_WAY:
        raise ApiError(-4061, "Order's position side does not match user's setting.")
    close_position = parameters.flag("closePosition")
    if close_position and (parameters.has("quantity") or parameters.flag("reduceOnly")):
        raise ApiError(-4136, "Target strategy invalid for closePosition with quantity or reduceOnly.")
    if parameters.has("price") and not kind.has_price:
        raise answers.not_required("price")
    return PlaceRequest(
        account=account,
        symbol=model.symbol,
        side=parameters.word("side", SideWord, ApiError(-1117, "Invalid side.")).side,
        kind=kind,
        time_in_force=_time_in_force(parameters, kind),
        quantity_lots=0 if close_position else symbols.quantity(parameters, "quantity", model),
        price_ticks=symbols.price(parameters, "price", model) if kind.has_price else 0,
        stop_ticks=symbols.price(parameters, trigger, model) if kind.has_stop else 0,
        client_order_id=parameters.client_id(client_id, futures=True),
        reduce_only=parameters.flag("reduceOnly"),
        close_position=close_position,
        self_trade_prevention=prevention(parameters),
    )


def _time_in_force(parameters: Parameters, kind: OrderKind) -> TimeInForce:
    if not kind.has_price:
        return TimeInForce.GTC
    if kind.has_stop and not parameters.has("timeInForce"):
        return TimeInForce.GTC
    return parameters.word("timeInForce", TimeInForce, ApiError(-1115, "Invalid timeInForce."))


def _json_list(parameters: Parameters, name: str) -> list[Any]:
    try:
        return msgspec.json.decode(parameters.text(name), type=list[Any])
    except msgspec.MsgspecError as error:
        raise answers.invalid(name) from error


def _leg_parameters(leg: object) -> Parameters:
    if not isinstance(leg, Mapping):
        raise answers.invalid("batchOrders")
    return Parameters({str(name): plain(value, str(name)) for name, value in leg.items()})

"""Orders on spot: placing, cancelling, replacing, amending, asking."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Final

from sim.exchange import answers
from sim.exchange.answers import ApiError, Json
from sim.exchange.calls import Call
from sim.exchange.numbers import ms
from sim.exchange.orders import SideWord, listed, named_order, prevention
from sim.exchange.parameters import Parameters
from sim.exchange.spot.written import SpotWriter, Written
from sim.exchange.symbols import Symbols
from sim.exchange.venue.kinds import OrderKind, OrderStatus, TimeInForce
from sim.exchange.venue.records import VenueOrder, VenueTrade
from sim.exchange.venue.refusals import VenueRefusal
from sim.exchange.venue.requests import PlaceRequest
from sim.exchange.venue.venue import SimulatedVenue

_MOST: Final = 1_000
_TRADES_OF_ORDER: Final = 100_000
_TIMED: Final = (OrderKind.LIMIT, OrderKind.STOP_LOSS_LIMIT, OrderKind.TAKE_PROFIT_LIMIT)
_CONFLICT: Final = 409


class SpotTime(StrEnum):
    """Times in force that spot knows."""

    GTC = "GTC"
    IOC = "IOC"
    FOK = "FOK"


class Response(StrEnum):
    """How much the answer to a new order says."""

    ACK = "ACK"
    RESULT = "RESULT"
    FULL = "FULL"


class CancelReplaceMode(StrEnum):
    """What a replacement does when the cancellation failed."""

    STOP_ON_FAILURE = "STOP_ON_FAILURE"
    ALLOW_FAILURE = "ALLOW_FAILURE"


class Restriction(StrEnum):
    """Which orders a cancellation is meant for."""

    ONLY_NEW = "ONLY_NEW"
    ONLY_PARTIALLY_FILLED = "ONLY_PARTIALLY_FILLED"


class SpotOrders:
    """See the module."""

    def __init__(self, venue: SimulatedVenue, symbols: Symbols, writer: SpotWriter) -> None:
        self._venue = venue
        self._symbols = symbols
        self._writer = writer

    def place(self, call: Call) -> Json:
        """A new order."""
        request = place_request(call.parameters, call.account, self._symbols)
        response = _response(call.parameters, request.kind)
        return self._answered(self._venue.place(request, call.now_ns), response)

    def test(self, call: Call) -> Json:
        """Check the parameters of an order that is not placed."""
        place_request(call.parameters, call.account, self._symbols)
        return {}

    def query(self, call: Call) -> Json:
        """One order."""
        symbol = self._symbols.named(call.parameters).symbol
        order_id, client_id = named_order(call.parameters)
        found = self._venue.order(call.account, symbol, order_id=order_id, client_order_id=client_id)
        return self._writer.found(found)

    def cancel(self, call: Call) -> Json:
        """Cancel one order; of an order list both."""
        return self._cancel(call, named_order(call.parameters))

    def cancel_all(self, call: Call) -> Json:
        """Cancel all orders of a symbol."""
        symbol = self._symbols.named(call.parameters).symbol
        cancelled = self._venue.cancel_all(call.account, symbol, call.now_ns)
        return [self._writer.cancelled(order, request_id("", order)) for order in cancelled]

    def replace(self, call: Call) -> Json:
        """Cancel one order and place another."""
        parameters = call.parameters
        mode = parameters.word("cancelReplaceMode", CancelReplaceMode, answers.invalid("cancelReplaceMode"))
        request = place_request(parameters, call.account, self._symbols)
        named = named_order(parameters, "cancelOrderId", "cancelOrigClientOrderId")
        cancelled, refused = _tried(lambda: self._cancel(call, named, own="cancelNewClientOrderId"))
        if refused and mode is CancelReplaceMode.STOP_ON_FAILURE:
            raise _replace_failed(refused, None)
        response = _response(parameters, request.kind)
        placed, not_placed = _tried(lambda: self._answered(self._venue.place(request, call.now_ns), response))
        if refused or not_placed:
            raise _replace_failed(refused, not_placed)
        return {
            "cancelResult": "SUCCESS",
            "newOrderResult": "SUCCESS",
            "cancelResponse": cancelled,
            "newOrderResponse": placed,
        }

    def amend(self, call: Call) -> Json:
        """Make an order smaller; it keeps its place."""
        model = self._symbols.named(call.parameters)
        order_id, client_id = named_order(call.parameters)
        lots = self._symbols.quantity(call.parameters, "newQty", model)
        before = self._venue.order(call.account, model.symbol, order_id=order_id, client_order_id=client_id)
        if lots >= before.quantity_lots:
            raise ApiError(-2038, "The requested action would change no state; rejecting.")
        amended = self._venue.amend(
            call.account, model.symbol, call.now_ns, order_id=before.order_id, quantity_lots=lots
        )
        return {"transactTime": ms(amended.updated_ns), "amendedOrder": self._writer.found(amended)}

    def open_orders(self, call: Call) -> Json:
        """Working orders, of one symbol or all."""
        symbol = self._symbols.optional(call.parameters)
        return [self._writer.found(order) for order in self._venue.open_orders(call.account, symbol)]

    def all_orders(self, call: Call) -> Json:
        """Orders of a symbol, whatever became of them."""
        parameters = call.parameters
        symbol, first = self._symbols.named(parameters).symbol, parameters.whole("orderId", 0)

        def fetch(limit: int) -> Sequence[VenueOrder]:
            return self._venue.all_orders(call.account, symbol, from_order_id=first, limit=limit)

        return [self._writer.found(order) for order in listed(parameters, _MOST, fetch, lambda one: one.created_ns)]

    def trades(self, call: Call) -> Json:
        """Trades of an account in a symbol."""
        parameters = call.parameters
        symbol = self._symbols.named(parameters).symbol
        order_id, first = parameters.whole("orderId", 0), parameters.whole("fromId", 0)

        def fetch(limit: int) -> Sequence[VenueTrade]:
            return self._venue.trades(call.account, symbol, order_id=order_id, from_trade_id=first, limit=limit)

        return [self._writer.trade(trade) for trade in listed(parameters, _MOST, fetch, lambda one: one.time_ns)]

    def _cancel(self, call: Call, named: tuple[int, str], own: str = "newClientOrderId") -> Json:
        parameters = call.parameters
        symbol = self._symbols.named(parameters).symbol
        asked = parameters.client_id(own)
        self._check_restriction(call, symbol, named)
        cancelled = self._venue.cancel(
            call.account,
            symbol,
            call.now_ns,
            order_id=named[0],
            client_order_id=named[1],
            request_client_order_id=asked,
        )
        if cancelled.list_id >= 0:
            listed = self._venue.order_list(call.account, list_id=cancelled.list_id)
            reports: list[Json] = [self._writer.cancelled(one, request_id(asked, one)) for one in listed.orders]
            return {**self._writer.order_list(listed), "orderReports": reports}
        return self._writer.cancelled(cancelled, request_id(asked, cancelled))

    def _check_restriction(self, call: Call, symbol: str, named: tuple[int, str]) -> None:
        if not call.parameters.has("cancelRestrictions"):
            return
        refusal = ApiError(-1145, "cancelRestrictions has to be either ONLY_NEW or ONLY_PARTIALLY_FILLED.")
        restriction = call.parameters.word("cancelRestrictions", Restriction, refusal)
        order = self._venue.order(call.account, symbol, order_id=named[0], client_order_id=named[1])
        wanted = OrderStatus.NEW if restriction is Restriction.ONLY_NEW else OrderStatus.PARTIALLY_FILLED
        if order.is_open and order.status is not wanted:
            raise ApiError(-2011, "Order was not canceled due to cancel restrictions.")

    def _answered(self, order: VenueOrder, response: Response) -> Written:
        if response is Response.ACK:
            return self._writer.acknowledged(order)
        if response is Response.RESULT:
            return self._writer.placed(order)
        trades = self._venue.trades(order.account, order.symbol, order_id=order.order_id, limit=_TRADES_OF_ORDER)
        return self._writer.filled(order, trades)


def place_request(parameters: Parameters, account: str, symbols: Symbols) -> PlaceRequest:
    """What the parameters of a new order ask for; raises ApiError and VenueRefusal."""
    model = symbols.named(parameters)
    side = parameters.word("side", SideWord, ApiError(-1117, "Invalid side.")).side
    kind = parameters.word("type", OrderKind, ApiError(-1116, "Invalid orderType."))
    by_money = kind is OrderKind.MARKET and parameters.has("quoteOrderQty")
    _check_combination(parameters, kind, by_money=by_money)
    return PlaceRequest(
        account=account,
        symbol=model.symbol,
        side=side,
        kind=kind,
        time_in_force=_time_in_force(parameters, kind),
        quantity_lots=0 if by_money else symbols.quantity(parameters, "quantity", model),
        quote_units=symbols.money(parameters, "quoteOrderQty") if by_money else 0,
        price_ticks=symbols.price(parameters, "price", model) if kind.has_price else 0,
        stop_ticks=symbols.price(parameters, "stopPrice", model) if kind.has_stop else 0,
        client_order_id=parameters.client_id("newClientOrderId"),
        self_trade_prevention=prevention(parameters),
    )


def request_id(asked: str, order: VenueOrder) -> str:
    """What a cancellation is known by: what it asked for, or what the exchange calls it."""
    return asked or f"cancel-{order.order_id}"


def _time_in_force(parameters: Parameters, kind: OrderKind) -> TimeInForce:
    if kind in _TIMED:
        word = parameters.word("timeInForce", SpotTime, ApiError(-1115, "Invalid timeInForce."))
        return TimeInForce(word.value)
    return TimeInForce.GTC


def _check_combination(parameters: Parameters, kind: OrderKind, *, by_money: bool) -> None:
    taken = {"price": kind.has_price, "stopPrice": kind.has_stop, "timeInForce": kind in _TIMED}
    for name, takes in taken.items():
        if parameters.has(name) and not takes:
            raise answers.not_required(name)
    if by_money and parameters.has("quantity"):
        raise answers.not_required("quoteOrderQty")
    if kind is OrderKind.MARKET and not by_money and not parameters.has("quantity"):
        raise answers.either("quantity", "quoteOrderQty")
    if parameters.has("icebergQty"):
        raise ApiError(-2010, "Iceberg orders are not supported for this symbol.")
    if parameters.has("trailingDelta"):
        raise ApiError(-2010, "Trailing stop orders are not supported for this symbol.")


def _response(parameters: Parameters, kind: OrderKind) -> Response:
    if parameters.has("newOrderRespType"):
        return parameters.word("newOrderRespType", Response, answers.invalid("newOrderRespType"))
    return Response.FULL if kind in (OrderKind.MARKET, OrderKind.LIMIT) else Response.ACK


def _tried(action: Callable[[], Json]) -> tuple[Json, ApiError | None]:
    """What an action gave, or its refusal."""
    try:
        return action(), None
    except ApiError as refusal:
        return None, refusal
    except VenueRefusal as refusal:
        return None, ApiError(refusal.code, refusal.message)


def _replace_failed(cancel: ApiError | None, placed: ApiError | None) -> ApiError:
    if cancel and placed:
        return ApiError(-2022, "Order cancel-replace failed.")
    if placed:
        return ApiError(-2021, "Order cancel-replace partially failed.", _CONFLICT)
    return ApiError(-2022, "Order cancel-replace failed.")

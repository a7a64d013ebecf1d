"""Order lists on spot: two orders of which one cancels the other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sim.exchange import answers
from sim.exchange.answers import ApiError, Json
from sim.exchange.calls import Call
from sim.exchange.orders import SideWord, prevention
from sim.exchange.parameters import Parameters
from sim.exchange.spot.orders import SpotTime, request_id
from sim.exchange.spot.written import SpotWriter
from sim.exchange.symbols import Symbols
from sim.exchange.venue.kinds import OrderKind, TimeInForce
from sim.exchange.venue.model import SymbolModel
from sim.exchange.venue.records import OrderList
from sim.exchange.venue.requests import ListLeg, OcoRequest
from sim.exchange.venue.venue import SimulatedVenue

_NOT_IN_LISTS: Final = (OrderKind.MARKET, OrderKind.LIMIT)
_LEG: Final = {
    "type": "Type",
    "price": "Price",
    "stopPrice": "StopPrice",
    "timeInForce": "TimeInForce",
    "client": "ClientOrderId",
}


class SpotLists:
    """See the module."""

    def __init__(self, venue: SimulatedVenue, symbols: Symbols, writer: SpotWriter) -> None:
        self._venue = venue
        self._symbols = symbols
        self._writer = writer

    def place(self, call: Call) -> Json:
        """Two orders, one above the market and one below."""
        parameters = call.parameters
        model = self._symbols.named(parameters)
        names = {side: {key: side + word for key, word in _LEG.items()} for side in ("above", "below")}
        return self._placed(call, model, *(self._leg(parameters, model, names[side]) for side in ("above", "below")))

    def place_as_before(self, call: Call) -> Json:
        """The older form: a LIMIT_MAKER at ``price`` and a stop loss at ``stopPrice``."""
        parameters = call.parameters
        model = self._symbols.named(parameters)
        side = parameters.word("side", SideWord, ApiError(-1117, "Invalid side."))
        limit = ListLeg(
            kind=OrderKind.LIMIT_MAKER,
            price_ticks=self._symbols.price(parameters, "price", model),
            client_order_id=parameters.client_id("limitClientOrderId"),
        )
        limited = parameters.has("stopLimitPrice")
        stop = ListLeg(
            kind=OrderKind.STOP_LOSS_LIMIT if limited else OrderKind.STOP_LOSS,
            price_ticks=self._symbols.price(parameters, "stopLimitPrice", model) if limited else 0,
            stop_ticks=self._symbols.price(parameters, "stopPrice", model),
            time_in_force=_time_in_force(parameters, "stopLimitTimeInForce") if limited else TimeInForce.GTC,
            client_order_id=parameters.client_id("stopClientOrderId"),
        )
        above, below = (limit, stop) if side is SideWord.SELL else (stop, limit)
        return self._placed(call, model, above, below)

    def query(self, call: Call) -> Json:
        """One order list."""
        parameters = call.parameters
        if not parameters.has("orderListId") and not parameters.has("origClientOrderId"):
            raise answers.either("origClientOrderId", "orderListId")
        listed = self._venue.order_list(
            call.account,
            list_id=parameters.whole("orderListId", -1),
            list_client_order_id=parameters.optional("origClientOrderId"),
        )
        return self._writer.order_list(listed)

    def open_lists(self, call: Call) -> Json:
        """Order lists of which orders work."""
        numbers = sorted({order.list_id for order in self._venue.open_orders(call.account) if order.list_id >= 0})
        lists = [self._venue.order_list(call.account, list_id=number) for number in numbers]
        return [self._writer.order_list(listed) for listed in lists]

    def cancel(self, call: Call) -> Json:
        """Cancel both orders of a list."""
        parameters = call.parameters
        symbol = self._symbols.named(parameters).symbol
        if not parameters.has("orderListId") and not parameters.has("listClientOrderId"):
            raise answers.either("orderListId", "listClientOrderId")
        listed = self._venue.cancel_list(
            call.account,
            symbol,
            call.now_ns,
            list_id=parameters.whole("orderListId", -1),
            list_client_order_id=parameters.optional("listClientOrderId"),
        )
        asked = parameters.client_id("newClientOrderId")
        reports: list[Json] = [self._writer.cancelled(order, request_id(asked, order)) for order in listed.orders]
        return {**self._writer.order_list(listed), "orderReports": reports}

    def _placed(self, call: Call, model: SymbolModel, above: ListLeg, below: ListLeg) -> Json:
        parameters = call.parameters
        request = OcoRequest(
            account=call.account,
            symbol=model.symbol,
            side=parameters.word("side", SideWord, ApiError(-1117, "Invalid side.")).side,
            quantity_lots=self._symbols.quantity(parameters, "quantity", model),
            above=above,
            below=below,
            list_client_order_id=parameters.client_id("listClientOrderId"),
            self_trade_prevention=prevention(parameters),
        )
        return self._with_reports(self._venue.place_oco(request, call.now_ns))

    def _with_reports(self, listed: OrderList) -> Json:
        reports: list[Json] = [self._writer.placed(order) for order in listed.orders]
        return {**self._writer.order_list(listed), "orderReports": reports}

    def _leg(self, parameters: Parameters, model: SymbolModel, names: Mapping[str, str]) -> ListLeg:
        refusal = ApiError(-1158, "Order type not supported in OCO.")
        kind = parameters.word(names["type"], OrderKind, refusal)
        if kind in _NOT_IN_LISTS:
            raise refusal
        timed = kind in (OrderKind.STOP_LOSS_LIMIT, OrderKind.TAKE_PROFIT_LIMIT)
        return ListLeg(
            kind=kind,
            price_ticks=self._symbols.price(parameters, names["price"], model) if kind.has_price else 0,
            stop_ticks=self._symbols.price(parameters, names["stopPrice"], model) if kind.has_stop else 0,
            time_in_force=_time_in_force(parameters, names["timeInForce"]) if timed else TimeInForce.GTC,
            client_order_id=parameters.client_id(names["client"]),
        )


def _time_in_force(parameters: Parameters, name: str) -> TimeInForce:
    return TimeInForce(parameters.word(name, SpotTime, ApiError(-1115, "Invalid timeInForce.")).value)

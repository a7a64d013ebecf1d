"""Records of a spot venue as Binance writes them. All numbers have eight digits after the point."""

from __future__ import annotations

from collections.abc import Iterable

from market.orders.kinds import Side
from sim.exchange.answers import Json
from sim.exchange.numbers import eight, ms
from sim.exchange.venue.kinds import ListStatus
from sim.exchange.venue.records import OrderList, VenueOrder, VenueTrade
from sim.exchange.writing import SpotNumbers

Written = dict[str, Json]


class SpotWriter:
    """Writes what belongs to orders."""

    def __init__(self, numbers: SpotNumbers) -> None:
        self._numbers = numbers

    def acknowledged(self, order: VenueOrder) -> Written:
        """A new order, answered with ACK."""
        return {
            "symbol": order.symbol,
            "orderId": order.order_id,
            "orderListId": order.list_id,
            "clientOrderId": order.client_order_id,
            "transactTime": ms(order.updated_ns),
        }

    def placed(self, order: VenueOrder) -> Written:
        """A new order, answered with RESULT."""
        working: Written = {"workingTime": ms(order.working_ns)} if order.working_ns else {}
        return {
            **self.acknowledged(order),
            **self._amounts(order),
            **self._terms(order),
            **working,
            "selfTradePreventionMode": order.self_trade_prevention.value,
        }

    def filled(self, order: VenueOrder, trades: Iterable[VenueTrade]) -> Written:
        """A new order, answered with FULL."""
        return {**self.placed(order), "fills": [self._fill(trade) for trade in trades]}

    def found(self, order: VenueOrder) -> Written:
        """An order that was asked for."""
        written: Written = {
            "symbol": order.symbol,
            "orderId": order.order_id,
            "orderListId": order.list_id,
            "clientOrderId": order.client_order_id,
            **self._amounts(order),
            **self._terms(order),
            "stopPrice": self._numbers.price(order.symbol, order.stop_ticks),
            "icebergQty": eight(0),
            "time": ms(order.created_ns),
            "updateTime": ms(order.updated_ns),
            "isWorking": order.working,
            "workingTime": ms(order.working_ns) if order.working_ns else -1,
            "selfTradePreventionMode": order.self_trade_prevention.value,
        }
        return written

    def cancelled(self, order: VenueOrder, request_id: str) -> Written:
        """A cancelled order; ``request_id`` is what the cancellation is known by."""
        return {
            "symbol": order.symbol,
            "origClientOrderId": order.client_order_id,
            "orderId": order.order_id,
            "orderListId": order.list_id,
            "clientOrderId": request_id,
            "transactTime": ms(order.updated_ns),
            **self._amounts(order),
            **self._terms(order),
            "selfTradePreventionMode": order.self_trade_prevention.value,
        }

    def trade(self, trade: VenueTrade) -> Written:
        """A trade of an account."""
        return {
            "symbol": trade.symbol,
            "id": trade.trade_id,
            "orderId": trade.order_id,
            "orderListId": trade.list_id,
            "price": self._numbers.price(trade.symbol, trade.price_ticks),
            "qty": self._numbers.quantity(trade.symbol, trade.quantity_lots),
            "quoteQty": eight(trade.quote_units),
            "commission": eight(trade.commission_units),
            "commissionAsset": trade.commission_asset,
            "time": ms(trade.time_ns),
            "isBuyer": trade.side is Side.BUY,
            "isMaker": trade.is_maker,
            "isBestMatch": True,
        }

    def order_list(self, listed: OrderList) -> Written:
        """An order list, without the orders themselves."""
        executing = listed.status is ListStatus.EXECUTING
        return {
            "orderListId": listed.list_id,
            "contingencyType": "OCO",
            "listStatusType": "EXEC_STARTED" if executing else "ALL_DONE",
            "listOrderStatus": "EXECUTING" if executing else "ALL_DONE",
            "listClientOrderId": listed.list_client_order_id,
            "transactionTime": ms(listed.time_ns),
            "symbol": listed.symbol,
            "orders": [
                {"symbol": order.symbol, "orderId": order.order_id, "clientOrderId": order.client_order_id}
                for order in listed.orders
            ],
        }

    def _amounts(self, order: VenueOrder) -> Written:
        return {
            "price": self._numbers.price(order.symbol, order.price_ticks),
            "origQty": self._numbers.quantity(order.symbol, order.quantity_lots),
            "executedQty": self._numbers.quantity(order.symbol, order.executed_lots),
            "origQuoteOrderQty": eight(order.quote_units),
            "cummulativeQuoteQty": eight(order.executed_units),
        }

    def _terms(self, order: VenueOrder) -> Written:
        stop: Written = {"stopPrice": self._numbers.price(order.symbol, order.stop_ticks)} if order.stop_ticks else {}
        return {
            "status": order.status.value,
            "timeInForce": order.time_in_force.value,
            "type": order.kind.value,
            "side": order.side.name,
            **stop,
        }

    def _fill(self, trade: VenueTrade) -> Json:
        return {
            "price": self._numbers.price(trade.symbol, trade.price_ticks),
            "qty": self._numbers.quantity(trade.symbol, trade.quantity_lots),
            "commission": eight(trade.commission_units),
            "commissionAsset": trade.commission_asset,
            "tradeId": trade.trade_id,
        }

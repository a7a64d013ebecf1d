"""Records of a futures venue as Binance writes them."""

from __future__ import annotations

from typing import Final

from market.orders.kinds import Side
from sim.exchange.answers import Json
from sim.exchange.numbers import eight, ms, quotient
from sim.exchange.symbols import Symbols
from sim.exchange.venue.kinds import OrderKind
from sim.exchange.venue.records import MarginBalance, Position, VenueOrder, VenueTrade
from sim.exchange.writing import FuturesNumbers

Written = dict[str, Json]
_ENTRY_DECIMALS: Final = 11
_WORKING_TYPE: Final = "CONTRACT_PRICE"
ONE_WAY: Final = "BOTH"


def waits(order: VenueOrder) -> bool:
    """Whether an order is, or was when it ended, a conditional one whose price had not been reached."""
    return order.kind.has_stop and not order.working


def working_type(order: VenueOrder) -> str:
    """The type of an order in the book; a conditional one is a market or limit order once it is triggered."""
    if order.kind.has_stop:
        return (OrderKind.LIMIT if order.kind.has_price else OrderKind.MARKET).value
    return order.kind.futures_name


def algo_status(order: VenueOrder) -> str:
    """Where a conditional order stands."""
    if order.working:
        return "TRIGGERED" if order.is_open else "FINISHED"
    return "NEW" if order.is_open else order.status.value


class FuturesWriter:
    """Writes orders, trades, positions and margin."""

    def __init__(self, symbols: Symbols, numbers: FuturesNumbers) -> None:
        self._symbols = symbols
        self._numbers = numbers

    def order(self, order: VenueOrder) -> Written:
        """An order that was placed, cancelled or asked for."""
        numbers, symbol = self._numbers, order.symbol
        return {
            "orderId": order.order_id,
            "symbol": symbol,
            "status": order.status.value,
            "clientOrderId": order.client_order_id,
            "price": numbers.price(symbol, order.price_ticks),
            "avgPrice": self.average(order),
            "origQty": numbers.quantity(symbol, order.quantity_lots),
            "executedQty": numbers.quantity(symbol, order.executed_lots),
            "cumQty": numbers.quantity(symbol, order.executed_lots),
            "cumQuote": eight(order.executed_units),
            "timeInForce": order.time_in_force.value,
            "type": working_type(order),
            "reduceOnly": order.reduce_only,
            "closePosition": order.close_position,
            "side": order.side.name,
            "positionSide": ONE_WAY,
            "stopPrice": numbers.price(symbol, order.stop_ticks),
            "workingType": _WORKING_TYPE,
            "priceProtect": False,
            "origType": order.kind.futures_name,
            "priceMatch": "NONE",
            "selfTradePreventionMode": order.self_trade_prevention.value,
            "goodTillDate": 0,
            "time": ms(order.created_ns),
            "updateTime": ms(order.updated_ns),
        }

    def algo(self, order: VenueOrder) -> Written:
        """A conditional order."""
        numbers, symbol = self._numbers, order.symbol
        return {
            "algoId": order.order_id,
            "clientAlgoId": order.client_order_id,
            "algoType": "CONDITIONAL",
            "orderType": order.kind.futures_name,
            "symbol": symbol,
            "side": order.side.name,
            "positionSide": ONE_WAY,
            "timeInForce": order.time_in_force.value,
            "quantity": numbers.quantity(symbol, order.quantity_lots),
            "algoStatus": algo_status(order),
            "actualOrderId": str(order.order_id) if order.working else "",
            "actualPrice": self.average(order),
            "triggerPrice": numbers.price(symbol, order.stop_ticks),
            "price": numbers.price(symbol, order.price_ticks),
            "icebergQuantity": None,
            "selfTradePreventionMode": order.self_trade_prevention.value,
            "workingType": _WORKING_TYPE,
            "priceMatch": "NONE",
            "closePosition": order.close_position,
            "priceProtect": False,
            "reduceOnly": order.reduce_only,
            "createTime": ms(order.created_ns),
            "updateTime": ms(order.updated_ns),
            "triggerTime": ms(order.working_ns),
            "goodTillDate": 0,
        }

    def average(self, order: VenueOrder) -> str:
        """Mean price of what has traded."""
        model = self._symbols.model(order.symbol)
        return quotient(order.executed_units, order.executed_lots * model.lot_units, 8)

    def trade(self, trade: VenueTrade) -> Written:
        """A trade of an account."""
        numbers, symbol = self._numbers, trade.symbol
        return {
            "symbol": symbol,
            "id": trade.trade_id,
            "orderId": trade.order_id,
            "side": trade.side.name,
            "price": numbers.price(symbol, trade.price_ticks),
            "qty": numbers.quantity(symbol, trade.quantity_lots),
            "realizedPnl": eight(trade.realised_units),
            "quoteQty": eight(trade.quote_units),
            "commission": eight(trade.commission_units),
            "commissionAsset": trade.commission_asset,
            "time": ms(trade.time_ns),
            "positionSide": ONE_WAY,
            "buyer": trade.side is Side.BUY,
            "maker": trade.is_maker,
        }

    def entry_price(self, position: Position, units: int) -> str:
        """A price of a position from its cost; 0 when it is flat."""
        lots = position.quantity_lots * self._symbols.model(position.symbol).lot_units
        return quotient(units, lots, _ENTRY_DECIMALS) if lots else "0.0"

    def working_units(self, order: VenueOrder) -> int:
        """What the rest of a working order is worth at its price."""
        lots = order.remaining_lots if order.is_open else 0
        return self._symbols.model(order.symbol).quote_units(order.price_ticks, lots)

    def notional_units(self, position: Position) -> int:
        """What a position is worth at the mark price, negative when short."""
        return self._symbols.model(position.symbol).quote_units(position.mark_ticks, position.quantity_lots)

    def position(self, position: Position, asset: str) -> Written:
        """A position with its margin, as positionRisk states it."""
        numbers, symbol = self._numbers, position.symbol
        return {
            "symbol": symbol,
            "positionSide": ONE_WAY,
            "positionAmt": numbers.quantity(symbol, position.quantity_lots),
            "entryPrice": self.entry_price(position, position.cost_units),
            "breakEvenPrice": self.entry_price(position, position.break_even_units),
            "markPrice": numbers.price(symbol, position.mark_ticks),
            "unRealizedProfit": eight(position.unrealised_units),
            "liquidationPrice": "0",
            "isolatedMargin": "0",
            "notional": eight(self.notional_units(position)),
            "marginAsset": asset,
            "isolatedWallet": "0",
            "initialMargin": eight(position.initial_margin_units),
            "maintMargin": eight(position.maintenance_margin_units),
            "positionInitialMargin": eight(position.initial_margin_units),
            "openOrderInitialMargin": "0",
            "adl": 0,
            "bidNotional": "0",
            "askNotional": "0",
            "updateTime": ms(position.updated_ns),
        }

    def margin(self, margin: MarginBalance, updated_ns: int) -> Written:
        """Margin in one asset, as the account states it."""
        return {
            "asset": margin.asset,
            "walletBalance": eight(margin.wallet_units),
            "unrealizedProfit": eight(margin.unrealised_units),
            "marginBalance": eight(margin.margin_units),
            "maintMargin": eight(margin.maintenance_margin_units),
            "initialMargin": eight(margin.position_margin_units + margin.order_margin_units),
            "positionInitialMargin": eight(margin.position_margin_units),
            "openOrderInitialMargin": eight(margin.order_margin_units),
            "crossWalletBalance": eight(margin.wallet_units),
            "crossUnPnl": eight(margin.unrealised_units),
            "availableBalance": eight(margin.available_units),
            "maxWithdrawAmount": eight(margin.available_units),
            "marginAvailable": True,
            "updateTime": ms(updated_ns),
        }

"""Orders as Binance writes them: exact decimal text, and the fields that each type of order needs."""

from __future__ import annotations

from typing import Final

from market.errors import Rejected
from market.instruments import Listing
from market.orders.kinds import OrderType, Side, TimeInForce
from market.orders.order import OrderIntent
from market.orders.pairs import pair_problem
from orchestrator.execution.requests import Ask, MarketKind, Request

_PRICED: Final = (OrderType.LIMIT, OrderType.STOP_LIMIT)
STOPS: Final = (OrderType.STOP, OrderType.STOP_LIMIT)
_SPOT_TYPES: Final = {
    OrderType.MARKET: "MARKET",
    OrderType.LIMIT: "LIMIT",
    OrderType.STOP: "STOP_LOSS",
    OrderType.STOP_LIMIT: "STOP_LOSS_LIMIT",
}
_FUTURES_TYPES: Final = {
    OrderType.MARKET: "MARKET",
    OrderType.LIMIT: "LIMIT",
    OrderType.STOP: "STOP_MARKET",
    OrderType.STOP_LIMIT: "STOP",
}


def decimal_text(count: int, exponent: int) -> str:
    """A count of ``10**exponent``, at least 0, in plain notation without trailing zeros: ``Scale.text``, but faster."""
    if exponent >= 0:
        return str(count * 10**exponent)
    digits = str(count).rjust(1 - exponent, "0")
    fraction = digits[exponent:].rstrip("0")
    return f"{digits[:exponent]}.{fraction}" if fraction else digits[:exponent]


def price_text(listing: Listing, price: int) -> str:
    """A price of a listing."""
    return decimal_text(price, listing.instrument.price_scale.exponent)


def quantity_text(listing: Listing, quantity: int) -> str:
    """A quantity of a listing, in base currency."""
    return decimal_text(quantity, listing.instrument.quantity_scale.exponent)


def place_request(intent: OrderIntent, listing: Listing, kind: MarketKind) -> Request:
    """The request that places an order.

    Raises Rejected for what the market does not have: market orders that are filled whole or not at all, reduce-only
    on spot, stop orders that end at once, inverse contracts.
    """
    problem = _problem(intent, listing, kind)
    if problem:
        raise Rejected(f"order {intent.client_order_id} on {listing}: {problem}")
    is_futures = kind is MarketKind.USD_MARGINED
    if is_futures and intent.type in STOPS:
        return Request(ask=Ask.PLACE_STOP, parameters=_futures_stop(intent, listing))
    parameters = {
        "symbol": listing.symbol,
        "side": intent.side.name,
        "newClientOrderId": intent.client_order_id,
        "newOrderRespType": "RESULT" if is_futures else "FULL",
        "type": order_type(intent, kind),
        "quantity": quantity_text(listing, intent.quantity),
    }
    if intent.type in _PRICED:
        parameters["price"] = price_text(listing, intent.limit_price)
    if time_in_force := time_in_force_text(intent, kind):
        parameters["timeInForce"] = time_in_force
    if intent.type in STOPS:
        parameters["stopPrice"] = price_text(listing, intent.stop_price)
    if intent.reduce_only:
        parameters["reduceOnly"] = "true"
    return Request(ask=Ask.PLACE, parameters=parameters)


def order_type(intent: OrderIntent, kind: MarketKind) -> str:
    """The name of an order's type."""
    if kind is MarketKind.USD_MARGINED:
        return _FUTURES_TYPES[intent.type]
    return "LIMIT_MAKER" if intent.post_only else _SPOT_TYPES[intent.type]


def time_in_force_text(intent: OrderIntent, kind: MarketKind) -> str:
    """How long an order works; empty where its type has none."""
    if intent.type not in _PRICED:
        return ""
    if intent.post_only:
        return "GTX" if kind is MarketKind.USD_MARGINED else ""
    return intent.time_in_force.name


def oco_request(limit: OrderIntent, stop: OrderIntent, listing: Listing) -> Request:
    """The request that places a pair on spot of which one cancels the other: a limit order that takes the profit and a
    stop order that ends the loss.

    Raises Rejected unless both are of the same side and quantity, the limit order rests, and its price is on the better
    side of the stop price.
    """
    problem = _problem(stop, listing, MarketKind.SPOT) or pair_problem(limit, stop)
    if problem:
        raise Rejected(f"orders {limit.client_order_id} and {stop.client_order_id} on {listing}: {problem}")
    above, below = ("above", "below") if limit.side is Side.SELL else ("below", "above")
    parameters = {
        "symbol": listing.symbol,
        "side": limit.side.name,
        "quantity": quantity_text(listing, limit.quantity),
        f"{above}Type": "LIMIT_MAKER",
        f"{above}ClientOrderId": limit.client_order_id,
        f"{above}Price": price_text(listing, limit.limit_price),
        f"{below}Type": order_type(stop, MarketKind.SPOT),
        f"{below}ClientOrderId": stop.client_order_id,
        f"{below}StopPrice": price_text(listing, stop.stop_price),
        "newOrderRespType": "FULL",
    }
    if stop.type is OrderType.STOP_LIMIT:
        parameters[f"{below}Price"] = price_text(listing, stop.limit_price)
        parameters[f"{below}TimeInForce"] = stop.time_in_force.name
    return Request(ask=Ask.PLACE_OCO, parameters=parameters)


def cancel_request(intent: OrderIntent, listing: Listing, kind: MarketKind) -> Request:
    """The request that cancels an order, by our own id."""
    if kind is MarketKind.USD_MARGINED and intent.type in STOPS:
        return Request(ask=Ask.CANCEL_STOP, parameters={"clientAlgoId": intent.client_order_id})
    return Request(ask=Ask.CANCEL, parameters={"symbol": listing.symbol, "origClientOrderId": intent.client_order_id})


def order_request(intent: OrderIntent, listing: Listing, kind: MarketKind) -> Request:
    """The request that asks what became of an order, by our own id."""
    if kind is MarketKind.USD_MARGINED and intent.type in STOPS:
        return Request(ask=Ask.STOP, parameters={"clientAlgoId": intent.client_order_id})
    return Request(ask=Ask.ORDER, parameters={"symbol": listing.symbol, "origClientOrderId": intent.client_order_id})


def _futures_stop(intent: OrderIntent, listing: Listing) -> dict[str, str]:
    parameters = {
        "algoType": "CONDITIONAL",
        "symbol": listing.symbol,
        "side": intent.side.name,
        "clientAlgoId": intent.client_order_id,
        "newOrderRespType": "RESULT",
        "type": _FUTURES_TYPES[intent.type],
        "quantity": quantity_text(listing, intent.quantity),
        "triggerPrice": price_text(listing, intent.stop_price),
        "workingType": "CONTRACT_PRICE",
    }
    if intent.type is OrderType.STOP_LIMIT:
        parameters["price"] = price_text(listing, intent.limit_price)
        parameters["timeInForce"] = intent.time_in_force.name
    if intent.reduce_only:
        parameters["reduceOnly"] = "true"
    return parameters


def _problem(intent: OrderIntent, listing: Listing, kind: MarketKind) -> str:
    if listing.contract_value:
        return "the listing is of inverse contracts; expected quantities in base currency"
    if intent.type is OrderType.MARKET and intent.time_in_force is TimeInForce.FOK:
        return "time in force was FOK; expected IOC, a market order here cannot be all or nothing"
    if intent.reduce_only and kind is MarketKind.SPOT:
        return "reduce_only was set; expected an order without it, spot holds balances and no positions"
    return ""

"""What a symbol's filters say of a new order, with the refusals of each kind of market."""

from __future__ import annotations

from sim.exchange.venue.kinds import MarketKind, OrderKind, TimeInForce
from sim.exchange.venue.model import UNITS, SymbolModel
from sim.exchange.venue.refusals import VenueRefusal, filter_failure, unsupported
from sim.exchange.venue.requests import PlaceRequest


def check_combination(kind: MarketKind, request: PlaceRequest) -> None:
    """Raises VenueRefusal for parameters that do not go together."""
    order = request.kind
    spot = kind is MarketKind.SPOT
    if spot and (request.reduce_only or request.close_position):
        raise unsupported("reduceOnly and closePosition are for futures")
    if spot and request.time_in_force is TimeInForce.GTX:
        raise VenueRefusal(-1115, "Invalid timeInForce.")
    if not spot and order is OrderKind.LIMIT_MAKER:
        raise VenueRefusal(-1116, "Invalid orderType.")
    if request.time_in_force is not TimeInForce.GTC and not order.has_price:
        raise VenueRefusal(-1106, "Parameter 'timeInForce' sent when not required.")
    if order is OrderKind.LIMIT_MAKER and request.time_in_force is not TimeInForce.GTC:
        raise VenueRefusal(-1106, "Parameter 'timeInForce' sent when not required.")
    _check_present("price", order.has_price, request.price_ticks)
    _check_present("stopPrice", order.has_stop, request.stop_ticks)
    if request.quote_units < 0:
        raise VenueRefusal(-1102, "Mandatory parameter 'quoteOrderQty' was not sent, was empty/null, or malformed.")
    if request.quote_units:
        if not spot or order is not OrderKind.MARKET or request.quantity_lots:
            raise unsupported("quoteOrderQty is for spot MARKET orders without a quantity")
    elif request.close_position:
        if order not in (OrderKind.STOP_LOSS, OrderKind.TAKE_PROFIT) or request.quantity_lots:
            raise VenueRefusal(-4136, "Target strategy invalid for orderType MARKET,closePosition true")
    elif not request.quantity_lots:
        raise VenueRefusal(-1102, "Mandatory parameter 'quantity' was not sent, was empty/null, or malformed.")


def _check_present(name: str, needed: bool, value: int) -> None:
    if needed and not value:
        raise VenueRefusal(-1102, f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed.")
    if value and not needed:
        raise VenueRefusal(-1106, f"Parameter '{name}' sent when not required.")


def check_price(kind: MarketKind, model: SymbolModel, price_ticks: int) -> None:
    """PRICE_FILTER; raises VenueRefusal."""
    if model.minimum_ticks <= price_ticks <= model.maximum_ticks:
        return
    if kind is MarketKind.SPOT:
        raise filter_failure("PRICE_FILTER")
    if price_ticks < model.minimum_ticks:
        raise VenueRefusal(-4013, f"Price less than min price. Minimum is {model.price_text(model.minimum_ticks)}.")
    raise VenueRefusal(-4002, "Price greater than max price.")


def check_percent_price(kind: MarketKind, model: SymbolModel, price_ticks: int, last_ticks: int) -> None:
    """PERCENT_PRICE: a limit price within bounds around the last price; raises VenueRefusal."""
    highest, lowest = last_ticks * model.up_percent // 100, -(-last_ticks * model.down_percent // 100)
    if lowest <= price_ticks <= highest:
        return
    if kind is MarketKind.SPOT:
        raise filter_failure("PERCENT_PRICE_BY_SIDE")
    if price_ticks > highest:
        raise VenueRefusal(-4016, f"Limit price can't be higher than {model.price_text(highest)}.")
    raise VenueRefusal(-4024, f"Limit price can't be lower than {model.price_text(lowest)}.")


def check_quantity(kind: MarketKind, model: SymbolModel, lots: int, at_market: bool) -> None:
    """LOT_SIZE and MARKET_LOT_SIZE; raises VenueRefusal."""
    highest = min(model.maximum_lots, model.market_maximum_lots) if at_market else model.maximum_lots
    if model.minimum_lots <= lots <= highest:
        return
    if kind is MarketKind.SPOT:
        within = model.minimum_lots <= lots <= model.maximum_lots
        raise filter_failure("MARKET_LOT_SIZE" if within else "LOT_SIZE")
    if lots < model.minimum_lots:
        raise VenueRefusal(-4004, "Quantity less than min quantity.")
    raise VenueRefusal(-4005, "Quantity greater than max quantity.")


def check_notional(kind: MarketKind, model: SymbolModel, notional_units: int, reduce_only: bool) -> None:
    """NOTIONAL, from which reduce-only orders are exempt; raises VenueRefusal."""
    if reduce_only or notional_units >= model.minimum_notional_units:
        return
    if kind is MarketKind.SPOT:
        raise filter_failure("NOTIONAL")
    least = UNITS.text(model.minimum_notional_units)
    raise VenueRefusal(-4164, f"Order's notional must be no smaller than {least} (unless you choose reduce only).")


def check_filters(kind: MarketKind, model: SymbolModel, request: PlaceRequest, last_ticks: int) -> None:
    """All filters of an order with a quantity; market orders are valued at the last price. Raises VenueRefusal."""
    at_market = not request.kind.has_price
    for price_ticks in (request.price_ticks, request.stop_ticks):
        if price_ticks:
            check_price(kind, model, price_ticks)
    if request.kind.has_price:
        check_percent_price(kind, model, request.price_ticks, last_ticks)
    if request.quote_units:
        check_notional(kind, model, request.quote_units, False)
    if request.quantity_lots:
        check_quantity(kind, model, request.quantity_lots, at_market)
        price_ticks = request.price_ticks or request.stop_ticks or last_ticks
        check_notional(kind, model, model.quote_units(price_ticks, request.quantity_lots), request.reduce_only)

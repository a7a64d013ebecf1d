"""Orders and positions as the bus writes them: names instead of numbers, decimals instead of counts."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import Final

import msgspec

from market.errors import Rejected
from market.instruments import Catalogue, Listing
from market.orders.cause import Cause
from market.orders.kinds import OrderState, OrderType, Side, TimeInForce
from market.orders.order import Order, OrderIntent
from market.risk.position import Position


class BusSide(StrEnum):
    """Which way an order trades."""

    BUY = "buy"
    SELL = "sell"


class BusOrderType(StrEnum):
    """How an order is priced."""

    MARKET = "market"
    LIMIT = "limit"
    STOP = "stop"
    STOP_LIMIT = "stop_limit"


class BusTimeInForce(StrEnum):
    """How long an order works."""

    GTC = "gtc"
    IOC = "ioc"
    FOK = "fok"


SIDES: Final = {Side.BUY: BusSide.BUY, Side.SELL: BusSide.SELL}
_TYPES: Final = {kind: BusOrderType[kind.name] for kind in OrderType}
_TIMES_IN_FORCE: Final = {kind: BusTimeInForce[kind.name] for kind in TimeInForce}


class NewOrder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An order that somebody outside wants.

    Parameters
    ----------
    client_order_id: empty: the run names the order. venue: may be empty where only one venue lists the symbol.
    price: of a limit. stop_price: of a stop. time_in_force: None: IOC for a market order, else GTC.
    """

    symbol: str
    side: BusSide
    order_type: BusOrderType
    quantity: Decimal
    client_order_id: str = ""
    venue: str = ""
    price: Decimal | None = None
    stop_price: Decimal | None = None
    time_in_force: BusTimeInForce | None = None
    post_only: bool = False
    reduce_only: bool = False


class OrderRecord(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An order as it stands.

    Parameters
    ----------
    status: an ``OrderState`` in lower case. average_price: of its fills, None without any.
    """

    client_order_id: str
    exchange_order_id: str
    strategy: str
    venue: str
    symbol: str
    side: BusSide
    order_type: BusOrderType
    time_in_force: BusTimeInForce
    price: Decimal | None
    stop_price: Decimal | None
    quantity: Decimal
    filled_quantity: Decimal
    average_price: Decimal | None
    status: str
    reason: str
    decided_ns: int
    sent_ns: int
    acknowledged_ns: int
    ended_ns: int


class PositionRecord(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is held of one listing; amounts in its quote currency.

    Parameters
    ----------
    mark_price: None when there is no quote; then unrealised is None, too.
    """

    venue: str
    symbol: str
    quantity: Decimal
    average_price: Decimal | None
    mark_price: Decimal | None
    realised: Decimal
    unrealised: Decimal | None
    fees: Decimal


def order_record(order: Order, listing: Listing) -> OrderRecord:
    """An order of a listing for the bus."""
    intent, instrument = order.intent, listing.instrument
    price, quantity = instrument.price_scale, instrument.quantity_scale
    return OrderRecord(
        client_order_id=order.client_order_id,
        exchange_order_id=order.venue_order_id,
        strategy=intent.cause.strategy,
        venue=listing.venue_name,
        symbol=listing.symbol,
        side=SIDES[intent.side],
        order_type=_TYPES[intent.type],
        time_in_force=_TIMES_IN_FORCE[intent.time_in_force],
        price=plain(price.decimal(intent.limit_price)) if intent.limit_price else None,
        stop_price=plain(price.decimal(intent.stop_price)) if intent.stop_price else None,
        quantity=plain(quantity.decimal(intent.quantity)),
        filled_quantity=plain(quantity.decimal(order.filled)),
        average_price=plain(price.decimal(order.notional // order.filled)) if order.filled else None,
        status=order.state.name.lower(),
        reason=order.reason,
        decided_ns=intent.decided_ns,
        sent_ns=order.sent_ns,
        acknowledged_ns=order.acknowledged_ns,
        ended_ns=order.ended_ns,
    )


def position_record(position: Position, listing: Listing, mark: int | None) -> PositionRecord:
    """A position in a listing for the bus; ``mark`` in price counts."""
    price = listing.instrument.price_scale
    held = abs(position.quantity)
    return PositionRecord(
        venue=listing.venue_name,
        symbol=listing.symbol,
        quantity=plain(listing.instrument.quantity_scale.decimal(position.quantity)),
        average_price=plain(price.decimal(abs(position.cost) // held)) if held else None,
        mark_price=None if mark is None else plain(price.decimal(mark)),
        realised=notional_amount(position.realised, listing),
        unrealised=None if mark is None else notional_amount(position.unrealised(mark), listing),
        fees=notional_amount(position.fees, listing),
    )


def find_listing(catalogue: Catalogue, symbol: str, venue: str = "") -> Listing:
    """The listing that a symbol and perhaps a venue mean; raises Rejected when that is none or several."""
    found = [
        listing for listing in catalogue.listings if listing.symbol == symbol and venue in ("", listing.venue_name)
    ]
    if len(found) != 1:
        known = ", ".join(str(listing) for listing in (found or catalogue.listings))
        what = f"{symbol} on {venue}" if venue else symbol
        raise Rejected(f"symbol was {what}, which names {len(found)} markets; expected one of {known}")
    return found[0]


def order_intent(order: NewOrder, cause: Cause, listing: Listing, now_ns: int) -> OrderIntent:
    """An order from outside as an intent, exactly; raises Rejected for what it cannot be."""
    kind = OrderType[order.order_type.name]
    in_force = order.time_in_force
    if in_force is None:
        in_force = BusTimeInForce.IOC if kind is OrderType.MARKET else BusTimeInForce.GTC
    price = listing.instrument.price_scale
    return OrderIntent(
        cause=cause,
        decided_ns=now_ns,
        instrument=listing.instrument.number,
        venue=listing.venue,
        side=Side[order.side.name],
        type=kind,
        time_in_force=TimeInForce[in_force.name],
        quantity=listing.instrument.quantity_scale.count(order.quantity),
        limit_price=0 if order.price is None else price.count(order.price),
        stop_price=0 if order.stop_price is None else price.count(order.stop_price),
        post_only=order.post_only,
        reduce_only=order.reduce_only,
    )


def is_working(record: OrderRecord) -> bool:
    """Whether the venue may still fill the order."""
    return not OrderState[record.status.upper()].is_terminal


def notional_amount(counts: int, listing: Listing) -> Decimal:
    """Notional counts as an amount of the quote currency."""
    digits = tuple(int(digit) for digit in str(abs(counts)))
    return plain(Decimal((int(counts < 0), digits, listing.instrument.notional_exponent)))


def plain(value: Decimal) -> Decimal:
    """The same number without trailing zeros, and never with an exponent above 0."""
    text = f"{value:f}"
    return Decimal(text.rstrip("0").rstrip(".") if "." in text else text)

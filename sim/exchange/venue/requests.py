"""What an account asks of a venue."""

from __future__ import annotations

import msgspec

from market.orders.kinds import Side
from sim.exchange.venue.kinds import OrderKind, SelfTradePrevention, TimeInForce


class PlaceRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A new order.

    Parameters
    ----------
    quantity_lots: 0 for a market order by quote quantity, and for one that closes a position whole.
    quote_units: of a MARKET order on spot: most to be spent or received, in 1e-8 of the quote asset; 0: by quantity.
    price_ticks, stop_ticks: 0 where the kind has none.
    client_order_id: empty: the venue makes one.
    reduce_only, close_position: futures only; ``close_position`` is for stops without a limit price.
    self_trade_prevention: None: the venue's default.
    """

    account: str
    symbol: str
    side: Side
    kind: OrderKind
    time_in_force: TimeInForce = TimeInForce.GTC
    quantity_lots: int = 0
    quote_units: int = 0
    price_ticks: int = 0
    stop_ticks: int = 0
    client_order_id: str = ""
    reduce_only: bool = False
    close_position: bool = False
    self_trade_prevention: SelfTradePrevention | None = None


class ListLeg(msgspec.Struct, frozen=True, kw_only=True):
    """One order of a list: a stop order or a LIMIT_MAKER."""

    kind: OrderKind
    price_ticks: int = 0
    stop_ticks: int = 0
    time_in_force: TimeInForce = TimeInForce.GTC
    client_order_id: str = ""


class OcoRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Two orders of which the one that trades or triggers first cancels the other; spot only.

    Parameters
    ----------
    above, below: by where their prices are, seen from the last price; at least one is a stop loss or take profit.
    """

    account: str
    symbol: str
    side: Side
    quantity_lots: int
    above: ListLeg
    below: ListLeg
    list_client_order_id: str = ""
    self_trade_prevention: SelfTradePrevention | None = None

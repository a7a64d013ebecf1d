"""What a venue answers. All records are frozen: a later state of the same thing is another record."""

from __future__ import annotations

import msgspec

from market.orders.kinds import Side
from sim.exchange.venue.kinds import (
    LedgerReason,
    ListStatus,
    MarketKind,
    OrderKind,
    OrderStatus,
    SelfTradePrevention,
    TimeInForce,
)
from sim.exchange.venue.model import SymbolModel

Level = tuple[int, int]
"""Ticks and lots of a price."""


class VenueOrder(msgspec.Struct, frozen=True, kw_only=True):
    """An order as the venue knows it.

    Parameters
    ----------
    order_id: unique on the venue, rising.
    quote_units: quote quantity that a market order was placed with, 0 otherwise.
    executed_lots, executed_units: what has traded, and its worth in 1e-8 of the quote asset.
    working: whether it is in the book or was; False while a stop waits.
    list_id: order list that it belongs to, -1 for none.
    created_ns, updated_ns, working_ns: when it was placed, last changed, entered the book (0: not yet).
    """

    order_id: int
    client_order_id: str
    account: str
    symbol: str
    side: Side
    kind: OrderKind
    time_in_force: TimeInForce
    status: OrderStatus
    quantity_lots: int
    executed_lots: int
    executed_units: int
    price_ticks: int
    stop_ticks: int
    quote_units: int
    reduce_only: bool
    close_position: bool
    working: bool
    self_trade_prevention: SelfTradePrevention
    list_id: int
    created_ns: int
    updated_ns: int
    working_ns: int

    @property
    def remaining_lots(self) -> int:
        """What has not traded."""
        return self.quantity_lots - self.executed_lots

    @property
    def is_open(self) -> bool:
        """Whether it may still trade."""
        return self.status.is_open


class VenueTrade(msgspec.Struct, frozen=True, kw_only=True):
    """One account's side of a trade.

    Parameters
    ----------
    trade_id: the same for both sides and in the public stream.
    quote_units: price times quantity, in 1e-8 of the quote asset.
    commission_units: in 1e-8 of ``commission_asset``.
    realised_units: profit of the part of a position that it closed, before commission; 0 on spot.
    """

    trade_id: int
    order_id: int
    client_order_id: str
    account: str
    symbol: str
    side: Side
    price_ticks: int
    quantity_lots: int
    quote_units: int
    commission_units: int
    commission_asset: str
    is_maker: bool
    realised_units: int
    list_id: int
    time_ns: int


class OrderList(msgspec.Struct, frozen=True, kw_only=True):
    """An OCO pair; ``orders`` as they are now, the one above first."""

    list_id: int
    list_client_order_id: str
    account: str
    symbol: str
    status: ListStatus
    orders: tuple[VenueOrder, ...]
    time_ns: int


class AssetBalance(msgspec.Struct, frozen=True, kw_only=True):
    """What an account holds of an asset, in 1e-8 of it; on futures ``free`` is the wallet and nothing is locked."""

    asset: str
    free_units: int
    locked_units: int

    @property
    def total_units(self) -> int:
        """Free and locked."""
        return self.free_units + self.locked_units


class MarginBalance(msgspec.Struct, frozen=True, kw_only=True):
    """An account's margin in one asset, in 1e-8 of it; futures only.

    Parameters
    ----------
    wallet_units: deposits, realised profits, commissions and funding.
    unrealised_units: of open positions, at mark prices.
    position_margin_units, order_margin_units: initial margin of positions, and what working orders add to it.
    available_units: what new orders may use; at least 0.
    """

    asset: str
    wallet_units: int
    unrealised_units: int
    position_margin_units: int
    order_margin_units: int
    maintenance_margin_units: int
    available_units: int

    @property
    def margin_units(self) -> int:
        """Wallet and unrealised profit."""
        return self.wallet_units + self.unrealised_units


class Position(msgspec.Struct, frozen=True, kw_only=True):
    """A position in one-way mode.

    Parameters
    ----------
    quantity_lots: negative when short.
    cost_units: notional at which it was entered, of the sign of the quantity, in 1e-8 of the quote asset; the entry
        price is ``cost_units`` over the quantity.
    break_even_units: as ``cost_units``, with commissions and funding since the position was opened.
    """

    account: str
    symbol: str
    quantity_lots: int
    cost_units: int
    break_even_units: int
    unrealised_units: int
    mark_ticks: int
    leverage: int
    initial_margin_units: int
    maintenance_margin_units: int
    updated_ns: int


class AccountState(msgspec.Struct, frozen=True, kw_only=True):
    """All that an account has; ``margins`` and ``positions`` (none that are flat) on futures only."""

    account: str
    balances: tuple[AssetBalance, ...]
    margins: tuple[MarginBalance, ...]
    positions: tuple[Position, ...]
    maker_ppb: int
    taker_ppb: int
    updated_ns: int


class Depth(msgspec.Struct, frozen=True, kw_only=True):
    """The book, best prices first."""

    symbol: str
    last_update_id: int
    bids: tuple[Level, ...]
    asks: tuple[Level, ...]
    time_ns: int


class PublicTrade(msgspec.Struct, frozen=True, kw_only=True):
    """A trade as everybody sees it."""

    symbol: str
    trade_id: int
    price_ticks: int
    quantity_lots: int
    quote_units: int
    buyer_order_id: int
    seller_order_id: int
    buyer_is_maker: bool
    time_ns: int


class Funding(msgspec.Struct, frozen=True, kw_only=True):
    """The funding of a perpetual: the rate that the next payment applies, and when it is."""

    symbol: str
    mark_ticks: int
    rate_ppb: int
    next_ns: int


class LedgerEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One movement of money: what an account's total of an asset changed by.

    Parameters
    ----------
    number: rising by one on a venue.
    reference: trade id of trades, commissions and profits, 0 otherwise.
    """

    number: int
    account: str
    asset: str
    units: int
    reason: LedgerReason
    symbol: str
    reference: int
    time_ns: int


class ExchangeInfo(msgspec.Struct, frozen=True, kw_only=True):
    """What a venue trades, with its filters."""

    kind: MarketKind
    symbols: tuple[SymbolModel, ...]

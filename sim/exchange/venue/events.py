"""What happened on a venue, in the order in which it happened."""

from __future__ import annotations

from typing import TypeAlias

import msgspec

from sim.exchange.venue.kinds import ExecutionKind, LedgerReason
from sim.exchange.venue.records import AssetBalance, Level, OrderList, Position, PublicTrade, VenueOrder, VenueTrade


class BookChanged(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Levels changed; every change has an update id of its own.

    Parameters
    ----------
    first_id, last_id: update ids; the first is one more than the last of the symbol's event before.
    bids, asks: new lots of each changed price, 0 where nothing is left; each price once.
    """

    symbol: str
    first_id: int
    last_id: int
    bids: tuple[Level, ...]
    asks: tuple[Level, ...]
    time_ns: int


class TopChanged(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Best prices or their quantities changed; told after the ``BookChanged``. An empty side is 0, 0."""

    symbol: str
    update_id: int
    bid_ticks: int
    bid_lots: int
    ask_ticks: int
    ask_lots: int
    time_ns: int


class Traded(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A trade in public."""

    trade: PublicTrade

    @property
    def symbol(self) -> str:
        """What was traded."""
        return self.trade.symbol

    @property
    def time_ns(self) -> int:
        """When."""
        return self.trade.time_ns


class OrderUpdated(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Something happened to an account's order.

    Parameters
    ----------
    order: after it. trade: of TRADE only.
    request_client_order_id: of CANCELED: id that the cancellation gave itself, empty for none.
    """

    account: str
    execution: ExecutionKind
    order: VenueOrder
    trade: VenueTrade | None
    request_client_order_id: str
    time_ns: int


class ListUpdated(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """An order list was placed or is done."""

    account: str
    order_list: OrderList
    time_ns: int


class BalanceChanged(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """An account's balances changed: those of the assets that did, after all that one call or moment changed.

    Parameters
    ----------
    reason: of the last movement, TRADE when only locks changed. delta_units: of a deposit or withdrawal, else 0.
    """

    account: str
    reason: LedgerReason
    balances: tuple[AssetBalance, ...]
    delta_units: int
    time_ns: int


class PositionChanged(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A futures position changed by a trade or liquidation."""

    account: str
    position: Position
    time_ns: int


VenueEvent: TypeAlias = (
    BookChanged | TopChanged | Traded | OrderUpdated | ListUpdated | BalanceChanged | PositionChanged
)

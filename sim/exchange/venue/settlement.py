"""What kinds of market do differently with money: spot exchanges assets, futures exchange profits against margin."""

from __future__ import annotations

from typing import Protocol

from market.risk.notional import PPB
from sim.exchange.venue.accounts import Account
from sim.exchange.venue.events import VenueEvent
from sim.exchange.venue.market import SymbolMarket
from sim.exchange.venue.orders import WorkingOrder
from sim.exchange.venue.records import PublicTrade, VenueTrade


class Settlement(Protocol):
    """Reserves money for orders and moves it when they trade. Reservations are in ``WorkingOrder.reserved_units``."""

    def reserve(self, order: WorkingOrder, market: SymbolMarket) -> None:
        """Bind what a new order may need; raises VenueRefusal, and then changes nothing, if it is not there.

        A reduce-only order may be made smaller.
        """
        ...

    def trigger(self, order: WorkingOrder, market: SymbolMarket) -> int:
        """Bind what a stop order needs now; gives how many of its lots can be paid for."""
        ...

    def amend(self, order: WorkingOrder, market: SymbolMarket, price_ticks: int, quantity_lots: int) -> None:
        """Bind what a changed order may need; raises VenueRefusal, and then changes nothing, if it is not there."""
        ...

    def settle(self, order: WorkingOrder, trade: PublicTrade, is_maker: bool) -> VenueTrade:
        """Move the money of an order's side of a trade, which the order has counted already."""
        ...

    def settle_nobody(self, side_sign: int, trade: PublicTrade, market: SymbolMarket) -> None:
        """Move the money of the side of a trade that is nobody's."""
        ...

    def release(self, order: WorkingOrder) -> None:
        """Set free what is bound to an order that has ended."""
        ...

    def over_reducing(self, account: Account, symbol: str) -> list[tuple[WorkingOrder, int]]:
        """Orders in the book that may trade more than they are allowed to, with the lots that they may keep."""
        ...

    def must_liquidate(self, account: Account) -> bool:
        """Whether an account's positions must be closed."""
        ...

    def open_lots(self, account: Account, symbol: str) -> int:
        """An account's position in lots, negative when short; 0 where there are no positions."""
        ...

    def clear_debt(self, account: Account, now_ns: int) -> None:
        """Pay what an account without positions owes."""
        ...

    def tell_changes(self, out: list[VenueEvent], now_ns: int) -> None:
        """Append events for positions that changed since the last time."""
        ...


def commission_units(units: int, rate_ppb: int) -> int:
    """The commission on an amount, rounded down, so that parts never cost more than the whole."""
    return units * rate_ppb // PPB


def rate_ppb(account: Account, is_maker: bool) -> int:
    """An account's commission rate."""
    return account.maker_ppb if is_maker else account.taker_ppb

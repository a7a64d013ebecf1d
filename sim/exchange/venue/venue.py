"""``SimulatedVenue``: one market (spot or USD-M futures) of one exchange, in process."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from market.orders.kinds import Side
from sim.exchange.venue.events import VenueEvent
from sim.exchange.venue.model import AccountModel, VenueModel
from sim.exchange.venue.records import (
    AccountState,
    Depth,
    ExchangeInfo,
    Funding,
    LedgerEntry,
    OrderList,
    Position,
    PublicTrade,
    VenueOrder,
    VenueTrade,
)
from sim.exchange.venue.requests import OcoRequest, PlaceRequest


class SimulatedVenue:
    """See the package.

    Calls that take ``now_ns`` first do what is due until then, as ``advance`` does; a time before an earlier one
    counts as that one. Calls raise VenueRefusal and then change nothing but that. An order is named by ``order_id``
    or, where that is 0, by ``client_order_id``; of several with the same client order id the newest is meant.

    Parameters
    ----------
    model: what it is like; raises Fatal for one that cannot be.
    """

    def __init__(self, model: VenueModel) -> None:
        self.model = model

    # Orders.

    def place(self, request: PlaceRequest, now_ns: int) -> VenueOrder:
        """Place an order; the answer shows it after it was matched. Its trades are ``trades(..., order_id=...)``."""
        raise NotImplementedError

    def place_oco(self, request: OcoRequest, now_ns: int) -> OrderList:
        """Place two orders that cancel each other; spot only."""
        raise NotImplementedError

    def amend(
        self,
        account: str,
        symbol: str,
        now_ns: int,
        *,
        order_id: int = 0,
        client_order_id: str = "",
        quantity_lots: int,
        price_ticks: int = 0,
    ) -> VenueOrder:
        """Change a working limit order; ``quantity_lots`` is the new total, a price of 0 leaves the price.

        A smaller quantity at the same price keeps its place in the queue; everything else loses it, and may trade at
        once (a post-only order is refused then).
        """
        raise NotImplementedError

    def cancel(
        self,
        account: str,
        symbol: str,
        now_ns: int,
        *,
        order_id: int = 0,
        client_order_id: str = "",
        request_client_order_id: str = "",
    ) -> VenueOrder:
        """Cancel an order; one of an order list cancels the whole list. Refused with -2011 unless it works."""
        raise NotImplementedError

    def cancel_list(
        self, account: str, symbol: str, now_ns: int, *, list_id: int = -1, list_client_order_id: str = ""
    ) -> OrderList:
        """Cancel both orders of a list."""
        raise NotImplementedError

    def cancel_all(self, account: str, symbol: str, now_ns: int) -> tuple[VenueOrder, ...]:
        """Cancel every working order of an account in a symbol; spot refuses with -2011 when there is none."""
        raise NotImplementedError

    def countdown_cancel(self, account: str, symbol: str, countdown_ms: int, now_ns: int) -> None:
        """Cancel all orders when the countdown has run down, unless asked again before; 0 stops it."""
        raise NotImplementedError

    # Questions about an account.

    def order(self, account: str, symbol: str, *, order_id: int = 0, client_order_id: str = "") -> VenueOrder:
        """An order, working or ended; refused with -2013 when there is none."""
        raise NotImplementedError

    def order_list(self, account: str, *, list_id: int = -1, list_client_order_id: str = "") -> OrderList:
        """An order list; refused with -2018 when there is none."""
        raise NotImplementedError

    def open_orders(self, account: str, symbol: str = "") -> tuple[VenueOrder, ...]:
        """Working orders and waiting stops, oldest first; of all symbols if none is named."""
        raise NotImplementedError

    def all_orders(
        self, account: str, symbol: str, *, from_order_id: int = 0, limit: int = 500
    ) -> tuple[VenueOrder, ...]:
        """Orders from an id on, oldest first; without an id the newest ones."""
        raise NotImplementedError

    def trades(
        self, account: str, symbol: str, *, order_id: int = 0, from_trade_id: int = 0, limit: int = 500
    ) -> tuple[VenueTrade, ...]:
        """An account's trades, oldest first: of one order, from an id on, or the newest ones."""
        raise NotImplementedError

    def account(self, account: str) -> AccountState:
        """Balances, margin and positions."""
        raise NotImplementedError

    def positions(self, account: str, symbol: str = "") -> tuple[Position, ...]:
        """Positions of all symbols or one, flat ones too; futures only."""
        raise NotImplementedError

    def ledger(self, account: str, *, from_number: int = 0) -> Sequence[LedgerEntry]:
        """Movements of an account's money from an entry's number on, oldest first."""
        raise NotImplementedError

    # Accounts.

    def open_account(self, model: AccountModel, now_ns: int) -> None:
        """Add an account; raises Fatal if there is one of this name."""
        raise NotImplementedError

    def deposit(self, account: str, asset: str, units: int, now_ns: int) -> None:
        """Bring money in, or take it out with a negative amount; refused with -2010 if there is not so much free."""
        raise NotImplementedError

    def set_leverage(self, account: str, symbol: str, leverage: int, now_ns: int) -> None:
        """Set the leverage of a symbol; refused outside of its limits or when the margin would not do."""
        raise NotImplementedError

    # The market.

    def exchange_info(self) -> ExchangeInfo:
        """Symbols and filters."""
        raise NotImplementedError

    def depth(self, symbol: str, limit: int = 0) -> Depth:
        """The book, at most ``limit`` levels per side, all with 0."""
        raise NotImplementedError

    def recent_trades(self, symbol: str, limit: int = 500) -> tuple[PublicTrade, ...]:
        """The newest public trades, oldest first."""
        raise NotImplementedError

    def last_ticks(self, symbol: str) -> int:
        """Price of the last trade; the reference price before the first."""
        raise NotImplementedError

    def mark_ticks(self, symbol: str) -> int:
        """Mark price: the median of best bid, best ask and last price."""
        raise NotImplementedError

    def funding(self, symbol: str) -> Funding:
        """Funding of a perpetual; futures only."""
        raise NotImplementedError

    # Time and events.

    def advance(self, now_ns: int) -> None:
        """Do what is due until a time: background traders, countdowns, funding. Stops trigger with their trades."""
        raise NotImplementedError

    def next_ns(self) -> int | None:
        """When something is due next; None if nothing will happen by itself."""
        raise NotImplementedError

    def take_events(self) -> list[VenueEvent]:
        """What happened since the last call, in order."""
        raise NotImplementedError

    # Tests and demonstrations.

    def inject(self, symbol: str, side: Side, price_ticks: int, quantity_lots: int, now_ns: int) -> VenueOrder:
        """A limit order of nobody: it trades with what it meets, the rest stays until ``withdraw`` or ``dislocate``."""
        raise NotImplementedError

    def withdraw(self, symbol: str, now_ns: int) -> None:
        """Cancel everything that background traders and injections have in the book."""
        raise NotImplementedError

    def dislocate(self, symbol: str, price_ticks: int, quantity_lots: int, now_ns: int, hold_ns: int = 0) -> None:
        """Move the market: nobody's orders go, and a bid and an ask stand around a price, with a quantity each.

        The bid is ``price_ticks`` minus the background's half spread (1 tick without background), the ask plus it;
        working orders of accounts in their way trade. Background traders stay away for ``hold_ns`` and then come
        back at their fair price.
        """
        raise NotImplementedError

    def set_level(self, symbol: str, side: Side, price_ticks: int, quantity_lots: int, now_ns: int) -> None:
        """Have nobody's orders hold this quantity at a price: a recorded book can be laid in with it.

        A price that would cross the other side trades first, as any order does.
        """
        raise NotImplementedError

    def totals(self) -> Mapping[str, int]:
        """By asset, what all accounts hold together minus what was brought in: all 0 while money is conserved.

        On futures the cost of open positions counts as held by who sold: profits that are not realised yet are
        neither created nor lost.
        """
        raise NotImplementedError

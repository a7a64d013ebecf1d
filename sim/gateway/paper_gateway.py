"""Trading on paper: live market data, and a matching engine whose books are laid out as the live ones are.

An order that takes liquidity takes what is displayed, level by level; what it took is displayed again once the live
level changes. A resting order is filled, at its own price: whole, when the other side of the market reaches that price
or a trade goes through it; and by trades there once all that was displayed before it has traded (``queue_places``).
Nothing of the market reacts to it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from market.errors import Fatal, Rejected
from market.instruments import Listing
from market.orders.events import CancelRefused, OrderEvent, Refused
from market.orders.kinds import Side
from market.orders.order import Order
from market.orders.reports import Balances, GatewayReport, OpenOrders, OrderUpdate, VenuePositions
from market.protocols import Clock, FeedMarket, MarketKey
from sim.exchange.venue.events import OrderUpdated
from sim.exchange.venue.kinds import CommissionAsset, ExecutionKind, MarketKind
from sim.exchange.venue.model import UNIT, UNITS, AccountModel, SymbolModel, VenueModel
from sim.exchange.venue.records import VenueOrder
from sim.exchange.venue.refusals import VenueRefusal
from sim.exchange.venue.venue import SimulatedVenue
from sim.gateway.emulated_pairs import EmulatedPairs
from sim.gateway.queue_places import BestLevels, Depth, QueuePlaces, best_first
from sim.gateway.tracking import TrackedOrder
from sim.gateway.translation import TradedSymbol, balances_of, positions_of

ACCOUNT: Final = "paper"
_FOR_EVER: Final = 1 << 62
SIGHT: Final = 20
"""Levels of each side that are laid out at most."""


@dataclass(frozen=True, kw_only=True)
class PaperVenue:
    """One venue to trade on on paper.

    Parameters
    ----------
    venue: the fast loop's number. markets: each listing with the feed's market of it.
    balances: at the start, in money units of 1e-8 by asset.
    """

    venue: int
    name: str
    kind: MarketKind
    markets: tuple[tuple[Listing, FeedMarket], ...]
    balances: Mapping[str, int]
    maker_ppb: int
    taker_ppb: int


@dataclass
class _Market:
    """One market's symbol, and the levels that are laid in."""

    venue: int
    symbol: TradedSymbol
    book_lots: int
    """Lots of the feed in a lot of the venue."""
    laid: dict[Side, dict[int, int]]
    depth: Depth
    """The live book, in the feed's lots."""
    places: QueuePlaces


class PaperGateway:
    """A gateway, and the mirror of a ``MirroredFeed``; both are used in the loop's own thread.

    Parameters
    ----------
    latency_ns: from a request to the venue, and from there to us.
    """

    def __init__(self, venues: Sequence[PaperVenue], clock: Clock, latency_ns: int) -> None:
        if latency_ns < 0:
            raise Fatal(f"latency of paper trading was {latency_ns} ns; expected 0 or more")
        self._clock = clock
        self._latency_ns = latency_ns
        self._venues: dict[int, SimulatedVenue] = {}
        self._markets: dict[MarketKey, _Market] = {}
        self._requests: deque[tuple[int, Callable[[int], None]]] = deque()
        self._reports: deque[tuple[int, GatewayReport]] = deque()
        self._orders: dict[str, TrackedOrder] = {}
        self._pairs = EmulatedPairs(self.submit, self.cancel, self._refuse)
        for venue in venues:
            self._open(venue)

    def submit(self, order: Order) -> None:
        """Send an order; raises Rejected for a market that is not traded, and for odd ticks and lots."""
        market = self._market(order)
        venue = self._venues[market.venue]
        request = market.symbol.place_request(order, ACCOUNT, venue.model.kind)
        name = order.client_order_id
        if name in self._orders:
            return
        self._orders[name] = TrackedOrder(order, market.symbol, _FOR_EVER, self._clock.now_ns())

        def place(now_ns: int) -> None:
            try:
                venue.place(request, now_ns)
            except VenueRefusal as refusal:
                self._update(name, Refused(time_ns=now_ns + self._latency_ns, reason=str(refusal)), now_ns)
            else:
                self._resting(market)

        self._ask(place)

    def submit_oco(self, limit: Order, stop: Order) -> None:
        """Send a pair, as two orders; raises as ``submit``."""
        self._pairs.submit(limit, stop)

    def cancel(self, order: Order) -> None:
        """Ask for a cancellation."""
        market = self._market(order)
        venue, symbol, name = self._venues[market.venue], market.symbol.model.symbol, order.client_order_id

        def cancel(now_ns: int) -> None:
            try:
                venue.cancel(ACCOUNT, symbol, now_ns, client_order_id=name)
            except VenueRefusal as refusal:
                self._update(name, CancelRefused(time_ns=now_ns + self._latency_ns, reason=str(refusal)), now_ns)

        self._ask(cancel)

    def query(self, order: Order) -> None:
        """Ask what became of an order; one that this gateway never got is refused: paper does not survive its run."""
        market = self._market(order)
        venue, symbol, name = self._venues[market.venue], market.symbol.model.symbol, order.client_order_id

        def ask(now_ns: int) -> None:
            heard_ns = now_ns + self._latency_ns
            tracked = self._orders.get(name)
            try:
                found = venue.order(ACCOUNT, symbol, client_order_id=name)
            except VenueRefusal as refusal:
                self._update(name, Refused(time_ns=heard_ns, reason=str(refusal)), now_ns)
                return
            if tracked is not None:
                trades = venue.trades(ACCOUNT, symbol, order_id=found.order_id, limit=1_000)
                for event in tracked.everything(found, trades, now_ns, heard_ns):
                    self._update(name, event, now_ns)

        self._ask(ask)

    def request_open_orders(self, venue: int) -> None:
        """Ask for the working orders."""
        asked = self._venue(venue)
        symbols = {
            market.symbol.model.symbol: market.symbol for market in self._markets.values() if market.venue == venue
        }

        def ask(now_ns: int) -> None:
            listed = tuple(symbols[order.symbol].listed(order) for order in asked.open_orders(ACCOUNT))
            self._report(OpenOrders(time_ns=now_ns + self._latency_ns, venue=venue, orders=listed), now_ns)

        self._ask(ask)

    def request_balances(self, venue: int) -> None:
        """Ask for the balances."""
        asked = self._venue(venue)

        def ask(now_ns: int) -> None:
            held = balances_of(asked.account(ACCOUNT))
            self._report(Balances(time_ns=now_ns + self._latency_ns, venue=venue, balances=held), now_ns)

        self._ask(ask)

    def request_positions(self, venue: int) -> None:
        """Ask for the positions; raises Rejected on spot."""
        asked = self._venue(venue)
        if asked.model.kind is MarketKind.SPOT:
            raise Rejected(f"venue {venue} is a spot venue: it has no positions")
        symbols = [market.symbol for market in self._markets.values() if market.venue == venue]

        def ask(now_ns: int) -> None:
            held = positions_of(asked.positions(ACCOUNT), symbols)
            self._report(VenuePositions(time_ns=now_ns + self._latency_ns, venue=venue, quantities=held), now_ns)

        self._ask(ask)

    def next_ns(self) -> int | None:
        """When something is due: a request at its venue, or a report here."""
        due = [waiting[0][0] for waiting in (self._requests, self._reports) if waiting]
        return min(due, default=None)

    def take(self, until_ns: int) -> Sequence[GatewayReport]:
        """Let requests arrive up to a time, and return the reports that have come back by then."""
        self._arrive(until_ns)
        taken: list[GatewayReport] = []
        while self._reports and self._reports[0][0] <= until_ns:
            taken.append(self._reports.popleft()[1])
        return taken

    def book(self, market: MarketKey, bids: dict[int, int], asks: dict[int, int], whole: Depth | None = None) -> None:
        """Lay out a market's book as the live one is; ``whole``: what is displayed beyond the best levels."""
        found = self._markets.get(market)
        if found is None:
            return
        now_ns = self._clock.now_ns()
        self._arrive(now_ns)
        venue, symbol = self._venues[found.venue], found.symbol.model.symbol
        found.depth = BestLevels(bids, asks, SIGHT) if whole is None else whole
        self._reach(found, min(asks, default=None), max(bids, default=None), now_ns)
        for is_laid in (False, True):
            # What is gone goes first, so that the new levels meet none but our own orders.
            for side, levels in ((Side.BUY, bids), (Side.SELL, asks)):
                laid = found.laid[side]
                wanted = {tick: lots // found.book_lots for tick, lots in levels.items() if lots >= found.book_lots}
                changed = [tick for tick in laid.keys() | wanted.keys() if laid.get(tick) != wanted.get(tick)]
                for tick in sorted(changed):
                    if is_laid and tick in wanted:
                        venue.set_level(symbol, side, tick, wanted[tick], now_ns)
                        laid[tick] = wanted[tick]
                    elif not is_laid and tick in laid:
                        venue.set_level(symbol, side, tick, 0, now_ns)
                        del laid[tick]
        self._resting(found)
        self._publish(found.venue, now_ns)

    def trade(self, market: MarketKey, aggressor: Side, tick: int, lots: int, received_ns: int) -> None:
        """A live trade, in the ticks and lots of the feed: fill those of our orders whose turn it was."""
        found = self._markets.get(market)
        if found is None:
            return
        now_ns = self._clock.now_ns()
        self._arrive(now_ns)
        # Orders that came after the trade have not met it.
        resting = [order for order in self._resting(found) if order.working_ns <= received_ns]
        for order, filled in found.places.traded(resting, aggressor, tick, lots):
            self._fill(found, order, filled, now_ns)
        self._publish(found.venue, now_ns)

    def _resting(self, market: _Market) -> Sequence[VenueOrder]:
        """Our limit orders in a market's book, each with its place in the queue."""
        venue, symbol = self._venues[market.venue], market.symbol.model.symbol
        resting = [order for order in venue.open_orders(ACCOUNT, symbol) if order.working and not order.stop_ticks]
        market.places.see(resting, market.depth)
        return resting

    def _reach(self, market: _Market, ask: int | None, bid: int | None, now_ns: int) -> None:
        """Fill our orders whole that the other side's best price has come to: it has passed them."""
        for order in best_first(self._resting(market)):
            best = ask if order.side is Side.BUY else bid
            if best is not None and (order.price_ticks - best) * order.side.sign >= 0:
                self._fill(market, order, order.quantity_lots - order.executed_lots, now_ns)

    def _fill(self, market: _Market, order: VenueOrder, lots: int, now_ns: int) -> None:
        """Let somebody trade with an order alone: what is laid before it steps aside meanwhile."""
        venue, symbol, side = self._venues[market.venue], market.symbol.model.symbol, order.side
        before = {tick: laid for tick, laid in market.laid[side].items() if (tick - order.price_ticks) * side.sign >= 0}
        for tick in before:
            venue.set_level(symbol, side, tick, 0, now_ns)
        venue.take(symbol, side.opposite, order.price_ticks, lots, now_ns)
        for tick, laid in before.items():
            venue.set_level(symbol, side, tick, laid, now_ns)

    def _open(self, paper: PaperVenue) -> None:
        symbols = []
        for listing, feed_market in paper.markets:
            model, book_lots = _symbol(listing, feed_market)
            symbols.append(model)
            self._markets[listing.instrument.number, paper.venue] = _Market(
                paper.venue,
                TradedSymbol(_in_steps_of(model, listing), model),
                book_lots,
                {Side.BUY: {}, Side.SELL: {}},
                BestLevels({}, {}, SIGHT),
                QueuePlaces(book_lots),
            )
        self._venues[paper.venue] = SimulatedVenue(
            VenueModel(
                name=paper.name,
                kind=paper.kind,
                symbols=tuple(symbols),
                accounts=(AccountModel(account=ACCOUNT, balances=paper.balances),),
                start_ns=self._clock.now_ns(),
                maker_ppb=paper.maker_ppb,
                taker_ppb=paper.taker_ppb,
                commission_asset=CommissionAsset.QUOTE,
            )
        )

    def _ask(self, action: Callable[[int], None]) -> None:
        self._requests.append((self._clock.now_ns() + self._latency_ns, action))

    def _arrive(self, until_ns: int) -> None:
        while self._requests and self._requests[0][0] <= until_ns:
            due_ns, action = self._requests.popleft()
            action(due_ns)
            for number in self._venues:
                self._publish(number, due_ns)

    def _publish(self, number: int, now_ns: int) -> None:
        """Report what happened to our orders on a venue."""
        for event in self._venues[number].take_events():
            if isinstance(event, OrderUpdated) and event.account == ACCOUNT:
                self._take(event, now_ns)

    def _take(self, update: OrderUpdated, now_ns: int) -> None:
        tracked = self._orders.get(update.order.client_order_id)
        if tracked is None:
            return
        heard_ns = now_ns + self._latency_ns
        if update.trade is not None:
            self._update(tracked.client_order_id, tracked.filled(update.trade, now_ns, heard_ns), now_ns)
        elif update.execution in (ExecutionKind.NEW, ExecutionKind.TRIGGERED):
            self._update(tracked.client_order_id, tracked.acknowledged(update.order, heard_ns), now_ns)
        self._end(tracked, update.order, heard_ns, now_ns)

    def _end(self, tracked: TrackedOrder, order: VenueOrder, heard_ns: int, now_ns: int) -> None:
        end = tracked.end(order, heard_ns)
        if end is not None:
            self._update(tracked.client_order_id, end, now_ns)

    def _update(self, name: str, event: OrderEvent, now_ns: int) -> None:
        update = OrderUpdate(client_order_id=name, event=event)
        self._report(update, now_ns)
        self._pairs.heard(update)

    def _refuse(self, order: Order, reason: str) -> None:
        now_ns = self._clock.now_ns()
        self._update(order.client_order_id, Refused(time_ns=now_ns + self._latency_ns, reason=reason), now_ns)

    def _report(self, report: GatewayReport, now_ns: int) -> None:
        self._reports.append((now_ns + self._latency_ns, report))

    def _market(self, order: Order) -> _Market:
        market = self._markets.get((order.intent.instrument, order.intent.venue))
        if market is None:
            raise Rejected(f"order {order.client_order_id}: nothing is traded on paper on venue {order.intent.venue}")
        return market

    def _venue(self, number: int) -> SimulatedVenue:
        venue = self._venues.get(number)
        if venue is None:
            raise Rejected(f"venue {number} is not traded on paper; expected one of {sorted(self._venues)}")
        return venue


def asset_names(listing: Listing) -> tuple[str, str]:
    """Base and quote asset of a listing; stand-ins where it names none."""
    return listing.base_asset or listing.instrument.name, listing.quote_asset or "QUOTE"


def _symbol(listing: Listing, feed_market: FeedMarket) -> tuple[SymbolModel, int]:
    """A listing as a symbol in the feed's ticks, and how many of the feed's lots its lot is.

    The lot is the listing's, or the smallest above it with which money is counted exactly. Raises Fatal for inverse
    contracts and for ticks that money cannot count.
    """
    tick_units, feed_lot_units = 10 ** (8 - feed_market.price_decimals), 10 ** (8 - feed_market.quantity_decimals)
    if listing.contract_value or feed_market.price_decimals > 8 or feed_market.quantity_decimals > 8:
        raise Fatal(f"{listing} cannot be traded on paper: expected a linear market with at most 8 decimals")
    scale = listing.instrument.quantity_scale
    lot_units = max(UNITS.count(scale.decimal(listing.lot)), UNIT // tick_units, feed_lot_units)
    base_asset, quote_asset = asset_names(listing)
    model = SymbolModel(
        symbol=listing.symbol,
        base_asset=base_asset,
        quote_asset=quote_asset,
        tick_units=tick_units,
        lot_units=lot_units,
        reference_ticks=1,
        up_percent=10**15,
        down_percent=0,
        minimum_notional_units=0,
    )
    return model, lot_units // feed_lot_units


def _in_steps_of(model: SymbolModel, listing: Listing) -> Listing:
    """The listing with the steps of its model."""
    price, quantity = listing.instrument.price_scale, listing.instrument.quantity_scale
    tick, lot = price.count(UNITS.decimal(model.tick_units)), quantity.count(UNITS.decimal(model.lot_units))
    return replace(listing, tick=tick, lot=lot)

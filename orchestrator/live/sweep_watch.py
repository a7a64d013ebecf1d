"""What must hold in a run whatever fails: watched at the venues themselves and at the desk's last door."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass, field

from config.venues import VenueName
from market.book import book as header
from market.orders.cause import parse_client_order_id
from market.orders.order import Order, OrderIntent
from market.protocols import MarketView
from market.risk.position import Position
from orchestrator.engine.tables import venue_numbers
from orchestrator.live.sweep_world import (
    ACCOUNT,
    BASE_UNITS,
    MAKER_LIMIT,
    POSITION_LIMIT,
    QUOTE_UNITS,
    SYMBOL,
)
from orchestrator.live.virtual_run import VirtualRun
from orchestrator.risk.checks.gate import CLOSING_TAG
from orchestrator.run_loop.summary import RunSummary
from sim.exchange.venue.events import BookChanged, OrderUpdated, VenueEvent
from sim.exchange.venue.kinds import ExecutionKind
from sim.exchange.venue.records import VenueOrder
from sim.virtual.line import VenueLine

_BASE_COUNTS = 10
"""Quantity counts of 1e-9 in a money unit of 1e-8."""
_QUOTE_COUNTS = 10**10
"""Notional counts of 1e-18 in it."""
_DUST = 100_000
"""Quantity counts, 0.0001 bitcoin, of which a venue takes no order."""
_MALFORMED = "refused: -11"
"""How a venue says that a request makes no sense."""
_MOST = 8
"""Violations that are kept."""


@dataclass
class _VenueTruth:
    """What a venue really was, and what was done there."""

    times_ns: list[int] = field(default_factory=list)
    update_ids: list[int] = field(default_factory=list)
    arrived: set[str] = field(default_factory=set)
    positions: dict[str, int] = field(default_factory=dict)

    def update_id_at(self, time_ns: int) -> int:
        """The last update id at a time, 0 before the first."""
        found = bisect_right(self.times_ns, time_ns)
        return self.update_ids[found - 1] if found else 0


class SweepWatch:
    """A pre-trade check that looks and never refuses, and a watcher of every venue.

    Parameters
    ----------
    staleness_ns: an order may be sent on a book that lacks nothing older than this.
    closes: whether the halt closes positions; orders that do are the only ones then, and may be sent blindly, as a
        way out must stay open.

    Members
    -------
    violations: what did not hold, the first of them. halted_ns: set when trading was halted.
    orders_sent: orders that passed the last door.
    """

    def __init__(self, run: VirtualRun, staleness_ns: int, *, closes: bool) -> None:
        self.violations: list[str] = []
        self.closes = closes
        self.halted_ns: int | None = None
        self.orders_sent = 0
        self._run = run
        self._staleness_ns = staleness_ns
        self._numbers = venue_numbers(run.model.settings)
        self._truth: dict[int, _VenueTruth] = {}
        for name, line in run.lines.items():
            truth = self._truth[self._numbers[name]] = _VenueTruth()
            line.watchers.append(self._watcher(name, truth))

    def __call__(self, intent: OrderIntent, view: MarketView) -> None:
        """Look at an order that is about to be sent."""
        self.orders_sent += 1
        if self.closes and self.halted_ns is not None and intent.cause.strategy == CLOSING_TAG:
            return
        if self.halted_ns is not None:
            self._note(f"{intent.client_order_id} was sent after the halt at {self.halted_ns}")
        book = view.book(intent.instrument, intent.venue)
        if book is None or not book[header.SYNCHRONISED] or view.quote(intent.instrument, intent.venue) is None:
            self._note(f"{intent.client_order_id} was sent on a book that is not synchronised")
            return
        needed = self._truth[intent.venue].update_id_at(view.now_ns - self._staleness_ns)
        if book[header.LAST_ID] < needed:
            age_ns = self._age_ns(intent.venue, int(book[header.LAST_ID]), view.now_ns)
            self._note(f"{intent.client_order_id} was sent on a book that was {age_ns} ns old")

    def finish(self, summary: RunSummary) -> None:
        """Compare the ledger with the venues, to the last unit, and count the money of each venue."""
        counts = summary.counts
        if counts.contradictions or counts.strategy_errors:
            self._note(f"contradictions and errors: {[text for text in counts.problems if 'was' in text][:3]}")
        for name, line in self._run.lines.items():
            number = self._numbers[name]
            for asset, units in line.venue.totals().items():
                if units:
                    self._note(f"{name}: {units} units of {asset} were made or lost")
            orders = [order for order in summary.orders if order.intent.venue == number]
            self._compare_orders(name, line, orders)
            position = summary.positions.get((0, number), Position())
            self._compare_balances(name, line, position)
            if self.closes and abs(position.quantity) > _DUST:
                self._note(f"{name}: {position.quantity} counts are held after everything was closed")

    def _watcher(self, name: VenueName, truth: _VenueTruth) -> Callable[[VenueEvent], None]:
        def watch(event: VenueEvent) -> None:
            if isinstance(event, BookChanged):
                truth.times_ns.append(self._run.clock.now_ns())
                truth.update_ids.append(event.last_id)
            elif isinstance(event, OrderUpdated) and event.account == ACCOUNT:
                self._see_order(name, truth, event)

        return watch

    def _see_order(self, name: VenueName, truth: _VenueTruth, event: OrderUpdated) -> None:
        client_order_id = event.order.client_order_id
        if event.execution is ExecutionKind.NEW:
            if client_order_id in truth.arrived:
                self._note(f"{name}: {client_order_id} was placed twice")
            truth.arrived.add(client_order_id)
        if event.trade is None:
            return
        tag = parse_client_order_id(client_order_id).strategy
        signed = event.trade.side.sign * event.trade.quantity_lots
        for owner, limit in ((tag, MAKER_LIMIT if tag == "maker" else POSITION_LIMIT), ("", POSITION_LIMIT)):
            held = truth.positions[owner] = truth.positions.get(owner, 0) + signed
            if abs(held) > limit and held * signed > 0:
                self._note(f"{name}: {client_order_id} made {owner or 'the'} position {held} lots, limit {limit}")

    def _age_ns(self, venue: int, update_id: int, now_ns: int) -> int:
        """How long ago the first update happened that a book lacks."""
        truth = self._truth[venue]
        return now_ns - truth.times_ns[min(bisect_right(truth.update_ids, update_id), len(truth.times_ns) - 1)]

    def _compare_orders(self, name: VenueName, line: VenueLine, orders: list[Order]) -> None:
        there = {order.client_order_id: order for order in line.venue.all_orders(ACCOUNT, SYMBOL, limit=1_000_000)}
        for order in orders:
            if order.is_working:
                self._note(f"{name}: {order.client_order_id} is {order.state.name} at the end")
            if _MALFORMED in order.reason:
                self._note(f"{name}: {order.client_order_id} was refused, {order.reason}")
            self._compare_fills(name, line, order, there.pop(order.client_order_id, None))
        for client_order_id in there:
            self._note(f"{name}: {client_order_id} is there and not in the ledger")
        for order_there in line.venue.open_orders(ACCOUNT):
            self._note(f"{name}: {order_there.client_order_id} still works at the end")

    def _compare_fills(self, name: VenueName, line: VenueLine, ours: Order, theirs: VenueOrder | None) -> None:
        booked = sorted((int(fill.fill_id), fill.price, fill.quantity) for fill in ours.fills)
        listing = self._run.catalogue.listing(ours.intent.instrument, ours.intent.venue)
        trades = () if theirs is None else line.venue.trades(ACCOUNT, SYMBOL, order_id=theirs.order_id, limit=1_000)
        made = sorted(
            (trade.trade_id, trade.price_ticks * listing.tick, trade.quantity_lots * listing.lot) for trade in trades
        )
        if booked != made:
            self._note(f"{name}: {ours.client_order_id} has fills {booked} in the ledger and {made} at the venue")

    def _compare_balances(self, name: VenueName, line: VenueLine, position: Position) -> None:
        held = {balance.asset: balance.total_units for balance in line.venue.account(ACCOUNT).balances}
        base, quote = (held["BTC"] - BASE_UNITS) * _BASE_COUNTS, (held["USDT"] - QUOTE_UNITS) * _QUOTE_COUNTS
        if (base, quote) != (position.quantity, position.cash - position.fees):
            self._note(
                f"{name}: the account changed by {base} and {quote}; the ledger says {position.quantity} and "
                f"{position.cash - position.fees}"
            )

    def _note(self, violation: str) -> None:
        if len(self.violations) < _MOST:
            after_ns = self._run.clock.now_ns() - self._run.model.start_ns
            self.violations.append(f"after {after_ns / 1e9:.6f} s: {violation}")

"""Asks venues at intervals what works and what is held, and compares it with the ledger.

An order that differs is asked about at once. A difference that is found again and again, always the same, is no
matter of messages on their way: it is handed to whoever decides about trading.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from typing import Final

from config.risk import ReconciliationSettings
from market.errors import Retry
from market.orders.reports import AccountReport, Balances, VenuePositions
from market.protocols import Gateway, MarketKey
from orchestrator.risk.comparison import (
    Difference,
    DifferenceKind,
    asset_changes,
    compare_balances,
    compare_orders,
    compare_positions,
    totals,
)
from orchestrator.risk.limits import RiskLimits
from orchestrator.run_loop.access import PeriodicTask, RunAccess

_NS_PER_S: Final = 1_000_000_000
_OF_ORDERS: Final = frozenset(DifferenceKind) - {DifferenceKind.BALANCE, DifferenceKind.POSITION}
_OF_BALANCES: Final = frozenset({DifferenceKind.BALANCE})
_OF_POSITIONS: Final = frozenset({DifferenceKind.POSITION})


class Reconciliation:
    """One per run; ``task`` asks, ``listen`` takes the answers.

    Parameters
    ----------
    gateway: what is asked; venues of derivatives for positions, too.
    on_difference: told of every difference once per comparison, with how often in a row it was found.

    Members
    -------
    persisting: differences that were found as often in a row as the settings ask for.
    failures: questions that could not be asked.
    """

    def __init__(
        self,
        limits: RiskLimits,
        gateway: Gateway,
        on_difference: Callable[[Difference, int], None] | None = None,
    ) -> None:
        settings: ReconciliationSettings = limits.settings.reconciliation
        self._interval_ns = settings.interval_s * _NS_PER_S
        self._confirmations = settings.confirmations
        self._markets = tuple(limits.markets.values())
        self._gateway = gateway
        self._on_difference = on_difference
        self._margin_venues = {market.listing.venue for market in self._markets if market.is_margin}
        self._venues = sorted({market.listing.venue for market in self._markets})
        self._asked_ns: dict[int, int] = {}
        self._first: dict[int, tuple[dict[str, int], dict[str, int]]] = {}
        self._accepted: dict[MarketKey, int] = {}
        self._held_then: dict[MarketKey, int] = {}
        self._found: dict[Difference, int] = {}
        self.failures = 0

    @property
    def task(self) -> PeriodicTask:
        """Asks every venue."""
        return PeriodicTask("reconciliation", self._interval_ns, self._ask)

    @property
    def persisting(self) -> Sequence[Difference]:
        """Differences that will not go away by themselves; orders of others are their business, and only reported."""
        return [
            difference
            for difference, times in self._found.items()
            if times >= self._confirmations and difference.kind is not DifferenceKind.FOREIGN_ORDER
        ]

    def listen(self, run: RunAccess, report: AccountReport) -> None:
        """Compare a venue's list with the ledger, and ask about orders that differ."""
        if isinstance(report, Balances):
            self._take_balances(run, report)
            return
        if isinstance(report, VenuePositions):
            self._take_positions(run, report)
            return
        asked_ns = self._asked_ns.get(report.venue, 0)
        differences = list(compare_orders(report, run.working_orders, run.view.order, asked_ns))
        self._note(report.venue, _OF_ORDERS, differences)
        for difference in differences:
            if difference.order_in_doubt:
                run.doubt(difference.order_in_doubt, difference.detail)

    def accept(self) -> None:
        """A person has seen the differences: what the venues have more or less counts as theirs from here on.

        Balances are compared with those of the next report; positions with the ledger and what they differed by.
        """
        symbols = {(market.listing.venue, market.listing.symbol): market.key for market in self._markets}
        for difference in self._found:
            if difference.kind is DifferenceKind.POSITION:
                key = symbols[difference.venue, difference.subject]
                self._accepted[key] = self._accepted.get(key, 0) + difference.excess
        self._first.clear()
        self._found.clear()

    def _ask(self, run: RunAccess, now_ns: int) -> None:
        positions = run.positions
        self._held_then = {key: position.quantity for key, position in positions.items()}
        for venue in self._venues:
            self._asked_ns[venue] = now_ns
            self._try(self._gateway.request_open_orders, venue)
            self._try(self._gateway.request_balances, venue)
            if venue in self._margin_venues:
                self._try(self._gateway.request_positions, venue)

    def _try(self, request: Callable[[int], None], venue: int) -> None:
        try:
            request(venue)
        except Retry:
            self.failures += 1  # the next round asks again

    def _take_balances(self, run: RunAccess, report: Balances) -> None:
        # Funding and unrealised profit move the balances of derivatives; there positions are compared instead.
        if report.venue in self._margin_venues:
            return
        markets = [market for market in self._markets if market.listing.venue == report.venue]
        changed, now = asset_changes(markets, run.positions), totals(report)
        before, changed_before = self._first.setdefault(report.venue, (now, changed))
        since = {asset: change - changed_before.get(asset, 0) for asset, change in changed.items()}
        self._note(report.venue, _OF_BALANCES, list(compare_balances(report.venue, before, now, since)))

    def _take_positions(self, run: RunAccess, report: VenuePositions) -> None:
        # What was traded between question and answer may be in the answer or not: such a market waits for the next.
        held = {key: position.quantity for key, position in run.positions.items()}
        moved = {
            market.listing.symbol
            for market in self._markets
            if held.get(market.key, 0) != self._held_then.get(market.key, 0)
        }
        judged = [market for market in self._markets if market.listing.symbol not in moved]
        found = list(compare_positions(report, judged, run.positions, self._accepted))
        self._note(report.venue, _OF_POSITIONS, found, moved)

    def _note(
        self,
        venue: int,
        kinds: frozenset[DifferenceKind],
        differences: Sequence[Difference],
        unjudged: Container[str] = (),
    ) -> None:
        """Count what was found again, and forget what of these kinds was not, but for subjects that were left out."""
        kept = {
            difference: times
            for difference, times in self._found.items()
            if difference.venue != venue or difference.kind not in kinds or difference.subject in unjudged
        }
        for difference in differences:
            kept[difference] = self._found.get(difference, 0) + 1
            if self._on_difference is not None:
                self._on_difference(difference, kept[difference])
        self._found = kept

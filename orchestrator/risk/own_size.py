"""How large our orders should be, by what our own trading has cost and by the queues that they would stand in."""

from __future__ import annotations

from typing import Final

from market.fixed_point import floor_to
from market.orders.kinds import Side
from market.protocols import MarketKey, MarketView
from orchestrator.risk.limits import RiskLimits
from orchestrator.risk.own_costs import OwnCosts, size_ppm
from orchestrator.risk.queue_position import QueuePositions

_PPM: Final = 1_000_000
_PPM_PER_PCT: Final = 10_000


class OwnSize:
    """Sizes of orders: slippage and markouts make all of them smaller, a long queue those that would rest.

    An order far back in its queue is filled when the price moves through it, seldom else: that is a cost which its
    markouts show too late.
    """

    def __init__(self, limits: RiskLimits, costs: OwnCosts, queues: QueuePositions) -> None:
        self._costs = costs
        self._queues = queues
        self.use(limits)

    def use(self, limits: RiskLimits) -> None:
        """Judge queues by these settings from here on."""
        settings = limits.settings.sizing
        self._full, self._least = settings.full_queue_multiple * _PPM, settings.least_queue_multiple * _PPM
        self._least_ppm = int(settings.least_size_pct * _PPM_PER_PCT)

    def taking(self, market: MarketKey, quantity: int, lot: int) -> int:
        """A quantity made smaller by own costs, in whole lots."""
        return self._costs.sized(market, quantity, lot)

    def resting(self, market: MarketKey, side: Side, price: int, quantity: int, lot: int, view: MarketView) -> int:
        """The same, made smaller also by the volume that would stand before it, in multiples of its quantity."""
        ahead = self._queues.shown(market, side, price, view) or 0
        queued_ppm = size_ppm(ahead * _PPM // quantity, self._full, self._least, self._least_ppm)
        by_costs = quantity * self._costs.size_ppm(market)
        return floor_to(min(by_costs, quantity * queued_ppm) // _PPM, lot)

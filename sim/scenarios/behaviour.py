"""How the traders of the compiled market behave: found on USD-M Bitcoin of 2024-08-08, or chosen."""

from __future__ import annotations

from dataclasses import astuple, dataclass

import numpy as np

from sim.scenarios.layout import Values


@dataclass(frozen=True, kw_only=True)
class Behaviour:
    """Numbers that no session changes; a step is a millisecond, the order of the fields that of ``layout.Habit``.

    Parameters
    ----------
    spontaneous: orders per step that nobody provoked.
    provoked_fast, provoked_slow: added to the rate of orders by each order, forgotten within milliseconds and within a
        quarter of a second: 1.5 and 249 of these are the orders that it provokes.
    lively_bps: volatility in bps per second that doubles the orders. liveliest: how many times more there are at most.
    market_share: market orders among the orders of noise. same_side: how often one follows the one before.
    usual_lots: where as many orders join the best level as leave it.
    jumps: chance per step that the worth of the market jumps.
    taken: share of the levels in the price's way that are taken; the others are withdrawn.
    reaction, narrowing, widening: chances per step that makers follow the price, come closer, step back.
    startled_ticks: of spread per bps of a move of the last quarter of a second.
    feared_bps: of spread per bps squared of a second's variance. widest_bps: of spread at most.
    thin_variance: bps squared per second at which half of the depth is left.
    gap_of_spread: distance of neighbouring levels, of the spread that makers ask for.
    forced_orders: chance per step that a liquidation sells while forced sales last. forced_lots: how much, in the mean;
        somebody refills the bid, or it would be gone at once.
    bargain_orders: chance per step that bargain hunters buy as much where the price is twice as far below its worth as
        ``bargain_at``, from where on they do.
    churn: sizes that change behind the best prices between two depth messages.
    hurries: chance per step in full panic that somebody trades in a hurry, which presses the price one way.
    hurry_of_jump: eagerness that a jump of the worth brings, per square of its size against the usual.
    patient: part of the orders and of their sizes that does not depend on eagerness. burst_size: of market orders, of
        the recorded quantiles, where eagerness is as usual: single ones are small, those of bursts larger.
    startled_orders: more orders, against the usual number, per bps of a move of the last quarter of a second.
    """

    spontaneous: float = 0.021
    provoked_fast: float = 0.34
    provoked_slow: float = 0.0014
    lively_bps: float = 6.0
    liveliest: float = 4.0
    market_share: float = 0.27
    same_side: float = 0.68
    usual_lots: float = 2_500.0
    jumps: float = 0.0014
    taken: float = 0.25
    reaction: float = 0.7
    narrowing: float = 0.8
    widening: float = 0.35
    startled_ticks: float = 2.2
    feared_bps: float = 0.0005
    widest_bps: float = 40.0
    thin_variance: float = 150.0
    gap_of_spread: float = 0.12
    startled_orders: float = 2.0
    forced_orders: float = 0.12
    forced_lots: float = 2_500.0
    bargain_orders: float = 0.10
    bargain_at: float = 0.003
    churn: float = 12.0
    hurries: float = 0.0010
    hurry_of_jump: float = 1.3
    patient: float = 0.2
    burst_size: float = 0.135

    def values(self) -> Values:
        """float64[n], as kernels take them."""
        return np.array(astuple(self), dtype=np.float64)

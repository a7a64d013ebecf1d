"""The side of every trade of whole arrays, on any back end."""

from __future__ import annotations

import numpy as np

from gpu.arrays import choose_for
from gpu.backend import Backend
from gpu.classification import Rule, SideRule, require_columns
from gpu.columns import Sides, Trades
from gpu.device_vpin import classify_on_gpu
from gpu.grid_cuda import on_current_gpu
from market.wire.records import AGGRESSOR_BUY, AGGRESSOR_NONE, AGGRESSOR_SELL


def classify(trades: Trades, rule: Rule | str, *, backend: Backend | str = Backend.AUTO) -> Sides:
    """int8[n], the side of every trade by a rule: 0 unknown, 1 buy, 2 sell; on the GPU if the trades lie there.

    Raises Rejected where a column that the rule reads is missing.
    """
    if choose_for(trades.on_gpu, backend, has_kernels=trades.on_gpu) is Backend.GPU:
        sides: Sides = classify_on_gpu(trades, Rule(rule), on_current_gpu())
        return sides
    if Backend(backend) is Backend.NUMPY:
        return _reference_sides(trades, Rule(rule))
    return SideRule(Rule(rule)).take(trades)


def _reference_sides(trades: Trades, rule: Rule) -> Sides:
    require_columns(rule, trades)
    flags = trades.aggressors if trades.aggressors is not None else np.zeros(len(trades), dtype=np.int8)
    if rule is Rule.FLAG:
        return flags
    if rule is Rule.TICK:
        steps = np.sign(np.diff(trades.prices, prepend=trades.prices[:1]))
        last_change = np.maximum.accumulate(np.where(steps != 0, np.arange(len(steps)), 0))
        by_tick: Sides = np.choose(steps[last_change] + 1, (AGGRESSOR_SELL, AGGRESSOR_NONE, AGGRESSOR_BUY)).astype(
            np.int8
        )
        return by_tick
    assert trades.bids is not None
    assert trades.asks is not None
    doubled = trades.bids + trades.asks
    quoted = (trades.bids > 0) & (trades.asks > 0)
    by_quote = np.where(
        2 * trades.prices > doubled,
        AGGRESSOR_BUY,
        np.where(2 * trades.prices < doubled, AGGRESSOR_SELL, AGGRESSOR_NONE),
    )
    by_quote = np.where(quoted, by_quote, AGGRESSOR_NONE)
    return np.where((rule is Rule.FLAG_OR_QUOTE) & (flags != AGGRESSOR_NONE), flags, by_quote).astype(np.int8)

"""What a backtest's strategies detected against what could be traded."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from market.orders.cause import Origin
from market.orders.order import Order
from market.protocols import Strategy
from orchestrator.strategies.flash_crash.trader import FlashCrash


def opportunities(strategies: Iterable[Strategy], orders: Sequence[Order], triggers: int) -> list[dict[str, Any]]:
    """One row for each strategy that acts upon triggers of the fast loop, or judges candles.

    ``detected``: triggers, or bullish candles while the detector was ACTIVE; ``wanted``: those that orders were made
    for; ``sent``, ``filled``: those of which an order left, and was filled at least in part; ``rejected``: candles by
    reason.
    """
    rows: list[dict[str, Any]] = []
    for strategy in strategies:
        own = [order for order in orders if order.intent.cause.strategy == strategy.tag]
        if strategy.wakes.triggers:
            acted = [order for order in own if order.intent.cause.origin is Origin.TRIGGER]
            rows.append({"strategy": strategy.tag, "detected": triggers, **_reached(acted), "rejected": {}})
        elif isinstance(strategy, FlashCrash):
            bought = [order for order in own if order.intent.side.sign > 0]
            rejected = {reason.name: count for reason, count in sorted(strategy.rejections.items())}
            detected = len(bought) + sum(rejected.values())
            rows.append({"strategy": strategy.tag, "detected": detected, **_reached(bought), "rejected": rejected})
    return rows


def _reached(orders: Iterable[Order]) -> dict[str, int]:
    """How many causes came how far."""
    wanted, sent, filled = set(), set(), set()
    for order in orders:
        cause = (order.intent.cause.epoch, order.intent.cause.number)
        wanted.add(cause)
        if order.sent_ns:
            sent.add(cause)
        if order.fills:
            filled.add(cause)
    return {"wanted": len(wanted), "sent": len(sent), "filled": len(filled)}

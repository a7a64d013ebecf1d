"""All rules as one, which can be replaced while a run goes on."""

from __future__ import annotations

from collections.abc import Sequence

from market.orders.order import OrderIntent
from market.protocols import MarketView, PreTradeCheck


class Rules:
    """Asks rules in turn; the first refusal counts."""

    def __init__(self, rules: Sequence[PreTradeCheck]) -> None:
        self._rules = tuple(rules)

    def use(self, rules: Sequence[PreTradeCheck]) -> None:
        """Ask these from here on."""
        self._rules = tuple(rules)

    def __call__(self, intent: OrderIntent, view: MarketView) -> None:
        """Raises Rejected as the rules."""
        for rule in self._rules:
            rule(intent, view)

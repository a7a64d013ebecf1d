"""A journal that audits the money of its run after every event, in whichever mode that runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from market.orders.events import Filled, OrderEvent
from market.orders.order import OrderIntent
from market.protocols import Journal, MarketKey
from market.risk.position import Position
from orchestrator.run_loop.journal import MemoryJournal
from orchestrator.run_loop.loop import RunLoop


class Audit:
    """Adds up all fills by itself, and compares the run's positions with the sums after every event.

    Members
    -------
    checked: events after which all was compared. fills: how many of them were fills.
    """

    def __init__(self) -> None:
        self.loop: RunLoop | None = None
        self.checked = 0
        self.fills = 0
        self._intents: dict[str, OrderIntent] = {}
        self._sums: dict[MarketKey, tuple[int, int, int]] = {}

    @property
    def sums(self) -> Mapping[MarketKey, tuple[int, int, int]]:
        """Quantity, cash and fees of each market, by the fills alone."""
        return self._sums

    def intent(self, intent: OrderIntent) -> None:
        """An order is wanted."""
        self._intents[intent.client_order_id] = intent

    def event(self, client_order_id: str, event: OrderEvent) -> None:
        """Something became of an order, which the run has booked."""
        if isinstance(event, Filled):
            self._add(self._intents[client_order_id], event)
        assert self.loop is not None
        positions, owned = self.loop.access.positions, self.loop.access.positions_by_strategy
        for key, (quantity, cash, fees) in self._sums.items():
            held = positions[key]
            assert (held.quantity, held.cash, held.fees) == (quantity, cash, fees)
            assert held.cash + held.cost == held.realised
            parts = [part for (_, market), part in owned.items() if market == key]
            for name, whole in (("quantity", quantity), ("cash", cash), ("fees", fees)):
                assert sum(getattr(part, name) for part in parts) == whole
        assert all(key in self._sums or held == Position() for key, held in positions.items())
        self.checked += 1

    def _add(self, intent: OrderIntent, event: Filled) -> None:
        """A commission in what is traded makes the quantity smaller, and its worth is among the fees."""
        fill, sign = event.fill, intent.side.sign
        moved = sign * fill.quantity - fill.fee_base
        quantity, cash, fees = self._sums.get((intent.instrument, intent.venue), (0, 0, 0))
        self._sums[intent.instrument, intent.venue] = (quantity + moved, cash - moved * fill.price, fees + fill.fee)
        self.fills += 1


class AuditedJournal:
    """A run's journal with an audit beside it."""

    def __init__(self, journal: Any, audit: Audit) -> None:
        self._journal = journal
        self._audit = audit

    def __getattr__(self, name: str) -> Any:
        return getattr(self._journal, name)

    def intent(self, intent: OrderIntent) -> None:
        """Written and audited."""
        self._journal.intent(intent)
        self._audit.intent(intent)

    def event(self, client_order_id: str, event: OrderEvent) -> None:
        """Written and audited."""
        self._journal.event(client_order_id, event)
        self._audit.event(client_order_id, event)


def audit_runs(monkeypatch: pytest.MonkeyPatch, module: Any) -> Audit:
    """Have the run loop that a module makes audited: one run."""
    audit = Audit()

    class Audited(RunLoop):
        def __init__(self, *, journal: Journal | None = None, **parts: Any) -> None:
            kept = MemoryJournal() if journal is None else journal
            super().__init__(journal=AuditedJournal(kept, audit), **parts)
            audit.loop = self

    monkeypatch.setattr(module, "RunLoop", Audited)
    return audit

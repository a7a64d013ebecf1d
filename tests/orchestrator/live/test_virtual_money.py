"""Under every fault cash, inventory and fees balance to the unit, after everything that is heard of an order."""

from __future__ import annotations

from typing import Any

import pytest

from market.orders.events import Filled, OrderEvent
from market.orders.order import OrderIntent
from market.protocols import MarketKey
from market.risk.position import Position
from orchestrator.live import virtual_run
from orchestrator.live.sweep import run_seed, text_of
from orchestrator.run_loop.journal import MemoryJournal
from orchestrator.run_loop.loop import RunLoop
from sim.faults.plan import FaultKind


class MoneyJournal(MemoryJournal):
    """Adds up all fills by itself, and compares the run's positions with the sums after every event.

    Members
    -------
    checked: events after which all was compared.
    """

    def __init__(self) -> None:
        super().__init__()
        self.loop: RunLoop | None = None
        self.checked = 0
        self._intents: dict[str, OrderIntent] = {}
        self._sums: dict[MarketKey, tuple[int, int, int]] = {}

    def intent(self, intent: OrderIntent) -> None:
        """Keep an intent."""
        super().intent(intent)
        self._intents[intent.client_order_id] = intent

    def event(self, client_order_id: str, event: OrderEvent) -> None:
        """Keep an event, which the run has booked."""
        super().event(client_order_id, event)
        if isinstance(event, Filled):
            self._add(self._intents[client_order_id], event)
        assert self.loop is not None
        positions = self.loop.access.positions
        for key, (quantity, cash, fees) in self._sums.items():
            held = positions[key]
            assert (held.quantity, held.cash, held.fees) == (quantity, cash, fees)
            assert held.cash + held.cost == held.realised
        assert all(key in self._sums or held == Position() for key, held in positions.items())
        self.checked += 1

    def _add(self, intent: OrderIntent, event: Filled) -> None:
        """A commission in what is traded makes the quantity smaller, and its worth is among the fees."""
        fill, sign = event.fill, intent.side.sign
        moved = sign * fill.quantity - fill.fee_base
        quantity, cash, fees = self._sums.get((intent.instrument, intent.venue), (0, 0, 0))
        sums = (quantity + moved, cash - moved * fill.price, fees + fill.fee)
        self._sums[intent.instrument, intent.venue] = sums


@pytest.mark.parametrize("seed", range(len(FaultKind)))
def test_money_balances_after_every_event_under_each_fault(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = MoneyJournal()

    class Watched(RunLoop):
        def __init__(self, **parts: Any) -> None:
            super().__init__(**parts)
            journal.loop = self

    monkeypatch.setattr(virtual_run, "RunLoop", Watched)
    result = run_seed(seed, journal=journal)
    assert not result.violations, text_of(result)
    assert journal.checked > 20
    assert any(isinstance(event, Filled) for _, event in journal.events)

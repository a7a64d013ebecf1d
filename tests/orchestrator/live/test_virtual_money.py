"""Under every fault cash, inventory and fees balance to the unit, after everything that is heard of an order."""

from __future__ import annotations

import pytest

from orchestrator.live import virtual_run
from orchestrator.live.sweep import run_seed, text_of
from sim.faults.plan import FaultKind
from tests.orchestrator.audited import audit_runs


@pytest.mark.parametrize("seed", range(len(FaultKind)))
def test_money_balances_after_every_event_under_each_fault(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    audit = audit_runs(monkeypatch, virtual_run)
    result = run_seed(seed)
    assert not result.violations, text_of(result)
    assert audit.checked > 20
    assert audit.fills

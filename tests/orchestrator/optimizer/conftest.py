"""A short generated market, decoded once, for all tests of the optimizer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from config.optimizer import Objective
from orchestrator.optimizer.folds import Grid
from orchestrator.optimizer.shared import SharedPlan, share
from orchestrator.optimizer.trial import Job, Looks
from tests.orchestrator.optimizer.market import MILLISECONDS, plan_of, recording


@pytest.fixture(scope="session")
def usdm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A generated recording of USD-M futures."""
    return recording(tmp_path_factory.mktemp("market"))


@pytest.fixture(scope="session")
def shared(usdm: Path, tmp_path_factory: pytest.TempPathFactory) -> SharedPlan:
    """The plan of the market maker over it."""
    return share(plan_of(usdm), tmp_path_factory.mktemp("decoded") / "market", "key")


@pytest.fixture(scope="session")
def grid(shared: SharedPlan) -> Grid:
    """Its samples."""
    tape = shared.open(shared.plan.settings).tape
    interval_ns = MILLISECONDS * 1_000_000
    return Grid(tape.first_ns, interval_ns, (tape.last_ns - tape.first_ns) // interval_ns)


@pytest.fixture(scope="session")
def job(shared: SharedPlan, grid: Grid) -> Callable[[int, Looks], Job]:
    """Trials of the settings as they are, until a sample."""
    return lambda until, looks: Job(shared, grid, "USDT", {}, until, looks)


@pytest.fixture(scope="session")
def no_looks() -> Looks:
    """Nothing is looked at."""
    return Looks(Objective.SHARPE)

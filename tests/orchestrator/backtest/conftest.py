"""A recording for all tests of backtests."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.orchestrator.backtest.market import recording


@pytest.fixture(scope="session")
def usdm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A generated recording of USD-M futures."""
    return recording(tmp_path_factory.mktemp("market"))

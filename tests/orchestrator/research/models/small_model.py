"""Small models that ``tickwire train`` made of the datasets below; a test makes one again."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from orchestrator.research.datasets.book_rows import Sampling
from orchestrator.research.datasets.build import DatasetPlan
from orchestrator.research.datasets.dataset import Dataset
from orchestrator.research.datasets.parts import Reach
from tests.orchestrator.research.datasets.market_books import recording
from tests.orchestrator.research.datasets.test_dataset import built

SMALL_MODEL: Final = Path(__file__).with_name("trained")
GRID_MODEL: Final = Path(__file__).with_name("trained_grid")
MARKET: Final = "binance-spot BTCUSDT"
GRID_NS: Final = 20_000_000


def small_dataset(folder: Path, **words: int) -> Dataset:
    """Three levels, windows of 5 rows, horizon 4."""
    return built(recording(folder, "spot.txt", **words), folder / "set")


def grid_dataset(folder: Path, **words: int) -> Dataset:
    """The same with a row every 20 ms."""
    plan = DatasetPlan(sampling=Sampling(levels=3, grid_ns=GRID_NS), reach=Reach(5, 4))
    return built(recording(folder, "spot.txt", **words), folder / "set", plan)

"""A small model that ``tickwire train`` made of the dataset of ``small_dataset``; a test makes it again."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from orchestrator.research.datasets.dataset import Dataset
from tests.orchestrator.research.datasets.market_books import recording
from tests.orchestrator.research.datasets.test_dataset import built

SMALL_MODEL: Final = Path(__file__).with_name("trained")
MARKET: Final = "binance-spot BTCUSDT"


def small_dataset(folder: Path, **words: int) -> Dataset:
    """Three levels, windows of 5 rows, horizon 4."""
    return built(recording(folder, "spot.txt", **words), folder / "set")

"""Small models that ``tickwire train`` made of the datasets below; a test makes two of them again."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Final

from benchmarks.gpu.generated_models import lively_weights
from gpu.models.architecture import Lstm, parameters
from orchestrator.research.datasets.book_rows import Sampling
from orchestrator.research.datasets.build import DatasetPlan
from orchestrator.research.datasets.dataset import Dataset
from orchestrator.research.datasets.parts import Reach
from orchestrator.research.models.folder import TrainedModel, write_model
from tests.orchestrator.research.datasets.market_books import recording
from tests.orchestrator.research.datasets.test_dataset import built

SMALL_MODEL: Final = Path(__file__).with_name("trained")
GRID_MODEL: Final = Path(__file__).with_name("trained_grid")
TRANSFORMER_MODEL: Final = Path(__file__).with_name("trained_transformer")
MARKET: Final = "binance-spot BTCUSDT"
GRID_NS: Final = 20_000_000


def lively_lstm(like: Path, folder: Path, layers: int = 1, hidden: int = 16) -> Path:
    """A folder of an LSTM that was not trained and whose answers depend on its rows, with the card of another model."""
    card = TrainedModel(like).card
    model = lively_weights(Lstm(features=4 * card.levels, layers=layers, hidden=hidden, window=card.window), seed=3)
    shape, count = asdict(model.architecture), parameters(model.architecture)
    changed = {"kind": model.kind, "shape": shape, "parameters": count}
    write_model(model, lambda digests: card.model_copy(update=changed | {"digests": digests}), folder)
    return folder


def small_dataset(folder: Path, **words: int) -> Dataset:
    """Three levels, windows of 5 rows, horizon 4."""
    return built(recording(folder, "spot.txt", **words), folder / "set")


def grid_dataset(folder: Path, **words: int) -> Dataset:
    """The same with a row every 20 ms."""
    plan = DatasetPlan(sampling=Sampling(levels=3, grid_ns=GRID_NS), reach=Reach(5, 4))
    return built(recording(folder, "spot.txt", **words), folder / "set", plan)

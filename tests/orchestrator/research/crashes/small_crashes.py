"""A dataset of short generated sessions, and a model of it that was not trained."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Final

from benchmarks.gpu.generated_models import lively_weights
from config.loading import load_settings
from config.scenarios import ScenarioKind
from config.settings import Settings
from gpu.models.architecture import Lstm, parameters
from orchestrator.research.crashes.build import CrashPlan, build_crash_dataset
from orchestrator.research.crashes.sessions import Chosen
from orchestrator.research.datasets.book_rows import Sampling
from orchestrator.research.datasets.build import DatasetPlan
from orchestrator.research.datasets.crash_labels import CrashTarget, Until
from orchestrator.research.datasets.dataset import Dataset, open_dataset
from orchestrator.research.datasets.parts import Part, Reach
from orchestrator.research.models.card import Card, MarketCard
from orchestrator.research.models.folder import TrainedModel, write_model
from orchestrator.research.training.run import market_card
from tests.orchestrator.research.models.small_model import GRID_MODEL

MARKET: Final = "binance-usdm BTCUSDT"
S: Final = 1_000_000_000
SAMPLING: Final = Sampling(levels=3, grid_ns=S)
TARGET: Final = CrashTarget(20 * S, Until.HALF)
POCKET, QUIET = ScenarioKind.AIR_POCKET, ScenarioKind.QUIET
SESSIONS: Final = (
    Chosen(POCKET, 4, Part.TRAINING),
    Chosen(QUIET, 2, Part.TRAINING),
    Chosen(POCKET, 14, Part.VALIDATION),
    Chosen(POCKET, 1_000_003, Part.TEST),
    Chosen(QUIET, 1_000_001, Part.TEST),
)


def short_sessions() -> Settings:
    """The profile with sessions of four minutes."""
    settings = load_settings("flash-crash", local=None, environment={})
    return settings.model_copy(update={"scenarios": settings.scenarios.model_copy(update={"duration_s": 240})})


def crash_plan(sampling: Sampling = SAMPLING, sessions: tuple[Chosen, ...] = SESSIONS) -> CrashPlan:
    """Windows of 5 rows, a row each second."""
    return CrashPlan(rows=DatasetPlan(sampling=sampling, reach=Reach(5, 20)), target=TARGET, sessions=sessions)


def crash_dataset(folder: Path, sessions: tuple[Chosen, ...] = SESSIONS) -> Dataset:
    """The dataset of the plan."""
    build_crash_dataset(crash_plan(sessions=sessions), short_sessions(), folder, lambda session: None)
    return open_dataset(folder)


def crash_model(dataset: Dataset, folder: Path) -> Path:
    """A folder of an LSTM whose answers depend on its rows."""
    header = dataset.header
    assert header.crash is not None
    model = lively_weights(Lstm(features=12, layers=1, hidden=8, window=header.window), seed=5)
    markets: tuple[MarketCard, ...] = tuple(market_card(market, trained=True) for market in dataset.markets)
    changed = {
        "kind": model.kind,
        "shape": asdict(model.architecture),
        "parameters": parameters(model.architecture),
        "window": header.window,
        "horizon": header.horizon,
        "sampling": header.sampling,
        "markets": markets,
        "crash": header.crash.target,
    }

    def describe(digests: dict[str, str]) -> Card:
        return TrainedModel(GRID_MODEL).card.model_copy(update=changed | {"digests": digests})

    write_model(model, describe, folder)
    return folder

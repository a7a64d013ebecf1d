"""Backtests of a generated spot market that a small model watches."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from config.loading import load_settings
from config.models import ModelMode, ModelSettings, ModelsSettings, ModelTradingSettings
from config.settings import Settings
from config.venues import VenueName
from gpu.models.weights import Singles
from market.protocols import Strategy
from orchestrator.backtest.plan import Plan, read_plan
from orchestrator.predicting.answers import ComputedPredictions
from orchestrator.predicting.engines import Answer
from orchestrator.predicting.predictor import BookPredictor
from orchestrator.replay.plan import SourceFile
from tests.orchestrator.research.datasets.market_books import recording
from tests.orchestrator.research.models.small_model import GRID_MODEL


def watching(mode: ModelMode = ModelMode.SHADOW, **fields: Any) -> Settings:
    """The demo's settings with one model."""
    trading = ModelTradingSettings(quantity=Decimal("0.01"))
    model = ModelSettings.model_validate(
        {"folder": str(GRID_MODEL), "instrument": "BTC", "venue": "binance-spot", "mode": mode, "trading": trading}
        | fields
    )
    settings = load_settings("demo", environment={})
    return settings.model_copy(update={"models": ModelsSettings(watching={"small": model})})


def plan_of(folder: Path, settings: Settings, **words: int) -> Plan:
    """A backtest over the recording that the model's dataset is made like."""
    path = recording(folder, "spot.txt", **words)
    return read_plan(settings, [SourceFile(VenueName.BINANCE_SPOT, path)])


def predictor_of(strategies: Sequence[Strategy]) -> BookPredictor:
    """The only model of a run."""
    [found] = [each for each in strategies if isinstance(each, BookPredictor)]
    return found


class HeardPredictions(ComputedPredictions):
    """Keeps what was said."""

    def __init__(self) -> None:
        super().__init__()
        self.heard: list[tuple[int, Answer]] = []

    def ask(self, name: str, number: int, window: Singles) -> None:
        """Compute and keep."""
        super().ask(name, number, window)
        self.heard.append((number, self._answers[name, number]))


class SaidPredictions(ComputedPredictions):
    """Says what the test wants, by number; nothing else is in time."""

    def __init__(self, answers: dict[int, Answer]) -> None:
        super().__init__()
        self.wanted = answers

    def ask(self, name: str, number: int, window: Singles) -> None:
        """Nothing to compute."""

    def answer(self, name: str, number: int) -> Answer | None:
        """What the test wants."""
        return self.wanted.get(number)

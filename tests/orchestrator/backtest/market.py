"""A generated market of one venue, and settings that make it."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

from config.loading import load_settings
from config.settings import Settings
from config.strategies import MarketMakingSettings, StrategyName
from config.venues import VenueName
from orchestrator.backtest.plan import Plan, read_plan
from orchestrator.replay.plan import SourceFile
from sim.generator.recording import write_recordings
from sim.generator.settings import SECOND_NS, Coin, GeneratorSettings

SECONDS = 20
MAKER = MarketMakingSettings(
    instrument="BTC",
    venue=VenueName.BINANCE_USDM,
    quantity=Decimal("0.01"),
    inventory_limit=Decimal("0.1"),
    spread=Decimal("0.00001"),
    vpin_bucket=Decimal(1_000),
)
PROFILE = """
extends = "demo"

[strategies]
active = ["market-making"]

[strategies.market_making]
instrument = "BTC"
venue = "binance-usdm"
quantity = 0.01
inventory_limit = 0.1
spread = 0.00001
vpin_bucket = 1_000
"""


def recording(folder: Path) -> Path:
    """The USD-M recording of a generated market."""
    settings = GeneratorSettings(coins=(Coin.BTC,), duration_ns=SECONDS * SECOND_NS)
    files = write_recordings(settings, 11, folder)
    return next(file.path for file in files if file.venue is VenueName.BINANCE_USDM)


def settings_of(*active: StrategyName, **backtest: object) -> Settings:
    """Settings in which some strategies run."""
    settings = load_settings("demo", local=None, environment={})
    strategies = settings.strategies.model_copy(update={"active": active, "market_making": MAKER})
    changed = settings.backtest.model_copy(update=backtest)
    return settings.model_copy(update={"strategies": strategies, "backtest": changed})


def plan_of(path: Path, *active: StrategyName, **backtest: object) -> Plan:
    """A plan on the recording."""
    return read_plan(settings_of(*active, **backtest), [SourceFile(VenueName.BINANCE_USDM, path)])

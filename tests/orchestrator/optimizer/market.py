"""A short generated market of one venue, and a profile that trades in it often."""

from __future__ import annotations

from pathlib import Path

from config.loading import load_settings
from config.settings import Settings
from config.venues import VenueName
from orchestrator.backtest.plan import Plan, read_plan
from orchestrator.replay.plan import SourceFile
from sim.generator.recording import write_recordings
from sim.generator.settings import SECOND_NS, Coin, GeneratorSettings

SECONDS = 10
MILLISECONDS = 50
PROFILE = """
extends = "demo"

[strategies]
active = ["market-making"]

[strategies.market_making]
instrument = "BTC"
venue = "binance-usdm"
quantity = 0.01
inventory_limit = 0.1
spread = 0.000002
vpin_bucket = 1_000
repost_bps = 0.1

[backtest]
sample_interval_ms = 50

[optimizer]
folds = 2
purge_s = 0
embargo_s = 1
overfitting_blocks = 4

[optimizer.space.spread]
setting = "strategies.market_making.spread"
low = 0.000002
high = 0.00004
step = 0.000002

[optimizer.space.weight]
setting = "strategies.market_making.microprice_weight"
values = [0, 0.5, 1]
"""


def recording(folder: Path) -> Path:
    """The USD-M recording of a generated market."""
    settings = GeneratorSettings(coins=(Coin.BTC,), duration_ns=SECONDS * SECOND_NS)
    files = write_recordings(settings, 5, folder)
    return next(file.path for file in files if file.venue is VenueName.BINANCE_USDM)


def settings_in(folder: Path, more: str = "") -> Settings:
    """The profile, and more lines of its section of the optimizer."""
    path = folder / "maker.toml"
    path.write_text(PROFILE.replace("[optimizer]\n", f"[optimizer]\n{more}\n"), encoding="utf-8")
    return load_settings(path, local=None, environment={})


def plan_of(path: Path) -> Plan:
    """A plan on a recording."""
    return read_plan(settings_in(path.parent), [SourceFile(VenueName.BINANCE_USDM, path)])

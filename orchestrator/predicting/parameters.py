"""What one model of a run is set to."""

from __future__ import annotations

from dataclasses import dataclass

from config.models import ModelBackend, ModelMode
from market.protocols import MarketKey


@dataclass(frozen=True, kw_only=True)
class TradingParameters:
    """How an active model trades: ``config.models.ModelTradingSettings`` in counts and millionths."""

    quantity: int
    take_profit_ppm: int
    stop_ppm: int
    shorts: bool


@dataclass(frozen=True, kw_only=True)
class ModelParameters:
    """``config.models.ModelSettings`` in counts and ns.

    Parameters
    ----------
    name: of the settings. market: that it watches. card_market: whose normalisation and alpha it uses.
    spared: tag of the strategy whose orders it lets pass, empty for none.
    """

    name: str
    market: MarketKey
    card_market: str
    mode: ModelMode
    act_above: float
    filter_above: float
    latency_ns: int
    backend: ModelBackend
    drift_rows: int
    drift_limit: float
    judged: int
    calibration_limit: float
    trading: TradingParameters | None
    spared: str = ""

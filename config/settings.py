"""All settings of one run."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator

from config.backtest import BacktestSettings
from config.base import EXACT, Section
from config.bus import BusSettings
from config.detector import DetectorSettings
from config.engine import EngineSettings
from config.exchange import ExchangeSettings
from config.execution import ExecutionSettings, PathSettings
from config.feeds import FeedsSettings
from config.instruments import InstrumentSettings
from config.loop import LoopSettings
from config.models import ModelsSettings
from config.optimizer import OptimizerSettings
from config.paper import PaperSettings
from config.replay import ReplaySettings
from config.risk import RiskSettings
from config.scenarios import ScenarioSettings
from config.storage import StorageSettings
from config.strategies import StrategySettings
from config.venues import VenueName, VenueSettings

InstrumentName = Annotated[str, StringConstraints(pattern=r"^[A-Z0-9]+([.-][A-Z0-9]+)*$", max_length=32)]


class Settings(Section):
    """All settings of one run; the order of venues and instruments is their number in the engine."""

    engine: EngineSettings = Field(default=EngineSettings(), description="The fast loop.")
    venues: Mapping[VenueName, VenueSettings] = Field(
        min_length=1, description="Venues in the order of their numbers in the engine."
    )
    instruments: Mapping[InstrumentName, InstrumentSettings] = Field(
        min_length=1, description="Instruments in the order of their numbers in the engine."
    )
    replay: ReplaySettings = Field(default=ReplaySettings(), description="Replay of recordings.")
    loop: LoopSettings = Field(default=LoopSettings(), description="The receive loop.")
    exchange: ExchangeSettings = Field(default=ExchangeSettings(), description="The simulated exchange.")
    feeds: FeedsSettings = Field(default=FeedsSettings(), description="Live market data.")
    execution: ExecutionSettings = Field(default=ExecutionSettings(), description="Where orders go.")
    paper: PaperSettings = Field(default=PaperSettings(), description="Trading on paper.")
    backtest: BacktestSettings = Field(default=BacktestSettings(), description="Backtests over recordings.")
    scenarios: ScenarioSettings = Field(default=ScenarioSettings(), description="Generated sessions.")
    risk: RiskSettings = Field(default=RiskSettings(), description="Risk before, during and after trading.")
    bus: BusSettings = Field(default=BusSettings(), description="The message bus.")
    storage: StorageSettings = Field(default=StorageSettings(), description="Journal and database.")
    strategies: StrategySettings = Field(default=StrategySettings(), description="What decides.")
    detector: DetectorSettings = Field(default=DetectorSettings(), description="The flash-crash detector.")
    optimizer: OptimizerSettings = Field(default=OptimizerSettings(), description="The search for parameters.")
    models: ModelsSettings = Field(default=ModelsSettings(), description="Models of the order book.")
    paths: PathSettings = Field(default=PathSettings(), description="Folders.")

    @model_validator(mode="after")
    def _sizes_fit(self) -> Self:
        for what in ("venues", "instruments"):
            listed, room = len(getattr(self, what)), getattr(self.engine, what)
            if listed > room:
                raise ValueError(f"engine.{what} was {room}: must be at least {listed}, the number of {what} listed")
        return self

    @model_validator(mode="after")
    def _markets_are_known(self) -> Self:
        owners: dict[tuple[VenueName, str], str] = {}
        for name, instrument in self.instruments.items():
            for venue, market in instrument.markets.items():
                if venue not in self.venues:
                    raise ValueError(
                        f"instruments.{name}.markets.{venue} has no venues.{venue}: "
                        f"must be one of {[str(listed) for listed in self.venues]}"
                    )
                owner = owners.setdefault((venue, market.symbol), name)
                if owner != name:
                    raise ValueError(
                        f"instruments.{name}.markets.{venue}.symbol was {market.symbol!r}: "
                        f"instruments.{owner} has it already"
                    )
        return self

    @model_validator(mode="after")
    def _limits_are_of_what_is_listed(self) -> Self:
        limited = (("risk", "instruments", self.risk.instruments), ("risk", "venues", self.risk.venues))
        for room, what, names in (*limited, ("detector", "instruments", self.detector.instruments)):
            for name in names:
                if name not in getattr(self, what):
                    listed = [str(known) for known in getattr(self, what)]
                    raise ValueError(f"{room}.{what}.{name} has no {what}.{name}: must be one of {listed}")
        return self

    @model_validator(mode="after")
    def _channels_are_known(self) -> Self:
        owners: dict[tuple[str, int], str] = {}
        for name, channel in self.loop.channels.items():
            table = f"loop.channels.{name}"
            if channel.venue not in self.venues:
                raise ValueError(f"{table}.venue was {channel.venue}: must be one of {[str(v) for v in self.venues]}")
            markets = [market for market, listed in self.instruments.items() if channel.venue in listed.markets]
            if channel.instrument and channel.instrument not in markets:
                seen = f"{table}.instrument was {channel.instrument!r}"
                raise ValueError(f"{seen}: must be one that {channel.venue} trades, of {markets}")
            owner = owners.setdefault((channel.address, channel.port), name)
            if owner != name:
                raise ValueError(
                    f"{table}.port was {channel.port}: loop.channels.{owner} has it already on {channel.address}"
                )
        return self

    @model_validator(mode="after")
    def _counts_fit(self) -> Self:
        most = Decimal(2**self.engine.price_bits - 1)
        for name, instrument in self.instruments.items():
            quantity = max(instrument.maximum_quantity, instrument.position_limit)
            for what, largest in (("price", instrument.price_high), ("quantity", quantity)):
                exponent = getattr(instrument, f"{what}_exponent")
                bound = most.scaleb(exponent, EXACT)
                if largest > bound:
                    raise ValueError(
                        f"instruments.{name}.{what}_exponent was {exponent}: must be higher, "
                        f"{self.engine.price_bits} bits hold a {what} up to {bound} and the limits allow {largest}"
                    )
        return self

"""The settings of a soak: a profile's, with market making beside its strategies, pointed at the soak's exchange."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

from pydantic import SecretStr

from config.addresses import AddressSettings
from config.credentials import Credentials
from config.settings import Settings
from config.strategies import MarketMakingSettings, StrategyName
from config.venues import VenueName
from orchestrator.live.soak_exchange import Serving


def soak_settings(settings: Settings) -> Settings:
    """Both strategies, venues on any free ports, the whole of risk; no message bus, as nobody listens."""
    venues = {name: venue.model_copy(update={"port": 0}) for name, venue in settings.exchange.venues.items()}
    strategies = settings.strategies
    if strategies.market_making is None:
        maker = MarketMakingSettings(
            instrument="ETH",
            venue=VenueName.BINANCE_SPOT,
            quantity=Decimal("0.1"),
            inventory_limit=Decimal(2),
            spread=Decimal("0.0001"),
            repost_bps=Decimal("0.1"),
            vpin_bucket=Decimal(50),
            base_stock=Decimal(20),
            quote_stock=Decimal(50_000),
        )
        active = (*strategies.active, StrategyName.MARKET_MAKING)
        strategies = strategies.model_copy(update={"market_making": maker, "active": active})
    return settings.model_copy(
        update={
            "exchange": settings.exchange.model_copy(update={"venues": venues}),
            "strategies": strategies,
            "bus": settings.bus.model_copy(update={"enabled": False}),
        }
    )


def pointed_at(settings: Settings, http: dict[str, str], folder: Path) -> Settings:
    """The same against venues at some addresses, with its traces in a folder."""
    venues = {
        name: venue.model_copy(update={"addresses": AddressSettings(http=http[name])}) if name in http else venue
        for name, venue in settings.venues.items()
    }
    traces = {"journal": folder / "journal", "database_url": f"sqlite:///{folder}/tickwire.db"}
    return settings.model_copy(update={"venues": venues, "storage": settings.storage.model_copy(update=traces)})


def credentials_of(serving: Serving) -> Credentials:
    """Of the exchange's account."""
    return Credentials(binance_api_key=SecretStr(serving.key), binance_api_secret=SecretStr(serving.secret))

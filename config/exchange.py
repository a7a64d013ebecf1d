"""Settings of the simulated exchange."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator

from config.base import Count, Exact, Microseconds, Milliseconds, Section, unit
from config.loop import PortOrAny, Unicast
from config.venues import VenueName

SIMULATED = (VenueName.BINANCE_SPOT, VenueName.BINANCE_USDM)
"""Venues that can be simulated."""


class Commission(StrEnum):
    """What commissions of spot trades are paid in."""

    RECEIVED = "received"
    """The asset that is received, as Binance does by default."""
    QUOTE = "quote"


Balance = Annotated[Exact, Field(ge=0, lt=10**9)]
AccountName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=32)]


class SimulatedVenueSettings(Section):
    """One venue of the simulated exchange; its symbols and fees are those of the profile."""

    port: PortOrAny = Field(default=0, description="Port of its server; 0: any free one.")
    request_us: Microseconds = Field(default=0, description="How long a request travels to the venue.")
    answer_us: Microseconds = Field(default=0, description="How long answers and user data travel to the client.")
    publish_us: Microseconds = Field(default=0, description="How long market data travels to the client.")
    lag_ms: Milliseconds = Field(default=0, description="How far its prices are behind those of the leading venue.")
    basis_bps: Annotated[Count, Field(ge=-1_000, le=1_000)] = Field(
        default=0, description="How far its prices lie above the common one."
    )


class ExchangeSettings(Section):
    """An exchange on this machine that speaks Binance's protocols; see ``tickwire exchange``."""

    host: Unicast = Field(default="127.0.0.1", description="Local address that its servers listen on.")
    seed: Annotated[Count, Field(ge=0, le=2**32)] = Field(default=1, description="Seed of keys, prices and traders.")
    account: AccountName = Field(default="tickwire", description="Name of the account that the keys belong to.")
    quote_balance: Balance = Field(
        default=Decimal(1_000_000),
        description="What the account has of each quote asset on each venue.",
        json_schema_extra=unit("quote currency"),
    )
    base_balance: Balance = Field(
        default=Decimal(100),
        description="What the account has of each base asset on spot.",
        json_schema_extra=unit("base currency"),
    )
    commission: Commission = Field(
        default=Commission.RECEIVED,
        description="received: spot commissions are paid in the asset received; quote: in the quote asset.",
    )
    levels: Annotated[Count, Field(ge=1, le=500)] = Field(
        default=20,
        description="Price levels that makers keep on each side of a book.",
        json_schema_extra=unit("levels"),
    )
    level_quote: Annotated[Exact, Field(gt=0, lt=10**9)] = Field(
        default=Decimal(50_000), description="Mean worth of a level.", json_schema_extra=unit("quote currency")
    )
    half_spread_bps: Annotated[Exact, Field(gt=0, le=1_000)] = Field(
        default=Decimal("0.5"), description="Distance of the best prices from the fair price."
    )
    trades_per_minute: Annotated[Count, Field(ge=0, le=60_000)] = Field(
        default=120, description="Market orders of other traders in each book.", json_schema_extra=unit("orders")
    )
    venues: Mapping[VenueName, SimulatedVenueSettings] = Field(
        default_factory=dict,
        description="Venues that are simulated, each a table of its own; none: those of the profile that can be.",
    )

    @model_validator(mode="after")
    def _venues_can_be_simulated(self) -> Self:
        for name in self.venues:
            if name not in SIMULATED:
                raise ValueError(f"venues names {name}: must be one of {[str(venue) for venue in SIMULATED]}")
        return self

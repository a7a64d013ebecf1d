"""Settings of trading venues."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from config.addresses import AddressSettings
from config.base import Exact, Flag, Milliseconds, Section


class VenueName(StrEnum):
    """Venues that Tickwire knows; one venue is one order book per symbol."""

    BINANCE_SPOT = "binance-spot"
    BINANCE_USDM = "binance-usdm"
    BINANCE_CM = "binance-cm"
    BINANCE_US = "binance-us"
    BYBIT = "bybit"
    BYBIT_SPOT = "bybit-spot"
    COINBASE = "coinbase"
    COINBASE_DERIVATIVES = "coinbase-derivatives"
    DERIBIT = "deribit"
    KRAKEN = "kraken"
    NASDAQ = "nasdaq"
    OKX = "okx"
    STARBASE = "starbase"


FeeBps = Annotated[Exact, Field(gt=-625, le=624)]
"""A fee of the fast loop: below 6.25 % either way, negative for a rebate."""


class VenueSettings(Section):
    """One venue: its fees, and when its quotes are too old to trade on."""

    enabled: Flag = Field(default=True, description="Whether quotes of this venue may cause or fill a leg.")
    taker_fee_bps: FeeBps = Field(description="Fee on an order that takes liquidity; negative for a rebate.")
    maker_fee_bps: FeeBps = Field(description="Fee on an order that provides liquidity; negative for a rebate.")
    maximum_age_ms: Milliseconds = Field(
        default=1_000, description="A quote older than this is not traded on, even if its venue is heard."
    )
    maximum_silence_ms: Milliseconds = Field(
        default=1_000, description="After a longer silence of the venue none of its quotes is traded on."
    )
    addresses: AddressSettings = Field(default=AddressSettings(), description="Where the venue is.")

"""Settings of a generated market."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Final, Self

from pydantic import Field, Strict, model_validator

from config.base import Section

SECOND_NS: Final = 10**9
_JANUARY_2026_NS: Final = 1_767_225_600 * SECOND_NS
_EARLIEST_NS: Final = 10**18
_LATEST_NS: Final = 2**61
"""Receive times that every reader of raw lines accepts: September 2001 to 2043."""

Whole = Annotated[int, Strict()]


class Coin(StrEnum):
    """An underlying that markets are generated of."""

    BTC = "BTC"
    ETH = "ETH"


class CrashSettings(Section):
    """A flash crash: liquidity leaves, a cascade of sales runs down through the book, part of the fall is recovered."""

    at_ns: Whole = Field(ge=0, description="When the fall begins, after the start.")
    drop_bps: Whole = Field(default=500, ge=10, le=2_500, description="Depth of the fall.")
    fall_ns: Whole = Field(default=5 * SECOND_NS, ge=SECOND_NS // 10, description="How long the fall takes.")
    rebound_percent: Whole = Field(default=60, ge=0, le=100, description="Share of the fall that is recovered.")
    rebound_ns: Whole = Field(default=10 * SECOND_NS, ge=SECOND_NS // 10, description="How long the recovery takes.")


class GeneratorSettings(Section):
    """A generated market on Binance spot, USD-M and COIN-M futures."""

    start_ns: Whole = Field(
        default=_JANUARY_2026_NS, ge=_EARLIEST_NS, le=_LATEST_NS, description="Start, ns since the epoch."
    )
    duration_ns: Whole = Field(default=60 * SECOND_NS, ge=SECOND_NS, le=86_400 * SECOND_NS, description="Length.")
    coins: tuple[Coin, ...] = Field(
        default=(Coin.BTC,),
        min_length=1,
        description="What is traded; each coin's lines are the same without the other.",
    )
    price: Whole = Field(
        default=61_700, ge=20_000, le=1_000_000, description="Efficient price of BTC at the start, USD."
    )
    ether_price: Whole = Field(
        default=2_682, ge=1_000, le=50_000, description="Efficient price of ETH at the start, USD."
    )
    activity_percent: Whole = Field(default=100, ge=10, le=1_000, description="Rate of orders against the usual one.")
    news_per_minute: Whole = Field(default=20, ge=0, le=600, description="First moves of the efficient price.")
    dislocations_per_minute: Whole = Field(
        default=3, ge=0, le=600, description="Short departures of one venue's price from the others, per venue."
    )
    crash: CrashSettings | None = Field(default=None, description="A flash crash, if there is to be one.")

    def price_of(self, coin: Coin) -> int:
        """Efficient price of a coin at the start, USD."""
        return self.price if coin is Coin.BTC else self.ether_price

    @model_validator(mode="after")
    def _coins_differ(self) -> Self:
        if len(set(self.coins)) != len(self.coins):
            raise ValueError(f"coins was {[str(coin) for coin in self.coins]}: must name each coin once")
        return self

    @model_validator(mode="after")
    def _crash_fits(self) -> Self:
        crash = self.crash
        if crash is not None and crash.at_ns + crash.fall_ns > self.duration_ns:
            ends_ns = crash.at_ns + crash.fall_ns
            raise ValueError(f"the crash falls until {ends_ns} ns: must end within duration_ns {self.duration_ns}")
        return self

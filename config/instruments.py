"""Settings of instruments: what is traded on several venues, when it triggers, and its limits."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, localcontext
from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator

from config.base import EXACT, Count, Exact, Exponent, Flag, Milliseconds, Section, unit
from config.venues import VenueName

LARGEST_SHIFT = 3
"""A venue's mantissas are at most a thousand times coarser than the engine's counts."""


class Kind(StrEnum):
    """What makes the fast loop trigger."""

    ARB = "arb"
    BASIS = "basis"
    IMBALANCE = "imbalance"


Symbol = Annotated[str, StringConstraints(min_length=1, max_length=32, pattern=r"^[!-~]+$")]
Decimals = Annotated[Count, Field(ge=0, le=12)]
Positive = Annotated[Exact, Field(gt=0, lt=10**12)]
NotNegative = Annotated[Exact, Field(ge=0, lt=10**12)]


class MarketSettings(Section):
    """An instrument on one venue: its symbol there and how its numbers are written."""

    symbol: Symbol = Field(description="Name of the instrument on this venue.")
    price_decimals: Decimals = Field(
        description="Digits after the point of a price, trailing zeros not counted; more are refused.",
        json_schema_extra=unit("digits"),
    )
    quantity_decimals: Decimals = Field(
        description="Digits after the point of a quantity, in base currency also for inverse contracts.",
        json_schema_extra=unit("digits"),
    )
    contract_value_quote: NotNegative = Field(
        default=Decimal(0),
        description="Fixed worth of one inverse contract; 0: quantities are in base currency (linear).",
    )
    contract_size_base: Positive = Field(
        default=Decimal(1),
        description="Size of one linear contract where quantities are in contracts (OKX swaps), a power of ten; "
        "1: quantities are in base currency.",
    )
    message_price_exponent: Exponent = Field(
        default=-8, description="Power of ten of the price mantissas that this venue's quotes carry."
    )
    message_quantity_exponent: Exponent = Field(
        default=-8, description="Power of ten of the quantity mantissas that this venue's quotes carry."
    )
    leads: tuple[VenueName, ...] = Field(
        default=(),
        description="Venues that follow this one: when it moves, only the leg on the follower is sent (basis).",
    )

    @model_validator(mode="after")
    def _mantissas_hold_every_digit(self) -> Self:
        for what in ("price", "quantity"):
            decimals, exponent = getattr(self, f"{what}_decimals"), getattr(self, f"message_{what}_exponent")
            if decimals > -exponent:
                raise ValueError(
                    f"{what}_decimals was {decimals}: must be at most {-exponent}, "
                    f"what message_{what}_exponent = {exponent} can carry"
                )
        digits = self.price_decimals + self.quantity_decimals
        if self.contract_value_quote.scaleb(digits, EXACT) % 1:
            raise ValueError(
                f"contract_value_quote was {self.contract_value_quote}: must have at most {digits} digits after the "
                "point, price_decimals + quantity_decimals"
            )
        size = self.contract_size_base
        if size != Decimal(1).scaleb(size.adjusted()) or size.scaleb(self.quantity_decimals, EXACT) < 1:
            raise ValueError(
                f"contract_size_base was {size}: must be a power of ten and at least one lot, "
                f"10^-{self.quantity_decimals} by quantity_decimals"
            )
        if size != 1 and self.contract_value_quote:
            raise ValueError(
                f"contract_size_base was {size}: must be 1 where contract_value_quote, here "
                f"{self.contract_value_quote}, says what a contract is worth"
            )
        if len(set(self.leads)) != len(self.leads):
            raise ValueError(f"leads was {[str(venue) for venue in self.leads]}: must name each venue once")
        return self


class InstrumentSettings(Section):
    """One instrument: conditions, sizes and limits of the fast loop, and the venues that trade it."""

    enabled: Flag = Field(default=True, description="Whether the instrument may trigger.")
    kinds: tuple[Kind, ...] = Field(
        default=(Kind.ARB, Kind.BASIS), description="Conditions that may trigger, of arb, basis and imbalance."
    )
    price_exponent: Exponent = Field(default=-9, description="Power of ten of the engine's price counts.")
    quantity_exponent: Exponent = Field(default=-9, description="Power of ten of the engine's quantity counts.")
    reference_price: Positive = Field(
        description="Price that turns the settings in basis points and percent into absolute ones.",
        json_schema_extra=unit("quote currency"),
    )
    minimum_edge_bps: Annotated[Exact, Field(ge=-10_000, le=10_000)] = Field(
        default=Decimal(0),
        description="arb: least gain after both taker fees, of the reference price; may be negative.",
    )
    basis_threshold_bps: Annotated[Exact, Field(gt=0, le=10_000)] = Field(
        default=Decimal(3), description="basis: least deviation from the mean basis, of the doubled reference price."
    )
    basis_shift: Annotated[Count, Field(ge=0, le=16)] = Field(
        default=10, description="basis: the mean gives a new sample the weight 2^-shift."
    )
    basis_interval_ms: Milliseconds = Field(default=10, description="basis: least time between samples of the mean.")
    basis_warm_up: Annotated[Count, Field(ge=0, le=65_535)] = Field(
        default=500, description="basis: samples before the mean is trusted.", json_schema_extra=unit("samples")
    )
    imbalance_threshold: Annotated[Exact, Field(gt=0, le=Decimal("0.99996"))] = Field(
        default=Decimal("0.9"),
        description="imbalance: least |bid - ask| / (bid + ask) of the quantities at the top.",
        json_schema_extra=unit("ratio"),
    )
    maximum_spread_bps: Annotated[Exact, Field(ge=0, le=10_000)] = Field(
        default=Decimal(1), description="imbalance: widest spread, of the reference price."
    )
    minimum_quantity: Positive = Field(
        description="A leg that displays less is not traded.", json_schema_extra=unit("base currency")
    )
    maximum_quantity: Positive = Field(
        description="Largest quantity of one leg.", json_schema_extra=unit("base currency")
    )
    collar_pct: Annotated[Exact, Field(gt=0, lt=100)] = Field(
        description="Prices further than this from the reference price are not traded."
    )
    maximum_notional_quote: Annotated[Exact, Field(gt=0, lt=10**15)] = Field(
        description="Bound of price x quantity of one leg: at least the collar's upper price x maximum_quantity."
    )
    cooldown_ms: Milliseconds = Field(default=50, description="Least time between triggers of this instrument.")
    position_limit: NotNegative = Field(
        description="Largest position on one venue, open orders included, long or short.",
        json_schema_extra=unit("base currency"),
    )
    markets: Mapping[VenueName, MarketSettings] = Field(
        min_length=1, description="Venues that trade this instrument, each a table of its own."
    )

    @property
    def price_low(self) -> Decimal:
        """Lower price of the collar, in quote currency."""
        with localcontext(EXACT):
            return self.reference_price * (100 - self.collar_pct) / 100

    @property
    def price_high(self) -> Decimal:
        """Upper price of the collar, in quote currency."""
        with localcontext(EXACT):
            return self.reference_price * (100 + self.collar_pct) / 100

    @model_validator(mode="after")
    def _limits_agree(self) -> Self:
        if self.minimum_quantity > self.maximum_quantity:
            raise ValueError(
                f"minimum_quantity was {self.minimum_quantity}: must be at most "
                f"maximum_quantity = {self.maximum_quantity}"
            )
        for what in ("minimum_quantity", "maximum_quantity", "position_limit"):
            quantity = getattr(self, what)
            if quantity.scaleb(-self.quantity_exponent, EXACT) % 1:
                raise ValueError(
                    f"{what} was {quantity}: must be a whole number of counts, quantity_exponent is "
                    f"{self.quantity_exponent}"
                )
        largest = EXACT.multiply(self.price_high, self.maximum_quantity)
        if largest > self.maximum_notional_quote:
            raise ValueError(
                f"maximum_notional_quote was {self.maximum_notional_quote}: must be at least {largest}, "
                f"which is the collar's upper price {self.price_high} x maximum_quantity {self.maximum_quantity}"
            )
        if len(set(self.kinds)) != len(self.kinds):
            raise ValueError(f"kinds was {[str(kind) for kind in self.kinds]}: must name each kind once")
        return self

    @model_validator(mode="after")
    def _markets_agree(self) -> Self:
        for venue, market in self.markets.items():
            for what in ("price", "quantity"):
                message, own = getattr(market, f"message_{what}_exponent"), getattr(self, f"{what}_exponent")
                if not 0 <= message - own <= LARGEST_SHIFT:
                    raise ValueError(
                        f"markets.{venue}.message_{what}_exponent was {message}: must be {own} to "
                        f"{own + LARGEST_SHIFT}, {what}_exponent and at most {LARGEST_SHIFT} above it"
                    )
            for follower in market.leads:
                if follower == venue or follower not in self.markets:
                    others = [str(name) for name in self.markets if name != venue]
                    raise ValueError(
                        f"markets.{venue}.leads names {follower}: must be another venue of this instrument, "
                        f"one of {others}"
                    )
        return self

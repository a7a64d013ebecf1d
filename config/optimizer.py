"""Settings of the optimizer: what is searched, how it is judged, and where the trials run."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Final, Self

from pydantic import Field, StringConstraints, model_validator

from config.base import EXACT, Count, Exact, Section, unit
from config.instruments import NotNegative

EntryName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=32)]
SettingName = Annotated[
    str, StringConstraints(pattern=r"^(detector|strategies|risk)(\.[A-Za-z0-9_-]+)+$", max_length=128)
]
SchedulerAddress = Annotated[
    str, StringConstraints(pattern=r"^((tcp|tls)://(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+):[0-9]{1,5})?$", max_length=256)
]
Pause = Annotated[Count, Field(ge=0, le=86_400)]
MOST_VALUES: Final = 10_000
"""Values of one parameter."""


class Search(StrEnum):
    """How parameters are drawn; see docs/optimiser.md."""

    QUICK = "quick"
    RANDOM = "random"
    BAYESIAN = "bayesian"


class Objective(StrEnum):
    """What is to be high."""

    SHARPE = "sharpe"
    SORTINO = "sortino"
    GAIN = "gain"
    GAIN_PER_DRAWDOWN = "gain-per-drawdown"


class Validation(StrEnum):
    """How data that choose parameters are kept apart from data that judge them."""

    WALK_FORWARD = "walk-forward"
    PURGED = "purged"


class SpaceSettings(Section):
    """One parameter: the setting that it is, and either its values or a range."""

    setting: SettingName = Field(description="The setting, such as strategies.market_making.spread.")
    values: tuple[Exact, ...] = Field(default=(), description="Values to choose from.")
    low: Exact = Field(default=Decimal(0), description="Lowest value, without values.")
    high: Exact = Field(default=Decimal(0), description="Highest value, without values.")
    step: NotNegative = Field(default=Decimal(0), description="Distance of the values between both.")

    @model_validator(mode="after")
    def _one_form(self) -> Self:
        if self.values:
            if self.step or self.low or self.high:
                raise ValueError("values excludes low, high and step: give one of both forms")
            if len(set(self.values)) != len(self.values):
                raise ValueError(f"values was {[str(value) for value in self.values]}: must name each value once")
        elif not self.step or self.high <= self.low:
            raise ValueError(
                f"step was {self.step}, low {self.low}, high {self.high}: must be values, or a step above 0 from low "
                "to a higher high"
            )
        elif (self.high - self.low) / self.step >= MOST_VALUES:
            raise ValueError(f"step was {self.step}: must leave at most {MOST_VALUES:,} values between low and high")
        return self

    def choices(self) -> tuple[Decimal, ...]:
        """All values, in order for a range."""
        if self.values:
            return self.values
        count = int((self.high - self.low) / self.step) + 1
        return tuple(EXACT.add(self.low, EXACT.multiply(self.step, Decimal(number))) for number in range(count))


class OptimizerSettings(Section):
    """The search for parameters of strategies."""

    search: Search = Field(
        default=Search.BAYESIAN,
        description="quick: one random draw; random: independent draws; bayesian: TPE, with pruning.",
    )
    trials: Annotated[Count, Field(ge=0, le=1_000_000)] = Field(
        default=0,
        description="Trials of each search; 0: 1 quick, 500 random, 200 bayesian.",
        json_schema_extra=unit("trials"),
    )
    seed: Annotated[Count, Field(ge=0, le=2**32 - 1)] = Field(
        default=1, description="Of the draws.", json_schema_extra=unit("seed")
    )
    workers: Annotated[Count, Field(ge=0, le=1_024)] = Field(
        default=0, description="Processes that run trials; 0: one per core.", json_schema_extra=unit("processes")
    )
    cluster: SchedulerAddress = Field(
        default="",
        description="Address of a Dask scheduler whose workers run the trials instead, such as tcp://HOST:8786.",
    )
    objective: Objective = Field(
        default=Objective.SHARPE, description="What is to be high, of the equity's changes per sample."
    )
    currency: str = Field(default="", description="Whose equity it is, where several are traded.")
    maximum_drawdown: NotNegative = Field(
        default=Decimal(0),
        description="Parameters whose equity falls further do not win; 0: any fall.",
        json_schema_extra=unit("quote currency"),
    )
    minimum_trades: Annotated[Count, Field(ge=1, le=1_000_000_000)] = Field(
        default=1,
        description="Fills that make a position smaller; parameters with fewer do not win.",
        json_schema_extra=unit("trades"),
    )
    validation: Validation = Field(
        default=Validation.WALK_FORWARD, description="How training is kept apart from testing."
    )
    folds: Annotated[Count, Field(ge=1, le=100)] = Field(
        default=3,
        description="Searches that are judged on data that they have not seen.",
        json_schema_extra=unit("folds"),
    )
    purge_s: Pause = Field(default=30, description="Left out of the training before a test begins.")
    embargo_s: Pause = Field(default=60, description="Left out of the training after a test ends, besides.")
    pruning_steps: Annotated[Count, Field(ge=0, le=1_000)] = Field(
        default=8,
        description="Looks at a trial, evenly over its training; it may be ended at all but the last. 0: none.",
        json_schema_extra=unit("looks"),
    )
    pruning_startup: Annotated[Count, Field(ge=1, le=1_000_000)] = Field(
        default=10, description="Complete trials before any is ended early.", json_schema_extra=unit("trials")
    )
    overfitting_blocks: Annotated[Count, Field(ge=2, le=20)] = Field(
        default=16,
        description="Blocks that the probability of overfitting combines; even.",
        json_schema_extra=unit("blocks"),
    )
    space: Mapping[EntryName, SpaceSettings] = Field(
        default_factory=dict,
        description="What is searched, by any names; none: the documented space of the flash-crash trader.",
    )

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.overfitting_blocks % 2:
            raise ValueError(f"overfitting_blocks was {self.overfitting_blocks}: must be even")
        if self.validation is Validation.PURGED and self.folds < 2:
            raise ValueError(f"folds was {self.folds}: must be at least 2 with validation purged")
        owners: dict[str, str] = {}
        for name, entry in self.space.items():
            other = owners.setdefault(entry.setting, name)
            if other != name:
                raise ValueError(f"space.{name}.setting was {entry.setting}: must not be that of space.{other} too")
        return self

    @property
    def budget(self) -> int:
        """Trials of each search."""
        return self.trials or {Search.QUICK: 1, Search.RANDOM: 500, Search.BAYESIAN: 200}[self.search]

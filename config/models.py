"""Settings of models that predict what a market does next."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator

from config.base import Count, Exact, Flag, Section, unit
from config.instruments import Positive
from config.venues import VenueName

ModelName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=32)]
Probability = Annotated[Exact, Field(gt=0, lt=1)]
Distance = Annotated[Exact, Field(gt=0, le=1_000)]
RATIO = unit("ratio")


class ModelMode(StrEnum):
    """What a model may do."""

    SHADOW = "shadow"
    FILTER = "filter"
    ACTIVE = "active"


class ModelBackend(StrEnum):
    """What computes predictions of a live run."""

    AUTO = "auto"
    CPU = "cpu"
    GPU = "gpu"


class ModelTradingSettings(Section):
    """How an active model trades."""

    quantity: Positive = Field(description="Quantity of a trade.", json_schema_extra=unit("base currency"))
    take_profit_bps: Distance = Field(default=Decimal(5), description="Gain at which a position is left.")
    stop_bps: Distance = Field(default=Decimal(5), description="Loss at which it is left.")
    shorts: Flag = Field(default=False, description="Whether it may sell what it does not hold.")


class ModelSettings(Section):
    """A model that watches one market."""

    folder: str = Field(min_length=1, description="Folder of `tickwire train`; of a dataset with --grid-ms.")
    instrument: str = Field(description="Of which instrument.")
    venue: VenueName = Field(description="Where.")
    normalise_as: str = Field(default="", description="Market of the model's card; empty: VENUE SYMBOL.")
    mode: ModelMode = Field(
        default=ModelMode.SHADOW,
        description="shadow: predictions are compared with what comes; filter: they also refuse openings of other "
        "strategies; active: they also trade.",
    )
    act_above: Probability = Field(
        default=Decimal("0.7"), description="Probability above which an active model trades.", json_schema_extra=RATIO
    )
    filter_above: Probability = Field(
        default=Decimal("0.6"),
        description="Probability of the opposite move above which an opening is refused.",
        json_schema_extra=RATIO,
    )
    latency_us: Annotated[Count, Field(ge=1, le=10_000_000)] = Field(
        default=5_000, description="From a row until its prediction counts; one that comes later never does."
    )
    backend: ModelBackend = Field(
        default=ModelBackend.AUTO,
        description="What computes in paper and live: cpu: ONNX Runtime; gpu: a kernel that stays there; auto: the GPU "
        "where there is one that can, else the CPU. A backtest always takes the CPU.",
    )
    drift_rows: Annotated[Count, Field(ge=50, le=1_000_000)] = Field(
        default=3_000,
        description="Rows whose inputs are compared with those of the training.",
        json_schema_extra=unit("rows"),
    )
    drift_limit: Annotated[Exact, Field(gt=0, le=100)] = Field(
        default=Decimal("0.5"),
        description="Population stability index, mean over features, above which the model drops to shadow.",
        json_schema_extra=unit("nats"),
    )
    judged: Annotated[Count, Field(ge=50, le=1_000_000)] = Field(
        default=1_000,
        description="Newest predictions whose calibration is watched.",
        json_schema_extra=unit("predictions"),
    )
    calibration_limit: Probability = Field(
        default=Decimal("0.15"),
        description="Calibration error beyond that of the card above which the model drops to shadow.",
        json_schema_extra=RATIO,
    )
    trading: ModelTradingSettings | None = Field(default=None, description="Of an active model.")

    @model_validator(mode="after")
    def _can_act(self) -> Self:
        if self.mode is ModelMode.ACTIVE and self.trading is None:
            raise ValueError("mode was active: trading must say how much is traded")
        return self


class ModelsSettings(Section):
    """Models that predict what markets do next."""

    watching: Mapping[ModelName, ModelSettings] = Field(default_factory=dict, description="Models, by any names.")

"""The card of a model: what it was made of, what it expects, and how good it was out of sample."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from gpu.models.weights import Singles
from market.errors import MissingInput, Rejected
from orchestrator.research.datasets.features import Form, Normalisation
from orchestrator.research.datasets.header import SamplingHeader, TargetHeader
from orchestrator.research.datasets.labels import Floats

FORMAT: Final = "tickwire-model"
VERSION: Final = 1
CARD_FILE: Final = "card.json"
WEIGHTS_FILE: Final = "model.weights"
WINDOWS_FILE: Final = "windows.onnx"
STRETCH_FILE: Final = "stretch.onnx"
DIGESTED: Final = (WEIGHTS_FILE, WINDOWS_FILE, STRETCH_FILE)
DECILES: Final = 9


def bins_of(inputs: Floats | Singles, deciles: Floats) -> NDArray[np.int8]:
    """int8[n, features]: how many deciles, float64[features, 9], each value of [n, features] is above."""
    found: NDArray[np.int8] = (inputs[:, :, None] > deciles[None]).sum(axis=2, dtype=np.int8)
    return found


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class MarketCard(_Part):
    """One market of the dataset.

    Parameters
    ----------
    price_decimals, quantity_decimals: of its ticks and lots.
    trained: whether the model was fitted on it. samples: of it that the model was fitted on.
    first_ns, until_ns: times of the rows that decided about normalisation and alpha, and of samples to fit on.
    alpha: threshold of its labels. means, deviations: its normalisation.
    """

    name: str
    file: str
    price_decimals: int
    quantity_decimals: int
    trained: bool
    samples: int = Field(ge=0)
    first_ns: int
    until_ns: int
    alpha: float = Field(ge=0)
    means: tuple[float, ...]
    deviations: tuple[float, ...]

    @property
    def normalisation(self) -> Normalisation:
        """That of the training part."""
        return Normalisation(self.means, self.deviations)


class TrainingCard(_Part):
    """How it was trained.

    Parameters
    ----------
    epochs: that were run. best_epoch: the one whose weights were kept, from 1 on.
    validation_loss: of it. temperature: what logits were divided by, chosen on validation samples and part of the
        weights. torch: version of PyTorch.
    """

    seed: int
    epochs: int = Field(ge=1)
    best_epoch: int = Field(ge=1)
    validation_loss: float
    temperature: float = Field(gt=0)
    class_weights: str
    learning_rate: float
    weight_decay: float
    dropout: float
    torch: str


class Card(_Part):
    """A model.

    Parameters
    ----------
    name: of its size. kind, shape: as in its weight file. dataset: SHA-256 of the dataset's header.
    window, horizon, levels, form, sampling: of the rows that it sees.
    deciles, shares: float[features][9] of the normalised inputs of the samples that it was fitted on, and
        float[features][10], the share of them above so many deciles: to notice other inputs.
    calibration_error: on validation samples. scores: by market, part and measure. digests: SHA-256 by file.
    crash: of a model that says whether a crash comes, in the place of a move down; None of one of moves.
    """

    format: Literal["tickwire-model"] = FORMAT
    version: Literal[1] = VERSION
    name: str
    kind: str
    shape: dict[str, int]
    parameters: int = Field(ge=1)
    dataset: str
    window: int = Field(ge=2)
    horizon: int = Field(ge=1)
    levels: int = Field(ge=1)
    form: Form
    sampling: SamplingHeader
    markets: tuple[MarketCard, ...] = Field(min_length=1)
    training: TrainingCard
    deciles: tuple[tuple[float, ...], ...]
    shares: tuple[tuple[float, ...], ...]
    calibration_error: float = Field(ge=0)
    scores: dict[str, Any]
    digests: dict[str, str]
    crash: TargetHeader | None = None

    @model_validator(mode="after")
    def _widths_agree(self) -> Card:
        features = 4 * self.levels
        if len(self.deciles) != features or any(len(each) != DECILES for each in self.deciles):
            raise ValueError(f"deciles: must be {features} times {DECILES}")
        if len(self.shares) != features or any(len(each) != DECILES + 1 for each in self.shares):
            raise ValueError(f"shares: must be {features} times {DECILES + 1}")
        if any(len(market.means) != features or len(market.deviations) != features for market in self.markets):
            raise ValueError(f"markets: means and deviations must be {features}")
        return self

    def market(self, name: str) -> MarketCard:
        """The normalisation of a market; raises Rejected for one that the model has not seen."""
        for market in self.markets:
            if market.name == name:
                return market
        known = ", ".join(repr(market.name) for market in self.markets)
        raise Rejected(f"the model has no normalisation of market {name!r}: it has {known}")

    def plain(self) -> dict[str, Any]:
        """For JSON; nothing of crashes of a model of moves."""
        return self.model_dump(mode="json", exclude={"crash"} if self.crash is None else None)

    def text(self) -> str:
        """As it stands in its file."""
        return json.dumps(self.plain(), indent=1, allow_nan=False) + "\n"


def read_card(folder: Path) -> Card:
    """The card of a model; raises MissingInput when there is none, Rejected when it is of another version or wrong."""
    path = folder / CARD_FILE
    try:
        text = path.read_text(encoding="utf-8")
        found: Any = json.loads(text)
    except OSError as error:
        raise MissingInput(f"{path} cannot be read: {error.strerror}; `tickwire train` writes models") from error
    except ValueError as error:
        raise Rejected(f"{path} is no JSON: {error}") from error
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise Rejected(f"{path} is no card of a model: its format must be {FORMAT!r}")
    if found.get("version") != VERSION:
        raise Rejected(f"{path} has version {found.get('version')!r}, this reader knows version {VERSION}")
    try:
        return Card.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"]) or "card"
        raise Rejected(f"{path}: {field}: {first['msg']}") from error

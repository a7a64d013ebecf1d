"""The header of a dataset: everything that one must know to read its arrays, as JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from market.errors import MissingInput, Rejected
from orchestrator.research.datasets.features import Form, Normalisation

FORMAT: Final = "tickwire-dataset"
VERSION: Final = 1
HEADER_FILE: Final = "header.json"
_DIGEST: Final = r"^[0-9a-f]{64}$"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class SamplingHeader(_Part):
    """``book_rows.Sampling``."""

    every: int = Field(ge=1)
    grid_ns: int = Field(ge=0)
    silence_ns: int = Field(ge=1)


class SplitHeader(_Part):
    """Receive times at which the validation part and the test part begin; see ``parts``."""

    validation_ns: int
    test_ns: int


class MarketHeader(_Part):
    """One market.

    Parameters
    ----------
    file: name of the recording. alpha: threshold of its labels.
    parts: samples by part. classes: labels of the training part by class: down, same, up.
    means, deviations: the normalisation, fitted on the rows of the training part.
    digests: SHA-256 of each array's file by the array's name.
    """

    name: str
    file: str
    price_decimals: int
    quantity_decimals: int
    rows: int = Field(ge=0)
    segments: int = Field(ge=0)
    alpha: float = Field(ge=0)
    parts: dict[str, int]
    classes: tuple[int, int, int] = Field(strict=False)
    means: tuple[float, ...] = Field(strict=False)
    deviations: tuple[float, ...] = Field(strict=False)
    digests: dict[str, str]

    @property
    def normalisation(self) -> Normalisation:
        """Fitted on the rows of the training part."""
        return Normalisation(self.means, self.deviations)


class Header(_Part):
    """A dataset.

    Parameters
    ----------
    window, horizon: rows that a sample sees and looks ahead.
    balanced: whether alpha was chosen on the training part, so that the classes are balanced.
    """

    format: Literal["tickwire-dataset"] = FORMAT
    version: Literal[1] = VERSION
    levels: int = Field(ge=1)
    form: Form = Field(strict=False)
    window: int = Field(ge=2)
    horizon: int = Field(ge=1)
    balanced: bool
    sampling: SamplingHeader
    split: SplitHeader
    markets: tuple[MarketHeader, ...] = Field(strict=False, min_length=1)

    @model_validator(mode="after")
    def _widths_agree(self) -> Header:
        for market in self.markets:
            if len(market.means) != 4 * self.levels or len(market.deviations) != 4 * self.levels:
                raise ValueError(
                    f"market {market.name}: {len(market.means)} means and {len(market.deviations)} deviations, "
                    f"but {self.levels} levels have {4 * self.levels} features"
                )
            if not all(deviation > 0 for deviation in market.deviations):
                raise ValueError(f"market {market.name}: deviations must be above 0")
        return self

    def text(self) -> str:
        """As it stands in its file."""
        return json.dumps(self.model_dump(mode="json"), indent=1, allow_nan=False) + "\n"


def read_header(folder: Path) -> Header:
    """The header of a dataset.

    Raises MissingInput when there is none, Rejected when it is of another version or wrong.
    """
    path = folder / HEADER_FILE
    try:
        found: Any = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise MissingInput(f"{path} cannot be read: {error.strerror}; `tickwire dataset` writes datasets") from error
    except ValueError as error:
        raise Rejected(f"{path} is no JSON: {error}") from error
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise Rejected(f"{path} is no header of a dataset: its format must be {FORMAT!r}")
    if found.get("version") != VERSION:
        raise Rejected(
            f"{path} has version {found.get('version')!r}, this reader knows version {VERSION}: build it anew"
        )
    try:
        return Header.model_validate(found)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"]) or "header"
        raise Rejected(f"{path}: {field}: {first['msg']}") from error

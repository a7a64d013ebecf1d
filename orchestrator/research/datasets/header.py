"""The header of a dataset: everything that one must know to read its arrays, as JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from config.scenarios import ScenarioKind
from market.errors import MissingInput, Rejected
from orchestrator.research.datasets.crash_labels import CrashTarget, Fall, Until
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


class TargetHeader(_Part):
    """``crash_labels.CrashTarget``: what a dataset or model of crashes is asked."""

    within_ns: int = Field(ge=1)
    until: Until = Field(strict=False)

    @property
    def target(self) -> CrashTarget:
        """What is asked."""
        return CrashTarget(self.within_ns, self.until)


class FallHeader(_Part):
    """``crash_labels.Fall``."""

    begin_ns: int
    half_ns: int
    end_ns: int

    @property
    def fall(self) -> Fall:
        """The truth."""
        return Fall(self.begin_ns, self.half_ns, self.end_ns)


class SessionHeader(_Part):
    """One generated session.

    Parameters
    ----------
    kind, seed: what ``tickwire simulate`` makes it again of. part: what its samples are for.
    first, rows: its rows in the arrays. fall: None without a crash.
    """

    kind: ScenarioKind = Field(strict=False)
    seed: int
    part: str = Field(pattern="^(training|validation|test)$")
    first: int = Field(ge=0)
    rows: int = Field(ge=1)
    fall: FallHeader | None


class CrashHeader(_Part):
    """A dataset of crashes: what labels say, and its sessions in order of time."""

    target: TargetHeader
    sessions: tuple[SessionHeader, ...] = Field(strict=False, min_length=1)


class Header(_Part):
    """A dataset.

    Parameters
    ----------
    window, horizon: rows that a sample sees and looks ahead.
    balanced: whether alpha was chosen on the training part, so that the classes are balanced.
    crash: where labels say whether a crash comes; None: they say what the mid does next.
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
    crash: CrashHeader | None = None

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

    @model_validator(mode="after")
    def _sessions_follow_one_another(self) -> Header:
        if self.crash is None:
            return self
        if len(self.markets) != 1:
            raise ValueError(f"crash: {len(self.markets)} markets, sessions are of one")
        first = 0
        for number, session in enumerate(self.crash.sessions):
            if session.first != first:
                raise ValueError(
                    f"crash.sessions.{number}.first is {session.first}: the sessions before end at {first}"
                )
            first += session.rows
        if first != self.markets[0].rows:
            raise ValueError(f"crash.sessions have {first} rows, the market {self.markets[0].rows}")
        return self

    def plain(self) -> dict[str, Any]:
        """For JSON; nothing of crashes where labels are of moves."""
        return self.model_dump(mode="json", exclude={"crash"} if self.crash is None else None)

    def text(self) -> str:
        """As it stands in its file."""
        return json.dumps(self.plain(), indent=1, allow_nan=False) + "\n"


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

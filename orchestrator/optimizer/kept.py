"""What runs left, kept in files by their parameters: none is run twice, whatever search asks for it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from market.errors import MissingInput
from orchestrator.optimizer.series import Series


class KeptRuns:
    """Series of runs in a folder, by the values of their settings; each file is there whole or not at all."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get(self, values: Mapping[str, Decimal], until: int) -> Series | None:
        """The first samples of a run, None when not so many are known; raises MissingInput for a damaged file."""
        path = self._path(values)
        try:
            with np.load(path) as arrays:
                series = Series(arrays["changes"], arrays["trades"], arrays["fills"])
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, BadZipFile) as error:
            raise MissingInput(f"{path} is damaged ({error}): remove it, and its run is done again") from error
        if series.length < until:
            return None
        return Series(series.changes[:until], series.trades[:until], series.fills[:until])

    def put(self, values: Mapping[str, Decimal], series: Series) -> None:
        """Keep a run unless a longer one is known; raises MissingInput when it cannot be written."""
        if self.get(values, series.length) is not None:
            return
        path = self._path(values)
        part = path.with_name(f".{path.name}.part")
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with part.open("wb") as file:
                np.savez(file, changes=series.changes, trades=series.trades, fills=series.fills)
            part.replace(path)
        except OSError as error:
            raise MissingInput(f"{path} cannot be written: {error.strerror or error}") from error
        finally:
            part.unlink(missing_ok=True)

    def _path(self, values: Mapping[str, Decimal]) -> Path:
        told = json.dumps({setting: f"{value.normalize():f}" for setting, value in sorted(values.items())})
        return self._folder / f"{hashlib.sha256(told.encode()).hexdigest()[:32]}.npz"

"""Settings of execution and of folders."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

from pydantic import Field

from config.base import Section


class Mode(StrEnum):
    """Which feed, clock and gateway are plugged into the one run loop."""

    BACKTEST = "backtest"
    PAPER = "paper"
    LIVE = "live"


class ExecutionSettings(Section):
    """Where orders go."""

    mode: Mode = Field(
        default=Mode.BACKTEST,
        description="backtest: recordings, simulated fills; paper: live feeds, simulated fills; live: real orders.",
    )


class PathSettings(Section):
    """Folders, relative to the working directory unless absolute."""

    output: Path = Field(default=Path("out"), description="Folder that results are written to.")

"""Gathers what a session produces, in bounded memory: what is kept whole goes to Parquet files as it comes."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from market.pipeline.samples import Samples
from market.wire.records import Rows
from orchestrator.replay.chart_data import ChartData
from orchestrator.replay.markouts import Markouts
from orchestrator.replay.opportunities import Opportunities
from orchestrator.replay.parquet import ParquetFile
from orchestrator.replay.signals import SignalRanges, signal_columns
from orchestrator.replay.triggers import trigger_table

FILES: Final = ("quotes", "triggers", "opportunities", "signals")


class Collector:
    """The sink of a replay.

    Parameters
    ----------
    folder: where quotes, triggers, opportunities and signals go as Parquet; None keeps no files.
    charts: what a report shows of quotes and signals; None keeps nothing.
    """

    def __init__(self, folder: Path | None = None, charts: ChartData | None = None) -> None:
        self.charts = charts
        self.markouts = Markouts()
        self.opportunities = Opportunities()
        self.signals = SignalRanges()
        self.triggers: list[NDArray[Any]] = []
        self._new_triggers: list[NDArray[Any]] = []
        self._files: dict[str, ParquetFile] = {}
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
            self._files = {name: ParquetFile(folder / f"{name}.parquet") for name in FILES}

    def outputs(self, payloads: list[bytes]) -> None:
        """Take payloads of the engine."""
        table = trigger_table(payloads)
        if len(table):
            self.triggers.append(table)
            self._new_triggers.append(table)
            if self._files:
                self._files["triggers"].write({name: table[name] for name in table.dtype.names or ()})

    def quotes(self, rows: Rows) -> None:
        """Take quote rows; the triggers that came before belong to the same stretch of time."""
        triggers = np.concatenate(self._new_triggers) if self._new_triggers else trigger_table([])
        self._new_triggers.clear()
        self.markouts.add(triggers, rows)
        if self.charts is not None:
            self.charts.add(rows)
        if self._files and len(rows):
            self._files["quotes"].write(quote_columns(rows))

    def changes(self, rows: Rows) -> None:
        """Take opportunity changes."""
        self.opportunities.add(rows)
        if self._files and len(rows):
            names = ("time_ns", "instrument", "kind", "seller", "buyer", "opened")
            self._files["opportunities"].write(dict(zip(names, rows.T, strict=True)))

    def samples(self, samples: Samples) -> None:
        """Take samples of the market signals."""
        self.signals.add(samples)
        if self.charts is not None:
            self.charts.add_samples(samples)
        if self._files:
            self._files["signals"].write(signal_columns(samples))

    def finish(self) -> None:
        """Measure what still waits and close the files."""
        self.markouts.finish()
        for file in self._files.values():
            file.close()


def quote_columns(rows: Rows) -> dict[str, NDArray[Any]]:
    """Quote rows as named columns, with the imbalance and microprice of each valid quote.

    imbalance is ``(bid quantity - ask quantity) / (bid quantity + ask quantity)``; microprice is
    ``bid + spread * bid quantity / (bid quantity + ask quantity)``, in engine counts; NaN for a withdrawn quote.
    """
    names = ("time_ns", "instrument", "venue", "sequence", "bid", "bid_quantity", "ask", "ask_quantity")
    columns: dict[str, NDArray[Any]] = dict(zip(names, rows.T, strict=True))
    bid_quantity, ask_quantity = rows[:, 5].astype(np.float64), rows[:, 7].astype(np.float64)
    total = np.where((rows[:, 5] > 0) & (rows[:, 7] > 0), bid_quantity + ask_quantity, np.nan)
    columns["imbalance"] = (bid_quantity - ask_quantity) / total
    columns["microprice"] = rows[:, 4] + (rows[:, 6] - rows[:, 4]) * (bid_quantity / total)
    return columns

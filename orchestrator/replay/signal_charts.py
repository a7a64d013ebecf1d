"""The charts of market signals: each over time, venue by venue."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from market.signals.outputs import Output
from orchestrator.pages import svg
from orchestrator.pages.parts import Figure
from orchestrator.pages.svg import BOTTOM, TOP, Scale
from orchestrator.replay.chart_data import CHARTED, ChartData
from orchestrator.replay.charts import Curve, limits_of, time_chart

SIGNAL_HEIGHT: Final = 200
_TITLES: Final = {
    Output.CVD: "trade flow, bought less sold over the window, in base currency",
    Output.VPIN: "VPIN, from 0 to 1",
}


def signal_figures(data: ChartData, instrument: int) -> Iterator[Figure]:
    """The charted signals of an instrument; one without any value is left out."""
    for output in CHARTED:
        figure = _figure(data, instrument, output)
        if figure is not None:
            yield figure


def _figure(data: ChartData, instrument: int, output: Output) -> Figure | None:
    curves = [
        Curve(data.naming.venues[venue], venue, low, high)
        for (number, venue, charted), (low, high) in sorted(data.signals.curves.items())
        if number == instrument and charted is output and not np.all(np.isnan(low))
    ]
    if not curves:
        return None
    name, grid = data.naming.instruments[instrument], data.signals.grid
    y = Scale(*limits_of(curves), SIGNAL_HEIGHT - BOTTOM, TOP)
    return Figure(
        f"{name}: {_TITLES[output]}",
        f"Lowest to highest sample per {svg.rounded_duration(grid.width_ns)}; times in UTC.",
        time_chart(curves, grid, y, SIGNAL_HEIGHT, f"{output.name} of {name} by venue"),
        tuple((f"s{curve.series}", curve.name) for curve in curves),
    )

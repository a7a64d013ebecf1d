"""Charts over time that are zoomed by dragging: what is drawn inside has milliseconds for x and pixels for y."""

from __future__ import annotations

import json
from dataclasses import dataclass
from html import escape
from typing import Final

import numpy as np

from orchestrator.pages import svg
from orchestrator.pages.svg import BOTTOM, LEFT, RIGHT, TOP, WIDTH, Scale

_NS_PER_MS: Final = 1_000_000
PLOT_WIDTH: Final = WIDTH - LEFT - RIGHT


@dataclass(frozen=True)
class Plot:
    """A chart's place in time and value.

    Parameters
    ----------
    first_ns, last_ns: ends of the time axis. low, high: of the value axis. height: of the whole chart, in pixels.
    """

    first_ns: int
    last_ns: int
    low: float
    high: float
    height: float

    @property
    def inner(self) -> float:
        """Height of the drawing."""
        return self.height - TOP - BOTTOM

    @property
    def span_ms(self) -> int:
        """Width of the drawing."""
        return max((self.last_ns - self.first_ns) // _NS_PER_MS, 1)

    def x(self, time_ns: int) -> int:
        """Place of a time, at the edge for one outside."""
        return min(max((time_ns - self.first_ns) // _NS_PER_MS, 0), self.span_ms)

    def y(self, value: float) -> float:
        """Place of a value, at the edge for one outside."""
        inside = min(max(value, self.low), self.high)
        return round((self.high - inside) / (self.high - self.low) * self.inner, 2)


def plotted(plot: Plot, body: str, label: str) -> str:
    """The chart.

    Parameters
    ----------
    body: drawn in milliseconds from the start and pixels from the top; lines keep their width when zoomed.
    """
    y = Scale(plot.low, plot.high, plot.height - BOTTOM, TOP)
    x = Scale(plot.first_ns, plot.first_ns + plot.span_ms * _NS_PER_MS, LEFT, WIDTH - RIGHT)
    ticks = svg.even_ticks(plot.low, plot.high, max(2, round(plot.height / 40)))
    step = ticks[1] - ticks[0] if len(ticks) > 1 else plot.high - plot.low
    times = [(x.pixel(time_ns), name) for time_ns, name in svg.time_ticks(plot.first_ns, round(x.high))]
    values = [(y.pixel(value), svg.value_text(value, step)) for value in ticks]
    told = {
        "start": str(plot.first_ns),
        "span": plot.span_ms,
        "low": plot.low,
        "high": plot.high,
        "inner": plot.inner,
        "digits": max(0, min(8, 1 - int(np.floor(np.log10(step))))),
    }
    data = escape(json.dumps(told, separators=(",", ":"), allow_nan=False))
    inside = (
        f'<svg class="plot" x="{LEFT}" y="{TOP}" width="{PLOT_WIDTH}" height="{plot.inner:g}" '
        f'viewBox="0 0 {plot.span_ms} {plot.inner:g}" preserveAspectRatio="none">{body}</svg>'
    )
    return svg.chart(svg.axes(times, values, plot.height) + inside, plot.height, label, f'data-zoom="{data}"')

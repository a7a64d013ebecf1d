"""Parts of charts as SVG text: scales, axes, bands, marks. Colours are left to style sheets, by class."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

WIDTH: Final = 960
LEFT: Final = 72
RIGHT: Final = 14
TOP: Final = 12
BOTTOM: Final = 26

_LABEL_HALF: Final = 30
"""Room that half a label on the horizontal axis may need."""
_NS_PER_S: Final = 1_000_000_000
_TIME_STEPS_NS: Final = tuple(
    step * unit
    for unit, steps in (
        (1, (1, 2, 5, 10, 20, 50, 100, 200, 500)),
        (1_000, (1, 2, 5, 10, 20, 50, 100, 200, 500)),
        (1_000_000, (1, 2, 5, 10, 20, 50, 100, 200, 500)),
        (_NS_PER_S, (1, 2, 5, 10, 15, 30)),
        (60 * _NS_PER_S, (1, 2, 5, 10, 15, 30)),
        (3600 * _NS_PER_S, (1, 2, 3, 6, 12, 24, 48, 120, 240)),
    )
    for step in steps
)


@dataclass(frozen=True)
class Scale:
    """Maps values to pixels, evenly or by their logarithm.

    Parameters
    ----------
    low, high: values at the pixels ``start`` and ``end``; above 0 if ``logarithmic``.
    """

    low: float
    high: float
    start: float
    end: float
    logarithmic: bool = False

    def pixel(self, value: float) -> float:
        """Place of a value."""
        low, high = self.low, self.high
        if self.logarithmic:
            low, high, value = math.log(low), math.log(high), math.log(value)
        return self.start + (value - low) / (high - low) * (self.end - self.start)


def even_ticks(low: float, high: float, wanted: int = 5) -> list[float]:
    """Round values within a range, about as many as wanted."""
    rough = (high - low) / max(wanted, 1)
    power = 10.0 ** math.floor(math.log10(rough))
    step = min((factor * power for factor in (1, 2, 5, 10)), key=lambda step: abs(math.log(step / rough)))
    first = math.ceil(low / step - 1e-9)
    return [index * step for index in range(first, math.floor(high / step + 1e-9) + 1)]


def decade_ticks(low: float, high: float) -> list[float]:
    """Powers of ten within a range."""
    first, last = math.ceil(math.log10(low) - 1e-9), math.floor(math.log10(high) + 1e-9)
    return [10.0**power for power in range(first, last + 1)]


def time_ticks(start_ns: int, end_ns: int, wanted: int = 8) -> list[tuple[int, str]]:
    """Round times within a range, and their texts."""
    step = next((step for step in _TIME_STEPS_NS if (end_ns - start_ns) / step <= wanted), _TIME_STEPS_NS[-1])
    first = -(-start_ns // step) * step
    return [(time_ns, time_of_day(time_ns, step)) for time_ns in range(first, end_ns + 1, step)]


def time_of_day(time_ns: int, resolution_ns: int = 1_000_000) -> str:
    """UTC time of day with as many digits as the resolution asks for."""
    seconds, rest_ns = divmod(time_ns, _NS_PER_S)
    digits = max(0, 9 - int(math.log10(resolution_ns))) if resolution_ns < _NS_PER_S else 0
    fraction = f".{rest_ns:09}"[: digits + 1] if digits else ""
    return f"{datetime.fromtimestamp(seconds, UTC):%H:%M:%S}{fraction}"


def value_text(value: float, step: float) -> str:
    """A number with the digits that a step between ticks needs."""
    digits = max(0, -math.floor(math.log10(step) + 1e-9))
    return f"{value:,.{digits}f}"


def duration_text(duration_ns: float) -> str:
    """A duration in its own unit."""
    for unit, name in ((1e9, "s"), (1e6, "ms"), (1e3, "µs")):
        if duration_ns >= unit:
            return f"{duration_ns / unit:g} {name}"
    return f"{duration_ns:g} ns"


def rounded_duration(duration_ns: float) -> str:
    """A duration to three digits."""
    return duration_text(float(f"{duration_ns:.3g}"))


def text(x: float, y: float, content: str, anchor: str = "start") -> str:
    """A label."""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(content)}</text>'


def axes(x_ticks: Iterable[tuple[float, str]], y_ticks: Iterable[tuple[float, str]], height: float) -> str:
    """Grid lines with labels, given as pixels and texts."""
    parts = ['<g class="axis">']
    for x, label in x_ticks:
        parts.append(f'<path d="M{x:.1f} {TOP}V{height - BOTTOM}"/>')
        if LEFT <= x + _LABEL_HALF <= WIDTH:
            parts.append(text(x, height - BOTTOM + 16, label, "middle"))
    for y, label in y_ticks:
        parts.append(f'<path d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}"/>')
        parts.append(text(LEFT - 8, y + 4, label, "end"))
    return "".join([*parts, "</g>"])


def band(series: int, columns: Sequence[float], low: Floats, high: Floats, y: Scale) -> str:
    """The area between two curves; columns without a value are bridged.

    Parameters
    ----------
    series: number of its colour. columns: pixels, one per value.
    """
    there = np.flatnonzero(~np.isnan(low))
    if not len(there):
        return ""
    upper = [f"{columns[index]:.1f} {y.pixel(high[index]):.1f}" for index in there]
    lower = [f"{columns[index]:.1f} {y.pixel(low[index]):.1f}" for index in reversed(there)]
    return f'<path class="band s{series}" d="M{"L".join(upper)}L{"L".join(lower)}Z"/>'


def mark(kind: str, x: float, y: float, title: str) -> str:
    """A trigger: a triangle, a diamond or a circle by its kind, with a text that shows on pointing at it."""
    shapes = {
        "ARB": f"M{x:.1f} {y - 7:.1f}l6.5 11h-13z",
        "BASIS": f"M{x:.1f} {y - 6:.1f}l5.5 6l-5.5 6l-5.5 -6z",
        "IMBALANCE": f"M{x - 3.5:.1f} {y:.1f}a3.5 3.5 0 1 0 7 0a3.5 3.5 0 1 0 -7 0z",
    }
    return f'<path class="mark {kind.lower()}" d="{shapes[kind]}"><title>{escape(title)}</title></path>'


def chart(body: str, height: float, label: str, data: str = "") -> str:
    """A whole chart.

    Parameters
    ----------
    label: what it shows, for those who cannot see it. data: further attributes.
    """
    extra = f" {data}" if data else ""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:g}" role="img" '
        f'aria-label="{escape(label)}"{extra}>{body}</svg>'
    )

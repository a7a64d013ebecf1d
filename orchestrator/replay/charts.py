"""The charts of a replay: prices with triggers, deviations of the basis, durations."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from market.fastpath.specification import NO_VENUE, Kind, Side
from market.pipeline.journal import bucket_floor
from market.wire.records import Words
from orchestrator.pages import svg
from orchestrator.pages.parts import Figure
from orchestrator.pages.svg import BOTTOM, LEFT, RIGHT, TOP, WIDTH, Scale
from orchestrator.replay.chart_data import ChartData
from orchestrator.replay.envelopes import Grid
from orchestrator.replay.naming import Naming
from orchestrator.replay.quoted_mids import Floats

PRICE_HEIGHT: Final = 320
BASIS_HEIGHT: Final = 140
HISTOGRAM_HEIGHT: Final = 240
_MARGIN: Final = 0.05
_BUCKETS_PER_BAR: Final = 4
_PER_DECADE: Final = 5


@dataclass(frozen=True)
class Curve:
    """One series over time: float64[columns] lowest and highest values, NaN where there is none."""

    name: str
    series: int
    low: Floats
    high: Floats


def instruments_of(data: ChartData) -> list[int]:
    """Numbers of the instruments that have prices."""
    return sorted({instrument for instrument, _ in data.prices.curves})


def charted_instruments(data: ChartData) -> list[int]:
    """Numbers of the instruments that have prices or signals."""
    return sorted({*instruments_of(data), *(instrument for instrument, _, _ in data.signals.curves)})


def price_figure(data: ChartData, instrument: int, triggers: Sequence[NDArray[Any]]) -> Figure:
    """Mids of an instrument on every venue, and its triggers where their first leg was priced."""
    naming = data.naming
    curves = [
        Curve(naming.venues[venue], venue, low, high)
        for (number, venue), (low, high) in sorted(data.prices.curves.items())
        if number == instrument
    ]
    grid = data.prices.grid
    limits = limits_of(curves)
    y = Scale(*limits, PRICE_HEIGHT - BOTTOM, TOP)
    marks = "".join(_marks(grid, y, limits, instrument, triggers, naming))
    kinds = {Kind(kind) for table in triggers for kind in np.unique(table["kind"][table["instrument"] == instrument])}
    legend = tuple((f"s{curve.series}", curve.name) for curve in curves)
    legend += tuple((kind.name.lower(), f"{kind.name} trigger") for kind in sorted(kinds))
    return Figure(
        f"{naming.instruments[instrument]}: mid price by venue",
        f"Lowest to highest mid per {svg.rounded_duration(grid.width_ns)}; times in UTC.",
        time_chart(curves, grid, y, PRICE_HEIGHT, f"Mid prices of {naming.instruments[instrument]}", marks),
        legend,
    )


def basis_figures(data: ChartData, instrument: int) -> Iterator[Figure]:
    """Deviation of each pair's basis from its mean, all on one scale."""
    curves = {
        (first, second): Curve(f"{data.naming.venues[first]} - {data.naming.venues[second]}", index, low, high)
        for index, ((number, first, second), (low, high)) in enumerate(sorted(data.deviations.curves.items()))
        if number == instrument and not np.all(np.isnan(low))
    }
    if not curves:
        return
    y = Scale(*limits_of(list(curves.values())), BASIS_HEIGHT - BOTTOM, TOP)
    for curve in curves.values():
        yield Figure(
            f"{data.naming.instruments[instrument]}: basis {curve.name}, deviation from its 10 s mean in basis points",
            "",
            time_chart([curve], data.deviations.grid, y, BASIS_HEIGHT, f"Deviation of the basis {curve.name}"),
        )


def limits_of(curves: Sequence[Curve]) -> tuple[float, float]:
    """A range that holds all values, with a margin."""
    values = np.concatenate([np.concatenate([curve.low, curve.high]) for curve in curves])
    values = values[~np.isnan(values)]
    if not len(values):
        return 0.0, 1.0
    low, high = float(values.min()), float(values.max())
    margin = (high - low) * _MARGIN or abs(high) * 1e-4 or 1.0
    return low - margin, high + margin


def time_chart(curves: Sequence[Curve], grid: Grid, y: Scale, height: float, label: str, marks: str = "") -> str:
    """Curves over the time of a grid, with what is read when pointing at them.

    Parameters
    ----------
    label: what it shows, for those who cannot see it. marks: SVG on top.
    """
    end_ns = grid.time_ns(grid.used)
    x = Scale(0, grid.used, LEFT, WIDTH - RIGHT)
    times = [
        (x.pixel((time_ns - grid.start_ns) / grid.width_ns), name)
        for time_ns, name in svg.time_ticks(grid.start_ns, end_ns)
    ]
    ticks = svg.even_ticks(y.low, y.high, max(2, round(height / 40)))
    step = ticks[1] - ticks[0] if len(ticks) > 1 else y.high - y.low
    values = [(y.pixel(value), svg.value_text(value, step)) for value in ticks]
    centres = [x.pixel(column + 0.5) for column in range(grid.used)]
    bands = [svg.band(curve.series, centres, curve.low, curve.high, y) for curve in curves]
    readout = {
        "start": str(grid.start_ns),
        "width": grid.width_ns,
        "columns": grid.used,
        "box": [LEFT, TOP, WIDTH - RIGHT, height - BOTTOM],
        "digits": max(0, min(8, 2 - int(np.floor(np.log10(step))))),
        "curves": [
            {"name": curve.name, "series": curve.series, "low": _shortened(curve.low), "high": _shortened(curve.high)}
            for curve in curves
        ],
    }
    data = f'data-readout="{escape(json.dumps(readout, separators=(",", ":"), allow_nan=False))}"'
    return svg.chart(svg.axes(times, values, height) + "".join(bands) + marks, height, label, data)


def _shortened(values: Floats) -> list[float | None]:
    return [None if np.isnan(value) else float(f"{value:.9g}") for value in values]


def _marks(
    grid: Grid,
    y: Scale,
    limits: tuple[float, float],
    instrument: int,
    triggers: Sequence[NDArray[Any]],
    naming: Naming,
) -> Iterator[str]:
    """One mark per column and kind, however many triggers fall together."""
    x = Scale(0, grid.used, LEFT, WIDTH - RIGHT)
    seen: dict[tuple[int, int], tuple[NDArray[Any], int]] = {}
    for table in triggers:
        own = table[table["instrument"] == instrument]
        for column, trigger in zip(grid.columns(own["causeTime"]).tolist(), own, strict=True):
            first, count = seen.get((column, int(trigger["kind"])), (trigger, 0))
            seen[column, int(trigger["kind"])] = (first, count + 1)
    for (column, number), (trigger, count) in seen.items():
        price = float(trigger["firstPrice"]) * naming.price_units[instrument]
        place = y.pixel(min(max(price, limits[0]), limits[1]))
        title = f"{Kind(number).name} {svg.time_of_day(int(trigger['causeTime']))}: {_legs(trigger, naming)}"
        more = f"\nand {count - 1} more within {svg.rounded_duration(grid.width_ns)}" if count > 1 else ""
        yield svg.mark(Kind(number).name, x.pixel(column + 0.5), place, title + more)


def _legs(trigger: NDArray[Any], naming: Naming) -> str:
    unit = naming.price_units[int(trigger["instrument"])]
    legs = [
        f"{Side(int(trigger[f'{leg}Side'])).name.lower()} {naming.venues[int(trigger[f'{leg}Venue'])]} "
        f"at {float(trigger[f'{leg}Price']) * unit:,.10g}"
        for leg in ("first", "second")
        if int(trigger[f"{leg}Venue"]) != NO_VENUE
    ]
    return ", ".join(legs)


def durations_figure(durations_ns: Mapping[str, Words]) -> Figure | None:
    """How long opportunities of each kind stayed open; None when none closed."""
    there = {kind: values for kind, values in durations_ns.items() if len(values)}
    if not there:
        return None
    every = np.maximum(np.concatenate(list(there.values())), 1)
    low = np.floor(np.log10(every.min()) * _PER_DECADE) / _PER_DECADE
    bars = int(np.floor((np.log10(every.max()) - low) * _PER_DECADE)) + 1
    edges = 10.0 ** (low + np.arange(bars + 1) / _PER_DECADE)
    edges[-1] = max(edges[-1], float(every.max()))
    groups = {kind.lower(): np.histogram(np.maximum(values, 1), bins=edges)[0] for kind, values in there.items()}
    return Figure(
        "How long opportunities stayed open",
        f"Number per duration, {_PER_DECADE} bars per factor of ten; both axes logarithmic.",
        _histogram(edges, groups, "Durations of opportunities"),
        tuple((kind.lower(), kind) for kind in there),
    )


def processing_figure(histogram: Words, ticks_per_ns: float) -> Figure | None:
    """Our own time per message; None when it was not measured."""
    used = np.flatnonzero(histogram)
    if not len(used):
        return None
    first = int(used[0]) // _BUCKETS_PER_BAR
    last = int(used[-1]) // _BUCKETS_PER_BAR + 1
    edges = np.array([bucket_floor(bar * _BUCKETS_PER_BAR) for bar in range(first, last + 1)]) / ticks_per_ns
    edges[0] = max(edges[0], 1 / ticks_per_ns)
    counts = np.add.reduceat(histogram[: last * _BUCKETS_PER_BAR], np.arange(first, last) * _BUCKETS_PER_BAR)
    return Figure(
        "Our own time per message",
        "Decoding, book, decision and risk gate of one message; both axes logarithmic.",
        _histogram(edges, {"s0": counts}, "Processing time per message"),
    )


def _histogram(edges: Floats, groups: Mapping[str, Words], label: str) -> str:
    """Bars of one or more groups, side by side, both axes logarithmic."""
    x = Scale(float(edges[0]), float(edges[-1]), LEFT, WIDTH - RIGHT, logarithmic=True)
    top = max(int(counts.max()) for counts in groups.values())
    y = Scale(0.5, max(10.0, top * 1.3), HISTOGRAM_HEIGHT - BOTTOM, TOP, logarithmic=True)
    across = [(x.pixel(tick), svg.duration_text(tick)) for tick in svg.decade_ticks(x.low, x.high)]
    up = [(y.pixel(tick), f"{tick:,.0f}") for tick in svg.decade_ticks(1, y.high)]
    parts = [svg.axes(across, up, HISTOGRAM_HEIGHT)]
    for place, (name, counts) in enumerate(groups.items()):
        for index in np.flatnonzero(counts).tolist():
            left, right = x.pixel(float(edges[index])), x.pixel(float(edges[index + 1]))
            width = max((right - left - 1) / len(groups), 0.5)
            height = HISTOGRAM_HEIGHT - BOTTOM - y.pixel(float(counts[index]))
            span = f"{svg.rounded_duration(edges[index])} to {svg.rounded_duration(edges[index + 1])}"
            parts.append(
                f'<rect class="bar {name}" x="{left + place * width:.1f}" '
                f'y="{HISTOGRAM_HEIGHT - BOTTOM - height:.1f}" width="{width:.1f}" height="{height:.1f}">'
                f"<title>{span}: {counts[index]:,}</title></rect>"
            )
    return svg.chart("".join(parts), HISTOGRAM_HEIGHT, label)

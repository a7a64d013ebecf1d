"""A replay as one HTML page that needs nothing else: charts, tables, no network."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from typing import Any, Final

from market.fastpath.specification import Kind
from market.wire.records import Words
from orchestrator.pages.frame import page
from orchestrator.pages.parts import PageTables, figure_html
from orchestrator.replay.chart_data import ChartData
from orchestrator.replay.charts import (
    basis_figures,
    charted_instruments,
    durations_figure,
    instruments_of,
    price_figure,
    processing_figure,
)
from orchestrator.replay.collect import Collector
from orchestrator.replay.signal_charts import signal_figures
from orchestrator.replay.tables import show_result

SERIES: Final = 6
_NS_PER_S: Final = 1_000_000_000
_LARGEST_INSTRUMENTS: Final = 12
"""Instruments that get charts; the others are in the tables."""


@dataclass(frozen=True)
class Measured:
    """What the charts need beside the result.

    Parameters
    ----------
    histogram: of processing times in counter ticks. ticks_per_ns: of that counter.
    """

    collector: Collector
    histogram: Words
    ticks_per_ns: float


def report_page(result: Mapping[str, Any], measured: Measured) -> str:
    """The report of a replay, as the text of one HTML file."""
    return page(
        title="Tickwire replay",
        subtitle=escape(_subtitle(result)),
        banner=_banner(result),
        colours=colours(),
        body="\n".join([_figures(result), *_charts(measured), "<h2>Tables</h2>", *_tables(result)]),
    )


def colours() -> str:
    """Style rules that give each series and each kind of trigger its colour."""
    names = [f"s{number}" for number in range(SERIES)] + [kind.name.lower() for kind in Kind]
    return "\n".join(
        [
            *(f"svg .{name} {{ fill: var(--{name}); }} i.{name} {{ background: var(--{name}); }}" for name in names),
            *(f"svg .band.{name} {{ stroke: var(--{name}); }}" for name in names),
        ]
    )


def _subtitle(result: Mapping[str, Any]) -> str:
    sources = result["sources"]
    first_ns = min(source["first_ns"] for source in sources.values())
    last_ns = max(source["last_ns"] for source in sources.values())
    start = datetime.fromtimestamp(first_ns // _NS_PER_S, UTC)
    span_s = (last_ns - first_ns) / _NS_PER_S
    return f"{', '.join(sources)} · from {start:%Y-%m-%d %H:%M:%S} UTC, {span_s:,.1f} s of market time"


def _banner(result: Mapping[str, Any]) -> str:
    banners = []
    if result["synthetic"]:
        banners.append('<div class="banner">SYNTHETIC: this market was generated, not recorded</div>')
    if result["interrupted"]:
        banners.append('<div class="banner mild">Interrupted: what is shown ends where the replay stopped</div>')
    return "\n".join(banners)


def _figures(result: Mapping[str, Any]) -> str:
    """The numbers that matter most."""
    sources = result["sources"].values()
    times = result["processing_ns"]
    checks = sum(source["book_checks"] for source in sources)
    figures = [
        (f"{result['messages']:,}", "messages"),
        (f"{result['events_per_second'] or 0:,}", "messages per second"),
        (f"{sum(result['triggers'].values()):,}", "triggers"),
        (f"{sum(source['gaps'] for source in sources):,}", "sequence gaps"),
        (f"{sum(source['book_equal'] for source in sources):,}/{checks:,}", "book tops equal to stated"),
    ]
    if times["p50"] is not None:
        figures.append((f"{times['p50']:,} / {times['p99']:,} ns", "our own time, p50 / p99"))
    tiles = "".join(f"<div><b>{escape(value)}</b><span>{escape(name)}</span></div>" for value, name in figures)
    return f'<div class="figures">{tiles}</div>'


def _charts(measured: Measured) -> Iterator[str]:
    data = measured.collector.charts
    if data is None or not instruments_of(data):
        yield '<p class="soft">No quotes were kept in this replay, so there are no charts of prices.</p>'
    if data is not None:
        instruments = charted_instruments(data)
        for instrument in instruments[:_LARGEST_INSTRUMENTS]:
            yield from _instrument_charts(data, instrument, measured)
        if len(instruments) > _LARGEST_INSTRUMENTS:
            yield f'<p class="soft">{len(instruments) - _LARGEST_INSTRUMENTS} further instruments have no chart.</p>'
    durations = {kind.name: times.open_ns for kind, times in measured.collector.opportunities.by_kind().items()}
    histograms = [durations_figure(durations), processing_figure(measured.histogram, measured.ticks_per_ns)]
    shown = [figure_html(figure) for figure in histograms if figure is not None]
    if shown:
        yield "<h2>Durations</h2>"
        yield from shown


def _instrument_charts(data: ChartData, instrument: int, measured: Measured) -> Iterator[str]:
    yield f"<h2>{escape(data.naming.instruments[instrument])}</h2>"
    if instrument in instruments_of(data):
        yield figure_html(price_figure(data, instrument, measured.collector.triggers))
        yield from (figure_html(figure) for figure in basis_figures(data, instrument))
    yield from (figure_html(figure) for figure in signal_figures(data, instrument))


def _tables(result: Mapping[str, Any]) -> list[str]:
    tables = PageTables()
    show_result(tables, result)
    return tables.parts

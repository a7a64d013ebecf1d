"""The market signals of a replay for people: the main ones of every market."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from market.signals.outputs import Output as Signal
from orchestrator.cli.output import Output

_NS_PER_S: Final = 1_000_000_000


@dataclass(frozen=True)
class _Line:
    """One signal as it is shown.

    Parameters
    ----------
    name: may hold {window}, the window of the trade flow in seconds.
    digits: after the point; None for base currency, in which lots are shown with as many as they have, at most 4.
    """

    signal: Signal
    name: str
    digits: int | None


_LINES: Final = (
    _Line(Signal.SPREAD, "spread, ticks", 2),
    _Line(Signal.LEVEL_IMBALANCE, "depth imbalance", 3),
    _Line(Signal.CVD, "bought - sold, {window} s, base", None),
    _Line(Signal.TOXICITY, "toxicity, {window} s", 3),
    _Line(Signal.VPIN, "VPIN", 3),
    _Line(Signal.TRADES_PER_SECOND, "trades per second", 1),
)


def show_signals(output: Output, signals: Mapping[str, Any]) -> None:
    """Print a table of the main signals, and what they cost."""
    rows = [
        row
        for source, markets in signals["sources"].items()
        for instrument, market in markets.items()
        for row in _rows(source, instrument, market)
    ]
    if not rows:
        return
    columns = ("venue", "instrument", "signal", "last", "lowest", "mean", "highest")
    title = f"Market signals, sampled every {signals['sample_interval_ms']:,} ms"
    output.table(title, columns, rows, right=columns[3:])
    output.say(f"market signals took {signals['ns_per_message']:,.0f} ns per message, beside the decisions")


def _rows(source: str, instrument: str, market: Mapping[str, Any]) -> list[tuple[str, ...]]:
    window = f"{market['flow_window_ns'] / _NS_PER_S:g}"
    rows = []
    for line in _LINES:
        value = market["values"][line.signal.name.lower()]
        cells = (_cell(value[what], line, market["quantity_decimals"]) for what in ("last", "min", "mean", "max"))
        rows.append((source, instrument, line.name.format(window=window), *cells))
    return rows


def _cell(value: float | None, line: _Line, quantity_decimals: int) -> str:
    if value is None:
        return "-"
    if line.digits is None:
        return f"{value / 10**quantity_decimals:,.{min(quantity_decimals, 4)}f}"
    return f"{value:,.{line.digits}f}"

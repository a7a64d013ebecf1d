"""Equity, drawdown and the heat map of a backtest, from its states."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from html import escape
from typing import Final

from orchestrator.pages.parts import Figure
from orchestrator.pages.zoomed import Plot, plotted

Curve = Sequence[tuple[int, Decimal]]
EQUITY_HEIGHT: Final = 240
DRAWDOWN_HEIGHT: Final = 150
MOST_POINTS: Final = 4_000
_NS_PER_S: Final = 1_000_000_000
_MARGIN: Final = 0.05
_DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def equity_figure(currency: str, curve: Curve, first_ns: int, last_ns: int) -> Figure:
    """Equity over time, from 0."""
    return Figure(
        f"Equity in {currency}",
        "Realised and unrealised gain less fees, open positions at the middle.",
        _line(curve, (first_ns, last_ns), EQUITY_HEIGHT, "s0", f"Equity in {currency}"),
    )


def drawdown_figure(currency: str, curve: Curve, first_ns: int, last_ns: int) -> Figure:
    """What equity was below its highest before."""
    return Figure(
        f"Drawdown in {currency}",
        "Equity less the highest before, which is at least 0.",
        _line(drawdowns(curve), (first_ns, last_ns), DRAWDOWN_HEIGHT, "s1", f"Drawdown in {currency}"),
    )


def drawdowns(curve: Curve) -> list[tuple[int, Decimal]]:
    """Equity less the highest before, at most 0."""
    highest, found = Decimal(0), []
    for time_ns, equity in curve:
        highest = max(highest, equity)
        found.append((time_ns, equity - highest))
    return found


def thinned(curve: Curve, most: int = MOST_POINTS) -> list[tuple[int, Decimal]]:
    """A curve with its lowest and highest value of each stretch, at most about as many points as wanted."""
    if len(curve) <= most:
        return list(curve)
    size = -(-len(curve) // (most // 2))
    kept: list[tuple[int, Decimal]] = []
    for start in range(0, len(curve), size):
        part = curve[start : start + size]
        ends = {min(part, key=lambda point: point[1]), max(part, key=lambda point: point[1])}
        kept += sorted(ends)
    return kept if kept[-1] == curve[-1] else [*kept, curve[-1]]


def _line(curve: Curve, times: tuple[int, int], height: float, kind: str, label: str) -> str:
    values = [0.0, *(float(value) for _, value in curve)]
    low, high = min(values), max(values)
    margin = (high - low) * _MARGIN or 1.0
    plot = Plot(*times, low - margin, high + margin, height)
    points = "L".join(f"{plot.x(time_ns)} {plot.y(float(value))}" for time_ns, value in thinned(curve))
    zero = f'<path class="zero" d="M0 {plot.y(0.0)}H{plot.span_ms}"/>'
    return plotted(plot, f'{zero}<path class="curve {kind}" d="M{points}"/>', label)


def heat(curve: Curve) -> dict[tuple[int, int], Decimal]:
    """Change of equity by weekday (0: Monday) and hour, UTC, of the sample that shows it; together the whole gain."""
    cells: dict[tuple[int, int], Decimal] = {}
    before = Decimal(0)
    for time_ns, equity in curve:
        at = datetime.fromtimestamp(time_ns // _NS_PER_S, UTC)
        cell = (at.weekday(), at.hour)
        cells[cell] = cells.get(cell, Decimal(0)) + equity - before
        before = equity
    return cells


def heat_table(currency: str, cells: Mapping[tuple[int, int], Decimal]) -> str:
    """The heat map as a table; hours that the recordings do not have are empty."""
    largest = max((abs(value) for value in cells.values()), default=Decimal(0))
    rows = []
    for day, name in enumerate(_DAYS):
        found = "".join(_cell(cells.get((day, hour)), largest, f"{name} {hour:02}:00") for hour in range(24))
        rows.append(f"<tr><th>{name}</th>{found}</tr>")
    head = "".join(f"<th>{hour:02}</th>" for hour in range(24))
    title = escape(f"Gain by weekday and hour, UTC, {currency}")
    return (
        f'<h3>{title}</h3><div class="scroll"><table class="heat"><thead><tr><th></th>{head}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )


def _cell(value: Decimal | None, largest: Decimal, when: str) -> str:
    if value is None:
        return "<td></td>"
    share = abs(value) / largest if largest else Decimal(0)
    kind = "gain" if value >= 0 else "loss"
    told = escape(f"{when}: {value.normalize():,f}")
    shade = f"--share: {float(share) * 70 + 8:.0f}%"
    return f'<td class="{kind}" style="{shade}" title="{told}">{_short(value)}</td>'


def _short(value: Decimal) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.2f}"

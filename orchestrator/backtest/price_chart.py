"""A market's candles with the states of its detectors, every order from start to end, and every fill."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from html import escape
from typing import Any, Final

from market.orders.kinds import Liquidity, OrderState, Side
from orchestrator.backtest.detectors import stretches
from orchestrator.backtest.record import RunRecord
from orchestrator.backtest.states import Row
from orchestrator.pages.parts import Figure
from orchestrator.pages.svg import time_of_day
from orchestrator.pages.zoomed import Plot, plotted

HEIGHT: Final = 380
MOST_CANDLES: Final = 3_600
MOST_TITLES: Final = 4_000
"""Orders or fills that can be pointed at; more are drawn without a text, so that the page stays small."""
_NS_PER_S: Final = 1_000_000_000
_WIDTHS_S: Final = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 14_400, 28_800, 86_400)
_BODY: Final = 0.35
_MARGIN: Final = 0.04
_BANDS: Final = ("ALERT", "ACTIVE", "RECOVERY", "SHUTDOWN")


@dataclass(frozen=True)
class Candle:
    """Prices of a stretch of time."""

    time_ns: int
    open: float
    high: float
    low: float
    close: float


def coarser(rows: Sequence[Row], most: int = MOST_CANDLES) -> tuple[list[Candle], int]:
    """Candles of one market, joined until there are few enough, and their width in seconds."""
    if not rows:
        return [], 1
    span_s = (rows[-1]["time_ns"] - rows[0]["time_ns"]) // _NS_PER_S + 1
    width_s = next((width for width in _WIDTHS_S if span_s <= most * width), -(-span_s // most))
    joined: dict[int, Candle] = {}
    for row in rows:
        start = row["time_ns"] // (width_s * _NS_PER_S) * width_s * _NS_PER_S
        own = (float(row[name]) for name in ("open", "high", "low", "close"))
        candle, before = Candle(start, *own), joined.get(start)
        if before is not None:
            high, low = max(before.high, candle.high), min(before.low, candle.low)
            candle = Candle(start, before.open, high, low, candle.close)
        joined[start] = candle
    return list(joined.values()), width_s


def price_figure(record: RunRecord, market: str) -> Figure:
    """The chart of one market that has candles, orders or fills."""
    candles, width_s = coarser([row for row in record.candles if row["market"] == market])
    orders = [row for row in record.orders if row["market"] == market]
    fills = [row for row in record.trades if row["market"] == market]
    plot = _plot(record.result, candles, orders, fills)
    standing = [row for row in record.result["detectors"] if row["market"] == market]
    parts = [
        *_bands(record, plot, standing),
        *_candles(plot, candles, width_s),
        *_orders(plot, orders, fills, candles),
        *_fills(plot, fills),
    ]
    legend = [("buy", "bought"), ("sell", "sold"), ("refused", "refused")]
    legend += [(f"at-{state.lower()}", state) for state in _BANDS] if standing else []
    return Figure(
        f"{market}: middle, orders, fills",
        f"Candles of {width_s} s of the recording's middle. A line is an order from sending to end, at its "
        "limit or where it filled; a round dot a fill as maker, a square one as taker. What lies outside stands at the "
        f"edge. {len(orders):,} orders, {len(fills):,} fills. Drag to magnify, double click for all; UTC.",
        plotted(plot, "".join(parts), f"Candles, orders and fills of {market}"),
        tuple(legend),
    )


def _plot(result: Any, candles: Sequence[Candle], orders: Sequence[Row], fills: Sequence[Row]) -> Plot:
    """Candles and fills decide the range; orders do where there are neither."""
    values = [value for candle in candles for value in (candle.low, candle.high)]
    values += [float(row["price"]) for row in fills]
    values = values or [float(row["price"]) for row in orders if row["price"] is not None] or [0.0]
    low, high = min(values), max(values)
    margin = (high - low) * _MARGIN or abs(high) * 1e-4 or 1.0
    return Plot(result["first_ns"], result["last_ns"], low - margin, high + margin, HEIGHT)


def _bands(record: RunRecord, plot: Plot, detectors: Sequence[Any]) -> Iterator[str]:
    """The detectors' states, those of several above each other."""
    height = plot.inner / max(len(detectors), 1)
    for place, detector in enumerate(detectors):
        rows = [row for row in record.transitions if row["strategy"] == detector["strategy"]]
        standing = rows[-1]["after"] if rows else "SLEEP"
        for start_ns, end_ns, state in stretches(rows, plot.first_ns, plot.last_ns, standing):
            if state not in _BANDS:
                continue
            x = plot.x(start_ns)
            lasted = (end_ns - start_ns) / _NS_PER_S
            title = f"{detector['strategy']} {state} from {time_of_day(start_ns)}, {lasted:,.3f} s"
            yield (
                f'<rect class="state at-{state.lower()}" x="{x}" y="{place * height:.1f}" '
                f'width="{max(plot.x(end_ns) - x, 1)}" height="{height:.1f}"><title>{escape(title)}</title></rect>'
            )


def _candles(plot: Plot, candles: Sequence[Candle], width_s: int) -> Iterator[str]:
    """Wicks and bodies of those that rose and those that fell, each as one path."""
    half = round(width_s * 1_000 * _BODY)
    for name, rose in (("up", True), ("down", False)):
        wicks, bodies = [], []
        for candle in candles:
            if (candle.close >= candle.open) is not rose:
                continue
            middle = (candle.time_ns - plot.first_ns) // 1_000_000 + width_s * 500
            top, bottom = plot.y(max(candle.open, candle.close)), plot.y(min(candle.open, candle.close))
            wicks.append(f"M{middle} {plot.y(candle.high)}V{plot.y(candle.low)}")
            bodies.append(f"M{middle - half} {top}h{2 * half}V{bottom}h{-2 * half}z")
        if wicks:
            yield f'<path class="candle {name}" d="{"".join(wicks)}{"".join(bodies)}"/>'


def _orders(plot: Plot, orders: Sequence[Row], fills: Sequence[Row], candles: Sequence[Candle]) -> Iterator[str]:
    filled = {row["order"]: row["price"] for row in fills}
    drawn: dict[str, list[tuple[str, Row]]] = {}
    for row in orders:
        price = row["price"] if row["price"] is not None else filled.get(row["order"])
        start_ns = row["sent_ns"] or row["decided_ns"]
        level = plot.y(float(price) if price is not None else _close_before(candles, start_ns, plot))
        start, end = plot.x(start_ns), plot.x(row["ended_ns"] or plot.last_ns)
        kind = "refused" if row["state"] == OrderState.REJECTED.name else _side(row)
        drawn.setdefault(kind, []).append((f"M{start} {level}H{max(end, start)}", row))
    for kind, lines in drawn.items():
        if len(orders) <= MOST_TITLES:
            for line, row in lines:
                yield f'<path class="order {kind}" d="{line}"><title>{escape(_order_text(row))}</title></path>'
        else:
            yield f'<path class="order {kind}" d="{"".join(line for line, _ in lines)}"/>'


def _fills(plot: Plot, fills: Sequence[Row]) -> Iterator[str]:
    drawn: dict[str, list[tuple[str, Row]]] = {}
    for row in fills:
        cap = "taken" if row["liquidity"] == Liquidity.TAKER.name else "made"
        dot = f"M{plot.x(row['venue_ns'] or row['time_ns'])} {plot.y(float(row['price']))}h0"
        drawn.setdefault(f"{_side(row)} {cap}", []).append((dot, row))
    for kind, dots in drawn.items():
        if len(fills) <= MOST_TITLES:
            for dot, row in dots:
                yield f'<path class="fill {kind}" d="{dot}"><title>{escape(_fill_text(row))}</title></path>'
        else:
            yield f'<path class="fill {kind}" d="{"".join(dot for dot, _ in dots)}"/>'


def _side(row: Row) -> str:
    return "buy" if row["side"] == Side.BUY.name else "sell"


def _close_before(candles: Sequence[Candle], time_ns: int, plot: Plot) -> float:
    """Where an order without any price stands: at the last close."""
    closes = [candle.close for candle in candles if candle.time_ns <= time_ns]
    return closes[-1] if closes else (plot.low + plot.high) / 2


def _number(value: Decimal | None) -> str:
    return "market" if value is None else f"{value.normalize():,f}"


def _order_text(row: Row) -> str:
    parts = [
        f"{row['order']} {row['strategy']}",
        f"{row['side']} {row['type']} {_number(row['quantity'])} at {_number(row['price'])}, "
        f"{_number(row['filled'])} filled, {row['state']}",
        time_of_day(row["sent_ns"] or row["decided_ns"]),
    ]
    return "\n".join([*parts, *(row[name] for name in ("why", "reason") if row[name])])


def _fill_text(row: Row) -> str:
    return (
        f"{row['order']} {row['strategy']}\nfilled {row['side']} {_number(row['quantity'])} at {_number(row['price'])} "
        f"as {row['liquidity']}, fee {_number(row['fee'])}\n{time_of_day(row['venue_ns'] or row['time_ns'])}"
    )

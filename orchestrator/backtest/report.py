"""A backtest as one HTML page that needs nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from html import escape
from typing import Any, Final

import numpy as np

from market.orders.kinds import OrderState
from orchestrator.backtest.money_charts import Curve, drawdown_figure, equity_figure, heat, heat_table
from orchestrator.backtest.performance import equity_curves
from orchestrator.backtest.price_chart import price_figure
from orchestrator.backtest.record import RunRecord
from orchestrator.backtest.result import show_result
from orchestrator.backtest.warnings import warnings_of, what_was_generated
from orchestrator.pages.frame import page
from orchestrator.pages.parts import PageTables, figure_html

MOST_MARKETS: Final = 12
"""Markets without an order are drawn up to this many; those with one always."""
_NS_PER_S: Final = 1_000_000_000
_QUANTILES: Final = (1, 5, 25, 50, 75, 95, 99)
_STYLE: Final = """
:root { --up: #0f8a5f; --down: #c2410c; --refused: #8a6d00; }
@media (prefers-color-scheme: dark) { :root { --up: #4fd1a1; --down: #ff8f5a; --refused: #e3c04f; } }
svg[data-zoom] { cursor: crosshair; touch-action: pan-y; user-select: none; }
svg.plot { background: none; border: 0; border-radius: 0; overflow: hidden; }
.plot * { vector-effect: non-scaling-stroke; }
.candle { stroke-width: 1; opacity: 0.55; }
.candle.up { stroke: var(--soft); fill: none; }
.candle.down { stroke: var(--soft); fill: var(--soft); }
.order { fill: none; stroke-width: 1.8; opacity: 0.85; }
.order:hover { stroke-width: 4; opacity: 1; }
.fill { fill: none; stroke-width: 8; }
.fill.made { stroke-linecap: round; } .fill.taken { stroke-linecap: square; }
svg .buy { stroke: var(--up); } svg .sell { stroke: var(--down); } svg .refused { stroke: var(--refused); }
i.buy { background: var(--up); } i.sell { background: var(--down); } i.refused { background: var(--refused); }
.state { stroke: none; fill-opacity: 0.22; }
svg .at-alert { fill: var(--s4); } svg .at-active { fill: var(--s5); }
svg .at-recovery { fill: var(--s0); } svg .at-shutdown { fill: var(--soft); }
i.at-alert { background: var(--s4); } i.at-active { background: var(--s5); }
i.at-recovery { background: var(--s0); } i.at-shutdown { background: var(--soft); }
.curve { fill: none; stroke-width: 1.6; stroke-linejoin: round; }
.curve.s0 { stroke: var(--s0); } .curve.s1 { stroke: var(--s1); }
.zero { stroke: var(--line); fill: none; }
.choice { fill: var(--accent); fill-opacity: 0.15; stroke: var(--accent); pointer-events: none; }
.heat td, .heat th { padding: 3px 4px; text-align: center; font-size: 11px; }
.heat .gain { background: color-mix(in srgb, var(--up) var(--share), transparent); }
.heat .loss { background: color-mix(in srgb, var(--down) var(--share), transparent); }
.warnings li { margin: 4px 0; }
pre { overflow-x: auto; background: var(--panel); border: 1px solid var(--line); border-radius: 8px; padding: 12px; }
"""


def backtest_page(record: RunRecord) -> str:
    """The report of a backtest, as the text of one HTML file."""
    result = record.result
    body = [
        _tiles(result),
        "<h2>What to know before believing it</h2>",
        f'<ul class="warnings">{"".join(f"<li>{escape(text)}</li>" for text in warnings_of(result))}</ul>',
        "<h2>Orders and fills</h2>",
        *_market_charts(record),
        "<h2>Equity</h2>",
        *_money(record),
        "<h2>Tables</h2>",
        *_tables(record),
        "<h2>Settings</h2>",
        f"<pre>{escape(json.dumps(result['settings'], indent=1, sort_keys=True))}</pre>",
    ]
    return page(
        zooms=True,
        title="Tickwire backtest",
        subtitle=escape(_subtitle(result)),
        banner=_banner(result),
        colours=_STYLE,
        body="\n".join(body),
    )


def _subtitle(result: Mapping[str, Any]) -> str:
    start = datetime.fromtimestamp(result["first_ns"] // _NS_PER_S, UTC)
    span_s = (result["last_ns"] - result["first_ns"]) / _NS_PER_S
    return (
        f"{', '.join(result['strategies'])} over {', '.join(result['sources'])} · from {start:%Y-%m-%d %H:%M:%S} UTC, "
        f"{span_s:,.1f} s · run {result['run_hash'][:16]}"
    )


def _banner(result: Mapping[str, Any]) -> str:
    banners = []
    if result["synthetic"]:
        banners.append(f'<div class="banner">SYNTHETIC: {escape(what_was_generated(result))}</div>')
    if result["interrupted"]:
        banners.append('<div class="banner mild">Interrupted: what is shown ends where the run stopped</div>')
    return "\n".join(banners)


def _tiles(result: Mapping[str, Any]) -> str:
    """The numbers that matter most."""
    figures = []
    for currency, found in result["performance"].items():
        figures += [
            (f"{Decimal(found['gain']):,.2f}", f"{currency} gained after fees"),
            (f"{Decimal(found['drawdown']):,.2f}", f"{currency} largest drawdown"),
            ("?" if found["closing_win_rate"] is None else f"{found['closing_win_rate']:.1%}", f"win rate, {currency}"),
        ]
    figures.append((f"{sum(result['orders'].values()):,}", "orders"))
    figures.append((f"{sum(result['fills'].values()):,}", "fills"))
    tiles = "".join(f"<div><b>{escape(value)}</b><span>{escape(name)}</span></div>" for value, name in figures)
    return f'<div class="figures">{tiles}</div>'


def _market_charts(record: RunRecord) -> Iterator[str]:
    traded = {row["market"] for row in record.orders}
    others = sorted({row["market"] for row in record.candles} - traded)
    shown = others[: max(MOST_MARKETS - len(traded), 0)]
    if not traded and not shown:
        yield '<p class="soft">The recordings have no quotes, and nothing was ordered.</p>'
    for market in [*sorted(traded), *shown]:
        yield figure_html(price_figure(record, market))
    if len(others) > len(shown):
        yield f'<p class="soft">{len(others) - len(shown)} further markets without orders have no chart.</p>'


def _curves(record: RunRecord) -> dict[str, list[tuple[int, Decimal]]]:
    currencies = {row["market"]: row["currency"] for row in record.result["markets"]}
    return equity_curves([row for row in record.states if row["market"] in currencies], currencies)


def _money(record: RunRecord) -> Iterator[str]:
    times = record.result["first_ns"], record.result["last_ns"]
    for currency, curve in _curves(record).items():
        yield figure_html(equity_figure(currency, curve, *times))
        yield figure_html(drawdown_figure(currency, curve, *times))
        yield heat_table(currency, heat(curve))


def _tables(record: RunRecord) -> list[str]:
    tables = PageTables()
    result = dict(record.result)
    show_result(tables, result)
    _show_orders(tables, record)
    _show_markouts(tables, result)
    _show_states(tables, result)
    for currency, curve in _curves(record).items():
        _show_changes(tables, currency, curve)
    return tables.parts


def _show_orders(tables: PageTables, record: RunRecord) -> None:
    """What strategies wanted to trade against what could be traded."""
    rows = []
    for strategy in sorted({row["strategy"] for row in record.orders}):
        own = [row for row in record.orders if row["strategy"] == strategy]
        refused = sum(row["state"] == OrderState.REJECTED.name for row in own)
        filled = sum(row["filled"] > 0 for row in own)
        rows.append((strategy, f"{len(own):,}", f"{refused:,}", f"{filled:,}", f"{filled / len(own):.1%}"))
    if rows:
        columns = ("strategy", "wanted", "refused", "filled at least in part", "share")
        tables.table("orders wanted against filled", columns, rows, right=columns[1:])


def _show_markouts(tables: PageTables, result: Mapping[str, Any]) -> None:
    groups: dict[tuple[str, str, str], dict[int, tuple[float | None, int]]] = {}
    for row in result["markouts"]:
        group = (row["market"], row["strategy"], row["liquidity"])
        groups.setdefault(group, {})[row["horizon_ms"]] = (row["bps"], row["fills"])
    horizons = sorted({horizon for found in groups.values() for horizon in found})
    names = [f"{horizon:,} ms" if horizon < 1_000 else f"{horizon // 1_000:,} s" for horizon in horizons]
    rows = [[*group, *(_markout(found.get(horizon)) for horizon in horizons)] for group, found in groups.items()]
    if rows:
        columns = ("market", "strategy", "as", *names)
        tables.table(
            "markouts of fills in bps of their price, mean by quantity (fills that had a middle)",
            columns,
            rows,
            right=names,
        )


def _markout(found: tuple[float | None, int] | None) -> str:
    return "?" if found is None or found[0] is None else f"{found[0]:,.3f} ({found[1]:,})"


def _show_states(tables: PageTables, result: Mapping[str, Any]) -> None:
    for detector in result["detectors"]:
        whole = sum(detector["states_ns"].values()) or 1
        rows = [
            (state, f"{lasted / _NS_PER_S:,.3f}", f"{lasted / whole:.2%}")
            for state, lasted in detector["states_ns"].items()
        ]
        title = f"states of the detector of {detector['strategy']}, {detector['market']}"
        tables.table(title, ("state", "seconds", "share"), rows, right=("seconds", "share"))


def _show_changes(tables: PageTables, currency: str, curve: Curve) -> None:
    """The distribution of returns, in money: capital is not part of a run."""
    changes = np.diff(np.array([float(equity) for _, equity in curve]))
    if len(changes):
        values = np.percentile(changes, _QUANTILES)
        rows = [(f"{share} %", f"{value:,.4f}") for share, value in zip(_QUANTILES, values.tolist(), strict=True)]
        tables.table(f"changes of equity per sample, {currency}", ("at most in", "change"), rows, right=("change",))

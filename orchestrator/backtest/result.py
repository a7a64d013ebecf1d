"""What a backtest did and earned, as one JSON object and as tables; money in the quote currency of each market."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import asdict
from decimal import Decimal
from typing import Any, Final

from config.venues import VenueName
from market.instruments import Listing
from market.orders.kinds import Liquidity
from market.protocols import MarketKey
from market.risk.position import Position
from orchestrator.backtest.hashes import decisions_hash
from orchestrator.backtest.opportunities import opportunities
from orchestrator.backtest.performance import attribution, closings, equity_curves, fee_breakdown, performance
from orchestrator.backtest.run import BacktestRun
from orchestrator.backtest.states import amount_of, money_of, quantity_of
from orchestrator.backtest.warnings import what_was_generated
from orchestrator.cli.output import Output
from orchestrator.predicting.plan import models_result, show_models
from sim.backtest.layout import TAPE_KIND, TapeKind

FORMAT: Final = "tickwire backtest 5"
"""Says what result.json is; another number for another meaning."""
_NS_PER_S: Final = 10**9
_MONEY: Final = frozenset({"turnover", "realised", "unrealised", "fees", "funding", "equity"})


def backtest_result(run: BacktestRun, *, seconds: float, synthetic: Collection[str]) -> dict[str, Any]:
    """Everything that people and programs ask for at the end.

    Parameters
    ----------
    seconds: how long it took. synthetic: sources that were generated, or whose books were made up.
    """
    plan, summary, tape = run.plan, run.summary, run.plan.tape
    counts = asdict(summary.counts)
    problems = counts.pop("problems")
    kinds = tape.rows[:, TAPE_KIND]
    return {
        "format": FORMAT,
        "synthetic": bool(synthetic),
        "synthetic_sources": [source.name for source in plan.sources if source.name in synthetic],
        "sources": {source.name: str(source.path) for source in plan.sources},
        "clock_ahead_ns": dict(tape.ahead_ns),
        "first_ns": tape.first_ns,
        "last_ns": tape.last_ns,
        "events": tape.events,
        "gaps": int((kinds == TapeKind.GAP).sum()),
        "refused": dict(tape.refused),
        "damage": [
            {"source": name, "reason": damage.reason.value, "line": damage.line, "detail": damage.detail}
            for name, damage in tape.damage
        ],
        "model": _model(run),
        "settings": _settings(run),
        "strategies": [name.value for name in plan.settings.strategies.active],
        "counts": counts,
        "orders": dict(Counter(order.state.name for order in summary.orders)),
        "fills": _fills(run),
        "markets": [
            _market(run, key, plan.catalogue.listing(*key)) | {"synthetic": _is_in(synthetic, run, key)}
            for key in sorted(plan.markets)
        ],
        "accounts": {str(market.listing): run.accounts[market.number]._asdict() for market in plan.markets.values()},
        "performance": _performance(run),
        "attribution": [
            {name: _plain(value) for name, value in row.items()}
            for row in attribution(run.positions, run.states.marks, plan.catalogue)
        ],
        "opportunities": opportunities(run.strategies, summary.orders, summary.counts.triggers),
        "models": models_result(run.strategies),
        "guard": run.risk.supervisor.guard.state.name,
        "decision_hash": summary.decision_hash,
        "run_hash": run.run_hash,
        "decisions_hash": decisions_hash(run.journal),
        "interrupted": summary.interrupted,
        "seconds": round(seconds, 3),
        "problems": problems,
    }


def _model(run: BacktestRun) -> dict[str, Any]:
    backtest = run.plan.settings.backtest
    return {
        "queue": backtest.queue.value,
        "queue_exponent": str(backtest.queue_exponent),
        "exact_queues": sorted({market.source for market in run.plan.tape.markets if market.most_orders}),
        "partial_fills": backtest.partial_fills,
        "own_impact": backtest.own_impact,
        "latency_us": {
            source.name: [model.latency.least_entry_ns // 1_000, model.latency.least_response_ns // 1_000]
            for source, model in zip(run.plan.sources, _first_models(run), strict=True)
        },
        "latency_samples": {
            source.name: 0 if model.latency.samples is None else len(model.latency.samples)
            for source, model in zip(run.plan.sources, _first_models(run), strict=True)
        },
        "slippage": {
            source.name: model.slippage.name for source, model in zip(run.plan.sources, _first_models(run), strict=True)
        },
        "funding_times": int((run.plan.tape.rows[:, TAPE_KIND] == TapeKind.FUNDING).sum()),
    }


def _settings(run: BacktestRun) -> dict[str, Any]:
    """What the run was set to, as far as its result depends on it beside risk."""
    settings = run.plan.settings
    chosen = settings.model_dump(mode="json", include={"backtest", "strategies", "detector"})
    fees = {source.name: settings.venues[VenueName(source.name)] for source in run.plan.sources}
    chosen["fees_bps"] = {
        name: {"maker": str(venue.maker_fee_bps), "taker": str(venue.taker_fee_bps)} for name, venue in fees.items()
    }
    return chosen


def _first_models(run: BacktestRun) -> list[Any]:
    """A model of each source."""
    place, found = 0, []
    for source in run.plan.sources:
        found.append(run.plan.models[place])
        place += len(source.markets)
    return found


def _fills(run: BacktestRun) -> dict[str, int]:
    found = Counter(fill.liquidity for order in run.summary.orders for fill in order.fills)
    return {liquidity.name: found[liquidity] for liquidity in Liquidity}


def _market(run: BacktestRun, key: MarketKey, listing: Listing) -> dict[str, Any]:
    position, mark = run.summary.positions.get(key, Position()), run.states.marks.get(key)
    turnover = sum(order.notional for order in run.summary.orders if _is_of(order.intent, key))
    row: dict[str, Any] = {
        "market": str(listing),
        "currency": listing.quote_asset,
        "fills": sum(len(order.fills) for order in run.summary.orders if _is_of(order.intent, key)),
        "turnover": _text(amount_of(listing, turnover)),
        "position": _text(quantity_of(listing, position.quantity)),
    }
    if mark is None:
        return {**row, "realised": None, "unrealised": None, "fees": None, "funding": None, "equity": None}
    paid = sum(payment.amount for payment in run.funding if payment.key == key)
    return {**row, **{name: _text(amount) for name, amount in money_of(listing, position, mark, paid).items()}}


def _is_in(synthetic: Collection[str], run: BacktestRun, key: MarketKey) -> bool:
    return run.plan.catalogue.listing(*key).venue_name in synthetic


def _is_of(intent: Any, key: MarketKey) -> bool:
    return (intent.instrument, intent.venue) == key


def _performance(run: BacktestRun) -> dict[str, Any]:
    """By currency; see ``performance``."""
    listings, orders = run.plan.catalogue, run.summary.orders
    currencies = {str(listing): listing.quote_asset for listing in listings.listings}
    found: dict[str, Any] = {}
    for currency, curve in equity_curves(run.states.rows, currencies).items():
        of_curve, closed = performance(curve), closings(orders, listings, currency)
        found[currency] = {
            **{name: _plain(value) for name, value in asdict(of_curve).items()},
            "annualised_by": "square root of samples in 365 days",
            **{f"closing_{name}": _plain(value) for name, value in asdict(closed).items()},
            "closing_win_rate": closed.win_rate,
            "fees": {name: _text(paid) for name, paid in fee_breakdown(orders, listings, currency).items()},
        }
    return found


def _plain(value: object) -> object:
    return _text(value) if isinstance(value, Decimal) else value


def _text(amount: Decimal) -> str:
    """An amount without the zeros behind it."""
    return f"{amount.normalize():f}"


def _show_performance(output: Output, result: dict[str, Any]) -> None:
    """Risk, closings and attribution."""
    for currency, found in result["performance"].items():
        rows = [
            ("gain after fees", f"{Decimal(found['gain']):,.2f}"),
            ("largest fall", f"{Decimal(found['drawdown']):,.2f} in {found['drawdown_s']:,.0f} s"),
            ("Sharpe, Sortino per year", f"{_ratio(found['sharpe'])}, {_ratio(found['sortino'])}"),
            ("samples", f"{found['samples']:,} of {found['interval_s']:,.1f} s"),
            ("closings, wins", f"{found['closing_count']:,}, {found['closing_wins']:,}"),
            ("win rate", "?" if found["closing_win_rate"] is None else f"{found['closing_win_rate']:.1%}"),
            ("average win, loss", f"{_ratio(found['closing_average_win'])}, {_ratio(found['closing_average_loss'])}"),
            *((f"fees as {name}", f"{Decimal(paid):,.2f}") for name, paid in found["fees"].items()),
        ]
        output.table(f"performance, {currency}", ("", "value"), rows, right=("value",))
    columns = ("strategy", "market", "realised", "unrealised", "fees", "equity")
    made = [[_shown(column, row[column]) for column in columns] for row in result["attribution"]]
    if made:
        output.table("by strategy", columns, made, right=columns[2:])


def _ratio(value: str | float | None) -> str:
    return "?" if value is None else f"{float(value):,.2f}"


def _shown(column: str, value: str | int | None) -> str:
    """A cell for people: money to the cent."""
    if value is None:
        return "?"
    return f"{Decimal(value):,.2f}" if column in _MONEY else str(value)


def show_result(output: Output, result: dict[str, Any]) -> None:
    """The same for people."""
    if result["synthetic"]:
        output.say(f"SYNTHETIC MARKET: {what_was_generated(result)}")
    model = result["model"]
    lasted = (result["last_ns"] - result["first_ns"]) / _NS_PER_S
    output.say(
        f"{lasted:,.0f} s of {', '.join(result['sources'])}: {result['events']:,} levels and trades, "
        f"queue {model['queue']}, {'partial' if model['partial_fills'] else 'whole'} fills"
    )
    for damage in result["damage"]:
        where = "" if damage["line"] is None else f" at line {damage['line']:,}"
        output.say(f"{damage['source']} is damaged{where}: {damage['reason']}, {damage['detail']}")
    for name, refused in result["refused"].items():
        if refused:
            output.say(f"{name}: {refused:,} messages could not be read")
    counted = [(name, f"{count:,}") for name, count in result["counts"].items() if count]
    counted += [(f"orders {name}", f"{count:,}") for name, count in result["orders"].items()]
    counted += [(f"fills {name}", f"{count:,}") for name, count in result["fills"].items()]
    output.table("run", ("", "count"), counted, right=("count",))
    columns = ("market", "fills", "turnover", "position", "realised", "unrealised", "fees", "funding", "equity")
    rows = [[_shown(column, row[column]) for column in columns] for row in result["markets"]]
    output.table("profit and loss, quote currency", columns, rows, right=columns[1:])
    _show_performance(output, result)
    _show_opportunities(output, result)
    show_models(output, result["models"])
    if result["problems"]:
        output.say(f"{len(result['problems'])} problems, the first: {result['problems'][0]}")
    output.say(f"decision hash {result['decision_hash']}")
    output.say(f"run hash {result['run_hash']}")


def _show_opportunities(output: Output, result: dict[str, Any]) -> None:
    if not result["opportunities"]:
        return
    columns = ("strategy", "detected", "wanted", "sent", "filled")
    rows = [
        [*(row[column] for column in columns), ", ".join(f"{name} {count}" for name, count in row["rejected"].items())]
        for row in result["opportunities"]
    ]
    title = "opportunities detected and traded"
    output.table(title, (*columns, "rejected"), rows, right=columns[1:])

"""What a live run did and earned, as one JSON object and as tables."""

from __future__ import annotations

from dataclasses import asdict
from decimal import Decimal
from typing import Any

from market.fixed_point import Scale
from market.instruments import Listing
from market.risk.position import Position
from orchestrator.cli.output import Output
from orchestrator.live.session import LiveSession
from orchestrator.predicting.plan import show_models
from orchestrator.run_loop.summary import RunSummary


def run_result(session: LiveSession, summary: RunSummary) -> dict[str, Any]:
    """Everything that people and programs ask for at the end of a run; money in the quote currency of each market."""
    counts = asdict(summary.counts)
    problems = counts.pop("problems")
    markets = [
        _market(session.catalogue.listing(*key), position, _mark(session, key))
        for key, position in sorted(summary.positions.items())
    ]
    return {
        "session": session.opened.session,
        "epoch": session.opened.epoch,
        "ended": session.ending.reason,
        "decision_hash": summary.decision_hash,
        "parity": f"{summary.parity:08x}",
        "counts": counts,
        "triggers": {name: value for name, value in summary.counters.items() if name.startswith("trigger")},
        "orders": {state.name: count for state, count in summary.totals.states.items()},
        "markets": markets,
        "profit": _total(markets),
        "guard": session.risk.supervisor.guard.state.name,
        "models": {model.name: model.plain() for model in session.models},
        "problems": problems,
    }


def show_result(output: Output, result: dict[str, Any]) -> None:
    """The same for people."""
    counted = [(name, f"{count:,}") for name, count in result["counts"].items() if count]
    counted += [(f"orders {name}", f"{count:,}") for name, count in result["orders"].items()]
    output.table("run", ("", "count"), counted, right=("count",))
    columns = ("market", "position", "realised", "unrealised", "fees", "profit")
    rows = [[row[column] if row[column] is not None else "?" for column in columns] for row in result["markets"]]
    output.table("profit and loss, quote currency", columns, rows, right=columns[1:])
    show_models(output, result["models"])
    for currency, profit in result["profit"].items():
        output.say(f"profit {profit} {currency}")
    if result["problems"]:
        output.say(f"{len(result['problems'])} problems, the first: {result['problems'][0]}")


def _mark(session: LiveSession, key: tuple[int, int]) -> int | None:
    quote = session.loop.access.view.quote(*key)
    return None if quote is None else (quote.bid_price + quote.ask_price) // 2


def _market(listing: Listing, position: Position, mark: int | None) -> dict[str, Any]:
    money = Scale(listing.instrument.notional_exponent)
    unrealised = None if mark is None and position.quantity else position.unrealised(mark or 0)
    profit = None if unrealised is None else position.realised + unrealised - position.fees
    return {
        "market": str(listing),
        "currency": listing.quote_asset,
        "position": listing.instrument.quantity_scale.text(position.quantity),
        "realised": _text(money, position.realised),
        "unrealised": None if unrealised is None else _text(money, unrealised),
        "fees": _text(money, position.fees),
        "profit": None if profit is None else _text(money, profit),
    }


def _text(money: Scale, counts: int) -> str:
    """An amount without the zeros behind it."""
    amount = Decimal(counts).scaleb(money.exponent)
    return f"{amount.normalize():f}"


def _total(markets: list[dict[str, Any]]) -> dict[str, str | None]:
    """Profit by currency; None where a position cannot be valued for want of a quote."""
    totals: dict[str, str | None] = {}
    for currency in {row["currency"] for row in markets}:
        profits = [row["profit"] for row in markets if row["currency"] == currency]
        known = [Decimal(profit) for profit in profits if profit is not None]
        totals[currency] = f"{sum(known, Decimal(0)):f}" if len(known) == len(profits) else None
    return totals

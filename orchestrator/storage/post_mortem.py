"""What went wrong: a report of the trades that lost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Final

import sqlalchemy as sa

from market.orders.order import Order
from orchestrator.storage.matching import ClosedTrade
from orchestrator.storage.names import Names, time_text
from orchestrator.storage.repositories.orders import Orders
from orchestrator.storage.repositories.trades import TradeFilter, Trades
from orchestrator.storage.trade_journal import JournalEntry, TradeJournal

_NS_PER_MS: Final = 1e6


class LossCause(StrEnum):
    """What a loss was made of."""

    FEES = "fees"
    """The prices gave a profit, or nothing; the fees took more."""
    PRICE = "price"
    """The exit was worse than the entry."""


@dataclass(frozen=True, kw_only=True)
class OrderTiming:
    """How an order went, in ms after its decision; None: did not happen or is not known.

    Parameters
    ----------
    slippage_bps: of the average fill against the limit, positive when worse; None without both.
    """

    client_order_id: str
    sent_ms: float | None
    acknowledged_ms: float | None
    first_fill_ms: float | None
    slippage_bps: float | None


@dataclass(frozen=True, kw_only=True)
class Loss:
    """One losing trade.

    Parameters
    ----------
    worst, best: largest move against and in favour of it while it was open, in quote currency for its whole quantity,
        at least 0; None where there are no candles.
    """

    entry: JournalEntry
    cause: LossCause
    orders: tuple[OrderTiming, ...]
    worst: Decimal | None
    best: Decimal | None


@dataclass(frozen=True, kw_only=True)
class LossGroup:
    """Losses of one strategy and entry reason; ``net`` by instrument in quote currency."""

    strategy: str
    reason: str
    trades: int
    net: Mapping[str, Decimal]


def losses(connection: sa.Connection, *, epoch: int | None = None, most: int = 100) -> Sequence[Loss]:
    """Losing trades, the last closed first."""
    journal, orders = TradeJournal(connection), Orders(connection)
    lost = [trade for trade in Trades(connection).find(TradeFilter(epoch=epoch, won=False), most=most) if trade.net]
    return [_loss(trade, journal, orders) for trade in lost]


def groups(found: Sequence[Loss]) -> Sequence[LossGroup]:
    """Losses by strategy and reason, the most frequent first. The numbers in a reason do not tell groups apart."""
    by_reason: dict[tuple[str, str], list[JournalEntry]] = {}
    for loss in found:
        key = (loss.entry.strategy, _kind_of(loss.entry.entry_reason))
        by_reason.setdefault(key, []).append(loss.entry)
    made = [
        LossGroup(strategy=strategy, reason=reason, trades=len(entries), net=_totals(entries))
        for (strategy, reason), entries in by_reason.items()
    ]
    return sorted(made, key=lambda group: (-group.trades, group.strategy, group.reason))


def report_text(found: Sequence[Loss]) -> str:
    """The report in Markdown."""
    lines = ["# Losing trades", ""]
    if not found:
        return "\n".join([*lines, "None.", ""])
    lines += ["| Strategy | Reason | Trades | Net |", "|---|---|---:|---:|"]
    for group in groups(found):
        net = ", ".join(f"{amount:f} ({name})" for name, amount in group.net.items())
        lines.append(f"| {group.strategy} | {_cell(group.reason)} | {group.trades} | {net} |")
    for number, loss in enumerate(found, 1):
        lines += ["", *_lines(number, loss)]
    return "\n".join([*lines, ""])


def _loss(trade: ClosedTrade, journal: TradeJournal, orders: Orders) -> Loss:
    names = journal.names(trade.epoch)
    worst, best = _excursions(trade, journal, names)
    involved = (orders.get(name) for name in (trade.entry_order, trade.exit_order) if name)
    return Loss(
        entry=journal.entry(trade),
        cause=LossCause.FEES if trade.gross >= 0 else LossCause.PRICE,
        orders=tuple(_timing(order) for order in involved if order is not None),
        worst=worst,
        best=best,
    )


def _excursions(trade: ClosedTrade, journal: TradeJournal, names: Names) -> tuple[Decimal | None, Decimal | None]:
    candles = journal.between(trade)
    if not candles:
        return None, None
    worths = [price * trade.quantity for candle in candles for price in (candle.low, candle.high)]
    moves = [trade.side.sign * (worth - trade.entry_notional) for worth in worths]
    worst, best = max(0, -min(moves)), max(0, *moves)
    return names.money(trade.instrument, worst), names.money(trade.instrument, best)


def _timing(order: Order) -> OrderTiming:
    decided_ns = order.intent.decided_ns

    def after_ms(time_ns: int) -> float | None:
        return (time_ns - decided_ns) / _NS_PER_MS if time_ns else None

    slippage = None
    if order.filled and order.intent.limit_price:
        wanted = order.intent.limit_price * order.filled
        slippage = order.intent.side.sign * (order.notional - wanted) / wanted * 1e4
    return OrderTiming(
        client_order_id=order.client_order_id,
        sent_ms=after_ms(order.sent_ns),
        acknowledged_ms=after_ms(order.acknowledged_ns),
        first_fill_ms=after_ms(order.fills[0].receive_ns) if order.fills else None,
        slippage_bps=slippage,
    )


def _totals(entries: Sequence[JournalEntry]) -> Mapping[str, Decimal]:
    totals: dict[str, Decimal] = {}
    for entry in entries:
        totals[entry.instrument] = totals.get(entry.instrument, Decimal(0)) + entry.net
    return totals


def _kind_of(reason: str) -> str:
    """A reason without its numbers."""
    words = (word for word in reason.replace(",", " ").split() if not any(letter.isdigit() for letter in word))
    return " ".join(words) or "none given"


def _lines(number: int, loss: Loss) -> list[str]:
    entry = loss.entry
    lines = [
        f"## {number}. {entry.strategy}, {entry.instrument}: {entry.net:f}",
        "",
        f"- {entry.side.name} {entry.quantity:f} at {entry.entry_price:f} on {entry.entry_venue}, "
        f"{time_text(entry.opened_ns)}: {_cell(entry.entry_reason) or 'no reason given'}",
        f"- out at {entry.exit_price:f} on {entry.exit_venue} after {entry.held_ms:,.3f} ms: "
        f"{_cell(entry.exit_reason) or 'no reason given'}",
        f"- lost by {loss.cause.value}: {entry.gross:f} by price, {entry.fees:f} fees, {entry.return_bps:,.1f} bps",
    ]
    if loss.worst is not None and loss.best is not None:
        lines.append(f"- while it was open: at most {loss.worst:f} against it, {loss.best:f} for it")
    return [*lines, *(_timing_line(timing) for timing in loss.orders)]


def _timing_line(timing: OrderTiming) -> str:
    return (
        f"- {timing.client_order_id}: sent {_ms(timing.sent_ms)}, acknowledged {_ms(timing.acknowledged_ms)}, "
        f"first fill {_ms(timing.first_fill_ms)} after the decision; slippage {_bps(timing.slippage_bps)}"
    )


def _ms(value: float | None) -> str:
    return "never" if value is None else f"{value:,.3f} ms"


def _bps(value: float | None) -> str:
    return "not known" if value is None else f"{value:,.2f} bps"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")

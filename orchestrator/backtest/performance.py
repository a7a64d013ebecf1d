"""How well a backtest did: equity, falls, risk-adjusted returns, closings, fees, and what each strategy made."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from market.instruments import Catalogue
from market.orders.kinds import Liquidity
from market.orders.order import Order
from market.protocols import MarketKey
from market.risk.position import Position
from orchestrator.backtest.states import Row, amount_of, fills_in_order

SECONDS_PER_YEAR: Final = 365 * 86_400
_NS_PER_S: Final = 10**9


@dataclass(frozen=True)
class Performance:
    """What the samples of one currency's equity say; money in that currency.

    Parameters
    ----------
    gain: equity at the end. drawdown: largest fall from the highest equity before, at least 0 at the start.
    drawdown_s: from that high until the fall was deepest.
    sharpe, sortino: mean over deviation of the change per sample, risk-free rate 0, times the root of the samples in a
        year of 365 days; the deviation is that of all samples (n - 1), or the root of the mean square of the losses.
        None where it would be 0 or there are fewer than two changes. They need no capital: it cancels.
    samples: changes of equity. interval_s: between two.
    """

    gain: Decimal
    drawdown: Decimal
    drawdown_s: float
    sharpe: float | None
    sortino: float | None
    samples: int
    interval_s: float


def equity_curves(states: Iterable[Row], currencies: Mapping[str, str]) -> dict[str, list[tuple[int, Decimal]]]:
    """Time and equity of each currency, over its markets; ``currencies`` by market.

    A market that has no sample at a time counts with its last one.
    """
    latest: dict[str, Decimal] = {}
    curves: dict[str, dict[int, Decimal]] = {}
    for row in states:
        market = row["market"]
        latest[market] = row["equity"]
        currency = currencies[market]
        total = sum((equity for other, equity in latest.items() if currencies[other] == currency), Decimal(0))
        curves.setdefault(currency, {})[row["time_ns"]] = total
    return {currency: list(curve.items()) for currency, curve in curves.items()}


def performance(curve: Sequence[tuple[int, Decimal]]) -> Performance:
    """The performance of one curve of at least one sample."""
    highest, high_ns = Decimal(0), curve[0][0]
    drawdown, drawdown_ns = Decimal(0), 0
    for time_ns, equity in curve:
        if equity > highest:
            highest, high_ns = equity, time_ns
        if highest - equity > drawdown:
            drawdown, drawdown_ns = highest - equity, time_ns - high_ns
    # Subtracted before they are rounded: changes that are alike stay alike.
    changes = np.array([float(after - before) for (_, before), (_, after) in pairwise(curve)])
    interval_s = (curve[-1][0] - curve[0][0]) / max(len(changes), 1) / _NS_PER_S
    return Performance(
        gain=curve[-1][1],
        drawdown=drawdown,
        drawdown_s=drawdown_ns / _NS_PER_S,
        sharpe=_annual(changes, _deviation(changes), interval_s),
        sortino=_annual(changes, _loss_deviation(changes), interval_s),
        samples=len(changes),
        interval_s=interval_s,
    )


def _deviation(changes: NDArray[np.float64]) -> float:
    if len(changes) < 2 or not np.ptp(changes):
        return 0.0
    return float(np.std(changes, ddof=1))


def _loss_deviation(changes: NDArray[np.float64]) -> float:
    return math.sqrt(float(np.mean(np.minimum(changes, 0.0) ** 2))) if len(changes) > 1 else 0.0


def _annual(changes: NDArray[np.float64], deviation: float, interval_s: float) -> float | None:
    if not deviation or not interval_s:
        return None
    return float(np.mean(changes)) / deviation * math.sqrt(SECONDS_PER_YEAR / interval_s)


@dataclass(frozen=True)
class Closings:
    """Fills that made a position smaller, each with what it realised less its own fee.

    Parameters
    ----------
    wins: those above 0. average_win, average_loss: of those above 0, and of the others; None without any.
    """

    count: int
    wins: int
    average_win: Decimal | None
    average_loss: Decimal | None

    @property
    def win_rate(self) -> float | None:
        """Share of wins, None without closings."""
        return self.wins / self.count if self.count else None


def closings(orders: Iterable[Order], listings: Catalogue, currency: str) -> Closings:
    """The closings in one currency; positions are those of each strategy, at average cost."""
    gains = [gain for _, gain in closing_gains(orders, listings, currency)]
    won, lost = [gain for gain in gains if gain > 0], [gain for gain in gains if gain <= 0]
    return Closings(len(gains), len(won), _mean(won), _mean(lost))


def closing_gains(orders: Iterable[Order], listings: Catalogue, currency: str) -> list[tuple[int, Decimal]]:
    """When each closing in one currency was heard, in order, and what it realised less its own fee."""
    held: dict[tuple[str, MarketKey], Position] = {}
    gains: list[tuple[int, Decimal]] = []
    for order, fill in fills_in_order(orders):
        intent = order.intent
        listing = listings.listing(intent.instrument, intent.venue)
        if listing.quote_asset != currency:
            continue
        key = (intent.cause.strategy, (intent.instrument, intent.venue))
        before = held.get(key, Position())
        after = before.traded(intent.side, fill.price, fill.quantity, fill.fee, fill.fee_base)
        held[key] = after
        if before.quantity * intent.side.sign < 0:
            gains.append((fill.receive_ns, amount_of(listing, after.realised - before.realised - fill.fee)))
    return gains


def _mean(amounts: Sequence[Decimal]) -> Decimal | None:
    return sum(amounts, Decimal(0)) / len(amounts) if amounts else None


def fee_breakdown(orders: Iterable[Order], listings: Catalogue, currency: str) -> dict[str, Decimal]:
    """Fees paid as maker and as taker in one currency; below 0: rebates."""
    paid = {liquidity.name: Decimal(0) for liquidity in Liquidity}
    for order in orders:
        listing = listings.listing(order.intent.instrument, order.intent.venue)
        if listing.quote_asset == currency:
            for fill in order.fills:
                paid[fill.liquidity.name] += amount_of(listing, fill.fee)
    return paid


def attribution(
    positions: Mapping[tuple[str, MarketKey], Position], marks: Mapping[MarketKey, int], listings: Catalogue
) -> list[dict[str, Any]]:
    """What each strategy made in each market; a market without a price is left out."""
    rows = []
    for (strategy, key), position in sorted(positions.items()):
        if key in marks:
            listing = listings.listing(*key)
            unrealised = position.unrealised(marks[key])
            rows.append(
                {
                    "strategy": strategy,
                    "market": str(listing),
                    "realised": amount_of(listing, position.realised),
                    "unrealised": amount_of(listing, unrealised),
                    "fees": amount_of(listing, position.fees),
                    "equity": amount_of(listing, position.realised + unrealised - position.fees),
                }
            )
    return rows

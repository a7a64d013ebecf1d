"""The middles of a backtest's recordings: candles of them, and markouts of fills.

A fill's markout at a horizon is the move of its market's middle in the fill's favour, from its price, in basis points
of it: ``middle - price`` for a purchase, ``price - middle`` for a sale, fees not in it. (The realised spread of Huang
and Stoll, 1996, with the own fill in place of the trade.)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Final

import numpy as np

from market.instruments import Catalogue, Listing
from market.orders.kinds import Liquidity
from market.orders.order import Fill, Order
from market.protocols import MarketKey
from market.wire.records import Rows, Words
from orchestrator.backtest.plan import Plan
from orchestrator.backtest.states import Row, fills_in_order
from orchestrator.cli.exits import Interrupted
from orchestrator.replay.plan import SourceFile, session_settings
from sim.replay.session import Session

CANDLE_NS: Final = 1_000_000_000
CANDLE_COLUMNS: Final = ("time_ns", "market", "open", "high", "low", "close")
HORIZONS_NS: Final = tuple(ms * 1_000_000 for ms in (0, 10, 100, 1_000, 10_000, 60_000, 300_000))
_BPS: Final = 10_000.0
_NO_WORDS: Final = np.zeros(0, dtype=np.int64)


@dataclass(frozen=True)
class Middles:
    """The middles of one market in order of receipt.

    Parameters
    ----------
    times_ns: int64[n]. doubled: int64[n], best bid plus best offer in price counts.
    """

    times_ns: Words
    doubled: Words

    def at(self, time_ns: int) -> float | None:
        """The middle that was known at a time, in price counts; None before the first and after the last."""
        if not len(self.times_ns) or time_ns > self.times_ns[-1]:
            return None
        place = int(np.searchsorted(self.times_ns, time_ns, side="right")) - 1
        return None if place < 0 else float(self.doubled[place]) / 2


class _Quotes:
    """The sink of a replay that keeps middles."""

    def __init__(self) -> None:
        self._parts: dict[MarketKey, list[Rows]] = {}

    def outputs(self, payloads: list[bytes]) -> None:
        """Decisions are not looked at."""

    def changes(self, rows: Rows) -> None:
        """Nor are opportunities."""

    def quotes(self, rows: Rows) -> None:
        """Keep the middles; a withdrawn quote has none."""
        valid = rows[(rows[:, 5] > 0) & (rows[:, 7] > 0)]
        for instrument, venue in np.unique(valid[:, 1:3], axis=0).tolist():
            own = valid[(valid[:, 1] == instrument) & (valid[:, 2] == venue)]
            doubled = np.stack([own[:, 0], own[:, 4] + own[:, 6]], axis=1)
            self._parts.setdefault((instrument, venue), []).append(doubled)

    def middles(self) -> dict[MarketKey, Middles]:
        """What was kept."""
        whole = {key: np.concatenate(parts) for key, parts in self._parts.items()}
        return {key: Middles(rows[:, 0].copy(), rows[:, 1].copy()) for key, rows in whole.items()}


def read_middles(plan: Plan, files: Sequence[SourceFile]) -> dict[MarketKey, Middles]:
    """The middles of all markets: the recordings are decoded once more, 16 bytes are kept for each quote."""
    sink = _Quotes()
    # Quotes are kept where changes are.
    planned = session_settings(plan.settings, list(files), keep_quotes=True, keep_changes=True)
    if Session(replace(planned, sources=plan.sources), sink).run().interrupted:
        raise Interrupted("while the middles of the recordings were read; nothing was written")
    return sink.middles()


def candle_rows(middles: Mapping[MarketKey, Middles], listings: Catalogue, width_ns: int = CANDLE_NS) -> list[Row]:
    """Candles of the middles, by time and market; a stretch without a quote has none."""
    rows: list[Row] = []
    for key, own in middles.items():
        listing = listings.listing(*key)
        if not len(own.times_ns):
            continue
        stretches = own.times_ns // width_ns
        starts = np.flatnonzero(np.concatenate([[True], stretches[1:] != stretches[:-1]]))
        ends = np.concatenate([starts[1:], [len(stretches)]]) - 1
        values = (
            own.doubled[starts],
            np.maximum.reduceat(own.doubled, starts),
            np.minimum.reduceat(own.doubled, starts),
            own.doubled[ends],
        )
        for place, start in enumerate(starts.tolist()):
            prices = {
                name: _price(listing, int(column[place]))
                for name, column in zip(CANDLE_COLUMNS[2:], values, strict=True)
            }
            rows.append({"time_ns": int(stretches[start]) * width_ns, "market": str(listing), **prices})
    return sorted(rows, key=lambda row: (row["time_ns"], row["market"]))


def _price(listing: Listing, doubled: int) -> Decimal:
    return listing.instrument.price_scale.decimal(doubled) / 2


def markout_bps(fill: Fill, sign: int, middles: Middles, horizon_ns: int) -> float | None:
    """Markout of one fill, from when it happened at the venue; ``sign``: 1 bought, -1 sold."""
    middle = middles.at((fill.venue_ns or fill.receive_ns) + horizon_ns)
    return None if middle is None else sign * (middle - fill.price) / fill.price * _BPS


def markouts(
    orders: Iterable[Order], middles: Mapping[MarketKey, Middles], listings: Catalogue
) -> list[dict[str, Any]]:
    """By market, strategy, liquidity and horizon: mean markout in bps weighted by quantity, and how many had one."""
    found: dict[tuple[str, str, Liquidity], list[tuple[Fill, int, Middles]]] = {}
    for order, fill in fills_in_order(orders):
        intent = order.intent
        key = (intent.instrument, intent.venue)
        group = (str(listings.listing(*key)), intent.cause.strategy, fill.liquidity)
        own = middles.get(key, Middles(_NO_WORDS, _NO_WORDS))
        found.setdefault(group, []).append((fill, intent.side.sign, own))
    rows: list[dict[str, Any]] = []
    for (market, strategy, liquidity), fills in sorted(found.items()):
        for horizon_ns in HORIZONS_NS:
            moved = [(markout_bps(fill, sign, own, horizon_ns), fill.quantity) for fill, sign, own in fills]
            known = [(bps, quantity) for bps, quantity in moved if bps is not None]
            weight = sum(quantity for _, quantity in known)
            rows.append(
                {
                    "market": market,
                    "strategy": strategy,
                    "liquidity": liquidity.name,
                    "horizon_ms": horizon_ns // 1_000_000,
                    "bps": round(sum(bps * quantity for bps, quantity in known) / weight, 6) if known else None,
                    "fills": len(known),
                }
            )
    return rows

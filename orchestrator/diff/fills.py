"""Why the same order was filled otherwise: the first assumption under which the backtest's exchanges fill it as the
run's venue did."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from market.orders.kinds import Liquidity, Side
from market.orders.order import Fill
from market.protocols import MarketKey
from market.wire.records import AGGRESSOR_BUY, AGGRESSOR_SELL, Rows
from orchestrator.backtest.plan import Plan
from orchestrator.backtest.states import quantity_of
from orchestrator.diff.causes import Cause
from orchestrator.diff.refill import Kind, Refill, Refills
from orchestrator.diff.story import Told, new_fills
from sim.backtest.layout import (
    EXCHANGE_NS,
    TAPE_KIND,
    TAPE_MARKET,
    TAPE_TRADE,
    TRADE_AGGRESSOR,
    TRADE_LOTS,
    TRADE_PRICE,
)

_AGGRESSORS: Final = {Side.BUY: AGGRESSOR_SELL, Side.SELL: AGGRESSOR_BUY}
"""Who fills a resting order of a side."""
_CAUSES: Final = {
    Kind.ARRIVAL: Cause.LATENCY,
    Kind.BOOK: Cause.BOOK,
    Kind.IMPACT: Cause.OWN_IMPACT,
    Kind.QUEUE: Cause.QUEUE,
}


@dataclass(frozen=True)
class FillSums:
    """Fills by price and liquidity: in how many parts does not matter."""

    quantities: Mapping[tuple[int, Liquidity], int]
    last_ns: int

    def same(self, other: FillSums, tolerance_ns: int) -> bool:
        """Whether the same was traded, the last of it at the same time."""
        return self.quantities == other.quantities and abs(self.last_ns - other.last_ns) <= tolerance_ns


def sums(fills: Sequence[Fill] | Sequence[Refill], ahead_ns: int = 0) -> FillSums:
    """Fills added up; ``ahead_ns``: what the venue's clock is ahead of the receiver's."""
    quantities: dict[tuple[int, Liquidity], int] = {}
    last_ns = 0
    for fill in fills:
        key = (fill.price, fill.liquidity)
        quantities[key] = quantities.get(key, 0) + fill.quantity
        if isinstance(fill, Refill):
            last_ns = max(last_ns, fill.exchange_ns)
        else:
            last_ns = max(last_ns, fill.venue_ns - ahead_ns if fill.venue_ns else fill.receive_ns)
    return FillSums(quantities, last_ns)


class FillJudge:
    """Explains fills.

    Parameters
    ----------
    refills: of the run's orders. ahead_ns: by venue number, what its clock is ahead, 0 on paper.
    tolerance_ns: fills at most so far apart are of the same time. displays_own: whether the recorded books and trades
        have the run's own orders in them, as live.
    """

    def __init__(
        self, plan: Plan, refills: Refills, ahead_ns: Mapping[int, int], tolerance_ns: int, *, displays_own: bool
    ) -> None:
        self._plan = plan
        self._refills = refills
        self._ahead_ns = ahead_ns
        self._tolerance_ns = tolerance_ns
        self._displays_own = displays_own
        self._trades: dict[MarketKey, Rows] = {}

    def of_run(self, told: Told) -> FillSums:
        """The fills of an order of the run, on the receiver's clock."""
        return sums(new_fills(told), self._ahead_ns.get(told.intent.venue, 0))

    def of_backtest(self, told: Told) -> FillSums:
        """The fills of an order of the backtest."""
        return sums(new_fills(told))

    def explain(self, run: Told) -> tuple[Cause, str] | None:
        """Why the run's order was filled as it was and not as the backtest would fill it.

        None when the backtest's exchanges fill the very order of the run as the run's venue did: the difference lies in
        how the backtest's was sent or cancelled.
        """
        wanted = self.of_run(run)
        name = run.order.client_order_id
        for variant, by_name in self._refills.by_variant:
            if name not in by_name or not sums(by_name[name]).same(wanted, self._tolerance_ns):
                continue
            if variant.kind is Kind.BASE:
                return None
            if variant.kind is Kind.ARRIVAL and self._took_own(run, wanted):
                return (
                    Cause.OWN_IMPACT,
                    f"the recorded book lacks what the order itself took; as in the run with {variant.text}",
                )
            return _CAUSES[variant.kind], f"as in the run with {variant.text}"
        return self._within_bounds(run, wanted)

    def _within_bounds(self, run: Told, wanted: FillSums) -> tuple[Cause, str]:
        """Whether the run's fills are among those that the market data allows whatever the place in the queue was."""
        key = (run.intent.instrument, run.intent.venue)
        makes = sum(quantity for (_, liquidity), quantity in wanted.quantities.items() if liquidity is Liquidity.MAKER)
        takes = sum(quantity for (_, liquidity), quantity in wanted.quantities.items() if liquidity is Liquidity.TAKER)
        outcomes = [sums(by_name.get(run.order.client_order_id, ())) for _, by_name in self._refills.by_variant]
        if takes:
            return self._taken(run, wanted, outcomes)
        last_ns = run.order.ended_ns or self._plan.tape.last_ns
        at, through = self._traded(key, run, run.order.sent_ns, last_ns + self._tolerance_ns)
        most = (
            run.intent.quantity
            if through or any(each.quantities for each in outcomes)
            else min(run.intent.quantity, at)
        )
        listing = self._plan.markets[key].listing
        made, there, past = (f"{quantity_of(listing, count):f}" for count in (makes, at, through))
        if makes > most:
            return Cause.UNEXPLAINED, f"{made} was filled, but at most {there} traded at its price while it worked"
        surely_ns = last_ns if run.cancel is None else run.cancel.event.time_ns
        _, passed = self._traded(key, run, run.order.acknowledged_ns or last_ns, surely_ns - self._tolerance_ns)
        if makes < min(passed, run.intent.quantity):
            return Cause.UNEXPLAINED, f"{made} was filled, but {past} traded beyond its price while it worked"
        return Cause.QUEUE, f"no queue model fills {made}; {there} traded at its price and {past} beyond it meanwhile"

    def _taken(self, run: Told, wanted: FillSums, outcomes: Sequence[FillSums]) -> tuple[Cause, str]:
        prices = [price for price, _ in wanted.quantities]
        seen = [price for outcome in outcomes for price, _ in outcome.quantities]
        if seen and min(seen) <= min(prices) and max(prices) <= max(seen):
            return Cause.LATENCY, "prices between those of arrivals sooner and later"
        if self._took_own(run, wanted):
            return Cause.OWN_IMPACT, "the recorded trades have the order's own, the recorded book lacks what it took"
        return Cause.UNEXPLAINED, "the recorded book never showed what the order took"

    def _took_own(self, run: Told, wanted: FillSums) -> bool:
        """Whether the recording has the trades of an order that took."""
        if not self._displays_own:
            return False
        key = (run.intent.instrument, run.intent.venue)
        listing, rows = self._plan.markets[key].listing, self._rows(key)
        own = AGGRESSOR_BUY if run.intent.side is Side.BUY else AGGRESSOR_SELL
        near = rows[abs(rows[:, EXCHANGE_NS] - wanted.last_ns) <= max(self._tolerance_ns, 10**9)]
        for (price, liquidity), quantity in wanted.quantities.items():
            if liquidity is Liquidity.TAKER:
                same = near[(near[:, TRADE_PRICE] == price // listing.tick) & (near[:, TRADE_AGGRESSOR] == own)]
                if int(same[:, TRADE_LOTS].sum()) * listing.lot < quantity:
                    return False
        return bool(wanted.quantities)

    def _traded(self, key: MarketKey, run: Told, start_ns: int, end_ns: int) -> tuple[int, int]:
        """What traded at an order's price, and beyond it, against its side in a time."""
        listing, rows, side = self._plan.markets[key].listing, self._rows(key), run.intent.side
        while_working = (rows[:, EXCHANGE_NS] >= start_ns) & (rows[:, EXCHANGE_NS] <= end_ns)
        met = rows[while_working & (rows[:, TRADE_AGGRESSOR] == _AGGRESSORS[side])]
        beyond = (met[:, TRADE_PRICE] * listing.tick - run.intent.limit_price) * side.sign
        at, through = (int(met[mask][:, TRADE_LOTS].sum()) * listing.lot for mask in (beyond == 0, beyond < 0))
        return at, through

    def _rows(self, key: MarketKey) -> Rows:
        if key not in self._trades:
            rows = self._plan.tape.rows
            own = (rows[:, TAPE_KIND] == TAPE_TRADE) & (rows[:, TAPE_MARKET] == self._plan.markets[key].number)
            self._trades[key] = np.ascontiguousarray(rows[own])
        return self._trades[key]

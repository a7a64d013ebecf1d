"""How much may be at stake: per market, per instrument, over all, and in proportion to the capital.

What is at stake is the worst that fills of what is pending could lead to; an order that does not make it larger always
passes, so that a way out stays open when prices have carried a position over a limit.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from market.errors import Rejected
from market.orders.order import OrderIntent
from market.protocols import MarketKey, MarketView
from market.risk.room import Standing
from orchestrator.risk.checks.prices import worth_price
from orchestrator.risk.commitments import Commitments, Marks
from orchestrator.risk.equity import equity_of, held
from orchestrator.risk.limits import RiskLimits, capital_amount

_PPM: Final = 1_000_000


class PositionLimit:
    """Refuses an order that could carry the position of its market beyond the limit."""

    def __init__(self, limits: RiskLimits, commitments: Commitments) -> None:
        self._limits = limits
        self._commitments = commitments

    def __call__(self, intent: OrderIntent, view: MarketView) -> None:
        """Raises Rejected naming the limit."""
        key = (intent.instrument, intent.venue)
        market = self._limits.market(key)
        standing = self._commitments.standing(view, key, intent.client_order_id)
        room = standing.room(intent.side, market.position)
        if intent.quantity > room:
            text = market.listing.instrument.quantity_scale.text
            raise Rejected(
                f"order {intent.client_order_id}: {intent.side.name} was {text(intent.quantity)}; expected at most "
                f"{text(max(room, 0))} on {market.listing}, where {text(standing.position)} is held, "
                f"{text(standing.pending(intent.side))} pending, and {text(market.position)} the limit"
            )


class ExposureLimit:
    """Refuses an order that could carry the worth of all positions beyond a limit of the instrument or of all."""

    def __init__(self, limits: RiskLimits, commitments: Commitments, marks: Marks) -> None:
        self._limits = limits
        self._commitments = commitments
        self._marks = marks

    def __call__(self, intent: OrderIntent, view: MarketView) -> None:
        """Raises Rejected naming the limit."""
        key, number = (intent.instrument, intent.venue), intent.instrument
        positions = held(view, self._limits)
        standings = self._commitments.standings(view, intent.client_order_id)
        for market, position in positions.items():
            if position.quantity and market not in standings:
                standings[market] = Standing(position.quantity)
        before = standings.get(key, Standing())
        standings[key] = before.committed(intent.side, intent.quantity)
        price = max(worth_price(intent, view), self._marks.mark(view, key) or 0)
        if _worst(standings[key]) <= _worst(before):
            return
        worth = self._worth(view, standings, key, price)
        self._check(
            intent, f"exposure to instrument {number}", worth[number], self._limits.instruments[number].exposure
        )
        total = sum(worth.values())
        self._check(intent, "exposure of all instruments", total, self._limits.exposure)
        capital = equity_of(positions, view, self._limits, self._marks)
        most = max(capital, 0) * self._limits.leverage_ppm // _PPM
        self._check(intent, f"exposure at a leverage of {self._limits.leverage_ppm / _PPM:g}", total, most)

    def _worth(
        self, view: MarketView, standings: Mapping[MarketKey, Standing], own: MarketKey, price: int
    ) -> dict[int, int]:
        """Worst worth by instrument, in capital counts; the order's own market at its price."""
        notional: dict[int, int] = {}
        for key, standing in standings.items():
            mark = price if key == own else self._marks.mark(view, key)
            if mark is None:
                raise Rejected(
                    f"{self._limits.market(key).listing} has orders and no price; expected a quote before any order"
                )
            notional[key[0]] = notional.get(key[0], 0) + _worst(standing) * mark
        return {number: counts * self._limits.instruments[number].worth for number, counts in notional.items()}

    def _check(self, intent: OrderIntent, what: str, worth: int, most: int) -> None:
        if worth > most:
            raise Rejected(
                f"order {intent.client_order_id}: {what} would be {capital_amount(worth).normalize():f}; expected at "
                f"most {capital_amount(most).normalize():f}"
            )


def _worst(standing: Standing) -> int:
    """Largest position, long or short, that fills of what is pending could lead to."""
    return max(abs(standing.position + standing.pending_buy), abs(standing.position - standing.pending_sell))

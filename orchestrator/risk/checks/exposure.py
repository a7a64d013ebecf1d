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
from market.risk.exposure import Holding, exposure_by_instrument
from market.risk.room import Standing
from orchestrator.risk.checks.prices import worth_price
from orchestrator.risk.commitments import Commitments, Marks
from orchestrator.risk.equity import equity
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
        key = (intent.instrument, intent.venue)
        before = self._standings(view, intent.client_order_id)
        added = before.get(key, Standing()).committed(intent.side, intent.quantity)
        price = worth_price(intent, view)
        worth_before = self._worth(view, before, key, price)
        worth_after = self._worth(view, {**before, key: added}, key, price)
        number = intent.instrument
        if worth_after[number] > worth_before.get(number, 0):
            limit = self._limits.instruments[number].exposure
            self._check(intent, f"exposure to instrument {number}", worth_after[number], limit)
        total = sum(worth_after.values())
        if total > sum(worth_before.values()):
            self._check(intent, "exposure of all instruments", total, self._limits.exposure)
            most = max(equity(view, self._limits, self._marks), 0) * self._limits.leverage_ppm // _PPM
            self._check(intent, f"exposure at a leverage of {self._limits.leverage_ppm / _PPM:g}", total, most)

    def _standings(self, view: MarketView, without: str) -> dict[MarketKey, Standing]:
        """Of all markets where anything is held or pending."""
        found = self._commitments.standings(view, without)
        for key in self._limits.markets:
            if key not in found and (quantity := view.position(*key).quantity):
                found[key] = Standing(quantity)
        return found

    def _worth(
        self, view: MarketView, standings: Mapping[MarketKey, Standing], own: MarketKey, price: int
    ) -> dict[int, int]:
        """Worst worth by instrument, in capital counts; the order's own market at its price if that is higher."""
        holdings = []
        for key, standing in standings.items():
            mark = self._marks.mark(view, key)
            if key == own:
                mark = max(mark or 0, price)
            if mark is None:
                raise Rejected(
                    f"{self._limits.market(key).listing} has orders and no price; expected a quote before any order"
                )
            exponent = self._limits.market(key).listing.instrument.notional_exponent
            holdings.append(Holding(key[0], standing, mark, exponent))
        return {
            number: exposure.worst * self._limits.instruments[number].worth
            for number, exposure in exposure_by_instrument(holdings).items()
        }

    def _check(self, intent: OrderIntent, what: str, worth: int, most: int) -> None:
        if worth > most:
            raise Rejected(
                f"order {intent.client_order_id}: {what} would be {capital_amount(worth).normalize():f}; expected at "
                f"most {capital_amount(most).normalize():f}"
            )

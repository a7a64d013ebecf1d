"""The first and last question: may anything be sent at all?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from market.errors import Rejected
from market.orders.kinds import Side
from market.orders.order import OrderIntent
from market.protocols import MarketView, PreTradeCheck
from market.risk.room import Standing
from orchestrator.risk.commitments import Commitments
from orchestrator.risk.guard import Guard, GuardState

CLOSING_TAG: Final = "risk"
"""Tag of the strategy that closes positions; no other strategy can bear it."""


class TradingGate:
    """Refuses what the guard does not let pass.

    Parameters
    ----------
    guard: gives the guard as it stands.
    """

    def __init__(self, guard: Callable[[], Guard], commitments: Commitments) -> None:
        self._guard = guard
        self._commitments = commitments

    def __call__(self, intent: OrderIntent, view: MarketView) -> None:
        """Raises Rejected naming the halt or the pause."""
        guard = self._guard()
        closes = intent.cause.strategy == CLOSING_TAG
        if guard.state is GuardState.RUNNING and not closes:
            return
        standing = self._commitments.standing(view, (intent.instrument, intent.venue), intent.client_order_id)
        if closes:
            _check_closes(intent, standing)
            return
        if guard.halted is not None:
            raise Rejected(f"order {intent.client_order_id}: trading was halted, {guard.halted.detail}")
        pause = guard.pausing(intent.instrument, intent.venue)
        if pause is not None and not reduces(intent, standing):
            raise Rejected(
                f"order {intent.client_order_id}: trading was paused for {pause.reason}, {pause.detail}; expected "
                "only orders that make a position smaller"
            )


class ExceptClosing:
    """A rule that does not stand in the way of closing positions: a way out must stay open when limits are overrun."""

    def __init__(self, check: PreTradeCheck) -> None:
        self._check = check

    def __call__(self, intent: OrderIntent, view: MarketView) -> None:
        """Raises Rejected as the rule."""
        if intent.cause.strategy != CLOSING_TAG:
            self._check(intent, view)


def reduces(intent: OrderIntent, standing: Standing) -> bool:
    """Whether an order can only make a position smaller, whatever else is filled on its side."""
    if intent.side is Side.BUY:
        return standing.position + standing.pending_buy + intent.quantity <= 0
    return standing.position - standing.pending_sell - intent.quantity >= 0


def _check_closes(intent: OrderIntent, standing: Standing) -> None:
    """Raises Rejected for a closing order that would turn the position."""
    held = abs(standing.position)
    if standing.position * intent.side.sign >= 0 or intent.quantity > held:
        raise Rejected(
            f"order {intent.client_order_id}: closes {intent.side.name} {intent.quantity}; expected at most the "
            f"{held} counts that are held, on the other side of position {standing.position}"
        )

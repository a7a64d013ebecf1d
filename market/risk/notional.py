"""What an amount is worth, and what it costs to trade it."""

from __future__ import annotations

from typing import Final

PPB: Final = 1_000_000_000
"""Fee rates are parts per billion: 1 bps is 100,000 ppb."""


def notional(price: int, quantity: int) -> int:
    """Price times quantity, in notional counts."""
    return price * quantity


def fee(notional_count: int, rate_ppb: int) -> int:
    """The fee on a notional of at least 0, rounded up: never less than the venue takes; negative for a rebate."""
    return -(-(notional_count * rate_ppb) // PPB)


def round_trip_cost(entry_notional: int, exit_notional: int, entry_rate_ppb: int, exit_rate_ppb: int) -> int:
    """Fees of opening and closing a position."""
    return fee(entry_notional, entry_rate_ppb) + fee(exit_notional, exit_rate_ppb)

"""How many orders and cancels are sent for each trade: venues and rules against layering watch it."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class OrderFlow:
    """Counts over some stretch of time.

    Parameters
    ----------
    trades: fills.
    """

    orders: int = 0
    cancels: int = 0
    trades: int = 0

    def with_order(self) -> OrderFlow:
        """After one more order."""
        return replace(self, orders=self.orders + 1)

    def with_cancel(self) -> OrderFlow:
        """After one more cancel request."""
        return replace(self, cancels=self.cancels + 1)

    def with_trade(self) -> OrderFlow:
        """After one more fill."""
        return replace(self, trades=self.trades + 1)

    def exceeds_order_to_trade(self, most: int) -> bool:
        """Whether there are more than ``most`` messages (orders and cancels) per trade; no trade counts as one."""
        return self.orders + self.cancels > most * max(self.trades, 1)

    def exceeds_cancels(self, most_percent: int) -> bool:
        """Whether more than a percentage of the orders were cancelled."""
        return 100 * self.cancels > most_percent * self.orders

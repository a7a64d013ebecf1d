"""How much more may be traded within a position limit.

Pending quantities are what working orders may still fill. They are never netted: a pending sale gives no room to
buy, because it may not happen.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from market.errors import Rejected
from market.orders.kinds import Side


def room_to_buy(limit: int, position: int, pending_buy: int) -> int:
    """Quantity that may still be bought; negative when the limit is overrun already."""
    return limit - position - pending_buy


def room_to_sell(limit: int, position: int, pending_sell: int) -> int:
    """Quantity that may still be sold; negative when the limit is overrun already."""
    return limit + position - pending_sell


@dataclass(frozen=True, slots=True)
class Standing:
    """Position and pending quantities of one instrument on one venue.

    Parameters
    ----------
    position: signed. pending_buy, pending_sell: at least 0.
    """

    position: int = 0
    pending_buy: int = 0
    pending_sell: int = 0

    def pending(self, side: Side) -> int:
        """Pending quantity of a side."""
        return self.pending_buy if side is Side.BUY else self.pending_sell

    def room(self, side: Side, limit: int) -> int:
        """Quantity that may still be traded on a side."""
        if side is Side.BUY:
            return room_to_buy(limit, self.position, self.pending_buy)
        return room_to_sell(limit, self.position, self.pending_sell)

    def committed(self, side: Side, quantity: int) -> Standing:
        """After an order was sent."""
        return self._with_pending(side, self.pending(side) + quantity)

    def settled(self, side: Side, released: int, filled: int) -> Standing:
        """After ``released`` stopped pending and ``filled`` of it traded.

        Raises Rejected unless 0 <= filled <= released <= pending.
        """
        if not 0 <= filled <= released <= self.pending(side):
            raise Rejected(
                f"settlement of {side.name} released {released} and filled {filled}; expected filled <= released <= "
                f"{self.pending(side)}, what is pending"
            )
        left = self._with_pending(side, self.pending(side) - released)
        return left.traded(side, filled)

    def traded(self, side: Side, quantity: int) -> Standing:
        """After a trade that was not pending: a late fill."""
        return replace(self, position=self.position + side.sign * quantity)

    def charged(self, fee_base: int) -> Standing:
        """After a fee was taken in what is traded."""
        return replace(self, position=self.position - fee_base)

    def worst_position(self, side: Side) -> int:
        """The position if everything pending on a side is filled and nothing on the other."""
        return self.position + side.sign * self.pending(side)

    def _with_pending(self, side: Side, quantity: int) -> Standing:
        return replace(self, pending_buy=quantity) if side is Side.BUY else replace(self, pending_sell=quantity)

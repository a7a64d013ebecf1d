"""A position, its average cost and its profit, exactly.

Average cost: opening adds what was paid to the cost, closing takes out the closed share of it. The share is rounded
towards zero to a whole count and the rest stays in the cost, so nothing is ever lost or made: at any time
``cash + cost == realised`` holds exactly, and equity does not depend on the rounding.
"""

from __future__ import annotations

from dataclasses import dataclass

from market.orders.kinds import Side


@dataclass(frozen=True, slots=True)
class Position:
    """What is held of one listing, and what it brought.

    Parameters
    ----------
    quantity: signed. cost: what the open quantity cost, of the quantity's sign, in notional counts.
    cash: what trading paid in less what it took out, without fees; a fee in base counts as paid from it.
    realised: profit of what was closed, without fees.
    fees: sum of fees, negative when rebates outweigh them.
    """

    quantity: int = 0
    cost: int = 0
    cash: int = 0
    realised: int = 0
    fees: int = 0

    def traded(self, side: Side, price: int, quantity: int, fee: int = 0, fee_base: int = 0) -> Position:
        """After a fill; one that turns the position closes all of it and opens the rest.

        ``fee_base`` is the part of the fee that was taken in what is traded, in quantity counts, at most the quantity:
        buying 10 and paying 1 of them is buying 9 at the price and paying the worth of 1, so that ``quantity`` is what
        the venue says is held, and ``fees`` all that was paid.
        """
        quantity -= side.sign * fee_base
        signed = side.sign * quantity
        closed = 0 if self.quantity * signed >= 0 else min(quantity, abs(self.quantity))
        released = _share(self.cost, closed, abs(self.quantity))
        opened = quantity - closed
        return Position(
            quantity=self.quantity + signed,
            cost=self.cost - released + side.sign * opened * price,
            cash=self.cash - signed * price,
            realised=self.realised - side.sign * closed * price - released,
            fees=self.fees + fee,
        )

    def unrealised(self, mark: int) -> int:
        """Profit of the open quantity if it were closed at a price, without fees."""
        return self.quantity * mark - self.cost

    def equity(self, mark: int) -> int:
        """What the trading is worth at a price, fees taken off: cash plus holdings, from nothing."""
        return self.cash + self.quantity * mark - self.fees

    def exposure(self, mark: int) -> int:
        """Signed notional at a price."""
        return self.quantity * mark


def _share(cost: int, closed: int, quantity: int) -> int:
    """The closed share of a cost, towards zero; all of it when nothing stays open."""
    if not closed:
        return 0
    share = abs(cost) * closed // quantity
    return share if cost >= 0 else -share

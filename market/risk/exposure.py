"""How much is at stake: per symbol and over the portfolio.

Notional counts of different instruments are of different scales; ``Holding.exponent`` says which, and sums are made
in the finest of them, exactly.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from market.orders.kinds import Side
from market.risk.room import Standing


@dataclass(frozen=True, slots=True)
class Holding:
    """One listing's standing and its mark price.

    Parameters
    ----------
    exponent: power of ten of the notional counts, ``Instrument.notional_exponent``.
    """

    instrument: int
    standing: Standing
    mark: int
    exponent: int

    @property
    def net(self) -> int:
        """Signed notional of the position."""
        return self.standing.position * self.mark

    @property
    def worst(self) -> int:
        """Largest notional, long or short, that fills of what is pending could lead to."""
        ends = (self.standing.worst_position(Side.BUY), self.standing.worst_position(Side.SELL))
        return max(abs(end) for end in ends) * self.mark


@dataclass(frozen=True, slots=True)
class Exposure:
    """Notional at stake, in counts of ``10**exponent``.

    Parameters
    ----------
    net: long less short. gross: long plus short. worst: gross if everything pending went the worst way.
    """

    net: int
    gross: int
    worst: int
    exponent: int


def exposure(holdings: Sequence[Holding]) -> Exposure:
    """Exposure of some holdings together."""
    exponent = min((holding.exponent for holding in holdings), default=0)
    net = gross = worst = 0
    for holding in holdings:
        factor = 10 ** (holding.exponent - exponent)
        net += holding.net * factor
        gross += abs(holding.net) * factor
        worst += holding.worst * factor
    return Exposure(net, gross, worst, exponent)


def exposure_by_instrument(holdings: Iterable[Holding]) -> dict[int, Exposure]:
    """Exposure per instrument, over its venues; long on one venue does not lessen short on another in ``gross``."""
    groups: dict[int, list[Holding]] = {}
    for holding in holdings:
        groups.setdefault(holding.instrument, []).append(holding)
    return {instrument: exposure(group) for instrument, group in groups.items()}

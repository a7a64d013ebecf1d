"""How well a market maker did: win rate, turnover, realised spread, markouts, fill ratio, Sharpe ratio."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from market.errors import Fatal
from market.orders.kinds import Side
from market.risk.position import Position
from market.signals.markouts import Markouts, MarkoutSettings
from market.wire.records import Rows

SECOND_NS: Final = 1_000_000_000
YEAR_SECONDS: Final = 365 * 24 * 3_600
"""Crypto markets do not close."""


@dataclass(frozen=True, kw_only=True)
class MakerMetricsParameters:
    """What is measured.

    Parameters
    ----------
    horizons_ns: of markouts, one to four, ascending; the last is that of the realised spread.
    sample_ns: time between the values of equity that the Sharpe ratio is made of.
    tick: of prices, in counts.
    """

    tick: int
    horizons_ns: tuple[int, ...] = (100_000_000, SECOND_NS, 5 * SECOND_NS)
    sample_ns: int = SECOND_NS

    def __post_init__(self) -> None:
        if self.sample_ns < 1 or self.tick < 1:
            raise Fatal(f"{self}: expected sample_ns and tick of at least 1")


@dataclass(slots=True)
class _Pending:
    due_ns: int
    sign: int
    doubled_price: int
    quantity: int


class MakerMetrics:
    """Measures one market; tell it of mids, orders and fills in order of time.

    Members
    -------
    wins, losses: fills that closed something at a profit or loss after their own fee.
    ordered, filled: quantities placed and executed.
    """

    def __init__(self, parameters: MakerMetricsParameters) -> None:
        self._parameters = parameters
        self._markouts = Markouts(MarkoutSettings(horizons_ns=parameters.horizons_ns))
        self._pending: deque[_Pending] = deque()
        self._doubled_mid = 0
        self._time_ns = 0
        self._begin_ns = 0
        self._inventory = 0
        self._weighted = np.zeros(3)
        self._doubled_realised = 0
        self._realised_quantity = 0
        self._next_sample_ns = 0
        self._equities: list[int] = []
        self.wins = 0
        self.losses = 0
        self.ordered = 0
        self.filled = 0

    def take_mid(self, doubled_mid: int, position: Position, time_ns: int) -> None:
        """A new mid, doubled; what was due before is measured with the one that held until now."""
        self._advance(time_ns)
        self._doubled_mid = doubled_mid
        self._markouts.update(_row(time_ns, 0, doubled_mid // self._parameters.tick))
        if time_ns >= self._next_sample_ns:
            self._next_sample_ns = time_ns + self._parameters.sample_ns
            doubled_equity = 2 * (position.cash - position.fees) + position.quantity * doubled_mid
            self._equities.append(doubled_equity)

    def placed(self, quantity: int) -> None:
        """An order was sent."""
        self.ordered += quantity

    def take_fill(self, side: Side, price: int, quantity: int, gain: int | None, position: Position,
                  time_ns: int) -> None:  # fmt: skip
        """A fill; ``gain`` is the profit of what it closed after its own fee, None if it closed nothing."""
        self._advance(time_ns)
        self.filled += quantity
        self._inventory = position.quantity
        if gain is not None:
            self.wins += gain > 0
            self.losses += gain <= 0
        if self._doubled_mid:
            self._markouts.update(_row(time_ns, side.sign, 0))
            due_ns = time_ns + self._parameters.horizons_ns[-1]
            self._pending.append(_Pending(due_ns, side.sign, 2 * price, quantity))

    def as_numbers(self) -> Mapping[str, float]:
        """Everything that can be said, by name; what cannot is not there.

        Prices are in counts, markouts in ticks; negative markouts are adverse selection.
        """
        lasted, mean, square = (self._weighted / max(self._time_ns - self._begin_ns, 1)).tolist()
        numbers: dict[str, float] = {"ordered": self.ordered, "filled": self.filled}
        if self.ordered:
            numbers["fill_ratio"] = self.filled / self.ordered
        if self.wins + self.losses:
            numbers["win_rate"] = self.wins / (self.wins + self.losses)
        if lasted:
            numbers["inventory_variance"] = square - mean * mean
            if square:
                numbers["inventory_turnover"] = self.filled / math.sqrt(square)
        if self._realised_quantity:
            numbers["realised_spread"] = self._doubled_realised / (2 * self._realised_quantity)
        sharpe = self.sharpe
        if sharpe is not None:
            numbers["sharpe"] = sharpe
        for horizon, markout in zip(self._parameters.horizons_ns, self.markouts, strict=True):
            if not math.isnan(markout):
                numbers[f"markout_{horizon // 1_000_000}_ms"] = markout
        return numbers

    @property
    def markouts(self) -> list[float]:
        """Mean move of the mid after our fills at each horizon, in ticks: positive when it moved our way."""
        means = self._markouts.update(_row(self._time_ns, 0, self._doubled_mid // self._parameters.tick))
        return [float(mean) for mean in means[0]]

    @property
    def sharpe(self) -> float | None:
        """Mean over standard deviation of the changes of equity, annualised; None while it is not defined."""
        changes = np.diff(np.array(self._equities, dtype=np.float64))
        deviation = float(np.std(changes)) if len(changes) > 1 else 0.0
        if not deviation:
            return None
        per_year = YEAR_SECONDS * SECOND_NS / self._parameters.sample_ns
        return float(np.mean(changes)) / deviation * math.sqrt(per_year)

    def _advance(self, time_ns: int) -> None:
        """Let time pass with the mid and the inventory as they are."""
        if not self._begin_ns:
            self._begin_ns = self._time_ns = time_ns
        elapsed = max(time_ns - self._time_ns, 0)
        self._weighted += elapsed * np.array([1.0, self._inventory, float(self._inventory) ** 2])
        self._time_ns = max(self._time_ns, time_ns)
        while self._pending and self._pending[0].due_ns < time_ns:
            due = self._pending.popleft()
            self._doubled_realised += due.sign * (self._doubled_mid - due.doubled_price) * due.quantity
            self._realised_quantity += due.quantity


def _row(time_ns: int, sign: int, doubled_mid: int) -> Rows:
    return np.array([[time_ns, sign, doubled_mid]], dtype=np.int64)

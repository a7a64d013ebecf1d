"""What the capital is worth now, and the losses that end trading.

Losses are measured per run, per day and per month of UTC. Of a day and a month the reference is kept in
``LossState``, so that a restart does not forgive a loss.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Final

import msgspec

from config.risk import LossSettings
from market.protocols import MarketKey, MarketView
from market.risk.position import Position
from orchestrator.risk.commitments import Marks
from orchestrator.risk.limits import RiskLimits, capital_amount

NS_PER_DAY: Final = 86_400_000_000_000
_EPOCH_ORDINAL: Final = date(1970, 1, 1).toordinal()
_PPM: Final = 1_000_000
_PPM_PER_PCT: Final = 10_000


def held(view: MarketView, limits: RiskLimits) -> dict[MarketKey, Position]:
    """Positions of all markets that were ever traded."""
    found = {}
    for key in limits.markets:
        position = view.position(*key)
        if position.cash or position.quantity or position.fees:
            found[key] = position
    return found


def equity(view: MarketView, limits: RiskLimits, marks: Marks) -> int:
    """Capital at the start and what trading has made of it, fees taken off, in capital counts."""
    return equity_of(held(view, limits), view, limits, marks)


def equity_of(positions: Mapping[MarketKey, Position], view: MarketView, limits: RiskLimits, marks: Marks) -> int:
    """The same of positions that are known already."""
    total = limits.capital
    for key, position in positions.items():
        total += position.equity(marks.mark(view, key) or 0) * limits.instruments[key[0]].worth
    return total


def month_of(time_ns: int) -> int:
    """Year and month of a time, as ``12 * year + month - 1``."""
    day = date.fromordinal(_EPOCH_ORDINAL + time_ns // NS_PER_DAY)
    return 12 * day.year + day.month - 1


class LossState(msgspec.Struct, frozen=True, kw_only=True):
    """References of losses; equity is in capital counts, as text since 64 bits do not hold it.

    Parameters
    ----------
    day: since 1970. month: as ``month_of``. day_start: equity at its first sight on that day.
    month_peak: highest equity of the month.
    """

    day: int
    month: int
    day_start: str
    month_peak: str


class LossVerdict(msgspec.Struct, frozen=True, kw_only=True):
    """Which losses are beyond their limits; each text is empty or says by how much."""

    run: str = ""
    day: str = ""
    month: str = ""


class Losses:
    """Follows equity.

    Parameters
    ----------
    state: of an earlier run, None for none. Its day and month count if they have not passed; the run starts anew.
    """

    def __init__(self, settings: LossSettings, state: LossState | None = None) -> None:
        self.use(settings)
        self._day = self._month = -1
        self._start: int | None = None
        self._day_start = self._month_peak = 0
        if state is not None:
            self._day, self._month = state.day, state.month
            self._day_start, self._month_peak = int(state.day_start), int(state.month_peak)

    @property
    def state(self) -> LossState:
        """What a restart needs to know."""
        return LossState(
            day=self._day,
            month=self._month,
            day_start=str(self._day_start),
            month_peak=str(self._month_peak),
        )

    def use(self, settings: LossSettings) -> None:
        """Judge by other settings from here on."""
        self._maximum_loss = settings.maximum_loss_quote
        self._daily_ppm = int(settings.daily_loss_pct * _PPM_PER_PCT)
        self._monthly_ppm = int(settings.monthly_drawdown_pct * _PPM_PER_PCT)

    def accept(self) -> None:
        """The run's loss up to now is accepted; what is lost from here on counts."""
        self._start = None

    def take(self, counts: int, now_ns: int) -> LossVerdict:
        """Equity now, in capital counts; says which losses are too large."""
        if self._start is None:
            self._start = counts
        day, month = now_ns // NS_PER_DAY, month_of(now_ns)
        if day != self._day:
            self._day, self._day_start = day, counts
        if month != self._month:
            self._month, self._month_peak = month, counts
        self._month_peak = max(self._month_peak, counts)
        lost = capital_amount(self._start - counts)
        run = f"the run had lost {lost:f}; expected at most {self._maximum_loss}" if lost > self._maximum_loss else ""
        return LossVerdict(
            run=run,
            day=_fall("the day's loss", self._day_start, counts, self._daily_ppm),
            month=_fall("the month's drawdown", self._month_peak, counts, self._monthly_ppm),
        )


def _fall(what: str, reference: int, counts: int, most_ppm: int) -> str:
    fall = reference - counts
    if fall * _PPM <= max(reference, 0) * most_ppm:
        return ""
    return (
        f"{what} was {capital_amount(fall):f} of {capital_amount(reference):f}; expected at most "
        f"{most_ppm / _PPM_PER_PCT:g} %"
    )

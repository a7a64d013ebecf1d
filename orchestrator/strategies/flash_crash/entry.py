"""Whether a candle is bought: E1, E3, E4, E6, E10, and E11, the reasons why not."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from market.detector.states import Permission, Signal
from orchestrator.strategies.flash_crash.event_watch import EventWatch
from orchestrator.strategies.flash_crash.levels import Levels, levels, percentiles
from orchestrator.strategies.flash_crash.parameters import PPM, EntryParameters
from orchestrator.strategies.flash_crash.scoring import Score, score
from orchestrator.strategies.flash_crash.seconds import ClosedCandle, is_volume_sufficient


class Rejection(IntEnum):
    """Why a bullish candle of an event was not bought; the first that holds counts."""

    LIQUIDITY = 0
    """The detector does not allow entries: too little liquidity, or the feed is silent."""
    POSITIONS = 1
    COOLDOWN = 2
    RANGE = 3
    VOLUME = 4
    SCORE = 5
    SIZE = 6
    """Too small a quantity for the venue."""


@dataclass(frozen=True)
class Verdict:
    """What was found about a candle.

    Parameters
    ----------
    levels: where to buy and sell; None for a rejected candle. rejection: why; None for one that is bought.
    score: None where it did not come to that.
    """

    levels: Levels | None = None
    rejection: Rejection | None = None
    score: Score | None = None


@dataclass(frozen=True)
class Purchase:
    """A candle that is to be bought as soon as the order for an earlier one has ended.

    Parameters
    ----------
    decided_ns: when its candle had closed.
    """

    levels: Levels
    why: str
    decided_ns: int


class Cooldown:
    """E4: pauses between entries, and after a loss.

    Members
    -------
    entered_ns, lost_ns: times of the last entry and of the last losing trade; 0 for none.
    """

    def __init__(self, parameters: EntryParameters, entered_ns: int = 0, lost_ns: int = 0) -> None:
        self._parameters = parameters
        self.entered_ns = entered_ns
        self.lost_ns = lost_ns

    def is_over(self, now_ns: int) -> bool:
        """Whether an entry may follow; a pause that has just ended has ended."""
        after_entry = not self.entered_ns or now_ns - self.entered_ns >= self._parameters.cooldown_ns
        return after_entry and (not self.lost_ns or now_ns - self.lost_ns >= self._parameters.loss_cooldown_ns)


def judge(
    closed: ClosedCandle,
    watch: EventWatch,
    pattern: Signal,
    *,
    positions: int,
    cooled: bool,
    tick: int,
    parameters: EntryParameters,
) -> Verdict:
    """Judge a bullish candle that has just closed while the event is on.

    Parameters
    ----------
    pattern: signals as of the end of the candles before it. positions: open ones; an order that
        waits gives way to this one.
    """
    candle = closed.candle
    if not watch.permissions & Permission.ENTER:
        return Verdict(rejection=Rejection.LIQUIDITY)
    if positions >= parameters.concurrent:
        return Verdict(rejection=Rejection.POSITIONS)
    if not cooled:
        return Verdict(rejection=Rejection.COOLDOWN)
    if candle.range * PPM < candle.low * parameters.minimum_range_ppm:
        return Verdict(rejection=Rejection.RANGE)
    if not is_volume_sufficient(
        closed, parameters.volume_seconds, parameters.volume_multiple_ppm, parameters.minimum_volume
    ):
        return Verdict(rejection=Rejection.VOLUME)
    readings = watch.read()
    scored = score(readings, pattern, watch.settings)
    exhausted = bool(pattern & Signal.SELLING_EXHAUSTION)
    if scored.total < (parameters.lowered_score if exhausted else parameters.score):
        return Verdict(rejection=Rejection.SCORE, score=scored)
    found = levels(candle, *percentiles(parameters, readings, watch.settings.volatility_multiplier), tick)
    return Verdict(levels=found, score=scored)

"""When a position is left: E6 to E9 as one function of what is held and what the market shows."""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.strategies.flash_crash.holding import ExitReason, Holding
from orchestrator.strategies.flash_crash.parameters import PPM, ExitParameters
from orchestrator.strategies.flash_crash.seconds import Candle


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What the market shows now.

    Parameters
    ----------
    is_active: whether the event is on. bid: the best one, None without a sound quote.
    closed: a candle that has just closed. gap: the close before and the open of a candle that has just opened.
    price: of a trade that has just happened.
    """

    now_ns: int
    is_active: bool
    bid: int | None = None
    closed: Candle | None = None
    gap: tuple[int, int] | None = None
    price: int | None = None


def exit_reason(holding: Holding, seen: Seen, parameters: ExitParameters) -> ExitReason | None:
    """The first reason to sell all of what is held; None to hold on. TARGET is a price, all others are urgent.

    Shares of prices are compared multiplied out, exactly.
    """
    if not seen.is_active:
        return ExitReason.EVENT_OVER
    return _by_candles(holding, seen, parameters) or _by_prices(holding, seen, parameters)


def target_now(holding: Holding, now_ns: int, parameters: ExitParameters) -> int:
    """The target, in counts: from ``decay_after_ns`` on it sinks in a line to what was paid, never below.

    What was paid for one count is rounded up. A target at or below it stays.
    """
    paid = -(-holding.paid // holding.bought)
    late_ns = now_ns - holding.opened_ns - parameters.decay_after_ns
    if not parameters.decay_after_ns or late_ns <= 0 or holding.target <= paid:
        return holding.target
    sunk = (holding.target - paid) * min(late_ns, parameters.decay_over_ns) // parameters.decay_over_ns
    return holding.target - sunk


def _by_candles(holding: Holding, seen: Seen, parameters: ExitParameters) -> ExitReason | None:
    """E8: a gap down, a sudden reversal, a candle after the entry that closed bearish."""
    if parameters.gap_ppm and seen.gap is not None and seen.now_ns > holding.opened_ns:
        before, opened = seen.gap
        if opened * PPM < before * (PPM - parameters.gap_ppm):
            return ExitReason.NEGATIVE_GAP
    if parameters.reversal_ppm and seen.price is not None:
        has_fallen = seen.price * PPM < holding.second_high * (PPM - parameters.reversal_ppm)
        if has_fallen:
            return ExitReason.REVERSAL
    if parameters.exits_bearish and seen.closed is not None and seen.closed.start_ns >= holding.opened_ns:
        return ExitReason.BEARISH if seen.closed.is_bearish else None
    return None


def _by_prices(holding: Holding, seen: Seen, parameters: ExitParameters) -> ExitReason | None:
    """E7, E9, E6: stop, trailing stop, time, target; a stop is by what was paid, each by the best bid."""
    bid = seen.bid
    if bid is not None:
        worth, paid = bid * holding.bought * PPM, holding.paid
        if parameters.stop_ppm and worth <= paid * (PPM - parameters.stop_ppm):
            return ExitReason.STOP
        if parameters.trailing_ppm:
            # Compared in millionths of a count: the level itself is rarely a whole one.
            level = holding.highest_bid * (PPM - parameters.trailing_ppm)
            if bid * PPM <= level and level * holding.bought > paid * PPM:
                return ExitReason.TRAILING
    if parameters.maximum_hold_ns and seen.now_ns - holding.opened_ns >= parameters.maximum_hold_ns:
        return ExitReason.TIME
    if bid is not None and bid >= target_now(holding, seen.now_ns, parameters):
        return ExitReason.TARGET
    return None

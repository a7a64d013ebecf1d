"""Every reading from its definition in docs/detector.md: whole lists of what happened, exact fractions, long doubles.

For streams without silence, gaps and odd stamps that begin with a believed time. Nothing here is incremental: after
each event everything is found anew from the list of all messages so far.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from itertools import pairwise
from math import isnan

import numpy as np

from market.detector.events import EventKind
from market.detector.settings import SECOND_NS, DetectorSettings
from market.detector.states import Reading, State
from tests.market.detector.streams import BUY, SELL, Row

SLOT = SECOND_NS // 10
NAN = float("nan")
EVENT = (State.ALERT, State.ACTIVE, State.RECOVERY)
Long = np.longdouble
Candle = tuple[int, int, int, int, int]
"""Open, high, low, close and volume."""


def mean(values: list[Fraction]) -> Fraction:
    return sum(values, Fraction(0)) / len(values)


def deviation(values: list[Long]) -> Long:
    """Population standard deviation."""
    centre = sum(values, Long(0)) / len(values)
    return Long(np.sqrt(sum(((value - centre) ** 2 for value in values), Long(0)) / len(values)))


class Reference:
    """All messages of a stream so far."""

    def __init__(self, settings: DetectorSettings, rows: list[Row], states: Sequence[int] = ()) -> None:
        self.settings = settings
        self.states = states
        self.rows = [row for row in rows if row[0] != EventKind.TIME]
        self.now = rows[-1][1]
        self.open = self.now // SECOND_NS
        self.first = self.rows[0][1] // SECOND_NS if self.rows else self.open
        self.whole = list(range(self.first + 1, self.open))
        """Whole seconds: the one of the first message is not."""
        self.taken = self._taken({row[1] // SECOND_NS for row in rows}, rows)
        """Those that are taken into the baselines."""

    def _taken(self, heard: set[int], rows: list[Row]) -> set[int]:
        """All but the seconds of events, of which no more than the settings say are left out beyond those taken."""
        taken, more = set[int](), 0
        for second in self.whole:
            if more < self.settings.left_out_seconds and self._is_event(second, second in heard, rows):
                more += 1
            else:
                taken.add(second)
                more = max(more - 1, 0)
        return taken

    def _is_event(self, second: int, heard: bool, rows: list[Row]) -> bool:
        """Whether the state was one of an event when the second began, or after a row within it."""
        begun = [state for row, state in zip(rows, self.states, strict=False) if row[1] // SECOND_NS < second][-1:]
        within = [state for row, state in zip(rows, self.states, strict=False) if row[1] // SECOND_NS == second]
        return any(state in EVENT for state in (*begun, *(within if heard else ())))

    def of(self, kind: EventKind, second: int | None = None) -> list[Row]:
        return [row for row in self.rows if row[0] == kind and (second is None or row[1] // SECOND_NS == second)]

    def last(self, kinds: tuple[EventKind, ...], end_ns: int) -> Row | None:
        before = [row for row in self.rows if row[0] in kinds and row[1] < end_ns]
        return before[-1] if before else None

    def top(self, end_ns: int) -> Row | None:
        return self.last((EventKind.TOP, EventKind.BOOK), end_ns)

    def close(self, second: int) -> int:
        """Doubled mid."""
        found = self.top((second + 1) * SECOND_NS)
        return found[3] + found[5] if found else 0

    def returns(self) -> list[Long]:
        return [np.log(Long(self.close(second)) / Long(self.close(second - 1))) for second in self.whole]

    def volatility(self) -> tuple[float, float, float]:
        """sigma_1s, its baseline, and the root mean square of both windows' returns, which rounding is measured by."""
        short, base, warm = (
            self.settings.volatility_seconds,
            self.settings.baseline_seconds,
            self.settings.warm_up_seconds,
        )
        returns = self.returns()
        if len(returns) < short + 1:
            return NAN, NAN, NAN
        # A return is of the baseline when neither its second nor any of the next ones, until it left, was left out.
        clean = [
            all(second in self.taken for second in self.whole[place : place + short + 1])
            for place in range(len(returns) - short)
        ]
        newest, older = (
            returns[-short:],
            [value for value, is_clean in zip(returns, clean, strict=False) if is_clean][-base:],
        )
        scale = float(np.sqrt(sum((value**2 for value in newest + older), Long(0)) / len(newest + older)))
        baseline = float(deviation(older)) if len(older) >= warm else NAN
        return float(deviation(newest)), baseline, scale

    def acceleration(self) -> float:
        if self.open - 3 < self.first:
            return NAN
        newest, middle, oldest = (self.close(self.open - back) for back in (1, 2, 3))
        return float(Fraction(newest - 2 * middle + oldest, oldest))

    def spread_of(self, row: Row) -> Fraction:
        return Fraction(2 * (row[5] - row[3]), row[5] + row[3])

    def spread(self) -> float:
        found = self.top(self.now + 1)
        return float(self.spread_of(found)) if found else NAN

    def over(self, sample: Callable[[int], Fraction], length: int, warm: int) -> list[Fraction]:
        """The last samples of whole seconds that are taken; none before the warm-up."""
        samples = [sample(second) for second in self.whole if second in self.taken][-length:]
        return samples if len(samples) >= warm else []

    def baseline(self, sample: Callable[[int], Fraction]) -> float:
        found = self.over(sample, self.settings.baseline_seconds, self.settings.warm_up_seconds)
        return float(mean(found)) if found else NAN

    def spread_baseline(self) -> float:
        def sample(second: int) -> Fraction:
            row = self.top((second + 1) * SECOND_NS)
            assert row is not None
            return self.spread_of(row)

        return self.baseline(sample)

    def trailing(self) -> list[Row]:
        """Messages of the trailing second: the open slot and the nine before it."""
        return [row for row in self.rows if row[1] // SLOT > self.now // SLOT - 10]

    @staticmethod
    def delta_of(rows: list[Row]) -> int:
        trades = [row for row in rows if row[0] == EventKind.TRADE]
        return sum({BUY: row[4], SELL: -row[4]}.get(row[5], 0) for row in trades)

    def volume_sigma(self) -> float:
        def sample(second: int) -> Fraction:
            return Fraction(self.delta_of(self.of(EventKind.TRADE, second)))

        found = self.over(sample, self.settings.baseline_seconds, self.settings.warm_up_seconds)
        return float(deviation([Long(int(value)) for value in found])) if found else NAN

    def message_baseline(self) -> float:
        return self.baseline(lambda second: Fraction(sum(row[1] // SECOND_NS == second for row in self.rows)))

    def book(self, end_ns: int) -> Row | None:
        return self.last((EventKind.BOOK,), end_ns)

    def liquidity_baseline(self) -> float:
        def sample(second: int) -> Fraction:
            row = self.book((second + 1) * SECOND_NS)
            assert row is not None
            return Fraction(row[9] + row[10])

        length = self.settings.liquidity_seconds
        samples = [sample(second) for second in self.whole][-length:]
        found = samples if len(samples) >= min(length, self.settings.warm_up_seconds) else []
        return float(mean(found)) if found else NAN

    def candle(self, second: int) -> Candle | None:
        trades = self.of(EventKind.TRADE, second)
        prices = [row[3] for row in trades]
        if not prices:
            return None
        return prices[0], max(prices), min(prices), prices[-1], sum(row[4] for row in trades)

    def candle_run(self) -> list[Candle]:
        """The candles of the last whole seconds, back to the first second without one."""
        run = list[Candle]()
        for second in reversed(self.whole):
            candle = self.candle(second)
            if candle is None:
                break
            run.insert(0, candle)
        return run

    def exhaustion_run(self) -> int:
        def good(candle: Candle) -> bool:
            opened, high, low, closed, _ = candle
            return closed < opened and Fraction(closed - low, high - low) > Fraction(1, 5)

        run, length = self.candle_run(), 0
        for index in range(len(run), 0, -1):
            part = run[index - 1 :]
            follows = all(
                Fraction(b[3] - b[2]) > Fraction(11, 10) * (a[3] - a[2]) and b[0] - b[3] < a[0] - a[3]
                for a, b in pairwise(part)
            )
            if not all(good(candle) for candle in part) or not follows:
                break
            length = len(part)
        return length

    def rising_run(self) -> list[Candle]:
        run = self.candle_run()
        kept = list[Candle]()
        for opened, high, low, closed, volume in reversed(run):
            if not (closed > opened and Fraction(high - closed, high - low) > Fraction(1, 5)):
                break
            kept.insert(0, (opened, high, low, closed, volume))
        return kept

    def is_climax(self) -> bool:
        run = self.rising_run()
        return any(
            len(run) >= length
            and run[-1][4] > Fraction(3, 2) * mean([Fraction(candle[4]) for candle in run[-length:-1]])
            for length in (3, 4, 5)
        )

    def range(self) -> float:
        closed = self.candle(self.open - 1) if self.open - 1 in self.whole else None
        candles = [candle for candle in (self.candle(self.open), closed) if candle is not None]
        return max((float(Fraction(candle[1] - candle[2], candle[2])) for candle in candles), default=0.0)

    def readings(self) -> dict[Reading, float]:
        """What is read after the last event, but the state machine's."""
        newest = self.book(self.now + 1)
        bid, ask = (newest[9], newest[10]) if newest else (0, 0)
        baseline = self.liquidity_baseline()
        top = self.top(self.now + 1)
        return {
            Reading.PRICE: (top[3] + top[5]) / 2 if top else NAN,
            Reading.ACCELERATION: self.acceleration(),
            Reading.IMBALANCE: ratio(newest[7], newest[8]) if newest else NAN,
            Reading.SPREAD: self.spread(),
            Reading.SPREAD_BASELINE: self.spread_baseline(),
            Reading.VOLUME_DELTA: self.delta_of(self.trailing()),
            Reading.VOLUME_SIGMA: self.volume_sigma(),
            Reading.MESSAGES: len(self.trailing()),
            Reading.MESSAGE_BASELINE: self.message_baseline(),
            Reading.EXHAUSTION_RUN: self.exhaustion_run(),
            Reading.CLIMAX_RUN: len(self.rising_run()),
            Reading.BID_LIQUIDITY: bid if newest else NAN,
            Reading.ASK_LIQUIDITY: ask if newest else NAN,
            Reading.LIQUIDITY_BASELINE: baseline,
            Reading.LIQUIDITY_RATIO: (bid + ask) / baseline if newest and baseline > 0 else NAN,
            Reading.LIQUIDITY_IMBALANCE: ratio(bid, ask) if newest else NAN,
            Reading.RANGE: self.range(),
        }


def ratio(bid: int, ask: int) -> float:
    return float(Fraction(bid - ask, bid + ask)) if bid + ask else NAN


def close(own: float, expected: float, tolerance: float = 1e-12) -> bool:
    """Whether two readings are both missing, or equal to a part of the expected one."""
    if isnan(own) or isnan(expected):
        return isnan(own) and isnan(expected)
    return abs(own - expected) <= tolerance * max(abs(expected), tolerance)

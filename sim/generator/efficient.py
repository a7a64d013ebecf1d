"""The price that all venues of a coin follow: a jump-diffusion and a crash laid over it; and the market's mood."""

from __future__ import annotations

from math import isqrt
from typing import Final

from sim.generator.chance import Chance, Quantiles, poisson_table
from sim.generator.settings import SECOND_NS, CrashSettings, GeneratorSettings

NANO: Final = 10**9
"""Returns are counts of 1e-9: one basis point is 100,000 of them."""
BASIS_POINT: Final = 100_000
MICRO: Final = 10**6
"""Prices between ticks are counts of 1e-6 USD."""
CALM: Final = 1_000
"""Activity is per mille of its usual level, and so is stress of its worst."""

_DIFFUSION: Final = 8_000
"""Standard deviation of the diffusion over one second, in returns."""
_MOVE: Final = Quantiles(((0, 10_000), (500, 60_000), (900, 190_000), (990, 430_000), (1000, 850_000)))
"""Sizes of jumps."""
_MOVE_DELAY_NS: Final = Quantiles(((0, 2 * 10**6), (500, 10**8), (900, 6 * 10**8), (1000, 2 * SECOND_NS)))
"""How long after a jump the jumps come that it excites."""
_EXCITED: Final = 450
"""Jumps that one jump excites in the mean, per mille."""
_SAME_SIGN: Final = 620
_ACTIVITY: Final = (180, 250, 350, 500, 710, 1_000, 1_410, 2_000, 2_830, 4_000, 5_660)
_USUAL: Final = 5
_SPELL_NS: Final = SECOND_NS // 4
"""How often activity may change its level."""


class Mood:
    """How active and how frightened the market is, in all coins alike.

    Attributes
    ----------
    activity: per mille of the usual rate of orders.
    """

    def __init__(self, settings: GeneratorSettings, chance: Chance) -> None:
        self._chance = chance
        self._crash = settings.crash
        self._scale = settings.activity_percent
        self._level = _USUAL
        self._spell_ends_ns = 0
        self.activity = self._scaled()

    def advance(self, elapsed_ns: int) -> None:
        """Let activity change its level when its spell has ended."""
        if elapsed_ns >= self._spell_ends_ns:
            self._spell_ends_ns = elapsed_ns + _SPELL_NS
            pull = 50 * (self._level - _USUAL)
            luck = self._chance.permille()
            self._level += (luck < 300 - pull) - (luck >= 700 - pull)
            self._level = min(max(self._level, 0), len(_ACTIVITY) - 1)
            self.activity = self._scaled()

    def stress(self, elapsed_ns: int) -> int:
        """How frightened the market is, per mille: full through the fall, fading over twice the recovery."""
        crash = self._crash
        if crash is None or elapsed_ns < crash.at_ns:
            return 0
        falling = elapsed_ns - crash.at_ns
        if falling <= crash.fall_ns:
            return min(CALM, CALM * 10 * falling // crash.fall_ns)
        return max(0, CALM - CALM * (falling - crash.fall_ns) // (2 * crash.rebound_ns))

    def is_falling(self, elapsed_ns: int) -> bool:
        """Whether the crash is in its fall."""
        crash = self._crash
        return crash is not None and crash.at_ns <= elapsed_ns <= crash.at_ns + crash.fall_ns

    def _scaled(self) -> int:
        return _ACTIVITY[self._level] * self._scale // 100


class EfficientPrice:
    """The efficient price of one coin.

    Parameters
    ----------
    price: at the start, in USD. own: size of its own moves against the usual one, per mille.
    """

    def __init__(self, price: int, crash: CrashSettings | None, chance: Chance, own: int = CALM) -> None:
        self._chance = chance
        self._price = price * MICRO
        self._crash = crash
        self._own = own
        self._children = poisson_table(_EXCITED)

    def value(self, elapsed_ns: int) -> int:
        """The price at a time after the start, in 1e-6 USD."""
        return self._price * (NANO - self._loss(elapsed_ns)) // NANO

    def diffuse(self, step_ns: int) -> int:
        """Let a short time pass; ``step_ns`` is a square fraction of a second, as 1/25 or 1/100; returns the move."""
        roots = isqrt(SECOND_NS // step_ns)
        return self.shift(self._chance.bell(_DIFFUSION * self._own // CALM // roots))

    def jump(self, sign: int) -> int:
        """Move the price at once; returns by how much."""
        return self.shift(sign * self._chance.draw(_MOVE) * self._own // CALM)

    def shift(self, move: int) -> int:
        """Move the price by a return; returns the move."""
        self._price += self._price * move // NANO
        return move

    def excited(self, sign: int) -> list[tuple[int, int]]:
        """(delay in ns, sign) of the jumps that a jump excites."""
        chance = self._chance
        return [
            (chance.draw(_MOVE_DELAY_NS), sign if chance.permille() < _SAME_SIGN else -sign)
            for _ in range(chance.count(self._children))
        ]

    def _loss(self, elapsed_ns: int) -> int:
        """What the crash has taken off the price, in returns."""
        crash = self._crash
        return 0 if crash is None else crash_loss(crash, elapsed_ns)


def crash_loss(crash: CrashSettings, elapsed_ns: int) -> int:
    """Loss in returns at a time after the start: an accelerating fall, then a slowing recovery."""
    falling = elapsed_ns - crash.at_ns
    if falling <= 0:
        return 0
    depth = crash.drop_bps * BASIS_POINT
    if falling <= crash.fall_ns:
        return depth * falling**2 // crash.fall_ns**2
    left = max(0, crash.rebound_ns - (falling - crash.fall_ns))
    recovered = depth * crash.rebound_percent // 100
    return depth - recovered + recovered * left**2 // crash.rebound_ns**2

"""The price that the background traders of a symbol believe in: that of the generated markets, seen late."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from sim.exchange.venue.model import BackgroundModel
from sim.generator.agenda import Agenda
from sim.generator.chance import Chance
from sim.generator.efficient import CALM, MICRO, EfficientPrice

_SECOND_NS: Final = 10**9
_STEP_NS: Final = _SECOND_NS // 25
_JUMP_NS: Final = 6 * _SECOND_NS
"""Mean time between jumps that nothing excites."""
_START: Final = 1_000
"""Where the common price starts; only its ratio to this counts."""
_PRICE_STREAM: Final = 0
_BPS: Final = 10_000


class FairPrice:
    """The same seed gives the same path on every venue; ``lag_ns`` later it is heard.

    Parameters
    ----------
    reference_ticks: the price at the start. heard: called with the time when the price has moved.

    Attributes
    ----------
    ticks: the price that is believed in.
    """

    def __init__(
        self, model: BackgroundModel, reference_ticks: int, agenda: Agenda, heard: Callable[[int], None]
    ) -> None:
        self._model = model
        self._reference_ticks = reference_ticks
        self._agenda = agenda
        self._heard = heard
        self._chance = Chance(model.seed, _PRICE_STREAM)
        self._price = EfficientPrice(_START, None, self._chance, CALM * model.volatility_percent // 100)
        self.ticks = self._in_ticks()

    def open(self, now_ns: int) -> None:
        """Enter what happens first."""
        self._agenda.enter(now_ns + _STEP_NS, self._step)
        self._agenda.enter(now_ns + self._chance.exponential(_JUMP_NS), self._news)

    def _step(self, now_ns: int, _: int) -> None:
        self._agenda.enter(now_ns + _STEP_NS, self._step)
        self._price.diffuse(_STEP_NS)
        self._announce(now_ns)

    def _news(self, now_ns: int, _: int) -> None:
        self._agenda.enter(now_ns + self._chance.exponential(_JUMP_NS), self._news)
        self._jump(now_ns, self._chance.sign())

    def _jump(self, now_ns: int, sign: int) -> None:
        self._price.jump(sign)
        for delay_ns, child in self._price.excited(sign):
            self._agenda.enter(now_ns + delay_ns, self._jump, child)
        self._announce(now_ns)

    def _announce(self, now_ns: int) -> None:
        self._agenda.enter(now_ns + self._model.lag_ns, self._hear, self._in_ticks())

    def _hear(self, now_ns: int, ticks: int) -> None:
        self.ticks = ticks
        self._heard(now_ns)

    def _in_ticks(self) -> int:
        common = self._reference_ticks * self._price.value(0) // (_START * MICRO)
        return max(1, common * (_BPS + self._model.basis_bps) // _BPS)

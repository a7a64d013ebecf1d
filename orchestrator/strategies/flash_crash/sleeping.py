"""The trader's sleep: compiled code feeds its detector, and keeps the candles of the time, in ticks and lots."""

from __future__ import annotations

from typing import Final

from market.detector.states import Permission
from market.pipeline.detector_wakes import DetectorWake, SecondCandle, Standing
from market.wire.records import Words
from orchestrator.strategies.flash_crash.parameters import FlashCrashParameters
from orchestrator.strategies.flash_crash.seconds import Candle

GRID_NS: Final = 100_000_000
"""Time is told to detector and trades at every multiple of this."""


class Sleeping:
    """What stands in for a trader that sleeps.

    Parameters
    ----------
    detector: state of its detector; the same array for as long as this is.

    Members
    -------
    wake: for ``Wakes``.
    """

    def __init__(self, parameters: FlashCrashParameters, detector: Words) -> None:
        entry = parameters.entry
        self._price, self._lot = parameters.price_unit, parameters.quantity_unit
        self.wake = DetectorWake(
            parameters.market,
            detector,
            counted=Permission.ENTER,
            every_ns=GRID_NS,
            candles=max(entry.range_samples, entry.volume_seconds, entry.extremum_seconds) + 1,
        )

    @property
    def is_possible(self) -> bool:
        """Whether the trader may go to sleep: it is awake, and a loop would feed the detector."""
        return self.wake.is_attached and self.wake.standing is Standing.AWAKE

    @property
    def is_asleep(self) -> bool:
        """Whether the trader sleeps."""
        return self.wake.standing is Standing.ASLEEP

    @property
    def now_ns(self) -> int:
        """Newest time of the sleep."""
        return self.wake.now_ns

    def begin(self, now_ns: int, running: Candle | None) -> None:
        """Fall asleep; ``running``: this second's trades so far."""
        self.wake.sleep(now_ns, None if running is None else self._in_ticks(running))

    def end(self) -> int:
        """Wake for something else than the detector; returns the newest time that was heard of."""
        self.wake.awake()
        return self.wake.now_ns

    def take_candles(self) -> list[Candle]:
        """Candles since the last call, or since the sleep began; the last may be that of the running second."""
        return [
            Candle(
                second=candle.second,
                open=candle.open * self._price,
                high=candle.high * self._price,
                low=candle.low * self._price,
                close=candle.close * self._price,
                volume=candle.volume * self._lot,
            )
            for candle in self.wake.take_candles()
        ]

    def _in_ticks(self, candle: Candle) -> SecondCandle:
        return SecondCandle(
            second=candle.second,
            open=candle.open // self._price,
            high=candle.high // self._price,
            low=candle.low // self._price,
            close=candle.close // self._price,
            volume=candle.volume // self._lot,
        )

"""The look at the machine every few seconds: clock drift and growth of memory; feeds have guards of their own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from config.risk import WatchdogSettings
from orchestrator.risk.conditions import Finding
from orchestrator.risk.guard import EVERYWHERE, Reason
from orchestrator.risk.readings import HostReading

_NS_PER_MS: Final = 1_000_000
_NS_PER_S: Final = 1_000_000_000


class Watchdog:
    """Judges readings of the host; the memory that growth is measured against is that of the first after warm-up."""

    def __init__(self, settings: WatchdogSettings) -> None:
        self.use(settings)
        self._started_ns = -1
        self._baseline_bytes = 0

    def use(self, settings: WatchdogSettings) -> None:
        """Judge by other settings from here on."""
        self._maximum_drift_ns = settings.maximum_clock_drift_ms * _NS_PER_MS
        self._maximum_growth_pct = settings.maximum_memory_growth_pct
        self._warm_up_ns = settings.memory_warm_up_s * _NS_PER_S

    def look(self, reading: HostReading, now_ns: int) -> Iterator[Finding]:
        """Findings about the clock and the memory."""
        yield Finding(Reason.CLOCK_DRIFT, EVERYWHERE, self._drift(reading))
        yield Finding(Reason.MEMORY, EVERYWHERE, self._growth(reading, now_ns))

    def _drift(self, reading: HostReading) -> str:
        error_ns = reading.clock_error_ns
        if error_ns is None or error_ns <= self._maximum_drift_ns:
            return ""
        return f"the clock was wrong by {error_ns} ns; expected at most {self._maximum_drift_ns} ns"

    def _growth(self, reading: HostReading, now_ns: int) -> str:
        if self._started_ns < 0:
            self._started_ns = now_ns
        if now_ns - self._started_ns < self._warm_up_ns:
            return ""
        if not self._baseline_bytes:
            self._baseline_bytes = reading.resident_bytes
        grown = reading.resident_bytes - self._baseline_bytes
        if grown * 100 <= self._baseline_bytes * self._maximum_growth_pct:
            return ""
        return (
            f"memory had grown from {self._baseline_bytes} to {reading.resident_bytes} bytes; expected at most "
            f"{self._maximum_growth_pct} % more"
        )

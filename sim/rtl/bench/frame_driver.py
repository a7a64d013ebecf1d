"""Frames onto the core's receive bus."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cocotb.simtime import get_sim_time
from cocotb.triggers import Event, RisingEdge


@dataclass(frozen=True, slots=True)
class FrameOnLine:
    """A frame with its check sequence as it comes.

    Parameters
    ----------
    time_ns: put on the core's time port with the first beat; None: the port stays as it is.
    gap: idle cycles behind it.
    error: the line was in error during it.
    """

    octets: bytes
    time_ns: int | None = None
    gap: int = 20
    error: bool = False


class FrameDriver:
    """Drives ``rx`` beat by beat, frames in the order of ``send``.

    Parameters
    ----------
    dut: the core. bus_bytes: bytes of a beat.
    begun: told of each frame with the time on the core's port in the cycle of its first beat.

    Attributes
    ----------
    given: beats so far.
    begun_at, ended_at: simulator's time of the edges that took the last frame's first and last beat.
    """

    def __init__(self, dut: Any, bus_bytes: int, begun: Callable[[FrameOnLine, int], None]) -> None:
        self.begun_at = self.ended_at = 0
        self.given = 0
        self._dut, self._bus_bytes, self._begun = dut, bus_bytes, begun
        self._waiting: deque[FrameOnLine] = deque()
        self._arrived = Event()
        self._busy = False
        for name in ("valid", "first", "last", "data", "count", "error"):
            getattr(dut, f"rx__{name}").value = 0

    @property
    def idle(self) -> bool:
        """Whether every frame has been driven, its gap included."""
        return not self._waiting and not self._busy

    def send(self, frame: FrameOnLine) -> None:
        """Queue a frame."""
        self._waiting.append(frame)
        self._arrived.set()

    async def run(self) -> None:
        """Drive what is queued, for ever."""
        clock = RisingEdge(self._dut.clk)
        while True:
            if not self._waiting:
                self._arrived.clear()
                await self._arrived.wait()
                await clock
            self._busy = True
            frame = self._waiting.popleft()
            await self._drive(frame)
            for _ in range(frame.gap):
                await clock
            self._busy = False

    async def _drive(self, frame: FrameOnLine) -> None:
        dut, width, octets = self._dut, self._bus_bytes, frame.octets
        clock = RisingEdge(dut.clk)
        if frame.time_ns is not None:
            dut.time.value = frame.time_ns % (1 << 64)
        beats = max(1, -(-len(octets) // width))
        dut.rx__valid.value = 1
        for beat in range(beats):
            part = octets[beat * width : beat * width + width]
            is_last = beat == beats - 1
            dut.rx__data.value = int.from_bytes(part, "little")
            if beat < 2:
                dut.rx__first.value = int(beat == 0)
            if beat == 0 or is_last:
                dut.rx__count.value = len(part)
                dut.rx__last.value = int(is_last)
                dut.rx__error.value = int(frame.error and is_last)
            await clock
            self.given += 1
            if beat == 0:
                self.begun_at = get_sim_time("step")
                self._begun(frame, int(dut.time.value))
        self.ended_at = get_sim_time("step")
        dut.rx__valid.value = 0

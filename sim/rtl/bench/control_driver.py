"""Control messages into the core, byte by byte."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cocotb.simtime import get_sim_time
from cocotb.triggers import Event, RisingEdge


@dataclass(frozen=True, slots=True)
class ControlMessage:
    """A whole message.

    Parameters
    ----------
    time_ns: put on the core's time port with the first byte; None: the port stays as it is.
    pauses: idle cycles before bytes, by their position.
    """

    octets: bytes
    time_ns: int | None = None
    pauses: tuple[tuple[int, int], ...] = ()


class ControlDriver:
    """Drives ``control`` as a stream; messages in the order of ``send``.

    Parameters
    ----------
    dut: the core.
    begun: told of each message with the time on the core's port in the cycle in which its first byte was taken.

    Attributes
    ----------
    given: bytes so far.
    taken_at: simulator's time of the edge that took the last message's last byte.
    """

    def __init__(self, dut: Any, begun: Callable[[ControlMessage, int], None]) -> None:
        self.taken_at = 0
        self.given = 0
        self._dut, self._begun = dut, begun
        self._waiting: deque[ControlMessage] = deque()
        self._arrived = Event()
        self._busy = False
        dut.control__valid.value = 0
        dut.control__payload.value = 0

    @property
    def idle(self) -> bool:
        """Whether every byte has been taken."""
        return not self._waiting and not self._busy

    def send(self, message: ControlMessage) -> None:
        """Queue a message."""
        self._waiting.append(message)
        self._arrived.set()

    async def run(self) -> None:
        """Drive what is queued, for ever."""
        while True:
            if not self._waiting:
                self._arrived.clear()
                await self._arrived.wait()
                await RisingEdge(self._dut.clk)
            self._busy = True
            await self._drive(self._waiting.popleft())
            self._busy = False

    async def _drive(self, message: ControlMessage) -> None:
        dut, pauses = self._dut, dict(message.pauses)
        clock = RisingEdge(dut.clk)
        if message.time_ns is not None:
            dut.time.value = message.time_ns % (1 << 64)
        for position, octet in enumerate(message.octets):
            is_last = position == len(message.octets) - 1
            if pauses.get(position):
                dut.control__valid.value = 0
                for _ in range(pauses[position]):
                    await clock
            dut.control__payload.value = octet | is_last << 8
            dut.control__valid.value = 1
            await clock
            while not dut.control__ready.value:
                await clock
            self.given += 1
            if position == 0:
                self._begun(message, int(dut.time.value))
        self.taken_at = get_sim_time("step")
        dut.control__valid.value = 0

"""What comes out of the core: messages in words, the log in bytes, frames in beats, and strobes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from cocotb.simtime import get_sim_time
from cocotb.triggers import RisingEdge

_WORD: Final = 8
_WORD_BITS: Final = 64


class Monitor:
    """Sees every cycle in which ``valid`` is set, and asks nothing of the others."""

    def __init__(self, dut: Any, valid: Any) -> None:
        self.dut, self._valid = dut, valid

    async def run(self) -> None:
        """Watch, for ever."""
        clock = RisingEdge(self.dut.clk)
        rises = RisingEdge(self._valid)
        while True:
            if not self._valid.value:
                await rises
            await clock
            if self._valid.value:
                self.seen()

    def seen(self) -> None:
        """One cycle in which ``valid`` is set."""
        raise NotImplementedError


class StreamMonitor(Monitor):
    """Collects what passes on a stream of parts that ends in ``last``.

    Parameters
    ----------
    name: of the stream's ports. part_bytes: bytes of one part. last_bit: of the payload.
    message: told of each whole message.

    Attributes
    ----------
    passed, waited: cycles in which a part passed, and in which one had to wait.
    """

    def __init__(self, dut: Any, name: str, part_bytes: int, last_bit: int, message: Callable[[bytes], None]) -> None:
        super().__init__(dut, getattr(dut, f"{name}__valid"))
        self.passed = self.waited = 0
        self._payload, self._ready = getattr(dut, f"{name}__payload"), getattr(dut, f"{name}__ready")
        self._part_bytes, self._last_bit, self._message = part_bytes, last_bit, message
        self._collected = bytearray()

    def seen(self) -> None:
        """Take a part if the other side is ready."""
        if not self._ready.value:
            self.waited += 1
            return
        self.passed += 1
        payload = int(self._payload.value)
        self._collected += (payload & ((1 << 8 * self._part_bytes) - 1)).to_bytes(self._part_bytes, "little")
        if payload >> self._last_bit & 1:
            self._message(bytes(self._collected))
            self._collected.clear()


def word_monitor(dut: Any, message: Callable[[bytes], None]) -> StreamMonitor:
    """The tap of messages: 64 bits, first, last."""
    return StreamMonitor(dut, "words", _WORD, _WORD_BITS + 1, message)


def log_monitor(dut: Any, message: Callable[[bytes], None]) -> StreamMonitor:
    """The tap of the log: 8 bits, last."""
    return StreamMonitor(dut, "log", 1, 8, message)


@dataclass(frozen=True, slots=True)
class SentFrame:
    """A frame that left; ``error``: the core said that it is spoiled."""

    octets: bytes
    error: bool


class FrameMonitor(Monitor):
    """Collects frames that leave.

    Parameters
    ----------
    period_steps: of the clock, in steps of the simulator's time.

    Attributes
    ----------
    frames: so far, for whoever takes them. waited: cycles in which a beat had to wait.
    torn: beats with ``first`` in the wrong place, or behind a cycle without ``valid`` inside a frame.
    """

    def __init__(self, dut: Any, period_steps: int) -> None:
        super().__init__(dut, dut.tx__valid)
        self.frames: list[SentFrame] = []
        self.waited = self.torn = 0
        self._collected = bytearray()
        self._inside = False
        self._period_steps, self._seen_at = period_steps, 0

    def seen(self) -> None:
        """Take a beat if the line is ready."""
        dut, now = self.dut, get_sim_time("step")
        torn = self._inside and now - self._seen_at != self._period_steps
        self._seen_at = now
        if not dut.tx_ready.value:
            self.waited += 1
        else:
            torn |= bool(dut.tx__first.value) == self._inside
            count = int(dut.tx__count.value)
            self._collected += int(dut.tx__data.value).to_bytes(_WORD, "little")[:count]
            self._inside = not dut.tx__last.value
            if not self._inside:
                self.frames.append(SentFrame(bytes(self._collected), bool(dut.tx__error.value)))
                self._collected.clear()
        self.torn += torn


class StrobeMonitor(Monitor):
    """Counts the cycles in which a port is set.

    Attributes
    ----------
    count: so far.
    """

    def __init__(self, dut: Any, port: Any) -> None:
        super().__init__(dut, port)
        self.count = 0

    def seen(self) -> None:
        """Once more."""
        self.count += 1

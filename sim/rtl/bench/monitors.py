"""What comes out of the core: messages in words, the log in bytes, frames in beats, and strobes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from cocotb.triggers import RisingEdge

_WORD: Final = 8
_WORD_BITS: Final = 64


class Monitor:
    """Sees every cycle in which ``valid`` is set, and of those between them only that there are some."""

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
            else:
                self.rested()

    def seen(self) -> None:
        """One cycle in which ``valid`` is set."""
        raise NotImplementedError

    def rested(self) -> None:
        """At least one cycle in which it is not."""


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

    Attributes
    ----------
    frames: so far, for whoever takes them. waited: cycles in which a beat had to wait.
    torn: beats with ``first`` in the wrong place, and frames with a cycle without ``valid`` inside.
    """

    def __init__(self, dut: Any) -> None:
        super().__init__(dut, dut.tx__valid)
        self.frames: list[SentFrame] = []
        self.waited = self.torn = 0
        self._collected = bytearray()
        self._inside = False
        # looked up once: a name takes as long as a value
        self._ready, self._first, self._last, self._error = dut.tx_ready, dut.tx__first, dut.tx__last, dut.tx__error
        self._count, self._data = dut.tx__count, dut.tx__data

    def seen(self) -> None:
        """Take a beat if the line is ready."""
        if not self._ready.value:
            self.waited += 1
            return
        self.torn += bool(self._first.value) == self._inside
        self._collected += int(self._data.value).to_bytes(_WORD, "little")[: int(self._count.value)]
        self._inside = not self._last.value
        if not self._inside:
            self.frames.append(SentFrame(bytes(self._collected), bool(self._error.value)))
            self._collected.clear()

    def rested(self) -> None:
        """No frame may be under way."""
        self.torn += self._inside


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

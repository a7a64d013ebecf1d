"""Messages over a serial line: 8 data bits, no parity, one stop bit; each message stuffed and ended by a zero byte."""

from __future__ import annotations

from typing import Any, Final

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.cdc import FFSynchronizer
from amaranth.lib.fifo import SyncFIFO
from amaranth.lib.wiring import In, Out

from hdl.control.stuffing import LONGEST_RUN
from hdl.octet_stream import octet_stream
from hdl.parameters import BYTE
from market.errors import Fatal

LEAST_DIVISOR: Final = 4
QUEUE_DEPTH: Final = 64
"""Bytes that may come while the message before them is handled."""


class SerialReceiver(wiring.Component):
    """Bytes of a serial line.

    Parameters
    ----------
    divisor: clock cycles per bit, at least 4; elaboration raises ``Fatal`` below.

    Members
    -------
    line: the pin, high at rest; synchronised here.
    octet, valid: a byte and its strobe, in the middle of its stop bit. A byte without a stop bit is not given.
    """

    def __init__(self, divisor: int) -> None:
        self._divisor = divisor
        super().__init__({"line": In(1, init=1), "octet": Out(BYTE), "valid": Out(1)})

    def elaborate(self, platform: Any) -> Module:
        """Samples in the middle of each bit, counted from the fall of the start bit."""
        if self._divisor < LEAST_DIVISOR:
            raise Fatal(f"{self._divisor} clock cycles per bit of a serial line; expected at least {LEAST_DIVISOR}")
        m = Module()
        line, left, bits = Signal(init=1), Signal(range(self._divisor)), Signal(range(BYTE + 3))
        m.submodules.line = FFSynchronizer(self.line, line, init=1)
        m.d.sync += self.valid.eq(0)
        with m.If(bits == 0):
            m.d.sync += left.eq(self._divisor // 2 - 1)
            with m.If(~line):
                m.d.sync += bits.eq(BYTE + 2)
        with m.Elif(left != 0):
            m.d.sync += left.eq(left - 1)
        with m.Else():
            m.d.sync += [left.eq(self._divisor - 1), bits.eq(bits - 1)]
            with m.If(bits == 1):
                m.d.sync += self.valid.eq(line)
            with m.Elif(bits <= BYTE + 1):
                m.d.sync += self.octet.eq(Cat(self.octet[1:], line))
            with m.Elif(line):
                m.d.sync += bits.eq(0)
        return m


class Unstuffer(wiring.Component):
    """Takes the stuffing out: bytes in with a strobe, messages out; a message that is not taken in time loses bytes.

    Members
    -------
    octet, valid: a stuffed byte and its strobe.
    octets: messages. Bytes that find the queue before it full are lost, and with them their message's tag.
    """

    def __init__(self) -> None:
        super().__init__({"octet": In(BYTE), "valid": In(1), "octets": Out(octet_stream())})

    def elaborate(self, platform: Any) -> Module:
        """A byte is held until it is known whether it is the last; a zero, until something follows its run."""
        m = Module()
        m.submodules.queue = queue = SyncFIFO(width=len(Value.cast(self.octets.payload)), depth=QUEUE_DEPTH)
        held, holds, left, owes_zero = Signal(BYTE), Signal(), Signal(BYTE), Signal()
        is_end, is_code = self.octet == 0, left == 0
        decoded, comes = Signal(BYTE), Signal()
        m.d.comb += [
            decoded.eq(Mux(is_code, 0, self.octet)),
            comes.eq(self.valid & ~is_end & (~is_code | owes_zero)),
            queue.w_data.eq(Cat(held, is_end)),
            queue.w_en.eq(holds & (comes | (self.valid & is_end))),
            Value.cast(self.octets.payload).eq(queue.r_data),
            self.octets.valid.eq(queue.r_rdy),
            queue.r_en.eq(self.octets.ready),
        ]
        with m.If(comes):
            m.d.sync += [held.eq(decoded), holds.eq(1)]
        with m.If(self.valid):
            with m.If(is_end):
                m.d.sync += [holds.eq(0), left.eq(0), owes_zero.eq(0)]
            with m.Elif(is_code):
                m.d.sync += [left.eq(self.octet - 1), owes_zero.eq(self.octet != LONGEST_RUN)]
            with m.Else():
                m.d.sync += left.eq(left - 1)
        return m


class SerialMessages(wiring.Component):
    """Messages from a serial line.

    Parameters
    ----------
    divisor: clock cycles per bit, at least 4.

    Members
    -------
    line: the pin. octets: messages; see ``Unstuffer``.
    """

    def __init__(self, divisor: int) -> None:
        self._divisor = divisor
        super().__init__({"line": In(1, init=1), "octets": Out(octet_stream())})

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        m.submodules.receiver = receiver = SerialReceiver(self._divisor)
        m.submodules.unstuffer = unstuffer = Unstuffer()
        wiring.connect(m, unstuffer.octets, wiring.flipped(self.octets))
        m.d.comb += [
            receiver.line.eq(self.line),
            unstuffer.octet.eq(receiver.octet),
            unstuffer.valid.eq(receiver.valid),
        ]
        return m

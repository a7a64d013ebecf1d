"""What an event or a command is about, in as many registers as there are stores to address."""

from __future__ import annotations

from typing import Any

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.parameters import CoreParameters
from hdl.records import INSTRUMENT_NUMBER_BITS, VENUE_NUMBER_BITS


class NewAddress(wiring.Signature):
    """``take``: strobe, the address is ``instrument`` and ``venue`` from the next cycle on. ``next``: strobe, it is
    the next instrument then."""

    def __init__(self) -> None:
        super().__init__(
            {
                "take": Out(1),
                "instrument": Out(INSTRUMENT_NUMBER_BITS),
                "venue": Out(VENUE_NUMBER_BITS),
                "next": Out(1),
            }
        )


class Address(wiring.Component):
    """One copy of the address.

    Parameters
    ----------
    copy: its number. Synthesis makes one register of those that are alike, so that copies differ in their first
        values and in being stored inverted: of four of them each drives its own share.

    Members
    -------
    new: what the address becomes.
    instrument, venue: low bits of the numbers, which are those of a row if the numbers are inside the build.
    here: bit per venue: it is the address's.
    """

    def __init__(self, parameters: CoreParameters, copy: int) -> None:
        self._copy = copy
        super().__init__(
            {
                "new": In(NewAddress()),
                "instrument": Out(parameters.instrument_bits),
                "venue": Out(parameters.venue_bits),
                "here": Out(parameters.venues),
            }
        )

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        here = Cat(self.new.venue == number for number in range(len(self.here)))
        self._register(m, self.venue, (self.new.take, self.new.venue))
        self._register(m, self.here, (self.new.take, here))
        self._register(m, self.instrument, (self.new.take, self.new.instrument), (self.new.next, self.instrument + 1))
        return m

    def _register(self, m: Module, port: Any, *changes: tuple[Any, Any]) -> None:
        """The register behind a port, and what it becomes with which strobe."""
        first, inverted = -(self._copy & 1), bool(self._copy & 2)
        register = Signal(len(port), init=first & ((1 << len(port)) - 1), name=f"{port.name}_register")
        m.d.comb += port.eq(~register if inverted else register)
        for strobe, value in changes:
            with m.If(strobe):
                m.d.sync += register.eq(~value if inverted else value)


def address_of(m: Module, new: Any, parameters: CoreParameters, copy: int) -> Address:
    """A new copy of the address as a submodule that follows ``new``."""
    m.submodules.address = address = Address(parameters, copy)
    pass_on(m, new, address.new)
    return address


def pass_on(m: Module, new: Any, *parts: Any) -> None:
    """Hand a new address on to components further in."""
    m.d.comb += [getattr(part, name).eq(getattr(new, name)) for part in parts for name in NewAddress().members]


def delayed(m: Module, strobe: Any, name: str) -> Signal:
    """A strobe, or several, one cycle later: for writes at an address that is still the same then."""
    later = Signal(len(strobe), name=name)
    m.d.sync += later.eq(strobe)
    return later

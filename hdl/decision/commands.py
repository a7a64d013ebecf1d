"""Control messages at the decision machine: which row they are about, and what is written when."""

from __future__ import annotations

from enum import IntEnum
from typing import Any, Final

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.decision.command_fields import command_field
from hdl.parameters import CoreParameters
from hdl.records import INSTRUMENT_NUMBER_BITS, VENUE_NUMBER_BITS, ControlCommand
from market.fastpath import layout
from market.fastpath.specification import NO_VENUE, Refusal

COMMAND_CYCLES: Final = 3
"""Cycles from ``apply`` to ``done``; a reset takes one more per further instrument of the build."""
WRITES: Final = {
    "write_venue": layout.TEMPLATE_VENUE_ROW,
    "write_scaling": layout.TEMPLATE_SCALING_ROW,
    "write_instrument": layout.TEMPLATE_INSTRUMENT_ROW,
    "write_position": layout.TEMPLATE_SET_POSITION,
    "write_basis": layout.TEMPLATE_LOAD_BASIS,
}
_NAMES: Final = {
    layout.TEMPLATE_SCALING_ROW: ("ScalingRow", "venue"),
    layout.TEMPLATE_INSTRUMENT_ROW: ("InstrumentRow", None),
    layout.TEMPLATE_SETTLE: ("Settle", "venue"),
    layout.TEMPLATE_SET_POSITION: ("SetPosition", "venue"),
    layout.TEMPLATE_LOAD_BASIS: ("LoadBasis", None),
}


class _State(IntEnum):
    IDLE = 0
    LOAD = 1
    CHECK = 2
    WRITE = 3


class CommandSteps(wiring.Component):
    """Takes a command through its steps: rows are loaded, a settlement is checked, and all is written at once.

    Members
    -------
    command: see ``ControlCommand``.
    instrument, venue: numbers that the command is about, in the cycle of ``apply``: for the address registers.
    load: strobe; the stores load the rows of the address registers.
    check: strobe; a settlement is checked. settlement_fits: the answer, in the next cycle.
    settle, write_...: strobes; the message is stored. write: strobe with any of them, for what else there is.
    forget: per venue, high while a reset takes the instruments one after the other; next_instrument: strobe.
    """

    def __init__(self, parameters: CoreParameters) -> None:
        self._parameters = parameters
        super().__init__(
            {
                "command": In(ControlCommand(parameters)),
                "instrument": Out(INSTRUMENT_NUMBER_BITS),
                "venue": Out(VENUE_NUMBER_BITS),
                "load": Out(1),
                "check": Out(1),
                "settlement_fits": In(1),
                "settle": Out(1),
                "write": Out(1),
                **{name: Out(1) for name in WRITES},
                "forget": Out(parameters.venues),
                "next_instrument": Out(1),
            }
        )

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        command, message = self.command, self.command.message
        with m.Switch(command.template):
            for template, (name, venue) in _NAMES.items():
                with m.Case(template):
                    m.d.comb += self.instrument.eq(command_field(message, name, "instrument"))
                    if venue is not None:
                        m.d.comb += self.venue.eq(command_field(message, name, venue))
        left = Signal(range(self._parameters.instruments))
        state = Signal(_State)
        with m.Switch(state):
            with m.Case(_State.IDLE), m.If(command.apply):
                m.d.sync += [state.eq(_State.LOAD), left.eq(self._parameters.instruments - 1)]
            with m.Case(_State.LOAD):
                m.d.comb += self.load.eq(1)
                m.d.sync += state.eq(_State.CHECK)
            with m.Case(_State.CHECK):
                m.d.comb += self.check.eq(1)
                m.d.sync += state.eq(_State.WRITE)
            with m.Case(_State.WRITE):
                self._write(m, state, left)
        return m

    def _write(self, m: Module, state: Signal, left: Signal) -> None:
        command, message = self.command, self.command.message
        last = Signal()
        m.d.comb += [last.eq(1), command.done.eq(last), self.write.eq(last)]
        with m.If(last):
            m.d.sync += state.eq(_State.IDLE)
        with m.Switch(command.template):
            for name, template in WRITES.items():
                with m.Case(template):
                    m.d.comb += getattr(self, name).eq(1)
            with m.Case(layout.TEMPLATE_SETTLE):
                m.d.comb += [
                    self.settle.eq(self.settlement_fits),
                    command.refusal.eq(Mux(self.settlement_fits, Refusal.NONE, Refusal.SETTLEMENT)),
                ]
            with m.Case(layout.TEMPLATE_RESET):
                venue = command_field(message, "Reset", "venue")
                m.d.comb += [
                    self.forget[number].eq((venue == number) | (venue == NO_VENUE))
                    for number in range(self._parameters.venues)
                ]
                m.d.comb += [self.next_instrument.eq(1), last.eq(left == 0)]
                m.d.sync += left.eq(left - 1)

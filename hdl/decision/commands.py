"""Control messages at the decision machine: which row they are about, and what is written when."""

from __future__ import annotations

from enum import IntEnum
from typing import Any, Final

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.decision.address import NewAddress
from hdl.decision.command_fields import command_field
from hdl.parameters import CoreParameters
from hdl.records import ControlCommand
from market.fastpath import layout
from market.fastpath.specification import NO_VENUE, Refusal

COMMAND_CYCLES: Final = 7
"""Cycles from ``apply`` to ``done``; a reset takes two more per further instrument of the build."""
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
    layout.TEMPLATE_LOAD_BASIS: ("LoadBasis", "firstVenue"),
}


class _State(IntEnum):
    IDLE = 0
    ADDRESS = 1
    LOAD = 2
    ROWS = 3
    SELECT = 4
    CHECK = 5
    WRITE = 6
    DONE = 7


class CommandSteps(wiring.Component):
    """Takes a command through its steps: rows are loaded, a settlement is checked, and all is written at once.

    Members
    -------
    command: see ``ControlCommand``.
    address: what the command is about, taken in the cycle after ``apply``.
    The stores load the rows of the address in the cycle after ``address.take``.
    select, check: strobes; a settlement is worked out. settlement_fits: the answer, in the cycle after ``check``.
    settle, write_...: strobes; the message is stored in the next cycle, the one of ``done``. write: strobe with any
        of them, for what else there is.
    forget: per venue, strobes of a reset, one per instrument.
    """

    def __init__(self, parameters: CoreParameters) -> None:
        self._parameters = parameters
        super().__init__(
            {
                "command": In(ControlCommand(parameters)),
                "address": Out(NewAddress()),
                "select": Out(1),
                "check": Out(1),
                "settlement_fits": In(1),
                "settle": Out(1),
                "write": Out(1),
                **{name: Out(1) for name in WRITES},
                "forget": Out(parameters.venues),
            }
        )

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        command = self.command
        left = Signal(range(max(2, self._parameters.instruments)))
        state = Signal(_State)
        resets = Signal()
        self._address(m)
        with m.Switch(state):
            with m.Case(_State.IDLE), m.If(command.apply):
                m.d.sync += [state.eq(_State.ADDRESS), left.eq(self._parameters.instruments - 1)]
            with m.Case(_State.ADDRESS):
                m.d.comb += self.address.take.eq(1)
                m.d.sync += [state.eq(_State.LOAD), resets.eq(command.template == layout.TEMPLATE_RESET)]
            with m.Case(_State.LOAD):
                m.d.sync += state.eq(_State.ROWS)
            with m.Case(_State.ROWS):
                m.d.sync += state.eq(_State.SELECT)
            with m.Case(_State.SELECT):
                m.d.comb += self.select.eq(1)
                m.d.sync += state.eq(_State.CHECK)
            with m.Case(_State.CHECK):
                m.d.comb += self.check.eq(1)
                m.d.sync += state.eq(_State.WRITE)
            with m.Case(_State.WRITE):
                self._write(m)
                m.d.sync += state.eq(_State.DONE)
            with m.Case(_State.DONE):
                with m.If(resets & (left != 0)):
                    m.d.comb += self.address.next.eq(1)
                    m.d.sync += [state.eq(_State.WRITE), left.eq(left - 1)]
                with m.Else():
                    m.d.comb += command.done.eq(1)
                    m.d.sync += state.eq(_State.IDLE)
        with m.If((command.template == layout.TEMPLATE_SETTLE) & ~self.settlement_fits):
            m.d.comb += command.refusal.eq(Refusal.SETTLEMENT)
        return m

    def _address(self, m: Module) -> None:
        command, message = self.command, self.command.message
        with m.If(command.apply):
            m.d.sync += [self.address.instrument.eq(0), self.address.venue.eq(0)]
            with m.Switch(command.template):
                for template, (name, venue) in _NAMES.items():
                    with m.Case(template):
                        m.d.sync += self.address.instrument.eq(command_field(message, name, "instrument"))
                        if venue is not None:
                            m.d.sync += self.address.venue.eq(command_field(message, name, venue))

    def _write(self, m: Module) -> None:
        command, message = self.command, self.command.message
        m.d.comb += self.write.eq(1)
        with m.Switch(command.template):
            for name, template in WRITES.items():
                with m.Case(template):
                    m.d.comb += getattr(self, name).eq(1)
            with m.Case(layout.TEMPLATE_SETTLE):
                m.d.comb += self.settle.eq(self.settlement_fits)
            with m.Case(layout.TEMPLATE_RESET):
                venue = command_field(message, "Reset", "venue")
                m.d.comb += [
                    self.forget[number].eq((venue == number) | (venue == NO_VENUE))
                    for number in range(self._parameters.venues)
                ]

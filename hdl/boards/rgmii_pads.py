"""The pads of an RGMII line on ECP5: DDR registers, the clock that comes with the data, the one that is sent."""

from __future__ import annotations

from typing import Any, Final

from amaranth.hdl import ClockSignal, Const, Instance, Module, Signal, Value
from amaranth.lib import io, wiring
from amaranth.lib.wiring import In, Out

from hdl.boards.rgmii import edges_layout

TAP_PS: Final = 25
"""Step of the delay element of ECP5."""


class RgmiiPads(wiring.Component):
    """Registers in the pads, in a domain that must be driven by ``rx_clk``.

    What is received is taken by the clock as it comes: the PHY has to delay its clock against its data. The transmit
    clock is delayed here.

    Parameters
    ----------
    ports: of the platform, raw: ``rx_clk``, ``rx_ctrl``, ``rx_data``, ``tx_clk``, ``tx_ctrl``, ``tx_data``.
    hertz: of the line's clock; it becomes a constraint of ``platform``.
    transmit_delay_ps: of the transmit clock against its data.
    control: how the names of the control lines end.
    domain: of the registers.

    Members
    -------
    rx_clk: the clock that comes with ``received``.
    received, sent: one cycle of the lines.
    """

    def __init__(
        self, ports: Any, hertz: int, transmit_delay_ps: int = 2_000, control: str = "ctrl", domain: str = "sync"
    ) -> None:
        self._ports, self._hertz, self._taps = ports, hertz, transmit_delay_ps // TAP_PS
        self._control, self._domain = control, domain
        super().__init__({"rx_clk": Out(1), "received": Out(edges_layout), "sent": In(edges_layout)})

    def elaborate(self, platform: Any) -> Module:
        """Registers, and delay elements on all that is sent, so that only the taps make a difference."""
        m = Module()
        # a named net that is kept: a constraint on the buffer's own output is dropped without an error
        clock = Signal(name="line_clock", attrs={"keep": "true"})
        m.submodules.rx_clk = clock_buffer = io.Buffer("i", self._ports.rx_clk)
        domain, rx_control = self._domain, getattr(self._ports, f"rx_{self._control}")
        m.submodules.rx_ctrl = control = io.DDRBuffer("i", rx_control, i_domain=domain)
        m.submodules.rx_data = octet = io.DDRBuffer("i", self._ports.rx_data, i_domain=domain)
        m.d.comb += [
            clock.eq(clock_buffer.i),
            self.rx_clk.eq(clock),
            self.received.low.eq(octet.i[0]),
            self.received.high.eq(octet.i[1]),
            self.received.valid.eq(control.i[0]),
            self.received.error.eq(control.i[1]),
        ]
        platform.add_clock_constraint(clock, self._hertz)
        sent = self.sent
        self._send(m, "tx_clk", Const(1, 1), Const(0, 1), self._taps)
        self._send(m, f"tx_{self._control}", Value.cast(sent.valid), Value.cast(sent.error), 0)
        self._send(m, "tx_data", sent.low, sent.high, 0)
        return m

    def _send(self, m: Module, name: str, rising: Value, falling: Value, taps: int) -> None:
        port = getattr(self._ports, name)
        m.submodules[name] = buffer = io.Buffer("o", port)
        for bit in range(len(port)):
            registered = Signal(name=f"{name}_{bit}")
            m.submodules[f"{name}_{bit}"] = Instance(
                "ODDRX1F",
                i_SCLK=ClockSignal(self._domain),
                i_RST=Const(0),
                i_D0=rising[bit],
                i_D1=falling[bit],
                o_Q=registered,
            )
            m.submodules[f"{name}_{bit}_delay"] = Instance(
                "DELAYG", p_DEL_MODE="SCLK_ALIGNED", p_DEL_VALUE=taps, i_A=registered, o_Z=buffer.o[bit]
            )

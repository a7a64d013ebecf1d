"""The core on an RGMII line, whatever the board: all in the line's clock."""

from __future__ import annotations

from typing import Final

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.boards.core_settings import SERIAL_BAUD, merge_control, set_constants
from hdl.boards.guarded_core import GuardedCore
from hdl.boards.network import BoardNetwork
from hdl.boards.rgmii import PREAMBLE_CYCLES, RgmiiReceiver, RgmiiTransmitter, edges_layout
from hdl.control.seal import BoardSeal
from hdl.ethernet.arp import ArpResponder
from hdl.ethernet.frame_merger import FrameMerger
from hdl.ethernet.inbox import Inbox
from hdl.parameters import CoreParameters
from hdl.records import WORD_BITS
from market.fastpath.specification import DEFAULT_SIZES, EngineSizes, Feed

LINE_HERTZ: Final = 125_000_000
NS_PER_CYCLE: Final = 1_000_000_000 // LINE_HERTZ
FORWARD_BIT: Final = 42
"""When the line's clock is lost, time goes forward by 2^42 ns, 73 minutes: every quote and lease of before is old."""


class LineCore(wiring.Component):
    """Receiver, transmitter, inbox of control messages and guarded core; sizes, addresses and key are constants.

    Control messages come as sealed datagrams, or sealed and stuffed over a serial line, where no feed can crowd them
    out. The core sees the datagrams' frames as well, and counts them as NOT_OURS. Requests for the board's link address
    (ARP) are answered between the core's frames.

    Parameters
    ----------
    network: addresses. seal: the board's key, and its lowest counter. sizes: of the build, all in use.
    serial_divisor: cycles per bit of the serial line. feeds: that there may be decoders for.

    Members
    -------
    received, sent: one cycle of the lines. serial: the pin of the serial line, high at rest.
    lost: the line's clock is not what it should be: kills, and puts time forward.
    kill: kills while set; so does ``overrun``, for good.
    killed: by either of them or by the host. erred: the line was in error since the configuration. overrun: the core
        lost a step since.
    """

    def __init__(
        self,
        network: BoardNetwork,
        seal: BoardSeal,
        sizes: EngineSizes = DEFAULT_SIZES,
        serial_divisor: int = LINE_HERTZ // SERIAL_BAUD,
        feeds: frozenset[Feed] = frozenset(Feed),
    ) -> None:
        self._network, self._seal, self._sizes, self._serial_divisor = network, seal, sizes, serial_divisor
        self._parameters = CoreParameters(sizes, bus_bytes=1, feeds=feeds)
        flags = {"lost": In(1), "kill": In(1), "killed": Out(1), "erred": Out(1), "overrun": Out(1)}
        lines = {"received": In(edges_layout), "sent": Out(edges_layout), "serial": In(1, init=1)}
        super().__init__({**lines, **flags})

    def elaborate(self, platform: object) -> Module:
        """The frames that come go to the core and to the inbox."""
        m = Module()
        m.submodules.receiver = receiver = RgmiiReceiver(self._parameters)
        m.submodules.transmitter = transmitter = RgmiiTransmitter(self._parameters)
        m.submodules.inbox = inbox = Inbox(self._parameters)
        m.submodules.arp = arp = ArpResponder(self._parameters)
        m.submodules.frames = frames = FrameMerger(self._parameters)
        m.submodules.core = core = GuardedCore(self._parameters, LINE_HERTZ, PREAMBLE_CYCLES)
        for name in receiver.rx.signature.members:
            m.d.comb += [getattr(taker.rx, name).eq(getattr(receiver.rx, name)) for taker in (core, inbox, arp)]
        wiring.connect(m, core.tx, frames.first)
        wiring.connect(m, arp.tx, frames.other)
        wiring.connect(m, frames.merged, transmitter.tx)
        m.d.comb += [
            receiver.line.eq(self.received),
            self.sent.eq(transmitter.line),
            frames.ready.eq(transmitter.ready),
            core.tx_ready.eq(frames.first_ready),
            arp.tx_ready.eq(frames.other_ready),
            arp.address.eq(int(self._network.address)),
            arp.link.eq(self._network.link),
            inbox.address.eq(int(self._network.address)),
            inbox.port.eq(self._network.control_port),
            core.line_errors.eq(receiver.errors),
            core.words.ready.eq(1),
            core.log.ready.eq(1),
        ]
        m.d.sync += [
            core.kill.eq(self.kill | self.lost | core.overrun),
            self.killed.eq(core.killed | core.kill),
            self.erred.eq(receiver.errors != 0),
            self.overrun.eq(core.overrun),
        ]
        lost_of_serial = merge_control(m, core, inbox.octets, self.serial, self._serial_divisor)
        m.d.sync += core.control_lost.eq(core.control_lost + (inbox.lost + lost_of_serial))
        set_constants(m, core, self._network, self._seal, self._sizes)
        self._time(m, core)
        return m

    def _time(self, m: Module, core: GuardedCore) -> None:
        """Nanoseconds since the configuration."""
        now, was_lost = Signal(WORD_BITS), Signal(init=1)
        m.d.comb += core.time.eq(now)
        m.d.sync += [now.eq(now + NS_PER_CYCLE), was_lost.eq(self.lost)]
        with m.If(self.lost & ~was_lost):
            m.d.sync += now[FORWARD_BIT:].eq(now[FORWARD_BIT:] + 1)

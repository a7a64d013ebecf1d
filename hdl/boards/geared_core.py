"""The core at a slower clock than its RGMII line: what came is gathered in beats or words, and crosses over."""

from __future__ import annotations

from typing import Any, Final

from amaranth.hdl import Const, DomainRenamer, Module, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.boards.beat_inbox import BeatInbox
from hdl.boards.core_settings import SERIAL_BAUD, merge_control, set_constants
from hdl.boards.crossings import CountCrossing, FrameCrossing, StreamCrossing
from hdl.boards.guarded_core import GuardedCore
from hdl.boards.line_core import LINE_HERTZ
from hdl.boards.line_side import LineSide
from hdl.boards.narrow_line import NarrowLine
from hdl.boards.network import BoardNetwork
from hdl.boards.rgmii import ERROR_COUNT_BITS, edges_layout
from hdl.control.seal import BoardSeal
from hdl.egress.latency import COUNT_BITS
from hdl.octet_stream import octet_layout
from hdl.parameters import PACKET_FEEDS, CoreParameters
from hdl.records import WORD_BITS, FrameBus
from market.fastpath.specification import DEFAULT_SIZES, EngineSizes, Feed

CORE_HERTZ: Final = 100_000_000
"""A byte and a quarter of a line of 1 Gbit/s per cycle; a beat has eight, so one comes every 6.4 cycles."""
COMPACT_HERTZ: Final = 62_500_000
"""The usual clock of a compact core: two bytes per cycle."""
NS_PER_SECOND: Final = 1_000_000_000
BUS_BYTES: Final = 8
LINE: Final = "line"
"""The domain of the line's clock."""
_CAME_BEATS: Final = 16
_SENT_BEATS: Final = 4
"""A trigger waits for what is in the queue: 256 ns of a log frame at most."""
_CONTROL_OCTETS: Final = 16


class GearedCore(wiring.Component):
    """The guarded core with a bus of 64 bits in the domain ``sync``, its line in the domain ``line``.

    The core's clock does not depend on the line's: time goes on without it, and the clocks may drift. Its bus has room
    for 6.4 times what the line brings at the usual clock, so that nothing waits and nothing is lost on the way over.
    T is the core's time when a frame's first eight bytes are there, in steps of its clock.

    Parameters
    ----------
    network: addresses. seal: the board's key, and its lowest counter. sizes: of the build, all in use.
    serial_divisor: cycles per bit of the serial line; None: those of its usual speed. feeds: that there may be decoders
        for. hertz: of the core's clock, 50 MHz or more; a cycle is a whole number of ns.

    Members
    -------
    received, sent: one cycle of the lines, in ``line``. All others are in ``sync``.
    serial: the pin of the serial line, high at rest.
    lost: the line's clock is not what it should be: kills.
    kill: kills while set; so does ``overrun``, for good.
    killed: by any of them or by the host. erred: the line was in error since the configuration. overrun: the core lost
        a step since.
    """

    def __init__(
        self,
        network: BoardNetwork,
        seal: BoardSeal,
        sizes: EngineSizes = DEFAULT_SIZES,
        serial_divisor: int | None = None,
        feeds: frozenset[Feed] = frozenset(Feed),
        hertz: int = CORE_HERTZ,
        *,
        compact: bool = False,
        has_serial: bool = True,
    ) -> None:
        self._network, self._seal, self._sizes, self._hertz = network, seal, sizes, hertz
        self._has_serial = has_serial
        self._serial_divisor = hertz // SERIAL_BAUD if serial_divisor is None else serial_divisor
        has_trades = not compact or bool(feeds & PACKET_FEEDS)
        self._parameters = CoreParameters(
            *(sizes, BUS_BYTES, feeds),
            paced=True,
            trades=has_trades,
            compact=compact,
            beat_cycles=BUS_BYTES * hertz // LINE_HERTZ,
        )
        flags = {"lost": In(1), "kill": In(1), "killed": Out(1), "erred": Out(1), "overrun": Out(1)}
        lines = {"received": In(edges_layout), "sent": Out(edges_layout), "serial": In(1, init=1)}
        super().__init__({**lines, **flags})

    def elaborate(self, platform: object) -> Module:
        """Two sides, and a crossing for each way between them."""
        m = Module()
        m.submodules.core = core = GuardedCore(self._parameters, self._hertz)
        octets, lost_control = self._narrow_line(m, core) if self._parameters.compact else self._line(m, core)
        m.d.comb += [core.words.ready.eq(1), core.log.ready.eq(1)]
        lost_of_serial: Value = Const(0)
        if self._has_serial:
            lost_of_serial = merge_control(m, core, octets, self.serial, self._serial_divisor)
        else:
            wiring.connect(m, octets, core.control)
        lost_once, lost_serial, now = Signal(), Signal(COUNT_BITS), Signal(WORD_BITS)
        m.d.comb += core.time.eq(now)
        m.d.sync += [
            now.eq(now + NS_PER_SECOND // self._hertz),
            lost_once.eq(lost_of_serial),
            lost_serial.eq(lost_serial + lost_once),
            core.control_lost.eq(lost_serial + lost_control),
            core.kill.eq(self.kill | self.lost | core.overrun),
            self.killed.eq(core.killed | core.kill),
            self.erred.eq(core.line_errors != 0),
            self.overrun.eq(core.overrun),
        ]
        set_constants(m, core, self._network, self._seal, self._sizes)
        return m

    def _line(self, m: Module, core: GuardedCore) -> tuple[Any, Value]:
        """The line's side with all that reads bytes; control messages, and how many of them were lost."""
        parameters = self._parameters
        line = LineSide(self._network, parameters)
        m.submodules.line = DomainRenamer(LINE)(line)
        m.submodules.came = came = FrameCrossing(parameters, _CAME_BEATS, written=LINE, read="sync")
        m.submodules.leaves = leaves = FrameCrossing(parameters, _SENT_BEATS, written="sync", read=LINE)
        m.submodules.octets = octets = StreamCrossing(octet_layout, _CONTROL_OCTETS, written=LINE, read="sync")
        m.submodules.errors = errors = CountCrossing(ERROR_COUNT_BITS, written=LINE, read="sync")
        m.submodules.lost_control = lost_control = CountCrossing(COUNT_BITS, written=LINE, read="sync")
        wiring.connect(m, line.rx, came.before)
        wiring.connect(m, core.tx, leaves.before)
        wiring.connect(m, leaves.after, line.tx)
        wiring.connect(m, line.octets, octets.before)
        m.d.comb += [
            line.received.eq(self.received),
            self.sent.eq(line.sent),
            came.after_ready.eq(1),
            core.tx_ready.eq(leaves.before_ready),
            leaves.after_ready.eq(line.tx_ready),
            errors.before.eq(line.errors),
            lost_control.before.eq(line.control_lost),
            core.line_errors.eq(errors.after),
        ]
        # the queue's memory and the receiver of the core are far apart
        for name in FrameBus(parameters).members:
            m.d.sync += getattr(core.rx, name).eq(getattr(came.after, name))
        return octets.after, lost_control.after

    def _narrow_line(self, m: Module, core: GuardedCore) -> tuple[Any, Value]:
        """The least at the line's clock, control messages read at the core's; the same as of ``_line``."""
        m.submodules.narrow = narrow = NarrowLine(LINE)
        m.submodules.inbox = inbox = BeatInbox(self._parameters)
        lost_control = Signal(COUNT_BITS)
        for name in FrameBus(self._parameters).members:
            m.d.comb += [getattr(taker.rx, name).eq(getattr(narrow.rx, name)) for taker in (core, inbox)]
        wiring.connect(m, core.tx, narrow.tx)
        m.d.comb += [
            narrow.received.eq(self.received),
            self.sent.eq(narrow.sent),
            core.tx_ready.eq(narrow.tx_ready),
            inbox.address.eq(int(self._network.address)),
            inbox.port.eq(self._network.control_port),
            core.line_errors.eq(narrow.errors),
        ]
        m.d.sync += lost_control.eq(lost_control + inbox.lost)
        return inbox.octets, lost_control

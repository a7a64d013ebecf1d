"""Trades of a datagram, kept until it is known whether the datagram counts, then given out in order."""

from __future__ import annotations

from typing import Final

from amaranth.hdl import Module, Signal
from amaranth.lib import memory, stream, wiring
from amaranth.lib.wiring import In, Out

from hdl.records import LENGTH_BITS, trade_layout
from market.wire.sbe import load_schema, stride_of
from market.wire.schemas import BINANCE_STREAM

_MOST_ENTRIES: Final = ((1 << LENGTH_BITS) - 1) // stride_of(load_schema(BINANCE_STREAM), "TradesStreamEvent", "trades")
TRADE_COUNT_BITS: Final = _MOST_ENTRIES.bit_length()
DEPTH: Final = 512
"""Trades that may wait; a full datagram has 57. Just fills its block memories."""


class TradeQueue(wiring.Component):
    """A queue that takes trades on trial.

    Parameters
    ----------
    depth: trades that may wait, less one; a power of two.

    Members
    -------
    begin: strobe: another datagram begins; trades put in from here on are its own.
    put, trade: strobe and trade: one more of the datagram. Not in two cycles that follow one another.
    count: level: trades of the datagram so far, 0 from the cycle after ``begin``.
    accept, discard: strobes, one per datagram in order: its trades count, or never were. Not later than the first
        trade of the next datagram.
    trades: the trades that count; ready every third cycle at most, 3 cycles after ``accept`` at the soonest.
    overrun: stays set once a trade found no room, or came before it was known what becomes of the datagram before.
    """

    def __init__(self, *, depth: int = DEPTH) -> None:
        self._depth = depth
        super().__init__(
            {
                "begin": In(1),
                "put": In(1),
                "trade": In(trade_layout),
                "count": Out(TRADE_COUNT_BITS),
                "accept": In(1),
                "discard": In(1),
                "trades": Out(stream.Signature(trade_layout)),
                "overrun": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Three pointers: written, counting, read. The read trade has a register behind the memory's own.

        A row is read only when it counts, so never in the cycle in which it is written: the memory's answer to that
        does not matter.
        """
        m = Module()
        m.submodules.rows = rows = memory.Memory(shape=trade_layout, depth=self._depth, init=[])
        write, read = rows.write_port(), rows.read_port()
        written, counting, taken = (Signal(range(self._depth), name=name) for name in ("written", "counting", "taken"))
        full, unsettled = Signal(), Signal()
        m.d.comb += [
            write.addr.eq(written),
            write.data.eq(self.trade),
            write.en.eq(self.put & ~full),
            read.addr.eq(taken),
        ]
        m.d.sync += full.eq((written + 1)[: len(written)] == taken)
        with m.If(self.begin):
            m.d.sync += [self.count.eq(0), unsettled.eq(written != counting)]
        with m.Elif(self.put & ~full):
            m.d.sync += [written.eq(written + 1), self.count.eq(self.count + 1)]
        with m.If(self.put & (full | unsettled)):
            m.d.sync += self.overrun.eq(1)
        with m.If(self.accept):
            m.d.sync += [counting.eq(written), unsettled.eq(0)]
        with m.Elif(self.discard):
            m.d.sync += [written.eq(counting), unsettled.eq(0)]
        self._give_out(m, read, taken, counting)
        return m

    def _give_out(self, m: Module, read: memory.ReadPort, taken: Signal, counting: Signal) -> None:
        with m.FSM():
            with m.State("ADDRESS"):
                m.d.comb += read.en.eq(taken != counting)
                with m.If(taken != counting):
                    m.next = "DATA"
            with m.State("DATA"):
                m.d.sync += [self.trades.payload.eq(read.data), self.trades.valid.eq(1), taken.eq(taken + 1)]
                m.next = "OFFER"
            with m.State("OFFER"), m.If(self.trades.ready):
                m.d.sync += self.trades.valid.eq(0)
                m.next = "ADDRESS"

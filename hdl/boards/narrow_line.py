"""A line's side on a device that is nearly full: the narrowest queues to and from the core's clock, and no more."""

from __future__ import annotations

from typing import Final

from amaranth.hdl import DomainRenamer, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.boards.crossings import CountCrossing, FrameCrossing
from hdl.boards.line_words import BEATS, WORDS, WordJoiner, WordSplitter
from hdl.boards.narrow_side import NARROW_COUNT_BITS, NarrowSide
from hdl.boards.rgmii import ERROR_COUNT_BITS, edges_layout
from hdl.records import FrameBus

_CAME_WORDS: Final = 16
_SENT_WORDS: Final = 8
"""A trigger waits for what is in the queue: 256 ns of a log frame at most."""


class NarrowLine(wiring.Component):
    """Frames of a line of its own clock in beats of eight bytes in the domain ``sync``, which may have any other one.

    Parameters
    ----------
    line: the domain of the line's clock.

    Members
    -------
    received, sent: one cycle of the lines, in ``line``. All others are in ``sync``.
    rx: what came, in beats. tx, tx_ready: frames to send; while a frame is sent its beats have to be there.
    errors: of the line.
    """

    def __init__(self, line: str) -> None:
        self._line = line
        super().__init__(
            {
                "received": In(edges_layout),
                "sent": Out(edges_layout),
                "rx": Out(FrameBus(BEATS)),
                "tx": In(FrameBus(BEATS)),
                "tx_ready": Out(1),
                "errors": Out(ERROR_COUNT_BITS),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """What crosses is words of half a beat, and a counter of a few bits."""
        m = Module()
        line = self._line
        side = NarrowSide()
        m.submodules.side = DomainRenamer(line)(side)
        m.submodules.came = came = FrameCrossing(WORDS, _CAME_WORDS, written=line, read="sync")
        m.submodules.leaves = leaves = FrameCrossing(WORDS, _SENT_WORDS, written="sync", read=line)
        m.submodules.errors = errors = CountCrossing(NARROW_COUNT_BITS, written=line, read="sync")
        m.submodules.joiner = joiner = WordJoiner()
        m.submodules.splitter = splitter = WordSplitter()
        wiring.connect(m, side.rx, came.before)
        wiring.connect(m, came.after, joiner.words)
        wiring.connect(m, joiner.beats, wiring.flipped(self.rx))
        wiring.connect(m, wiring.flipped(self.tx), splitter.beats)
        wiring.connect(m, splitter.words, leaves.before)
        wiring.connect(m, leaves.after, side.tx)
        counted, grown = Signal(NARROW_COUNT_BITS), Signal(NARROW_COUNT_BITS)
        m.d.comb += [
            side.received.eq(self.received),
            self.sent.eq(side.sent),
            came.after_ready.eq(1),
            splitter.words_ready.eq(leaves.before_ready),
            self.tx_ready.eq(splitter.beats_ready),
            leaves.after_ready.eq(side.tx_ready),
            errors.before.eq(side.errors),
            grown.eq(errors.after - counted),
        ]
        m.d.sync += [counted.eq(errors.after), self.errors.eq(self.errors + grown)]
        return m

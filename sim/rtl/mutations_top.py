"""The core as mutations are tried on it: which one is live, and how often whoever takes its outputs lets it wait."""

from __future__ import annotations

from typing import Any, Final

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, flipped

from hdl.egress.settings import egress_layout

MUTATION_BITS: Final = 16
SUBJECT: Final = "subject"
"""The core's name among the cells of the netlist."""
LIVE: Final = "live_mutation"
"""The wire that says which mutation is live, 0 being none."""
_SEED: Final = 0xACE1
_PHASE_BITS: Final = 13
"""Half of so many cycles the line is slow, and half of them the words."""

bench_settings: Final = data.StructLayout(
    {"addresses": egress_layout, "mutation": MUTATION_BITS, "tx_pace": 8, "words_pace": 8, "log_pace": 8}
)
"""Beside the core's addresses: the live mutation, and of 256 cycles how many an output has to wait in."""


_PACED: Final = ("settings", "tx", "tx_ready", "words", "log")


class PacedCore(wiring.Component):
    """The core in a bench, with the ports of the core; ``settings`` is a ``bench_settings``.

    Parameters
    ----------
    core: the core that mutations are made in.
    """

    def __init__(self, core: Any) -> None:
        self._core = core
        super().__init__({**core.signature.members, "settings": In(bench_settings)})

    def elaborate(self, platform: object) -> Module:
        """All ports straight through, but those of outputs, which wait by a random number of each cycle."""
        m = Module()
        core = self._core
        setattr(m.submodules, SUBJECT, core)
        live = Signal(MUTATION_BITS, name=LIVE, attrs={"keep": 1})
        m.d.comb += [live.eq(self.settings.mutation), core.settings.eq(self.settings.addresses)]
        for name, member in core.signature.members.items():
            if name in _PACED:
                continue
            ours, theirs = getattr(self, name), getattr(core, name)
            if member.is_signature:
                wiring.connect(m, flipped(ours), theirs)
            else:
                m.d.comb += theirs.eq(ours) if member.flow == In else ours.eq(theirs)
        self._pace(m)
        return m

    def _pace(self, m: Module) -> None:
        core, settings = self._core, self.settings
        random, phase = Signal(32, init=_SEED), Signal(_PHASE_BITS)
        m.d.sync += random.eq(Cat(random[1:], random[0] ^ random[10] ^ random[30] ^ random[31]))
        m.d.sync += phase.eq(phase + 1)
        # by turns, so that words are late for a frame, and wait for one
        paces = (Mux(phase[-1], settings.tx_pace, 0), Mux(phase[-1], 0, settings.words_pace), settings.log_pace)
        tx, words, log = (random[8 * n : 8 * n + 8] >= pace for n, pace in enumerate(paces))
        m.d.comb += [
            core.tx_ready.eq(tx & self.tx_ready),
            *(getattr(self.tx, name).eq(getattr(core.tx, name)) for name in core.tx.signature.members),
            self.tx.valid.eq(core.tx.valid & tx),
        ]
        for taken, given, ready in ((core.words, self.words, words), (core.log, self.log, log)):
            m.d.comb += [
                taken.ready.eq(ready & given.ready),
                given.valid.eq(taken.valid & ready),
                given.payload.eq(taken.payload),
            ]

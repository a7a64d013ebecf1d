"""The core as a board has it: control messages sealed, and what only hardware counts told to the host."""

from __future__ import annotations

from typing import Any, Final

from amaranth.hdl import Cat, Const, Module, Value, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In

from hdl.control.authority import Authority
from hdl.control.siphash import KEY_BITS
from hdl.core import Core
from hdl.decision.shapes import assign
from hdl.egress.latency import COUNT_BITS, LatencyMeter
from hdl.egress.reports import Reports
from hdl.egress.settings import egress_layout
from hdl.ethernet.frame_stage import FrameStage
from hdl.octet_stream import octet_layout
from hdl.parameters import CoreParameters
from hdl.records import WORD_BITS, FrameBus
from hdl.stream_stage import StreamStage

guarded_layout: Final = data.StructLayout(
    {**{name: field.shape for name, field in egress_layout}, "key": unsigned(KEY_BITS), "floor": unsigned(WORD_BITS)}
)
"""Addresses of what is sent, the board's key, and the lowest counter of a seal that is taken."""
_OWN: Final = frozenset({"control", "control_idle", "control_applied", "reports", "settings", "idle", "tx", "tx_ready"})
"""Ports of the core that are not passed on as they are."""


class GuardedCore(wiring.Component):
    """A core behind its authority, with the latency of every trigger measured; limits only tighten while armed.

    Parameters
    ----------
    parameters: the build.
    hertz: of the clock.
    preamble_cycles: from the beginning of a frame's preamble to the cycle in which its first beat passes.

    Members
    -------
    control: sealed control messages (``hdl/control/seal.py``).
    settings: addresses, key and floor; they must not change.
    control_lost, line_errors: counters of whoever brings control messages and frames, for BoardCounters.
    All others are those of ``Core``.
    """

    def __init__(self, parameters: CoreParameters, hertz: int, preamble_cycles: int = 0) -> None:
        self._parameters, self._hertz, self._preamble_cycles = parameters, hertz, preamble_cycles
        self._core = Core(parameters)
        members = dict(self._core.signature.members)
        self._passed_on = [name for name in members if name not in _OWN]
        super().__init__(
            {
                **{name: members[name] for name in (*self._passed_on, "control", "idle", "tx", "tx_ready")},
                "settings": In(guarded_layout),
                "control_lost": In(COUNT_BITS),
                "line_errors": In(COUNT_BITS),
            }
        )

    def elaborate(self, platform: Any) -> Module:
        """The core, what stands in front of it, and what watches it."""
        m = Module()
        m.submodules.core = core = self._core
        m.submodules.authority = authority = Authority(self._parameters)
        m.submodules.reports = reports = Reports(self._hertz)
        measured = self._measure(m, reports)
        for name in self._passed_on:
            outer, inner = getattr(self, name), getattr(core, name)
            member = core.signature.members[name]
            if not member.is_port:
                wiring.connect(m, wiring.flipped(outer), inner)
            else:
                m.d.comb += inner.eq(outer) if member.flow is In else outer.eq(inner)
        m.submodules.sealed = sealed = StreamStage(octet_layout)
        m.submodules.opened = opened = StreamStage(octet_layout)
        m.submodules.sent = sent = FrameStage(self._parameters)
        wiring.connect(m, core.tx, sent.before)
        wiring.connect(m, sent.after, wiring.flipped(self.tx))
        wiring.connect(m, wiring.flipped(self.control), sealed.before)
        wiring.connect(m, sealed.after, authority.sealed)
        wiring.connect(m, authority.octets, opened.before)
        wiring.connect(m, opened.after, core.control)
        wiring.connect(m, reports.words, core.reports)
        m.d.comb += [
            Value.cast(core.settings).eq(Cat(*(self.settings[name] for name in egress_layout.members))),
            authority.key.eq(self.settings.key),
            authority.floor.eq(self.settings.floor),
            authority.idle.eq(core.control_idle & opened.empty),
            authority.applied.eq(core.control_applied),
            authority.armed.eq(~core.killed),
            authority.tighten_only.eq(1),
            core.tx_ready.eq(sent.before_ready),
            sent.after_ready.eq(self.tx_ready),
            reports.time.eq(self.time),
            reports.watched.eq(core.words.payload),
            reports.watched_passes.eq(core.words.valid & core.words.ready),
            *assign(reports, authority, ("forged", "replayed", "loosened")),
            *assign(reports, self, ("control_lost", "line_errors")),
            reports.seal_counter.eq(authority.last_counter),
            self.idle.eq(
                core.idle
                & ~self.tx.valid
                & measured
                & reports.idle
                & authority.sealed.ready
                & sealed.empty
                & ~self.control.valid
            ),
        ]
        m.d.sync += reports.at_rest.eq(core.idle & measured)
        return m

    def _measure(self, m: Module, reports: Reports) -> Value:
        """The latency of every trigger, for the reports; whether all are measured. A compact core measures none."""
        if self._parameters.compact:
            return Const(1)
        m.submodules.latency = latency = LatencyMeter(self._parameters, self._preamble_cycles)
        m.d.comb += [
            latency.tx_passes.eq(self.tx.valid & self.tx_ready),
            latency.time.eq(self.time),
            latency.bucket.eq(reports.bucket),
            *assign(reports, latency, ("measured", "unmatched", "minimum", "maximum", "count")),
        ]
        for name in FrameBus(self._parameters).members:
            m.d.comb += [
                getattr(latency.rx, name).eq(getattr(self.rx, name)),
                getattr(latency.tx, name).eq(getattr(self.tx, name)),
            ]
        return latency.idle

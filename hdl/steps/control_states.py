"""States of the sequencer for control messages and host events, and for the end of every step."""

from __future__ import annotations

from typing import Any, Final

from amaranth.hdl import Cat, Module, Mux, Signal

from hdl.steps.work import Work, mask_of
from market.fastpath.specification import STATUS_INTERVAL_NS
from market.fastpath.state import Counter

_SETTLE_CYCLES: Final = 3
"""From the cycle of a step's number to that in which a control message acts, and the one after it."""


def hold_frames(m: Module, ports: Any, work: Work, follows_packets: bool) -> None:
    """Frames wait while a control message is numbered, and where there are lines until it has changed them."""
    m.d.comb += ports.hold.eq(work.holds)
    if follows_packets:
        settling = Signal(_SETTLE_CYCLES)
        m.d.sync += settling.eq(Cat(ports.begin_step, settling)[:_SETTLE_CYCLES])
        m.d.comb += ports.hold.eq(work.holds | settling.any())


def control_states(m: Module, ports: Any, work: Work) -> None:
    """A control message or host event that was granted; frames that end before it is numbered wait."""
    m.d.comb += [ports.control_step.eq(work.number), ports.control_now.eq(work.time)]
    loads_parity = Signal()
    with m.State("CONTROL-WAIT"):
        # a frame may have been numbered just before: it comes first
        with m.If(ports.items.valid):
            m.d.sync += work.holds.eq(0)
            m.next = "IDLE"
        with m.Elif(~ports.queued):
            m.d.comb += ports.grant.eq(1)
            m.next = "CONTROL-BEGIN"
    with m.State("CONTROL-BEGIN"):
        with m.If(ports.host_event):
            m.d.sync += work.holds.eq(0)
            m.next = "IDLE"
        with m.Elif(ports.begin_step):
            m.d.sync += [
                work.holds.eq(0),
                work.time.eq(ports.step_now),
                work.number.eq(ports.step_number),
                work.counts.mask.eq(Mux(ports.step_backwards, mask_of(Counter.TIME_BACKWARDS), 0)),
            ]
            m.next = "CONTROL"
        with m.Elif(ports.acknowledged):
            m.next = "CONTROL-REPEATED"
        with m.Elif(ports.control_finished):
            m.d.sync += work.holds.eq(0)
            m.next = "IDLE"
    with m.State("CONTROL-REPEATED"):
        m.d.comb += ports.control_step.eq(ports.last_step)
        _acknowledge(m, ports, work)
        with m.If(ports.control_finished):
            m.d.sync += work.holds.eq(0)
            m.next = "IDLE"
    with m.State("CONTROL"):
        _acknowledge(m, ports, work)
        with m.If(ports.acknowledged & work.room):
            applied = Mux(ports.control_applied, mask_of(Counter.CONTROL_APPLIED), 0)
            refused = Mux(ports.control_refused, mask_of(Counter.CONTROL_REFUSED), 0)
            m.d.sync += [
                work.counts.mask.eq(work.counts.mask | applied | refused),
                work.status_wanted.eq(ports.status_request),
                loads_parity.eq(ports.load_parity),
            ]
        with m.If(ports.control_finished):
            m.next = "COUNT"
            with m.If(loads_parity):
                m.next = "PARITY"
    with m.State("PARITY"):
        m.d.comb += work.offers.eq(1)
        with m.If(work.room):
            m.next = "COUNT"


def _acknowledge(m: Module, ports: Any, work: Work) -> None:
    m.d.comb += [
        work.offers.eq(ports.acknowledged),
        ports.acknowledge_ready.eq(work.room),
    ]


def end_step(m: Module, ports: Any, work: Work) -> None:
    """The counts of a step, and then its status, if it has one; a dropped frame ends so, too, without a step."""
    m.d.comb += work.offers.eq(1)
    with m.If(work.room):
        m.next = "STATUS"
        with m.If(~work.has_status):
            m.d.comb += work.item_done.eq(work.of_item)
            m.next = "IDLE"


def status_state(m: Module, ports: Any, work: Work) -> None:
    """End of a step that sends a status, which is due or requested."""
    m.d.comb += work.offers.eq(1)
    with m.If(work.room):
        m.d.comb += work.item_done.eq(work.of_item)
        m.d.sync += ports.last_status.eq(ports.last_status + 1)
        m.next = "IDLE"
        with m.If(work.status_due):
            m.d.sync += work.next_status.eq(work.time + STATUS_INTERVAL_NS)


def follow_status(m: Module, work: Work) -> None:
    """Whether the step under way ends with a status: known in its third cycle."""
    m.d.sync += work.status_due.eq(work.time >= work.next_status)
    m.d.comb += work.has_status.eq(work.is_step & (work.status_due | work.status_wanted))

"""States of the sequencer for packets: their events one after the other, as the books give them."""

from __future__ import annotations

from functools import reduce
from operator import or_
from typing import Any, Final

from amaranth.hdl import Module, Mux, Value

from hdl.books.records import EventCounter, EventKind
from hdl.steps.work import Work, mask_of
from market.fastpath.state import FrameCounter

_COUNTERS: Final = {
    EventCounter.MESSAGES: FrameCounter.MESSAGES,
    EventCounter.SKIPPED_MESSAGES: FrameCounter.SKIPPED_MESSAGES,
    EventCounter.GAPS: FrameCounter.GAPS,
    EventCounter.HEARTBEATS: FrameCounter.HEARTBEATS,
}


def packet_states(m: Module, ports: Any, work: Work) -> None:
    """Between events, and around the quote of a book that broke, which is forgotten before and after its event."""
    events = ports.events
    event = events.payload
    with m.State("PACKET"), m.If(events.valid), m.Switch(event.kind):
        with m.Case(EventKind.END):
            m.d.comb += events.ready.eq(1)
            m.next = "COUNT"
        with m.Case(EventKind.COUNT):
            _count(m, ports, work)
        with m.Case(EventKind.TRADE):
            m.d.comb += [ports.trade.valid.eq(1), events.ready.eq(ports.trade.ready)]
            with m.If(ports.trade.ready):
                m.next = "TRADE-COUNT"
        with m.Case(EventKind.QUOTE), m.If(work.ready):
            m.d.comb += work.prepare.eq(1)
            m.next = "LOAD"
        with m.Case(EventKind.WITHDRAW), m.If(work.ready):
            m.d.comb += work.forget.eq(1)
            m.next = "WITHDRAW"
    with m.State("WITHDRAW"), m.If(work.ready):
        m.d.comb += work.prepare.eq(1)
        m.next = "LOAD"
    with m.State("EVENT-COUNT"):
        m.d.comb += work.offers.eq(work.ready)
        with m.If(work.offers & work.room):
            m.d.comb += [events.ready.eq(1), work.forget.eq(event.kind == EventKind.WITHDRAW)]
            m.next = "PACKET"


def unused_states(m: Module, *names: str) -> None:
    """What takes the place of states in a build whose items never get there."""
    for name in names:
        with m.State(name):
            m.next = "COUNT"


def _count(m: Module, ports: Any, work: Work) -> None:
    m.d.comb += [work.offers.eq(1), ports.events.ready.eq(work.room)]


def event_counts(event: Any) -> Value:
    """What a COUNT event of the books counts, as a count mask."""
    return reduce(or_, (Mux(event.mask[place], mask_of(counter), 0) for place, counter in _COUNTERS.items()))

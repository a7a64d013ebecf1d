"""What a record of the sequencer is, by the state that gave it alone."""

from __future__ import annotations

from functools import reduce
from operator import or_
from typing import Any

from amaranth.hdl import Module, Signal, Value

from hdl.records import RecordKind, count_layout, status_layout
from hdl.steps.packet_states import event_counts
from hdl.steps.work import Work


def choose_record(m: Module, ports: Any, work: Work, states: Any) -> None:
    """Valid, kind and body of a record in the cycle behind that of the state ``states`` that gives it.

    What a record says is still there a cycle later, and if not, it is kept here.
    """
    body = ports.records.payload.body
    bits = len(Value.cast(body))
    status, events = Signal(status_layout), Signal(count_layout)
    volume, killed = Signal.like(ports.trade_volume), Signal()
    m.d.comb += [
        work.room.eq(ports.room),
        # it has been counted up by now
        status.number.eq(ports.last_status),
        status.step.eq(work.number),
        status.time.eq(work.time),
        status.id.eq(ports.last_id),
        status.epoch.eq(ports.epoch),
        status.killed.eq(killed),
    ]
    m.d.sync += [
        ports.records.valid.eq(work.offers & work.room),
        events.mask.eq(event_counts(ports.events.payload)),
        volume.eq(ports.trade_volume),
        killed.eq(ports.killed),
    ]
    bodies = (
        (RecordKind.COUNT, ("COUNT", "COMMIT"), work.counts),
        (RecordKind.COUNT, ("EVENT-COUNT",), ports.outcome_counts),
        (RecordKind.COUNT, ("PACKET",), events),
        (RecordKind.COUNT, ("TRADE-COUNT",), ports.trade_counts),
        (RecordKind.VOLUME, ("TRADE-VOLUME",), volume),
        (RecordKind.TRIGGER, ("TRIGGER",), ports.trigger),
        (RecordKind.ACKNOWLEDGE, ("CONTROL", "CONTROL-REPEATED"), ports.acknowledge),
        (RecordKind.PARITY, ("PARITY",), ports.parity),
        (RecordKind.STATUS, ("STATUS",), status),
    )
    kinds, chosen = [], []
    for kind, names, value in bodies:
        here = Signal(name=f"was_{names[0].lower().replace('-', '_')}")
        m.d.sync += here.eq(reduce(or_, (states.ongoing(name) for name in names)))
        kinds.append(here.replicate(len(ports.records.payload.kind)) & int(kind))
        chosen.append(here.replicate(bits) & Value.cast(value))
    m.d.comb += [ports.records.payload.kind.eq(reduce(or_, kinds)), Value.cast(body).eq(reduce(or_, chosen))]

"""What a record of the sequencer is, by the state that gave it alone."""

from __future__ import annotations

from functools import reduce
from operator import or_
from typing import Any

from amaranth.hdl import Cat, Module, Signal, Value

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
    bodies: tuple[tuple[RecordKind, tuple[str, ...], Any], ...] = (
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
    if not ports.counts_trades:
        bodies = tuple(each for each in bodies if not each[1][0].startswith("TRADE-"))
    kinds, chosen = [], []
    for kind, names, value in bodies:
        here = Signal(name=f"was_{names[0].lower().replace('-', '_')}")
        m.d.sync += here.eq(reduce(or_, (states.ongoing(name) for name in names)))
        kinds.append(here.replicate(len(ports.records.payload.kind)) & int(kind))
        chosen.append((here, Value.cast(value)))
    m.d.comb += ports.records.payload.kind.eq(reduce(or_, kinds))
    if ports.is_compact:
        m.d.comb += Value.cast(body).eq(_sparing(chosen, bits))
    else:
        m.d.comb += Value.cast(body).eq(reduce(or_, (here.replicate(bits) & value for here, value in chosen)))


def _sparing(bodies: list[tuple[Signal, Value]], bits: int) -> Value:
    """The body that is there, without a choice of bits that only one body has: they mean nothing in the others."""
    found: list[Value] = []
    for at in range(bits):
        having = [(here, value[at]) for here, value in bodies if len(value) > at]
        found.append(having[0][1] if len(having) == 1 else reduce(or_, (here & value for here, value in having)))
    return Cat(*found)

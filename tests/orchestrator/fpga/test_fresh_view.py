"""A board with a past looks like an engine after its reset; what it never said is refused and breaks nothing."""

from __future__ import annotations

from ipaddress import IPv4Address
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from market.errors import Rejected
from market.fastpath import layout
from market.fastpath.engine import CpuEngine
from market.fastpath.layout import SCHEMA
from market.fastpath.specification import DEFAULT_SIZES, StepKind
from market.receive.words import Endpoint
from market.wire.sbe import decode, encode
from orchestrator.engine.inputs import read_step
from orchestrator.engine.shadow import template_of
from orchestrator.fpga.fresh_view import Baseline, FreshView, volumes_of
from orchestrator.fpga.log_order import steps_of
from orchestrator.fpga.markets import BoardMarkets

MARKETS = BoardMarkets([(0, 0), (0, 1)], Endpoint(IPv4Address("10.0.0.9"), 40_000))
PAST_NS = 77_000_000
SECOND_NS = 10**9
SCALINGS = [
    {
        "instrument": instrument,
        "venue": 0,
        "priceExponent": -2,
        "quantityExponent": -3,
        "priceShift": 0,
        "quantityShift": 0,
    }
    for instrument in range(3)
]


def status_of(engine: CpuEngine, sequence: int, time_ns: int) -> dict[str, Any]:
    engine.control(encode(SCHEMA, "StatusRequest", {"sequence": sequence}), time_ns)
    found = [one for one in engine.outputs() if template_of(one) == layout.TEMPLATE_STATUS]
    return dict(decode(SCHEMA, found[-1]).fields)


def used() -> tuple[CpuEngine, FreshView]:
    """An engine that has done something, and how it is seen from then on."""
    engine = CpuEngine(event_log=True)
    engine.control(encode(SCHEMA, "Hello", {"sequence": 0, "epoch": 1}), PAST_NS)
    for number, row in enumerate(SCALINGS, start=1):
        engine.control(encode(SCHEMA, "ScalingRow", {"sequence": number, **row}), PAST_NS)
    for number in range(40):
        engine.trade(number % 3, 0, -2, -3, 1 + number % 2, 100 + number, 5, PAST_NS + number * SECOND_NS)
    volumes, number = {}, len(SCALINGS) + 1
    while True:
        status = status_of(engine, number, PAST_NS + (50 + number) * SECOND_NS)
        volumes[status["volumeInstrument"]] = volumes_of(status)
        if len(volumes) == DEFAULT_SIZES.instruments and status["number"] % DEFAULT_SIZES.instruments == 0:
            break
        number += 1
    engine.event_log()
    return engine, FreshView(Baseline(status, volumes), MARKETS)


def run(engine: CpuEngine, view: FreshView | None) -> tuple[list[bytes], list[bytes]]:
    """What it says and logs in a run of its own, as it is seen."""
    at_ns = PAST_NS + 1_000 * SECOND_NS
    rows = [("ScalingRow", row) for row in SCALINGS]
    arming = [("Heartbeat", {}), ("Rearm", {"statusNumber": 5}), ("StatusRequest", {})]
    messages: list[tuple[str, dict[str, int]]] = [("Hello", {"epoch": 3}), *rows, *arming]
    for number, (name, fields) in enumerate(messages, start=1):
        message = encode(SCHEMA, name, {"sequence": number, **fields})
        engine.control(message if view is None else view.outgoing(message), at_ns + number * SECOND_NS)
    for number in range(30):
        engine.trade(number % 3, 0, -2, -3, 1 + number % 2, 100, 7, at_ns + (10 + number) * SECOND_NS)
    outputs, log = engine.outputs(), engine.event_log()
    if view is None:
        return outputs, log
    return [view.incoming(one) for one in outputs], [view.step(one) for one in log]


def test_a_used_engine_looks_like_a_new_one() -> None:
    engine, view = used()
    assert run(engine, view) == run(CpuEngine(event_log=True), None)
    statuses = [decode(SCHEMA, one).fields for one in run(CpuEngine(), None)[0] if template_of(one) == 2]
    assert len(statuses) > 20
    assert any(status["tradeCount"] for status in statuses)


@settings(derandomize=True, deadline=None)
@given(st.data())
def test_any_bytes_are_refused_or_seen(data: st.DataObject) -> None:
    """A real message or log with bytes changed and cut: nothing but Rejected ever comes of it."""
    _, view = SEEN
    good = data.draw(st.sampled_from(GOOD))
    spoiled = bytearray(good)
    for _ in range(data.draw(st.integers(0, 4))):
        spoiled[data.draw(st.integers(0, len(good) - 1))] = data.draw(st.integers(0, 255))
    content = bytes(spoiled[: data.draw(st.integers(0, len(good)))])
    try:
        view.incoming(content)
    except Rejected:
        pass
    else:
        assert len(content) in (layout.TRIGGER_SIZE, layout.STATUS_SIZE, layout.ACKNOWLEDGE_SIZE)
    try:
        steps = [view.step(one) for one in steps_of(content)]
    except Rejected:
        return
    assert all(int(read_step(step).kind) in set(StepKind) for step in steps)


SEEN = used()
GOOD = [
    *run(CpuEngine(event_log=True), None)[0],
    *(encode(SCHEMA, "LogStep", {"number": 9, "time": 9, "kind": 2, "channel": 0, "payload": bytes(24)}),) * 3,
    encode(SCHEMA, "LogStep", {"number": 9, "time": 9, "kind": 1, "channel": 1, "payload": bytes(70)}),
]


def test_a_message_of_another_kind_is_refused() -> None:
    _, view = SEEN
    with pytest.raises(Rejected, match="expected a trigger, a status or an acknowledgement"):
        view.incoming(encode(SCHEMA, "Heartbeat", {"sequence": 1}))
    fields = {**SEEN[1]._baseline.status, "volumeInstrument": 99}
    with pytest.raises(Rejected, match="a status of instrument 99"):
        view.incoming(encode(SCHEMA, "Status", fields))

"""Control messages: each of them applied, every refusal, wrong numbers, wrong bytes."""

from __future__ import annotations

from typing import Any

import cocotb

from market.fastpath.conformance.case import SCHEMA, Control
from market.fastpath.specification import Kind, Refusal, Result, Side
from sim.rtl.bench.desk import Desk
from tests.hdl.cocotb.gate_cases import arb, flat, triggers
from tests.hdl.cocotb.session import SIZES, desk_of

LARGEST = (1 << 64) - 1


def answer(desk: Desk, name: str, **fields: Any) -> tuple[Result, Refusal]:
    """A message with the expected number, unless ``sequence`` says otherwise; what is acknowledged."""
    given = Control(name, {"sequence": desk.engine.state.expected_sequence, **fields})
    (acknowledged,) = [each for each in desk.give(given) if each["message"] == "Acknowledge"]
    return Result(acknowledged["result"]), Refusal(acknowledged["refusal"])


def refused(desk: Desk, refusal: Refusal, name: str, **fields: Any) -> None:
    assert answer(desk, name, **fields) == (Result.REFUSED, refusal), (name, fields)


@cocotb.test()
async def every_refusal(dut: Any) -> None:
    desk = await desk_of(dut)
    desk.fresh(Kind.ARB)
    state = desk.engine.state
    ages = {"enabled": 1, "fee": 0, "maximumAge": 1, "maximumSilence": 1}
    for venue in (SIZES.venues, 255):
        refused(desk, Refusal.UNKNOWN_ROW, "VenueRow", venue=venue, **ages)
    refused(desk, Refusal.UNKNOWN_ROW, "Reset", venue=SIZES.venues)
    for wrong in ({"fee": 1 << 16}, {"maximumAge": -1}, {"maximumSilence": 1 << 56}, {"enabled": 2}):
        refused(desk, Refusal.BAD_VALUE, "VenueRow", venue=0, **(ages | wrong))
    refused(desk, Refusal.BAD_VALUE, "EngineRow", rateInterval=2_047, rateTolerance=0, lease=0)
    settle = {"instrument": 0, "venue": 0, "side": int(Side.BUY)}
    refused(desk, Refusal.BAD_VALUE, "Settle", **(settle | {"side": 0}), released=0, filled=0)
    for released, filled in ((1, 0), (0, 1), (-1, -1)):
        refused(desk, Refusal.SETTLEMENT, "Settle", **settle, released=released, filled=filled)
    refused(desk, Refusal.WRONG_STATUS, "Rearm", statusNumber=state.status_number + 1)
    position = {"instrument": 0, "venue": 0, "position": 0, "pendingBuy": 0, "pendingSell": 0}
    refused(desk, Refusal.WRONG_ID, "SetPosition", lastId=state.last_id + 1, **position)
    refused(desk, Refusal.NOT_KILLED, "LoadIdentity", id=1, parity=1)
    before = state.counters.control_refused
    desk.instrument_row(Kind.ARB, minimumQuantity=0)
    desk.instrument_row(Kind.ARB, minimumQuantity=101)
    desk.instrument_row(Kind.ARB, maximum_notional=100 * 1_000_000 - 1)
    desk.instrument_row(Kind.ARB, leads=[0] * (SIZES.venues + 1))
    assert state.counters.control_refused == before + 4
    # none of them has changed anything
    flat(desk)
    assert len(triggers(arb(desk))) == 1
    await desk.play()


@cocotb.test()
async def every_message_is_applied(dut: Any) -> None:
    desk = await desk_of(dut)
    desk.fresh(Kind.ARB, Kind.BASIS)
    flat(desk)
    assert len(triggers(arb(desk))) == 1
    for released, filled in ((4, 1), (6, 6)):
        desk.control("Settle", instrument=0, venue=0, side=int(Side.SELL), released=released, filled=filled)
    desk.control("Kill")
    for identity in (LARGEST - 1, LARGEST, 5):
        desk.wait(10_000)
        desk.control("LoadIdentity", id=identity, parity=0x1234_5678)
        desk.rearm()
        desk.control("StatusRequest")
        flat(desk)
        assert len(triggers(arb(desk))) == 1
        desk.control("Kill")
    desk.load_basis(0, 1, -5)
    desk.load_basis(1, 2, 5, sampleTime=0)
    desk.control("Reset", venue=1)
    desk.control("Heartbeat")
    desk.rearm()
    flat(desk)
    arb(desk)
    await desk.play()


@cocotb.test()
async def numbers_of_messages(dut: Any) -> None:
    desk = await desk_of(dut)
    desk.fresh(Kind.ARB)
    expected = desk.engine.state.expected_sequence
    for sequence in (expected - 1, 0, 1):
        assert answer(desk, "Kill", sequence=sequence)[0] is Result.REPEATED
    for sequence in (expected + 1, LARGEST):
        assert answer(desk, "Kill", sequence=sequence)[0] is Result.OUT_OF_ORDER
    flat(desk)
    assert len(triggers(arb(desk))) == 1
    # numbers wrap
    assert answer(desk, "Hello", sequence=LARGEST - 1, epoch=7)[0] is Result.APPLIED
    assert answer(desk, "StatusRequest", sequence=LARGEST)[0] is Result.APPLIED
    assert answer(desk, "StatusRequest", sequence=1)[0] is Result.REPEATED
    assert answer(desk, "StatusRequest", sequence=0)[0] is Result.APPLIED
    await desk.play()


@cocotb.test()
async def messages_with_wrong_bytes(dut: Any) -> None:
    desk = await desk_of(dut)
    desk.fresh(Kind.ARB)
    before = desk.engine.state.counters.control_refused
    for position, value in ((0, 9), (2, 99), (4, 0), (6, 99)):
        message = desk.encoded("Kill")
        message[position] = value
        desk.raw(bytes(message))
    for change in (b"x", bytes(200)):
        desk.raw(bytes(desk.encoded("Kill")) + change)
    assert desk.engine.state.counters.control_refused == before + 6
    # too short to be read: not even acknowledged
    for length in (1, 8, 15):
        desk.raw(bytes(desk.encoded("Kill"))[:length])
    for name, message_of in SCHEMA.messages.items():
        if 10 < message_of.template_id < 25:
            whole = desk.encoded(name, **_zeros(name))
            desk.raw(bytes(whole[:-1]))
    flat(desk)
    assert len(triggers(arb(desk))) == 1
    await desk.play()


def _zeros(name: str) -> dict[str, Any]:
    fields: dict[str, Any] = dict.fromkeys(SCHEMA.message(name).fields, 0)
    del fields["sequence"]
    if name == "InstrumentRow":
        fields["leads"] = [{"mask": 0}] * SIZES.venues
    return fields

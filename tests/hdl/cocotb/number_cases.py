"""Numbers at their ends: cuts, the largest prices and fees, and times that go backwards."""

from __future__ import annotations

from typing import Any

import cocotb

from market.fastpath.specification import Kind, Side
from sim.rtl.bench.desk import Desk
from sim.rtl.bench.goals import Passage
from tests.hdl.cocotb.gate_cases import arb, flat, triggers
from tests.hdl.cocotb.session import SIZES, desk_of

TOP = SIZES.top
FEE = (1 << 16) - 1


@cocotb.test()
async def quantities_are_cut_and_prices_are_not(dut: Any) -> None:
    desk = await desk_of(dut)
    counters = desk.engine.state.counters
    for shift in range(4):
        most = TOP // 10**shift
        desk.fresh(Kind.ARB, Kind.IMBALANCE, maximumQuantity=TOP, positionLimit=TOP, maximum_notional=(1 << 96) - 1)
        for venue in range(SIZES.venues):
            desk.scaling_row(0, venue, quantityShift=shift, priceShift=shift)
        before = counters.quantity_cut
        desk.quote(1, 5, most + 1, 7, most)
        desk.quote(1, 5, most, 7, most + 1)
        desk.quote(1, 5, (1 << 63) - 1, 7, (1 << 63) - 1)
        assert counters.quantity_cut == before + 4
        desk.quote(0, most - 1, most + 1, most, 1)
        desk.quote(0, most, 1, most + 1, 1)
        desk.quote(0, -(1 << 63), 1, 5, 1)
        desk.quote(0, 5, -(1 << 63), 6, 1)
        for side in Side:
            desk.trade(1, side, most, most + 1)
            desk.trade(1, side, most + 1, 1)
        desk.trade(1, Side.BUY, 0, 1)
        desk.trade(1, Side.BUY, 1, 0)
        desk.trade(1, Side.BUY, 1, 1, price_exponent=3)
    desk.control("StatusRequest")
    await desk.play()


@cocotb.test()
async def the_largest_prices_and_fees(dut: Any) -> None:
    desk = await desk_of(dut)
    largest = {"priceHigh": TOP, "positionLimit": TOP, "maximumSpread": TOP, "maximumQuantity": 1}
    for fee, minimum in ((FEE, 1 - (1 << 50)), (-FEE, (1 << 50) - 1), (FEE, 0), (0, 1), (-FEE, 1)):
        desk.fresh(*Kind, **largest, minimumEdge=minimum, basisThreshold=1, basisInterval=0)
        desk.engine_row(rate_interval=2_048, rate_tolerance=62 * 2_048)
        for venue in range(SIZES.venues):
            desk.venue_row(venue, fee=fee)
        for bid, ask in ((1, 2), (TOP - 1, TOP), (1, TOP), (TOP // 2, TOP // 2 + 1), (1, 2), (TOP - 1, TOP)):
            for venue in range(SIZES.venues):
                desk.quote(venue, bid, 1, ask, TOP)
            desk.quote(0, max(1, bid - 1), TOP, ask, 1)
    assert desk.engine.state.counters.triggers[Kind.ARB] > 0
    await desk.play()


@cocotb.test()
async def a_basis_at_its_limits(dut: Any) -> None:
    desk = await desk_of(dut)
    for shift in (0, 16):
        for sign in (1, -1):
            desk.fresh(Kind.BASIS, basisShift=shift, basisInterval=0, basisThreshold=(1 << 50) - 1, priceHigh=TOP)
            desk.control("Kill")
            desk.load_basis(0, 1, sign * ((1 << 49) - 1), samples=65_535)
            desk.rearm()
            for venue, mid in ((0, TOP - 1), (1, 2), (0, 2), (1, TOP - 1), (0, TOP - 1)):
                desk.quote(venue, mid - 1, 5, mid + 1, 5)
    await desk.play()


@cocotb.test()
async def time_goes_backwards(dut: Any) -> None:
    desk = await desk_of(dut)
    counters = desk.engine.state.counters
    desk.fresh(Kind.ARB)
    flat(desk)
    now, before = desk.now, counters.time_backwards
    times = (now - 1, 0, -1, -(1 << 63), 1 << 62, (1 << 63) - 1)
    for number, time_ns in enumerate(times):
        desk.now = time_ns
        _alternate(desk, number)
    assert counters.time_backwards == before + len(times)
    for time_ns in times:
        desk.now = time_ns
        desk.control("StatusRequest")
    assert counters.time_backwards == before + 2 * len(times)
    desk.now = now + 10_000
    flat(desk)
    assert len(triggers(arb(desk))) == 1
    await desk.play()


def _alternate(desk: Desk, number: int) -> None:
    if number % 2:
        desk.flat(0)
    else:
        arb(desk)


@cocotb.test()
async def statuses_come_when_they_are_due(dut: Any) -> None:
    desk = await desk_of(dut)
    desk.fresh(Kind.ARB)
    flat(desk)
    desk.wait(20_000_000)
    outputs = desk.quote(0, 999, 10, 1_001, 10)
    assert [each["message"] for each in outputs] == ["Status"]
    for wait, count in ((9_999_999, 0), (1, 1), (9_999_999, 0), (1, 1)):
        desk.wait(wait)
        outputs = arb(desk) if count else desk.quote(0, 999, 10, 1_001, 10)
        assert [each["message"] for each in outputs] == ["Trigger", "Status"] * count
    desk.bench.coverage.hit("passage", Passage.STATUS_DUE.value)
    await desk.play()

"""Conditions, edges and choice: ties, equal quotes, samples of the basis, who leads, and quotes that turn bad."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import cocotb

from market.fastpath.conformance.case import Quote
from market.fastpath.reference.state import PairBit
from market.fastpath.specification import Kind, RejectReason, Side
from sim.rtl.bench.desk import Desk
from sim.rtl.bench.goals import Corner
from tests.hdl.cocotb.gate_cases import arb, flat, triggers
from tests.hdl.cocotb.session import corner, desk_of

Outputs = list[dict[str, Any]]


def quoted(desk: Desk, venue: int, mid: int, bid_quantity: int = 10, ask_quantity: int = 10) -> Outputs:
    """A quote two wide; its triggers."""
    return triggers(desk.quote(venue, mid - 1, bid_quantity, mid + 1, ask_quantity))


def legs(trigger: dict[str, Any]) -> tuple[tuple[int, int], tuple[int, int]]:
    """Venue and side of both legs."""
    first, second = (trigger[f"{leg}Venue"] for leg in ("first", "second"))
    return (first, trigger["firstSide"]), (second, trigger["secondSide"])


@cocotb.test()
async def equal_edges_go_to_the_lowest_venue(dut: Any) -> None:
    desk = await desk_of(dut)
    for mid, wanted in ((1_011, ((0, Side.SELL), (1, Side.BUY))), (990, ((1, Side.SELL), (0, Side.BUY)))):
        desk.fresh(Kind.ARB)
        flat(desk)
        (trigger,) = quoted(desk, 0, mid)
        assert legs(trigger) == wanted
    corner(desk, Corner.TIE)
    # one better by the smallest unit wins, the lower number or not; the last venue chooses among the first two
    desk.fresh(Kind.ARB)
    flat(desk)
    quoted(desk, 2, 999)
    (trigger,) = quoted(desk, 0, 1_011)
    assert legs(trigger)[1] == (2, Side.BUY)
    desk.fresh(Kind.ARB)
    flat(desk)
    (trigger,) = quoted(desk, 2, 1_011)
    assert legs(trigger) == ((2, Side.SELL), (0, Side.BUY))
    await desk.play()


@cocotb.test()
async def a_condition_rises_once(dut: Any) -> None:
    desk = await desk_of(dut)
    desk.fresh(Kind.ARB)
    flat(desk)
    assert len(triggers(arb(desk))) == 1
    assert arb(desk) == []
    corner(desk, Corner.SAME_AGAIN)
    # the other venue's event evaluates the same bits; tables leave them alone
    assert quoted(desk, 1, 1_000) == []
    desk.instrument_row(Kind.ARB)
    assert arb(desk) == []
    # false by one unit, and true again
    assert quoted(desk, 0, 1_006) == []
    assert quoted(desk, 2, 1_000) == []
    desk.wait(10_000)
    assert len(quoted(desk, 0, 1_007)) == 1
    await desk.play()


@cocotb.test()
async def a_basis_begins_with_a_sample(dut: Any) -> None:
    desk = await desk_of(dut)
    desk.fresh(Kind.BASIS, basisInterval=1_000, basisShift=1)
    desk.flat(0)
    desk.flat(1, 1_100)
    basis = desk.engine.state.basis[0, 0, 1]
    assert (basis.samples, basis.value) == (1, -200 << 12)
    corner(desk, Corner.FIRST_SAMPLE)
    # nothing deviates; one unit below the threshold; not old enough to be sampled
    desk.wait(999)
    assert quoted(desk, 1, 1_100) == quoted(desk, 1, 1_149) == []
    assert basis.samples == 1
    assert len(quoted(desk, 1, 1_150)) == 1
    desk.wait(1)
    quoted(desk, 1, 1_100)
    assert basis.samples == 2
    await desk.play()


@cocotb.test()
async def a_basis_warms_up(dut: Any) -> None:
    desk = await desk_of(dut)
    desk.fresh(Kind.BASIS, basisInterval=0, basisWarmUp=3, basisShift=16)
    desk.flat(0)
    fired = []
    for mid in (1_000, 1_060, 1_000, 1_060, 1_000, 1_060):
        desk.wait(10_000)
        fired.append(len(quoted(desk, 1, mid)))
    assert fired == [0, 0, 0, 1, 0, 1]
    await desk.play()


@cocotb.test()
async def both_legs_whichever_is_rich(dut: Any) -> None:
    desk = await desk_of(dut)
    for mid, wanted in ((1_050, ((1, Side.SELL), (0, Side.BUY))), (950, ((0, Side.SELL), (1, Side.BUY)))):
        desk.fresh(Kind.BASIS, basisInterval=1_000_000)
        desk.flat(0)
        desk.flat(1)
        desk.wait(10_000)
        (trigger,) = quoted(desk, 1, mid)
        assert legs(trigger) == wanted
    await desk.play()


@cocotb.test()
async def a_leader_trades_the_laggard(dut: Any) -> None:
    desk = await desk_of(dut)
    for mid, side in ((1_050, Side.BUY), (950, Side.SELL)):
        desk.fresh(Kind.BASIS, basisInterval=1_000_000, leads=[0b010, 0, 0])
        desk.flat(0)
        desk.flat(1)
        (trigger,) = quoted(desk, 0, mid)
        assert legs(trigger)[0] == (1, side)
    # both lead: the one that moves decides
    desk.fresh(Kind.BASIS, basisInterval=1_000_000, leads=[0b010, 0b001, 0])
    desk.flat(0)
    desk.flat(1)
    (trigger,) = quoted(desk, 1, 950)
    assert legs(trigger)[0] == (0, Side.SELL)
    await desk.play()


@cocotb.test()
async def a_laggard_sets_a_bit_and_nothing_else(dut: Any) -> None:
    desk = await desk_of(dut)
    moves = ((1_050, PairBit(Kind.BASIS, 1, 0), Corner.LAG_RICH), (950, PairBit(Kind.BASIS, 0, 1), Corner.LAG_CHEAP))
    for mid, bit, mark in moves:
        desk.fresh(Kind.BASIS, basisInterval=1_000_000, leads=[0b010, 0, 0])
        desk.flat(0)
        desk.flat(1)
        before = dict(desk.engine.state.counters.candidates)
        assert quoted(desk, 1, mid) == []
        assert bit in desk.engine.state.on[0]
        assert dict(desk.engine.state.counters.candidates) == before
        # without a lead the bit still stands; only when it has fallen can it rise
        desk.instrument_row(Kind.BASIS, basisInterval=1_000_000)
        assert quoted(desk, 1, mid) == []
        quoted(desk, 1, 1_000)
        assert len(quoted(desk, 1, mid)) == 1
        corner(desk, mark)
    await desk.play()


@cocotb.test()
async def imbalance_to_the_unit(dut: Any) -> None:
    desk = await desk_of(dut)
    for bid_quantity, ask_quantity, sides in ((30, 10, [Side.BUY]), (29, 10, []), (10, 30, [Side.SELL]), (10, 29, [])):
        desk.fresh(Kind.IMBALANCE)
        assert [each["firstSide"] for each in quoted(desk, 0, 1_000, bid_quantity, ask_quantity)] == sides
    for spread, count in ((100, 1), (101, 0)):
        desk.fresh(Kind.IMBALANCE)
        assert len(triggers(desk.quote(0, 1_000, 90, 1_000 + spread, 10))) == count
    await desk.play()


@cocotb.test()
async def a_size_is_the_least_of_three(dut: Any) -> None:
    desk = await desk_of(dut)
    for first, second, size, mark in (
        (200, 200, 100, Corner.SIZE_MAXIMUM),
        (40, 200, 40, Corner.SIZE_FIRST),
        (200, 30, 30, Corner.SIZE_SECOND),
    ):
        desk.fresh(Kind.ARB)
        desk.quote(1, 999, 1, 1_001, second)
        (trigger,) = triggers(desk.quote(0, 1_010, first, 1_012, 1))
        assert (trigger["firstQuantity"], trigger["secondQuantity"]) == (size, size)
        corner(desk, mark)
    # a leg that shows less than the minimum is none
    for shown, count in ((7, 1), (6, 0)):
        desk.fresh(Kind.ARB, minimumQuantity=7)
        desk.quote(1, 999, 1, 1_001, shown)
        assert len(triggers(desk.quote(0, 1_010, 7, 1_012, 1))) == count
    await desk.play()


SPOILERS: dict[RejectReason, dict[str, int]] = {
    RejectReason.EXPONENT: {"price_exponent": -8},
    RejectReason.EMPTY: {"ask_quantity": 0},
    RejectReason.RANGE: {"bid_price": 0},
    RejectReason.CROSSED: {"bid_price": 1_001},
}
GOOD = Quote(0, 1, -9, -9, 1_000, 999, 10, 1_001, 10)


@cocotb.test()
async def a_quote_turns_invalid(dut: Any) -> None:
    desk = await desk_of(dut)
    rejects = desk.engine.state.counters.rejects
    for reason, changes in SPOILERS.items():
        desk.fresh(Kind.ARB)
        for venue in (0, 1):
            desk.flat(venue)
        assert len(triggers(arb(desk))) == 1
        before = rejects[reason]
        desk.give(replace(GOOD, **changes))
        assert rejects[reason] == before + 1
        # its bits are gone, but nothing can rise against it until it is good again
        desk.wait(10_000)
        assert triggers(arb(desk)) == []
        assert len(triggers(desk.give(replace(GOOD, sequence=1_001)))) == 1
    corner(desk, Corner.INVALID)
    # an old sequence changes nothing
    desk.fresh(Kind.ARB)
    for venue in (0, 1):
        desk.flat(venue)
    before = rejects[RejectReason.OLD_SEQUENCE]
    desk.give(replace(GOOD, sequence=1, bid_price=5))
    assert rejects[RejectReason.OLD_SEQUENCE] == before + 1
    assert len(triggers(arb(desk))) == 1
    await desk.play()

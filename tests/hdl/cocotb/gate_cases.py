"""The gate: every reason for every kind, and the nanosecond or the unit on either side of each limit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cocotb

from market.fastpath.conformance.scenario import PLENTY_NS
from market.fastpath.specification import GateReason, Kind, Side
from sim.rtl.bench.desk import Desk
from sim.rtl.bench.goals import Corner
from tests.hdl.cocotb.session import corner, desk_of

Rise = Callable[[Desk], list[dict[str, Any]]]


def flat(desk: Desk) -> None:
    """Every venue at 999 / 1001, ten deep."""
    for venue in range(desk.sizes.venues):
        desk.flat(venue)


def arb(desk: Desk) -> list[dict[str, Any]]:
    """Venue 0 jumps above the others: sell 0, buy 1."""
    return desk.quote(0, 1_010, 10, 1_012, 10)


def basis(desk: Desk) -> list[dict[str, Any]]:
    """Venue 0 jumps by more than the basis threshold of 100 in doubled mids."""
    return desk.quote(0, 1_060, 10, 1_062, 10)


def imbalance(desk: Desk) -> list[dict[str, Any]]:
    """Venue 0 shows little on its bid: sell there."""
    return desk.quote(0, 999, 10, 1_001, 90)


RISES: dict[Kind, Rise] = {Kind.ARB: arb, Kind.BASIS: basis, Kind.IMBALANCE: imbalance}


def triggers(outputs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [each for each in outputs if each["message"] == "Trigger"]


def gates(desk: Desk) -> dict[GateReason, int]:
    return dict(desk.engine.state.counters.gates)


async def refused_by(desk: Desk, reason: GateReason, rise: Rise) -> None:
    """The rise is a candidate and fails for this reason alone; then it is used up."""
    before = gates(desk)
    assert triggers(rise(desk)) == []
    assert {each for each, count in gates(desk).items() if count != before[each]} == {reason}
    assert triggers(rise(desk)) == []
    assert gates(desk)[reason] == before[reason] + 1
    corner(desk, Corner.SUPPRESSED_USED_UP)


@cocotb.test()
async def every_reason_stops_every_kind(dut: Any) -> None:
    desk = await desk_of(dut)
    for kind, rise in RISES.items():
        desk.fresh(kind, armed=False)
        flat(desk)
        await refused_by(desk, GateReason.KILL, rise)

        desk.fresh(kind)
        desk.engine_row(lease=1_000)
        desk.control("Heartbeat")
        flat(desk)
        desk.wait(1_001)
        await refused_by(desk, GateReason.LEASE, rise)

        desk.fresh(kind, enabled=0)
        flat(desk)
        await refused_by(desk, GateReason.INSTRUMENT, rise)

        desk.fresh(kind, cooldown=1_000_000)
        flat(desk)
        assert len(triggers(rise(desk))) == 1
        flat(desk)
        desk.wait(999_999)
        await refused_by(desk, GateReason.COOLDOWN, rise)

        desk.fresh(kind, priceLow=2_000, priceHigh=3_000)
        flat(desk)
        await refused_by(desk, GateReason.COLLAR, rise)

        desk.fresh(kind, positionLimit=9)
        flat(desk)
        await refused_by(desk, GateReason.POSITION, rise)

        desk.fresh(kind)
        flat(desk)
        assert len(triggers(rise(desk))) == 1
        flat(desk)
        desk.wait(2_047)
        await refused_by(desk, GateReason.RATE, rise)
        await desk.play()


@cocotb.test()
async def a_lease_holds_to_its_last_nanosecond(dut: Any) -> None:
    desk = await desk_of(dut)
    desk.fresh(Kind.ARB)
    desk.engine_row(lease=1_000)
    desk.control("Heartbeat")
    flat(desk)
    desk.wait(1_000)
    assert len(triggers(arb(desk))) == 1
    flat(desk)
    desk.wait(1)
    assert triggers(arb(desk)) == []
    corner(desk, Corner.LEASE_LAST)
    await desk.play()


@cocotb.test()
async def a_cooldown_ends_at_its_nanosecond(dut: Any) -> None:
    desk = await desk_of(dut)
    desk.fresh(Kind.ARB, cooldown=5_000)
    flat(desk)
    assert len(triggers(arb(desk))) == 1
    flat(desk)
    desk.wait(4_999)
    assert triggers(arb(desk)) == []
    flat(desk)
    desk.wait(1)
    assert len(triggers(arb(desk))) == 1
    corner(desk, Corner.COOLDOWN_FIRST)
    await desk.play()


@cocotb.test()
async def tokens_run_out_and_come_back(dut: Any) -> None:
    desk = await desk_of(dut)
    desk.fresh(Kind.ARB)
    desk.engine_row(rate_interval=2_048, rate_tolerance=3 * 2_048)
    desk.control("Heartbeat")
    fired = []
    for _ in range(6):
        flat(desk)
        fired.append(len(triggers(arb(desk))))
    assert fired == [1, 1, 1, 1, 0, 0]
    for wait, count in ((2_047, 0), (1, 1), (2_047, 0), (1, 1)):
        desk.wait(wait)
        flat(desk)
        assert len(triggers(arb(desk))) == count
    corner(desk, Corner.TOKENS)
    await desk.play()


@cocotb.test()
async def a_position_may_be_used_up_exactly(dut: Any) -> None:
    desk = await desk_of(dut)
    desk.fresh(Kind.ARB, positionLimit=20)
    flat(desk)
    desk.engine_row(rate_interval=2_048, rate_tolerance=62 * 2_048)
    for count in (1, 1, 0):
        flat(desk)
        assert len(triggers(arb(desk))) == count
    corner(desk, Corner.POSITION_EXACT)
    # settled as not filled on one leg, as filled on the other: one has room again, the other has not
    desk.control("Settle", instrument=0, venue=0, side=int(Side.SELL), released=20, filled=0)
    flat(desk)
    assert triggers(arb(desk)) == []
    desk.control("Settle", instrument=0, venue=1, side=int(Side.BUY), released=20, filled=20)
    flat(desk)
    assert triggers(arb(desk)) == []
    desk.set_position(1, -20)
    flat(desk)
    assert len(triggers(arb(desk))) == 1
    await desk.play()


@cocotb.test()
async def the_collar_is_inclusive_for_each_leg(dut: Any) -> None:
    desk = await desk_of(dut)
    for low, high, count in ((1_001, 1_010, 1), (1_002, 1_010, 0), (1_001, 1_009, 0), (1_010, 1_001, 0)):
        desk.fresh(Kind.ARB, priceLow=low, priceHigh=high)
        flat(desk)
        assert len(triggers(arb(desk))) == count
    await desk.play()


@cocotb.test()
async def a_quote_or_a_venue_grows_old(dut: Any) -> None:
    desk = await desk_of(dut)
    for field, mark in (("maximumAge", Corner.STALE), ("maximumSilence", Corner.SILENT)):
        for wait, count in ((5_000, 1), (5_001, 0)):
            desk.fresh(Kind.ARB)
            for venue in (1, 2):
                desk.venue_row(venue, **{"maximumAge": PLENTY_NS, "maximumSilence": PLENTY_NS, field: 5_000})
            flat(desk)
            desk.wait(wait)
            assert len(triggers(arb(desk))) == count
        corner(desk, mark)
    await desk.play()


@cocotb.test()
async def the_pin_kills_before_the_gate_and_not_behind_it(dut: Any) -> None:
    desk = await desk_of(dut)
    desk.fresh(Kind.ARB)
    flat(desk)
    await desk.play()
    await desk.bench.kill_pin()
    desk.engine.state.killed = True
    await refused_by(desk, GateReason.KILL, arb)
    corner(desk, Corner.KILL_PIN)
    await desk.play()
    desk.rearm()
    flat(desk)
    assert len(triggers(arb(desk))) == 1
    await desk.play()
    await desk.bench.kill_pin()
    desk.engine.state.killed = True
    flat(desk)
    assert triggers(arb(desk)) == []
    await desk.play()

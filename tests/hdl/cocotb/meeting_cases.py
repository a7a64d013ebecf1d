"""Control messages that end at any cycle of a frame: whichever comes first, whole, and nothing in between."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

import cocotb
from cocotb.triggers import ClockCycles

from market.fastpath.conformance.case import Control, Frame
from market.fastpath.conformance.frame_builder import best_bid_ask
from market.fastpath.conformance.scenario import PLENTY_NS
from market.fastpath.specification import Kind
from sim.rtl.bench.control_driver import ControlMessage
from sim.rtl.bench.core_bench import PERIOD_STEPS
from sim.rtl.bench.desk import Desk, port_of
from sim.rtl.bench.frame_driver import FrameOnLine
from sim.rtl.bench.goals import Corner, Meeting
from sim.rtl.bench.scapy_frames import GROUP_NUMBER, frame
from tests.hdl.cocotb.session import EVERY_CYCLE, corner, desk_of

HEADER_BYTES = 42
VERDICT_CYCLES = 6
PATIENCE = 40
"""Cycles behind a frame's end up to which a message may end."""
SOME_CYCLES = {1: 9, 8: 2}
"""By bus: cycles between two meetings; each message begins with another one."""
VENUE = {"enabled": 1, "fee": 0, "maximumAge": PLENTY_NS, "maximumSilence": PLENTY_NS}


@dataclass(frozen=True)
class Change:
    """A message that decides whether the frame makes a trigger, and the one that puts things right again."""

    name: str
    fields: dict[str, Any]
    undo: str
    undo_fields: dict[str, Any]


def place(**changes: int) -> dict[str, int]:
    row = {
        "address": GROUP_NUMBER,
        "port": port_of(0),
        "channel": 0,
        "instrument": 0,
        "venue": 0,
        "feed": 1,
        "enabled": 1,
    }
    return row | changes


CHANGES = (
    Change("Kill", {}, "", {}),
    Change("VenueRow", {"venue": 1, **VENUE, "enabled": 0}, "VenueRow", {"venue": 1, **VENUE}),
    Change("EngineRow", {"rateInterval": 4_096, "rateTolerance": 0, "lease": 5}, "", {}),
    Change("Reset", {"venue": 1}, "", {}),
    Change("ChannelRow", place(enabled=0), "ChannelRow", place()),
    Change("ChannelRow", place(venue=2), "ChannelRow", place()),
    Change("Heartbeat", {}, "", {}),
)


async def meet(desk: Desk, change: Change, delay: int, sequence: int) -> None:
    """A frame that would make a trigger, and so many cycles behind its first beat the message's first byte."""
    bench, dut = desk.bench, desk.bench.dut
    octets = frame(best_bid_ask(-9, -9, sequence, 1_010, 10, 1_012, 10), port_of(0))
    payload = Control(change.name, {"sequence": desk.engine.state.expected_sequence, **change.fields}).payload()
    beats = -(-len(octets) // bench.parameters.bus_bytes)
    desk.wait(10_000)
    dut.time.value = desk.now
    await ClockCycles(dut.clk, 2)
    if delay < 0:
        bench.control.send(ControlMessage(payload))
        await ClockCycles(dut.clk, -delay)
        bench.frames.send(FrameOnLine(octets, None, bench.full_gap))
    else:
        bench.frames.send(FrameOnLine(octets, None, bench.full_gap))
        await ClockCycles(dut.clk, 2 + delay)
        bench.control.send(ControlMessage(payload))
    with bench.scoreboard.followed_by(desk.engine):
        await bench.check()
    cycle = (bench.control.taken_at - bench.frames.begun_at) // PERIOD_STEPS
    bench.coverage.hit("control ends", _meeting(cycle, beats, bench.parameters.bus_bytes).value)


def _meeting(cycle: int, beats: int, bus_bytes: int) -> Meeting:
    if cycle * bus_bytes < HEADER_BYTES:
        return Meeting.BEFORE_PAYLOAD
    if cycle < beats - 1:
        return Meeting.IN_PAYLOAD
    if cycle == beats - 1:
        return Meeting.LAST_BEAT
    return Meeting.VERDICT if cycle <= beats + VERDICT_CYCLES else Meeting.AFTER


@cocotb.test()
async def a_message_meets_a_frame(dut: Any) -> None:
    desk = await desk_of(dut)
    bus_bytes = desk.bench.parameters.bus_bytes
    beats = -(-(HEADER_BYTES + 70) // bus_bytes)
    every = 1 if os.environ.get(EVERY_CYCLE) else SOME_CYCLES[bus_bytes]
    sequence = 100
    for number, change in enumerate(CHANGES):
        desk.fresh(Kind.ARB)
        await desk.play()
        length = len(Control(change.name, {"sequence": 1, **change.fields}).payload())
        for delay in range(-length - 2 + number % every, beats + PATIENCE - length, every):
            sequence += 3
            desk.wait(10_000)
            for venue in (0, 1):
                quoted(desk, venue, sequence)
            if change.name in ("Kill", "EngineRow"):
                desk.engine_row()
                desk.control("Heartbeat")
                desk.rearm()
            await desk.play()
            await meet(desk, change, delay, sequence + 1)
            if change.undo:
                desk.control(change.undo, **change.undo_fields)
    await desk.play()


def quoted(desk: Desk, venue: int, sequence: int) -> None:
    """A flat quote with a number of its own."""
    desk.give(Frame(frame(best_bid_ask(-9, -9, sequence, 999, 10, 1_001, 10), port_of(venue))))


@cocotb.test()
async def the_pin_at_any_cycle_of_a_frame(dut: Any) -> None:
    desk = await desk_of(dut)
    bench = desk.bench
    desk.fresh(Kind.ARB)
    outcomes: list[int] = []
    desk.flat(1)
    for delay in range(0, -(-120 // bench.parameters.bus_bytes) + 12, 1 if bench.parameters.bus_bytes > 1 else 5):
        desk.wait(10_000)
        sequence = 10_000 + 2 * delay
        quoted(desk, 0, sequence)
        desk.rearm()
        await desk.play()
        octets = frame(best_bid_ask(-9, -9, sequence + 1, 1_010, 10, 1_012, 10), port_of(0))
        passed = bench.early.count
        desk.wait(10_000)
        bench.frames.send(FrameOnLine(octets, desk.now, bench.full_gap))
        await ClockCycles(dut.clk, 2 + delay)
        dut.kill.value = 1
        await ClockCycles(dut.clk, 2)
        dut.kill.value = 0
        await bench.quiet()
        outcomes.append(bench.early.count - passed)
        # what the core let pass came before the pin, what it did not behind it
        with bench.scoreboard.followed_by(desk.engine):
            desk.engine.state.killed = not outcomes[-1]
            bench.scoreboard.kill_pin(before_steps=not outcomes[-1])
            await bench.check()
        desk.engine.state.killed = True
    assert outcomes == sorted(outcomes)
    assert 0 < sum(outcomes) < len(outcomes)
    corner(desk, Corner.KILL_PIN_LATE)

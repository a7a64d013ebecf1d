"""Random hosts and markets, takers that are not always ready, and messages while frames arrive."""

from __future__ import annotations

import os
from typing import Any

import cocotb
import numpy as np

from market.fastpath.conformance.case import Control, Step
from market.fastpath.conformance.frame_builder import best_bid_ask, trades
from market.fastpath.conformance.random_host import RandomHost
from market.fastpath.conformance.runner import feed
from market.fastpath.conformance.scenario import PLENTY_NS
from market.fastpath.specification import Kind
from sim.rtl.bench.control_driver import ControlMessage
from sim.rtl.bench.desk import Desk, port_of
from sim.rtl.bench.frame_driver import FrameOnLine
from sim.rtl.bench.scapy_frames import frame
from tests.hdl.cocotb.session import LINE_FEEDS, RANDOM_STEPS, SEED, SIZES, desk_of

BATCH = 50
FRAMES = 16
MESSAGES = 6
WAITS = ((0, 0, 0), (2, 0, 0), (0, 2, 0), (0, 0, 2), (1, 1, 1), (6, 0, 3))
"""Cycles that the takers of messages, log and line wait on average."""


@cocotb.test()
async def a_random_host_and_its_markets(dut: Any) -> None:
    desk = await desk_of(dut)
    engine, bench = desk.engine, desk.bench
    host = RandomHost(engine, SEED, True, LINE_FEEDS)
    for batch in range(int(os.environ[RANDOM_STEPS]) // BATCH):
        steps = []
        for _ in range(BATCH):
            at_ns, given = host.next_input()
            feed(engine, given, at_ns)
            steps.append(Step(at_ns, given, ()))
        bench.press(*WAITS[batch % len(WAITS)])
        await bench.play(steps)
    bench.press()
    engine.outputs()
    engine.event_log()


@cocotb.test()
async def frames_and_messages_at_once(dut: Any) -> None:
    desk = await desk_of(dut)
    bench, rng = desk.bench, np.random.default_rng(SEED)
    desk.fresh(Kind.ARB, Kind.IMBALANCE, Kind.BASIS, basisInterval=1_000, basisThreshold=20)
    await desk.play()
    sequence, update = desk.engine.state.last_sequence, 1
    for batch in range(max(2, int(os.environ[RANDOM_STEPS]) // 100)):
        bench.press(*WAITS[batch % len(WAITS)])
        for _ in range(FRAMES):
            update += 1
            desk.wait(int(rng.integers(5_000)))
            gap = bench.full_gap + int(rng.integers(120))
            bench.frames.send(FrameOnLine(_some_frame(rng, update), desk.now, gap))
        for number in range(MESSAGES):
            sequence += 1
            name, fields = _some_message(rng, desk)
            payload = Control(name, {**fields, "sequence": sequence}).payload()
            pauses = ((0, 1 + int(rng.integers(400))),) if number else ()
            bench.control.send(ControlMessage(payload, None, pauses))
        with bench.scoreboard.followed_by(desk.engine):
            await bench.check()
    bench.press()


def _some_frame(rng: np.random.Generator, update: int) -> bytes:
    """Mostly quotes near each other, some trades, some spoiled."""
    venue, mid = int(rng.integers(SIZES.venues)), 1_000 + int(rng.integers(-8, 9))
    bid_quantity, ask_quantity = (int(quantity) for quantity in rng.integers(1, 60, 2))
    if rng.random() < 0.15:
        entries = [(mid, 1 + number, number % 3) for number in range(int(rng.integers(1, 20)))]
        return frame(trades(-9, -9, entries), port_of(venue))
    octets = frame(best_bid_ask(-9, -9, update, mid - 1, bid_quantity, mid + 1, ask_quantity), port_of(venue))
    if rng.random() < 0.1:
        octets = octets[:-1] + bytes([octets[-1] ^ 4])
    return octets


def _some_message(rng: np.random.Generator, desk: Desk) -> tuple[str, dict[str, Any]]:
    """A message that takes its turn among the frames; some are refused."""
    venue, status = int(rng.integers(SIZES.venues)), desk.engine.state.status_number
    row = {"venue": venue, "enabled": int(rng.random() < 0.8), "fee": int(rng.integers(-300, 300))}
    messages: tuple[tuple[str, dict[str, Any]], ...] = (
        ("Heartbeat", {}),
        ("StatusRequest", {}),
        ("VenueRow", {**row, "maximumAge": 50_000, "maximumSilence": PLENTY_NS}),
        ("EngineRow", {"rateInterval": 2_048, "rateTolerance": 20_480, "lease": PLENTY_NS}),
        ("Settle", {"instrument": 0, "venue": venue, "side": 1, "released": int(rng.integers(12)), "filled": 0}),
        ("Reset", {"venue": venue}),
        ("Kill", {}),
        ("Rearm", {"statusNumber": status + int(rng.integers(3))}),
        ("Rearm", {"statusNumber": status}),
    )
    return messages[int(rng.integers(len(messages)))]

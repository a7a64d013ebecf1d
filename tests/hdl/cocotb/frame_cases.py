"""Frames built with scapy: every reason to drop one, triggers that are taken back, and what is read in good ones."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import cocotb

from market.fastpath.conformance.case import Frame
from market.fastpath.conformance.frame_builder import best_bid_ask, trades
from market.fastpath.specification import NO_INSTRUMENT, DropReason, Kind
from sim.rtl.bench.core_bench import CoreBench
from sim.rtl.bench.desk import Desk, port_of
from sim.rtl.bench.frame_driver import FrameOnLine
from sim.rtl.bench.scapy_frames import built, frame, with_check_sequence
from tests.hdl.cocotb.gate_cases import flat, triggers
from tests.hdl.cocotb.session import desk_of

PADDING = bytes(46)
"""So long that a decision is made before the frame's end, on either bus."""
Fields = dict[str, Any]


def jump(sequence: int, symbol: bytes = b"BTCUSDT") -> bytes:
    """A quote of venue 0 that makes a trigger against flat ones."""
    return best_bid_ask(-9, -9, sequence, 1_010, 10, 1_012, 10, symbol)


def spoiled_frames(sequence: int) -> Iterator[tuple[DropReason, bytes]]:
    """Frames with the quote ``jump``, each wrong in one place, and the reason that is expected."""
    payload, port = jump(sequence), port_of(0)
    good = built(payload, port)
    yield DropReason.BAD_FCS, good + bytes(4)
    yield DropReason.BAD_FCS, with_check_sequence(good)[:-1]
    for name, fields in NOT_OURS:
        yield DropReason.NOT_OURS, frame(payload, port, **{name: fields})
    yield DropReason.NOT_OURS, frame(payload, port, address="239.0.0.2")
    yield DropReason.NOT_OURS, frame(payload, 29_999)
    yield DropReason.NOT_OURS, frame(payload, port, tags=(5, 6))
    yield DropReason.NOT_OURS, with_check_sequence(good[:13])
    for fields in BAD_IP:
        yield DropReason.BAD_IP, frame(payload, port, ip=fields)
    for length in (14, 20, 33):
        yield DropReason.BAD_IP, with_check_sequence(good[:length])
    for fields in BAD_UDP:
        yield DropReason.BAD_UDP, frame(payload, port, udp=fields)
    for wrong in bad_messages(sequence):
        yield DropReason.BAD_MESSAGE, frame(wrong, port)


NOT_OURS: list[tuple[str, Fields]] = [
    ("ether", {"type": 0x0806}),
    ("ether", {"type": 0x86DD}),
    ("ip", {"proto": 6}),
    ("ip", {"proto": 1}),
]
BAD_IP: list[Fields] = [
    {"version": 6},
    {"ihl": 6},
    {"len": 19},
    {"len": 1_501},
    {"flags": "MF"},
    {"frag": 1},
    {"chksum": 0x1234},
]
BAD_UDP: list[Fields] = [{"len": 7}, {"len": 9}, {"chksum": 0x1234}]


def bad_messages(sequence: int) -> Iterator[bytes]:
    """Payloads that are no good messages."""
    good = jump(sequence)
    yield b""
    yield good[:7]
    yield good[:-1]
    yield good + b"x"
    for position, value in ((0, 49), (4, 2), (6, 1), (58, 6), (58, 8)):
        yield good[:position] + bytes([value]) + good[position + 1 :]
    entry = trades(-9, -9, [(1_000, 1, 0)])
    for position, value in ((0, 17), (26, 24), (28, 2), (28, 0)):
        yield entry[:position] + bytes([value]) + entry[position + 1 :]


@cocotb.test()
async def every_reason_to_drop_a_frame(dut: Any) -> None:
    desk = await desk_of(dut)
    desk.fresh(Kind.ARB)
    sequences = itertools.count(100)
    drops = desk.engine.state.frame_counters.drops
    flat(desk)
    for reason, octets in spoiled_frames(next(sequences)):
        before = drops[reason]
        assert desk.give(Frame(octets)) == []
        assert drops[reason] == before + 1, octets.hex()
    # a good one is decided all the same
    assert len(triggers(desk.give(Frame(frame(jump(next(sequences)), port_of(0)))))) == 1
    await desk.play()


async def taken_back(desk: Desk, octets: bytes, reason: DropReason, error: bool = False) -> None:
    """The frame passes the gate while it arrives, and is dropped for the reason; no trigger remains."""
    bench: CoreBench = desk.bench
    desk.flat(0)
    await desk.play()
    passed, count = bench.early.count, bench.scoreboard.engine.trigger_count
    bench.frames.send(FrameOnLine(octets, desk.now, bench.full_gap, error))
    with bench.scoreboard.followed_by(desk.engine):
        await bench.check()
    assert bench.early.count == passed + 1
    assert bench.scoreboard.engine.trigger_count == count
    bench.coverage.hit("trigger taken back", reason.name)


@cocotb.test()
async def a_trigger_is_taken_back(dut: Any) -> None:
    desk = await desk_of(dut)
    desk.fresh(Kind.ARB)
    flat(desk)
    port = port_of(0)
    good = frame(jump(100), port, padding=PADDING)
    long_symbol = frame(jump(100, b"S" * 60)[:-1], port)
    for _ in range(2):
        await taken_back(desk, good[:-1] + bytes([good[-1] ^ 1]), DropReason.BAD_FCS)
        await taken_back(desk, good[:20] + bytes([good[20] ^ 1]) + good[21:], DropReason.BAD_FCS)
        await taken_back(desk, good, DropReason.BAD_FCS, error=True)
        await taken_back(desk, frame(jump(100), port, ip={"len": 1_400}, padding=PADDING), DropReason.BAD_IP)
        await taken_back(desk, frame(jump(100), port, udp={"chksum": 1}, padding=PADDING), DropReason.BAD_UDP)
        await taken_back(desk, long_symbol, DropReason.BAD_MESSAGE)
        desk.wait(10_000)
    assert len(triggers(desk.give(Frame(good)))) == 1
    await desk.play()


@cocotb.test()
async def what_a_frame_may_carry(dut: Any) -> None:
    desk = await desk_of(dut)
    desk.fresh(Kind.ARB)
    port, sequences = port_of(0), itertools.count(100)
    desk.flat(1)
    for extra in (
        {},
        {"tags": (7,)},
        {"udp": {"chksum": 0}},
        {"padding": PADDING},
        {"padding": b"x", "tags": (4_095,)},
    ):
        for symbol in (b"", b"S", b"BTCUSDT", b"S" * 255):
            desk.wait(10_000)
            desk.give(Frame(frame(best_bid_ask(-9, -9, next(sequences), 999, 10, 1_001, 10), port)))
            assert len(triggers(desk.give(Frame(frame(jump(next(sequences), symbol), port, **extra))))) == 1
    skipped = desk.engine.state.frame_counters.skipped_messages
    for template in (9_999, 10_002, 10_003, 65_535):
        message = bytes((0, 0)) + template.to_bytes(2, "little") + bytes((1, 0, 0, 0)) + b"anything"
        for length in (8, 9, 16):
            desk.give(Frame(frame(message[:length], port)))
    assert desk.engine.state.frame_counters.skipped_messages == skipped + 12
    for count in (0, 1, 2, 57):
        entries = [(1_000 + number, number + 1, (0, 1, 255)[number % 3]) for number in range(count)]
        desk.give(Frame(frame(trades(-9, -9, entries, b"S" * 14), port)))
    desk.control("StatusRequest")
    await desk.play()


@cocotb.test()
async def channels_decide_whose_a_frame_is(dut: Any) -> None:
    desk = await desk_of(dut)
    desk.fresh(Kind.ARB)
    rejects = dict(desk.engine.state.counters.rejects)
    # no instrument: every event is unknown; of two rows with one destination the lower wins; disabled rows are none
    desk.channel_row(2, instrument=NO_INSTRUMENT)
    desk.flat(2)
    desk.give(Frame(frame(trades(-9, -9, [(1, 1, 0)]), port_of(2))))
    assert desk.engine.state.counters.rejects != rejects
    desk.channel_row(2, channel=63, port=port_of(0))
    desk.flat(0)
    desk.flat(1)
    desk.channel_row(0, enabled=0)
    desk.wait(10_000)
    # now what comes to venue 0's port is venue 2's
    (trigger,) = triggers(desk.quote(0, 1_010, 10, 1_012, 10))
    assert trigger["firstVenue"] == 2
    desk.channel_row(2, channel=63, port=port_of(0), enabled=0)
    drops = desk.engine.state.frame_counters.drops[DropReason.NOT_OURS]
    desk.flat(0)
    assert desk.engine.state.frame_counters.drops[DropReason.NOT_OURS] == drops + 1
    await desk.play()


@cocotb.test()
async def frames_without_a_gap(dut: Any) -> None:
    desk = await desk_of(dut)
    desk.fresh(Kind.ARB)
    flat(desk)
    sequences = itertools.count(100)
    await desk.play()
    for number in range(40):
        desk.wait(1_000)
        if number % 4 == 3:
            desk.give(Frame(built(jump(next(sequences)), port_of(0)) + bytes(4)))
        elif number % 2:
            desk.give(Frame(frame(jump(next(sequences)), port_of(0))))
        else:
            desk.give(Frame(frame(best_bid_ask(-9, -9, next(sequences), 999, 10, 1_001, 10), port_of(0))))
    await desk.play(gap=desk.bench.full_gap)

"""A request for the board's address is answered with a whole frame, once in a while; nothing else is."""

from __future__ import annotations

import random
import struct
import zlib
from collections.abc import Callable
from typing import Any

import pytest

pytest.importorskip("amaranth", reason="the fpga extra is not installed: make test installs it")

from amaranth.hdl import Fragment
from amaranth.sim import Simulator

from hdl.ethernet.arp import REST_BITS, ArpResponder
from hdl.ethernet.frame_merger import FrameMerger
from hdl.parameters import CoreParameters
from market.errors import Fatal
from market.fastpath.conformance.frame_builder import Wrapping, with_fcs
from market.fastpath.conformance.frame_builder import frame as datagram
from tests.hdl.ethernet.receiver_bench import Line

LINK, ADDRESS = 0x02_00_00_00_00_31, 0x0A_01_02_03
ASKER_LINK, ASKER_ADDRESS = 0x02_AA_BB_CC_DD_EE, 0x0A_01_02_63
BROADCAST = (1 << 48) - 1
PARAMETERS = CoreParameters(bus_bytes=1)
FIRST_BEAT_AFTER = 5


def packet(operation: int, sender: tuple[int, int], target: tuple[int, int]) -> bytes:
    parties = b"".join(link.to_bytes(6, "big") + struct.pack(">I", address) for link, address in (sender, target))
    return struct.pack(">HHBBH", 1, 0x0800, 6, 4, operation) + parties


def arp_frame(destination: int, source: int, content: bytes, ethertype: int = 0x0806, padding: int = 18) -> bytes:
    head = destination.to_bytes(6, "big") + source.to_bytes(6, "big") + struct.pack(">H", ethertype)
    return with_fcs(head + content + bytes(padding))


def request(target: int = ADDRESS, **changes: Any) -> bytes:
    content = packet(changes.pop("operation", 1), (ASKER_LINK, ASKER_ADDRESS), (0, target))
    return arp_frame(BROADCAST, ASKER_LINK, content, **changes)


ANSWER = arp_frame(ASKER_LINK, LINK, packet(2, (LINK, ADDRESS), (ASKER_LINK, ASKER_ADDRESS)))


def answers(
    frames: list[bytes],
    errors: frozenset[int] = frozenset(),
    ready: Callable[[int], bool] = lambda cycle: True,
    gap: int = 100,
) -> list[tuple[int, bytes]]:
    """What leaves, with the cycles between a request's last beat and an answer's first."""
    responder = ArpResponder(PARAMETERS)
    beats = [bus for bus, _ in Line(frames, gap=gap, errors=errors).beats(1)]
    sent: list[tuple[int, bytes]] = []

    async def bench(ctx: Any) -> None:
        ctx.set(responder.link, LINK)
        ctx.set(responder.address, ADDRESS)
        current, last, began, inside = bytearray(), 0, 0, False
        for cycle in range(len(beats) + 300):
            bus = beats[cycle] if cycle < len(beats) else 0
            for bit, name in enumerate(("valid", "first", "last", "error")):
                ctx.set(getattr(responder.rx, name), bus >> bit & 1)
            ctx.set(responder.rx.count, bus >> 4 & 15)
            ctx.set(responder.rx.data, bus >> 8)
            last = cycle if bus >> 2 & 1 else last
            ctx.set(responder.tx_ready, ready(cycle))
            tx = responder.tx
            valid = bool(ctx.get(tx.valid))
            assert valid or not inside, "a frame is not interrupted"
            if valid and not current and not inside:
                began = cycle - last
            if valid and ready(cycle):
                assert ctx.get(tx.first) == (not inside)
                assert (ctx.get(tx.count), ctx.get(tx.error)) == (1, 0)
                current.append(ctx.get(tx.data))
                inside = not ctx.get(tx.last)
                if not inside:
                    sent.append((began, bytes(current)))
                    current.clear()
            await ctx.tick()

    simulator = Simulator(responder)
    simulator.add_clock(8e-9)
    simulator.add_testbench(bench)
    simulator.run()
    return sent


def test_the_answer_is_a_whole_frame_to_the_asker() -> None:
    ((began, answer),) = answers([request()])
    assert answer == ANSWER
    assert len(answer) == 64
    assert zlib.crc32(answer) == 0x2144DF1C
    assert began == FIRST_BEAT_AFTER


@pytest.mark.parametrize("padding", [0, 1, 200])
def test_padding_makes_no_difference(padding: int) -> None:
    assert [answer for _, answer in answers([request(padding=padding)])] == [ANSWER]


def test_a_slow_line() -> None:
    generator = random.Random(8)
    pauses = [generator.random() < 0.5 for _ in range(700)]
    assert [answer for _, answer in answers([request()], ready=lambda cycle: pauses[cycle])] == [ANSWER]


def test_nothing_else_is_answered() -> None:
    whole = request()
    spoiled = [bytes(octet ^ (at == spot) for at, octet in enumerate(whole)) for spot in (0, 22, 41, 50, 63)]
    others = [
        request(ADDRESS + 1),
        request(ADDRESS ^ 1 << 31),
        request(operation=2),
        request(ethertype=0x0800),
        *(with_fcs(whole[:at] + b"\x55" + whole[at + 1 : -4]) for at in range(12, 22)),
        with_fcs(whole[:41]),
        whole[:40],
        b"",
        datagram(bytes(40), Wrapping(address=ADDRESS)),
        *spoiled,
    ]
    assert answers([*others, whole], errors=frozenset()) == [(FIRST_BEAT_AFTER, ANSWER)]
    assert answers([whole], errors=frozenset({0})) == []


def test_answers_rest() -> None:
    assert [answer for _, answer in answers([request()] * 3, gap=200)] == [ANSWER]
    assert 1 << REST_BITS == 131_072


def test_one_width_of_bus() -> None:
    with pytest.raises(Fatal, match="1 byte"):
        Fragment.get(ArpResponder(CoreParameters(bus_bytes=8)), None)


def merged(first: dict[int, bytes], other: dict[int, bytes], ready: Callable[[int], bool]) -> list[tuple[int, bytes]]:
    """Frames that leave a merger, with the cycle of their first beat; frames are offered from a cycle on."""
    merger = FrameMerger(PARAMETERS)
    left: list[tuple[int, bytes]] = []

    async def bench(ctx: Any) -> None:
        sources = [(merger.first, merger.first_ready, dict(first)), (merger.other, merger.other_ready, dict(other))]
        at = [0, 0]
        began, current = 0, bytearray()
        for cycle in range(400):
            offered = []
            for number, (bus, _, plan) in enumerate(sources):
                due = min(plan, default=cycle + 1)
                frame = plan[due] if due <= cycle else b""
                offered.append((due, frame))
                place = at[number]
                ctx.set(bus.valid, bool(frame))
                ctx.set(bus.data, frame[place] if frame else 0)
                ctx.set(bus.first, place == 0)
                ctx.set(bus.last, place == len(frame) - 1)
            ctx.set(merger.ready, ready(cycle))
            if ctx.get(merger.merged.valid) and ready(cycle):
                if ctx.get(merger.merged.first):
                    began, current = cycle, bytearray()
                current.append(ctx.get(merger.merged.data))
                if ctx.get(merger.merged.last):
                    left.append((began, bytes(current)))
            for number, (_, taken, plan) in enumerate(sources):
                due, frame = offered[number]
                if frame and ctx.get(taken):
                    at[number] += 1
                    if at[number] == len(frame):
                        at[number] = 0
                        del plan[due]
            await ctx.tick()

    simulator = Simulator(merger)
    simulator.add_clock(8e-9)
    simulator.add_testbench(bench)
    simulator.run()
    return left


def test_a_frame_that_must_not_wait_waits_for_one_that_has_begun_only() -> None:
    first = {5: b"first", 40: b"second", 46: b"third", 100: b"fourth"}
    other = {3: b"longer and other", 41: b"between", 99: b"late"}
    assert merged(first, other, lambda cycle: True) == [
        (4, b"longer and other"),
        (20, b"first"),
        (40, b"second"),
        (46, b"third"),
        (52, b"between"),
        (100, b"late"),
        (104, b"fourth"),
    ]
    generator = random.Random(2)
    pauses = [generator.random() < 0.6 for _ in range(400)]
    slow = [frame for _, frame in merged(first, other, lambda cycle: pauses[cycle])]
    assert sorted(slow) == sorted([*first.values(), *other.values()])

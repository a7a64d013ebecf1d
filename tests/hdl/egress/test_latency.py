"""Every trigger's latency is measured from the frame that caused it, and told behind the counters of the frames."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

import pytest

pytest.importorskip("amaranth", reason="the fpga extra is not installed: make test installs it")

from amaranth.sim import Simulator

from hdl.egress.latency import FRAMES_KEPT, LatencyMeter
from hdl.egress.latency_buckets import BUCKETS, LATENCY_BOUNDS, bucket_name, bucket_of
from hdl.egress.reports import Reports
from hdl.parameters import BUS_BYTES, CoreParameters
from market.fastpath.layout import SCHEMA
from market.wire.sbe import decode, encode

HEADERS = 42
TIME_STEP = 8


def frame_of(payload: bytes) -> bytes:
    """A frame with so many bytes around its payload as Ethernet, IPv4 and UDP have."""
    return bytes(HEADERS) + payload + bytes(4)


def trigger(cause_time: int) -> bytes:
    fields = dict.fromkeys(SCHEMA.message("Trigger").fields, 0)
    return encode(SCHEMA, "Trigger", fields | {"causeTime": cause_time})


@dataclass(frozen=True)
class Passage:
    """A frame on a bus from a cycle on; ``error`` spoils it."""

    cycle: int
    frame: bytes
    error: bool = False


@dataclass(frozen=True)
class Seen:
    measured: int
    unmatched: int
    minimum: int
    maximum: int
    counts: list[int]


Beat = tuple[int, int, int, int, bytes]
"""Valid, first, last, error, and the bytes."""


def beats_of(passages: list[Passage], width: int) -> dict[int, Beat]:
    """Beats by their cycles."""
    beats: dict[int, Beat] = {}
    for passage in passages:
        starts = range(0, len(passage.frame), width)
        for number, start in enumerate(starts):
            is_last = number == len(starts) - 1
            assert passage.cycle + number not in beats
            octets = passage.frame[start : start + width]
            beats[passage.cycle + number] = (1, int(number == 0), int(is_last), int(is_last and passage.error), octets)
    return beats


def measure(width: int, received: list[Passage], sent: list[Passage], preamble_cycles: int = 0) -> Seen:
    """What a meter counts; time is ``TIME_STEP`` times the cycle."""
    meter = LatencyMeter(CoreParameters(bus_bytes=width), preamble_cycles)
    buses = [(meter.rx, beats_of(received, width)), (meter.tx, beats_of(sent, width))]
    found: list[Seen] = []

    async def bench(ctx: Any) -> None:
        for cycle in range(max(max(beats, default=0) for _, beats in buses) + 2 * FRAMES_KEPT):
            ctx.set(meter.time, cycle * TIME_STEP)
            for bus, beats in buses:
                valid, first, last, error, octets = beats.get(cycle, (0, 0, 0, 0, b""))
                for name, value in (("valid", valid), ("first", first), ("last", last), ("error", error)):
                    ctx.set(getattr(bus, name), value)
                ctx.set(bus.count, len(octets))
                ctx.set(bus.data, int.from_bytes(octets, "little"))
            ctx.set(meter.tx_passes, int(cycle in buses[1][1]))
            await ctx.tick()
        assert ctx.get(meter.idle)
        counts = []
        for number in range(BUCKETS):
            ctx.set(meter.bucket, number)
            counts.append(ctx.get(meter.count))
        values = (meter.measured, meter.unmatched, meter.minimum, meter.maximum)
        measured, unmatched, minimum, maximum = (ctx.get(value) for value in values)
        found.append(Seen(measured, unmatched, minimum, maximum, counts))

    simulator = Simulator(meter)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    return found[0]


def last_byte(passage: Passage, width: int) -> int:
    """Cycle of the last byte in front of the check sequence."""
    return passage.cycle + (len(passage.frame) - 5) // width


def expected(latencies: list[int], unmatched: int = 0) -> Seen:
    counts = [0] * BUCKETS
    for latency in latencies:
        counts[bucket_of(latency)] += 1
    least, most = (min(latencies), max(latencies)) if latencies else (32_767, -32_768)
    return Seen(len(latencies), unmatched, least, most, counts)


@pytest.mark.parametrize("width", BUS_BYTES)
@pytest.mark.parametrize("length", [60, 61, 64, 65])
def test_from_the_last_byte_in_to_the_first_byte_out(width: int, length: int) -> None:
    cause = Passage(10, bytes(length + 4))
    sent = [Passage(40, frame_of(trigger(10 * TIME_STEP)))]
    assert measure(width, [cause], sent) == expected([40 - last_byte(cause, width)])


def test_a_trigger_that_leaves_before_its_message_ends_has_a_negative_latency() -> None:
    cause = Passage(5, bytes(130))
    sent = [Passage(120, frame_of(trigger(5 * TIME_STEP)))]
    assert measure(1, [cause], sent, preamble_cycles=8) == expected([120 - 8 - last_byte(cause, 1)])
    assert 120 - 8 - last_byte(cause, 1) == -18


@pytest.mark.parametrize("width", BUS_BYTES)
def test_only_whole_frames_of_triggers_count_and_only_with_a_known_cause(width: int) -> None:
    received = [Passage(300 * number, bytes(70)) for number in range(1, 4)]
    status = encode(SCHEMA, "Status", dict.fromkeys(SCHEMA.message("Status").fields, 0))
    sent = [
        Passage(1_000, frame_of(trigger(600 * TIME_STEP)), error=True),
        Passage(1_200, frame_of(trigger(600 * TIME_STEP))),
        Passage(1_400, frame_of(status)),
        Passage(1_800, frame_of(trigger(601 * TIME_STEP))),
        Passage(2_000, frame_of(trigger(0))),
        Passage(2_200, frame_of(trigger(600 * TIME_STEP))[:100]),
    ]
    latency = 1_200 - last_byte(received[1], width)
    assert measure(width, received, sent) == expected([latency], unmatched=2)


@pytest.mark.parametrize("width", BUS_BYTES)
def test_frames_directly_behind_each_other(width: int) -> None:
    received = [Passage(10 + 200 * number, bytes(70)) for number in range(2)]
    first, second = (frame_of(trigger(cause.cycle * TIME_STEP)) for cause in received)
    behind = 500 + -(-len(first) // width)
    sent = [Passage(500, first), Passage(behind, second), Passage(behind + behind - 500, bytes(200))]
    latencies = [out - last_byte(cause, width) for out, cause in zip((500, behind), received, strict=True)]
    assert measure(width, received, sent) == expected(latencies)


def test_frames_that_are_long_gone_are_not_known() -> None:
    received = [Passage(10 + 20 * number, bytes(64)) for number in range(FRAMES_KEPT + 1)]
    sent = [Passage(900 + 100 * at, frame_of(trigger(received[at].cycle * TIME_STEP))) for at in (0, 1)]
    assert measure(8, received, sent) == expected([1_000 - last_byte(received[1], 8)], unmatched=1)


def test_latencies_of_every_bucket_and_beyond_the_range() -> None:
    generator = random.Random(5)
    wanted = [bound + step for bound in LATENCY_BOUNDS for step in (-1, 0)]
    generator.shuffle(wanted)
    received: list[Passage] = []
    sent: list[Passage] = []
    for latency in wanted:
        after = sent[-1].cycle + 60 if sent else 30
        received.append(Passage(after, bytes(164)))
        sent.append(Passage(last_byte(received[-1], 8) + latency, frame_of(trigger(after * TIME_STEP))))
    seen = measure(8, received, sent)
    assert min(seen.counts) == 1
    assert seen == expected(wanted)


def test_a_latency_beyond_the_range_counts_as_the_nearest() -> None:
    late = [Passage(40, frame_of(trigger(10 * TIME_STEP)))]
    assert measure(8, [Passage(10, bytes(64))], late, preamble_cycles=-40_000) == expected([32_767])
    assert measure(8, [Passage(10, bytes(64))], late, preamble_cycles=40_000) == expected([-32_768])


def test_buckets_by_name() -> None:
    assert [bucket_name(number) for number in (0, 1, 3, BUCKETS - 1)] == [
        "below -16",
        "-16 to -9",
        "-4 to -1",
        "1024 and more",
    ]
    assert [bucket_of(cycles) for cycles in (-17, -16, -9, -1, 0, 1_023, 1_024)] == [0, 1, 1, 3, 4, 14, 15]


VALUES = {"measured": 9, "unmatched": 2, "minimum": -9, "maximum": 700, "forged": 3, "replayed": 4, "loosened": 5}
LINE_VALUES = {"control_lost": 6, "line_errors": 7, "seal_counter": (1 << 63) + 1}


def reports(ready_every: int, rest_from: int) -> list[tuple[int, bytes]]:
    """Messages with the cycle of their first word; a FrameCounters message passes at cycle 5, others before it."""
    sender, told = Reports(156_250_000), []
    passing = [
        encode(SCHEMA, name, dict.fromkeys(SCHEMA.message(name).fields, 41)) for name in ("Status", "FrameCounters")
    ]
    words = [
        (message[at : at + 8], at == 0, at == len(message) - 8)
        for message in passing
        for at in range(0, len(message), 8)
    ]

    async def bench(ctx: Any) -> None:
        for name, value in (VALUES | LINE_VALUES).items():
            ctx.set(getattr(sender, name), value)
        message, began = b"", 0
        for cycle in range(300):
            word, first, last = words[cycle] if cycle < len(words) else (bytes(8), False, False)
            ctx.set(sender.watched, {"data": int.from_bytes(word, "little"), "first": first, "last": last})
            ctx.set(sender.watched_passes, int(cycle < len(words)))
            ctx.set(sender.at_rest, int(cycle >= rest_from))
            ctx.set(sender.time, 1_000 + cycle)
            ctx.set(sender.words.ready, int(cycle % ready_every == 0))
            ctx.set(sender.count, ctx.get(sender.bucket) + 100)
            if ctx.get(sender.words.valid) and cycle % ready_every == 0:
                payload = sender.words.payload
                if ctx.get(payload.first):
                    message, began = b"", cycle
                message += ctx.get(payload.data).to_bytes(8, "little")
                if ctx.get(payload.last):
                    told.append((began, message))
            await ctx.tick()
        assert ctx.get(sender.idle)

    simulator = Simulator(sender)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    return told


@pytest.mark.parametrize("ready_every", [1, 3])
def test_reports_follow_the_frame_counters_once_the_core_is_at_rest(ready_every: int) -> None:
    latency, board = ((began, decode(SCHEMA, message)) for began, message in reports(ready_every, rest_from=100))
    assert latency[0] >= 100
    assert latency[1].name == "LatencyCounters"
    expected_buckets = {f"bucket{number}": 100 + number for number in range(BUCKETS)}
    own = {"time": 1_100, "cyclePs": 6_400, "measured": 9, "unmatched": 2, "minimum": -9, "maximum": 700}
    assert dict(latency[1].fields) == own | expected_buckets
    assert board[1].name == "BoardCounters"
    assert dict(board[1].fields) == {
        "time": 1_100,
        **{"forged": 3, "replayed": 4, "loosened": 5},
        **{"controlLost": 6, "lineErrors": 7, "sealCounter": (1 << 63) + 1},
    }

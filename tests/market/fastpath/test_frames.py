"""Frames: what is dropped and why, and what an accepted one does."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from market.errors import Rejected
from market.fastpath import engine as engine_module
from market.fastpath import entries, layout, state
from market.fastpath.engine import CpuEngine
from market.fastpath.layout import SCHEMA
from market.fastpath.specification import NO_INSTRUMENT, Feed, Kind, Side, StepKind
from market.wire.sbe import decode
from tests.market.fastpath.engine_driver import UNIT, Driver
from tests.market.fastpath.frame_builder import PORT, Frame, best_bid_ask, trades, with_fcs, write_channel

LOW, HIGH = 100 * UNIT, 110 * UNIT
CHEAP = best_bid_ask(10, LOW - 1, LOW, UNIT, UNIT)
RICH = best_bid_ask(10, HIGH, HIGH + 1, UNIT, UNIT)
FRAME = Frame(RICH)


@pytest.fixture
def driver() -> Driver:
    """Channel 0 is venue 0, channel 1 venue 1; venue 1 can be bought at LOW."""
    driver = Driver(event_log=True)
    driver.set_up(kinds=Kind.ARB.mask)
    write_channel(driver, 0)
    write_channel(driver, 1)
    driver.engine.push([Frame(CHEAP, port=PORT + 1).bytes()], [driver.now])
    driver.engine.outputs()
    driver.engine.event_log()
    return driver


def frame_counters(driver: Driver) -> dict[str, int]:
    """What the FrameCounters message says, without the first frame of the fixture and without zeros."""
    fields = dict(decode(SCHEMA, driver.engine.frame_counters()).fields)
    assert fields.pop("step") == driver.engine.state[state.STEP]
    fields["frames"] -= 1
    fields["messages"] -= 1
    return {name: count for name, count in fields.items() if count}


def push(driver: Driver, *frames: bytes) -> list[dict[str, Any]]:
    driver.engine.push(frames, [driver.now] * len(frames))
    return driver.outputs("Trigger")


def corrupt(content: bytes, at: int, value: int) -> bytes:
    buffer = bytearray(content)
    buffer[at] = value
    return bytes(buffer)


@pytest.mark.parametrize(
    "frame",
    [
        FRAME,
        FRAME.but(tags=1),
        FRAME.but(udp_checksum="right"),
        FRAME.but(udp_checksum="right", tags=1, padding=3),
        FRAME.but(padding=1),
        FRAME.but(padding=400),
        FRAME.but(fragment=0),
        FRAME.but(fragment=0xC000),
    ],
)
def test_a_good_frame_is_a_step_with_its_event(driver: Driver, frame: Frame) -> None:
    (trigger,) = push(driver, frame.bytes())
    assert (trigger["firstVenue"], trigger["secondVenue"]) == (0, 1)
    assert (trigger["causeSequence"], trigger["causeTime"]) == (10, driver.now)
    assert frame_counters(driver) == {"frames": 1, "messages": 1}


@pytest.mark.parametrize("length", range(1, 12))
def test_checksums_of_odd_and_even_lengths(driver: Driver, length: int) -> None:
    payload = RICH[:-8] + bytes([length]) + b"ABCDEFGHIJKL"[:length]
    assert len(push(driver, Frame(payload, udp_checksum="right").bytes())) == 1


DROPS = [
    (corrupt(FRAME.bytes(), -1, FRAME.bytes()[-1] ^ 1), "badFcs"),
    (corrupt(FRAME.bytes(), 40, FRAME.bytes()[40] ^ 1), "badFcs"),
    (b"", "badFcs"),
    (b"abc", "badFcs"),
    (FRAME.but(ethertype=0x86DD).bytes()[:-1], "badFcs"),
    (with_fcs(b""), "notOurs"),
    (with_fcs(FRAME.content()[:13]), "notOurs"),
    (with_fcs(FRAME.but(tags=1).content()[:17]), "notOurs"),
    (FRAME.but(ethertype=0x86DD).bytes(), "notOurs"),
    (FRAME.but(ethertype=0x0806, header_checksum_error=1).bytes(), "notOurs"),
    (FRAME.but(tags=2).bytes(), "notOurs"),
    (FRAME.but(protocol=6).bytes(), "notOurs"),
    (FRAME.but(protocol=6, header_checksum_error=1).bytes(), "notOurs"),
    (FRAME.but(address=0xEFC00002).bytes(), "notOurs"),
    (FRAME.but(port=PORT + 2).bytes(), "notOurs"),
    (FRAME.but(port=PORT + 2, header_checksum_error=1).bytes(), "notOurs"),
    (with_fcs(FRAME.content()[: 14 + 19]), "badIp"),
    (with_fcs(FRAME.but(protocol=6).content()[: 14 + 19]), "badIp"),
    (with_fcs(FRAME.content()[: 14 + 20]), "badIp"),
    (FRAME.but(header_checksum_error=1).bytes(), "badIp"),
    (FRAME.but(header_checksum_error=1, udp_length=9).bytes(), "badIp"),
    (FRAME.but(first_byte=0x46).bytes(), "badIp"),
    (FRAME.but(first_byte=0x44).bytes(), "badIp"),
    (FRAME.but(first_byte=0x65).bytes(), "badIp"),
    (FRAME.but(total_length=20 + 8 + len(RICH) + 1).bytes(), "badIp"),
    (FRAME.but(total_length=19).bytes(), "badIp"),
    (FRAME.but(fragment=0x2000).bytes(), "badIp"),
    (FRAME.but(fragment=0x0001).bytes(), "badIp"),
    (FRAME.but(fragment=0x1000).bytes(), "badIp"),
    (FRAME.but(payload=bytes(1_473)).bytes(), "badIp"),
    (FRAME.but(total_length=27).bytes(), "badUdp"),
    (FRAME.but(total_length=20).bytes(), "badUdp"),
    (with_fcs(FRAME.but(total_length=27).content()[: 14 + 27]), "badUdp"),
    (FRAME.but(udp_length=8 + len(RICH) + 1).bytes(), "badUdp"),
    (FRAME.but(udp_length=8 + len(RICH) - 1).bytes(), "badUdp"),
    (FRAME.but(padding=4, total_length=28 + len(RICH) + 4).bytes(), "badUdp"),
    (FRAME.but(udp_checksum="wrong").bytes(), "badUdp"),
    (FRAME.but(udp_checksum="wrong", payload=RICH[:-1]).bytes(), "badUdp"),
    (FRAME.but(payload=bytes(1_472)).bytes(), "badMessage"),
    (FRAME.but(payload=b"").bytes(), "badMessage"),
]


@pytest.mark.parametrize(("frame", "counter"), DROPS)
def test_a_dropped_frame_counts_once_and_does_nothing_else(driver: Driver, frame: bytes, counter: str) -> None:
    before = driver.engine.state.copy()
    driver.now += UNIT
    assert push(driver, frame) == []
    assert frame_counters(driver) == {"frames": 1, counter: 1}
    after = driver.engine.state.copy()
    counters = slice(state.FRAME_COUNTERS, state.FRAME_COUNTERS + state.FRAME_COUNTER_COUNT)
    after[counters] = before[counters]
    assert (after == before).all()


def resized(message: bytes, at: int, value: int) -> bytes:
    return message[:at] + value.to_bytes(2, "little") + message[at + 2 :]


TRADES = trades((LOW, 5, 1), (LOW, 7, 0))


@pytest.mark.parametrize(
    "payload",
    [
        RICH[:7],
        RICH[:-1],
        RICH + b"\0",
        RICH[:58],
        resized(RICH, 0, 49),
        resized(RICH, 0, 51),
        resized(RICH, 4, 2),
        resized(RICH, 6, 1),
        RICH + RICH,
        TRADES[:-1],
        TRADES + b"\0",
        TRADES[:31],
        TRADES[:32],
        resized(TRADES, 0, 19),
        resized(TRADES, 26, 24),
        resized(TRADES, 28, 1),
        resized(TRADES, 28, 3),
        resized(TRADES, 30, 0xFFFF),
    ],
)
def test_a_bad_message_drops_its_frame(driver: Driver, payload: bytes) -> None:
    assert push(driver, FRAME.but(payload=payload).bytes()) == []
    assert frame_counters(driver) == {"frames": 1, "badMessage": 1}
    assert driver.count("tradeEvents") == 0


@pytest.mark.parametrize("template", [10_002, 10_003, 1])
def test_other_templates_are_skipped_in_a_step_of_their_own(driver: Driver, template: int) -> None:
    step = int(driver.engine.state[state.STEP])
    payload = resized(RICH, 2, template) + b"anything"
    push(driver, FRAME.but(payload=payload).bytes())
    assert frame_counters(driver) == {"frames": 1, "skippedMessages": 1}
    assert driver.engine.state[state.STEP] == step + 1


def test_a_skipped_message_makes_its_venue_heard(driver: Driver) -> None:
    driver.write_venue(1, maximumAge=10 * UNIT, maximumSilence=1_000)
    driver.now += UNIT
    push(driver, FRAME.but(payload=resized(CHEAP, 2, 10_003), port=PORT + 1).bytes())
    driver.now += 1_000
    assert len(push(driver, FRAME.bytes())) == 1


def test_trades_are_events_in_one_step(driver: Driver) -> None:
    step = int(driver.engine.state[state.STEP])
    payload = trades((LOW, 5, 1), (LOW, 7, 0), (LOW, 11, 255), (0, 1, 1))
    push(driver, FRAME.but(payload=payload).bytes())
    assert driver.engine.state[state.STEP] == step + 1
    assert (driver.count("tradeEvents"), driver.count("rejectRange")) == (4, 1)
    volumes = next(s for s in (driver.status() for _ in range(16)) if s["volumeInstrument"] == 0)
    assert (volumes["buyVolume"], volumes["sellVolume"], volumes["tradeCount"]) == (7, 5, 3)


def test_a_trades_message_may_have_no_entries(driver: Driver) -> None:
    push(driver, FRAME.but(payload=trades()).bytes())
    assert frame_counters(driver) == {"frames": 1, "messages": 1}


def test_a_rejected_event_is_still_an_accepted_frame(driver: Driver) -> None:
    push(driver, FRAME.but(payload=best_bid_ask(10, HIGH, LOW, 1, 1)).bytes())
    assert frame_counters(driver) == {"frames": 1, "messages": 1}
    assert driver.count("rejectCrossed") == 1


def test_exponents_come_from_the_message(driver: Driver) -> None:
    push(driver, FRAME.but(payload=best_bid_ask(10, HIGH, HIGH + 1, 1, 1, exponent=-8)).bytes())
    assert driver.count("rejectExponent") == 1


def test_a_disabled_row_takes_nothing_and_the_lowest_row_wins(driver: Driver) -> None:
    write_channel(driver, 0, enabled=0)
    assert push(driver, FRAME.bytes()) == []
    assert frame_counters(driver) == {"frames": 1, "notOurs": 1}
    write_channel(driver, 2, channel=40, port=PORT)
    write_channel(driver, 0, channel=5)
    (trigger,) = push(driver, FRAME.bytes())
    assert trigger["causeVenue"] == 0
    (step,) = [decode(SCHEMA, message) for message in driver.engine.event_log()[-1:]]
    assert (step.fields["kind"], step.fields["channel"]) == (StepKind.DATAGRAM, 5)
    assert step.data["payload"] == RICH


def test_a_row_without_an_instrument_makes_unknown_events(driver: Driver) -> None:
    write_channel(driver, 0, instrument=NO_INSTRUMENT)
    push(driver, FRAME.bytes())
    assert driver.count("rejectUnknown") == 1
    assert frame_counters(driver) == {"frames": 1, "messages": 1}


@pytest.mark.parametrize("feed", [Feed.STARBASE, Feed.COINBASE_DERIVATIVES, Feed.DERIBIT_LEGACY])
def test_a_message_of_another_feed_than_the_row_says_is_dropped(driver: Driver, feed: Feed) -> None:
    write_channel(driver, 0, feed=feed)
    push(driver, FRAME.bytes())
    assert frame_counters(driver) == {"frames": 1, "badMessage": 1}


def walk(count: int, seed: int) -> list[bytes]:
    """Frames of two venues that part and meet again, bad ones among them."""
    random = np.random.default_rng(seed)
    frames = []
    for sequence in range(100, 100 + count):
        bid = LOW + int(random.integers(0, 10 * UNIT))
        payload = best_bid_ask(sequence, bid, bid + 1, UNIT, UNIT)
        frame = Frame(payload, port=PORT + int(random.integers(0, 3))).bytes()
        frames.append(frame if random.random() > 0.1 else corrupt(frame, -1, frame[-1] ^ 1))
    return frames


def walking_driver(*, event_log: bool = False) -> Driver:
    driver = Driver(event_log=event_log)
    driver.set_up(kinds=Kind.ARB.mask)
    write_channel(driver, 0)
    write_channel(driver, 1)
    return driver


def test_a_batch_equals_its_frames_one_by_one() -> None:
    whole, single = walking_driver(), walking_driver()
    frames = walk(400, 1)
    times = [whole.now + 100 * at for at in range(400)]
    whole.engine.push(frames, times)
    for frame, time in zip(frames, times, strict=True):
        single.engine.push([frame], [time])
    assert whole.engine.outputs() == single.engine.outputs()
    assert whole.engine.frame_counters() == single.engine.frame_counters()
    assert whole.engine.trigger_count > 10


def test_small_areas_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = walking_driver(event_log=True)
    monkeypatch.setattr(engine_module, "OUTPUT_BYTES", 7_504)
    monkeypatch.setattr(engine_module, "EVENT_LOG_BYTES", 1_536)
    small = walking_driver(event_log=True)
    for driver in (whole, small):
        driver.engine.push(walk(400, 3), [driver.now + UNIT // 1_000 * at for at in range(400)])
    assert whole.engine.outputs() == small.engine.outputs()
    assert whole.engine.event_log() == small.engine.event_log()


def test_a_shadow_follows_the_log_of_datagrams() -> None:
    source, shadow = walking_driver(event_log=True), CpuEngine()
    source.engine.push(walk(400, 2), [source.now + at for at in range(400)])
    for message in source.engine.event_log():
        step = decode(SCHEMA, message)
        payload = step.data["payload"]
        assert isinstance(payload, bytes)
        if step.fields["kind"] == StepKind.CONTROL:
            shadow.control(payload, step.fields["time"])
        else:
            shadow.push_datagram(payload, step.fields["channel"], step.fields["time"])
    assert shadow.decision_hash == source.engine.decision_hash
    assert shadow.parity == source.engine.parity != 0


def test_frames_and_times_must_match(driver: Driver) -> None:
    with pytest.raises(Rejected, match="1 frames came with 0 receive times"):
        driver.engine.push([b""], [])
    driver.engine.push([], [])


def test_a_datagram_needs_a_row(driver: Driver) -> None:
    with pytest.raises(Rejected, match="2 rows in use"):
        driver.engine.push_datagram(RICH, 2, driver.now)
    with pytest.raises(Rejected, match="1473 bytes"):
        driver.engine.push_datagram(bytes(1_473), 0, driver.now)


@pytest.mark.parametrize(
    ("offsets", "times", "taken"),
    [([0, 4, 9], [1, 1], -2), ([0, -1, 4], [1, 1], -1), ([5, 4], [1], -1), ([0], [1], -1), ([0, 4], [1], 1)],
)
def test_the_kernel_takes_no_frame_outside_its_buffer(offsets: list[int], times: list[int], taken: int) -> None:
    arrays = np.array(offsets, dtype=np.int64), np.array(times, dtype=np.int64)
    assert entries.push_frames(CpuEngine().state, np.zeros(8, dtype=np.uint8), *arrays) == taken


def test_the_frame_counters_message_is_one_of_the_schema(driver: Driver) -> None:
    message = driver.engine.frame_counters()
    assert len(message) == layout.FRAME_COUNTERS_SIZE
    assert decode(SCHEMA, message).name == "FrameCounters"


@settings(derandomize=True, deadline=None, max_examples=300)
@given(st.binary(max_size=200), st.integers(0, 90), st.integers(0, 255), st.integers(0, 90))
def test_no_frame_is_too_wild(tail: bytes, at: int, value: int, kept: int) -> None:
    driver = Driver()
    write_channel(driver, 0)
    content = FRAME.but(udp_checksum="absent").content()
    mutated = corrupt(content, at, value)[: 14 + kept] + tail
    driver.engine.push([with_fcs(mutated), mutated], [driver.now, driver.now])
    fields = dict(decode(SCHEMA, driver.engine.frame_counters()).fields)
    fields.pop("step")
    assert fields.pop("frames") == 2
    assert sum(fields.values()) == 2


def test_a_real_message_decodes() -> None:
    quote = bytes.fromhex(
        "32001127010000002a2e7fbe341f0600b22bcaa90b000000f8f8005856859e0500001081380900000000409a65859e050000284ded01"
        "000000000742544355534454"
    )
    driver = Driver()
    driver.set_up(kinds=Kind.IMBALANCE.mask, imbalanceThreshold=20_000, maximumSpread=UNIT)
    driver.write_scaling(0, 0, priceExponent=-8, quantityExponent=-8, priceShift=1, quantityShift=1)
    write_channel(driver, 0)
    (trigger,) = push(driver, Frame(quote).bytes())
    assert trigger["causeSequence"] == 50_093_239_218
    assert (trigger["firstSide"], trigger["firstPrice"]) == (Side.BUY, 61_784_010_000_000)
    assert trigger["firstQuantity"] == 323_290_000

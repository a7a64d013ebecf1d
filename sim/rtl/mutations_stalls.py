"""Recordings in which what leaves the core leaves slowly, so that queues and rings fill up, but for the last places."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from random import Random
from typing import Final

from market.fastpath.conformance import packet_builder as wire
from market.fastpath.conformance.case import Control, Frame, RawControl
from market.fastpath.conformance.frame_builder import ADDRESS, Wrapping, best_bid_ask, frame, trades
from market.fastpath.conformance.scenario import Scenario
from market.fastpath.specification import NO_INSTRUMENT, EngineSizes, Feed, Kind
from sim.rtl.mutations_recording import Conditions, Given, Recorder, Recording

SWEPT: Final = EngineSizes(venues=2, instruments=2)
FIRST_PORT: Final = 30_000
_EIGHTH: Final = Conditions(log_pace=224, backlog=1 << 20)
"""The log leaves at an eighth of a byte per cycle."""
_SLOW_LOG: Final = {1: _EIGHTH, 8: Conditions(backlog=1 << 20)}
"""By bytes of the bus: the log leaves at an eighth of the speed at which frames come; its best is a byte per cycle."""
_SLOW_MESSAGES: Final = Conditions(tx_pace=250, words_pace=250, backlog=1 << 20)
"""Some ten triggers leave in 8,000 cycles; behind the others everything waits."""
_DRAINED: Final = 1 / 9
_RING_BYTES: Final = 16_384
_STEPS: Final = 256
_SPARE: Final = 1 / 64
_LARGEST: Final = 1_472
_SKIPPED: Final = 8
_ROUNDS: Final = 6
_BLOCKED_ROUNDS: Final = 8
_CONTROLS: Final = 24
_STEP_NS: Final = 5_000
_MOST_WAITING: Final = 28
"""Frames that may wait to be steps."""
_TRIGGERS: Final = (14, 20)
_WAITING_FROM: Final = 32
_WAITING_TO: Final = 40
_QUEUED: Final = 500
"""Trades, or messages of packets, that may wait."""
_MOST_TRADES: Final = 57
_MOST_MESSAGES: Final = 88
_LINE_PORT: Final = 31_000
_LINE_CHANNEL: Final = 7


def armed() -> Scenario:
    """Two venues quoted in their channels, all kinds on."""
    scenario = Scenario("armed", "sweeps start from here", sizes=SWEPT)
    scenario.set_up(*Kind)
    for venue in range(SWEPT.venues):
        scenario.control(
            "ChannelRow",
            address=ADDRESS,
            port=FIRST_PORT + venue,
            channel=venue,
            instrument=0,
            venue=venue,
            feed=int(Feed.BINANCE_SBE),
            enabled=1,
        )
        scenario.flat(venue)
    return scenario


def stalled(seed: int, bus_bytes: int) -> Iterator[Recording]:
    """Frames that fill the ring of datagrams or the queue of steps, and messages that fill the ring of theirs."""
    random = Random(seed)
    recorder, now = _begun("stalled-frames", _SLOW_LOG[bus_bytes])
    for number in range(_ROUNDS):
        lengths = list(_fitting(random, _LARGEST if number % 2 else 4 * _SKIPPED, bus_bytes))
        given: list[Given] = []
        for at, length in enumerate(lengths):
            now += _STEP_NS
            given.append((now, Frame(_skipped(random, length, at % SWEPT.venues))))
        # one that is refused has room or not, as it comes
        refused = _skipped(random, _LARGEST, 0)
        given.append((now, Frame(refused[:-1] + bytes([refused[-1] ^ 1]))))
        recorder.give(given)
    yield recorder.recording()
    recorder, now = _begun("stalled-control", _EIGHTH)
    for _ in range(_ROUNDS):
        recorder.give(_unknown_messages(random, recorder, now))
        now += _CONTROLS * _STEP_NS
    yield recorder.recording()
    yield _blocked(random)
    yield _waiting()


def _blocked(random: Random) -> Recording:
    """More triggers than can leave, and behind them trades, or packets: as many as there is room for.

    The last frame of each batch is refused, whatever there is room for.
    """
    recorder, now = _begun("stalled-messages", _SLOW_MESSAGES)
    venue, number, sequence = 1, 1_000, 1 << 40
    rows = (
        ("ChannelRow", {"address": ADDRESS, "port": _LINE_PORT, "channel": 2, "instrument": NO_INSTRUMENT}),
        ("LineRow", {"line": 0, "wireChannel": _LINE_CHANNEL}),
    )
    for name, fields in rows:
        fields |= {"sequence": recorder.engine.state.expected_sequence, "venue": venue, "feed": int(Feed.STARBASE)}
        recorder.give([(now, Control(name, fields | {"enabled": 1}))])
    for turn in range(_BLOCKED_ROUNDS):
        octets = []
        for count in range(random.randint(*_TRIGGERS)):
            sequence += 1
            heavy = 9 if count % 2 else 90
            octets.append(_quoted(sequence, heavy, 99 - heavy))
        left = _QUEUED
        while left > 0 and len(octets) < _MOST_WAITING:
            if turn % 2:
                count = min(left, random.randint(1, _MOST_TRADES))
                octets.append(_dealt(random, count))
            else:
                count = min(left, random.randint(1, _MOST_MESSAGES))
                octets.append(_packet(number, count))
                number += count
            left -= count
        last = _dealt(random, _MOST_TRADES) if turn % 2 else _packet(number, _MOST_MESSAGES)
        octets.append(last[:-1] + bytes([last[-1] ^ 1]))
        given: list[Given] = []
        for each in octets:
            now += _STEP_NS
            given.append((now, Frame(each)))
        recorder.give(given)
    return recorder.recording()


def _waiting() -> Recording:
    """More triggers than can leave, so that the frames of further ones wait."""
    recorder, now = _begun("stalled-triggers", _SLOW_MESSAGES)
    sequence = 1 << 40
    for most in range(_WAITING_FROM, _WAITING_TO):
        given: list[Given] = []
        for count in range(most):
            now, sequence = now + _STEP_NS, sequence + 1
            heavy = 9 if count % 2 else 90
            given.append((now, Frame(_quoted(sequence, heavy, 99 - heavy))))
        recorder.give(given)
    return recorder.recording()


def _quoted(sequence: int, bid_quantity: int, ask_quantity: int) -> bytes:
    payload = best_bid_ask(-9, -9, sequence, 999, bid_quantity, 1_001, ask_quantity)
    return frame(payload, Wrapping(port=FIRST_PORT))


def _dealt(random: Random, count: int) -> bytes:
    entries = [(1_000, random.randint(1, 99), random.randint(0, 2)) for _ in range(count)]
    return frame(trades(-9, -9, entries), Wrapping(port=FIRST_PORT))


def _packet(number: int, count: int) -> bytes:
    """A packet of messages that are skipped."""
    messages = [wire.starbase_message(16, b"") for _ in range(count)]
    return frame(wire.starbase_packet(number, messages, channel=_LINE_CHANNEL), Wrapping(port=_LINE_PORT))


def _begun(name: str, conditions: Conditions) -> tuple[Recorder, int]:
    scenario = armed()
    recorder = Recorder(name, SWEPT, conditions)
    for step in scenario.steps:
        recorder.give([(step.at_ns, step.input)])
    return recorder, scenario.now


def _fitting(random: Random, most: int, bus_bytes: int) -> Iterator[int]:
    """Lengths of payloads that all find room while the log drains."""
    octets = steps = 0
    while True:
        length = random.randint(_SKIPPED, most) if random.random() < 0.5 else most
        octets, steps = octets + -(-length // bus_bytes) * bus_bytes, steps + 1
        full = 1 - _SPARE
        if octets * (1 - _DRAINED) > full * _RING_BYTES or steps * (1 - _DRAINED) > full * _STEPS:
            return
        yield length


def _skipped(random: Random, length: int, venue: int) -> bytes:
    """A frame with a message that is skipped, whatever it contains."""
    payload = struct.pack("<HHHH", 0, 10_002, 1, 0) + random.randbytes(length - _SKIPPED)
    return frame(payload, Wrapping(port=FIRST_PORT + venue))


def _unknown_messages(random: Random, recorder: Recorder, now: int) -> Iterator[Given]:
    """Messages of no template that there is, of any length; each is refused and logged."""
    for number in range(_CONTROLS):
        sequence = recorder.engine.state.expected_sequence
        head = struct.pack("<HHHHQ", 8, 0xFFFF, 1, 0, sequence)
        length = random.choice((0, random.randint(0, _LARGEST - len(head)), _LARGEST - len(head)))
        yield now + number * _STEP_NS, RawControl(head + random.randbytes(length))

"""Every row of the tables that a frame is looked up in, with keys that differ in little."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import count, islice
from random import Random
from typing import Any, Final

from market.fastpath.conformance import packet_builder as wire
from market.fastpath.conformance.case import Control, Frame, Input
from market.fastpath.conformance.frame_builder import Wrapping, best_bid_ask, frame
from market.fastpath.reference import ReferenceEngine
from market.fastpath.specification import NO_INSTRUMENT, EngineSizes, Feed
from sim.rtl.mutations_recording import BATCH, Conditions, Given, Recorder, Recording

_SIZES: Final = EngineSizes()
_ROUNDS: Final = 2
_STEP_NS: Final = 5_000
_NIBBLE_BITS: Final = 4
_PORT_BITS: Final = 16
_KEY_BITS: Final = 32 + _PORT_BITS
_WIRE_CHANNEL_BITS: Final = 32
_WIRE_INSTRUMENT_BITS: Final = 64
_UNKNOWN: Final = 12
"""Destinations of no row, beside those of rows."""
_NUMBER: Final = 1_000


def full_tables(seed: int, conditions: Conditions) -> Recording:
    """All rows of channels, lines and books, written in any order and written over, with frames for each."""
    recorder = Recorder("full-tables", _SIZES, conditions)
    inputs = zip(count(_STEP_NS, _STEP_NS), _inputs(Random(seed), recorder.engine), strict=False)
    while batch := _batch(inputs):
        recorder.give(batch)
    return recorder.recording()


def _batch(inputs: Iterator[Given]) -> Iterator[Given] | None:
    """The next inputs, made as they are taken; None: there are no more."""
    first = next(inputs, None)
    return None if first is None else _chained(first, inputs)


def _chained(first: Given, inputs: Iterator[Given]) -> Iterator[Given]:
    yield first
    yield from islice(inputs, BATCH - 1)


def _inputs(random: Random, engine: ReferenceEngine) -> Iterator[Input]:
    for _ in range(_ROUNDS):
        yield from _channels(random, engine, _neighbours(random))
        yield from _channels(random, engine, [random.getrandbits(_KEY_BITS) for _ in range(2 * _SIZES.channels)])
        yield from _lines(random, engine)


def _given(engine: ReferenceEngine, name: str, **fields: Any) -> Control:
    return Control(name, fields | {"sequence": engine.state.expected_sequence})


def _shuffled(random: Random, members: Sequence[int]) -> list[int]:
    return random.sample(members, len(members))


# channels


def _neighbours(random: Random) -> list[int]:
    """Destinations that differ from one in a nibble."""
    base = random.getrandbits(_KEY_BITS)
    changes = [value << start for start in range(0, _KEY_BITS, _NIBBLE_BITS) for value in range(1, 1 << _NIBBLE_BITS)]
    return [base ^ change for change in random.sample(changes, 2 * _SIZES.channels)]


def _channels(random: Random, engine: ReferenceEngine, keys: list[int]) -> Iterator[Input]:
    """Each row gets one of the destinations; then half of them get others, or are disabled."""
    first, second = keys[: _SIZES.channels], keys[_SIZES.channels :]
    for row in _shuffled(random, range(_SIZES.channels)):
        yield _channel(random, engine, row, first[row])
    yield from _quotes(random, first + second[:_UNKNOWN])
    for row in random.sample(range(_SIZES.channels), _SIZES.channels // 2):
        yield _channel(random, engine, row, second[row], enabled=random.random() < 0.8)
    yield from _quotes(random, keys)


def _channel(
    random: Random,
    engine: ReferenceEngine,
    row: int,
    key: int,
    *,
    venue: int | None = None,
    feed: Feed = Feed.BINANCE_SBE,
    enabled: bool = True,
) -> Control:
    return _given(
        engine,
        "ChannelRow",
        address=key >> _PORT_BITS,
        port=key % (1 << _PORT_BITS),
        channel=row,
        instrument=random.randrange(_SIZES.instruments) if feed is Feed.BINANCE_SBE else NO_INSTRUMENT,
        venue=random.randrange(_SIZES.venues) if venue is None else venue,
        feed=int(feed),
        enabled=int(enabled),
    )


def _quotes(random: Random, keys: list[int]) -> Iterator[Frame]:
    for sequence, key in enumerate(_shuffled(random, keys)):
        yield Frame(frame(best_bid_ask(-9, -9, sequence, 999, 10, 1_001, 10), _to(key)))


def _to(key: int) -> Wrapping:
    return Wrapping(key >> _PORT_BITS, key % (1 << _PORT_BITS))


# lines and books


def _lines(random: Random, engine: ReferenceEngine) -> Iterator[Input]:
    """Wire channels, and instruments, that differ from one in a bit; each line and each book is heard of."""
    places = [random.getrandbits(_KEY_BITS) for _ in range(_SIZES.venues)]
    for venue, key in enumerate(places):
        row = random.randrange(_SIZES.channels // _SIZES.venues) * _SIZES.venues + venue
        yield _channel(random, engine, row, key, venue=venue, feed=Feed.STARBASE)
    venues = [random.randrange(_SIZES.venues) for _ in range(_SIZES.lines)]
    channels = _near(random, _WIRE_CHANNEL_BITS, _SIZES.lines)
    for line in _shuffled(random, range(_SIZES.lines)):
        fields = {"line": line, "wireChannel": channels[line], "venue": venues[line]}
        yield _given(engine, "LineRow", **fields, feed=int(Feed.STARBASE), enabled=1)
    instruments = _near(random, _WIRE_INSTRUMENT_BITS, _SIZES.books)
    lines = [random.randrange(_SIZES.lines) for _ in range(_SIZES.books)]
    for book in _shuffled(random, range(_SIZES.books)):
        fields = {"book": book, "line": lines[book], "wireInstrument": instruments[book], "tick": 1}
        fields |= {"instrument": random.randrange(_SIZES.instruments), "priceExponent": -9, "quantityExponent": -9}
        yield _given(engine, "BookRow", **fields, enabled=1)
    for number in (_NUMBER, _NUMBER, _NUMBER + 9):
        for line in _shuffled(random, range(_SIZES.lines)):
            messages = [_deal(instruments[book]) for book in range(_SIZES.books) if lines[book] == line]
            packet = wire.starbase_packet(number, messages, channel=channels[line])
            yield Frame(frame(packet, _to(places[venues[line]])))


def _near(random: Random, bits: int, many: int) -> list[int]:
    """Signed numbers, of which one differs from each other in a bit."""
    base = random.getrandbits(bits)
    changed = [base, *(base ^ 1 << bit for bit in random.sample(range(bits), many - 1))]
    return [(each ^ 1 << bits - 1) - (1 << bits - 1) for each in _shuffled(random, changed)]


def _deal(instrument: int) -> bytes:
    return wire.starbase_trade(instrument, True, 1_000, 10, wire.END)

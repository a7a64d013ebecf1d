"""Everything that a mutated core is tried with: the corpus, sweeps over every bit, and random runs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields, replace
from functools import partial
from typing import Final

from hdl.parameters import CoreParameters
from market.fastpath.conformance import load_corpus
from market.fastpath.conformance.case import Case, Control, Frame, RawControl
from market.fastpath.conformance.frame_builder import Wrapping, best_bid_ask, frame, trades, with_fcs
from market.fastpath.conformance.random_book_ties import BookTieHost
from market.fastpath.conformance.random_edges import EdgeHost
from market.fastpath.conformance.random_host import RandomHost
from market.fastpath.conformance.random_table_ties import TableTieHost
from market.fastpath.conformance.random_ties import TieHost
from market.fastpath.conformance.scenario import Scenario
from market.fastpath.reference import ReferenceEngine
from market.fastpath.specification import EngineSizes, Feed, Kind
from sim.rtl.mutations_legs import two_legs
from sim.rtl.mutations_recording import (
    ADDRESSES,
    FREE,
    Conditions,
    Given,
    Recorder,
    Recording,
    inverted,
    of_case,
    of_random_run,
)
from sim.rtl.mutations_stalls import FIRST_PORT, SWEPT, armed, stalled
from sim.rtl.mutations_tables import full_tables

RANDOM_SEED: Final = 20_260
EVENTS: Final = 2_000
_BATCH: Final = 48
_PACKETS_APART: Final = 100
"""Cycles between frames on a wide bus where books read them, which do not keep up with a full line of it."""
_STEP_NS: Final = 5_000
_STALLS: Final = "stalls"
_FOUR: Final = EngineSizes(venues=4, instruments=1)
_RUNS: Final = (
    (_STALLS, EngineSizes(venues=2, instruments=1, price_bits=24), True, Conditions(tx_pace=250, words_pace=245), 0),
    ("events", EngineSizes(venues=4, instruments=1, price_bits=48), False, FREE, 0),
    ("frames-1", EngineSizes(venues=1, instruments=1, price_bits=24), True, FREE, 0),
    ("frames-2", EngineSizes(venues=2, instruments=1, price_bits=24), True, Conditions(tx_pace=60), 0),
    ("frames-3", EngineSizes(venues=3, instruments=2, price_bits=48), True, Conditions(tx_pace=30, log_pace=100), 0),
    ("frames-4", EngineSizes(venues=4, instruments=16, price_bits=48), True, Conditions(words_pace=50), 7),
)
"""Name, sizes, whether in frames, how outputs wait, and before each how many batches the kill pin is raised."""
_TIED: Final = 5_000
_TIES: Final = (
    ("events", _FOUR, False, _TIED),
    ("frames", EngineSizes(venues=3, instruments=2), True, 4_000),
    ("alone", EngineSizes(venues=1, instruments=3, price_bits=24), False, 1_500),
)
"""Name, sizes, whether in frames, and how many inputs."""
_NARROW: Final = EngineSizes(venues=2, instruments=2, price_bits=12)
_BEYOND: Final = 0.2
"""How often an order has more than the largest quantity."""
_SMALL: Final = EngineSizes(venues=2, instruments=2, book_orders=64, book_ticks=64)


def recordings(parameters: CoreParameters) -> Iterator[Recording]:
    """All that a core of these parameters takes; first what notices most in the least time."""
    books = partial(_tied_books, RANDOM_SEED, parameters.packet_feeds, 0.0)
    gap = _PACKETS_APART if parameters.bus_bytes > 1 else None
    yield of_random_run("ties-books", EngineSizes(), _TIED, books, Conditions(gap=gap))
    yield _tied_run(_TIES[0])
    yield from (of_case(case) for case in load_corpus() if is_for(case, parameters))
    yield two_legs(RANDOM_SEED)
    yield full_tables(RANDOM_SEED, Conditions(gap=gap))
    others = Conditions(addresses=inverted(ADDRESSES))
    yield of_random_run("other-addresses", SWEPT, _BATCH, partial(_edges, RANDOM_SEED, True), others)
    yield from (_tied_run(run) for run in _TIES[1:])
    yield of_random_run("ties-small-books", _SMALL, 3_000, books, Conditions(gap=gap, log_pace=100))
    yield from stalled(RANDOM_SEED, parameters.bus_bytes)
    yield of_random_run("ties-admission", _FOUR, EVENTS, partial(_tied_admission, RANDOM_SEED))
    narrow = partial(_tied_books, RANDOM_SEED, parameters.packet_feeds, _BEYOND)
    yield of_random_run("ties-narrow-books", _NARROW, 2 * EVENTS, narrow, Conditions(gap=gap))
    for name, sizes, with_frames, conditions, pin_every in _RUNS:
        seed, events = RANDOM_SEED + len(name), EVENTS // 4 if name == _STALLS else EVENTS
        usual = partial(_usual, seed, with_frames, parameters.packet_feeds)
        edges = partial(_edges, seed, with_frames)
        yield of_random_run(f"edges-{name}", sizes, events, edges, conditions, pin_every)
        apart = replace(conditions, gap=gap)
        yield of_random_run(f"random-{name}", sizes, events // 2, usual, apart, pin_every)
    for kind in Kind:
        edges = partial(_edges_of, RANDOM_SEED, kind)
        yield of_random_run(f"edges-{kind.name.lower()}", _FOUR, EVENTS, edges)
    yield _swept("frame-bits", _changed_frames())
    yield _swept("frame-lengths", _cut_frames())
    yield _swept("control-bits", (), with_control=True)


def _tied_run(run: tuple[str, EngineSizes, bool, int]) -> Recording:
    name, sizes, with_frames, events = run
    return of_random_run(f"ties-{name}", sizes, events, partial(_tied, RANDOM_SEED, with_frames))


def is_for(case: Case, parameters: CoreParameters) -> bool:
    """Whether a case fits into the core: its sizes, and the feeds that it is about."""
    sizes = [(getattr(case.sizes, each.name), getattr(parameters.capacity, each.name)) for each in fields(EngineSizes)]
    return all(used <= most for used, most in sizes) and case.line_feeds <= frozenset(parameters.packet_feeds)


def _tied(seed: int, with_frames: bool, engine: ReferenceEngine) -> RandomHost:
    return TableTieHost(engine, seed, with_frames)


def _tied_admission(seed: int, engine: ReferenceEngine) -> RandomHost:
    return TieHost(engine, seed, with_frames=False)


def _tied_books(seed: int, feeds: Sequence[Feed], beyond: float, engine: ReferenceEngine) -> RandomHost:
    return BookTieHost(engine, seed, feeds, beyond)


def _usual(seed: int, with_frames: bool, feeds: Sequence[Feed], engine: ReferenceEngine) -> RandomHost:
    return RandomHost(engine, seed, with_frames, feeds)


def _edges(seed: int, with_frames: bool, engine: ReferenceEngine) -> RandomHost:
    return EdgeHost(engine, seed, with_frames)


def _edges_of(seed: int, kind: Kind, engine: ReferenceEngine) -> RandomHost:
    return EdgeHost(engine, seed, with_frames=False, kind=kind)


def _swept(name: str, frames: Iterable[bytes], *, with_control: bool = False) -> Recording:
    """Frames, or control messages with any of their bits changed, after the same beginning."""
    scenario = armed()
    recorder = Recorder(name, SWEPT)
    recorder.give([(step.at_ns, step.input) for step in scenario.steps])
    start_ns = scenario.now
    if with_control:
        _sweep_control(recorder, scenario, start_ns)
    given: list[Given] = [(start_ns + n * _STEP_NS, Frame(octets)) for n, octets in enumerate(frames)]
    for at in range(0, len(given), _BATCH):
        recorder.give(given[at : at + _BATCH])
    return recorder.recording()


def _sweep_control(recorder: Recorder, scenario: Scenario, start_ns: int) -> None:
    """Each message of the beginning again, with each of its bits changed in turn, and cut at every length."""
    controls = [step.input.payload() for step in scenario.steps if isinstance(step.input, Control)]
    messages = {message[:4]: message for message in controls}
    now = start_ns
    for message in messages.values():
        changed = [_flipped(message, bit) for bit in range(64, 8 * len(message))]
        changed += [message[:length] for length in range(1, len(message))]
        changed += [_flipped(message, bit) for bit in range(64)]
        batch: list[Given] = []
        for octets in changed:
            now += _STEP_NS
            batch = [(now, RawControl(_numbered(octets, recorder.engine.state.expected_sequence)))]
            recorder.give(batch)


def _numbered(message: bytes, sequence: int) -> bytes:
    """The message with the expected sequence number, where it has room for one, changed in the same bits."""
    return message[:8] + sequence.to_bytes(8, "little") + message[16:] if len(message) >= 16 else message


def _messages(number: int) -> tuple[bytes, ...]:
    """A quote and some trades; the number tells them from others."""
    entries = [(1_000 + n, 5 + n, n % 3) for n in range(3)]
    return best_bid_ask(-9, -9, number, 1_001, 50, 1_003, 3), trades(-9, -9, entries)


def _flipped(octets: bytes, bit: int) -> bytes:
    changed = bytearray(octets)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def _changed_frames() -> Iterator[bytes]:
    """Each bit of a quote's and of a trade's frame changed, the check sequence made anew; and without that."""
    number = 1 << 40
    for wrapping in (Wrapping(), Wrapping(udp_checksum=None, tags=(0x123,), port=FIRST_PORT + 1)):
        for kind in range(2):
            for bit in range(8 * (len(frame(_messages(number)[kind], wrapping)) - 4)):
                number += 1
                whole = frame(_messages(number)[kind], wrapping)
                yield with_fcs(_flipped(whole[:-4], bit))
    for bit in range(8 * len(frame(_messages(number)[0], Wrapping()))):
        number += 1
        yield _flipped(frame(_messages(number)[0], Wrapping()), bit)


def _cut_frames() -> Iterator[bytes]:
    """Frames cut at every length, with and without a check sequence; payloads of every length, and padding."""
    number = 1 << 41
    for wrapping in (Wrapping(), Wrapping(tags=(7,), udp_checksum=None)):
        for kind in range(2):
            length = len(frame(_messages(number)[kind], wrapping))
            for cut in range(length):
                number += 1
                whole = frame(_messages(number)[kind], wrapping)
                yield with_fcs(whole[:cut])
                yield whole[:cut]
                yield frame(_messages(number)[kind][:cut], wrapping)
                yield frame(_messages(number)[kind], Wrapping(padding=bytes(cut % 61), udp_checksum=None))
    for count in range(1, 58):
        yield frame(trades(-9, -9, [(999 + n, 1 + n, n % 3) for n in range(count)], b"X" * (count % 15)), Wrapping())

"""Mutations are drawn again as they were, one at a time is live, and what judges them knows right from wrong."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from hdl.parameters import BUS_BYTES, CoreParameters
from market.errors import Fatal
from market.fastpath import layout
from market.fastpath.conformance import load_corpus
from market.fastpath.conformance.case import Frame
from market.fastpath.specification import EngineSizes, StepKind
from sim.rtl import mutations
from sim.rtl.library import say_on_standard_error
from sim.rtl.model import Area, Model
from sim.rtl.mutations_account import Fate, Outcome, share_killed, summary, table
from sim.rtl.mutations_library import library_of_netlist
from sim.rtl.mutations_netlist import Mutated, Mutation, hides, is_unread, mutate
from sim.rtl.mutations_recording import ADDRESSES, Conditions, inverted, of_case
from sim.rtl.mutations_tables import full_tables
from sim.rtl.mutations_top import PacedCore
from sim.rtl.mutations_verdict import difference, engine_of, framed
from sim.rtl.netlist_tool import described
from sim.rtl.sizes import sizes_port
from sim.rtl.top import SoftTop
from tests.sim.rtl.conftest import CAPACITY
from tests.sim.rtl.cores import core
from tests.sim.rtl.stand_in import StandIn

COUNT = 12
WITH_CLOCKS = 60
"""So many are drawn with the same seed that clocks and bits that are constant are among them."""
ADDRESSES_BYTES = 26


@pytest.fixture(scope="module")
def description() -> str:
    parameters = CoreParameters(CAPACITY, 1)
    return described(SoftTop(PacedCore(StandIn(parameters)), parameters))


@pytest.fixture(scope="module")
def mutated(description: str) -> Mutated:
    return mutate(description, 1, COUNT)


def test_a_seed_draws_the_same_mutations_again(description: str, mutated: Mutated) -> None:
    assert mutate(description, 1, COUNT) == mutated
    assert mutate(description, 2, COUNT).mutations != mutated.mutations


def test_every_mutation_names_its_place(mutated: Mutated) -> None:
    assert [mutation.number for mutation in mutated.mutations] == list(range(1, COUNT + 1))
    assert all("subject" in mutation.cell for mutation in mutated.mutations)
    assert all(not Path(place).is_absolute() for mutation in mutated.mutations for place in mutation.source)
    assert any(place.startswith("tests/sim/rtl/stand_in.py:") for each in mutated.mutations for place in each.source)


def answers(library: Path, mutation: int) -> tuple[bytes, bytes]:
    """What leaves the stand-in in answer to some frames and messages; also that it no longer takes any."""
    bench = bytes(ADDRESSES_BYTES) + mutation.to_bytes(2, "little") + bytes(3)
    model = Model(library, sizes_port(CoreParameters(CAPACITY, 1), CAPACITY), bench, keep=[Area.LOG, Area.SENT])
    try:
        model.frames([bytes(range(length)) for length in range(40)], range(40), 8)
        model.control([bytes(range(length)) for length in range(1, 20)], range(19))
    except Fatal:
        return b"stopped", b""
    model.run(4_000)
    return model.take(Area.OUTPUTS), model.take(Area.LOG) + model.take(Area.SENT)


@pytest.fixture(scope="module")
def library(mutated: Mutated) -> Path:
    assert not mutated.has_clocks
    return library_of_netlist(mutated.verilog, say_on_standard_error)


def test_one_mutation_at_a_time_is_live(library: Path) -> None:
    right = answers(library, 0)
    assert right == answers(library, COUNT + 1)
    seen = {number: answers(library, number) for number in range(1, COUNT + 1)}
    wrong = [number for number, given in seen.items() if given != right]
    assert len(wrong) >= COUNT // 2
    assert len({seen[number] for number in wrong}) > 1


def test_a_clock_may_be_mutated(description: str, library: Path) -> None:
    drawn = mutate(description, 1, WITH_CLOCKS)
    clocks = [mutation.number for mutation in drawn.mutations if mutation.port == "CLK"]
    assert drawn.has_clocks
    assert clocks
    slow = library_of_netlist(drawn.verilog, say_on_standard_error, plain_clock=True)
    right = answers(library, 0)
    assert answers(slow, 0) == right
    assert any(answers(slow, number) != right for number in clocks)


def test_what_changes_nothing_is_marked(description: str) -> None:
    drawn = mutate(description, 1, WITH_CLOCKS).mutations
    assert 0 < sum(not mutation.is_change for mutation in drawn) < len(drawn) // 4


@pytest.mark.parametrize("cell", ["$reduce_or", "$logic_not", "$reduce_and", "$add"])
def test_what_a_cell_hides_is_no_change(cell: str) -> None:
    """With a bit that is 1 an OR is 1 whatever the others are, with one that is 0 an AND is 0; a sum hides nothing."""
    wanted = {"$reduce_or": ["cnot1"], "$logic_not": ["cnot1"], "$reduce_and": ["cnot0"], "$add": []}
    assert [mode for mode in ("inv", "const0", "const1", "cnot0", "cnot1") if hides(cell, mode)] == wanted[cell]


def test_every_row_of_the_tables_is_heard_of() -> None:
    """The log tells a frame's channel; deals come in whole packets, which count once, and each of them names a book."""
    recording, sizes = full_tables(1, Conditions()), EngineSizes()
    steps = [message for batch in recording.batches for message in batch.log]
    frames = [step for step in steps if step[layout.LOG_STEP_KIND] == StepKind.DATAGRAM]
    channels = {int.from_bytes(step[layout.LOG_STEP_CHANNEL :][:2], "little") for step in frames}
    assert channels == set(range(sizes.channels))
    assert recording.counters["tradeEvents"] > 0
    assert recording.counters["tradeEvents"] % sizes.books == 0
    assert recording.counters["controlRefused"] == 0


@pytest.mark.parametrize(
    ("kind", "port", "read", "expected"),
    [
        ("$mux", "B", {1}, True),
        ("$mux", "B", {1, 2}, False),
        ("$mux", "S", {1}, False),
        ("$and", "A", {1}, True),
        ("$add", "A", {1}, False),
    ],
)
def test_what_nobody_reads_behind_a_cell_is_no_change(kind: str, port: str, read: set[int], expected: bool) -> None:
    """Bit 1 of an input, of which nets 1 and 2 are made: a choice goes bit by bit, a sum carries to higher bits."""
    cell: dict[str, Any] = {"type": kind, "connections": {"A": [3, 4], "B": [5, 6], "S": [7], "Y": [1, 2]}}
    assert is_unread(cell, port, min(1, len(cell["connections"][port]) - 1), read) is expected


def test_a_number_longer_than_its_bits_is_read_by_all_of_them() -> None:
    """The sign of a shorter number goes to every higher bit."""
    cell: dict[str, Any] = {"type": "$and", "connections": {"A": [3, 4], "B": [5], "Y": [1, 2]}}
    assert not is_unread(cell, "B", 0, {2})


def test_recordings_are_the_corpus() -> None:
    case = next(case for case in load_corpus() if any(isinstance(step.input, Frame) for step in case.steps))
    recording = of_case(case)
    assert [batch.inputs for batch in recording.batches] == [((step.at_ns, step.input),) for step in case.steps]
    assert all(
        set(step.outputs) <= set(batch.messages) for step, batch in zip(case.steps, recording.batches, strict=True)
    )
    assert recording.counters == case.end.counters


def test_a_frame_is_built_from_the_addresses() -> None:
    made = framed(bytes(range(16)), 27_306)
    assert len(made) == 14 + 20 + 8 + 16 + 4
    assert made[:12] == ADDRESSES.destination_link.to_bytes(6, "big") + ADDRESSES.source_link.to_bytes(6, "big")
    assert made[36:38] == (27_306).to_bytes(2, "big")


@pytest.mark.parametrize("bus_bytes", BUS_BYTES)
def test_the_judge_sees_what_is_wrong(bus_bytes: int) -> None:
    """On the usual core: right as recorded, wrong where the recording says something else."""
    case = next(case for case in load_corpus() if case.name == "frame-best-bid-ask")
    recording = of_case(case)
    build = core(bus_bytes)
    assert difference(engine_of(build, recording.sizes, bench=False), recording) is None
    last = recording.batches[-1]
    changed = [
        dataclasses.replace(recording, parity=recording.parity ^ 1),
        dataclasses.replace(recording, last_id=recording.last_id + 1),
        dataclasses.replace(recording, killed=not recording.killed),
        dataclasses.replace(recording, frame_counters=recording.frame_counters[:-1] + b"\1"),
        dataclasses.replace(recording, counters=recording.counters | {"quoteEvents": 99}),
        dataclasses.replace(
            recording, batches=(*recording.batches[:-1], dataclasses.replace(last, log=(*last.log, b"more")))
        ),
        dataclasses.replace(
            recording, batches=(*recording.batches[:-1], dataclasses.replace(last, messages=(*last.messages, b"more")))
        ),
    ]
    for each in changed:
        assert difference(engine_of(build, each.sizes, bench=False), each) is not None


def test_addresses_are_those_of_the_recording() -> None:
    case = next(case for case in load_corpus() if case.name == "frame-best-bid-ask")
    recording = of_case(case)
    other = dataclasses.replace(recording.conditions, addresses=inverted(ADDRESSES))
    with_others = dataclasses.replace(recording, conditions=other)
    build = core(1)
    assert difference(engine_of(build, recording.sizes, how=other, bench=False), with_others) is None
    assert difference(engine_of(build, recording.sizes, how=other, bench=False), recording) is not None


def test_no_bit_of_an_address_is_the_same_in_all_runs() -> None:
    for one, other in zip(dataclasses.astuple(ADDRESSES), dataclasses.astuple(inverted(ADDRESSES)), strict=True):
        assert int(one) ^ int(other) == (1 << (int(one) ^ int(other)).bit_length()) - 1
        assert (int(one) ^ int(other)).bit_length() in (16, 32, 48)


def outcome(number: int, killed_by: str, *, is_change: bool = True, proofs: tuple[str, ...] = ()) -> Outcome:
    mutation = Mutation(number, "inv", "subject.$1", "A", 0, None, "wire[0]", ("hdl/a.py:1",), is_change)
    return Outcome(mutation, killed_by, "", proofs)


def test_what_has_no_effect_does_not_count() -> None:
    """Of what changes nothing in the netlist and what is proven to have no effect none can be noticed."""
    tried = [outcome(1, "ties"), outcome(2, "", is_change=False), outcome(3, "", proofs=("why",)), outcome(4, "")]
    assert [each.fate for each in tried] == [Fate.NOTICED, Fate.NO_CHANGE, Fate.NO_EFFECT, Fate.SURVIVED]
    assert share_killed(tried) == 0.5
    assert share_killed(tried[:3]) == 1
    said = summary(tried)
    assert "1 of 4 noticed (25.0%)" in said
    assert all(
        part in said for part in ("1 (2) change nothing", "1 (3) have no effect, proven by why", "1 (4) survived")
    )
    rows = table(tried).splitlines()[2:]
    assert [row.rpartition("| ")[0].split(" | ")[0] for row in rows] == ["| 1", "| 2", "| 3", "| 4"]
    assert rows[2].endswith("| no effect (why) |")


@pytest.mark.long
@pytest.mark.parametrize("bus_bytes", BUS_BYTES)
def test_mutations_of_the_core_are_noticed(bus_bytes: int) -> None:
    trial = mutations.prepared(mutations.SEED, mutations.COUNT, bus_bytes)
    tried = list(mutations.outcomes(trial))
    survivors = [each.mutation.place for each in tried if each.fate is Fate.SURVIVED]
    assert share_killed(tried) >= mutations.LEAST_KILLED, survivors

"""The harness by what a small component says of its inputs: nothing lost, nothing reordered, every time right."""

from __future__ import annotations

import struct
from ipaddress import IPv4Address
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hdl.parameters import CoreParameters
from market.errors import Fatal, MissingInput
from market.fastpath import layout
from market.fastpath.engine import split_records
from market.fastpath.specification import EngineSizes
from sim.rtl.addresses import BoardAddresses, addresses_port
from sim.rtl.model import Area, Mark, Model, Value
from sim.rtl.sizes import sizes_port
from tests.sim.rtl.conftest import CAPACITY, NewModel
from tests.sim.rtl.stand_in import ADDRESS_PROBE, SIZES_PROBE

FRAME, CONTROL = layout.TRIGGER_HEADER, layout.ACKNOWLEDGE_HEADER
Answer = tuple[int, int, int, int]


def answers(model: Model) -> list[Answer]:
    """Header, time, count and sum of bytes of each message."""
    model.settle()
    return [struct.unpack("<QqII", record) for record in split_records(model.take(Area.OUTPUTS))]


def expected(header: int, octets: bytes, time_ns: int) -> Answer:
    return header, time_ns, len(octets), sum(octets)


def marks(model: Model) -> list[tuple[Mark, int]]:
    return [
        (Mark(what), cycle)
        for what, cycle in (struct.unpack("<qq", record) for record in split_records(model.take(Area.MARKS)))
    ]


def test_frames_of_every_length_arrive_whole(new_model: NewModel) -> None:
    model = new_model()
    frames = [bytes(range(length % 251)) * 2 for length in range(150)]
    model.frames(frames, range(len(frames)), 8)
    assert answers(model) == [expected(FRAME, frame, number) for number, frame in enumerate(frames)]


def test_control_messages_of_every_length_arrive_whole_with_their_times(new_model: NewModel) -> None:
    model = new_model()
    messages = [bytes(range(1, 1 + length)) for length in range(1, 40)]
    times = [(1 << 62) - number for number in range(len(messages))]
    model.control(messages, times)
    assert answers(model) == [expected(CONTROL, *pair) for pair in zip(messages, times, strict=True)]


def test_times_below_zero_keep_their_sign(new_model: NewModel) -> None:
    model = new_model()
    model.frames([b"ab"], [-5], 8)
    model.control([b"cd"], [-(1 << 63)])
    assert [time_ns for _, time_ns, _, _ in answers(model)] == [-5, -(1 << 63)]


def test_frames_and_messages_keep_their_order(new_model: NewModel) -> None:
    model = new_model()
    for number in range(0, 60, 3):
        model.frames([b"frame!"] * 2, [number, number + 1], 8)
        model.control([b"message"], [number + 2])
    assert [time_ns for _, time_ns, _, _ in answers(model)] == list(range(60))


def test_rows_are_messages_of_one_length(new_model: NewModel) -> None:
    rows = np.arange(60, dtype=np.uint8).reshape(5, 12)
    model = new_model()
    model.control_rows(rows[::2], np.array([7, 8, 9]))
    assert answers(model) == [
        expected(CONTROL, row.tobytes(), time_ns) for row, time_ns in zip(rows[::2], (7, 8, 9), strict=True)
    ]


@settings(derandomize=True, deadline=None, max_examples=30)
@given(st.lists(st.tuples(st.booleans(), st.binary(min_size=1, max_size=60)), max_size=25), st.integers(5, 30))
def test_random_inputs_are_answered_as_given(
    stand_ins: dict[int, Path], inputs: list[tuple[bool, bytes]], gap: int
) -> None:
    for bus_bytes, library in stand_ins.items():
        model = Model(library, sizes_port(CoreParameters(CAPACITY, bus_bytes), CAPACITY))
        wanted = []
        for number, (is_frame, octets) in enumerate(inputs):
            if is_frame:
                model.frames([octets], [number], gap)
            else:
                model.control([octets], [number])
            if not is_frame or len(octets) % 2 == 0:
                wanted.append(expected(FRAME if is_frame else CONTROL, octets, number))
        assert answers(model) == wanted


def test_the_log_is_split_into_its_messages(new_model: NewModel) -> None:
    model = new_model()
    model.control([b"one", b"two"], [11, 12])
    model.settle()
    records = list(split_records(model.take(Area.LOG)))
    assert [struct.unpack_from("<QQq", record) for record in records] == [
        (layout.LOG_STEP_HEADER, 1, 11),
        (layout.LOG_STEP_HEADER, 2, 12),
    ]
    assert model.value(Value.LAST_STEP) == 2


def test_a_full_backlog_of_the_log_lets_inputs_wait_but_loses_none(new_model: NewModel) -> None:
    model = new_model(backlog=100)
    messages = [bytes([number]) for number in range(1, 30)]
    model.control(messages, range(29))
    assert answers(model) == [expected(CONTROL, message, number) for number, message in enumerate(messages)]


def test_what_is_sent_is_collected_frame_by_frame(new_model: NewModel) -> None:
    model = new_model()
    frames = [b"", b"x", bytes(range(100))]
    model.frames(frames, [1, 2, 3], 8)
    model.settle()
    assert list(split_records(model.take(Area.SENT))) == frames


def test_marks_are_the_cycles_of_the_cores_ports(new_model: NewModel) -> None:
    model = new_model()
    model.frames([bytes(32), b"odd"], [1, 2], 8)
    model.settle()
    seen = marks(model)
    (first, last), early = ([cycle for what, cycle in seen if what is mark] for mark in (Mark.FIRST_BEAT, Mark.EARLY))
    ends = [cycle for what, cycle in seen if what is Mark.LAST_BEAT]
    beats = ends[0] - first + 1
    assert beats in (32, 4)
    assert last == ends[0] + 9
    assert [cycle - first for what, cycle in seen if what is Mark.FIRST_SENT] == [1, 1 + last - first]
    assert early == [ends[0] + 1]
    assert [what for what, _ in seen if what in (Mark.FRAME_GOOD, Mark.FRAME_DROPPED)] == [
        Mark.FRAME_GOOD,
        Mark.FRAME_DROPPED,
    ]


def test_probes_and_ports_are_read(new_model: NewModel) -> None:
    model = new_model()
    model.frames([b"ab"] * 3, [1, 2, 3], 8)
    model.control([b"c"], [4])
    model.settle()
    assert model.probe(0, 4).tolist() == [3, 4, 5, 6]
    assert (model.value(Value.PARITY), model.value(Value.LAST_ID), model.value(Value.KILLED)) == (3, 1, 0)
    model.kill(True)
    assert model.value(Value.KILLED) == 1
    model.kill(False)
    assert model.value(Value.KILLED) == 0


def test_sizes_reach_the_core(new_model: NewModel) -> None:
    assert new_model(EngineSizes(venues=2, instruments=1, price_bits=12, channels=2)).probe(
        SIZES_PROBE, 1
    ).tolist() == [2]


def test_addresses_reach_the_core(stand_ins: dict[int, Path]) -> None:
    addresses = addresses_port(BoardAddresses(destination_address=IPv4Address("10.1.2.3")))
    for bus_bytes, library in stand_ins.items():
        model = Model(library, sizes_port(CoreParameters(CAPACITY, bus_bytes), CAPACITY), addresses)
        assert model.probe(ADDRESS_PROBE, 1).tolist() == [0x0A010203]


def test_ports_that_are_too_long_are_refused(stand_ins: dict[int, Path]) -> None:
    with pytest.raises(Fatal, match="sizes and addresses are 99 and 0 bytes"):
        Model(stand_ins[1], bytes(99))


def test_models_live_beside_each_other(new_model: NewModel) -> None:
    one, other = new_model(), new_model()
    one.frames([b"ab"], [1], 8)
    other.frames([b"cd"] * 2, [5, 6], 8)
    assert [time_ns for _, time_ns, _, _ in answers(one)] == [1]
    assert [time_ns for _, time_ns, _, _ in answers(other)] == [5, 6]
    one.close()
    other.frames([b"ef"], [7], 8)
    assert [time_ns for _, time_ns, _, _ in answers(other)] == [7]


def test_a_closed_model_says_so(new_model: NewModel) -> None:
    model = new_model()
    model.close()
    model.close()
    with pytest.raises(Fatal, match="was closed"):
        model.settle()


def test_a_core_that_does_not_come_to_rest_is_reported(new_model: NewModel) -> None:
    model = new_model()
    model.control([bytes(40)], [1])
    with pytest.raises(Fatal, match="still busy at cycle"):
        model.settle(10)


def test_a_model_without_waveforms_says_so(new_model: NewModel, tmp_path: Path) -> None:
    with pytest.raises(MissingInput, match="trace=True"):
        new_model().trace(tmp_path / "wave.vcd")

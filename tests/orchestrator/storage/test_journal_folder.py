"""Sessions and their journals: what the next one takes over, and who may write."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from config.storage import Durability
from market.errors import Fatal, MissingInput
from market.fixed_point import Scale
from market.instruments import Catalogue, Instrument
from market.orders.cause import Origin
from market.orders.kinds import OrderState, Side
from market.risk.position import Position
from orchestrator.run_loop.recovered import Recovered
from orchestrator.storage.journal_folder import JournalFolder, OpenSession, journal_path, session_numbers
from orchestrator.storage.journal_format import UnreadableJournal
from orchestrator.storage.journal_reader import read_journal
from orchestrator.storage.records import Outcome, SessionStarted, TakenOver
from tests.orchestrator.storage.worlds import (
    CATALOGUE,
    MARKETS,
    S,
    T,
    cancelled,
    fill,
    intent,
    listing,
    opened,
    order_records,
    sent,
    unknown,
)
from tests.processes import mortal


def folder(path: Path, durability: Durability = Durability.PROCESS) -> JournalFolder:
    return JournalFolder(path / "journal", durability, late_fills_ns=60 * S)


def begin(opened_folder: JournalFolder, now_ns: int = T, catalogue: Catalogue = CATALOGUE) -> OpenSession:
    return opened_folder.begin(mode="paper", catalogue=catalogue, now_ns=now_ns)


@pytest.mark.parametrize("durability", list(Durability))
def test_the_first_session_takes_nothing_over(tmp_path: Path, durability: Durability) -> None:
    with folder(tmp_path, durability) as journals:
        session = begin(journals)
    assert (session.session, session.earlier, session.recovered) == (1, None, Recovered())
    first, second = read_journal(journal_path(journals.folder, 1)).records
    assert second == TakenOver(epoch=0, orders=(), positions=(), decisions={}, components={})
    assert first == SessionStarted(session=1, epoch=session.epoch, mode="paper", time_ns=T, markets=MARKETS)


def test_a_session_takes_over_what_the_one_before_left(tmp_path: Path) -> None:
    with folder(tmp_path) as journals:
        first = begin(journals)
        epoch = first.epoch
        records = [
            *order_records(intent(1, epoch=epoch), [sent(), opened(), fill(400, fee=7)]),
            *order_records(intent(2, epoch=epoch, tag="mm"), [sent(), unknown()]),
            *order_records(intent(3, epoch=epoch), []),
            *order_records(intent(4, epoch=epoch), [sent(), opened(T - 61 * S), cancelled(T - 61 * S)]),
            *order_records(intent(5, epoch=epoch), [sent(), opened(), cancelled(T - 59 * S)]),
            *order_records(intent(6, epoch=epoch, side=Side.SELL), [sent(), opened(), fill(1_000)]),
            *order_records(intent(99, epoch=epoch, origin=Origin.TRIGGER), [sent(), fill(1_000)]),
        ]
        for record in records:
            first.journal.write(record)
        first.journal.save("vpin", T, b"old")
        first.journal.save("vpin", T, b"new")
    with folder(tmp_path) as journals:
        second = begin(journals, T + S)
    taken = second.recovered
    assert [(order.intent.cause.number, order.state) for order in taken.orders] == [
        (1, OrderState.PARTIALLY_FILLED), (2, OrderState.UNKNOWN), (3, OrderState.INTENDED), (5, OrderState.CANCELLED),
    ]  # fmt: skip
    own = Position().traded(Side.BUY, 6_000_000, 400, 7).traded(Side.SELL, 6_000_000, 1_000)
    own = own.traded(Side.BUY, 6_000_000, 1_000)
    assert taken.positions == {(None, (0, 0)): own, ("arb", (0, 0)): own}
    assert (taken.epoch, dict(taken.decisions), dict(taken.components)) == (
        epoch,
        {"arb": 6, "mm": 2},
        {"vpin": b"new"},
    )
    assert second.epoch > epoch
    assert second.earlier is not None
    assert second.earlier.text == "session 1 crashed and left 3 orders whose state is to be asked for"


def test_a_journal_holds_all_that_the_next_session_needs(tmp_path: Path) -> None:
    """The second session writes nothing; the third takes over the same from it alone."""
    with folder(tmp_path) as journals:
        first = begin(journals)
        for record in order_records(intent(1, epoch=first.epoch), [sent(), opened(), fill(400, price=10**18)]):
            first.journal.write(record)
    with folder(tmp_path) as journals:
        second = begin(journals).recovered
    journal_path(journals.folder, 1).unlink()
    with folder(tmp_path) as journals:
        third = begin(journals).recovered
    assert (third.orders, third.positions) == (second.orders, second.positions)
    assert session_numbers(journals.folder) == [2, 3]


def test_a_session_that_ended_has_not_crashed(tmp_path: Path) -> None:
    with folder(tmp_path) as journals:
        begin(journals).journal.end(T, Outcome.FINISHED)
    with folder(tmp_path) as journals:
        second = begin(journals)
        assert second.earlier is not None
        assert (second.earlier.crashed, second.earlier.text) == (False, "")
    with folder(tmp_path) as journals:
        third = begin(journals)
    started = read_journal(journal_path(journals.folder, 3)).records[0]
    assert isinstance(started, SessionStarted)
    assert (third.session, started.crashed) == (3, 2)


def test_epochs_follow_the_clock_and_never_repeat(tmp_path: Path) -> None:
    epochs = []
    for now_ns in (T, T, T - 100 * S, T + 1_000 * S):
        with folder(tmp_path) as journals:
            epochs.append(begin(journals, now_ns).epoch)
    assert epochs == [T // S, T // S + 1, T // S + 2, T // S + 1_000]


def test_a_torn_end_is_cut_off_and_told(tmp_path: Path) -> None:
    with folder(tmp_path) as journals:
        first = begin(journals)
        first.journal.intent(intent(1, epoch=first.epoch))
        whole = first.journal.size
        first.journal.intent(intent(2, epoch=first.epoch))
        path = first.journal.path
    os.truncate(path, path.stat().st_size - 1)
    with folder(tmp_path) as journals:
        found = journals.earlier()
        assert found is not None
        assert [order.intent.cause.number for order in found.recovered.orders] == [1]
        assert (found.torn_bytes, path.stat().st_size) == (first.journal.size - whole - 1, whole)
        assert "bytes of a record that was cut short were removed" in found.text


def test_a_beginning_that_was_cut_short_is_no_session(tmp_path: Path) -> None:
    with folder(tmp_path) as journals:
        begin(journals)
        (journals.folder / "000002.new").write_bytes(b"half a header")
    with folder(tmp_path) as journals:
        assert begin(journals).session == 2


def test_a_damaged_journal_ends_the_start(tmp_path: Path) -> None:
    with folder(tmp_path) as journals:
        first = begin(journals)
        place = first.journal.size + 20
        for number in (1, 2):
            first.journal.intent(intent(number))
        path = first.journal.path
    data = bytearray(path.read_bytes())
    data[place] ^= 1
    path.write_bytes(data)
    with folder(tmp_path) as journals, pytest.raises(UnreadableJournal, match="is damaged at byte"):
        begin(journals)
    assert path.read_bytes() == bytes(data)


def test_events_of_an_order_that_was_never_written_are_refused(tmp_path: Path) -> None:
    with folder(tmp_path) as journals:
        begin(journals).journal.event("arb-d1-1-0", sent())
    with folder(tmp_path) as journals, pytest.raises(UnreadableJournal, match="cannot follow those before it"):
        begin(journals)


def test_a_renamed_journal_is_refused(tmp_path: Path) -> None:
    with folder(tmp_path) as journals:
        begin(journals)
    journal_path(journals.folder, 1).rename(journal_path(journals.folder, 5))
    with folder(tmp_path) as journals, pytest.raises(UnreadableJournal, match="is of session 1; expected 5"):
        begin(journals)


def test_numbers_that_mean_another_market_now_are_refused_where_something_is_held(tmp_path: Path) -> None:
    other = Instrument(0, "SOL", Scale(-2), Scale(-5))
    swapped = Catalogue([listing(other, 0)])
    with folder(tmp_path) as journals:
        begin(journals)
    with folder(tmp_path) as journals:
        second = begin(journals, catalogue=swapped)
        second.journal.intent(intent(1))
    with folder(tmp_path) as journals, pytest.raises(Fatal, match=r"Market\(.*SOL.*which is Market\(.*BTC"):
        begin(journals)


def test_a_second_process_cannot_open_the_folder(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from config.storage import Durability\n"
        "from market.errors import Fatal\n"
        "from orchestrator.storage.journal_folder import JournalFolder\n"
        "try:\n"
        "    JournalFolder(Path(sys.argv[1]), Durability.PROCESS, 0).__enter__()\n"
        "except Fatal as refusal:\n"
        "    print(refusal)\n"
    )
    with folder(tmp_path) as journals:
        with pytest.raises(Fatal, match=f"in use by process {os.getpid()}"):
            folder(tmp_path).__enter__()
        command = [sys.executable, "-c", program, str(journals.folder)]
        told = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
    assert f"in use by process {os.getpid()}; expected no other run" in told
    with folder(tmp_path) as journals:
        assert begin(journals).session == 1


def test_a_folder_must_be_entered(tmp_path: Path) -> None:
    with pytest.raises(Fatal, match="was not entered"):
        begin(folder(tmp_path))
    (tmp_path / "journal").write_text("a file")
    with pytest.raises(MissingInput, match="the journal's folder"):
        folder(tmp_path).__enter__()


WRITER = """
import sys
from pathlib import Path
from config.storage import Durability
from orchestrator.storage.journal_folder import JournalFolder
from tests.orchestrator.storage.worlds import CATALOGUE, T, intent, sent

with JournalFolder(Path(sys.argv[1]), Durability(sys.argv[2]), 0) as journals:
    session = journals.begin(mode="paper", catalogue=CATALOGUE, now_ns=T)
    number = 0
    while True:
        number += 1
        wanted = intent(number, epoch=session.epoch)
        session.journal.intent(wanted)
        print(number, flush=True)
        session.journal.event(wanted.client_order_id, sent())
"""


@pytest.mark.parametrize("durability", list(Durability))
def test_what_was_written_survives_sigkill(tmp_path: Path, durability: Durability) -> None:
    """Every number that the killed process had printed was journalled before, so the journal has it."""
    command = [sys.executable, "-c", WRITER, str(tmp_path / "journal"), durability.value]
    with (
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[3]) as process,
        mortal(process),
    ):
        assert process.stdout is not None
        for _ in range(200):
            printed = int(process.stdout.readline())
        process.send_signal(signal.SIGKILL)
        rest = process.stdout.read().split("\n")
    # The last line may have been cut off while it was printed.
    printed = max([printed, *(int(line) for line in rest[:-1])])
    with folder(tmp_path) as journals:
        found = journals.earlier()
    assert found is not None
    assert found.crashed
    numbers = [order.intent.cause.number for order in found.recovered.orders]
    assert numbers == list(range(1, len(numbers) + 1))
    assert printed <= len(numbers) <= printed + 1
    assert {order.state for order in found.recovered.orders[:-1]} == {OrderState.SENT}


def test_decisions_count_in_the_latest_epoch_only(tmp_path: Path) -> None:
    with folder(tmp_path) as journals:
        first = begin(journals)
        first.journal.intent(intent(9, epoch=first.epoch))
    with folder(tmp_path) as journals:
        second = begin(journals)
        second.journal.intent(intent(2, epoch=second.epoch, tag="mm"))
    with folder(tmp_path) as journals:
        third = begin(journals).recovered
    assert (third.epoch, dict(third.decisions)) == (second.epoch, {"mm": 2})

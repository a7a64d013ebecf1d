"""A run on its own tape makes the same decisions, call for call; another program's run is told apart from it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec
import pytest

from market.errors import DataGap, Fatal, MissingInput, Rejected, Retry
from market.fastpath.engine import CpuEngine
from market.orders.order import Order
from market.orders.reports import GatewayReport
from market.protocols import CancelIntent, Gateway, Intent, MarketView, Strategy, Triggered, WakeCause, Wakes
from orchestrator.engine.back_end import InProcess
from orchestrator.engine.link import EngineLink
from orchestrator.run_loop.journal import MemoryJournal
from orchestrator.run_loop.loop import RunLoop, RunSettings
from orchestrator.run_loop.summary import RunSummary
from orchestrator.run_loop.take_triggers import TakeTriggers
from orchestrator.tape.calls import VERSION, Asked, Head, Now
from orchestrator.tape.file import TapeWriter, read_tape
from orchestrator.tape.playing import PlayedBackEnd, PlayedClock, PlayedFeed, PlayedGateway, Tape, TapeEnded
from orchestrator.tape.recording import RecordedBackEnd, RecordedClock, RecordedFeed, RecordedGateway, head_of
from sim.feed.replay_feed import ReplayFeed
from sim.gateway.settling import SettleMode, SettlingGateway, SettlingSettings
from tests.orchestrator.run_loop.worlds import MS, Scripted, World, decision, world

PATIENCE_NS = 10**15


def record(small: World, path: Path, strategies: list[Strategy], gateway: Gateway | None = None) -> RunSummary:
    """A run that leaves a tape."""
    feed = ReplayFeed(small.plan.sources).open()
    gateway = gateway or small.gateway(SettleMode.FILLED)
    with TapeWriter(path) as tape:
        tape.write(head_of(feed, b"{}", epoch=1))
        return loop(
            small,
            strategies,
            RecordedFeed(feed, tape.write),
            RecordedClock(small.clock, tape.write),
            RecordedGateway(gateway, tape.write),
        ).run()


def play(small: World, path: Path, strategies: list[Strategy]) -> RunSummary:
    """A run on a tape."""
    head, calls = read_tape(path)
    tape = Tape(calls)
    return loop(small, strategies, PlayedFeed(head, tape), PlayedClock(tape), PlayedGateway(tape)).run()


def loop(small: World, strategies: list[Strategy], feed: object, clock: object, gateway: object) -> RunLoop:
    return RunLoop(
        feed=feed,  # type: ignore[arg-type]
        clock=clock,  # type: ignore[arg-type]
        gateway=gateway,  # type: ignore[arg-type]
        engine=small.engine,
        catalogue=small.catalogue,
        strategies=strategies,
        settings=RunSettings(small.plan.tables, heartbeat_every_ns=small.plan.heartbeat_every_ns),
        journal=MemoryJournal(),
    )


def test_a_run_on_its_tape_decides_the_same(tmp_path: Path) -> None:
    small = world(tmp_path)
    recorded = record(small, tmp_path / "run.tape", [TakeTriggers()])
    played = play(small, tmp_path / "run.tape", [TakeTriggers()])
    assert recorded.counts.placed == 3
    assert played.decision_hash == recorded.decision_hash
    assert played.orders == recorded.orders
    assert played.positions == recorded.positions
    assert played.counts == recorded.counts


def test_another_strategy_is_told_at_the_first_call_that_differs(tmp_path: Path) -> None:
    small = world(tmp_path)
    record(small, tmp_path / "run.tape", [TakeTriggers()])
    with pytest.raises(Fatal, match=r"call [0-9,]+ of the run was Asked .*'other-t1-1-0'.*the tape has Asked"):
        play(small, tmp_path / "run.tape", [TakeTriggers("other")])


def test_refusals_and_gaps_come_again(tmp_path: Path) -> None:
    small = world(tmp_path)

    def answer(cause: WakeCause, view: MarketView) -> Iterable[Intent]:
        if isinstance(cause, Triggered):
            order = decision(view, cause.trigger.id)
            return [order, CancelIntent(client_order_id=order.client_order_id)]
        return ()

    def script() -> list[Strategy]:
        return [Scripted(answer, Wakes(triggers=True))]

    recorded = record(
        small,
        tmp_path / "run.tape",
        script(),
        Difficult(SettlingSettings(SettleMode.UNFILLED, MS), small.clock, small.catalogue),
    )
    played = play(small, tmp_path / "run.tape", script())
    assert recorded.counts.refused == 1
    assert recorded.counts.data_gaps == 1
    assert (played.orders, played.counts) == (recorded.orders, recorded.counts)


class Difficult(SettlingGateway):
    """A gateway that refuses the first order and breaks once."""

    submitted = 0
    is_whole = True

    def submit(self, order: Order) -> None:
        self.submitted += 1
        if self.submitted == 1:
            raise Retry("not connected")
        super().submit(order)

    def take(self, until_ns: int) -> Sequence[GatewayReport]:
        if self.is_whole and self.submitted == 2:
            self.is_whole = False
            raise DataGap("the stream broke")
        return super().take(until_ns)


def test_a_distant_engine_is_on_the_tape_too(tmp_path: Path) -> None:
    small = world(tmp_path)
    sizes = small.plan.sizes
    with TapeWriter(tmp_path / "run.tape") as tape:
        feed = ReplayFeed(small.plan.sources).open()
        tape.write(head_of(feed, b"{}", epoch=1))
        back_end = RecordedBackEnd(InProcess(CpuEngine(sizes, event_log=True), "distant"), tape.write)
        first = linked(small, back_end, RecordedFeed(feed, tape.write), RecordedClock(small.clock, tape.write))
    head, calls = read_tape(tmp_path / "run.tape")
    played = Tape(calls)
    second = linked(small, PlayedBackEnd(played), PlayedFeed(head, played), PlayedClock(played))
    assert first.counts.triggers == 3
    assert (second.decision_hash, second.counts) == (first.decision_hash, first.counts)


def linked(small: World, back_end: object, feed: object, clock: object) -> RunSummary:
    return RunLoop(
        feed=feed,  # type: ignore[arg-type]
        clock=clock,  # type: ignore[arg-type]
        gateway=small.gateway(),
        engine=EngineLink(back_end, small.plan.sizes, patience_ns=PATIENCE_NS),  # type: ignore[arg-type]
        catalogue=small.catalogue,
        strategies=[],
        settings=RunSettings(small.plan.tables, heartbeat_every_ns=small.plan.heartbeat_every_ns),
    ).run()


def test_a_tape_that_was_cut_off_plays_up_to_its_end(tmp_path: Path) -> None:
    with TapeWriter(tmp_path / "run.tape") as tape:
        tape.write(Head(VERSION, b"{}", 1, ()))
        tape.write(Now(5))
    _, calls = read_tape(tmp_path / "run.tape")
    clock = PlayedClock(Tape(calls))
    assert clock.now_ns() == 5
    with pytest.raises(TapeEnded, match="after 1 calls"):
        clock.now_ns()


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9, 0.99])
def test_wherever_a_file_ends_its_whole_records_are_read(tmp_path: Path, share: float) -> None:
    whole, cut = tmp_path / "whole.tape", tmp_path / "cut.tape"
    written = [Asked("submit", f"order {number}") for number in range(20_000)]
    with TapeWriter(whole) as tape:
        tape.write(Head(VERSION, b"{}", 1, ()))
        for call in written:
            tape.write(call)
    content = whole.read_bytes()
    cut.write_bytes(content[: int(len(content) * share)])
    _, calls = read_tape(cut)
    read = list(calls)
    assert 0 < len(read) < len(written)
    assert read == written[: len(read)]


def test_what_is_no_tape_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.txt"
    path.write_text("not a tape", encoding="utf-8")
    with pytest.raises(Rejected, match="damaged or no tape"):
        read_tape(path)
    with pytest.raises(MissingInput, match="cannot be read"):
        read_tape(tmp_path / "absent.tape")
    with pytest.raises(MissingInput, match="there already"):
        TapeWriter(path)


def test_another_version_is_refused_naming_both(tmp_path: Path) -> None:
    with TapeWriter(tmp_path / "run.tape") as tape:
        tape.write(msgspec.structs.replace(Head(VERSION, b"{}", 1, ()), version=VERSION + 1))
    with pytest.raises(Rejected, match=f"version {VERSION + 1}; this program reads version {VERSION}"):
        read_tape(tmp_path / "run.tape")

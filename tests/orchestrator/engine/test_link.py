"""The link keeps deciding when the engine behind it dies, freezes or lies, and acts on nothing twice."""

from __future__ import annotations

import re
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final

import pytest

from market.errors import Fatal, Rejected
from market.fastpath import layout, state
from market.fastpath.engine import CpuEngine
from market.fastpath.layout import SCHEMA
from market.wire.sbe import decode, encode
from orchestrator.engine.back_end import BackEnd, InProcess
from orchestrator.engine.child_process import MODULE, ChildProcess
from orchestrator.engine.inputs import Input, InputKind, apply, read_step
from orchestrator.engine.link import EngineLink, Takeover
from tests.orchestrator.engine.inputs import EPOCH, START_NS, STEP_NS, arm_engine, feed, inputs, tables, triggers_of

COUNT: Final = 200
PATIENCE_NS: Final = 10**15
"""Longer than any of these markets: only tests of silence are impatient."""
TURN_S: Final = 0.02


def reference(count: int = COUNT) -> tuple[CpuEngine, list[bytes]]:
    """An engine without a link, and its triggers."""
    engine = CpuEngine(tables()[0])
    return engine, triggers_of(feed(engine, list(inputs(count, arm_engine(engine)))))


@contextmanager
def child(module: str = MODULE) -> Iterator[ChildProcess]:
    process = ChildProcess(tables()[0], lambda: None, module)
    try:
        yield process
    finally:
        process.process.send_signal(signal.SIGCONT)
        process.close()


def wait_for(link: EngineLink, process: ChildProcess, condition: Callable[[], bool]) -> list[bytes]:
    """Hear the link until something is so."""
    heard = []
    for _ in range(500):
        heard += link.outputs()
        if condition():
            return heard
        process.wait(TURN_S)
    raise AssertionError("it did not come within 10 s")


def run_through(link: EngineLink, process: ChildProcess, given: Sequence[Input]) -> list[bytes]:
    """Give inputs, each logged before the next."""
    said = []
    for one in given:
        apply(link, one)
        said += wait_for(link, process, lambda: link.behind == 0)
    return said


def identities(triggers: Sequence[bytes]) -> list[int]:
    return [decode(SCHEMA, trigger).fields["id"] for trigger in triggers]


def test_there_are_triggers_to_compare() -> None:
    engine, triggers = reference()
    assert len(triggers) >= 20
    assert engine.counters["triggerArb"] == len(triggers)


def test_a_link_says_what_the_engine_behind_it_says() -> None:
    engine, triggers = reference()
    sizes = tables()[0]
    link = EngineLink(InProcess(CpuEngine(sizes, event_log=True), "cpu"), sizes, patience_ns=PATIENCE_NS)
    said = feed(link, list(inputs(COUNT, arm_engine(link))))
    assert triggers_of(said) == triggers
    assert (link.decision_hash, link.parity) == (engine.decision_hash, engine.parity)
    assert link.counters == engine.counters
    assert link.takeover is None


def test_so_does_one_in_another_process() -> None:
    engine, triggers = reference()
    with child() as process:
        link = EngineLink(process, tables()[0], patience_ns=PATIENCE_NS)
        said = run_through(link, process, list(inputs(COUNT, arm_engine(link))))
    assert triggers_of(said) == triggers
    assert link.decision_hash == engine.decision_hash


@pytest.mark.parametrize("survived", [0, 1, 37, 100, 150])
def test_a_killed_engine_is_replaced_and_nothing_is_acted_on_twice(survived: int) -> None:
    _, expected = reference()
    told: list[Takeover] = []
    with child() as process:
        link = EngineLink(process, tables()[0], patience_ns=PATIENCE_NS, on_takeover=told.append)
        given = list(inputs(COUNT, arm_engine(link)))
        said = run_through(link, process, given[:survived])
        process.process.kill()
        process.process.wait(5)
        said += feed(link, given[survived:])
    takeover = link.takeover
    assert told == [takeover]
    assert takeover is not None
    assert takeover.epoch == EPOCH + 1
    assert "process" in takeover.reason
    sent, unknown = identities(triggers_of(said)), identities(link.take_unknown_fate())
    assert len(set(sent)) == len(sent)
    assert not set(sent) & set(unknown)
    assert sorted([*sent, *unknown]) == identities(expected)
    epochs = {decode(SCHEMA, trigger).fields["epoch"] for trigger in triggers_of(said)}
    assert EPOCH + 1 in epochs
    assert epochs <= {EPOCH, EPOCH + 1}


def test_what_the_engine_was_given_and_did_not_log_is_not_traded_on_but_listed() -> None:
    with child() as process:
        link = EngineLink(process, tables()[0], patience_ns=PATIENCE_NS)
        given = list(inputs(COUNT, arm_engine(link)))
        run_through(link, process, given[:40])
        process.process.send_signal(signal.SIGSTOP)
        frozen = feed(link, given[40:60])
        process.process.kill()
        said = wait_for(link, process, lambda: link.takeover is not None)
    assert triggers_of(frozen) == triggers_of(said) == []
    assert link.takeover is not None
    assert link.takeover.unknown_fate
    pendings = pending_of(link)
    assert pendings > 0, "they keep their room until the host settles them"


def pending_of(link: EngineLink) -> int:
    words = link._shadow.engine.state
    row = (words[state.INSTRUMENT_ROWS] + state.QUOTES) // state.WORD
    return int(sum(words[row + venue * state.QUOTE_WORDS + state.PENDING_BUY] for venue in range(2)))


def test_a_frozen_engine_is_replaced_when_it_has_been_silent_too_long() -> None:
    with child() as process:
        link = EngineLink(process, tables()[0], patience_ns=10 * STEP_NS)
        given = list(inputs(COUNT, arm_engine(link)))
        run_through(link, process, given[:40])
        process.process.send_signal(signal.SIGSTOP)
        said = feed(link, given[40:100])
        assert link.takeover is not None
        assert "silent" in link.takeover.reason
        assert triggers_of(said)
    assert process.process.returncode == -signal.SIGKILL


@pytest.mark.parametrize(
    ("lie", "reason"),
    [
        ("price", "is not the shadow's"),
        ("phantom", "status of step|came after"),
        ("status", "status of step"),
        ("invented", "nothing more|hole"),
        ("hole", "hole"),
        ("time", "has T"),
    ],
)
def test_a_lie_is_noticed(lie: str, reason: str) -> None:
    with child(f"tests.orchestrator.engine.lies.{lie}") as process:
        link = EngineLink(process, tables()[0], patience_ns=PATIENCE_NS)
        given = list(inputs(COUNT, arm_engine(link)))
        said = feed(link, given)
        said += wait_for(link, process, lambda: link.takeover is not None)
    assert link.takeover is not None
    assert re.search(reason, link.takeover.reason)
    sent = identities(triggers_of(said))
    assert len(set(sent)) == len(sent)


def test_a_trigger_whose_message_was_lost_is_of_unknown_fate_and_the_engine_goes_on() -> None:
    _, expected = reference()
    with child("tests.orchestrator.engine.lies.lost") as process:
        link = EngineLink(process, tables()[0], patience_ns=PATIENCE_NS)
        said = run_through(link, process, list(inputs(COUNT, arm_engine(link))))
    assert link.takeover is None
    unknown = identities(link.take_unknown_fate())
    assert len(unknown) == 1
    assert sorted(identities(triggers_of(said)) + unknown) == identities(expected)


def test_a_trigger_acted_on_counts_in_the_shadow_even_if_it_never_decided_it() -> None:
    with child("tests.orchestrator.engine.lies.phantom") as process:
        link = EngineLink(process, tables()[0], patience_ns=PATIENCE_NS)
        given = list(inputs(COUNT, arm_engine(link)))
        feed(link, given)
        wait_for(link, process, lambda: link.takeover is not None)
    assert link.takeover is not None
    assert max(link.takeover.acted) <= link._shadow.engine.state[state.LAST_ID]
    assert pending_of(link) > 0


def test_a_killed_run_stays_killed_after_a_takeover() -> None:
    with child() as process:
        link = EngineLink(process, tables()[0], patience_ns=PATIENCE_NS)
        sequence = arm_engine(link)
        apply(link, Input(InputKind.CONTROL, START_NS, message=encode(SCHEMA, "Kill", {"sequence": sequence})))
        wait_for(link, process, lambda: link.behind == 0)
        process.process.kill()
        process.process.wait(5)
        said = feed(link, list(inputs(COUNT, sequence + 1)))
    assert link.takeover is not None
    assert not triggers_of(said)
    assert not link._shadow.engine.state[state.ARMED]


def test_an_engine_that_is_lost_while_it_is_armed_ends_the_start() -> None:
    with child() as process:
        link = EngineLink(process, tables()[0], patience_ns=PATIENCE_NS)
        process.process.kill()
        process.process.wait(5)
        with pytest.raises(Fatal, match="while it was being armed"):
            arm_engine(link)


def test_frames_are_refused() -> None:
    sizes = tables()[0]
    back_end: BackEnd = InProcess(CpuEngine(sizes, event_log=True), "cpu")
    with pytest.raises(Rejected, match="a link carries no frames"):
        EngineLink(back_end, sizes, patience_ns=1).push([b"frame"], [0])


def test_a_step_s_numbers_lie_where_the_schema_has_them() -> None:
    engine = CpuEngine(tables()[0], event_log=True)
    given = list(inputs(20, arm_engine(engine)))
    engine.event_log()
    feed(engine, given)
    steps = [read_step(message) for message in engine.event_log()]
    assert all(step.is_of(one) for step, one in zip(steps, given, strict=True))
    assert [step.time_ns for step in steps] == [one.time_ns for one in given]


@pytest.mark.parametrize("content", [b"", b"short", bytes(layout.LOG_STEP_PAYLOAD)])
def test_what_is_no_step_is_refused(content: bytes) -> None:
    with pytest.raises(Rejected, match="event log"):
        read_step(content)

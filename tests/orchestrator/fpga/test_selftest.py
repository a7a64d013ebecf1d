"""The self-test passes with an engine that decides right, and says what is wrong with one that does not."""

from __future__ import annotations

import itertools

import pytest

from market.errors import DataGap, Rejected
from market.fastpath import layout
from market.fastpath.layout import SCHEMA
from market.fastpath.specification import EngineSizes, Kind
from market.wire.sbe import decode, encode
from orchestrator.fpga.selftest import Outcome, latency_of
from orchestrator.fpga.selftest_plan import Places, quotes
from orchestrator.fpga.shadow import LogShadow, log_steps
from tests.orchestrator.fpga.stand_in import SIZES, Bench, at, open_bench

PASSED = [
    "answers",
    "takes a Hello and its tables",
    "is armed",
    "triggers",
    "sends nothing while killed",
    "decides as the CPU engine does",
    "is killed and cleared",
]


def failures(outcome: Outcome) -> dict[str, str]:
    return {check.name: check.seen for check in outcome.checks if not check.passed}


def test_a_board_passes_twice_and_is_left_as_it_was() -> None:
    with open_bench() as bench:
        bench.host.hello(9)
        bench.host.apply("LoadIdentity", id=40, parity=77)
        for _ in range(2):
            outcome = bench.selftest(rounds=2).run()
            assert [check.name for check in outcome.checks] == PASSED, failures(outcome)
            assert outcome.passed
            assert outcome.triggers == 12
            status, _ = bench.host.status()
            assert (status["id"], status["parity"], status["killed"]) == (40, 77, 1)
            bench.host.triggers.clear()


def test_a_round_has_both_kinds_and_all_sides() -> None:
    expected = [quote.expected for quote in quotes(1) if quote.expected is not None]
    assert [each.kind for each in expected] == [Kind.ARB] * 2 + [Kind.IMBALANCE] * 4
    assert len(set(expected)) == 6


def arm(bench: Bench) -> None:
    bench.host.hello(1)
    status, _ = bench.host.status("Heartbeat")
    bench.host.apply("Rearm", statusNumber=status["number"])


def test_an_armed_board_is_left_alone_unless_forced() -> None:
    with open_bench() as bench:
        arm(bench)
        with pytest.raises(Rejected, match="--force"):
            bench.selftest().run()
        assert bench.host.status()[0]["killed"] == 0
        assert bench.selftest().run(force=True).passed
        assert bench.host.status()[0]["killed"] == 1


def test_a_trigger_with_another_byte_is_found() -> None:
    def spoiled(message: bytes) -> bytes:
        is_trigger = int.from_bytes(message[2:4], "little") == layout.TEMPLATE_TRIGGER
        at_edge = layout.TRIGGER_EDGE
        return message[:at_edge] + b"\1" + message[at_edge + 1 :] if is_trigger else message

    with open_bench() as bench:
        bench.board.outgoing = spoiled
        outcome = bench.selftest().run()
    assert list(failures(outcome)) == ["decides as the CPU engine does"]
    assert "0 with the same bytes" in failures(outcome)["decides as the CPU engine does"]
    assert outcome.checks[-1].name == "is killed and cleared"


@pytest.mark.parametrize("lost", [3, 5])
def test_a_lost_quote_is_found(lost: int) -> None:
    with open_bench(patience_s=0.05) as bench:
        numbers = itertools.count(1)
        bench.board.market = lambda message: None if next(numbers) == lost else message
        outcome = bench.selftest().run()
    assert list(failures(outcome)) == ["triggers"]
    assert ("no trigger 1 after quote 3" if lost == 3 else "no trigger 2 after quote 5") in failures(outcome)[
        "triggers"
    ]
    assert outcome.checks[-1].name == "is killed and cleared"
    assert not outcome.passed


def test_a_board_that_goes_silent_fails_the_rest() -> None:
    with open_bench(patience_s=0.05) as bench:
        is_silent = False

        def answers(message: bytes) -> bytes | None:
            nonlocal is_silent
            is_silent = is_silent or int.from_bytes(message[2:4], "little") == layout.TEMPLATE_TRIGGER
            return None if is_silent else message

        bench.board.outgoing = answers
        outcome = bench.selftest().run()
    assert list(failures(outcome)) == ["triggers", "is killed and cleared"]


def test_a_missing_step_of_the_log_is_a_gap() -> None:
    with open_bench() as bench:
        bench.host.hello(1)
        bench.host.status()
        steps = [step for _ in range(2) for step in log_steps(bench.log.recv(2_048))]
    shadow = LogShadow(SIZES, 0, 0, first=2)
    shadow.follow(steps[0])
    with pytest.raises(DataGap, match="step 4 of the event log came, 2 was expected"):
        shadow.follow(decode(SCHEMA, encode(SCHEMA, "LogStep", {**steps[1].values, "number": 4})))
    shadow.follow(steps[1])
    assert shadow.next_step == 3


def test_several_steps_of_a_datagram_and_what_is_none() -> None:
    fields = {"time": 1, "kind": 2, "channel": 0}
    steps = [encode(SCHEMA, "LogStep", {"number": n, **fields, "payload": bytes(n)}) for n in (1, 2, 6)]
    filled = b"".join(step + bytes(-len(step) % 8) for step in steps)
    assert [step.fields["number"] for step in log_steps(filled)] == [1, 2, 6]
    with pytest.raises(Rejected, match="expected LogStep"):
        list(log_steps(encode(SCHEMA, "Heartbeat", {"sequence": 1})))


def test_a_board_of_one_venue_is_too_small() -> None:
    with open_bench() as bench, pytest.raises(Rejected, match="two of each"):
        Places(EngineSizes(venues=1), (at(bench.log), at(bench.log)))


def test_latencies_are_those_of_the_test_alone() -> None:
    before = {f"bucket{number}": number for number in range(16)}
    before |= {"cyclePs": 8_000, "measured": 9, "unmatched": 1, "minimum": -5, "maximum": 3}
    after = before | {"bucket3": 5, "bucket15": 16, "measured": 12, "unmatched": 1, "maximum": 2_000}
    assert latency_of(before, after) == {
        "cycle_ns": 8.0,
        "measured": 3,
        "unmatched": 0,
        "cycles": {"-4 to -1": 2, "1024 and more": 1},
        "minimum_cycles": -5,
        "maximum_cycles": 2_000,
    }

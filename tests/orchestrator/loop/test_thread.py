"""The loop's thread: it leaves the interpreter to others, is pinned, ends when told to."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

from market.errors import Fatal, MissingInput
from market.fastpath import state
from market.receive.layout import Counter
from market.receive.loop import Ended, run
from market.receive.words import stop
from orchestrator.loop.event_log import LogDrain
from orchestrator.loop.thread import LoopThread, pin
from tests.market.fastpath.frame_builder import best_bid_ask
from tests.market.receive.bench import Bench, open_bench, wait_until

MANY_ROUNDS = 20_000_000
"""Several seconds of spinning: enough for the counting below many times over, and an end if it never comes to it."""


def thread_of(bench: Bench, log: LogDrain | None = None, core: int = -1) -> LoopThread:
    return LoopThread(bench.engine, bench.loop, bench.ring.words, log, core=core)


def has_quotes(bench: Bench, count: int) -> bool:
    return bench.engine.counters["quoteEvents"] >= count


def test_python_goes_on_while_the_loop_spins() -> None:
    with open_bench() as bench, ThreadPoolExecutor(max_workers=1) as executor:
        run.compiled()
        spinning = executor.submit(run, bench.engine.state, bench.loop, bench.ring.words, MANY_ROUNDS)
        wait_until(lambda: bench.count(Counter.ROUNDS) > 0)
        counted = 0
        while counted < 100_000:
            counted += 1
        stop(bench.loop)
        assert spinning.result() == Ended.STOPPED
        assert 0 < bench.count(Counter.ROUNDS) < MANY_ROUNDS


def test_triggers_come_back_while_the_loop_runs() -> None:
    with open_bench() as bench:
        thread = thread_of(bench)
        thread.start()
        bench.send_control("Heartbeat")
        bench.host.recv(2_048)
        bench.send(1, best_bid_ask(1, 99, 100, 10, 10))
        bench.send(0, best_bid_ask(1, 120, 121, 10, 10))
        bench.send(1, best_bid_ask(2, 98, 99, 10, 10))
        bench.gateway.recv(2_048)
        thread.stop()
        assert thread.join()
        assert bench.count(Counter.TRIGGERS_SENT) >= 1


def test_a_datagram_wakes_a_sleeping_loop() -> None:
    with open_bench(wait_ms=1_000_000) as bench:
        thread = thread_of(bench)
        thread.start()
        wait_until(lambda: bench.count(Counter.SLEEPS) > 0)
        bench.send_control("StatusRequest")
        bench.host.recv(2_048)
        thread.stop()
        assert not thread.join(0)
        bench.send_control("StatusRequest")
        assert thread.join()


def test_a_thread_that_was_not_started_has_ended() -> None:
    with open_bench() as bench:
        thread = thread_of(bench)
        thread.stop()
        assert thread.join()


def test_a_core_that_is_not_there_is_named_with_those_that_are() -> None:
    with open_bench() as bench:
        thread = thread_of(bench, core=4_000)
        with pytest.raises(MissingInput, match=r"core 4000 cannot be used: .* may use \[0"):
            thread.start()
        assert bench.count(Counter.ROUNDS) == 0


def test_a_thread_is_pinned_alone() -> None:
    before = os.sched_getaffinity(0)
    core = max(before)
    with ThreadPoolExecutor(max_workers=1) as executor:
        executor.submit(pin, core).result()
        assert executor.submit(os.sched_getaffinity, 0).result() == {core}
    assert os.sched_getaffinity(0) == before


def test_a_full_log_is_drained_without_losing_a_step() -> None:
    with open_bench(event_log=True, ring_bytes=4_096) as bench:
        bench.engine.state[state.EVENT_LOG_CAPACITY] = 4_096
        steps: list[bytes] = []
        drain = LogDrain(bench.ring, steps.extend)
        thread = thread_of(bench, drain)
        drain.start(bench.engine.event_log())
        before = len(steps)
        thread.start()
        for sequence in range(1, 2_001):
            bench.send(0, best_bid_ask(sequence, 99, 100, 10, 10))
            if sequence % 100 == 0:
                wait_until(partial(has_quotes, bench, sequence))
        thread.stop()
        assert thread.join()
        drain.close(bench.engine.event_log())
        assert len(steps) - before == 2_000


def test_a_full_log_without_a_drain_ends_the_loop() -> None:
    with open_bench(event_log=True, ring_bytes=4_096) as bench:
        bench.engine.state[state.EVENT_LOG_CAPACITY] = 4_096
        thread = thread_of(bench)
        thread.start()
        for sequence in range(1, 200):
            bench.send(0, best_bid_ask(sequence, 99, 100, 10, 10))
        with pytest.raises(Fatal, match="nothing drains it"):
            thread.join()


def test_a_ring_that_cannot_take_the_engines_log_is_refused() -> None:
    with open_bench(event_log=True, ring_bytes=4_096) as bench, pytest.raises(Fatal, match="room for 4096 bytes"):
        thread_of(bench).start()

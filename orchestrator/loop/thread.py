"""The thread that the loop runs on: pinned to its core, without the interpreter's lock."""

from __future__ import annotations

import os
from concurrent.futures import Future, ThreadPoolExecutor, wait

from market.errors import Fatal, MissingInput
from market.fastpath import state
from market.fastpath.engine import CpuEngine
from market.fastpath.entries import Words
from market.receive import log_ring
from market.receive.loop import FOREVER, Ended, run
from market.receive.words import stop
from orchestrator.loop.event_log import LogDrain


class LoopThread:
    """Runs a loop until it is stopped.

    Parameters
    ----------
    engine: nobody else may touch it while the loop runs.
    words: of the loop, its sockets open until ``join`` has returned.
    log: drains the event log, if the engine keeps one. ring: the memory of its ring.
    core: the processor core to pin the thread to, or -1.
    """

    def __init__(self, engine: CpuEngine, words: Words, ring: Words, log: LogDrain | None, *, core: int = -1) -> None:
        self.engine = engine
        self.words = words
        self._ring = ring
        self._log = log
        self._core = core
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="receive-loop")
        self._running: Future[None] | None = None

    def start(self) -> None:
        """Compile the loop if that has not been done, then run it in a thread.

        Raises MissingInput when the thread cannot be pinned, Fatal for a ring that is smaller than the engine's log.
        """
        area, room = int(self.engine.state[state.EVENT_LOG_CAPACITY]), self._ring[log_ring.RECORDS :].nbytes
        if area > room:
            raise Fatal(f"the log ring has room for {room} bytes; expected at least {area}, the engine's own log")
        run.compiled()
        if self._core >= 0:
            self._executor.submit(pin, self._core).result()
        self._running = self._executor.submit(self._run)

    def stop(self) -> None:
        """Tell the loop to return; ``join`` waits until it has."""
        stop(self.words)

    def join(self, timeout_s: float | None = None) -> bool:
        """Wait for the loop to end, for so long at most; returns whether it has. Raises what ended it."""
        if self._running is None:
            return True
        ended, _ = wait([self._running], timeout_s)
        if not ended:
            return False
        self._executor.shutdown()
        self._running.result()
        return True

    def _run(self) -> None:
        while run(self.engine.state, self.words, self._ring, FOREVER) == Ended.LOG_FULL:
            if self._log is None:
                raise Fatal("the event log is full, and nothing drains it: give the loop a drain")
            self._log.relieve()


def pin(core: int) -> None:
    """Let the calling thread run on one core only; raises MissingInput where that is not possible."""
    allowed = sorted(os.sched_getaffinity(0))
    try:
        os.sched_setaffinity(0, {core})
    except OSError as error:
        text = f"core {core} cannot be used: {error.strerror}; this process may use {allowed}"
        raise MissingInput(f"{text}, see `loop.core`") from error

"""A replay through the compiled loop, batch by batch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from market.errors import Fatal
from market.fastpath.engine import CpuEngine
from market.fastpath.specification import EngineSizes
from market.pipeline import layout
from market.pipeline.journal import Journal
from market.pipeline.loop import run
from market.pipeline.samples import Samples
from market.pipeline.settlement import new_control
from market.pipeline.signal_stage import SignalPlan
from market.wire.records import Rows, Words
from sim.replay.arming import arm
from sim.replay.feed import FeedSettings
from sim.replay.front import Front, SignalSummary, SourceSummary

QUOTES_PER_DRAIN = 1 << 14
CHANGES_PER_DRAIN = 1 << 14


@dataclass(frozen=True)
class SessionSettings:
    """What to replay, and how the host around the engine behaves.

    Parameters
    ----------
    sources: recordings; ties in receive time go to the first.
    tables: table rows of the engine as control messages, numbered from 2.
    settle_after_ns: from a trigger to the settlement of its legs; below 0: never.
    filled: whether legs are settled as filled.
    heartbeat_every_ns: interval of the heartbeats that renew the lease; 0: none.
    workers: threads that decode.
    keep_quotes, keep_changes: whether to journal quotes and opportunities.
    signals: market signals to sample beside the decisions; None: none.
    """

    sources: tuple[FeedSettings, ...]
    tables: tuple[bytes, ...]
    sizes: EngineSizes
    settle_after_ns: int = 1_000_000
    filled: bool = False
    heartbeat_every_ns: int = 100_000_000
    workers: int = 1
    keep_quotes: bool = False
    keep_changes: bool = False
    signals: SignalPlan | None = None


class Sink(Protocol):
    """Takes what a session produces while it runs, in order."""

    def outputs(self, payloads: list[bytes]) -> None:
        """Payloads that the engine sent."""

    def quotes(self, rows: Rows) -> None:
        """Quote rows, columns as ``layout.QUOTE_ROW`` says."""

    def changes(self, rows: Rows) -> None:
        """Opportunity changes, columns as ``layout.CHANGE_ROW`` says."""


SampleSink = Callable[[Samples], None]
"""Takes samples of the market signals while a session runs, in order of time."""


def leave_samples(samples: Samples) -> None:
    """A sink that has no use for samples."""


@dataclass(frozen=True)
class SessionSummary:
    """The outcome of a replay.

    Parameters
    ----------
    counters: the engine's counters by their names in a status message.
    histogram: messages by processing time in time-stamp counter ticks, buckets of ``journal.bucket_floor``; empty
        when the engine was fed event by event.
    signals: the market signals at the end; None when the settings ask for none.
    """

    sources: tuple[SourceSummary, ...]
    decision_hash: str
    parity: int
    counters: dict[str, int]
    histogram: Words
    messages: int
    signals: SignalSummary | None = None
    interrupted: bool = False


def hand_on(samples: Samples, take_samples: SampleSink) -> None:
    """Give samples to a sink if there are any."""
    if len(samples):
        take_samples(samples)


class Session:
    """One replay with the compiled CPU engine; ``run`` it once."""

    def __init__(self, settings: SessionSettings, sink: Sink, take_samples: SampleSink = leave_samples) -> None:
        self.settings = settings
        self.engine = CpuEngine(settings.sizes)
        self._sink = sink
        self._take_samples = take_samples
        self._journal = Journal(
            QUOTES_PER_DRAIN if settings.keep_quotes else 0, CHANGES_PER_DRAIN if settings.keep_changes else 0
        )

    def run(self, advance: Callable[[int], None] = lambda content_bytes: None) -> SessionSummary:
        """Replay everything; ``advance`` is told now and then how many bytes of content have been read.

        An interrupt ends the replay at a batch boundary; the summary then says so. Raises MissingInput for
        unreadable files, Fatal when the engine refuses its tables.
        """
        settings = self.settings
        front = Front(settings.sources, settings.workers, settings.signals)
        try:
            start_ns = front.start_ns()
            sequence, answers = arm(self.engine, settings.tables, start_ns)
            self._sink.outputs(answers)
            control = new_control(
                settle_after_ns=settings.settle_after_ns,
                filled=settings.filled,
                heartbeat_every_ns=settings.heartbeat_every_ns,
                first_heartbeat_ns=start_ns,
                next_sequence=sequence,
            )
            interrupted = self._loop(front, control, advance)
        finally:
            front.close()
        if control[layout.OVERRUN]:
            raise Fatal(
                f"more than {layout.QUEUE_ENTRIES} legs waited for settlement: settle sooner or trigger less often"
            )
        summaries = tuple(front.summaries())
        return SessionSummary(
            sources=summaries,
            decision_hash=self.engine.decision_hash,
            parity=self.engine.parity,
            counters=self.engine.counters,
            histogram=self._journal.histogram.copy(),
            messages=sum(summary.messages for summary in summaries),
            signals=front.signal_summary(),
            interrupted=interrupted,
        )

    def _loop(self, front: Front, control: Words, advance: Callable[[int], None]) -> bool:
        """Run the compiled loop until the sources end; returns whether it was interrupted."""
        event = np.zeros(layout.EVENT_WORDS, dtype=np.int64)
        needed = layout.NEEDS_ROOM
        try:
            while needed != layout.DONE:
                needed = run(front.words, len(front), self.engine.state, control, self._journal.words, event)
                if needed <= -3:
                    front.refill(-3 - needed)
                    hand_on(front.take_samples(), self._take_samples)
                    advance(front.content_bytes)
                else:
                    self._drain()
        except KeyboardInterrupt:
            return True
        finally:
            self._drain()
            hand_on(front.take_last_samples(), self._take_samples)
        return False

    def _drain(self) -> None:
        self._sink.outputs(self.engine.outputs())
        if self.settings.keep_quotes:
            self._sink.quotes(self._journal.take_quotes())
        if self.settings.keep_changes:
            self._sink.changes(self._journal.take_changes())

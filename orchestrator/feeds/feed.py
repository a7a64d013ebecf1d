"""Live connections as a feed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import Future, wait
from pathlib import Path
from typing import Any, Final, Protocol

from market.errors import Fatal
from market.protocols import FeedStatus
from market.wire.records import Batch
from orchestrator.feeds.account import MessageAccount
from orchestrator.feeds.arrivals import Arrivals, Times
from orchestrator.feeds.capture import Capture
from orchestrator.feeds.decoding import Decoder
from orchestrator.feeds.health import HealthMetrics, SourceState
from orchestrator.feeds.limits import FeedLimits
from orchestrator.feeds.link import Link
from orchestrator.feeds.live_source import LiveSource, SourceSettings
from orchestrator.live.network import NetworkThread, end_tasks

_END_S: Final = 15.0


class SourcePlan(Protocol):
    """How one source is made."""

    @property
    def settings(self) -> SourceSettings:
        """What it carries."""

    @property
    def limits(self) -> FeedLimits: ...

    @property
    def is_checked(self) -> bool:
        """Whether fetched books are compared with those that the stream made."""

    @property
    def has_reserve(self) -> bool:
        """Whether a second stream stands by."""

    def decoder(self) -> Decoder:
        """A decoder of its messages."""

    def link(self, index: int, arrivals: Arrivals, note: Callable[[str], None]) -> Link:
        """What it is connected to."""

    def recorded(self, path: Path) -> object:
        """The source as a recording of it, to be replayed from a file."""


class LiveFeed:
    """Several live sources, a ``market.protocols.Feed``; ``start`` it before use and ``close`` it in the end.

    Everything is called in the loop's thread. Sources, their order and all receive times are as the replay of a capture
    has them.

    Parameters
    ----------
    wake: ends the loop's wait. network: where all connections live.
    note: told, from any thread, what people should read.
    """

    def __init__(
        self,
        plans: Sequence[SourcePlan],
        *,
        clock: Times,
        wake: Callable[[], None],
        network: NetworkThread,
        note: Callable[[str], None] = lambda text: None,
    ) -> None:
        if not plans:
            raise Fatal("a live feed needs at least one source")
        names = [plan.settings.name for plan in plans]
        if len(set(names)) != len(names):
            raise Fatal(f"two sources of a live feed have the same name: {names}")
        self._plans = tuple(plans)
        self._network = network
        self._note = note
        self._wake = wake
        self._capture: Capture | None = None
        self._writing: _Running | None = None
        self._running: list[_Running] = []
        self._arrivals = Arrivals(clock, wake, len(plans))
        self._decoders = [plan.decoder() for plan in plans]
        self._sources = [
            LiveSource(
                plan.settings,
                index,
                self._arrivals,
                self._decoders[index],
                plan.link(index, self._arrivals, note),
                plan.limits,
                clock,
                network.post,
                note,
                is_checked=plan.is_checked,
                has_reserve=plan.has_reserve,
            )
            for index, plan in enumerate(plans)
        ]

    @property
    def sources(self) -> Sequence[LiveSource]:
        """The sources by number."""
        return self._sources

    def start(self) -> None:
        """Connect all sources."""
        self._running = [_Running(self._network, source.link.run()) for source in self._sources]

    def close(self) -> None:
        """End all connections; what has arrived can still be taken, then every source is FINISHED."""
        running, self._running = self._running, []
        for one in running:
            one.end()
        for source in self._sources:
            source.close()
        self._wake()

    def take(self, source: int) -> Batch | None:
        """The source's next batch, None when nothing waits; it stays valid until the source's next ``take``."""
        return self._sources[source].take()

    def status(self, source: int) -> FeedStatus:
        """FINISHED once the feed was closed and the last batch was taken."""
        return self._sources[source].status

    def request_snapshot(self, source: int, market: int) -> None:
        """Ask for a whole book; asked of the venue no more often than the limits of the source say."""
        self._sources[source].request_snapshot(market)

    def state(self, source: int) -> SourceState:
        """Whether a source may be traded on."""
        return self._sources[source].state

    @property
    def is_paused(self) -> bool:
        """Whether trading must pause, since a source is not live."""
        return any(source.state is not SourceState.LIVE for source in self._sources)

    def metrics(self) -> list[HealthMetrics]:
        """The numbers of each source."""
        return [source.metrics() for source in self._sources]

    def accounts(self) -> list[MessageAccount]:
        """Where every message of each source is; exact in the loop's thread."""
        return [source.account() for source in self._sources]

    @property
    def received(self) -> dict[str, int]:
        """Messages that arrived, by source; from any thread."""
        return {source.name: count for source, count in zip(self._sources, self._arrivals.messages, strict=True)}

    @property
    def queued(self) -> int:
        """Arrivals that were not taken, of all sources; about right from any thread."""
        return self._arrivals.queued

    def resume(self, source: int) -> None:
        """Try a source again that was given up; a human has looked."""
        self._network.post(self._sources[source].link.resume)

    def start_capture(self, folder: Path) -> Sequence[Path]:
        """Write down what is taken from here on, a file per source; gives their names.

        A capture that begins before ``start`` replays to the same decisions. A later one begins with fetched books.
        Raises MissingInput when a file exists or cannot be made, Fatal while there is a capture already.
        """
        if self._capture is not None:
            raise Fatal("the feed is being captured already: stop that capture first")
        forms = [(source.name, decoder) for source, decoder in zip(self._sources, self._decoders, strict=True)]
        capture = Capture(folder, forms)
        capture.open()
        self._capture = capture
        for source, written in zip(self._sources, capture.sources, strict=True):
            source.tap = written.take
            source.watch_recording()
        self._writing = _Running(self._network, capture.run())
        return [written.path for written in capture.sources]

    def stop_capture(self) -> None:
        """Finish the files; nothing happens without a capture. Raises OSError when they cannot be written."""
        capture, writing = self._capture, self._writing
        if capture is None or writing is None:
            return
        self._capture = self._writing = None
        for source in self._sources:
            source.tap = None
        writing.end()
        capture.close()


class _Running:
    """A coroutine in the network's thread that can be ended and waited for from another."""

    def __init__(self, network: NetworkThread, work: Coroutine[Any, Any, None]) -> None:
        self._network = network
        self._ended = asyncio.Event()
        self._future: Future[None] = network.start(self._run(work))

    def end(self) -> None:
        """Cancel it and wait until it is over; its error has been told by the network's thread."""
        self._network.post(self._ended.set)
        wait([self._future], _END_S)

    async def _run(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        ended = asyncio.ensure_future(self._ended.wait())
        try:
            await asyncio.wait({task, ended}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            await end_tasks([task, ended])
        if not task.cancelled() and (error := task.exception()) is not None:
            raise error

"""Recordings as a feed: the decoded batches of sim.replay's sources, one source per file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from market.errors import Fatal
from market.protocols import FeedStatus
from market.wire.records import Batch
from sim.replay.feed import FeedSettings, RecordedFeed


class ReplayFeed:
    """Recordings side by side; ``open`` them before use.

    Parameters
    ----------
    settings: one per recording; their order breaks ties of receive times.
    """

    def __init__(self, settings: Sequence[FeedSettings]) -> None:
        if not settings:
            raise Fatal("a replay needs at least one source")
        self._settings = tuple(settings)
        self._recordings: list[RecordedFeed] = []
        self._batches: list[Iterator[Batch]] = []
        self._statuses = [FeedStatus.CONNECTING] * len(settings)

    def open(self) -> ReplayFeed:
        """Open the files and return self; raises MissingInput for one that cannot be read."""
        self._recordings = [source.open() for source in self._settings]
        self._batches = [recording.batches() for recording in self._recordings]
        self._statuses = [FeedStatus.LIVE] * len(self._settings)
        return self

    @property
    def sources(self) -> Sequence[FeedSettings]:
        """The recordings by number."""
        return self._settings

    @property
    def recordings(self) -> Sequence[RecordedFeed]:
        """The opened recordings, which know of damage and of how much was read."""
        return tuple(self._recordings)

    def take(self, source: int) -> Batch | None:
        """The next batch, None at the end; raises Fatal before ``open``."""
        if not self._batches:
            raise Fatal("a replay feed was used before it was opened: call open()")
        batch = next(self._batches[source], None)
        if batch is None:
            self._statuses[source] = FeedStatus.FINISHED
        return batch

    def status(self, source: int) -> FeedStatus:
        """FINISHED once the last batch was taken."""
        return self._statuses[source]

    def request_snapshot(self, source: int, market: int) -> None:
        """Nothing: a recording has the snapshots that were asked for when it was made."""

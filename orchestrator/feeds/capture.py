"""What the loop takes of a live feed, written down: files as ``tickwire record`` makes them.

A source's file holds exactly what the source gave the loop, in that order and with those receive times, breaks and
reissued books included. So a replay of the files gives the loop the same records in the same order.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Protocol

from orchestrator.feeds.arrivals import Arrival
from orchestrator.recording.capture_file import CaptureFile, Rotation
from orchestrator.recording.recorder import Counts, Recorder

WRITE_EVERY_S: Final = 0.25


class Form(Protocol):
    """How arrivals of a source stand in a file."""

    @property
    def suffix(self) -> str: ...

    @property
    def preamble(self) -> bytes: ...

    def record(self, arrival: Arrival) -> bytes: ...


class SourceCapture:
    """The file of one source; ``take`` in the loop's thread, the rest in any one other."""

    def __init__(self, path: Path, form: Form) -> None:
        self.path = path
        self._form = form
        self._waiting: deque[Sequence[Arrival]] = deque()
        self._file = CaptureFile(path, Rotation(), preamble=form.preamble)
        self._recorder = Recorder(self._file)

    @property
    def counts(self) -> Counts:
        """What was written so far."""
        return self._recorder.counts

    def open(self) -> None:
        """Begin the file; raises MissingInput if that is not possible."""
        self._file.open()

    def take(self, arrivals: Sequence[Arrival]) -> None:
        """Write arrivals, soon."""
        self._waiting.append(tuple(arrivals))

    def write(self) -> None:
        """Write what waits and hand it to the operating system; raises OSError."""
        waiting, recorder = self._waiting, self._recorder
        if not waiting:
            return
        while waiting:
            for arrival in waiting.popleft():
                record = self._form.record(arrival)
                if record:
                    recorder.take(arrival.stamp_ns, record)
                else:
                    recorder.counts.skipped += 1
        self._file.flush()

    def close(self) -> None:
        """Write what waits, and finish the file."""
        self.write()
        self._file.close()


class Capture:
    """The files of all sources of a feed.

    Parameters
    ----------
    folder: exists or is made. forms: of each source, by name.
    """

    def __init__(self, folder: Path, forms: Sequence[tuple[str, Form]]) -> None:
        self.sources = [SourceCapture(folder / f"{name}{form.suffix}", form) for name, form in forms]
        self._folder = folder
        self._writing = threading.Lock()

    def open(self) -> None:
        """Begin all files; raises MissingInput for one that exists or cannot be made."""
        self._folder.mkdir(parents=True, exist_ok=True)
        for source in self.sources:
            source.open()

    async def run(self) -> None:
        """Write every now and then, off the network's thread; raises OSError when a file cannot be written."""
        while True:
            await asyncio.sleep(WRITE_EVERY_S)
            await asyncio.to_thread(self._write)

    def close(self) -> None:
        """Write what waits and finish the files; ``run`` must have been cancelled."""
        with self._writing:
            for source in self.sources:
                source.close()

    def _write(self) -> None:
        with self._writing:
            for source in self.sources:
                source.write()

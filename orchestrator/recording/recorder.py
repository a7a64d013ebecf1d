"""Messages as they arrive, as records of a capture file, counted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec

from orchestrator.recording.capture_file import CaptureFile


@dataclass(slots=True)
class Counts:
    """What was recorded so far.

    Parameters
    ----------
    messages: records written, snapshots included. skipped: messages that the format cannot hold. lost: datagrams
        that the kernel dropped. connections: connections that stood; snapshots: order books fetched.
    """

    messages: int = 0
    skipped: int = 0
    lost: int = 0
    connections: int = 0
    snapshots: int = 0
    first_ns: int | None = None
    last_ns: int | None = None


class Recorder:
    """Counts records on their way into a capture file.

    Parameters
    ----------
    limit: records after which ``is_full``; None for no limit.
    """

    def __init__(self, file: CaptureFile, *, limit: int | None = None) -> None:
        self.file = file
        self.counts = Counts()
        self._limit = limit

    @property
    def is_full(self) -> bool:
        """Whether as many records as wanted are written."""
        return self._limit is not None and self.counts.messages >= self._limit

    def take(self, time_ns: int, record: bytes) -> None:
        """Write one record that was received at a time; nothing more once it is full. Raises OSError."""
        if self.is_full:
            return
        self.file.write(time_ns, record)
        counts = self.counts
        counts.messages += 1
        counts.first_ns = time_ns if counts.first_ns is None else counts.first_ns
        counts.last_ns = time_ns

    def take_line(self, time_ns: int, message: bytes) -> bool:
        """Write one JSON message as ``<receive ns> <json>``; False, and counted, if it cannot stand on a line."""
        line = one_line(message)
        if line is None:
            self.counts.skipped += 1
            return False
        self.take(time_ns, b"%d %s\n" % (time_ns, line))
        return True

    def result(self) -> dict[str, Any]:
        """Everything for JSON."""
        counts = self.counts
        return {
            "files": [str(path) for path in self.file.files],
            "messages": counts.messages,
            "content_bytes": self.file.content_bytes,
            "skipped": counts.skipped,
            "lost": counts.lost,
            "connections": counts.connections,
            "snapshots": counts.snapshots,
            "first_ns": counts.first_ns,
            "last_ns": counts.last_ns,
        }


def one_line(message: bytes) -> bytes | None:
    """A message without line breaks: as it is, or as compact JSON; None if it is empty or no JSON then."""
    if b"\n" not in message and b"\r" not in message:
        return message or None
    try:
        return msgspec.json.format(message, indent=-1)
    except msgspec.DecodeError:
        return None

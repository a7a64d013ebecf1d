"""Reading journals, whole or cut off at any byte."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from market.errors import MissingInput
from orchestrator.storage.journal_format import (
    FRAME_BYTES,
    HEADER_BYTES,
    UnreadableJournal,
    decode_header,
    decode_payload,
    payload_at,
)
from orchestrator.storage.records import JournalRecord

_CHUNK_BYTES: Final = 1 << 22


@dataclass(frozen=True)
class Journal:
    """What one file holds.

    Parameters
    ----------
    whole_bytes: end of the last whole record. torn_bytes: what follows it, left by a write that was cut off.
    """

    session: int
    records: tuple[JournalRecord, ...]
    whole_bytes: int
    torn_bytes: int


def read_journal(path: Path) -> Journal:
    """Read a journal.

    Raises MissingInput when it cannot be read, and UnreadableJournal for a file of another kind or version, and for
    one that is damaged in its middle: whole records after a damaged one cannot be a write that was cut off.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise MissingInput(f"{path}: {error.strerror or error}") from error
    session = decode_header(data[:HEADER_BYTES], str(path))
    view = memoryview(data)
    position = HEADER_BYTES
    records: list[JournalRecord] = []
    while (payload := payload_at(view, position, position)) is not None:
        records.append(decode_payload(payload, f"{path} at byte {position}"))
        position += FRAME_BYTES + len(payload)
    if position < len(data):
        _check_nothing_follows(view, position, path)
    return Journal(session, tuple(records), position, len(data) - position)


def _check_nothing_follows(data: memoryview, torn_at: int, path: Path, offset: int = 0) -> None:
    """Raises UnreadableJournal for a whole record behind a damaged one; ``data`` begins at byte ``offset``."""
    for position in range(torn_at + 1, offset + len(data) - FRAME_BYTES):
        if payload_at(data, position - offset, position) is not None:
            raise UnreadableJournal(
                f"{path} is damaged at byte {torn_at}, and a whole record follows at byte {position}; expected "
                f"whole records up to the last one: restore the file from a copy, or cut it to {torn_at} bytes and "
                "compare orders and positions with the venues by hand"
            )


class JournalTail:
    """Reads a journal that is still being written, in portions.

    Parameters
    ----------
    start: place of the first record to read, an end of a record or 0 for the first one.
    """

    def __init__(self, path: Path, start: int = 0) -> None:
        self._path = path
        self._position = start or HEADER_BYTES
        self._descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        decode_header(os.pread(self._descriptor, HEADER_BYTES, 0), str(path))

    @property
    def position(self) -> int:
        """End of the last record that was read."""
        return self._position

    def read(self, most: int) -> Iterator[JournalRecord]:
        """The next records, at most so many; those that are not written to their end come another time."""
        wanted = _CHUNK_BYTES
        data = memoryview(os.pread(self._descriptor, wanted, self._position))
        base, at = self._position, 0
        while most > 0:
            payload = payload_at(data, at, base + at)
            if payload is None:
                if at or len(data) < wanted:
                    return
                # A record that is larger than what was read.
                wanted *= 8
                data = memoryview(os.pread(self._descriptor, wanted, base))
                continue
            at += FRAME_BYTES + len(payload)
            record = decode_payload(payload, str(self._path))
            self._position = base + at
            yield record
            most -= 1

    def check_end(self) -> None:
        """See that what is left of a finished file is no more than a write that was cut off.

        Raises UnreadableJournal when whole records follow a damaged one.
        """
        left = os.fstat(self._descriptor).st_size - self._position
        if left:
            data = memoryview(os.pread(self._descriptor, left, self._position))
            _check_nothing_follows(data, self._position, self._path, self._position)

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)

"""Bytes of a capture file in order, decompressed where it is gzip or Zstandard."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, NoReturn, cast

import zstandard

from market.errors import MissingInput, Rejected

_GZIP = b"\x1f\x8b"
_ZSTANDARD = b"\x28\xb5\x2f\xfd"
_DAMAGED = (OSError, EOFError, zlib.error, zstandard.ZstdError)


class Source:
    """A stream of bytes that knows its file and position, for exact error texts."""

    def __init__(self, path: Path, stream: BinaryIO) -> None:
        self.path = path
        self.position = 0
        self._stream = stream

    def fail(self, seen: str, expected: str) -> NoReturn:
        """Raise Rejected for what stands at the current position."""
        raise Rejected(f"capture {self.path}, byte {self.position}: {seen}; expected {expected}")

    def read(self, count: int, what: str) -> bytes:
        """Exactly ``count`` bytes; Rejected if the file ends before."""
        data = self._take(count)
        if len(data) < count:
            self.fail(f"{what} was cut off after {len(data)} of {count} bytes", "a complete capture file")
        self.position += count
        return data

    def read_or_end(self, count: int, what: str) -> bytes:
        """As ``read``, but empty at the end of the file."""
        data = self._take(count)
        if data and len(data) < count:
            self.fail(f"{what} was cut off after {len(data)} of {count} bytes", "a complete capture file")
        self.position += len(data)
        return data

    def _take(self, count: int) -> bytes:
        pieces: list[bytes] = []
        try:
            while count and (piece := self._stream.read(count)):
                pieces.append(piece)
                count -= len(piece)
        except _DAMAGED as error:
            self.fail(f"compressed data is damaged ({error})", "a complete gzip or Zstandard file")
        return b"".join(pieces)


@contextmanager
def open_source(path: Path) -> Iterator[Source]:
    """The bytes of a file. Raises MissingInput if it cannot be opened."""
    try:
        raw = path.open("rb")
    except OSError as error:
        raise MissingInput(f"capture {path} cannot be read: {error.strerror}; name a pcap or pcapng file") from error
    with raw:
        magic = raw.read(4)
        raw.seek(0)
        if magic.startswith(_GZIP):
            with gzip.open(raw) as stream:
                yield Source(path, cast(BinaryIO, stream))
        elif magic == _ZSTANDARD:
            with zstandard.ZstdDecompressor().stream_reader(raw, read_across_frames=True) as stream:
                yield Source(path, cast(BinaryIO, stream))
        else:
            yield Source(path, raw)

"""A file that grows while a feed is recorded: plain, gzip or Zstandard by its name, rotated, readable once flushed."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, cast

import zstandard

from market.errors import MissingInput

_GZIP_LEVEL: Final = 6
_ZSTD_LEVEL: Final = 3


@dataclass(frozen=True, kw_only=True)
class Rotation:
    """When a new file begins; None: never for that reason.

    Parameters
    ----------
    content_bytes: content of a file before compression. duration_ns: time between first and last record of a file.
    """

    content_bytes: int | None = None
    duration_ns: int | None = None

    @property
    def is_on(self) -> bool:
        """Whether there may be more than one file."""
        return self.content_bytes is not None or self.duration_ns is not None


class CaptureFile:
    """Takes records one after the other; ``close`` makes the last file whole.

    Parameters
    ----------
    path: of the file; with rotation, files are numbered before the first suffix: ``btc.gz`` becomes ``btc-0001.gz``.
    preamble: what every file begins with.
    overwrite: whether existing files are replaced rather than refused.
    on_begin: called after each file has begun.

    Members
    -------
    files: paths so far. content_bytes: of all files, before compression.
    """

    def __init__(
        self,
        path: Path,
        rotation: Rotation,
        *,
        preamble: bytes = b"",
        overwrite: bool = False,
        on_begin: Callable[[], None] = lambda: None,
    ) -> None:
        self.files: list[Path] = []
        self.content_bytes = 0
        self.on_begin = on_begin
        self._path = path
        self._rotation = rotation
        self._preamble = preamble
        self._mode = "wb" if overwrite else "xb"
        self._stream: BinaryIO | None = None
        self._began_ns = 0
        self._began_bytes = 0

    def open(self) -> None:
        """Begin the first file; raises MissingInput if that is not possible."""
        self._begin(0)

    def write(self, time_ns: int, record: bytes) -> None:
        """Append one whole record; it may be the first one of a new file."""
        if self._stream is None or self._is_full(time_ns):
            self._begin(time_ns)
        if self._began_ns == 0:
            self._began_ns = time_ns
        self._append(record)

    def flush(self) -> None:
        """Hand everything so far to the operating system, so that a reader can decompress it."""
        if self._stream is not None:
            self._stream.flush()

    def close(self) -> None:
        """Finish the file; nothing happens when none is open."""
        if self._stream is not None:
            stream, self._stream = self._stream, None
            stream.close()

    def _is_full(self, time_ns: int) -> bool:
        limits = self._rotation
        if limits.content_bytes is not None and self.content_bytes - self._began_bytes >= limits.content_bytes:
            return True
        return limits.duration_ns is not None and 0 < self._began_ns <= time_ns - limits.duration_ns

    def _begin(self, time_ns: int) -> None:
        self.close()
        path = self._numbered(len(self.files) + 1) if self._rotation.is_on else self._path
        self._stream = self._open(path)
        self.files.append(path)
        self._began_ns, self._began_bytes = time_ns, self.content_bytes
        self._append(self._preamble)
        self.on_begin()

    def _append(self, content: bytes) -> None:
        if self._stream is not None:
            self._stream.write(content)
            self.content_bytes += len(content)

    def _numbered(self, number: int) -> Path:
        stem, dot, suffixes = self._path.name.partition(".")
        return self._path.with_name(f"{stem}-{number:04}{dot}{suffixes}")

    def _open(self, path: Path) -> BinaryIO:
        try:
            raw = cast("BinaryIO", path.open(self._mode))
        except FileExistsError:
            raise MissingInput(f"{path} exists: name another file, or pass --overwrite") from None
        except OSError as error:
            raise MissingInput(f"{path} cannot be written: {error.strerror}") from error
        return _compressed(path, raw)


def _compressed(path: Path, raw: BinaryIO) -> BinaryIO:
    if path.suffix == ".gz":
        return cast("BinaryIO", _Gzip(raw))
    if path.suffix == ".zst":
        return cast("BinaryIO", _Zstandard(raw))
    return raw


class _Gzip:
    def __init__(self, raw: BinaryIO) -> None:
        self._raw = raw
        self._packed = gzip.GzipFile(filename="", mode="wb", compresslevel=_GZIP_LEVEL, fileobj=raw)

    def write(self, content: bytes) -> None:
        self._packed.write(content)

    def flush(self) -> None:
        self._packed.flush()
        self._raw.flush()

    def close(self) -> None:
        self._packed.close()
        self._raw.close()


class _Zstandard:
    def __init__(self, raw: BinaryIO) -> None:
        self._raw = raw
        self._packed = zstandard.ZstdCompressor(level=_ZSTD_LEVEL).stream_writer(raw, closefd=False)

    def write(self, content: bytes) -> None:
        self._packed.write(content)

    def flush(self) -> None:
        self._packed.flush(zstandard.FLUSH_BLOCK)
        self._raw.flush()

    def close(self) -> None:
        self._packed.close()  # type: ignore[no-untyped-call]
        self._raw.close()

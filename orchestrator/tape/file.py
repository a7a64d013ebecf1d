"""The file of a tape: MessagePack records one after the other, compressed with Zstandard."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import msgspec
import zstandard

from market.errors import MissingInput, Rejected
from orchestrator.tape.calls import VERSION, Call, Head

_LENGTH_BYTES: Final = 4
_CHUNK_BYTES: Final = 1 << 16
_FLUSH_EVERY: Final = 4_096
"""Records between two points from which a tape can be read although its run was killed."""


class TapeWriter:
    """Writes a new tape; a context manager.

    Raises MissingInput for a file that cannot be written or is there already.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._file = path.open("xb")
        except FileExistsError as error:
            raise MissingInput(f"{path} is there already; a tape is never written over: name another file") from error
        except OSError as error:
            raise MissingInput(f"{path} cannot be written: {error.strerror}") from error
        self._stream = zstandard.ZstdCompressor(level=3).stream_writer(self._file)
        self._encoder = msgspec.msgpack.Encoder()
        self._waiting = _FLUSH_EVERY

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stream.flush(zstandard.FLUSH_FRAME)
        self._file.close()

    def write(self, call: Call) -> None:
        """Append a record."""
        content = self._encoder.encode(call)
        self._stream.write(len(content).to_bytes(_LENGTH_BYTES, "little") + content)
        self._waiting -= 1
        if not self._waiting:
            self._waiting = _FLUSH_EVERY
            self._stream.flush(zstandard.FLUSH_BLOCK)


def read_tape(path: Path) -> tuple[Head, Iterator[Call]]:
    """The head of a tape and the calls that follow; one that was cut off ends with its last whole record.

    Raises MissingInput for a file that cannot be read, Rejected for one that is no tape or has another version.
    """
    try:
        file = path.open("rb")
    except OSError as error:
        raise MissingInput(f"{path} cannot be read: {error.strerror}") from error
    calls = _calls(path, zstandard.ZstdDecompressor().stream_reader(file, closefd=True))
    head = next(calls, None)
    if not isinstance(head, Head):
        raise Rejected(f"{path} does not begin like the tape of a run")
    if head.version != VERSION:
        raise Rejected(f"{path} is a tape of version {head.version}; this program reads version {VERSION}")
    return head, calls


def _calls(path: Path, stream: zstandard.ZstdDecompressionReader) -> Iterator[Call]:
    decoder = msgspec.msgpack.Decoder(Call)
    with stream:
        while length := _read(path, stream, _LENGTH_BYTES):
            content = _read(path, stream, int.from_bytes(length, "little"))
            if not content:
                return
            try:
                yield decoder.decode(content)
            except msgspec.DecodeError as error:
                raise Rejected(f"{path} holds a record that cannot be read: {error}") from error


def _read(path: Path, stream: zstandard.ZstdDecompressionReader, size: int) -> bytes:
    """So many bytes, or none at the end."""
    parts = []
    while size:
        try:
            part = stream.read(min(size, _CHUNK_BYTES))
        except zstandard.ZstdError as error:
            raise Rejected(f"{path} is damaged or no tape: {error}") from error
        if not part:
            return b""
        parts.append(part)
        size -= len(part)
    return b"".join(parts)

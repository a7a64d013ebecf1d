"""Zstandard (RFC 8878), frame by frame and block by block: a block is at most 128 KiB, so memory stays bounded.

Reference of the format: RFC 8878 section 3.1.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

import zstandard

from sim.recording.damage import Damaged, DamageReason

LARGEST_WINDOW: Final = 1 << 27
LARGEST_BLOCK: Final = 1 << 17
_MAGIC: Final = b"\x28\xb5\x2f\xfd"
_SKIPPABLE: Final = range(0x184D2A50, 0x184D2A60)
_RLE, _RESERVED = 1, 3


def is_zstd(head: bytes) -> bool:
    """Whether four bytes begin a Zstandard frame or a skippable one."""
    return head == _MAGIC or (len(head) == 4 and int.from_bytes(head, "little") in _SKIPPABLE)


def unzstd(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The content of a Zstandard stream, at most 128 KiB at a time.

    Raises Damaged when the stream is cut off, corrupt, fails its checksum, needs a window above 128 MiB or a
    dictionary, or is followed by something else.
    """
    source = _Bytes(pieces)
    while magic := source.take(4):
        if magic == _MAGIC:
            yield from _frame(source)
        elif is_zstd(magic):
            source.skip(int.from_bytes(source.demand(4), "little"))
        else:
            raise Damaged(DamageReason.TRAILING, f"bytes that are not Zstandard begin at byte {source.position - 4}")


class _Bytes:
    """Pieces as one stream that knows its position."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = iter(pieces)
        self._buffer = bytearray()
        self.position = 0

    def take(self, count: int) -> bytes:
        """The next ``count`` bytes, fewer at the end of the file."""
        while len(self._buffer) < count:
            piece = next(self._pieces, b"")
            if not piece:
                break
            self._buffer += piece
        taken = bytes(self._buffer[:count])
        del self._buffer[:count]
        self.position += len(taken)
        return taken

    def demand(self, count: int) -> bytes:
        """Exactly ``count`` bytes; Damaged if the file ends before."""
        taken = self.take(count)
        if len(taken) < count:
            raise Damaged(DamageReason.CUT_OFF, f"the Zstandard stream ends in the middle, at byte {self.position}")
        return taken

    def skip(self, count: int) -> None:
        """Pass over ``count`` bytes; Damaged if the file ends before."""
        while count:
            count -= len(self.demand(min(count, LARGEST_BLOCK)))


def _frame(source: _Bytes) -> Iterator[bytes]:
    """The content of one frame whose magic has been read."""
    start = source.position - 4
    inflater = zstandard.ZstdDecompressor(max_window_size=LARGEST_WINDOW).decompressobj(write_size=LARGEST_BLOCK)
    descriptor = source.demand(1)[0]
    header = source.demand(_header_size(descriptor))
    yield from _decompressed(inflater, _MAGIC + bytes([descriptor]) + header, start)
    last = False
    while not last:
        start = source.position
        head = source.demand(3)
        word = int.from_bytes(head, "little")
        last, kind, size = bool(word & 1), word >> 1 & 3, word >> 3
        if kind == _RESERVED or size > LARGEST_BLOCK:
            raise Damaged(DamageReason.CORRUPT, f"the block at byte {start} of the file has an impossible header")
        yield from _decompressed(inflater, head + source.demand(1 if kind == _RLE else size), start)
    if descriptor & 4:
        yield from _decompressed(inflater, source.demand(4), source.position - 4)


def _header_size(descriptor: int) -> int:
    """Bytes of the frame header behind its descriptor."""
    single_segment = descriptor >> 5 & 1
    window = 0 if single_segment else 1
    dictionary = (0, 1, 2, 4)[descriptor & 3]
    content_size = (single_segment, 2, 4, 8)[descriptor >> 6]
    return window + dictionary + content_size


def _decompressed(inflater: zstandard.ZstdDecompressionObj, data: bytes, position: int) -> Iterator[bytes]:
    try:
        out = inflater.decompress(data)
    except zstandard.ZstdError as error:
        if "checksum" in str(error):
            raise Damaged(
                DamageReason.CHECKSUM, "the content does not have the checksum that the Zstandard frame names"
            ) from error
        raise Damaged(
            DamageReason.CORRUPT, f"the Zstandard stream is corrupt at byte {position} of the file ({error})"
        ) from error
    if out:
        yield out

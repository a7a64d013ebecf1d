"""gzip (RFC 1952), several members in a row, with everything in front of a damaged place."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from typing import Any, Final

from sim.recording.damage import Damaged, DamageReason

_MAGIC: Final = b"\x1f\x8b"
_WITH_GZIP_HEADER: Final = 31


def gunzip(pieces: Iterable[bytes], most: int) -> Iterator[bytes]:
    """The content of a gzip stream in pieces of at most ``most`` bytes.

    Raises Damaged when the stream is cut off, corrupt, fails its checksum or is followed by something else.
    """
    inflater = zlib.decompressobj(_WITH_GZIP_HEADER)
    begun, read = False, 0
    for piece in pieces:
        pending = piece
        read += len(piece)
        while pending:
            if inflater.eof:
                if not pending.strip(b"\0"):
                    break
                _expect_member(pending, read - len(pending))
                inflater = zlib.decompressobj(_WITH_GZIP_HEADER)
            begun = True
            checkpoint = inflater.copy()
            try:
                out = inflater.decompress(pending, most)
            except zlib.error as error:
                yield from _salvage(checkpoint, pending, most)
                raise _damaged(error, read - len(pending)) from error
            pending = inflater.unused_data if inflater.eof else inflater.unconsumed_tail
            if out:
                yield out
            if not pending and len(out) == most:
                yield from _rest(inflater, most)
    if begun and not inflater.eof:
        raise Damaged(DamageReason.CUT_OFF, f"the gzip stream ends in the middle, at byte {read} of the file")


def _expect_member(pending: bytes, position: int) -> None:
    if not pending.startswith(_MAGIC[: len(pending)]):
        raise Damaged(DamageReason.TRAILING, f"bytes that are not gzip follow the gzip stream at byte {position}")


def _rest(inflater: Any, most: int) -> Iterator[bytes]:
    """Content that the input so far determines, but that did not fit into the last piece."""
    while out := inflater.decompress(b"", most):
        yield out


def _salvage(checkpoint: Any, pending: bytes, most: int) -> Iterator[bytes]:
    """What the input still gives, byte by byte up to the damaged one."""
    kept = bytearray()
    try:
        for position in range(len(pending)):
            kept += checkpoint.decompress(pending[position : position + 1])
            if len(kept) >= most:
                yield bytes(kept)
                kept.clear()
    except zlib.error:
        pass  # This is the damage that the caller reports.
    if kept:
        yield bytes(kept)


def _damaged(error: zlib.error, position: int) -> Damaged:
    text = str(error)
    if "data check" in text or "length check" in text:
        return Damaged(DamageReason.CHECKSUM, "the content does not have the checksum that the gzip stream names")
    return Damaged(DamageReason.CORRUPT, f"the gzip stream is corrupt behind byte {position} of the file ({text})")

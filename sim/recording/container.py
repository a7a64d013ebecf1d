"""The content of a plain, gzip or Zstandard file as a stream of pieces: bounded memory, all that can be recovered."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO, Final

from market.errors import MissingInput
from sim.recording.damage import Damaged, DamageReason
from sim.recording.gunzip import gunzip
from sim.recording.unzstd import is_zstd, unzstd

READ_BYTES: Final = 1 << 16
GZIP_MAGIC: Final = b"\x1f\x8b"


class Container(StrEnum):
    """How the content is stored."""

    PLAIN = "plain"
    GZIP = "gzip"
    ZSTD = "zstd"


def container_of(path: Path) -> Container:
    """The container, recognised from the first bytes. Raises MissingInput for what is no readable regular file."""
    with open_file(path) as file:
        head = file.read(4)
    if head.startswith(GZIP_MAGIC):
        return Container.GZIP
    return Container.ZSTD if is_zstd(head) else Container.PLAIN


def read_content(path: Path) -> Iterator[bytes]:
    """The content in pieces of some 64 to 128 KiB, none of them empty.

    Raises MissingInput if the file cannot be opened, and Damaged at the first damaged place, behind all that is intact.
    """
    container = container_of(path)
    with open_file(path) as file:
        if container is Container.GZIP:
            yield from gunzip(_pieces(file), READ_BYTES)
        elif container is Container.ZSTD:
            yield from unzstd(_pieces(file))
        else:
            yield from _pieces(file)


def open_file(path: Path) -> BinaryIO:
    """The file, open for reading. Raises MissingInput saying why not."""
    try:
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode):
            what = "a folder" if stat.S_ISDIR(mode) else "a pipe or device"
            raise MissingInput(f"{path} is {what}; expected a regular file")
        return path.open("rb", buffering=0)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise MissingInput(f"{path} cannot be read: {reason}; name a recording") from error


def _pieces(file: BinaryIO) -> Iterator[bytes]:
    while True:
        try:
            piece = file.read(READ_BYTES)
        except OSError as error:
            raise Damaged(DamageReason.UNREADABLE, f"reading failed at byte {file.tell()}: {error.strerror}") from error
        if not piece:
            return
        yield piece

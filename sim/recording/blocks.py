"""Recordings of lines as blocks of whole lines."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sim.recording.container import Container, container_of, read_content
from sim.recording.damage import Damage, Damaged, DamageReason

BLOCK_BYTES: Final = 1 << 20
LINE_BYTES: Final = 1 << 24
_NEWLINE: Final = b"\n"


@dataclass(frozen=True, slots=True)
class Block:
    """Whole lines of a recording.

    Parameters
    ----------
    data: one or more lines, each ending in a newline.
    first_line: number of the first of them in the file, from 1.
    newline_added: the last line of the file, or the one before a damaged place, had no newline and got one here.
    """

    data: bytes
    first_line: int
    newline_added: bool = False


class Blocks:
    """The blocks of one recording, once; afterwards what was wrong with it.

    Members
    -------
    damage: damaged places so far, in order. container: how the file is stored.
    lines: lines delivered or skipped so far. content_bytes: bytes of content read so far.
    newline_added: whether the last line had no newline.
    """

    def __init__(self, path: Path, container: Container, block_bytes: int, line_bytes: int) -> None:
        self.path = path
        self.container = container
        self.damage: list[Damage] = []
        self.lines = 0
        self.content_bytes = 0
        self.newline_added = False
        self._block_bytes = block_bytes
        self._line_bytes = line_bytes
        self._buffer = bytearray()
        self._skipping = False

    def __iter__(self) -> Iterator[Block]:
        """Read the file from its start."""
        broken: Damaged | None = None
        try:
            for piece in read_content(self.path):
                self.content_bytes += len(piece)
                yield from self._add(piece)
        except Damaged as damaged:
            broken = damaged
        yield from self._finish()
        if broken is not None:
            line = self.lines if self.newline_added or self._skipping else self.lines + 1
            self.damage.append(Damage(broken.reason, self.content_bytes, line, broken.detail))

    def _add(self, piece: bytes) -> Iterator[Block]:
        """Take more content; yields what is complete once there is enough of it."""
        if self._skipping:
            end = piece.find(_NEWLINE)
            if end < 0:
                return
            self._skipping = False
            piece = piece[end + 1 :]
        searched = len(self._buffer)
        self._buffer += piece
        if len(self._buffer) < self._block_bytes:
            return
        end = self._buffer.rfind(_NEWLINE, searched) + 1 or self._buffer.rfind(_NEWLINE, 0, searched) + 1
        if end:
            yield from self._emit(end)
        if len(self._buffer) > self._line_bytes:
            self._report_long_line(self.content_bytes - len(self._buffer))
            self._buffer.clear()
            self._skipping = True

    def _finish(self) -> Iterator[Block]:
        """Yield what the buffer still holds; the last line gets a newline if it has none."""
        if not self._buffer:
            return
        self.newline_added = not self._buffer.endswith(_NEWLINE)
        if self.newline_added:
            self._buffer += _NEWLINE
        yield from self._emit(len(self._buffer), self.newline_added)

    def _emit(self, end: int, newline_added: bool = False) -> Iterator[Block]:
        """Yield the first ``end`` bytes of the buffer, without lines that are too long."""
        start_of_buffer = self.content_bytes - len(self._buffer) + int(newline_added)
        data = bytes(memoryview(self._buffer)[:end])
        del self._buffer[:end]
        start = 0
        while (long_line := self._find_long_line(data, start)) is not None:
            begin, behind = long_line
            if begin > start:
                yield self._block(data[start:begin], False)
            self._report_long_line(start_of_buffer + begin)
            start = behind
        if start < len(data):
            yield self._block(data[start:] if start else data, newline_added)

    def _block(self, data: bytes, newline_added: bool) -> Block:
        block = Block(data, self.lines + 1, newline_added)
        self.lines += data.count(_NEWLINE)
        return block

    def _find_long_line(self, data: bytes, start: int) -> tuple[int, int] | None:
        """Begin and end of the first line that is too long, looking only once per ``line_bytes``."""
        position = start
        while position < len(data):
            end = data.rfind(_NEWLINE, position, position + self._line_bytes + 1)
            if end < 0:
                return position, data.index(_NEWLINE, position) + 1
            position = end + 1
        return None

    def _report_long_line(self, offset: int) -> None:
        self.lines += 1
        detail = f"the line is longer than {self._line_bytes} bytes and was skipped"
        self.damage.append(Damage(DamageReason.LONG_LINE, offset, self.lines, detail))


def open_blocks(path: Path, block_bytes: int = BLOCK_BYTES, line_bytes: int = LINE_BYTES) -> Blocks:
    """A recording as blocks of whole lines: plain, gzip or Zstandard, recognised from the content.

    Parameters
    ----------
    block_bytes: blocks are about this long, at most 128 KiB or one line longer.
    line_bytes: longer lines (newline not counted) are skipped and reported.

    Damage never raises: the blocks before it are delivered, then ``Blocks.damage`` says what was wrong. Memory stays
    below about ``2 * (block_bytes + line_bytes)``. Raises MissingInput if the file cannot be opened.
    """
    return Blocks(path, container_of(path), block_bytes, line_bytes)

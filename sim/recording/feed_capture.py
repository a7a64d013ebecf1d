"""Feed captures as blocks of raw lines: what a venue sent on its connections, in the order of receive times.

A capture has one JSON object per line (``sim.recording.lines.CaptureLine``). Frames that were received become
``<receive ns> <text>``; so do answers with the depth of a book, the one thing that books need from HTTP. Captures may
hold one connection after the other; they are then merged by receive time, one reader per connection.
"""

from __future__ import annotations

import heapq
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import msgspec

from market.errors import MissingInput
from sim.recording.blocks import BLOCK_BYTES, Block, open_blocks
from sim.recording.damage import Damage
from sim.recording.lines import CaptureLine

MAXIMUM_LANES: Final = 64
"""Connections that are merged at most; each costs a pass over the file and about two blocks of memory."""
_DEPTH_URL: Final = re.compile(r"/depth\?(?:.*&)?symbol=([A-Za-z0-9_]{1,32})(?:&|$)")
_CONTROL: Final = re.compile(rb"[\x00-\x1f]")
_NAMED: Final = b'"symbol":'

Stamped = tuple[int, bytes]
"""Receive time in ns, and the raw line without its newline."""


class _Frame(CaptureLine):
    """A line of a capture with where it came from."""

    conn: str = ""
    addr: str = ""
    url: str = ""


_frames = msgspec.json.Decoder(_Frame)


@dataclass
class _Survey:
    """What a first pass over a capture found."""

    lanes: list[str] = field(default_factory=list)
    """Connections with something to deliver, in the order of their first line."""
    is_ordered: bool = True
    """Whether receive times never step back."""


class CaptureBlocks:
    """The blocks of one capture; each iteration reads the file anew.

    Members
    -------
    damage: damaged places of the file. lines: lines delivered by the current iteration, which number the blocks'
    lines. content_bytes: bytes of content that its first pass read.
    """

    def __init__(self, path: Path, connection: str, block_bytes: int) -> None:
        self.path = path
        self.damage: list[Damage] = []
        self.lines = 0
        self.content_bytes = 0
        self._connection = connection
        self._block_bytes = block_bytes

    def __iter__(self) -> Iterator[Block]:
        """Read the capture; raises MissingInput when more connections than ``MAXIMUM_LANES`` must be merged."""
        survey = self._survey()
        self.lines = 0
        if survey.is_ordered or len(survey.lanes) < 2:
            yield from self._blocks(self._stamped(set(survey.lanes)))
            return
        if len(survey.lanes) > MAXIMUM_LANES:
            raise MissingInput(
                f"{self.path} is not in the order of receive times and has {len(survey.lanes)} connections; at most "
                f"{MAXIMUM_LANES} can be merged: split the capture"
            )
        lanes = [self._stamped({lane}) for lane in survey.lanes]
        yield from self._blocks(heapq.merge(*lanes, key=lambda stamped: stamped[0]))

    def _survey(self) -> _Survey:
        """Which connections are wanted, and whether they can be read in one pass."""
        survey = _Survey()
        wanted: dict[str, bool] = {}
        blocks = open_blocks(self.path)
        latest = 0
        for block in blocks:
            for line in block.data.split(b"\n")[:-1]:
                frame = _parse(line)
                if frame is None:
                    continue
                if frame.t == "connect":
                    wanted[frame.conn] = self._connection in frame.addr
                if not _delivers(frame) or not wanted.setdefault(frame.conn, True):
                    continue
                if frame.conn not in survey.lanes:
                    survey.lanes.append(frame.conn)
                survey.is_ordered &= frame.time_ns >= latest
                latest = max(latest, frame.time_ns)
        self.damage = blocks.damage
        self.content_bytes = blocks.content_bytes
        return survey

    def _stamped(self, lanes: set[str]) -> Iterator[Stamped]:
        """The lines of some connections in file order; an unreadable one belongs to the line before it."""
        time_ns, lane = 0, ""
        for block in open_blocks(self.path):
            for line in block.data.split(b"\n")[:-1]:
                frame = _parse(line)
                if frame is None:
                    if lane in lanes:
                        yield time_ns, line
                    continue
                if frame.conn:
                    time_ns, lane = frame.time_ns, frame.conn
                if lane in lanes and _delivers(frame):
                    yield time_ns, b"%d %s" % (time_ns, _text(frame))

    def _blocks(self, stamped: Iterator[Stamped]) -> Iterator[Block]:
        parts: list[bytes] = []
        size = 0
        for _, line in stamped:
            parts.append(line)
            size += len(line) + 1
            if size >= self._block_bytes:
                yield self._block(parts)
                parts, size = [], 0
        if parts:
            yield self._block(parts)

    def _block(self, parts: list[bytes]) -> Block:
        first = self.lines + 1
        self.lines += len(parts)
        return Block(b"\n".join([*parts, b""]), first)


def open_capture(path: Path, *, connection: str = "", block_bytes: int = BLOCK_BYTES) -> CaptureBlocks:
    """A feed capture as blocks of raw lines.

    Parameters
    ----------
    connection: text that the address of a connection must hold; one that states no address is taken.
    block_bytes: blocks are about this long, at most one line longer.

    Damage never raises, see ``open_blocks``. Raises MissingInput if the file cannot be opened.
    """
    open_blocks(path)
    return CaptureBlocks(path, connection, block_bytes)


def _parse(line: bytes) -> _Frame | None:
    try:
        return _frames.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _delivers(frame: _Frame) -> bool:
    """Whether the line is a frame that was received, or the depth of a book."""
    return frame.t == "recv" or (frame.t == "http" and _DEPTH_URL.search(frame.url) is not None)


def _text(frame: _Frame) -> bytes:
    """The message on one line; a depth answer without a symbol gets that of its request."""
    text = _CONTROL.sub(b" ", frame.data.encode())
    request = _DEPTH_URL.search(frame.url) if frame.t == "http" else None
    if request is not None and text.startswith(b"{") and _NAMED not in text:
        return b'{"symbol":"%s",%s' % (request.group(1).upper().encode(), text[1:])
    return text

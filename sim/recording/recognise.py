"""What a file is, from its first bytes: container, format, venue, symbols."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from config.venues import VenueName
from sim.recording.container import Container, container_of, read_content
from sim.recording.damage import Damaged
from sim.recording.itch import looks_like_itch
from sim.recording.lines import CAPTURE_LINE, RAW_LINE, parse_capture, parse_message, parse_raw
from sim.recording.messages import Message, classify

HEAD_BYTES: Final = 1 << 18
_PCAP: Final = {bytes.fromhex(magic) for magic in ("a1b2c3d4", "d4c3b2a1", "a1b23c4d", "4d3cb2a1")}
_PCAPNG: Final = bytes.fromhex("0a0d0d0a")


class Format(StrEnum):
    """What the content of a file is."""

    RAW_LINES = "raw-lines"
    FEED_CAPTURE = "feed-capture"
    PCAP = "pcap"
    PCAPNG = "pcapng"
    ITCH = "itch"
    EMPTY = "empty"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Recognised:
    """What the beginning of a file shows.

    Parameters
    ----------
    venue: the venue that most messages at the beginning fit; None if none does.
    symbols: symbols seen at the beginning, in alphabetical order; the file may hold more.
    """

    container: Container
    format: Format
    venue: VenueName | None = None
    symbols: tuple[str, ...] = ()


class Tally:
    """Venues, types and symbols of messages, counted.

    Members
    -------
    kinds: messages by type. symbols: messages by symbol. venues: messages by the venue that their shape gives away.
    unreadable: lines or messages that could not be read or fit no known venue.
    """

    def __init__(self) -> None:
        self.kinds: Counter[str] = Counter()
        self.symbols: Counter[str] = Counter()
        self.venues: Counter[VenueName] = Counter()
        self.unreadable = 0

    def add(self, message: Message | None) -> None:
        """Count one message; None for one that could not be read."""
        if message is None:
            self.unreadable += 1
            return
        self.kinds[message.kind] += 1
        if message.symbol is not None:
            self.symbols[message.symbol] += 1
        if message.venue is not None:
            self.venues[message.venue] += 1

    @property
    def venue(self) -> VenueName | None:
        """The venue that most messages fit; the first seen among equals."""
        return self.venues.most_common(1)[0][0] if self.venues else None


def recognise(path: Path) -> Recognised:
    """Recognise a file from its first 256 KiB of content. Raises MissingInput if it cannot be opened."""
    container = container_of(path)
    head = _head(path)
    kind = format_of(head)
    if kind is Format.RAW_LINES:
        tally = Tally()
        for line in head.split(b"\n")[:-1] or [head]:
            parsed = parse_raw(line)
            tally.add(classify(parsed.message) if parsed else None)
        return Recognised(container, kind, tally.venue, tuple(sorted(tally.symbols)))
    if kind is Format.FEED_CAPTURE:
        return Recognised(container, kind, *_of_capture(head))
    return Recognised(container, kind, VenueName.NASDAQ if kind is Format.ITCH else None)


def format_of(head: bytes) -> Format:
    """The format that the first bytes of content have."""
    if not head:
        return Format.EMPTY
    if head[:4] in _PCAP:
        return Format.PCAP
    if head[:4] == _PCAPNG:
        return Format.PCAPNG
    lines = [line for line in head.split(b"\n")[:200] if line.strip()]
    for kind, pattern in ((Format.FEED_CAPTURE, CAPTURE_LINE), (Format.RAW_LINES, RAW_LINE)):
        if lines and 2 * sum(pattern.match(line) is not None for line in lines) > len(lines):
            return kind
    return Format.ITCH if looks_like_itch(head) else Format.UNKNOWN


def _of_capture(head: bytes) -> tuple[VenueName | None, tuple[str, ...]]:
    """Venue of the header, else of the messages, and the symbols."""
    tally, named = Tally(), None
    for line in head.split(b"\n")[:-1]:
        captured = parse_capture(line)
        if captured is None:
            continue
        if captured.t == "header":
            named = captured.venue
        elif captured.t == "recv":
            tally.add(classify(parse_message(captured.data)))
    return named or tally.venue, tuple(sorted(tally.symbols))


def _head(path: Path) -> bytes:
    head = bytearray()
    try:
        for piece in read_content(path):
            head += piece
            if len(head) >= HEAD_BYTES:
                break
    except Damaged:
        pass  # What could be read is judged; whoever reads the file reports the damage.
    return bytes(head[:HEAD_BYTES])

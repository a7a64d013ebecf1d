"""A whole file, read once: what it holds, from when to when, and what is wrong with it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from config.venues import VenueName
from market.errors import Rejected
from sim.capture import read_packets, udp_payload
from sim.recording.blocks import Block, open_blocks
from sim.recording.container import Container
from sim.recording.damage import Damage, DamageReason
from sim.recording.itch import count_messages
from sim.recording.lines import parse_capture, parse_message, parse_raw
from sim.recording.messages import classify
from sim.recording.recognise import Format, Recognised, Tally, recognise


class TimeBase(StrEnum):
    """What times count from."""

    UNIX_EPOCH = "unix epoch"
    MIDNIGHT = "midnight"


@dataclass(frozen=True, slots=True)
class Inspection:
    """What a file holds.

    Parameters
    ----------
    size_bytes: size of the file. content_bytes: size of what it holds when decompressed, as far as it was read.
    records: lines, packets or messages. unreadable: those that could not be read or fit no known venue.
    messages: number of messages by type, the most frequent first; of captures, of frames by destination.
    first_ns, last_ns: receive times of the first and the last readable record, in ns since ``time_base``.
    """

    path: Path
    container: Container
    format: Format
    venue: VenueName | None
    symbols: tuple[str, ...]
    size_bytes: int
    content_bytes: int | None
    records: int
    unreadable: int
    messages: Mapping[str, int]
    first_ns: int | None
    last_ns: int | None
    time_base: TimeBase = TimeBase.UNIX_EPOCH
    newline_added: bool = False
    damage: tuple[Damage, ...] = ()


def inspect_file(path: Path) -> Inspection:
    """Read a whole file. Raises MissingInput if it cannot be opened; damage is part of the result."""
    recognised = recognise(path)
    if recognised.format in (Format.RAW_LINES, Format.FEED_CAPTURE):
        return _lines(path, recognised)
    if recognised.format in (Format.PCAP, Format.PCAPNG):
        return _packets(path, recognised)
    if recognised.format is Format.ITCH:
        return _itch(path, recognised)
    return _unknown(path, recognised)


class _Times:
    """First and last receive time."""

    def __init__(self) -> None:
        self.first_ns: int | None = None
        self.last_ns: int | None = None

    def add(self, time_ns: int) -> None:
        """Take the time of one more record."""
        if self.first_ns is None:
            self.first_ns = time_ns
        self.last_ns = time_ns


def _lines(path: Path, recognised: Recognised) -> Inspection:
    blocks = open_blocks(path)
    tally, times = Tally(), _Times()
    named: VenueName | None = None
    for block in blocks:
        if recognised.format is Format.RAW_LINES:
            _raw_lines(block, tally, times)
        else:
            named = _capture_lines(block, tally, times) or named
    return Inspection(
        path=path,
        container=recognised.container,
        format=recognised.format,
        venue=named or tally.venue,
        symbols=tuple(sorted(tally.symbols)),
        size_bytes=path.stat().st_size,
        content_bytes=blocks.content_bytes,
        records=blocks.lines,
        unreadable=tally.unreadable,
        messages=dict(tally.kinds.most_common()),
        first_ns=times.first_ns,
        last_ns=times.last_ns,
        newline_added=blocks.newline_added,
        damage=tuple(blocks.damage),
    )


def _raw_lines(block: Block, tally: Tally, times: _Times) -> None:
    for line in block.data.split(b"\n")[:-1]:
        parsed = parse_raw(line)
        if parsed is None:
            tally.add(None)
            continue
        times.add(parsed.time_ns)
        tally.add(classify(parsed.message))


def _capture_lines(block: Block, tally: Tally, times: _Times) -> VenueName | None:
    """Count the lines of a block; the venue if the header is among them."""
    named = None
    for line in block.data.split(b"\n")[:-1]:
        captured = parse_capture(line)
        if captured is None:
            tally.add(None)
        elif captured.t == "header":
            named = captured.venue
        elif captured.t == "recv":
            times.add(captured.time_ns)
            tally.add(classify(parse_message(captured.data)))
        else:
            tally.kinds[f"({captured.t})"] += 1
    return named


def _packets(path: Path, recognised: Recognised) -> Inspection:
    times, destinations = _Times(), Counter[str]()
    damage: tuple[Damage, ...] = ()
    try:
        for packet in read_packets(path):
            times.add(packet.time_ns)
            datagram = udp_payload(packet)
            to = f"udp {datagram.destination}:{datagram.destination_port}" if datagram else "other frames"
            destinations[to] += 1
    except Rejected as error:
        damage = (Damage(DamageReason.CORRUPT, None, None, str(error)),)
    return Inspection(
        path=path,
        container=recognised.container,
        format=recognised.format,
        venue=None,
        symbols=(),
        size_bytes=path.stat().st_size,
        content_bytes=None,
        records=destinations.total(),
        unreadable=0,
        messages=dict(destinations.most_common()),
        first_ns=times.first_ns,
        last_ns=times.last_ns,
        damage=damage,
    )


def _itch(path: Path, recognised: Recognised) -> Inspection:
    counted = count_messages(path)
    return Inspection(
        path=path,
        container=recognised.container,
        format=recognised.format,
        venue=recognised.venue,
        symbols=tuple(sorted(set(counted.symbols))),
        size_bytes=path.stat().st_size,
        content_bytes=counted.content_bytes,
        records=sum(counted.types.values()),
        unreadable=0,
        messages=dict(Counter(counted.types).most_common()),
        first_ns=counted.first_ns,
        last_ns=counted.last_ns,
        time_base=TimeBase.MIDNIGHT,
        damage=(counted.damage,) if counted.damage else (),
    )


def _unknown(path: Path, recognised: Recognised) -> Inspection:
    return Inspection(
        path=path,
        container=recognised.container,
        format=recognised.format,
        venue=None,
        symbols=(),
        size_bytes=path.stat().st_size,
        content_bytes=None,
        records=0,
        unreadable=0,
        messages={},
        first_ns=None,
        last_ns=None,
    )

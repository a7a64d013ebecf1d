"""The first thing in which a core differs from a recording of the reference, down to the frames on its line."""

from __future__ import annotations

import struct
import zlib
from collections import Counter
from collections.abc import Sequence
from itertools import zip_longest
from typing import Final

from market.errors import Fatal
from market.fastpath.conformance.differential import feed_batch
from market.fastpath.conformance.frame_builder import internet_checksum, with_fcs
from market.fastpath.conformance.runner import described
from market.fastpath.engine import split_records
from market.fastpath.specification import EngineSizes
from sim.rtl.addresses import BoardAddresses, addresses_port
from sim.rtl.engine import CoreBuild, SoftFpga
from sim.rtl.model import Area, Model, Value
from sim.rtl.mutations_recording import ADDRESSES, FREE, Batch, Conditions, Recording
from sim.rtl.sizes import sizes_port

_HEADERS_BYTES: Final = 42
_FCS_BYTES: Final = 4
_WORD: Final = 8
_USUAL_PAYLOAD: Final = 1_472
_BEGUN_BYTES: Final = 16
"""So much of a message tells it from others, but for those that are repeated."""


def engine_of(
    build: CoreBuild,
    sizes: EngineSizes,
    mutation: int = 0,
    how: Conditions = FREE,
    keep: Sequence[Area] = (Area.LOG, Area.SENT, Area.SPOILED),
    *,
    bench: bool = True,
) -> SoftFpga:
    """A fresh core with one mutation live; 0: none. ``bench``: whether it is a ``PacedCore`` at all."""
    soft = SoftFpga(build, sizes, addresses=how.addresses, gap=how.gap)
    soft.model.close()
    settings = mutation.to_bytes(2, "little") + bytes([how.tx_pace, how.words_pace, how.log_pace])
    ports = sizes_port(build.parameters, sizes), addresses_port(how.addresses) + settings * bench
    soft.model = Model(build.library, *ports, keep=keep, backlog=how.backlog)
    return soft


def difference(soft: SoftFpga, recording: Recording) -> str | None:
    """What is first seen to be wrong, or None."""
    try:
        for number, batch in enumerate(recording.batches):
            found = _batch_difference(soft, batch, recording.conditions.addresses)
            if found:
                return f"batch {number}: {found}"
        return _end_difference(soft, recording)
    except Fatal as stopped:
        return f"stopped: {stopped}"


def _batch_difference(soft: SoftFpga, batch: Batch, addresses: BoardAddresses) -> str | None:
    if batch.kill:
        soft.kill(True)
        soft.kill(False)
    feed_batch(soft, batch.inputs)
    soft.model.settle()
    messages = tuple(split_records(soft.model.take(Area.OUTPUTS)))
    log = tuple(split_records(soft.model.take(Area.LOG)))
    sent = list(split_records(soft.model.take(Area.SENT)))
    spoiled = list(split_records(soft.model.take(Area.SPOILED)))
    return (
        _first(batch.messages, messages, "message")
        or _first(batch.log, log, "log")
        or _line_difference(batch, sent, addresses)
        or _spoiled_difference(spoiled)
        or _torn_difference(batch.messages, spoiled, addresses)
    )


def _first(expected: Sequence[bytes], seen: Sequence[bytes], what: str) -> str | None:
    for number, (wanted, given) in enumerate(zip_longest(expected, seen)):
        if wanted != given:
            wanted_text, given_text = (described(each) if each else "none" for each in (wanted, given))
            return f"{what} {number}: expected {wanted_text}, seen {given_text}"
    return None


def _line_difference(batch: Batch, sent: list[bytes], addresses: BoardAddresses) -> str | None:
    """Messages each in a frame, in order; the log in others."""
    expected = [framed(message, addresses.message_port, addresses) for message in batch.messages]
    messages = [frame for frame in sent if _port_of(frame) != addresses.log_port]
    found = _first(expected, messages, "frame")
    if found:
        return found
    of_log = [frame for frame in sent if _port_of(frame) == addresses.log_port]
    return _log_line_difference(batch.log, of_log, addresses)


def _log_line_difference(log: Sequence[bytes], frames: list[bytes], addresses: BoardAddresses) -> str | None:
    """Datagrams are of whole messages, and longer than an Ethernet frame usually is only for one that is."""
    filled = [message + bytes(-len(message) % _WORD) for message in log]
    for frame in frames:
        payload, number = b"", 0
        while len(payload) < len(frame) - _HEADERS_BYTES - _FCS_BYTES and number < len(filled):
            payload += filled[number]
            number += 1
        if frame != framed(payload, addresses.log_port, addresses):
            return f"a frame of the log of {len(frame)} bytes, expected {number} messages in {len(payload)}"
        if len(payload) > _USUAL_PAYLOAD and number > 1:
            return f"{number} messages of the log in a datagram of {len(payload)} bytes"
        del filled[:number]
    return f"{len(filled)} messages of the log are not on the line" if filled else None


def framed(payload: bytes, port: int, addresses: BoardAddresses = ADDRESSES) -> bytes:
    """The frame that must be around a payload of whole words, check sequence included."""
    links = addresses.destination_link.to_bytes(6, "big") + addresses.source_link.to_bytes(6, "big")
    ends = addresses.source_address.packed + addresses.destination_address.packed
    start = struct.pack(">BBHHHBB", 0x45, 0, len(payload) + 28, 0, 0x4000, 64, 17)
    ip = start + struct.pack(">H", internet_checksum(start + b"\0\0" + ends)) + ends
    udp = struct.pack(">HHHH", addresses.source_port, port, len(payload) + 8, 0)
    return with_fcs(links + b"\x08\x00" + ip + udp + payload)


def _port_of(frame: bytes) -> int:
    return int.from_bytes(frame[36:38], "big")


def _spoiled_difference(spoiled: list[bytes]) -> str | None:
    """What was spoiled must not pass for a frame: its check sequence is inverted."""
    for frame in spoiled:
        body, sequence = frame[:-_FCS_BYTES], frame[-_FCS_BYTES:]
        if int.from_bytes(sequence, "little") != zlib.crc32(body) ^ 0xFFFF_FFFF:
            return f"a spoiled frame of {len(frame)} bytes without an inverted check sequence"
    return None


def _torn_difference(messages: Sequence[bytes], spoiled: list[bytes], addresses: BoardAddresses) -> str | None:
    """A frame that came apart for want of words is sent again when all are there, so no message comes apart twice."""
    begun = Counter(
        frame[_HEADERS_BYTES:][:_BEGUN_BYTES]
        for frame in spoiled
        if len(frame) >= _HEADERS_BYTES + _BEGUN_BYTES + _FCS_BYTES and _port_of(frame) == addresses.message_port
    )
    too_many = begun - Counter(message[:_BEGUN_BYTES] for message in messages)
    return f"frames of {len(too_many)} messages came apart more often than once" if too_many else None


def spoiled_frames(soft: SoftFpga) -> int:
    """How many frames a core has begun and spoiled; it must keep ``Area.SPOILED``."""
    soft.model.settle()
    return len(list(split_records(soft.model.take(Area.SPOILED))))


def _end_difference(soft: SoftFpga, recording: Recording) -> str | None:
    seen_counters = soft.counters
    for name, wanted in recording.counters.items():
        if seen_counters[name] != wanted:
            return f"{name}: expected {wanted}, seen {seen_counters[name]}"
    ends: list[tuple[str, object, object]] = [
        ("frame counters", recording.frame_counters, soft.frame_counters()),
        ("parity", recording.parity, soft.parity),
        ("last id", recording.last_id, soft.model.value(Value.LAST_ID)),
        ("killed", int(recording.killed), soft.model.value(Value.KILLED)),
    ]
    return next(
        (f"{what}: expected {wanted!r}, seen {given!r}" for what, wanted, given in ends if wanted != given), None
    )

"""Files of Nasdaq ITCH 5.0 messages, each behind a two-byte length; a length of 0 stands for that of the type.

Reference: Nasdaq TotalView-ITCH 5.0 specification, section 4.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sim.recording.container import read_content
from sim.recording.damage import Damage, Damaged, DamageReason

LENGTHS: Final = {
    code: length
    for length, codes in {
        12: b"SW",
        19: b"DB",
        20: b"YN",
        21: b"h",
        23: b"X",
        25: b"H",
        26: b"L",
        28: b"K",
        31: b"E",
        35: b"VJU",
        36: b"AC",
        39: b"R",
        40: b"FQ",
        44: b"P",
        48: b"O",
        50: b"I",
    }.items()
    for code in codes
}
"""Bytes of a message by the code of its type."""
NS_PER_DAY: Final = 86_400 * 10**9
_DIRECTORY: Final = ord("R")
_LONGEST: Final = 2 + max(LENGTHS.values())
_ENOUGH: Final = 32


@dataclass(slots=True)
class ItchCount:
    """What an ITCH file holds; filled by ``count_messages``.

    ``types`` counts messages by the letter of their type; times are ns since midnight.
    """

    types: dict[str, int]
    symbols: list[str]
    first_ns: int | None = None
    last_ns: int | None = None
    content_bytes: int = 0
    damage: Damage | None = None


def looks_like_itch(head: bytes) -> bool:
    """Whether the first bytes are ITCH messages in a row: 32 of them, or all that there are."""
    end = 0
    for count, (start, time_ns) in enumerate(_walk(memoryview(head)), start=1):
        end = start + LENGTHS[head[start]]
        if time_ns >= NS_PER_DAY:
            return False
        if count == _ENOUGH:
            return True
    return end > 0 and len(head) - end <= _LONGEST


def count_messages(path: Path) -> ItchCount:
    """Read a whole file; it ends at the first place that is no message, which is then reported as damage."""
    counted = ItchCount({}, [])
    rest = b""
    try:
        for piece in read_content(path):
            counted.content_bytes += len(piece)
            rest = _count(rest + piece, counted)
            if len(rest) > _LONGEST:
                break
    except Damaged as damaged:
        counted.damage = Damage(damaged.reason, counted.content_bytes, None, damaged.detail)
        return counted
    if rest:
        offset = counted.content_bytes - len(rest)
        known = _length_at(memoryview(rest), 0)
        reason = DamageReason.CORRUPT if known is None and len(rest) > 2 else DamageReason.CUT_OFF
        counted.damage = Damage(reason, offset, None, f"byte {offset} of the content does not begin a whole message")
    return counted


def _count(data: bytes, counted: ItchCount) -> bytes:
    """Count the whole messages of some content; returns what is left."""
    view = memoryview(data)
    end = 0
    for start, time_ns in _walk(view):
        code = data[start]
        letter = chr(code)
        counted.types[letter] = counted.types.get(letter, 0) + 1
        if code == _DIRECTORY:
            counted.symbols.append(data[start + 11 : start + 19].decode("ascii", "replace").rstrip())
        if counted.first_ns is None:
            counted.first_ns = time_ns
        counted.last_ns = time_ns
        end = start + LENGTHS[code]
    return data[end:]


def _walk(view: memoryview) -> Iterator[tuple[int, int]]:
    """Begin and time of every message from the start on, up to the first place that is no whole message."""
    position = 0
    while (length := _length_at(view, position)) is not None and position + 2 + length <= len(view):
        start = position + 2
        yield start, int.from_bytes(view[start + 5 : start + 11], "big")
        position = start + length


def _length_at(view: memoryview, position: int) -> int | None:
    """Length of the message whose prefix is at a position; None if prefix and type do not fit."""
    if position + 3 > len(view):
        return None
    named = view[position] << 8 | view[position + 1]
    length = LENGTHS.get(view[position + 2])
    return length if named in (0, length) else None

"""Sealed control messages, as the host makes them: what a board accepts over a line that others can write to.

A sealed message is its tag (8 bytes), a counter (8 bytes) and the message; all numbers little-endian. The tag is
SipHash-2-4 of counter and message under the board's key of 16 bytes. Counters must grow from one sealed message to
the next, and never repeat under one key.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import Final

from market.errors import Rejected

KEY_BYTES: Final = 16
TAG_BYTES: Final = 8
COUNTER_BYTES: Final = 8
SIPHASH_INITIAL: Final = (0x736F6D6570736575, 0x646F72616E646F6D, 0x6C7967656E657261, 0x7465646279746573)
"""What the key is combined with: words of "somepseudorandomlygeneratedbytes"."""
COMPRESSION_ROUNDS: Final = 2
FINAL_ROUNDS: Final = 4
FINAL_MARK: Final = 0xFF
_ONES: Final = (1 << 64) - 1


@dataclass(frozen=True, slots=True)
class BoardSeal:
    """What a board checks seals with.

    Parameters
    ----------
    key: 16 bytes. It is not shown by ``repr``.
    floor: the lowest counter that is taken, 0..2^64 - 1.

    Raises ``Rejected`` for another length of the key, and for another floor.
    """

    key: bytes = field(repr=False)
    floor: int = 0

    def __post_init__(self) -> None:
        if len(self.key) != KEY_BYTES:
            raise Rejected(f"key of {len(self.key)} bytes; expected {KEY_BYTES}")
        if not 0 <= self.floor <= _ONES:
            raise Rejected(f"lowest counter {self.floor} of a board; expected 0 to 2^64 - 1")


def siphash(key: bytes, data: bytes) -> int:
    """SipHash-2-4 of some bytes, 0..2^64 - 1.

    Ref: J.-P. Aumasson, D. J. Bernstein, "SipHash: a fast short-input PRF", INDOCRYPT 2012.
    Raises ``Rejected`` for a key that has not 16 bytes.
    """
    if len(key) != KEY_BYTES:
        raise Rejected(f"key of {len(key)} bytes; expected {KEY_BYTES}")
    low, high = struct.unpack("<QQ", key)
    v0, v1, v2, v3 = (word ^ part for word, part in zip(SIPHASH_INITIAL, (low, high, low, high), strict=True))
    padded = data + bytes(-(len(data) + 1) % 8) + bytes([len(data) & 0xFF])
    for (word,) in struct.iter_unpack("<Q", padded):
        v3 ^= word
        v0, v1, v2, v3 = _rounds(v0, v1, v2, v3, COMPRESSION_ROUNDS)
        v0 ^= word
    v0, v1, v2, v3 = _rounds(v0, v1, v2 ^ FINAL_MARK, v3, FINAL_ROUNDS)
    return v0 ^ v1 ^ v2 ^ v3


def seal(key: bytes, counter: int, message: bytes) -> bytes:
    """A sealed message. Raises ``Rejected`` for a key that has not 16 bytes, or a counter outside 0..2^64 - 1."""
    if not 0 <= counter <= _ONES:
        raise Rejected(f"counter {counter} of a sealed message; expected 0 to 2^64 - 1")
    content = struct.pack("<Q", counter) + message
    return struct.pack("<Q", siphash(key, content)) + content


def _rounds(v0: int, v1: int, v2: int, v3: int, count: int) -> tuple[int, int, int, int]:
    for _ in range(count):
        v0, v2 = (v0 + v1) & _ONES, (v2 + v3) & _ONES
        v1, v3 = _rotated(v1, 13) ^ v0, _rotated(v3, 16) ^ v2
        v0, v2 = (_rotated(v0, 32) + v3) & _ONES, (v2 + v1) & _ONES
        v1, v3 = _rotated(v1, 17) ^ v2, _rotated(v3, 21) ^ v0
        v2 = _rotated(v2, 32)
    return v0, v1, v2, v3


def _rotated(word: int, left: int) -> int:
    return (word << left | word >> 64 - left) & _ONES

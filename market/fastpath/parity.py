"""CRC-32 (IEEE 802.3, as zlib) in kernels: the parity over trigger payloads, and a frame's check sequence.

Eight bytes per round through eight tables ("slicing by 8": M. Kounavis, F. Berry, "A systematic
approach to building high performance software-based CRC generators", 2005).
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from market.native.kernel import part
from market.native.memory import load_u8, load_u32

POLYNOMIAL: Final = 0xEDB88320
ONES: Final = 0xFFFFFFFF
CRC_TABLE_WORDS: Final = 8 * 256 // 2
_TABLE_BYTES: Final = 1024


def crc_table() -> NDArray[np.int64]:
    """The eight tables of 256 u32 entries, one after the other: ``int64[1024]``, two entries per word."""
    entries: NDArray[np.uint32] = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        entries = np.where(entries & 1, entries >> 1 ^ np.uint32(POLYNOMIAL), entries >> 1)
    tables = [entries]
    for _ in range(7):
        tables.append(entries[tables[-1] & 0xFF] ^ tables[-1] >> 8)
    return np.concatenate(tables).astype("<u4").view("<i8").astype(np.int64)


@part
def crc32(table: int, address: int, length: int, crc: int) -> int:
    """CRC-32 of ``length`` bytes at an address, continued from ``crc`` (0 at the start); 0 to 2^32 - 1."""
    crc ^= ONES
    at = 0
    while at + 8 <= length:
        low = load_u32(address, at) ^ crc
        high = load_u32(address, at + 4)
        crc = (
            load_u32(table, 7 * _TABLE_BYTES + (low & 0xFF) * 4)
            ^ load_u32(table, 6 * _TABLE_BYTES + (low >> 8 & 0xFF) * 4)
            ^ load_u32(table, 5 * _TABLE_BYTES + (low >> 16 & 0xFF) * 4)
            ^ load_u32(table, 4 * _TABLE_BYTES + (low >> 24) * 4)
            ^ load_u32(table, 3 * _TABLE_BYTES + (high & 0xFF) * 4)
            ^ load_u32(table, 2 * _TABLE_BYTES + (high >> 8 & 0xFF) * 4)
            ^ load_u32(table, _TABLE_BYTES + (high >> 16 & 0xFF) * 4)
            ^ load_u32(table, (high >> 24) * 4)
        )
        at += 8
    while at < length:
        crc = load_u32(table, ((crc ^ load_u8(address, at)) & 0xFF) * 4) ^ crc >> 8
        at += 1
    return crc ^ ONES

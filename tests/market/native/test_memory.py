"""Loads, stores and bit operations agree with NumPy's view of the same bytes."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from market.native import memory
from market.native.kernel import BYTES, entry

Bytes = NDArray[np.uint8]
Words = NDArray[np.int64]
CODES = ("u1", "i1", "u2", "i2", "u4", "i4", "i8")


@entry("void(uint8[::1], int64, int64[::1])")
def _load_all(buffer: Bytes, offset: int, out: Words) -> None:
    base = memory.address_of(buffer)
    out[0] = memory.load_u8(base, offset)
    out[1] = memory.load_i8(base, offset)
    out[2] = memory.load_u16(base, offset)
    out[3] = memory.load_i16(base, offset)
    out[4] = memory.load_u32(base, offset)
    out[5] = memory.load_i32(base, offset)
    out[6] = memory.load_i64(base, offset)


@entry("void(uint8[::1], int64, int64)")
def _store_all(buffer: Bytes, offset: int, value: int) -> None:
    base = memory.address_of(buffer)
    memory.store_8(base, offset, value)
    memory.store_16(base, offset + 1, value)
    memory.store_32(base, offset + 3, value)
    memory.store_64(base, offset + 7, value)


@entry(f"int64({BYTES}, int64)")
def _byte_of(payload: bytes, offset: int) -> int:
    return memory.load_u8(memory.address_of(payload), offset)


@entry("int64(int64)")
def _trailing(word: int) -> int:
    return memory.trailing_zeros(word)


@entry("int64(int64, int64)")
def _shift(word: int, count: int) -> int:
    return memory.shift_right_logical(word, count)


@entry("int64(int64)")
def _swap(word: int) -> int:
    return memory.byte_swap(word)


@pytest.mark.parametrize("offset", range(9))
def test_loads_at_any_offset(offset: int) -> None:
    buffer = np.random.default_rng(offset).integers(0, 256, 32, dtype=np.uint8)
    out = np.zeros(7, dtype=np.int64)
    _load_all(buffer, offset, out)
    raw = buffer.tobytes()
    expected = [
        int(np.frombuffer(raw, f"<{code}", 1, offset)[0]) for code in ("u1", "i1", "u2", "i2", "u4", "i4", "i8")
    ]
    assert out.tolist() == expected


def test_stores_truncate_to_their_width() -> None:
    buffer = np.zeros(16, dtype=np.uint8)
    value = 0x1122334455667788
    _store_all(buffer, 1, value)
    raw = value.to_bytes(8, "little")
    assert buffer.tobytes() == b"\0" + raw[:1] + raw[:2] + raw[:4] + raw


def test_bytes_are_read_in_place() -> None:
    assert _byte_of(b"abc", 2) == ord("c")


@pytest.mark.parametrize("position", range(64))
def test_trailing_zeros(position: int) -> None:
    word = np.array([1 << position], dtype=np.uint64).view(np.int64)[0]
    assert _trailing(int(word)) == position


def test_logical_shift_fills_with_zeros() -> None:
    assert _shift(-1, 60) == 15


def test_byte_swap() -> None:
    assert _swap(0x0102030405060708) == 0x0807060504030201


def test_an_entry_refuses_other_types() -> None:
    with pytest.raises(TypeError):
        _trailing("1")  # type: ignore[arg-type]

"""Blocks of 32 bytes are searched as bytes one by one would be."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from market.native.kernel import entry
from market.native.memory import address_of
from market.native.vectors import BLOCK, newlines, string_stops


@entry("int64(uint8[::1])")
def _newlines(block: NDArray[np.uint8]) -> int:
    return newlines(address_of(block))


@entry("int64(uint8[::1])")
def _string_stops(block: NDArray[np.uint8]) -> int:
    return string_stops(address_of(block))


@given(st.binary(min_size=BLOCK, max_size=BLOCK))
@settings(derandomize=True, deadline=None)
def test_finds_every_newline_and_every_end_of_a_string(content: bytes) -> None:
    block = np.frombuffer(bytearray(content), dtype=np.uint8)
    assert _newlines(block) == sum(1 << i for i, byte in enumerate(content) if byte == 10)
    assert _string_stops(block) == sum(1 << i for i, byte in enumerate(content) if byte < 32 or byte in b'"\\\\')

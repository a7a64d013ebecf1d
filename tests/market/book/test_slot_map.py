"""The map of a book's orders is a dictionary of bounded size."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from market.book.slot_map import ABSENT, empty_map, map_clear, map_find, map_insert, map_remove
from market.native.kernel import entry
from market.native.memory import address_of

Words = NDArray[np.int64]


@entry("int64(int64[::1], int64)")
def _find(table: Words, key: int) -> int:
    return map_find(address_of(table), key)


@entry("void(int64[::1], int64, int64)")
def _insert(table: Words, key: int, value: int) -> None:
    map_insert(address_of(table), key, value)


@entry("int64(int64[::1], int64)")
def _remove(table: Words, key: int) -> int:
    return map_remove(address_of(table), key)


@entry("void(int64[::1])")
def _clear(table: Words) -> None:
    map_clear(address_of(table))


KEYS = st.integers(0, 40) | st.sampled_from([-1, -(2**63), 2**63 - 1, 1 << 40, 5 << 24])
STEPS = st.lists(st.tuples(st.booleans(), KEYS, st.integers(0, 1000)), max_size=120)


@given(capacity=st.integers(1, 24), steps=STEPS)
@settings(derandomize=True, deadline=None, max_examples=300)
def test_equals_a_dictionary(capacity: int, steps: list[tuple[bool, int, int]]) -> None:
    table, model = empty_map(capacity), dict[int, int]()
    for adds, key, value in steps:
        if adds and key not in model and len(model) < capacity:
            _insert(table, key, value)
            model[key] = value
        elif not adds:
            assert _remove(table, key) == model.pop(key, ABSENT)
        for known in {key, *model}:
            assert _find(table, known) == model.get(known, ABSENT)
    _clear(table)
    assert all(_find(table, key) == ABSENT for key in model)

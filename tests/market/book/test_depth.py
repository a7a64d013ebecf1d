"""Walking a side from the best level on, and cutting it to a depth, wherever its levels are kept."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from market.book import ladder
from market.native.kernel import entry
from market.native.memory import address_of
from market.wire.records import Rows, Words


@entry("void(int64[::1], int64, int64, int64[:, ::1])")
def _fill(side: Words, direction: int, base: int, levels: Rows) -> None:
    address = address_of(side)
    ladder.clear_side(address, direction, base)
    for index in range(len(levels)):
        ladder.set_level(address, levels[index, 0], levels[index, 1])


@entry("int64(int64[::1], int64)")
def _truncate(side: Words, limit: int) -> int:
    return ladder.truncate(address_of(side), limit)


@entry("int64(int64[::1], int64[::1])")
def _walk(side: Words, out: Words) -> int:
    address = address_of(side)
    tick = ladder.best_tick(address)
    count = 0
    while tick != ladder.NO_PRICE and count < len(out):
        out[count] = tick
        count += 1
        tick = ladder.next_level(address, tick)
    return count


TICKS = st.lists(st.integers(1, 3 * ladder.WINDOW), max_size=30, unique=True)
DIRECTIONS = st.sampled_from([ladder.BID, ladder.ASK])
BASES = st.integers(0, 3 * ladder.WINDOW)


def walk(side: Words) -> list[int]:
    out = np.zeros(64, dtype=np.int64)
    return [int(tick) for tick in out[: _walk(side, out)]]


@given(ticks=TICKS, direction=DIRECTIONS, base=BASES, limit=st.integers(0, 30))
@settings(derandomize=True, deadline=None, max_examples=200)
def test_the_best_levels_stay_and_are_walked_in_order(ticks: list[int], direction: int, base: int, limit: int) -> None:
    side = np.zeros(ladder.SIDE_WORDS, dtype=np.int64)
    _fill(side, direction, base, np.array([(tick, 1) for tick in ticks], dtype=np.int64).reshape(-1, 2))
    ordered = sorted(ticks, reverse=direction == ladder.BID)
    assert walk(side) == ordered
    assert _truncate(side, limit) == max(len(ticks) - limit, 0)
    assert walk(side) == ordered[:limit]

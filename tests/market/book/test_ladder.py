"""A ladder is a sorted map of levels, wherever its window stands."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from market.book import ladder
from market.native.kernel import entry
from market.native.memory import address_of, get

Words = NDArray[np.int64]
NONE = ladder.NO_PRICE


@entry("void(int64[::1], int64, int64)")
def _clear(side: Words, direction: int, base: int) -> None:
    ladder.clear_side(address_of(side), direction, base)


@entry("void(int64[::1], int64[:, ::1])")
def _set(side: Words, levels: Words) -> None:
    for index in range(len(levels)):
        ladder.set_level(address_of(side), levels[index, 0], levels[index, 1])


@entry("void(int64[::1], int64)")
def _move(side: Words, base: int) -> None:
    ladder.move_window(address_of(side), base)


@entry("int64(int64[::1], int64[:, ::1])")
def _collect(side: Words, rows: Words) -> int:
    return ladder.collect(address_of(side), rows)


@entry("int64(int64[::1], int64[::1])")
def _best(side: Words, out: Words) -> int:
    tick = ladder.best_tick(address_of(side))
    out[0] = ladder.quantity_at(address_of(side), tick) if tick != NONE else 0
    out[1] = get(address_of(side), ladder.LOST)
    return tick


@entry("int64(int64[::1], int64, int64[::1])")
def _walk(side: Words, limit: int, out: Words) -> int:
    tick = ladder.best_tick(address_of(side))
    count = 0
    while tick != NONE and count < limit:
        out[count] = tick
        count += 1
        tick = ladder.next_tick(address_of(side), tick)
    return count


class Side:
    """A ladder beside the dictionary that it must equal."""

    def __init__(self, direction: int, base: int) -> None:
        self.words = np.zeros(ladder.SIDE_WORDS, dtype=np.int64)
        self.direction = direction
        self.levels: dict[int, int] = {}
        _clear(self.words, direction, base)

    def set(self, *levels: tuple[int, int]) -> None:
        for tick, quantity in levels:
            if quantity:
                self.levels[tick] = quantity
            else:
                self.levels.pop(tick, None)
        _set(self.words, np.array(levels, dtype=np.int64).reshape(-1, 2))

    def best(self) -> tuple[int, int]:
        out = np.zeros(2, dtype=np.int64)
        return _best(self.words, out), int(out[0])

    def expected_best(self) -> tuple[int, int]:
        if not self.levels:
            return NONE, 0
        tick = max(self.levels) if self.direction == ladder.BID else min(self.levels)
        return tick, self.levels[tick]

    def collected(self) -> dict[int, int]:
        rows = np.zeros((ladder.WINDOW + ladder.OVERFLOW_SLOTS, 2), dtype=np.int64)
        count = _collect(self.words, rows)
        return dict(rows[:count].tolist())


BASE = 1_000_000
NEAR = st.integers(BASE - 200, BASE + ladder.WINDOW + 200)
EDGES = st.sampled_from([BASE - 1, BASE, BASE + 63, BASE + 64, BASE + ladder.WINDOW - 1, BASE + ladder.WINDOW, 1])
LEVELS = st.lists(st.tuples(NEAR | EDGES, st.integers(0, 3)), max_size=60)


@given(
    direction=st.sampled_from([ladder.BID, ladder.ASK]),
    steps=st.lists(LEVELS, max_size=5),
    shift=st.integers(-70_000, 70_000),
)
@settings(derandomize=True, deadline=None, max_examples=150)
def test_equals_a_sorted_map(direction: int, steps: list[list[tuple[int, int]]], shift: int) -> None:
    side = Side(direction, BASE)
    for levels in steps:
        side.set(*levels)
        assert side.best() == side.expected_best()
    assert side.collected() == side.levels
    _move(side.words, BASE + shift)
    assert side.collected() == side.levels
    assert side.best() == side.expected_best()


@pytest.mark.parametrize("direction", [ladder.BID, ladder.ASK])
def test_walks_the_window_from_the_best_on(direction: int) -> None:
    side = Side(direction, BASE)
    ticks = np.random.default_rng(7).choice(ladder.WINDOW, 500, replace=False) + BASE
    side.set(*[(int(tick), 1) for tick in ticks])
    out = np.zeros(600, dtype=np.int64)
    count = _walk(side.words, 600, out)
    assert out[:count].tolist() == sorted(ticks.tolist(), reverse=direction == ladder.BID)


def test_removing_an_unknown_level_does_nothing() -> None:
    side = Side(ladder.ASK, BASE)
    side.set((BASE + 5, 0), (BASE - 5, 0), (BASE + 10**6, 0))
    assert side.best() == (NONE, 0)
    assert side.collected() == {}


def test_deleted_levels_give_their_room_back() -> None:
    side = Side(ladder.ASK, BASE)
    far = BASE + 10 * ladder.WINDOW
    for start in range(0, 4 * ladder.OVERFLOW_SLOTS, 10_000):
        side.set(*[(far + start + i, 1) for i in range(10_000)])
        side.set(*[(far + start + i, 0) for i in range(10_000)])
    side.set((far, 3))
    out = np.zeros(2, dtype=np.int64)
    assert _best(side.words, out) == far
    assert out[1] == 0
    assert side.collected() == {far: 3}


def test_levels_without_room_are_counted() -> None:
    side = Side(ladder.ASK, BASE)
    far = BASE + 10 * ladder.WINDOW
    side.set(*[(far + i, 1) for i in range(ladder.OVERFLOW_SLOTS)])
    out = np.zeros(2, dtype=np.int64)
    _best(side.words, out)
    assert out[1] == ladder.OVERFLOW_SLOTS // 4

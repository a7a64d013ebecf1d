"""The generator's book, against sorted lists."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from sim.generator.book import ASK, BID, BookSide, OrderBook

KEYS = st.integers(-40, 40)
STEPS = st.lists(st.tuples(st.sampled_from(["add", "remove", "sweep"]), KEYS, st.integers(1, 9)), max_size=80)


@settings(derandomize=True, deadline=None)
@given(steps=STEPS, direction=st.sampled_from([ASK, BID]))
def test_a_side_keeps_its_levels_its_best_and_its_changes(steps: list[tuple[str, int, int]], direction: int) -> None:
    side = BookSide(direction)
    side.anchor(1_000, 1)
    expected = {1_000: 1}
    touched: set[int] = set()
    for step, key, lots in steps:
        if step == "add":
            side.add(key, lots)
            expected[key] = lots
            touched.add(key)
        elif step == "remove" and key in expected:
            side.remove(key)
            del expected[key]
            touched.add(key)
        elif step == "sweep":
            key += 1_000 * (lots == 9)
            gone = {level for level in expected if level <= key and level != 1_000}
            assert side.remove_through(key) == len(gone)
            touched |= gone
            expected = {level: held for level, held in expected.items() if level not in gone}
        assert side.best() == min(expected)
    ranked = [(key * direction, lots) for key, lots in sorted(expected.items())]
    assert side.ranked() == ranked
    assert side.take_changes() == [(key * direction, expected.get(key, 0)) for key in sorted(touched)]
    assert side.take_changes() == []


def test_the_heap_of_prices_stays_bounded() -> None:
    side = BookSide(BID)
    side.anchor(10**6, 1)
    for key in range(30_000):
        side.add(key, 1)
        side.remove(key)
    side.take_changes()
    assert len(side._heap) < 20_000
    assert side.best() == 10**6


def test_ids_count_from_the_first_change_of_an_interval() -> None:
    book = OrderBook(100)
    book.advance(3)
    book.advance(2, changes=4)
    assert (book.first_id, book.update_id, book.previous_id) == (103, 111, 100)

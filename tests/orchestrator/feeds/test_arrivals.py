"""Arrivals of several sources reach the loop in the order in which a replay of their recordings would."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.feeds.arrivals import BATCH_ARRIVALS, Arrival, ArrivalKind, Arrivals


class Still:
    """A clock that stands still, or steps back."""

    def __init__(self, *times: int) -> None:
        self._times = list(times)

    def now_ns(self) -> int:
        return self._times.pop(0) if len(self._times) > 1 else self._times[0]


def message(arrivals: Arrivals) -> Arrival:
    return Arrival(arrivals.stamp_ns(), ArrivalKind.MESSAGE, b"")


def put(arrivals: Arrivals, source: int) -> Arrival:
    arrival = message(arrivals)
    arrivals.put(source, arrival)
    return arrival


def test_stamps_grow_even_if_the_clock_does_not() -> None:
    arrivals = Arrivals(Still(100, 100, 90, 200), lambda: None, 1)
    assert [arrivals.stamp_ns() for _ in range(4)] == [100, 101, 102, 200]


def test_a_kernel_s_time_counts_unless_something_came_later() -> None:
    arrivals = Arrivals(Still(100), lambda: None, 1)
    assert arrivals.stamp_ns(95) == 95
    assert arrivals.stamp_ns() == 100
    assert arrivals.stamp_ns(97) == 101


def test_whoever_puts_something_wakes_the_loop() -> None:
    woken: list[int] = []
    arrivals = Arrivals(Still(100), lambda: woken.append(1), 1)
    put(arrivals, 0)
    assert woken == [1]
    assert len(arrivals.take(0)) == 1
    assert arrivals.take(0) == []
    assert woken == [1]


def test_a_source_is_not_given_what_is_younger_than_what_waits_for_an_idle_one() -> None:
    woken: list[int] = []
    arrivals = Arrivals(Still(100), lambda: woken.append(1), 2)
    assert arrivals.take(0) == []
    first, second = put(arrivals, 0), put(arrivals, 1)
    woken.clear()
    assert arrivals.take(1) == []
    assert woken
    assert arrivals.take(0) == [first]
    assert arrivals.take(1) == [second]


def test_batches_are_bounded() -> None:
    arrivals = Arrivals(Still(100), lambda: None, 1)
    for _ in range(BATCH_ARRIVALS + 10):
        put(arrivals, 0)
    assert arrivals.queued == BATCH_ARRIVALS + 10
    assert [len(arrivals.take(0)) for _ in range(3)] == [BATCH_ARRIVALS, 10, 0]


class Merge:
    """The run loop's intake: polls idle sources in their order, takes the oldest record in hand, refills when empty."""

    def __init__(self, arrivals: Arrivals, sources: int) -> None:
        self._arrivals = arrivals
        self._hands: list[list[Arrival]] = [[] for _ in range(sources)]
        self._idle = set(range(sources))
        self.order: list[int] = []

    def poll(self, between: list[int]) -> None:
        """Look at every idle source; ``between`` says for whom something arrives after each look."""
        for source in sorted(self._idle):
            self._refill(source)
            if between:
                put(self._arrivals, between.pop(0))

    def step(self) -> bool:
        """Take one record; False when every source is idle or waits."""
        for source, hand in enumerate(self._hands):
            if not hand and source not in self._idle:
                self._refill(source)
        in_hand = [hand for hand in self._hands if hand]
        if not in_hand:
            return False
        oldest = min(in_hand, key=lambda hand: hand[0].stamp_ns)
        self.order.append(oldest.pop(0).stamp_ns)
        return True

    def _refill(self, source: int) -> None:
        self._hands[source] = self._arrivals.take(source)
        (self._idle.discard if self._hands[source] else self._idle.add)(source)


@settings(derandomize=True, deadline=None, max_examples=300)
@given(st.lists(st.tuples(st.lists(st.integers(0, 2), max_size=4), st.integers(0, 5)), max_size=20))
def test_whatever_arrives_while_the_loop_looks_it_is_taken_in_order(rounds: list[tuple[list[int], int]]) -> None:
    arrivals = Arrivals(Still(1), lambda: None, 3)
    merge = Merge(arrivals, 3)
    count = 0
    for between, steps in rounds:
        count += min(len(between), len(merge._idle))
        merge.poll(list(between))
        for _ in range(steps):
            merge.step()
    for _ in range(2 * count + 2):
        merge.poll([])
        while merge.step():
            pass
    assert merge.order == sorted(merge.order)
    assert len(merge.order) == count

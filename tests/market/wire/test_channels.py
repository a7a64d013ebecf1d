"""Packets are placed in the sequence of their channel, whichever line they come from."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from market.native.kernel import entry
from market.native.memory import address_of
from market.wire.channels import SLOTS, Order, channel_totals, new_channels, take_sequence

Words = NDArray[np.int64]


@entry("int64(int64[::1], int64, int64, int64, int64, int64[::1])")
def _take_sequence(table: Words, channel: int, sequence: int, count: int, modulus: int, already: Words) -> int:
    order, already[0] = take_sequence(address_of(table), channel, sequence, count, modulus, count == 0)
    return order


def _take(table: Words, channel: int, sequence: int, count: int, modulus: int) -> int:
    return _take_sequence(table, channel, sequence, count, modulus, np.zeros(1, dtype=np.int64))


def test_lower_is_a_duplicate_and_higher_a_gap() -> None:
    table = new_channels()
    orders = [_take(table, 7, sequence, 2, 0) for sequence in (10, 12, 10, 12, 14, 20, 16, 22)]
    assert orders == [Order.NEXT, Order.NEXT, Order.DUPLICATE, Order.DUPLICATE, Order.NEXT, Order.GAP, *[2, 0]]
    totals = channel_totals(table)
    assert (totals.packets, totals.gaps, totals.missing, totals.duplicates) == (5, 1, 4, 3)


def test_lines_may_group_messages_differently() -> None:
    table, already = new_channels(), np.zeros(1, dtype=np.int64)
    found = []
    for sequence, count in ((100, 2), (100, 3), (101, 2), (102, 3), (105, 1)):
        order = Order(_take_sequence(table, 7, sequence, count, 0, already))
        found.append((order, int(already[0])))
    assert found == [(Order.NEXT, 0), (Order.NEXT, 2), (Order.DUPLICATE, 2), (Order.NEXT, 1), (Order.NEXT, 0)]
    assert channel_totals(table).gaps == 0


def test_a_heartbeat_uses_no_number() -> None:
    table = new_channels()
    assert [_take(table, 7, sequence, count, 0) for sequence, count in ((5, 1), (6, 0), (6, 0), (6, 3), (9, 0))] == [
        Order.NEXT
    ] * 5
    assert channel_totals(table).heartbeats == 3


def test_a_heartbeat_tells_of_a_gap_too() -> None:
    table = new_channels()
    _take(table, 7, 5, 1, 0)
    assert _take(table, 7, 8, 0, 0) == Order.GAP
    assert _take(table, 7, 8, 1, 0) == Order.NEXT


def test_numbers_of_32_bits_begin_again() -> None:
    table = new_channels()
    sequences = (2**32 - 2, 2**32 - 1, 0, 2**32 - 1, 1, 3)
    assert [_take(table, 1, sequence, 1, 2**32) for sequence in sequences] == [0, 0, 0, 2, 0, 1]


@given(st.lists(st.tuples(st.integers(0, 65535), st.integers(0, 40)), max_size=80))
@settings(derandomize=True, deadline=None, max_examples=100)
def test_channels_are_independent(packets: list[tuple[int, int]]) -> None:
    table = new_channels()
    expected: dict[int, int] = {}
    for channel, sequence in packets:
        ahead = sequence - expected.get(channel, sequence)
        order = Order.NEXT if ahead == 0 else Order.GAP if ahead > 0 else Order.DUPLICATE
        assert _take(table, channel, sequence, 1, 0) == order
        if ahead >= 0:
            expected[channel] = sequence + 1
    assert channel_totals(table).channels == len(expected)


def test_a_channel_too_many_is_refused() -> None:
    table = new_channels()
    assert {_take(table, channel, 1, 1, 0) for channel in range(SLOTS)} == {Order.NEXT}
    assert _take(table, SLOTS, 1, 1, 0) == Order.CROWDED
    assert _take(table, 3, 2, 1, 0) == Order.NEXT

"""Icebergs: what is remembered of a best price, and when it becomes a flag."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from market.errors import Fatal
from market.signals.iceberg import IcebergFlag, Icebergs, IcebergSettings, IcebergValue

BUY, SELL, NONE = 1, 2, 0
Event = tuple[int, int, int, int, int]
VOLUME, REFILLS, SMALL = IcebergFlag.VOLUME, IcebergFlag.REFILLS, IcebergFlag.SMALL_PRINTS


def top(bid: int, bid_lots: int, ask: int, ask_lots: int) -> Event:
    return 0, bid, bid_lots, ask, ask_lots


def trade(price: int, lots: int, aggressor: int) -> Event:
    return 1, price, lots, aggressor, 0


class Level:
    """One side by its definition, from the whole history of its best price."""

    def __init__(self, price: int, lots: int, chosen: IcebergSettings) -> None:
        self.price, self.displays, self.prints = price, [lots], list[int]()
        self.traded_since, self.refills, self.flags, self.chosen = False, 0, IcebergFlag(0), chosen

    def display(self, lots: int) -> None:
        if lots > self.displays[-1] and self.traded_since:
            self.refills, self.traded_since = self.refills + 1, False
        self.displays.append(lots)
        if sum(self.prints) * 100 > self.chosen.factor_hundredths * max(self.displays):
            self.flags |= VOLUME
        if self.refills >= self.chosen.refill_limit:
            self.flags |= REFILLS
        if self.small_prints >= self.chosen.small_print_limit:
            self.flags |= SMALL

    def trade(self, lots: int) -> None:
        self.prints.append(lots)
        self.traded_since = True

    @property
    def small_prints(self) -> int:
        return sum(lots <= self.chosen.small_print_lots for lots in self.prints)

    @property
    def readings(self) -> tuple[int, int, int, int]:
        return int(self.flags), sum(self.prints), self.refills, self.small_prints


def reference(events: list[Event], chosen: IcebergSettings) -> list[tuple[int, ...]]:
    sides, readings = [Level(0, 0, chosen), Level(0, 0, chosen)], list[tuple[int, ...]]()
    for kind, first, second, third, fourth in events:
        if kind == 0:
            possible = 0 < first < third and second > 0 and fourth > 0
            for side, (price, lots) in enumerate([(first, second), (third, fourth)]):
                if not possible:
                    sides[side] = Level(0, 0, chosen)
                elif price == sides[side].price:
                    sides[side].display(lots)
                else:
                    sides[side] = Level(price, lots, chosen)
        elif second > 0:
            for side, against in ((0, BUY), (1, SELL)):
                if first == sides[side].price and third != against:
                    sides[side].trade(second)
                    break
        readings.append((*sides[0].readings, *sides[1].readings))
    return readings


EVENTS = st.lists(
    st.one_of(
        st.builds(top, st.integers(99, 100), st.integers(0, 9), st.integers(100, 102), st.integers(1, 9)),
        st.builds(trade, st.integers(99, 102), st.integers(0, 12), st.sampled_from([NONE, BUY, SELL])),
    ),
    min_size=1,
    max_size=60,
)


@given(EVENTS, st.integers(1, 400), st.integers(1, 3), st.integers(1, 6), st.integers(1, 4))
@settings(derandomize=True, deadline=None)
def test_readings_are_their_definition(events: list[Event], factor: int, refills: int, small: int, prints: int) -> None:
    chosen = IcebergSettings(
        factor_hundredths=factor, refill_limit=refills, small_print_lots=small, small_print_limit=prints
    )
    readings = Icebergs(chosen).update(np.array(events, dtype=np.int64))
    np.testing.assert_array_equal(readings, reference(events, chosen))


def test_more_traded_than_factor_times_the_display_is_flagged_while_the_level_stays() -> None:
    signal = Icebergs(IcebergSettings(factor_hundredths=250))
    events = [top(99, 10, 100, 4), trade(100, 10, BUY), top(99, 10, 100, 4), trade(100, 1, BUY), top(99, 10, 100, 3)]
    readings = signal.update(np.array(events))
    assert readings[:, IcebergValue.ASK_FLAGS].tolist() == [0, 0, 0, 0, VOLUME]
    assert readings[-1, IcebergValue.ASK_TRADED_LOTS] == 11
    assert not readings[:, IcebergValue.BID_FLAGS].any()


def test_a_large_level_that_is_merely_eaten_is_no_iceberg() -> None:
    signal = Icebergs(IcebergSettings(factor_hundredths=200))
    events = [top(99, 100, 100, 1), trade(99, 97, SELL), top(99, 3, 100, 1)]
    assert not signal.update(np.array(events))[:, IcebergValue.BID_FLAGS].any()


def test_all_is_forgotten_when_the_level_moves() -> None:
    signal = Icebergs(IcebergSettings(factor_hundredths=100))
    events = [top(99, 1, 100, 1), trade(99, 5, SELL), top(99, 1, 100, 1), top(98, 1, 100, 1), top(99, 1, 100, 1)]
    readings = signal.update(np.array(events))
    assert readings[:, IcebergValue.BID_FLAGS].tolist() == [0, 0, VOLUME, 0, 0]
    assert readings[-1, IcebergValue.BID_TRADED_LOTS] == 0


def test_bad_settings_are_fatal() -> None:
    for bad in ({"factor_hundredths": 0}, {"factor_hundredths": 10_001}, {"refill_limit": 0}, {"small_print_lots": 0}):
        with pytest.raises(Fatal, match="iceberg"):
            IcebergSettings(**bad)

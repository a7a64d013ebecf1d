"""Distributions have the moments that they claim, from integers alone."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from market.errors import Fatal
from sim.generator.chance import Chance, Quantiles, poisson_table

DRAWS = 20_000
WORDS = st.integers(0, 2**64 - 1)


def test_quantiles_pass_through_their_points() -> None:
    quantiles = Quantiles(((0, 10), (250, 20), (500, 100), (1000, 1_000)))
    assert [quantiles.of(fraction << 62) for fraction in (0, 1, 2)] == [10, 20, 100]
    assert quantiles.of(3 << 62) == 550
    assert quantiles.of(2**64 - 1) == 999


@settings(derandomize=True, deadline=None)
@given(first=WORDS, second=WORDS)
def test_quantiles_never_fall(first: int, second: int) -> None:
    quantiles = Quantiles(((0, -5), (100, 0), (100, 40), (900, 41), (1000, 100_000)))
    low, high = sorted((first, second))
    assert -5 <= quantiles.of(low) <= quantiles.of(high) <= 100_000


@pytest.mark.parametrize(
    "knots",
    [
        ((0, 1),),
        ((0, 1), (900, 2)),
        ((100, 1), (1000, 2)),
        ((0, 1), (600, 2), (500, 3), (1000, 4)),
        ((0, 2), (1000, 1)),
    ],
)
def test_quantiles_refuse_points_that_are_no_distribution(knots: tuple[tuple[int, int], ...]) -> None:
    with pytest.raises(Fatal, match="quantiles must"):
        Quantiles(knots)


def test_exponential_waiting_times_have_their_mean_and_their_spread() -> None:
    chance = Chance(1, 0)
    times = [chance.exponential(1_000_000) for _ in range(DRAWS)]
    mean = sum(times) / DRAWS
    deviation = (sum((time - mean) ** 2 for time in times) / DRAWS) ** 0.5
    assert mean == pytest.approx(1_000_000, rel=0.03)
    assert deviation == pytest.approx(1_000_000, rel=0.05)
    assert min(times) >= 1


def test_poisson_counts_have_their_mean_and_variance() -> None:
    table = poisson_table(850)
    mean = sum(table) / len(table)
    assert mean == pytest.approx(0.85, rel=0.01)
    assert sum(count**2 for count in table) / len(table) - mean**2 == pytest.approx(0.85, rel=0.02)
    assert table[: table.index(1)] == [0] * round(1024 * 0.4274), "exp(-0.85) of a Poisson process sees nothing"


def test_bell_has_its_deviation_and_its_bound() -> None:
    chance = Chance(2, 0)
    values = [chance.bell(1_000) for _ in range(DRAWS)]
    assert abs(sum(values) / DRAWS) < 25
    assert (sum(value**2 for value in values) / DRAWS) ** 0.5 == pytest.approx(1_000, rel=0.03)
    assert max(map(abs, values)) <= 3_000


def test_streams_of_one_seed_differ_and_repeat() -> None:
    def beginning(seed: int, stream: int) -> list[int]:
        words = Chance(seed, stream).words
        return [next(words) for _ in range(8)]

    assert beginning(5, 0) == beginning(5, 0)
    assert len({tuple(beginning(seed, stream)) for seed in (5, 6) for stream in (0, 1)}) == 4


def test_the_words_are_those_of_every_machine() -> None:
    words = Chance(5, 0).words
    assert [next(words) for _ in range(3)] == [0x6732C5BD3868EB15, 0xC0EB6417F7F9C62E, 0x826833DABA7F43C]

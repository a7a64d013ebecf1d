"""Every formula of the trader against a slow one in exact decimals or fractions."""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal, localcontext
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from market.detector.settings import DetectorSettings
from market.detector.states import Reading, Signal
from orchestrator.strategies.flash_crash.exits import Seen, exit_reason, target_now
from orchestrator.strategies.flash_crash.holding import ExitReason, Holding
from orchestrator.strategies.flash_crash.levels import levels, percentiles
from orchestrator.strategies.flash_crash.parameters import EntryParameters, ExitParameters
from orchestrator.strategies.flash_crash.ranges import Extrema, RangeDistribution, relative_range
from orchestrator.strategies.flash_crash.scoring import WEIGHTS, Band, Component, Score, score
from orchestrator.strategies.flash_crash.seconds import (
    SECOND_NS,
    Candle,
    ClosedCandle,
    Seconds,
    is_volume_sufficient,
)

EXACTLY = settings(derandomize=True, deadline=None)
PRICE = st.integers(1, 10**12)
SHARE = st.integers(0, 1_000_000)
DETECTOR = DetectorSettings(minimum_liquidity=1, volatility_multiplier=3.0, acceleration=-0.001, imbalance=-0.6)
FLOAT = st.one_of(st.floats(-10, 10), st.just(float("nan")))


def candle(low: int, size: int, second: int = 0, volume: int = 1) -> Candle:
    return Candle(second, low, low + size, low, low + size, volume)


@EXACTLY
@given(PRICE, st.integers(0, 10**11), SHARE, SHARE, st.integers(1, 10**6))
def test_levels_are_percentiles_of_the_range(low: int, size: int, entry: int, target: int, tick: int) -> None:
    """Low + p * (High - Low), the entry down and the target up to a tick."""
    found = levels(candle(low, size), entry, target, tick)
    with localcontext(prec=60):
        exact = [low + Decimal(share) / 10**6 * size for share in (entry, target)]
        # A count is the smallest step of a price.
        bought = (exact[0].to_integral_value(ROUND_FLOOR) / tick).to_integral_value(ROUND_FLOOR) * tick
        sold = (exact[1].to_integral_value(ROUND_CEILING) / tick).to_integral_value(ROUND_CEILING) * tick
    assert (Decimal(found.entry), Decimal(found.target)) == (bought, sold)
    assert found.entry % tick == found.target % tick == 0


def test_a_fifth_and_four_fifths() -> None:
    assert levels(candle(1_000, 100), 200_000, 800_000, 1) == levels(candle(1_000, 100), 200_001, 799_999, 1)
    found = levels(candle(1_000, 100), 200_000, 800_000, 1)
    assert (found.entry, found.target) == (1_020, 1_080)


@EXACTLY
@given(st.integers(0, 10**9), st.lists(st.integers(0, 10**9), min_size=60, max_size=60), SHARE, st.integers(0, 10**6))
def test_volume_must_exceed_a_multiple_of_the_mean(
    volume: int, earlier: list[int], multiple: int, minimum: int
) -> None:
    closed = ClosedCandle(candle(1, 1, volume=volume), sum(earlier), len(earlier))
    expected = volume > Fraction(multiple * 4, 10**6) * Fraction(sum(earlier), 60) and volume > minimum
    assert is_volume_sufficient(closed, 60, multiple * 4, minimum) is expected
    assert not is_volume_sufficient(ClosedCandle(closed.candle, 0, 59), 60, 0, 0)


@EXACTLY
@given(st.lists(st.tuples(st.integers(0, 400), PRICE, st.integers(1, 50)), max_size=80))
def test_candles_are_those_of_their_seconds(steps: list[tuple[int, int, int]]) -> None:
    """Against all trades of each whole second; a long pause makes what was before unknown."""
    seconds, now_ns = Seconds(3), 10 * SECOND_NS + 1
    seconds.advance(now_ns)
    trades: dict[int, list[tuple[int, int]]] = {}
    whole: dict[int, int] = {}
    for pause_ms, price, quantity in steps:
        for _ in range(pause_ms // 40):
            now_ns += 40_000_000
            running = seconds.second
            closed = seconds.advance(now_ns)
            if now_ns // SECOND_NS == running:
                continue
            made = trades.get(running, [])
            if running == 10:
                assert closed is None
                continue
            assert (closed is None) is (not made)
            if closed is not None:
                prices = [price for price, _ in made]
                assert closed.candle == Candle(
                    running, prices[0], max(prices), min(prices), prices[-1], sum(lots for _, lots in made)
                )
                before = [whole[second] for second in range(running - 3, running) if second in whole]
                assert (closed.earlier_volume, closed.earlier_seconds) == (sum(before), len(before))
            whole[running] = sum(lots for _, lots in made)
        seconds.take_trade(price, quantity)
        trades.setdefault(now_ns // SECOND_NS, []).append((price, quantity))


def test_after_a_pause_in_which_nobody_looked_volumes_start_again() -> None:
    seconds = Seconds(3, (5, 5, 5), 7)
    seconds.advance(8 * SECOND_NS)
    assert seconds.volumes == (5, 5, 5), "the second in which a run begins is not whole"
    seconds.advance(9 * SECOND_NS)
    assert seconds.volumes == (5, 5, 0)
    seconds.advance(12 * SECOND_NS)
    assert not seconds.volumes


@EXACTLY
@given(st.lists(st.integers(0, 50), max_size=60), st.integers(2, 20), SHARE, st.integers(0, 50))
def test_percentiles_of_the_last_ranges(values: list[int], most: int, share: int, asked: int) -> None:
    ranges = RangeDistribution(most)
    for value in values:
        ranges.add(value)
    kept = values[-most:]
    assert ranges.samples == tuple(kept)
    if kept:
        least = min(value for value in kept if sum(other <= value for other in kept) * 10**6 >= share * len(kept))
        assert ranges.percentile(share) == least
        assert ranges.rank_ppm(asked) == sum(value <= asked for value in kept) * 10**6 // len(kept)
    else:
        assert ranges.percentile(share) is None


@EXACTLY
@given(st.lists(st.tuples(st.integers(1, 3), st.integers(1, 30), st.integers(0, 10)), max_size=40), st.integers(1, 6))
def test_a_new_extremum_goes_beyond_those_of_the_window(steps: list[tuple[int, int, int]], window: int) -> None:
    extrema, made, second = Extrema(window), list[Candle](), 0
    for pause, low, size in steps:
        second += pause
        new = candle(low, size, second)
        recent = [old for old in made if second - window <= old.second]
        expected = bool(recent) and (
            new.low < min(old.low for old in recent) or new.high > max(old.high for old in recent)
        )
        assert extrema.take(new) is expected
        made.append(new)


def test_a_range_is_relative_to_the_low() -> None:
    assert relative_range(candle(200, 1)) == 5_000_000


def readings(**values: float) -> dict[Reading, float]:
    known = {reading: float("nan") for reading in Reading}
    return {**known, **{Reading[name.upper()]: value for name, value in values.items()}}


def exact_score(values: dict[Reading, float], fired: bool) -> Decimal:
    """The definition again, in decimals of sixty digits."""

    def known(reading: Reading) -> Decimal | None:
        value = Decimal(values[reading])
        return None if value.is_nan() else value

    def ramp(value: Decimal | None) -> Decimal:
        return Decimal(0) if value is None else min(max(value, Decimal(0)), Decimal(1))

    def over(top: Reading, base: Reading) -> Decimal | None:
        above, below = known(top), known(base)
        if below is None or below <= 0:
            return Decimal(0)
        return None if above is None else above / below

    def expansion(top: Reading, base: Reading, multiplier: float) -> Decimal:
        ratio = over(top, base)
        return ramp(None if ratio is None else (ratio - 1) / (Decimal(multiplier) - 1))

    def magnitude(value: Decimal | None, full: float) -> Decimal:
        return ramp(None if value is None else abs(value) / abs(Decimal(full)))

    with localcontext(prec=60):
        walls = [known(Reading.BID_WALLS), known(Reading.ASK_WALLS)]
        free = Decimal(0)
        if walls[0] is not None and walls[1] is not None:
            free = ramp(1 - (walls[0] + walls[1]) / (2 * DETECTOR.depth_levels))
        imbalance = known(Reading.LIQUIDITY_IMBALANCE)
        if imbalance is not None and abs(imbalance) > Decimal(DETECTOR.extreme_imbalance):
            free /= 2
        return (
            15 * expansion(Reading.VOLATILITY, Reading.VOLATILITY_BASELINE, DETECTOR.volatility_multiplier)
            + 15 * magnitude(known(Reading.ACCELERATION), DETECTOR.acceleration)
            + 15 * magnitude(known(Reading.IMBALANCE), DETECTOR.imbalance)
            + 10 * expansion(Reading.SPREAD, Reading.SPREAD_BASELINE, DETECTOR.spread_multiplier)
            + 15 * magnitude(over(Reading.VOLUME_DELTA, Reading.VOLUME_SIGMA), DETECTOR.volume_sigmas)
            + 10 * expansion(Reading.MESSAGES, Reading.MESSAGE_BASELINE, DETECTOR.message_multiplier)
            + 10 * int(fired)
            + 10 * ramp(known(Reading.LIQUIDITY_RATIO)) * free
        )


@EXACTLY
@given(st.fixed_dictionaries(dict.fromkeys(Reading, FLOAT)), st.sampled_from([0, 64, 128, 192, 1]))
def test_a_score_is_the_weighted_sum_of_its_components(values: dict[Reading, float], pattern: int) -> None:
    found = score(values, Signal(pattern), DETECTOR)
    expected = exact_score(values, bool(pattern & 192))
    assert abs(Decimal(found.total) - expected) < Decimal("1e-9")
    assert all(0.0 <= found.parts[part] <= WEIGHTS[part] for part in Component)


def test_weights_make_a_hundred_and_everything_at_its_limit_reaches_it() -> None:
    assert sum(WEIGHTS.values()) == pytest.approx(100)
    at_limit = readings(
        volatility=3.0, volatility_baseline=1.0, acceleration=-0.001, imbalance=-0.6, spread=4.0, spread_baseline=1.0,
        volume_delta=-9.0, volume_sigma=3.0, messages=30.0, message_baseline=10.0, liquidity_ratio=1.0,
        liquidity_imbalance=-0.5, bid_walls=0.0, ask_walls=0.0,
    )  # fmt: skip
    assert score(at_limit, Signal.SELLING_EXHAUSTION, DETECTOR).total == pytest.approx(100)
    assert score(readings(), Signal(0), DETECTOR).total < 1e-12


@pytest.mark.parametrize(
    ("points", "band"),
    [(0.0, Band.POOR), (49.9, Band.POOR), (50.0, Band.MARGINAL), (69.9, Band.MARGINAL), (70.0, Band.GOOD),
     (84.9, Band.GOOD), (85.0, Band.EXCELLENT), (100.0, Band.EXCELLENT)],
)  # fmt: skip
def test_bands(points: float, band: Band) -> None:
    assert Score({Component.VOLATILITY: points}).band is band


@EXACTLY
@given(FLOAT, FLOAT, st.integers(0, 200_000))
def test_percentiles_move_apart_with_volatility(volatility: float, baseline: float, shift: int) -> None:
    parameters = EntryParameters(shift_ppm=shift)
    found = percentiles(parameters, readings(volatility=volatility, volatility_baseline=baseline), 3.0)
    share = Fraction(0)
    if baseline > 0 and volatility == volatility:
        share = min(max(Fraction(volatility) / (Fraction(baseline) * 3) - 1, Fraction(0)), Fraction(1))
    assert abs(200_000 - found[0] - shift * share) <= 1
    assert 200_000 - found[0] == found[1] - 800_000


@EXACTLY
@given(st.integers(1, 10**6), st.integers(1, 10**6), st.integers(1, 1_000), st.integers(0, 40), st.integers(1, 20))
def test_the_target_sinks_in_a_line_to_what_was_paid(paid: int, target: int, bought: int, late: int, over: int) -> None:
    holding = Holding(entry_order="", sent_ns=0, target=target, opened_ns=100, bought=bought, paid=paid)
    parameters = ExitParameters(decay_after_ns=10, decay_over_ns=over)
    found = target_now(holding, 100 + late, parameters)
    floor = -(-paid // bought)
    share = min(max(Fraction(late - 10, over), Fraction(0)), Fraction(1))
    expected = target - share * (target - floor) if target > floor else Fraction(target)
    assert 0 <= found - expected < 1


@EXACTLY
@given(st.integers(1, 2_000), st.integers(1, 100), st.integers(1, 2_000), st.integers(1, 2_000), st.integers(1, 999))
def test_stop_and_trail_are_exact(bid: int, bought: int, average: int, highest: int, permille: int) -> None:
    paid = bought * average + bought // 2
    holding = Holding(
        entry_order="", sent_ns=0, target=10**9, opened_ns=1, bought=bought, paid=paid, highest_bid=max(highest, bid)
    )
    cost, share = Fraction(paid, bought), Fraction(permille, 1_000)
    stop = exit_reason(holding, Seen(now_ns=5, is_active=True, bid=bid), ExitParameters(stop_ppm=permille * 1_000))
    assert (stop is ExitReason.STOP) is (bid <= cost * (1 - share))
    level = max(highest, bid) * (1 - share)
    trail = exit_reason(holding, Seen(now_ns=5, is_active=True, bid=bid), ExitParameters(trailing_ppm=permille * 1_000))
    assert (trail is ExitReason.TRAILING) is (bid <= level and level > cost)

"""Decimal numbers become counts exactly or not at all."""

from __future__ import annotations

from decimal import Context, Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from market.errors import Fatal, Rejected
from market.fixed_point import COUNT_LEAST, COUNT_MOST, Scale, ceil_to, floor_to

EXACT = Context(prec=200)
counts = st.integers(COUNT_LEAST, COUNT_MOST)
exponents = st.integers(-18, 18)


@given(count=counts, exponent=exponents)
@settings(derandomize=True, deadline=None)
def test_every_count_comes_back_from_its_text_and_its_decimal(count: int, exponent: int) -> None:
    scale = Scale(exponent)
    assert scale.count(scale.text(count)) == count
    assert scale.count(scale.decimal(count)) == count
    assert scale.decimal(count) == Decimal(count).scaleb(exponent, EXACT)
    assert "e" not in scale.text(count).lower()


@given(value=st.decimals(allow_nan=True, allow_infinity=True), exponent=exponents)
@settings(derandomize=True, deadline=None)
def test_a_number_is_exact_or_refused(value: Decimal, exponent: int) -> None:
    scale = Scale(exponent)
    count = value.scaleb(-exponent, EXACT) if value.is_finite() and abs(value.adjusted()) < 100 else None
    fits = count is not None and count == count.to_integral_value() and COUNT_LEAST <= count <= COUNT_MOST
    if fits or value.is_zero():
        assert Decimal(scale.count(value)).scaleb(exponent, EXACT) == value
    else:
        with pytest.raises(Rejected, match=f"1e{exponent}"):
            scale.count(value)


@given(text=st.text(max_size=12))
@settings(derandomize=True, deadline=None)
def test_any_text_is_a_number_or_refused(text: str) -> None:
    try:
        count = Scale(-9).count(text)
    except Rejected:
        return
    assert Decimal(text) == Decimal(count).scaleb(-9, EXACT)


@pytest.mark.parametrize(
    ("text", "count"),
    [("61780.10", 6178010), ("-0.01", -1), ("0", 0), ("0E-12", 0), ("1e3", 100_000), (".5", 50), ("7.", 700)],
)
def test_venues_write_numbers_in_many_ways(text: str, count: int) -> None:
    assert Scale(-2).count(text) == count


@pytest.mark.parametrize(
    "text",
    ["", " 1", "1_000", "0.001", "NaN", "Infinity", "-inf", "\u0661", "1e99", "92233720368547758.08", "1" * 81, "0x1"],
)
def test_what_is_no_exact_count_is_refused(text: str) -> None:
    with pytest.raises(Rejected, match="1e-2"):
        Scale(-2).count(text)


@pytest.mark.parametrize("value", [1.5, True, 10**5000], ids=("float", "truth", "giant"))
def test_floats_truth_values_and_giants_are_refused(value: object) -> None:
    with pytest.raises(Rejected):
        Scale(-2).count(value)  # type: ignore[arg-type]


def test_text_has_no_needless_zeros() -> None:
    assert [Scale(-2).text(count) for count in (100, 120, 123, -5, 0)] == ["1", "1.2", "1.23", "-0.05", "0"]
    assert Scale(2).text(12) == "1200"


def test_a_count_moves_between_scales_only_without_loss() -> None:
    assert Scale(-2).rescaled(150, Scale(-1)) == 15
    with pytest.raises(Rejected, match="more digits"):
        Scale(-2).rescaled(155, Scale(-1))


def test_scales_beyond_eighteen_digits_are_refused() -> None:
    with pytest.raises(Fatal, match="-18 to 18"):
        Scale(-19)


@given(count=counts, step=st.integers(1, 10**12))
@settings(derandomize=True, deadline=None)
def test_floor_and_ceiling_are_the_nearest_steps(count: int, step: int) -> None:
    low, high = floor_to(count, step), ceil_to(count, step)
    assert low % step == high % step == 0
    assert low <= count <= high
    assert high - low == (0 if count % step == 0 else step)

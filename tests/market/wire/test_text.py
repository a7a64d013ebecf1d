"""Decimal text becomes an exact integer count, or a reason why not."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from market.native.kernel import BYTES, entry
from market.native.memory import address_of
from market.wire.binary import Bytes
from market.wire.records import Reject
from market.wire.text import read_decimal, read_integer, read_string, skip_value
from tests.market.wire.guarded import GuardedBuffer

Words = NDArray[np.int64]


@entry(f"void({BYTES}, int64, int64[::1])")
def _decimal(text: bytes, decimals: int, out: Words) -> None:
    start = address_of(text)
    value, at, reason = read_decimal(start, decimals)
    out[0] = value
    out[1] = at - start
    out[2] = reason


@entry(f"void({BYTES}, int64[::1])")
def _integer(text: bytes, out: Words) -> None:
    start = address_of(text)
    value, at, reason = read_integer(start)
    out[0] = value
    out[1] = at - start
    out[2] = reason


@entry(f"void({BYTES}, int64[::1])")
def _skip(text: bytes, out: Words) -> None:
    start = address_of(text)
    at, reason = skip_value(start)
    out[0] = at - start
    out[1] = reason


@entry("void(uint8[::1], int64[::1])")
def _all(text: Bytes, out: Words) -> None:
    start = address_of(text)
    out[0], at, out[2] = read_decimal(start, 8)
    out[1] = at - start
    out[3], at, out[5] = read_integer(start)
    out[4] = at - start
    out[6], at, out[8] = read_string(start)
    out[7] = at - start


def decimal(text: bytes, decimals: int) -> tuple[int, int, Reject]:
    out = np.zeros(3, dtype=np.int64)
    _decimal(text, decimals, out)
    return int(out[0]), int(out[1]), Reject(int(out[2]))


def skip(text: bytes) -> tuple[int, Reject]:
    out = np.zeros(2, dtype=np.int64)
    _skip(text, out)
    return int(out[0]), Reject(int(out[1]))


@given(
    value=st.decimals(min_value=0, max_value=10**9, allow_nan=False, allow_infinity=False, places=9),
    decimals=st.integers(0, 9),
    zeros=st.integers(0, 6),
)
@settings(derandomize=True, deadline=None)
@example(value=Decimal("0.000000001"), decimals=9, zeros=0)
def test_equals_decimal_arithmetic_exactly(value: Decimal, decimals: int, zeros: int) -> None:
    text = f"{value:f}{'0' * zeros}"
    scaled = value.scaleb(decimals)
    count, length, reason = decimal(text.encode(), decimals)
    assert length == len(text)
    if scaled == scaled.to_integral_value():
        assert (count, reason) == (int(scaled), Reject.NONE)
    else:
        assert reason is Reject.PRECISION


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"", Reject.BAD_NUMBER),
        (b".5", Reject.BAD_NUMBER),
        (b"5.", Reject.BAD_NUMBER),
        (b"-5", Reject.NEGATIVE),
        (b"NaN", Reject.BAD_NUMBER),
        (b"Infinity", Reject.BAD_NUMBER),
        (b"1e5", Reject.BAD_NUMBER),
        (b"1.0E5", Reject.BAD_NUMBER),
        (b"+1", Reject.BAD_NUMBER),
        (b"1.001", Reject.PRECISION),
        (b"12345678901234567", Reject.OVERFLOW),
        (b"9" * 60, Reject.OVERFLOW),
        (b"1.00000001", Reject.PRECISION),
        (b"1.000000000000000001", Reject.PRECISION),
        (b"1.00000000e5", Reject.BAD_NUMBER),
    ],
)
def test_refuses_what_is_not_a_plain_decimal(text: bytes, reason: Reject) -> None:
    assert decimal(text, 2)[2] is reason


def test_the_largest_count_has_eighteen_digits() -> None:
    assert decimal(b"9999999999999999.99", 2) == (999_999_999_999_999_999, 19, Reject.NONE)


@pytest.mark.parametrize(
    ("text", "value", "reason"),
    [
        (b"9223372036854775807", 2**63 - 1, Reject.NONE),
        (b"9223372036854775808", 0, Reject.OVERFLOW),
        (b"10000000000000000000", 0, Reject.OVERFLOW),
        (b"-1", 0, Reject.NEGATIVE),
        (b"x", 0, Reject.BAD_NUMBER),
    ],
)
def test_integers_fit_int64(text: bytes, value: int, reason: Reject) -> None:
    out = np.zeros(3, dtype=np.int64)
    _integer(text, out)
    assert (int(out[0]), Reject(int(out[2]))) == (value, reason)


@given(text=st.text("0123456789.", min_size=1, max_size=24), decimals=st.integers(0, 12))
@settings(derandomize=True, deadline=None, max_examples=500)
def test_any_digits_and_points_read_as_arithmetic_says(text: str, decimals: int) -> None:
    whole, _, rest = text.partition(".")
    fraction = rest.partition(".")[0]
    count, length, reason = decimal(text.encode(), decimals)
    if not whole or ("." in text and not fraction):
        assert reason is Reject.BAD_NUMBER
    elif len(whole) + decimals > 18:
        assert reason is Reject.OVERFLOW
    elif fraction[decimals:].strip("0"):
        assert reason is Reject.PRECISION
    else:
        assert (count, reason) == (int(whole + fraction[:decimals].ljust(decimals, "0")), Reject.NONE)
        assert length == len(whole) + len(fraction) + ("." in text)


@given(st.integers(0, 10**22))
@settings(derandomize=True, deadline=None)
def test_integers_of_any_length(value: int) -> None:
    out = np.zeros(3, dtype=np.int64)
    _integer(str(value).encode(), out)
    fits = value < 2**63
    assert (int(out[0]), Reject(int(out[2]))) == (value if fits else 0, Reject.NONE if fits else Reject.OVERFLOW)


@pytest.mark.parametrize("text", [b"1234567890123456789", b"12345678.12345678", b"1.5", b"123", b"1.1234", b'"symbol"'])
@pytest.mark.parametrize("behind", range(1, 40))
def test_reads_nothing_behind_its_page(text: bytes, behind: int) -> None:
    block = GuardedBuffer(4096).holding(text + b"," * (behind - 1) + b"\n")
    out = np.zeros(9, dtype=np.int64)
    _all(block, out)
    if text.startswith(b'"'):
        assert out[6:9].tolist() == [len(text) - 2, len(text), Reject.NONE]
    elif b"." in text:
        assert out[0:3].tolist() == [int(Decimal(text.decode()).scaleb(8)), len(text), Reject.NONE]
    else:
        assert out[3:6].tolist() == [int(text), len(text), Reject.NONE]


@pytest.mark.parametrize(
    "value",
    [b"1", b"-1.5e7", b"true", b"null", b'"a\\"b"', b"[]", b"{}", b'{"a":[1,{"b":"]"}],"c":null}', b"[[1,2],[3]]"],
)
def test_skips_a_whole_value(value: bytes) -> None:
    assert skip(value + b",rest") == (len(value), Reject.NONE)


@pytest.mark.parametrize("value", [b"", b"[1,2", b'{"a":1]', b'"open', b'"open\\', b"]", b"," + b"x", b"[" * 200])
def test_does_not_skip_past_broken_text(value: bytes) -> None:
    assert skip(value)[1] is Reject.MALFORMED

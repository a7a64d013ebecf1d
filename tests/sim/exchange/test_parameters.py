"""Parameters of requests."""

from __future__ import annotations

from enum import StrEnum

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.exchange.answers import ApiError
from sim.exchange.parameters import Parameters, plain


class Colour(StrEnum):
    RED = "RED"


def test_query_and_body_are_read_together() -> None:
    parameters = Parameters.from_forms(("symbol=BTCUSDT&empty=", "price=1.5"))
    assert parameters.text("symbol") == "BTCUSDT"
    assert parameters.number("price") == "1.5"
    assert not parameters.has("empty")
    assert parameters.optional("absent") == ""


def test_a_name_occurs_once() -> None:
    with pytest.raises(ApiError, match="Duplicate values"):
        Parameters.from_forms(("a=1", "a=2"))


def test_many_parameters_are_refused() -> None:
    with pytest.raises(ApiError, match="-1101"):
        Parameters.from_forms(("&".join(f"p{number}=1" for number in range(65)),))


@pytest.mark.parametrize("text", ["-1", "1e5", "NaN", "1.", ".5", "1,5", "0x1", "9" * 21, "1.5\n", "\u0661"])
def test_numbers_are_plain(text: str) -> None:
    with pytest.raises(ApiError, match="-1100"):
        Parameters({"price": text}).number("price")


@pytest.mark.parametrize("text", ["1.5", "abc", "9" * 19, "--1"])
def test_whole_numbers_are_whole(text: str) -> None:
    with pytest.raises(ApiError, match="-1100"):
        Parameters({"orderId": text}).whole("orderId")


def test_what_is_missing_is_named() -> None:
    for read in (Parameters({}).text, Parameters({}).number, Parameters({}).whole):
        with pytest.raises(ApiError, match="Mandatory parameter 'side' was not sent"):
            read("side")


def test_limits_are_bounded() -> None:
    assert Parameters({}).limit(500, 1_000) == 500
    assert Parameters({"limit": "5000"}).limit(500, 1_000) == 1_000
    with pytest.raises(ApiError, match="-1130"):
        Parameters({"limit": "0"}).limit(500, 1_000)


def test_words_and_flags() -> None:
    refusal = ApiError(-1, "no colour")
    assert Parameters({"colour": "RED"}).word("colour", Colour, refusal) is Colour.RED
    with pytest.raises(ApiError, match="no colour"):
        Parameters({"colour": "red"}).word("colour", Colour, refusal)
    assert Parameters({"on": "True"}).flag("on")
    assert not Parameters({}).flag("on")
    with pytest.raises(ApiError, match="-1100"):
        Parameters({"on": "1"}).flag("on")


@settings(derandomize=True, deadline=None)
@given(st.text(max_size=40))
def test_client_ids_are_of_few_characters(text: str) -> None:
    ids = Parameters({"id": text})
    letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"
    if len(text) <= 36 and all(letter in letters for letter in text):
        assert ids.client_id("id") == text
    else:
        with pytest.raises(ApiError, match="-1100"):
            ids.client_id("id")


def test_json_values_are_signed_as_text() -> None:
    assert [plain(value, "x") for value in (True, False, 5, "5.0", None)] == ["true", "false", "5", "5.0", ""]
    with pytest.raises(ApiError, match="-1130"):
        plain([1], "x")

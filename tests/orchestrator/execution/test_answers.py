"""What errors of the venue mean for what was asked."""

from __future__ import annotations

import pytest

from orchestrator.execution.answers import Limited, Lost, Refusal, error_answer, redacted


@pytest.mark.parametrize(
    ("status", "code", "message"),
    [
        (400, -2010, "Account has insufficient balance for requested action."),
        (400, -1013, "Filter failure: LOT_SIZE"),
        (401, -2015, "Invalid API-key, IP, or permissions for action."),
        (503, -1008, "Server is currently overloaded with other requests."),
        (403, None, "Forbidden"),
    ],
)
def test_what_the_venue_refused_was_not_done(status: int, code: int | None, message: str) -> None:
    answer = error_answer(status, code, message)
    assert isinstance(answer, Refusal)
    assert answer.code == (code or -status)
    assert not answer.is_duplicate


@pytest.mark.parametrize(
    ("status", "code"),
    [(500, None), (502, None), (503, None), (504, -1), (400, -1006), (408, -1007), (200, -1000), (400, -1001)],
)
def test_what_the_venue_does_not_know_is_lost(status: int, code: int | None) -> None:
    assert isinstance(error_answer(status, code, "?"), Lost)


def test_a_duplicate_says_that_the_first_has_arrived() -> None:
    for code, message in ((-2010, "Duplicate order sent."), (-4116, "ClientOrderId is duplicated.")):
        answer = error_answer(400, code, message)
        assert isinstance(answer, Refusal)
        assert answer.is_duplicate


@pytest.mark.parametrize(("code", "unknown"), [(-2013, True), (-2011, True), (-2010, False)])
def test_an_order_that_is_not_there(code: int, unknown: bool) -> None:
    answer = error_answer(400, code, "Order does not exist.")
    assert isinstance(answer, Refusal)
    assert answer.is_unknown_order is unknown


def test_limits_say_how_long_to_wait() -> None:
    banned = error_answer(418, -1003, "Way too much request weight used; IP banned until 1700000000123.")
    assert banned == Limited("418 -1003: Way too much request weight used; IP banned until 1700000000123.", 0,
                             1_700_000_000_123)  # fmt: skip
    slowed = error_answer(429, -1003, "Too much request weight used.", retry_after_s=7)
    assert isinstance(slowed, Limited)
    assert (slowed.pause_ms, slowed.until_ms) == (7_000, 0)
    unsaid = error_answer(400, -1015, "Too many new orders.")
    assert isinstance(unsaid, Limited)
    assert unsaid.pause_ms == 60_000


def test_secrets_are_taken_out_of_texts() -> None:
    text = "POST https://x/api/v3/order?symbol=A&signature=abc123&apiKey=KEY KEY of SECRET" + "x" * 500
    shown = redacted(text, ("KEY", "SECRET", ""))
    assert "KEY" not in shown
    assert "SECRET" not in shown
    assert "abc123" not in shown
    assert len(shown) == 300

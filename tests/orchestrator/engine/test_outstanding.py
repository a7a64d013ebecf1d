"""Inputs on a bad way: control messages in order, each market in its own, and what was overtaken is lost in the end."""

from __future__ import annotations

import pytest

from market.errors import Rejected
from market.fastpath.layout import SCHEMA
from market.fastpath.specification import StepKind
from market.wire.sbe import encode
from orchestrator.engine.inputs import Input, InputKind, Step
from orchestrator.engine.outstanding import Outstanding


def quote(sequence: int, venue: int = 0, time_ns: int = 0) -> Input:
    return Input(InputKind.QUOTE, time_ns, (0, venue, -8, -8, sequence, 1, 1, 2, 1))


def beat(sequence: int) -> Input:
    return Input(InputKind.CONTROL, 0, message=encode(SCHEMA, "Heartbeat", {"sequence": sequence}))


def step(given: Input) -> Step:
    return Step(1, 0, StepKind(int(given.kind)), given.numbers, given.message, 0)


def outstanding(*given: Input) -> Outstanding:
    made = Outstanding()
    for one in given:
        made.add(one)
    return made


def test_markets_and_control_messages_overtake_one_another() -> None:
    given = [quote(1), beat(1), quote(2, venue=1), quote(3)]
    found = outstanding(*given)
    for one in (given[2], given[1], given[0], given[3]):
        assert found.take(step(one)) == one
    assert len(found) == 0
    assert found.take_lost(10**9) == 0


def test_control_messages_come_in_order() -> None:
    found = outstanding(beat(1), beat(2))
    with pytest.raises(Rejected, match="was not given"):
        found.take(step(beat(2)))


def test_what_was_overtaken_is_lost_when_its_time_is_over_and_may_come_until_then() -> None:
    found = outstanding(quote(1, time_ns=5), quote(2, time_ns=6), quote(3, time_ns=7))
    assert found.take(step(quote(3))).numbers == quote(3).numbers
    assert found.take(step(quote(1))).numbers == quote(1).numbers
    assert found.take_lost(6) == 0
    assert found.take_lost(7) == 1
    assert found.take_lost(7) == 0
    with pytest.raises(Rejected, match="was not given"):
        found.take(step(quote(2)))


def test_a_quiet_market_s_last_input_is_lost_once_others_were_logged_later() -> None:
    found = outstanding(quote(1), quote(2, venue=1))
    assert found.take_lost(1) == 0
    found.add(beat(1))
    found.take(step(beat(1)))
    assert found.take_lost(1) == 2
    assert len(found) == 0


def test_what_comes_again_counts_as_repeated() -> None:
    found = outstanding(quote(1), beat(1))
    for _ in range(3):
        assert found.take(step(quote(1))) == quote(1)
    assert found.repeated == 2
    assert found.take(step(beat(1))) == found.take(step(beat(1))) == beat(1)


def test_the_rest_is_given_back_in_the_order_of_giving() -> None:
    given = [quote(1), beat(1), quote(2, venue=1), quote(3), beat(2)]
    found = outstanding(*given)
    found.take(step(given[0]))
    assert list(found.drain()) == given[1:]
    assert len(found) == 0

"""A trigger of another engine counts here as if it had been decided here."""

from __future__ import annotations

import numpy as np

from market.fastpath import state
from market.fastpath.adoption import adopt_trigger
from market.fastpath.engine import CpuEngine
from market.fastpath.layout import TEMPLATE_TRIGGER
from market.fastpath.specification import Kind
from tests.market.fastpath.engine_driver import SECOND, UNIT, Driver

TEMPLATE = slice(2, 4)


def engines() -> tuple[CpuEngine, CpuEngine, bytes]:
    """One that decided a trigger, one that was stopped just before it, and the trigger."""
    ahead, behind = Driver(), Driver()
    for driver in (ahead, behind):
        driver.set_up(kinds=Kind.ARB.mask, cooldown=SECOND)
        driver.quote(1, 100 * UNIT - 1, 100 * UNIT)
    ahead.engine.outputs()
    ahead.engine.push_quotes(np.array([ahead.event(0, 110 * UNIT, 110 * UNIT + 1, UNIT, UNIT)], dtype=np.int64))
    (trigger,) = (
        payload for payload in ahead.engine.outputs() if int.from_bytes(payload[TEMPLATE], "little") == TEMPLATE_TRIGGER
    )
    return ahead.engine, behind.engine, trigger


def test_limits_identity_and_parity_are_those_of_the_engine_that_decided() -> None:
    ahead, behind, trigger = engines()
    assert adopt_trigger(behind.state, trigger) == 1
    assert behind.parity == ahead.parity
    for slot in (state.LAST_ID, state.RATE_AT, state.PARITY):
        assert behind.state[slot] == ahead.state[slot]
    row = int(behind.state[state.INSTRUMENT_ROWS]) // state.WORD
    assert behind.state[row + state.COOLDOWN_UNTIL] == ahead.state[row + state.COOLDOWN_UNTIL]
    for venue in range(2):
        quote = row + (state.QUOTES + venue * state.QUOTE_STRIDE) // state.WORD
        for slot in (state.PENDING_BUY, state.PENDING_SELL, state.ARB_SELL, state.ARB_BUY):
            assert behind.state[quote + slot] == ahead.state[quote + slot]


def test_an_id_that_was_reached_stays() -> None:
    ahead, _, trigger = engines()
    identity, parity = int(ahead.state[state.LAST_ID]), ahead.parity
    assert adopt_trigger(ahead.state, trigger) == 1
    assert (int(ahead.state[state.LAST_ID]), ahead.parity) == (identity, parity)


def test_what_is_no_trigger_of_this_engine_changes_nothing() -> None:
    _, behind, trigger = engines()
    before = behind.state.copy()
    foreign = trigger.replace(trigger[26:30], b"\xff\xff\xff\xff", 1)
    for content in (b"", trigger[:-1], bytes(len(trigger)), foreign):
        assert adopt_trigger(behind.state, content) == 0
    assert (behind.state == before).all()

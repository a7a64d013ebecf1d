"""Inputs of an engine that make many triggers: two venues whose quotes part and meet again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from config.loading import load_settings
from market.engine import Engine
from market.fastpath.layout import SCHEMA, TEMPLATE_TRIGGER
from market.fastpath.specification import EngineSizes
from market.wire.sbe import encode
from orchestrator.engine.inputs import Input, InputKind, apply
from orchestrator.engine.shadow import template_of
from orchestrator.engine.tables import control_messages, engine_sizes
from sim.replay.arming import FIRST_SEQUENCE, arm

START_NS: Final = 1_800_000_000_000_000_000
STEP_NS: Final = 30_000_000
EPOCH: Final = 7
_EXPONENTS: Final = (-8, -8)
_LOW: Final = 6_170_000_000_000
_RAISE: Final = 40_000_000_000
_TICK: Final = 1_000_000
_QUANTITY: Final = 200_000


def tables() -> tuple[EngineSizes, list[bytes]]:
    """Sizes and table rows of the demo's settings."""
    settings = load_settings("demo")
    return engine_sizes(settings), control_messages(settings, first_sequence=FIRST_SEQUENCE + 1)


def arm_engine(engine: Engine) -> int:
    """Arm it; returns the number of the next control message."""
    sequence, _ = arm(engine, tables()[1], START_NS, epoch=EPOCH)
    return sequence


def inputs(count: int, sequence: int, *, every: int = 20) -> Iterator[Input]:
    """Quotes of venues 0 and 1 in turn, trades, and a heartbeat every few; every fourth quote is an arbitrage."""
    for number in range(count):
        time_ns = START_NS + number * STEP_NS
        if number % every == every - 1:
            message = encode(SCHEMA, "Heartbeat", {"sequence": sequence})
            sequence += 1
            yield Input(InputKind.CONTROL, time_ns, message=message)
        elif number % every == every - 2:
            yield Input(InputKind.TRADE, time_ns, (0, 0, *_EXPONENTS, 1, _LOW, 1_000))
        else:
            yield Input(InputKind.QUOTE, time_ns, _quote(number, number % 2, raised=number % 4 == 1))


def _quote(number: int, venue: int, *, raised: bool) -> tuple[int, ...]:
    """61,700, or 400 more, and 0.002 to buy or sell."""
    bid = _LOW + (_RAISE if raised else 0)
    return (0, venue, *_EXPONENTS, number + 1, bid, _QUANTITY, bid + _TICK, _QUANTITY)


def feed(engine: Engine, given: Sequence[Input]) -> list[bytes]:
    """Everything that an engine says to some inputs."""
    said = []
    for one in given:
        apply(engine, one)
        said += engine.outputs()
    return said


def triggers_of(messages: Sequence[bytes]) -> list[bytes]:
    """The triggers among some messages."""
    return [message for message in messages if template_of(message) == TEMPLATE_TRIGGER]

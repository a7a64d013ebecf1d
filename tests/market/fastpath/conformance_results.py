"""What cases of the corpus expect, decoded for comparison with hand-computed numbers."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from market.fastpath.conformance import Case, load_corpus
from market.fastpath.conformance.case import SCHEMA
from market.fastpath.specification import Kind, Refusal, Result, Side
from market.wire.sbe import decode

CASES = {case.name: case for case in load_corpus()}
NO_LEG = (255, Side.NONE, 0)


class Trigger(NamedTuple):
    """A trigger's decision: legs are (venue, side, price), ``size`` is the first leg's quantity."""

    kind: Kind
    first: tuple[int, Side, int]
    second: tuple[int, Side, int]
    size: int
    edge: int


@cache
def payloads(name: str, message: str) -> tuple[dict[str, int], ...]:
    """The fields of all payloads of one message that a case expects, with its step under ``at_step``."""
    found = []
    for number, step in enumerate(CASES[name].steps):
        for payload in step.outputs:
            decoded = decode(SCHEMA, payload)
            if decoded.name == message:
                found.append({**decoded.fields, "at_step": number})
    return tuple(found)


def triggers(name: str) -> list[Trigger]:
    """The triggers that a case expects; both quantities of a two-legged one are equal."""
    found = []
    for fields in payloads(name, "Trigger"):
        assert fields["secondQuantity"] == (fields["firstQuantity"] if fields["secondSide"] else 0)
        first = (fields["firstVenue"], Side(fields["firstSide"]), fields["firstPrice"])
        second = (fields["secondVenue"], Side(fields["secondSide"]), fields["secondPrice"])
        found.append(Trigger(Kind(fields["kind"]), first, second, fields["firstQuantity"], fields["edge"]))
    return found


def edges(name: str) -> list[int]:
    """The edges of a case's triggers."""
    return [trigger.edge for trigger in triggers(name)]


def counted(name: str) -> dict[str, int]:
    """The counters at a case's end that are not zero, without those of events and control messages."""
    left_out = {"quoteEvents", "tradeEvents", "controlApplied", "controlRefused"}
    return {key: value for key, value in CASES[name].end.counters.items() if value and key not in left_out}


def answers(name: str) -> list[tuple[Result, Refusal]]:
    """Result and refusal of every acknowledgement of a case."""
    return [(Result(a["result"]), Refusal(a["refusal"])) for a in payloads(name, "Acknowledge")]


def case(name: str) -> Case:
    """The case itself."""
    return CASES[name]

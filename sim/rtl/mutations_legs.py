"""Triggers with two legs, whose second one just fits or just does not: in the collar, and in its room."""

from __future__ import annotations

from random import Random
from typing import Final

from market.fastpath.conformance.scenario import Scenario
from market.fastpath.specification import EngineSizes, Kind
from sim.rtl.mutations_recording import Recorder, Recording

_SIZES: Final = EngineSizes(venues=2, instruments=1)
_OWN, _OTHER = 0, 1
_LEAST_BITS, _MOST_BITS = 4, 45
_WAIT_NS: Final = 1_000_000
_MID: Final = 1_000
_BATCH: Final = 32


def two_legs(seed: int) -> Recording:
    """Bounds and rooms of every length, met exactly and missed by one, for a leg that buys and one that sells."""
    random = Random(seed)
    scenario = Scenario("two-legs", "the second leg fits, or does not", sizes=_SIZES)
    scenario.set_up(Kind.ARB)
    for bits in range(_LEAST_BITS, _MOST_BITS):
        for buys in (False, True):
            for miss in (0, 1):
                _collar(scenario, random, bits, buys, miss)
                _room(scenario, random, bits, buys, miss)
    recorder = Recorder("two-legs", _SIZES)
    steps = [(step.at_ns, step.input) for step in scenario.steps]
    for at in range(0, len(steps), _BATCH):
        recorder.give(steps[at : at + _BATCH])
    return recorder.recording()


def _drawn(random: Random, bits: int) -> int:
    """A number of so many bits."""
    return 1 << bits - 1 | random.getrandbits(bits - 1)


def _collar(scenario: Scenario, random: Random, bits: int, buys: bool, miss: int) -> None:
    """The other venue's price is on the bound of the collar, or beyond; a loss is allowed, so that ours is inside."""
    low, width = _drawn(random, bits), _drawn(random, bits) + 8
    high = low + width
    scenario.wait(_WAIT_NS)
    scenario.instrument_row(Kind.ARB, priceLow=low, priceHigh=high, minimumEdge=-3, positionLimit=1 << 40)
    for venue in (_OWN, _OTHER):
        scenario.set_position(venue, 0)
    if buys:
        theirs = high + miss
        scenario.quote(_OTHER, 1, 10, theirs, 10)
        scenario.quote(_OWN, 1, 10, theirs + 9, 10)
        scenario.quote(_OWN, theirs - 2, 10, theirs + 9, 10)
    else:
        theirs = low - miss
        scenario.quote(_OTHER, theirs, 10, 4 * high, 10)
        scenario.quote(_OWN, 1, 10, 4 * high, 10)
        scenario.quote(_OWN, 1, 10, theirs + 2, 10)


def _room(scenario: Scenario, random: Random, bits: int, buys: bool, miss: int) -> None:
    """What is displayed is as much as the other venue has room for, or one more; as much may be traded."""
    room = _drawn(random, bits)
    quantity, limit = room + miss, room + random.getrandbits(bits)
    scenario.wait(_WAIT_NS)
    scenario.instrument_row(Kind.ARB, maximumQuantity=quantity + random.getrandbits(bits), positionLimit=limit + 1)
    held = limit + 1 - room
    scenario.set_position(_OWN, 0, 0, 0)
    scenario.set_position(_OTHER, held if buys else -held)
    for ask in (_MID + 90, _MID - 20) if buys else (_MID + 90,):
        scenario.quote(_OTHER, _MID - 90 if buys else _MID + 20, quantity, ask, quantity)
        scenario.quote(_OWN, _MID - 1, quantity, _MID + 1, quantity)
    if not buys:
        scenario.quote(_OWN, _MID - 1, quantity, _MID + 91, quantity)
        scenario.quote(_OWN, _MID - 1, quantity, _MID + 1, quantity)

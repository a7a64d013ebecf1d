"""One event, steps 1 and 2: admission, storing, usable."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from market.fastpath.conformance.case import Case
from market.fastpath.conformance.rules import Rule
from market.fastpath.conformance.scenario import ALL_KINDS, Scenario
from market.fastpath.specification import EngineSizes, Kind

LOWEST, HIGHEST = -(1 << 63), (1 << 63) - 1


def cases() -> Iterator[Case]:
    yield _unknown()
    yield _old_sequence()
    yield _sequence_signed()
    yield _exponent()
    yield _empty()
    yield _range()
    yield _crossed()
    yield _order()
    for label, rule, event in _invalidating():
        yield _invalidates(label, rule, event)
    yield _own_venue_disabled()
    yield _other_venue_disabled()
    yield _age()
    yield _age_renewed()
    yield _silence()


def _unknown() -> Case:
    scenario = Scenario(
        "reject-unknown",
        "outside the build, or no scaling row: nothing is stored, so the same sequence is good afterwards",
        Rule.REJECT_UNKNOWN,
        sizes=EngineSizes(venues=2, instruments=2),
    )
    scenario.set_up()
    scenario.quote(2, 999, 10, 1_001, 10)
    scenario.quote(255, 999, 10, 1_001, 10)
    scenario.quote(0, 999, 10, 1_001, 10, instrument=2)
    scenario.quote(0, 999, 10, 1_001, 10, instrument=65_535)
    scenario.quote(0, 999, 10, 1_001, 10, instrument=1, sequence=50)
    scenario.scaling_row(1, 0)
    scenario.quote(0, 999, 10, 1_001, 10, instrument=1, sequence=50)
    scenario.quote(0, 999, 10, 1_001, 10, instrument=1, sequence=50)
    return scenario.case()


def _old_sequence() -> Case:
    scenario = Scenario(
        "reject-old-sequence",
        "equal and lower are old, per instrument and venue; the quote stays as it was",
        Rule.REJECT_OLD_SEQUENCE,
    )
    scenario.set_up(Kind.ARB)
    scenario.quote(1, 999, 10, 1_001, 10, sequence=100)
    scenario.quote(1, 999, 10, 1_999, 10, sequence=100)
    scenario.quote(1, 999, 10, 1_999, 10, sequence=99)
    scenario.quote(0, 1_010, 10, 1_012, 10, sequence=1)
    return scenario.case()


def _sequence_signed() -> Case:
    scenario = Scenario("sequence-signed", "from -2^63 to 2^63 - 1, the first being any", Rule.SEQUENCE_SIGNED)
    scenario.set_up()
    for sequence in (LOWEST, LOWEST, -1, -2, 0, HIGHEST, LOWEST):
        scenario.quote(0, 999, 10, 1_001, 10, sequence=sequence)
    scenario.quote(1, 999, 10, 1_001, 10, sequence=-5)
    return scenario.case()


def _exponent() -> Case:
    scenario = Scenario(
        "reject-exponent", "price or quantity exponent; before EMPTY and after OLD_SEQUENCE", Rule.REJECT_EXPONENT
    )
    scenario.set_up()
    scenario.quote(0, 999, 10, 1_001, 10, price_exponent=-8)
    scenario.quote(0, 999, 10, 1_001, 10, quantity_exponent=-10)
    scenario.quote(0, 999, 10, 1_001, 10, price_exponent=9, quantity_exponent=9)
    scenario.scaling_row(0, 0, priceExponent=-128, quantityExponent=127)
    scenario.quote(0, 999, 10, 1_001, 10, price_exponent=-128, quantity_exponent=127)
    return scenario.case()


def _empty() -> Case:
    scenario = Scenario("reject-empty", "a zero on either side, before RANGE", Rule.REJECT_EMPTY)
    scenario.set_up()
    scenario.quote(0, 999, 0, 1_001, 10)
    scenario.quote(0, 999, 10, 1_001, 0)
    scenario.quote(0, 0, 0, 1_001, -1)
    return scenario.case()


def _range() -> Case:
    scenario = Scenario(
        "reject-range",
        "price mantissas 0, negative, top + 1 (k = 3), negative quantities; 1 and top pass",
        Rule.REJECT_RANGE,
    )
    scenario.set_up()
    scenario.scaling_row(0, 0, priceShift=3)
    top = scenario.sizes.top // 1_000
    scenario.quote(0, 0, 10, 1_001, 10)
    scenario.quote(0, -5, 10, 1_001, 10)
    scenario.quote(0, 999, 10, 0, 10)
    scenario.quote(0, 999, 10, top + 1, 10)
    scenario.quote(0, HIGHEST, 10, HIGHEST, 10)
    scenario.quote(0, LOWEST, 10, LOWEST, 10)
    scenario.quote(0, 999, -1, 1_001, 10)
    scenario.quote(0, 999, 10, 1_001, LOWEST)
    scenario.quote(0, 1, 1, top, HIGHEST)
    return scenario.case()


def _crossed() -> Case:
    scenario = Scenario("reject-crossed", "ask equal to and below the bid; one above passes", Rule.REJECT_CROSSED)
    scenario.set_up()
    scenario.quote(0, 1_000, 10, 1_000, 10)
    scenario.quote(0, 1_000, 10, 999, 10)
    scenario.quote(0, 1_000, 10, 1_001, 10)
    return scenario.case()


def _order() -> Case:
    scenario = Scenario(
        "reject-order",
        "an event that fails everything counts under the first check; each next event mends that one",
        Rule.REJECT_ORDER,
    )
    scenario.set_up()
    scenario.quote(0, 999, 10, 1_001, 10, sequence=10)
    scenario.quote(9, 0, 0, -1, -1, price_exponent=0, sequence=10)
    scenario.quote(0, 0, 0, -1, -1, price_exponent=0, sequence=10)
    scenario.quote(0, 0, 0, -1, -1, price_exponent=0, sequence=11)
    scenario.quote(0, 0, 0, -1, -1, sequence=12)
    scenario.quote(0, 0, 1, -1, -1, sequence=13)
    scenario.quote(0, 5, 1, 4, 1, sequence=14)
    scenario.quote(0, 5, 1, 6, 1, sequence=15)
    return scenario.case()


def _invalidating() -> Iterator[tuple[str, Rule, Callable[[Scenario], object]]]:
    yield "exponent", Rule.REJECT_EXPONENT, lambda s: s.quote(1, 999, 10, 1_001, 10, price_exponent=0)
    yield "empty", Rule.REJECT_EMPTY, lambda s: s.quote(1, 999, 0, 1_001, 10)
    yield "range", Rule.REJECT_RANGE, lambda s: s.quote(1, 999, 10, 1 << 48, 10)
    yield "crossed", Rule.REJECT_CROSSED, lambda s: s.quote(1, 999, 10, 998, 10)


def _invalidates(label: str, rule: Rule, event: Callable[[Scenario], object]) -> Case:
    scenario = Scenario(
        f"invalid-after-{label}",
        "its bits are cleared at once, so its next good quote rises anew; meanwhile no other venue trades against "
        "it; its sequence was stored",
        rule,
        Rule.REJECT_INVALIDATES,
        Rule.USABLE_VALID,
        Rule.EDGE_AGAIN,
    )
    scenario.set_up(*ALL_KINDS, basisThreshold=1 << 49)
    scenario.flat(1)
    scenario.quote(0, 1_010, 10, 1_012, 10)
    scenario.wait(1_000_000)
    event(scenario)
    scenario.quote(1, 999, 10, 1_001, 10)
    scenario.wait(1_000_000)
    event(scenario)
    scenario.quote(0, 1_011, 10, 1_013, 10)
    scenario.wait(1_000_000)
    stored = scenario.steps[-2].input
    scenario.give(stored)
    scenario.quote(1, 999, 10, 1_001, 10)
    return scenario.case()


def _own_venue_disabled() -> Case:
    scenario = Scenario(
        "usable-own-venue",
        "the moved venue itself is disabled: no condition of any kind, no basis sample",
        Rule.USABLE_ENABLED,
        Rule.BASIS_WARM_UP,
    )
    scenario.set_up(*ALL_KINDS, imbalanceThreshold=1)
    scenario.venue_row(0, enabled=0)
    scenario.flat(1)
    scenario.quote(0, 1_010, 30, 1_012, 10)
    scenario.venue_row(0)
    scenario.quote(0, 1_010, 30, 1_012, 10)
    return scenario.case()


def _other_venue_disabled() -> Case:
    scenario = Scenario(
        "usable-other-venue",
        "a disabled venue is no counterpart; its own event makes its bits false, so enabling it lets them rise",
        Rule.USABLE_ENABLED,
        Rule.EDGE_AGAIN,
    )
    scenario.set_up(Kind.ARB)
    scenario.flat(1)
    scenario.venue_row(1, enabled=0)
    scenario.quote(0, 1_010, 10, 1_012, 10)
    scenario.venue_row(1)
    scenario.quote(0, 1_010, 10, 1_012, 10)
    return scenario.case()


def _age() -> Case:
    scenario = Scenario(
        "usable-age",
        "a quote as old as the maximum age is used, one ns older is not; a stale bit falls at the next event",
        Rule.USABLE_AGE,
        Rule.EDGE_AGAIN,
    )
    scenario.set_up(Kind.ARB)
    scenario.venue_row(1, maximumAge=500)
    scenario.flat(1)
    scenario.wait(501)
    scenario.quote(0, 1_010, 10, 1_012, 10)
    scenario.flat(1)
    scenario.wait(10_000)
    scenario.flat(0)
    scenario.flat(1)
    scenario.wait(500)
    scenario.quote(0, 1_010, 10, 1_012, 10)
    return scenario.case()


def _age_renewed() -> Case:
    scenario = Scenario(
        "age-renewed",
        "an unchanged quote is an event: it makes the quote young again",
        Rule.UNCHANGED_QUOTE,
        Rule.USABLE_AGE,
    )
    scenario.set_up(Kind.ARB)
    scenario.venue_row(1, maximumAge=500)
    for _ in range(3):
        scenario.flat(1)
        scenario.wait(400)
    scenario.quote(0, 1_010, 10, 1_012, 10)
    return scenario.case()


def _silence() -> Case:
    scenario = Scenario(
        "usable-silence",
        "silent for exactly the maximum is usable, one ns more is not; any instrument's event ends the silence",
        Rule.USABLE_SILENCE,
        Rule.HEARD,
        sizes=EngineSizes(venues=2, instruments=2),
    )
    scenario.set_up(Kind.ARB)
    scenario.venue_row(1, maximumSilence=300)
    scenario.flat(1)
    scenario.wait(301)
    scenario.quote(0, 1_010, 10, 1_012, 10)
    scenario.quote(1, 999, 10, 1_001, 10, instrument=1)
    scenario.wait(300)
    scenario.quote(0, 1_010, 10, 1_012, 10)
    return scenario.case()

"""Builds of 1 to 6 venues: every venue sells, buys, leads and is the counterpart once."""

from __future__ import annotations

from collections.abc import Iterator

from market.fastpath.conformance.case import Case
from market.fastpath.conformance.rules import Rule
from market.fastpath.conformance.scenario import ALL_KINDS, Scenario
from market.fastpath.specification import EngineSizes

MS = 1_000_000


def cases() -> Iterator[Case]:
    for venues in range(1, 7):
        yield _round(venues)


def _round(venues: int) -> Case:
    scenario = Scenario(
        f"build-of-{venues}-venues",
        "each venue in turn rises far enough for a BASIS (with the next one lagging), then falls far enough for an ARB",
        Rule.BUILD_SIZES,
        Rule.CHOICE_KIND,
        Rule.CHOICE_TIE,
        Rule.SEQUENCE_NEXT,
        sizes=EngineSizes(venues=venues, instruments=venues, price_bits=32),
    )
    leads = [1 << ((venue + 1) % venues) for venue in range(venues)]
    scenario.set_up(*ALL_KINDS, leads=leads, minimumEdge=60, basisThreshold=70, basisInterval=MS)
    for venue in range(venues):
        scenario.flat(venue)
    for venue in range(venues):
        for mid in (1_040, 1_000, 930):
            scenario.wait(MS)
            scenario.quote(venue, mid - 1, 12, mid + 1, 3)
        scenario.wait(MS)
        scenario.flat(venue)
    return scenario.case()

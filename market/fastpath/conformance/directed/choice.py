"""One event, steps 4 to 6: edges, choice, size."""

from __future__ import annotations

from collections.abc import Iterator

from market.fastpath.conformance.case import Case
from market.fastpath.conformance.rules import Rule
from market.fastpath.conformance.scenario import ALL_KINDS, THREE_VENUES, Scenario
from market.fastpath.specification import EngineSizes, Kind

FOUR_VENUES = EngineSizes(venues=4, instruments=1)
MS = 1_000_000


def cases() -> Iterator[Case]:
    yield _edge_again()
    yield _edge_suppressed()
    yield _edge_unchosen()
    yield _edge_shared()
    yield _edge_tables()
    yield _edge_per_direction()
    yield _choice_kind()
    yield _choice_seller()
    yield _choice_seller_basis()
    yield _choice_largest()
    yield _choice_largest_basis()
    yield _choice_tie()
    yield _choice_tie_basis()
    yield _size()


def _edge_again() -> Case:
    scenario = Scenario("edge-again", "true, true, false, true: two rises", Rule.EDGE_RISE, Rule.EDGE_AGAIN)
    scenario.set_up(Kind.IMBALANCE)
    for bid_quantity in (30, 31, 29, 30):
        scenario.wait(MS)
        scenario.quote(0, 999, bid_quantity, 1_001, 10)
    return scenario.case()


def _edge_suppressed() -> Case:
    scenario = Scenario(
        "edge-suppressed",
        "a rise while killed is used up: after arming the same state does not rise",
        Rule.EDGE_SUPPRESSED,
        Rule.GATE_KILL,
    )
    scenario.set_up(Kind.IMBALANCE, armed=False)
    scenario.quote(0, 999, 30, 1_001, 10)
    scenario.rearm()
    scenario.quote(0, 999, 30, 1_001, 10)
    scenario.flat(0)
    scenario.quote(0, 999, 30, 1_001, 10)
    return scenario.case()


def _edge_unchosen() -> Case:
    scenario = Scenario(
        "edge-unchosen",
        "ARB and IMBALANCE rise together: ARB is chosen, IMBALANCE used up, and does not rise by itself afterwards",
        Rule.EDGE_UNCHOSEN,
        Rule.CHOICE_KIND,
    )
    scenario.set_up(Kind.ARB, Kind.IMBALANCE)
    scenario.flat(1)
    scenario.quote(0, 1_010, 30, 1_012, 10)
    scenario.wait(MS)
    scenario.quote(0, 1_000, 30, 1_012, 10)
    return scenario.case()


def _edge_shared() -> Case:
    scenario = Scenario(
        "edge-shared",
        "venue 0's event sets the pair's bit; 1's event finds it set, then clears it; 0's event rises again",
        Rule.EDGE_SHARED,
    )
    scenario.set_up(Kind.ARB)
    scenario.flat(1)
    scenario.quote(0, 1_010, 10, 1_012, 10)
    scenario.wait(MS)
    scenario.quote(1, 998, 10, 1_000, 10)
    scenario.quote(1, 1_005, 10, 1_008, 10)
    scenario.quote(1, 998, 10, 1_000, 10)
    return scenario.case()


def _edge_tables() -> Case:
    scenario = Scenario(
        "edge-tables",
        "rows, kinds off and on, kill and arming leave the bit set: no rise until an event has seen it false",
        Rule.EDGE_TABLES,
    )
    scenario.set_up(Kind.ARB)
    scenario.flat(1)
    scenario.quote(0, 1_010, 10, 1_012, 10)
    scenario.wait(MS)
    scenario.instrument_row()
    scenario.instrument_row(Kind.ARB, minimumEdge=6)
    scenario.venue_row(0, fee=1)
    scenario.control("Kill")
    scenario.rearm()
    scenario.quote(0, 1_010, 10, 1_012, 10)
    scenario.instrument_row(Kind.ARB, minimumEdge=1_000)
    scenario.quote(0, 1_010, 10, 1_012, 10)
    scenario.instrument_row(Kind.ARB)
    scenario.quote(0, 1_010, 10, 1_012, 10)
    return scenario.case()


def _edge_per_direction() -> Case:
    scenario = Scenario(
        "edge-per-direction",
        "selling 0 and buying 0 have bits of their own, as have the two sides of an imbalance",
        Rule.EDGE_RISE,
        Rule.ARB_BUY_V,
    )
    scenario.set_up(Kind.ARB, Kind.IMBALANCE)
    scenario.flat(1)
    for bid, bid_quantity, ask_quantity in ((1_010, 10, 10), (980, 10, 10), (1_000, 30, 10), (1_000, 10, 30)):
        scenario.wait(MS)
        scenario.quote(0, bid, bid_quantity, bid + 2, ask_quantity)
    return scenario.case()


def _choice_kind() -> Case:
    scenario = Scenario(
        "choice-kind",
        "all three rise: ARB; without ARB: BASIS; without both: IMBALANCE. One candidate each",
        Rule.CHOICE_KIND,
        Rule.EDGE_UNCHOSEN,
    )
    scenario.set_up(*ALL_KINDS, before_arming=lambda: scenario.load_basis(0, 1, 0))
    for kinds in (ALL_KINDS, (Kind.BASIS, Kind.IMBALANCE), (Kind.IMBALANCE,)):
        scenario.wait(1)
        scenario.instrument_row()
        scenario.flat(0)
        scenario.flat(1)
        scenario.instrument_row(*kinds)
        scenario.wait(10_000)
        scenario.quote(0, 1_100, 30, 1_102, 10)
    return scenario.case()


def _choice_seller() -> Case:
    scenario = Scenario(
        "choice-seller",
        "with a minimum edge of -100 selling (edge -91) and buying (edge -21) v both rise: selling is chosen",
        Rule.CHOICE_SELLER,
        Rule.TRIGGER_EDGE,
    )
    scenario.set_up(Kind.ARB, minimumEdge=-100)
    scenario.flat(1)
    scenario.quote(0, 910, 10, 1_020, 10)
    return scenario.case()


def _choice_seller_basis() -> Case:
    scenario = Scenario(
        "choice-seller-basis",
        "against venue 1 v is rich by 120, against venue 2 cheap by 400: the rich one is chosen",
        Rule.CHOICE_SELLER,
        sizes=THREE_VENUES,
    )
    scenario.set_up(Kind.BASIS, before_arming=lambda: _load(scenario, (0, 1), (0, 2)))
    scenario.flat(1, 940)
    scenario.flat(2, 1_200)
    scenario.wait(MS)
    scenario.flat(0)
    return scenario.case()


def _load(scenario: Scenario, *pairs: tuple[int, int]) -> None:
    """These pairs have basis 0; the others start by themselves."""
    for first, second in pairs:
        scenario.load_basis(first, second, 0)


def _choice_largest() -> Case:
    scenario = Scenario(
        "choice-largest",
        "edges 10, 12 and 11 against venues 0, 1 and 3: venue 1",
        Rule.CHOICE_LARGEST,
        sizes=FOUR_VENUES,
    )
    scenario.set_up(Kind.ARB)
    for venue, ask in ((0, 1_010), (1, 1_008), (3, 1_009)):
        scenario.quote(venue, 1_006, 10, ask, 10)
    scenario.quote(2, 1_020, 10, 1_030, 10)
    return scenario.case()


def _choice_largest_basis() -> Case:
    scenario = Scenario(
        "choice-largest-basis",
        "v cheap by 120 against 0 and by 160 against 1: the larger |dev|",
        Rule.CHOICE_LARGEST,
        sizes=THREE_VENUES,
    )
    scenario.set_up(Kind.BASIS, before_arming=lambda: _load(scenario, (0, 2), (1, 2)))
    scenario.flat(0, 1_060)
    scenario.flat(1, 1_080)
    scenario.wait(MS)
    scenario.flat(2)
    return scenario.case()


def _choice_tie() -> Case:
    scenario = Scenario(
        "choice-tie",
        "equal edges against 0, 1 and 3, also as buyer: venue 0",
        Rule.CHOICE_TIE,
        sizes=FOUR_VENUES,
    )
    scenario.set_up(Kind.ARB)
    for venue in (3, 1, 0):
        scenario.flat(venue)
    scenario.quote(2, 1_020, 10, 1_030, 10)
    scenario.wait(MS)
    scenario.quote(2, 970, 10, 980, 10)
    return scenario.case()


def _choice_tie_basis() -> Case:
    scenario = Scenario(
        "choice-tie-basis",
        "equal |dev| against 0 and 2: venue 0, which with v = 1 is the a of its pair",
        Rule.CHOICE_TIE,
        sizes=THREE_VENUES,
    )
    scenario.set_up(Kind.BASIS, before_arming=lambda: _load(scenario, (0, 1), (1, 2)))
    scenario.flat(2)
    scenario.flat(0)
    scenario.wait(MS)
    scenario.flat(1, 1_100)
    return scenario.case()


def _size() -> Case:
    scenario = Scenario(
        "size",
        "the seller's bid, then the buyer's ask, then the maximum quantity is the least",
        Rule.SIZE,
    )
    scenario.set_up(Kind.ARB)
    for sold, bought in ((20, 30), (30, 20), (101, 102)):
        scenario.wait(MS)
        scenario.flat(0)
        scenario.quote(1, 999, 1_000, 1_001, bought)
        scenario.quote(0, 1_010, sold, 1_012, 1_000)
    return scenario.case()

"""One event, step 9, and trades."""

from __future__ import annotations

from collections.abc import Iterator

from market.fastpath.conformance.case import Case
from market.fastpath.conformance.rules import Rule
from market.fastpath.conformance.scenario import START_NS, THREE_VENUES, Scenario
from market.fastpath.specification import Kind, Side

MS = 1_000_000
HIGHEST, LOWEST = (1 << 63) - 1, -(1 << 63)


def cases() -> Iterator[Case]:
    yield _first_sample()
    yield _interval()
    yield _pairs_by_themselves()
    for shift in (0, 1, 10, 16):
        yield _mean(shift)
    yield _samples_limit()
    yield _always()
    yield _future_sample_time()
    yield _trade_volume()
    yield _trade_rejects()
    yield _trade_changes_nothing_else()


def probe(scenario: Scenario) -> None:
    """Show the basis of venues 0 and 1: the trigger's edge is |d - (B >> 12)|, d being 100,000."""
    scenario.instrument_row(Kind.BASIS, basisThreshold=1 << 49, basisInterval=1 << 50)
    scenario.flat(1, 1_000)
    scenario.flat(0, 51_000)
    scenario.instrument_row(Kind.BASIS, basisThreshold=1, basisInterval=1 << 50)
    scenario.wait(MS)
    scenario.flat(0, 51_000)


def _first_sample() -> Case:
    scenario = Scenario(
        "basis-first",
        "the first event of a usable pair sets B to its difference, whatever shift and interval",
        Rule.BASIS_FIRST,
        Rule.BASIS_AFTER,
    )
    scenario.set_up(Kind.BASIS, basisShift=16)
    scenario.flat(1)
    scenario.quote(0, 1_100, 10, 1_103, 10)
    probe(scenario)
    return scenario.case()


def _interval() -> Case:
    scenario = Scenario(
        "basis-interval",
        "with shift 0 each sample replaces B: none one ns before the interval has passed, one when it has; it counts "
        "from the last sample. Edges 20, 20, 30, 20",
        Rule.BASIS_INTERVAL,
        Rule.BASIS_MEAN,
    )
    scenario.set_up(Kind.BASIS, basisShift=0, basisInterval=MS, basisThreshold=1)
    scenario.engine_row(rate_tolerance=62 * 2_048)
    scenario.flat(1)
    scenario.flat(0)
    for mid, wait in ((1_010, MS - 1), (990, 1), (1_005, MS - 1), (980, 1)):
        scenario.wait(wait)
        scenario.flat(0, mid)
    return scenario.case()


def _pairs_by_themselves() -> Case:
    scenario = Scenario(
        "basis-pairs",
        "venue 2 comes late: its pairs take their first samples while (0, 1) waits for its interval",
        Rule.BASIS_FIRST,
        Rule.BASIS_INTERVAL,
        Rule.USABLE_VALID,
        sizes=THREE_VENUES,
    )
    scenario.set_up(Kind.BASIS, basisInterval=1_000_000)
    scenario.flat(0)
    scenario.flat(1)
    scenario.wait(500_000)
    scenario.flat(2, 1_010)
    scenario.flat(0, 1_000)
    scenario.wait(500_000)
    scenario.flat(0, 1_060)
    scenario.wait(MS)
    scenario.flat(2, 900)
    return scenario.case()


def _mean(shift: int) -> Case:
    scenario = Scenario(
        f"basis-mean-shift-{shift}",
        "up by 7 and down by 900 in doubled mid prices: both floors",
        Rule.BASIS_MEAN,
        Rule.FLOOR_SHIFT,
    )
    scenario.set_up(basisShift=shift, basisInterval=0)
    scenario.flat(1)
    scenario.flat(0)
    scenario.quote(0, 1_001, 10, 1_006, 10)
    scenario.flat(0, 550)
    scenario.flat(0, 551)
    probe(scenario)
    return scenario.case()


def _samples_limit() -> Case:
    scenario = Scenario(
        "basis-samples",
        "samples stay at 65,535: a warm-up of 65,535 is still reached after three more samples",
        Rule.BASIS_SAMPLES,
        Rule.BASIS_WARM_UP,
        Rule.LOAD_BASIS,
    )
    scenario.set_up(
        Kind.BASIS,
        basisWarmUp=65_535,
        basisInterval=0,
        basisShift=16,
        before_arming=lambda: scenario.load_basis(0, 1, 0, samples=65_533),
    )
    scenario.flat(1)
    for mid in (1_100, 1_000, 1_100, 1_000, 1_100):
        scenario.wait(MS)
        scenario.flat(0, mid)
    return scenario.case()


def _always() -> Case:
    scenario = Scenario(
        "basis-always",
        "sampled before the instrument has a row (interval and shift 0: every event replaces B) and with BASIS off",
        Rule.BASIS_ALWAYS,
        Rule.UNCHANGED_QUOTE,
    )
    scenario.control("Hello", sequence=1, epoch=1)
    scenario.engine_row()
    for venue in (0, 1):
        scenario.venue_row(venue)
        scenario.scaling_row(0, venue)
    scenario.flat(1)
    scenario.flat(0)
    scenario.flat(0, 1_100)
    scenario.control("Heartbeat")
    scenario.rearm()
    probe(scenario)
    return scenario.case()


def _future_sample_time() -> Case:
    scenario = Scenario(
        "basis-future-sample",
        "a loaded sample time above T is not old enough, even for an interval of 0",
        Rule.BASIS_ALWAYS,
        Rule.LOAD_BASIS,
    )
    scenario.set_up(
        Kind.BASIS,
        basisInterval=0,
        basisShift=0,
        before_arming=lambda: scenario.load_basis(0, 1, 0, sampleTime=START_NS + 1),
    )
    scenario.flat(1)
    scenario.flat(0, 1_040)
    scenario.flat(0, 1_050)
    return scenario.case()


def _trade_volume() -> Case:
    scenario = Scenario(
        "trade-volume",
        "buys, sells and trades without aggressor; scaled; a quantity above top is cut and counted",
        Rule.TRADE_VOLUME,
        Rule.TRADE_CUT,
        Rule.SCALING,
    )
    scenario.scaling_row(0, 0, quantityShift=2)
    scenario.scaling_row(0, 1)
    top = scenario.sizes.top // 100
    scenario.trade(0, Side.BUY, 1_000, 3)
    scenario.trade(1, Side.SELL, 1_000, 3)
    scenario.trade(1, Side.NONE, 1_000, 3)
    scenario.trade(0, Side.SELL, scenario.sizes.top, top)
    scenario.trade(0, Side.SELL, 1, top + 1)
    scenario.trade(0, Side.NONE, 1, HIGHEST)
    scenario.control("StatusRequest")
    return scenario.case()


def _trade_rejects() -> Case:
    scenario = Scenario(
        "trade-reject",
        "UNKNOWN, EXPONENT and RANGE of trades, in this order; no volume, no cut",
        Rule.TRADE_REJECT,
    )
    scenario.scaling_row(0, 0, priceShift=3)
    top = scenario.sizes.top // 1_000
    scenario.trade(1, Side.BUY, 0, 0, price_exponent=0)
    scenario.trade(9, Side.BUY, 1_000, 1)
    scenario.trade(0, Side.BUY, 1_000, 1, instrument=1)
    scenario.trade(0, Side.BUY, 0, 0, price_exponent=0)
    scenario.trade(0, Side.BUY, 1_000, 1, quantity_exponent=-8)
    scenario.trade(0, Side.BUY, 0, 1)
    scenario.trade(0, Side.BUY, LOWEST, 1)
    scenario.trade(0, Side.BUY, top + 1, HIGHEST)
    scenario.trade(0, Side.BUY, 1_000, 0)
    scenario.trade(0, Side.BUY, 1_000, -1)
    scenario.trade(0, Side.BUY, top, 1)
    scenario.control("StatusRequest")
    return scenario.case()


def _trade_changes_nothing_else() -> Case:
    scenario = Scenario(
        "trade-changes-nothing",
        "trades far away, bad ones too, leave quotes, bits and basis as they were",
        Rule.TRADE_VOLUME,
        Rule.EDGE_SHARED,
    )
    scenario.set_up(Kind.ARB)
    scenario.flat(1)
    scenario.quote(0, 1_010, 10, 1_012, 10)
    scenario.trade(0, Side.SELL, 5, 1_000)
    scenario.trade(1, Side.BUY, 9_000, 1_000, price_exponent=0)
    scenario.wait(MS)
    scenario.quote(0, 1_011, 10, 1_012, 10)
    return scenario.case()

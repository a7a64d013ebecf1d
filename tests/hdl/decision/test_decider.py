"""The decision machine's timing, what an abandoned event leaves behind (nothing), and the kill pin."""

from __future__ import annotations

from typing import Any

import pytest

from hdl.decision.schedule import LATENCY, Stage, prepare_cycles
from market.fastpath.conformance.case import Quote
from market.fastpath.specification import Kind
from market.fastpath.state import Counter
from tests.hdl.decision.conftest import PARAMETERS
from tests.hdl.decision.machine import Pace
from tests.hdl.decision.market import Market, run_market
from tests.hdl.decision.ports import Ports
from tests.hdl.decision.verilated import Compiled

FLAT = (999, 10, 1_001, 10)
EVENTS = {
    Kind.ARB: (1_020, 10, 1_022, 10),
    Kind.BASIS: (1_100, 10, 1_102, 10),
    Kind.IMBALANCE: (999, 30, 1_001, 10),
}
DECIDED_AFTER_EARLY = 3
PREPARE_CYCLES = prepare_cycles(PARAMETERS)


async def cycles_until(ports: Ports, name: str, most: int = 40) -> int:
    """Cycles until a port of the decider is high, 0 if it is."""
    for passed in range(most):
        if ports.get(f"decider__{name}"):
            return passed
        await ports.tick()
    raise AssertionError(f"{name} is not high within {most} cycles")


def run_kind(compiled: Compiled, kind: Kind, test: Any, **row: Any) -> None:
    """A market in which the event of ``EVENTS`` on venue 0 is a candidate of its kind alone."""
    quotes = ((1, *FLAT), (0, *FLAT), (1, *FLAT))
    run_market(compiled, test, kind, quotes=quotes, **row)


@pytest.mark.parametrize("kind", Kind)
def test_early_comes_four_cycles_after_loaded_for_every_kind(compiled: Compiled, kind: Kind) -> None:
    async def test(market: Market) -> None:
        ports, machine = market.ports, market.machine
        await machine.prepare(0, 0, market.now)
        for _ in range(PREPARE_CYCLES - 1):
            await ports.tick()
        before = ports.cycle
        await machine.load(market.quote(0, *EVENTS[kind]))
        await cycles_until(ports, "early")
        assert ports.cycle - before == LATENCY == 4
        assert await cycles_until(ports, "decided") == DECIDED_AFTER_EARLY
        assert ports.get("decider__fires")
        assert machine.trigger()["kind"] == kind

    run_kind(compiled, kind, test)


@pytest.mark.parametrize("wait", range(1, PREPARE_CYCLES))
def test_an_event_that_comes_before_the_preparation_is_done_waits_for_it(compiled: Compiled, wait: int) -> None:
    async def test(market: Market) -> None:
        ports, machine = market.ports, market.machine
        await cycles_until(ports, "ready")
        before = ports.cycle
        await machine.prepare(0, 0, market.now)
        for _ in range(wait - 1):
            await ports.tick()
        await machine.load(market.quote(0, *EVENTS[Kind.ARB]))
        await cycles_until(ports, "early")
        assert ports.cycle - before == PREPARE_CYCLES + LATENCY

    run_kind(compiled, Kind.ARB, test)


@pytest.mark.parametrize("to_resolve", [1, 2, 5, Stage.RECORD, Stage.RECORD + 1, 20])
def test_a_commit_takes_two_cycles_once_the_event_is_worked_out(compiled: Compiled, to_resolve: int) -> None:
    async def test(market: Market) -> None:
        ports, machine = market.ports, market.machine
        await machine.prepare(0, 0, market.now)
        for _ in range(PREPARE_CYCLES - 1):
            await ports.tick()
        loaded_at = ports.cycle
        await machine.load(market.quote(0, *EVENTS[Kind.ARB]))
        while ports.cycle < loaded_at + to_resolve:
            await ports.tick()
        await machine.resolve(accept=True)
        await cycles_until(ports, "committed")
        assert ports.cycle - loaded_at == max(to_resolve, Stage.RECORD) + 2
        assert await cycles_until(ports, "ready") <= 2
        assert ports.get("decider__decided"), "the outcome stays until the next event is prepared"
        assert ports.get("decider__last_id") == 1

    run_kind(compiled, Kind.ARB, test)


@pytest.mark.parametrize("loaded_for", [None, *range(12)])
def test_an_event_that_is_abandoned_leaves_no_trace(compiled: Compiled, loaded_for: int | None) -> None:
    """At whatever cycle, before the quote or after it, in the middle of the decision or behind it."""

    async def test(market: Market) -> None:
        ports, machine = market.ports, market.machine
        quote = market.quote(0, *EVENTS[Kind.ARB])
        await machine.prepare(0, 0, market.now + 5)
        for _ in range(PREPARE_CYCLES - 1):
            await ports.tick()
        if loaded_for is not None:
            await machine.load(quote)
            for _ in range(loaded_for):
                await ports.tick()
        await machine.resolve(accept=False)
        for _ in range(12):
            assert ports.get("decider__ready")
            assert not ports.get("decider__early")
            assert not ports.get("decider__decided")
            await ports.tick()
        assert ports.get("decider__last_id") == 0
        # the same quote once more is new: neither its sequence nor its bits were stored
        outcome = await machine.quote(quote, market.now, Pace())
        assert outcome.trigger is not None
        assert outcome.trigger["id"] == 1

    run_kind(compiled, Kind.ARB, test)


def one_event(market: Market) -> Quote:
    return market.quote(0, *EVENTS[Kind.ARB])


def test_the_kill_pin_stops_a_candidate_whose_gate_has_not_decided(compiled: Compiled) -> None:
    async def test(market: Market) -> None:
        ports, machine = market.ports, market.machine
        ports.set("decider__kill", 1)
        assert ports.get("decider__killed")
        outcome = await machine.quote(one_event(market), market.now, Pace())
        assert outcome.trigger is None
        assert outcome.counts == {Counter.QUOTE_EVENTS: 1, Counter.CANDIDATE_ARB: 1, Counter.GATE_KILL: 1}
        ports.set("decider__kill", 0)
        assert ports.get("decider__killed"), "the pin leaves the engine killed"

    run_kind(compiled, Kind.ARB, test)


@pytest.mark.parametrize("cycles_after_loaded", [3, 4, 6])
def test_the_kill_pin_acts_up_to_the_gate_and_not_after_it(compiled: Compiled, cycles_after_loaded: int) -> None:
    async def test(market: Market) -> None:
        ports, machine = market.ports, market.machine
        await machine.prepare(0, 0, market.now)
        for _ in range(PREPARE_CYCLES - 1):
            await ports.tick()
        await machine.load(one_event(market))
        for _ in range(cycles_after_loaded - 1):
            await ports.tick()
        ports.set("decider__kill", 1)
        await cycles_until(ports, "decided")
        assert ports.get("decider__fires") == (cycles_after_loaded > Stage.GATE)

    run_kind(compiled, Kind.ARB, test)


def test_a_full_queue_of_late_values_holds_the_next_event_back(compiled: Compiled) -> None:
    """Nothing is lost: the machine is not ready until one is taken."""

    async def test(market: Market) -> None:
        ports, machine = market.ports, market.machine
        sent = 0
        while ports.get("decider__ready"):
            quote = one_event(market) if sent % 2 == 0 else market.quote(0, *FLAT)
            outcome = await machine.quote(quote, market.now + sent * 10_000, Pace())
            sent += 1
            await ports.tick()
            assert (outcome.trigger is None) == (sent % 2 == 0)
        assert sent > 32
        await machine.late_values()
        assert await cycles_until(ports, "ready") <= 2

    run_kind(compiled, Kind.ARB, test, positionLimit=1 << 40)


def test_a_forgotten_quote_takes_its_sequence_and_its_bits_along(compiled: Compiled) -> None:
    async def test(market: Market) -> None:
        ports, machine = market.ports, market.machine
        old = market.quote(0, *EVENTS[Kind.IMBALANCE])
        assert (await machine.quote(old, market.now, Pace())).trigger is not None
        later = market.now + 10_000
        assert Counter.REJECT_OLD_SEQUENCE in (await machine.quote(old, later, Pace())).counts
        await machine.forget(0, 0)
        assert await cycles_until(ports, "ready") == 1
        again = await machine.quote(old, later, Pace())
        assert again.trigger is not None, "the sequence is new and the condition rises again"

    run_kind(compiled, Kind.IMBALANCE, test)


@pytest.mark.parametrize(("venue", "remains"), [(1, False), (2, True)])
def test_a_forgotten_quote_is_invalid_for_other_venues(compiled: Compiled, venue: int, remains: bool) -> None:
    async def test(market: Market) -> None:
        await market.machine.forget(0, venue)
        outcome = await market.machine.quote(one_event(market), market.now, Pace())
        assert (outcome.trigger is not None) == remains

    run_kind(compiled, Kind.ARB, test)


def test_a_forgotten_quote_leaves_the_basis(compiled: Compiled) -> None:
    async def test(market: Market) -> None:
        machine = market.machine
        await machine.forget(0, 1)
        assert (await machine.quote(market.quote(1, *FLAT), market.now, Pace())).trigger is None
        outcome = await machine.quote(market.quote(0, *EVENTS[Kind.BASIS]), market.now, Pace())
        assert outcome.trigger is not None
        assert outcome.trigger["kind"] == Kind.BASIS

    run_kind(compiled, Kind.BASIS, test)


def test_the_outcome_of_an_unknown_event_is_a_count(compiled: Compiled) -> None:
    async def test(market: Market) -> None:
        for instrument, venue in ((2, 0), (0, 3), (65_535, 255), (1, 0)):
            unknown = Quote(**{**vars(one_event(market)), "instrument": instrument, "venue": venue})
            outcome = await market.machine.quote(unknown, market.now, Pace())
            assert outcome.counts == {Counter.QUOTE_EVENTS: 1, Counter.REJECT_UNKNOWN: 1}
            assert outcome.trigger is None

    run_kind(compiled, Kind.ARB, test)

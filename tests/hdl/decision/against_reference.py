"""Follows a reference engine: each of its inputs goes to the machine, too, and what comes out is compared."""

from __future__ import annotations

import random
from collections.abc import Iterable
from typing import Any

from market.fastpath import layout
from market.fastpath.conformance.case import SCHEMA, Control, Input, Quote, RawControl, Trade
from market.fastpath.conformance.runner import feed
from market.fastpath.reference import ReferenceEngine
from market.fastpath.specification import Refusal, Result
from market.fastpath.state import Counter
from market.wire.sbe import decode
from tests.hdl.decision.machine import Machine, Outcome, Pace, counted, random_pace

FORWARDED = {
    layout.TEMPLATE_ENGINE_ROW,
    layout.TEMPLATE_VENUE_ROW,
    layout.TEMPLATE_SCALING_ROW,
    layout.TEMPLATE_INSTRUMENT_ROW,
    layout.TEMPLATE_SETTLE,
    layout.TEMPLATE_SET_POSITION,
    layout.TEMPLATE_RESET,
    layout.TEMPLATE_LOAD_BASIS,
    layout.TEMPLATE_LOAD_IDENTITY,
    layout.TEMPLATE_KILL,
    layout.TEMPLATE_REARM,
    layout.TEMPLATE_HELLO,
    layout.TEMPLATE_HEARTBEAT,
}
NAMES = {"id": "id", "epoch": "epoch", "kind": "kind", "cause_venue": "causeVenue", "instrument": "instrument"}
NAMES |= {f"{leg}_{what}": f"{leg}{what.title()}" for leg in ("first", "second") for what in ("venue", "side", "price")}
NAMES |= {"quantity": "firstQuantity", "edge": "edge", "sequence": "causeSequence", "time": "causeTime"}


class Follower:
    """Compares a machine with a reference engine, input by input.

    ``triggers`` counts those that were equal. Without a ``seed`` events go at one pace and none is abandoned.
    """

    def __init__(self, machine: Machine, engine: ReferenceEngine, seed: int | None = None) -> None:
        self._machine, self._engine = machine, engine
        self._rng = None if seed is None else random.Random(seed)
        self.triggers = 0
        self._late: list[dict[str, int]] = []
        machine.use(engine.state.sizes)

    async def follow(self, inputs: Iterable[tuple[int, Input]]) -> None:
        """Give the inputs to both; asserts that they do the same."""
        for number, (at_ns, given) in enumerate(inputs):
            before = dict(zip(Counter, self._engine.counters.values(), strict=True))
            feed(self._engine, given, at_ns)
            outputs = [decode(SCHEMA, payload) for payload in self._engine.outputs()]
            after = dict(zip(Counter, self._engine.counters.values(), strict=True))
            grown = {each: after[each] - before[each] for each in Counter if after[each] != before[each]}
            grown.pop(Counter.TIME_BACKWARDS, None)
            sent = {each.name: dict(each.fields) for each in outputs}
            try:
                await self._give(given, grown, sent)
            except AssertionError as difference:
                difference.add_note(f"input {number} at {at_ns}: {given}")
                raise
            await self._compare_late(all_of_them=False)
        await self._compare_late(all_of_them=True)

    async def _give(self, given: Input, grown: dict[Counter, int], sent: dict[str, Any]) -> None:
        state = self._engine.state
        self._machine.ports.set("decider__epoch", state.epoch)
        if isinstance(given, Quote):
            await self._abandon_some(given)
            outcome = await self._machine.quote(given, state.time, self._pace())
            self._compare(outcome, grown, sent.get("Trigger"))
        elif isinstance(given, Trade):
            await self._machine.hear(given.venue, state.time)
            self._compare_trade(given, await self._machine.trade(given), grown)
        elif isinstance(given, Control | RawControl):
            await self._control(given.payload(), sent)
        assert self._machine.ports.get("decider__last_id") == state.last_id
        assert self._machine.ports.get("decider__killed") == state.killed

    async def _control(self, message: bytes, sent: dict[str, Any]) -> None:
        """What reaches the machine: messages that were applied, and settlements whose amounts were refused."""
        answer = sent.get("Acknowledge")
        if answer is None or answer["template"] not in FORWARDED:
            return
        settlement = answer["refusal"] == Refusal.SETTLEMENT
        if answer["result"] == Result.APPLIED or settlement:
            refusal = await self._machine.command(message, answer["template"], self._engine.state.time)
            assert refusal == (Refusal.SETTLEMENT if settlement else Refusal.NONE)

    def _pace(self) -> Pace:
        return Pace() if self._rng is None else random_pace(self._rng)

    async def _abandon_some(self, quote: Quote) -> None:
        """Now and then an event that looks like this one is dropped before it: it must leave no trace."""
        if self._rng is None or self._rng.random() < 0.8:
            return
        time = self._engine.state.time + self._rng.randrange(1_000)
        await self._machine.prepare(quote.instrument, quote.venue, time)
        for _ in range(self._rng.randrange(12)):
            await self._machine.ports.tick()
        if self._rng.random() < 0.8:
            await self._machine.load(quote)
        for _ in range(self._rng.randrange(12)):
            await self._machine.ports.tick()
        await self._machine.resolve(accept=False)

    def _compare(self, outcome: Outcome, grown: dict[Counter, int], sent: dict[str, Any] | None) -> None:
        assert outcome.counts == grown, f"counted {outcome.counts}, expected {grown}"
        assert (outcome.trigger is None) == (sent is None)
        if sent is not None and outcome.trigger is not None:
            expected = {name: int(sent[field]) for name, field in NAMES.items()}
            assert outcome.trigger == expected
            self._late.append({"imbalance": int(sent["imbalance"]), "microprice": int(sent["microprice"])})
            self.triggers += 1

    def _compare_trade(self, trade: Trade, outcome: dict[str, Any], grown: dict[Counter, int]) -> None:
        assert counted(outcome["counts"]) == grown
        rejected = any(counter.name.startswith("REJECT") for counter in grown)
        assert outcome["has_volume"] == (not rejected)

    async def _compare_late(self, all_of_them: bool) -> None:
        """Late values wait in their queue now and then."""
        while self._late and (all_of_them or self._rng is None or len(self._late) > 20 or self._rng.random() < 0.3):
            assert await self._machine.late_values() == self._late.pop(0)

"""The decision machine with its trade counter under test: one top, and its transactions."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from amaranth.hdl import Module
from amaranth.lib import data, wiring
from amaranth.lib.wiring import Out

from hdl.decision.decider import Decider
from hdl.decision.schedule import LATENCY, prepare_cycles
from hdl.decision.trades import TradeCounter, trade_outcome_layout
from hdl.parameters import CoreParameters
from hdl.records import (
    COUNT_BITS,
    count_bit,
    count_layout,
    late_layout,
    quote_layout,
    sizes_layout,
    sizes_values,
    trade_layout,
    trigger_layout,
)
from market.fastpath.conformance.case import Quote, Trade
from market.fastpath.specification import EngineSizes
from market.fastpath.state import Counter
from tests.hdl.decision.ports import Ports

PATIENCE = 200
"""Cycles after which an answer is missing."""
EVENT_FIELDS = tuple(quote_layout.members)


class DecisionTop(wiring.Component):
    """A decider and a trade counter; the ports of each with its name in front."""

    def __init__(self, parameters: CoreParameters) -> None:
        self._decider, self._trades = Decider(parameters), TradeCounter(parameters)
        decider, trades = dict(self._decider.signature.members), dict(self._trades.signature.members)
        del decider["scaling"], trades["scaling"]
        super().__init__({"decider": Out(wiring.Signature(decider)), "trades": Out(wiring.Signature(trades))})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.decider = decider = self._decider
        m.submodules.trade_counter = trades = self._trades
        wiring.connect(m, trades.scaling, decider.scaling)
        for outer, inner in ((self.decider, decider), (self.trades, trades)):
            for path, member, value in outer.signature.flatten(outer):
                other: Any = inner
                for name in path:
                    other = getattr(other, name)
                m.d.comb += value.eq(other) if member.flow == Out else other.eq(value)
        return m


def fields_of(layout: data.StructLayout, bits: int) -> dict[str, Any]:
    """The fields of a packed struct by name, nested ones as dictionaries."""
    found: dict[str, Any] = {}
    for name, field in layout:
        raw = bits >> field.offset & ((1 << field.width) - 1)
        if isinstance(field.shape, data.StructLayout):
            found[name] = fields_of(field.shape, raw)
        else:
            signed = getattr(field.shape, "signed", False)
            found[name] = raw - (1 << field.width) if signed and raw >> field.width - 1 else raw
    return found


def packed(layout: data.StructLayout, values: Mapping[str, int]) -> int:
    """A struct's bits from its fields."""
    return sum((values[name] & ((1 << field.width) - 1)) << field.offset for name, field in layout)


def counted(counts: Mapping[str, int]) -> dict[Counter, int]:
    """Which counters a count mask moves, and by how much."""
    grown = {counter: counts["mask"] >> count_bit(counter) & 1 for counter in Counter}
    grown[Counter.QUANTITY_CUT] += grown[Counter.QUANTITY_CUT] & counts["both_cut"]
    assert counts["mask"] >> COUNT_BITS == 0
    return {counter: amount for counter, amount in grown.items() if amount}


@dataclass(frozen=True)
class Outcome:
    """What an event came to: counters, and the trigger with its late values if it fires."""

    counts: dict[Counter, int]
    trigger: dict[str, int] | None


@dataclass(frozen=True)
class Pace:
    """Cycles from ``prepare`` to ``loaded``, in time for any build, and from there to ``resolve``."""

    to_loaded: int = 11
    to_resolve: int = 10


class Machine:
    """Transactions with a ``DecisionTop`` behind ``ports``; every event's latency is checked on the way."""

    def __init__(self, ports: Ports, parameters: CoreParameters) -> None:
        self.ports, self._parameters = ports, parameters

    def use(self, sizes: EngineSizes) -> None:
        """Set the sizes in use."""
        values = sizes_values(sizes)
        for part in ("decider", "trades"):
            self.ports.set(f"{part}__sizes", packed(sizes_layout(self._parameters), values))

    async def command(self, message: bytes, template: int, time: int) -> int:
        """Give a control message; returns the refusal."""
        await self._until("ready")
        for name, value in (
            ("apply", 1),
            ("template", template),
            ("message", int.from_bytes(message, "little")),
            ("time", time),
        ):
            self.ports.set(f"decider__command__{name}", value)
        await self.ports.tick()
        self.ports.set("decider__command__apply", 0)
        await self._until("command__done")
        refusal = self.ports.get("decider__command__refusal")
        await self.ports.tick()
        return refusal

    async def prepare(self, instrument: int, venue: int, time: int) -> None:
        """Announce an event."""
        await self._until("ready")
        for name, value in (("instrument", instrument), ("venue", venue), ("time", time)):
            self.ports.set(f"decider__{name}", value)
        await self._strobe("prepare")

    async def forget(self, instrument: int, venue: int) -> None:
        """Forget what is stored of a pair but its basis."""
        await self._until("ready")
        for name, value in (("instrument", instrument), ("venue", venue)):
            self.ports.set(f"decider__{name}", value)
        await self._strobe("forget")

    async def load(self, quote: Quote) -> None:
        """Give the fields of the announced event."""
        self.ports.set("decider__quote", packed(quote_layout, vars(quote)))
        await self._strobe("loaded")

    async def resolve(self, accept: bool) -> None:
        """Say whether the event counts."""
        self.ports.set("decider__accept", int(accept))
        await self._strobe("resolve")

    async def hear(self, venue: int, time: int) -> None:
        """Say that a venue was heard."""
        self.ports.set("decider__heard_venue", venue)
        self.ports.set("decider__heard_time", time)
        await self._strobe("heard")

    async def quote(self, quote: Quote, time: int, pace: Pace) -> Outcome:
        """A whole accepted event, from ``prepare`` to its late values."""
        await self.prepare(quote.instrument, quote.venue, time)
        for _ in range(pace.to_loaded - 1):
            await self.ports.tick()
        await self.load(quote)
        begins = self.ports.cycle - 1 + max(0, prepare_cycles(self._parameters) - pace.to_loaded)
        early_at = await self._watch(pace.to_resolve - 1)
        self.ports.set("decider__heard", 1)
        self.ports.set("decider__heard_venue", quote.venue)
        self.ports.set("decider__heard_time", time)
        self.ports.set("decider__accept", 1)
        self.ports.set("decider__resolve", 1)
        early_at += await self._watch(1)
        self.ports.set("decider__resolve", 0)
        self.ports.set("decider__heard", 0)
        while not self.ports.get("decider__committed"):
            early_at += await self._watch(1)
            assert self.ports.cycle < begins + PATIENCE + pace.to_resolve, "the event was never committed"
        assert self.ports.get("decider__decided")
        counts = counted(fields_of(count_layout, self.ports.get("decider__outcome_counts")))
        fires = self.ports.get("decider__fires")
        assert early_at == ([begins + LATENCY] if fires else []), "early comes at one fixed cycle, if at all"
        trigger = self.trigger() if fires else None
        await self.ports.tick()
        return Outcome(counts, trigger)

    def trigger(self) -> dict[str, Any]:
        """The trigger's fields as they stand."""
        return fields_of(trigger_layout(self._parameters), self.ports.get("decider__trigger"))

    async def late_values(self) -> dict[str, Any]:
        """The next imbalance and microprice."""
        await self._until("late__valid")
        late = fields_of(late_layout(self._parameters), self.ports.get("decider__late__payload"))
        await self._strobe("late__ready")
        return late

    async def trade(self, trade: Trade) -> dict[str, Any]:
        """One trade; the fields of its outcome."""
        self.ports.set("trades__trade__payload", packed(trade_layout, vars(trade)))
        self.ports.set("trades__trade__valid", 1)
        await self.ports.tick()
        self.ports.set("trades__trade__valid", 0)
        while not self.ports.get("trades__outcome__valid"):
            await self.ports.tick()
        outcome = fields_of(trade_outcome_layout(self._parameters), self.ports.get("trades__outcome__payload"))
        self.ports.set("trades__outcome__ready", 1)
        await self.ports.tick()
        self.ports.set("trades__outcome__ready", 0)
        return outcome

    async def _strobe(self, name: str) -> None:
        self.ports.set(f"decider__{name}", 1)
        await self.ports.tick()
        self.ports.set(f"decider__{name}", 0)

    async def _watch(self, cycles: int) -> list[int]:
        """Let cycles pass; returns those that show ``early``, the one reached included."""
        seen = []
        for _ in range(cycles):
            await self.ports.tick()
            if self.ports.get("decider__early"):
                seen.append(self.ports.cycle)
        return seen

    async def _until(self, name: str) -> None:
        for _ in range(PATIENCE):
            if self.ports.get(f"decider__{name}"):
                return
            await self.ports.tick()
        raise AssertionError(f"{name} never came")


def random_pace(rng: random.Random) -> Pace:
    """A pace, fast or slow."""
    return Pace(to_loaded=rng.randrange(1, 12), to_resolve=rng.randrange(1, 16))

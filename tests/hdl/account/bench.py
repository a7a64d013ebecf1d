"""Runs an account in the simulator: records and late values in, messages and what can be probed out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from amaranth.hdl import Value

from hdl.account.account import Account
from hdl.parameters import CoreParameters
from hdl.records import RecordKind, count_bit, record_layout
from market.fastpath.specification import EngineSizes
from market.fastpath.state import Counter, FrameCounter
from tests.hdl.compiled import compiled

POSITIONS = [count_bit(counter) for kind in (Counter, FrameCounter) for counter in kind]
LIMIT = 400
"""Cycles after which an account that does not move is given up."""


@dataclass
class AccountRun:
    """What came out: messages, counters by their position, the parity; cycles of taken records and words."""

    messages: list[bytes] = field(default_factory=list)
    counters: dict[int, int] = field(default_factory=dict)
    parity: int = 0
    taken_at: list[int] = field(default_factory=list)
    words_at: list[int] = field(default_factory=list)


def packed_record(parameters: CoreParameters, kind: RecordKind, body: Mapping[str, Any] | int) -> int:
    """A record as the bits of its layout."""
    shape = record_layout(parameters)
    name = kind.name.lower()
    constant = shape.const({"kind": int(kind), "body": {name: body}})
    return int(Value.cast(constant).value)


class Feeder:
    """Puts values into a stream, one after the other, with pauses."""

    def __init__(self, stream: Any, values: Sequence[Any], pauses: Callable[[], bool]) -> None:
        self._stream, self._values, self._pauses = stream, list(values), pauses
        self.given = 0

    @property
    def rests(self) -> bool:
        """Whether all values were taken."""
        return self.given == len(self._values)

    def offer(self, ctx: Any) -> None:
        """Before a cycle: offer the next value, or nothing; an offer stands until it is taken."""
        if not ctx.get(self._stream.valid) and not self.rests and not self._pauses():
            ctx.set(Value.cast(self._stream.payload), self._values[self.given])
            ctx.set(self._stream.valid, 1)

    def takes(self, ctx: Any) -> bool:
        """At a cycle's end: whether the value was taken in it."""
        return bool(ctx.get(self._stream.valid) and ctx.get(self._stream.ready))

    def taken(self, ctx: Any) -> None:
        """After a cycle in which the value was taken."""
        ctx.set(self._stream.valid, 0)
        self.given += 1


def run_account(
    parameters: CoreParameters,
    sizes: EngineSizes,
    records: Sequence[tuple[RecordKind, Mapping[str, Any] | int]],
    late: Sequence[tuple[int, int]] = (),
    seed: int | None = None,
) -> AccountRun:
    """Feed records and wait until the account is idle; with a seed all streams pause at random."""
    model = compiled(Account, parameters)
    account, run = model.component, AccountRun()
    draw = np.random.default_rng(seed)

    def pauses() -> bool:
        return seed is not None and bool(draw.integers(3) == 0)

    packed = [packed_record(parameters, kind, body) for kind, body in records]
    late_bits = [(imbalance & 0xFFFF) | microprice << 16 for imbalance, microprice in late]
    feeders = Feeder(account.records, packed, pauses), Feeder(account.late, late_bits, pauses)

    async def bench(ctx: Any) -> None:
        ctx.set(account.sizes.instruments, sizes.instruments)
        message, still = b"", 0
        for cycle in range(LIMIT * (len(records) + 1)):
            for feeder in feeders:
                feeder.offer(ctx)
            ctx.set(account.words.ready, int(not pauses()))
            done = [feeder for feeder in feeders if feeder.takes(ctx)]
            if feeders[0] in done:
                run.taken_at.append(cycle)
            if ctx.get(account.words.valid) and ctx.get(account.words.ready):
                word = ctx.get(account.words.payload)
                assert word.first == (message == b""), "first marks the first word of each message, and no other"
                run.words_at.append(cycle)
                message += word.data.to_bytes(8, "little")
                if word.last:
                    run.messages.append(message)
                    message = b""
            still = still + 1 if all(feeder.rests for feeder in feeders) and ctx.get(account.idle) else 0
            if still == 2:
                break
            await ctx.tick()
            for feeder in done:
                feeder.taken(ctx)
        assert still == 2, "the account did not come to rest"
        for position in POSITIONS:
            ctx.set(account.probe_index, position)
            run.counters[position] = ctx.get(account.probe_value)
        run.parity = ctx.get(account.parity)

    model.run(bench)
    return run

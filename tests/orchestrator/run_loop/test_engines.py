"""Engines that answer later, as one on a board does."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from market.errors import Fatal
from market.fastpath.engine import CpuEngine
from market.fastpath.layout import SCHEMA
from market.fastpath.specification import Result
from market.protocols import Intent, MarketView, QuoteChanged, WakeCause, Wakes
from market.wire.sbe import decode, encode
from orchestrator.run_loop.loop import RunLoop, RunSettings
from orchestrator.run_loop.take_triggers import TakeTriggers
from sim.feed.replay_feed import ReplayFeed
from tests.orchestrator.run_loop.worlds import BTC, SPOT, Scripted, World, decision, world


class Distant:
    """The CPU engine behind a link: what it sends arrives when it is asked the next time but some."""

    def __init__(self, engine: CpuEngine, delay: int) -> None:
        self.engine = engine
        self._on_the_way: list[list[bytes]] = [[] for _ in range(delay)]

    def push(self, frames: Sequence[bytes], receive_ns: Sequence[int]) -> None:
        self.engine.push(frames, receive_ns)

    def push_quotes(self, events: NDArray[np.int64]) -> None:
        self.engine.push_quotes(events)

    def trade(self, instrument: int, venue: int, price_exponent: int, quantity_exponent: int, aggressor: int,
              price: int, quantity: int, time_ns: int) -> None:  # fmt: skip
        self.engine.trade(instrument, venue, price_exponent, quantity_exponent, aggressor, price, quantity, time_ns)

    def control(self, message: bytes, time_ns: int) -> None:
        self.engine.control(message, time_ns)

    def outputs(self) -> list[bytes]:
        self._on_the_way.append(self.engine.outputs())
        return self._on_the_way.pop(0)

    def event_log(self) -> list[bytes]:
        return self.engine.event_log()

    @property
    def counters(self) -> Mapping[str, int]:
        return self.engine.counters

    @property
    def parity(self) -> int:
        return self.engine.parity

    @property
    def decision_hash(self) -> str:
        return self.engine.decision_hash

    def frame_counters(self) -> bytes:
        return self.engine.frame_counters()


def loop(small: World, engine: Distant, strategies: Sequence[Scripted | TakeTriggers]) -> RunLoop:
    return RunLoop(
        feed=ReplayFeed(small.plan.sources).open(),
        clock=small.clock,
        gateway=small.gateway(),
        engine=engine,
        catalogue=small.catalogue,
        strategies=strategies,
        settings=RunSettings(small.plan.tables, heartbeat_every_ns=small.plan.heartbeat_every_ns),
        journal=small.journal,
    )


def test_an_engine_that_answers_at_once_decides_alike_behind_the_protocol(tmp_path: Path) -> None:
    near, small = world(tmp_path), world(tmp_path)
    summary = loop(small, Distant(small.engine, 0), [TakeTriggers()]).run()
    assert summary.decision_hash == near.loop([TakeTriggers()]).run().decision_hash
    assert summary.counts.triggers == 3


def test_a_position_that_crosses_a_trigger_is_stated_again(tmp_path: Path) -> None:
    class Armed(Distant):
        """Answers at once while it is being armed."""

        def outputs(self) -> list[bytes]:
            return super().outputs() if self.engine.trigger_count else self.engine.outputs()

    def place(cause: WakeCause, view: MarketView) -> Iterable[Intent]:
        if isinstance(cause, QuoteChanged):
            yield decision(view, len(strategy.woken), quantity="0.01")

    small = world(tmp_path)
    strategy = Scripted(place, Wakes(quotes=frozenset({(BTC, SPOT)})))
    summary = loop(small, Armed(small.engine, 2), [strategy, TakeTriggers()]).run()
    template = SCHEMA.message("SetPosition").template_id
    answers = [decode(SCHEMA, payload).fields for payload in small.journal.payloads]
    results = [Result(answer["result"]) for answer in answers if answer.get("template") == template]
    assert Result.REFUSED in results
    assert results[-1] is Result.APPLIED
    assert summary.counters["controlRefused"] == results.count(Result.REFUSED)
    assert summary.counts.triggers == summary.counters["triggerImbalance"] == 3


def test_an_engine_that_disagrees_about_what_is_pending_stops_the_run(tmp_path: Path) -> None:
    class Forgetful(Distant):
        """Somebody else settles its triggers first."""

        def control(self, message: bytes, time_ns: int) -> None:
            decoded = decode(SCHEMA, message)
            if decoded.name == "Settle":
                message = encode(SCHEMA, "Settle", {**decoded.fields, "released": 1 << 40})
            super().control(message, time_ns)

    small = world(tmp_path)
    with pytest.raises(Fatal, match="with REFUSED, SETTLEMENT"):
        loop(small, Forgetful(small.engine, 0), [TakeTriggers()]).run()

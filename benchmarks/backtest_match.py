"""The same resting orders in our backtest and in hftbacktest, order by order.

An order is the same when as many lots of it are filled and the last of them at the same time of the exchange.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from benchmarks.backtest_peer import FILLED_LOTS, Peer, load_peer, make_plan, own_results, peer_of, peer_results
from benchmarks.harness import Report
from benchmarks.recordings import load_recording
from market.wire.records import Rows
from sim.backtest.core import MatchModel
from sim.backtest.latency import Latency
from sim.backtest.layout import QueueModel
from sim.backtest.tape import Tape, read_tape
from sim.generator.settings import Coin

ORDERS: Final = 1_500
"""Of each of six markets."""
SEED: Final = 20240808
ENTRY_NS: Final = 20_000_000
RESPONSE_NS: Final = 15_000_000
_SAMPLES_EVERY_NS: Final = 250_000_000


@dataclass(frozen=True, eq=False)
class Stage:
    """One market, in both forms, and the orders for it."""

    name: str
    tape: Tape
    peer: Peer
    plan: Rows


@dataclass(frozen=True)
class Agreement:
    """How many orders there were, were filled in either, and differ."""

    orders: int
    filled: int
    different: int

    @property
    def share(self) -> float:
        """Orders that are the same."""
        return 1 - self.different / self.orders


def stages(report: Report, orders: int = ORDERS) -> list[Stage]:
    """All markets of the recordings; raises MissingExtra without hftbacktest."""
    load_peer()
    found = []
    for coin in Coin:
        recording = load_recording(coin, report)
        for number, source in enumerate(recording.sources):
            tape = read_tape([source])
            plan = make_plan(tape, orders, SEED + 10 * number)
            found.append(Stage(f"{source.name} {coin.value}", tape, peer_of(tape), plan))
    return found


def sampled_latency(tape: Tape) -> Latency:
    """Made-up samples along a tape: 5 to 45 ms to the exchange, 3 to 20 ms back."""
    chance = np.random.default_rng(SEED)
    sent = np.arange(tape.first_ns, tape.last_ns, _SAMPLES_EVERY_NS)
    processed = sent + chance.integers(5_000_000, 45_000_000, len(sent))
    answered = processed + chance.integers(3_000_000, 20_000_000, len(sent))
    return Latency(samples=np.ascontiguousarray(np.stack([sent, processed, answered], axis=1)))


def as_peer_reckons(tape: Tape, queue: QueueModel, *, partial: bool, sampled: bool = False) -> MatchModel:
    """A model with the assumptions that hftbacktest makes."""
    return MatchModel(
        queue=queue,
        partial=partial,
        shared=False,
        overshoot=True,
        latency=sampled_latency(tape) if sampled else Latency(ENTRY_NS, RESPONSE_NS),
        lots_per_unit=10 ** tape.markets[0].market.quantity_decimals,
    )


def agreement(stages: list[Stage], models: list[MatchModel], orders: int = ORDERS) -> Agreement:
    """One model per market, carried out by both."""
    filled = different = 0
    for stage, model in zip(stages, models, strict=True):
        own = own_results(stage.tape, model, stage.plan, orders)
        other = peer_results(stage.peer, model, stage.plan, orders)
        filled += int(((own[:, FILLED_LOTS] > 0) | (other[:, FILLED_LOTS] > 0)).sum())
        different += int((own != other).any(axis=1).sum())
    return Agreement(orders * len(stages), filled, different)


def measure(report: Report) -> None:
    """Agreement per queue model: whole and partial fills, both latency models, and with our own rules."""
    found = stages(report)
    for queue in QueueModel:
        for case, partial, sampled in (
            ("whole fills", False, False),
            ("partial fills", True, False),
            ("partial fills, latency from samples", True, True),
        ):
            models = [as_peer_reckons(stage.tape, queue, partial=partial, sampled=sampled) for stage in found]
            _show(report, f"{queue.name}, {case}", agreement(found, models))
        own = [replace(as_peer_reckons(stage.tape, queue, partial=True), overshoot=False) for stage in found]
        _show(report, f"{queue.name}, partial fills, nothing credited", agreement(found, own))
        shared = [replace(model, shared=True) for model in own]
        _show(report, f"{queue.name}, partial fills, nothing credited, trades shared", agreement(found, shared))
    report.note(f"{ORDERS} post-only orders of each of {len(found)} markets: {', '.join(each.name for each in found)}")


def _show(report: Report, case: str, found: Agreement) -> None:
    report.alone(case, "% same", round(100 * found.share, 3))
    report.note(f"{case}: {found.different} of {found.orders:,} orders differ, {found.filled:,} were filled")

"""The same resting orders in our backtest and in hftbacktest give the same fills on the recordings."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.backtest_match import ORDERS, Stage, agreement, as_peer_reckons, stages
from benchmarks.backtest_peer import make_plan, peer_of
from benchmarks.harness import Report
from market.wire.markets import Market
from market.wire.venues import VENUES
from sim.backtest.layout import QueueModel
from sim.backtest.tape import read_tape
from sim.replay.source import SourceSettings

pytest.importorskip("hftbacktest", reason="a peer to measure against: requirements/bench.lock")


@pytest.mark.parametrize("queue", [QueueModel.RISK_AVERSE, QueueModel.POWER, QueueModel.LOG])
def test_fills_on_one_market_are_the_same(data: Path, queue: QueueModel) -> None:
    path = data / "binance-20240808" / "spot_btcusdt_20240808.gz"
    market = Market("BTCUSDT", 2, 8)
    tape = read_tape([SourceSettings("binance-spot", path, VENUES["binance-spot"], (market,), (None,))])
    stage = Stage("spot", tape, peer_of(tape), make_plan(tape, 600, 7))
    found = agreement([stage], [as_peer_reckons(tape, queue, partial=False)], 600)
    assert found.different == 0
    assert found.filled > 150


@pytest.mark.long
def test_fills_on_all_markets_are_the_same(data: Path) -> None:
    all_stages = stages(Report("backtest_match", 1))
    assert ORDERS * len(all_stages) >= 5_000
    for queue in QueueModel:
        for partial, sampled in ((False, False), (True, False), (True, True)):
            models = [as_peer_reckons(each.tape, queue, partial=partial, sampled=sampled) for each in all_stages]
            found = agreement(all_stages, models)
            assert found.share >= 0.999
            assert found.filled >= 1_000

"""Slippage, funding and latencies of a backtest, from its settings."""

from __future__ import annotations

import gzip
import json
from decimal import Decimal
from pathlib import Path

import pytest

from config.backtest import BacktestVenueSettings, SlippageModel, SlippageSettings
from config.strategies import StrategyName
from config.venues import VenueName
from market.errors import MissingInput
from orchestrator.backtest.plan import read_plan
from orchestrator.backtest.result import backtest_result
from orchestrator.backtest.run import run_backtest
from orchestrator.backtest.states import amount_of
from orchestrator.replay.plan import SourceFile
from sim.backtest.layout import TAPE_KIND, QueueModel, Slippage, TapeKind
from tests.orchestrator.backtest.market import plan_of, settings_of

MAKING = StrategyName.MARKET_MAKING
USDM = VenueName.BINANCE_USDM
SECOND_NS = 10**9


def with_mark_prices(usdm: Path, path: Path, rate: str) -> Path:
    """The recording with a statement at its beginning of a payment after ten seconds."""
    lines = gzip.decompress(usdm.read_bytes()).splitlines(keepends=True)
    first_ns = int(lines[0].split(b" ", 1)[0])
    due_ms = (first_ns + 10 * SECOND_NS) // 10**6
    stated = {"e": "markPriceUpdate", "s": "BTCUSDT", "p": "60000", "r": rate, "T": due_ms}
    text = f"{first_ns} {json.dumps({'stream': 'btcusdt@markPrice', 'data': stated})}\n"
    path.write_bytes(gzip.compress(text.encode() + b"".join(lines)))
    return path


def test_funding_of_the_recording_is_in_the_result_and_the_equity(usdm: Path, tmp_path: Path) -> None:
    path = with_mark_prices(usdm, tmp_path / "synthetic-marks.gz", "0.01")
    run = run_backtest(plan_of(path, MAKING))
    (paid,) = run.funding
    assert paid.quantity != 0
    assert paid.amount == -(-paid.quantity * paid.mark_doubled // 200)
    result = backtest_result(run, seconds=1, synthetic=["binance-usdm"])
    (market,) = [row for row in result["markets"] if row["fills"]]
    money = {name: Decimal(market[name]) for name in ("realised", "unrealised", "fees", "funding", "equity")}
    assert money["funding"] != 0
    assert money["equity"] == money["realised"] + money["unrealised"] - money["fees"] - money["funding"]
    assert Decimal(result["performance"]["USDT"]["gain"]) == money["equity"]
    assert result["model"]["funding_times"] == 1
    before = [row for row in run.states.rows if row["time_ns"] < paid.heard_ns]
    after = [row for row in run.states.rows if row["time_ns"] >= paid.heard_ns]
    assert {row["funding"] for row in before} == {0}
    assert {row["funding"] for row in after if row["market"] == market["market"]} == {money["funding"]}


def test_what_was_heard_is_what_the_exchange_has_with_rebates_slippage_and_funding(usdm: Path, tmp_path: Path) -> None:
    path = with_mark_prices(usdm, tmp_path / "synthetic-marks.gz", "-0.02")
    slippage = SlippageSettings(model=SlippageModel.FIXED, share_bps=Decimal(3))
    changed = settings_of(MAKING, slippage=slippage)
    venue = changed.venues[USDM].model_copy(update={"maker_fee_bps": Decimal(-1), "taker_fee_bps": Decimal(4)})
    changed = changed.model_copy(update={"venues": {**changed.venues, USDM: venue}})
    run = run_backtest(read_plan(changed, [SourceFile(USDM, path)]))
    (key,) = run.summary.positions
    market, position = run.plan.markets[key], run.summary.positions[key]
    account, count = run.accounts[market.number], market.listing.tick * market.listing.lot
    fills = [fill for order in run.summary.orders for fill in order.fills]
    assert len(fills) == account.fills > 10
    assert position.quantity == account.position * market.listing.lot
    assert position.cash == account.cash * count
    assert position.fees == account.fees * count == sum(fill.fee for fill in fills) < 0
    assert sum(paid.amount for paid in run.funding) == account.funding * count != 0
    mark = run.states.marks[key]
    last = run.states.rows[-1]
    equity = position.cash + position.quantity * mark - position.fees - account.funding * count
    assert last["equity"] == amount_of(market.listing, equity)


def test_costs_and_latencies_are_set_for_all_or_for_one_venue(usdm: Path, tmp_path: Path) -> None:
    samples = tmp_path / "measured.csv"
    samples.write_text("sent_ns,processed_ns,answered_ns\n100,3000100,7000100\n")
    own = BacktestVenueSettings(
        latency_samples=str(samples), slippage=SlippageSettings(model=SlippageModel.SQUARE_ROOT, share_bps=Decimal(20))
    )
    slippage = SlippageSettings(model=SlippageModel.SPREAD, share_bps=Decimal(5_000))
    everywhere = plan_of(usdm, MAKING, slippage=slippage, queue_exponent=Decimal(2))
    here = plan_of(usdm, MAKING, slippage=slippage, venues={USDM: own})
    assert {(model.slippage, model.slippage_ppb) for model in everywhere.models} == {(Slippage.SPREAD, 5 * 10**8)}
    (model,) = here.models
    assert (model.slippage, model.slippage_ppb, model.queue) == (
        Slippage.SQUARE_ROOT,
        2 * 10**6,
        QueueModel.RISK_AVERSE,
    )
    # 10^9 of the quote currency, prices of 2 and quantities of 3 decimals or more.
    market = here.tape.markets[0].market
    assert model.slippage_worth == 10.0 ** (9 + market.price_decimals + market.quantity_decimals)
    assert (model.latency.least_entry_ns, model.latency.least_response_ns) == (3_000_000, 4_000_000)
    samples.unlink()
    with pytest.raises(MissingInput, match="measured"):
        plan_of(usdm, MAKING, venues={USDM: own})


def test_a_lag_delays_what_is_received_and_nothing_at_the_exchange(usdm: Path) -> None:
    plain = plan_of(usdm, MAKING)
    late = plan_of(usdm, MAKING, venues={USDM: BacktestVenueSettings(lag_us=2_000)})
    for tape in (plain.tape, late.tape):
        assert not (tape.rows[:, TAPE_KIND] == TapeKind.FUNDING).any()
    rows, lagged = plain.tape.rows, late.tape.rows
    assert (lagged[:, 3] - rows[:, 3]).tolist() == [2_000_000] * len(rows)
    assert (lagged[:, [0, 1, 2, 4, 5, 6, 7]] == rows[:, [0, 1, 2, 4, 5, 6, 7]]).all()
    assert plain.tape.ahead_ns == late.tape.ahead_ns

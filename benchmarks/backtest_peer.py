"""hftbacktest beside our backtest: a tape as its rows, and a plan of orders carried out by both."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

from market.errors import MissingExtra
from market.wire.records import Rows
from sim.backtest import layout
from sim.backtest.core import BacktestCore, MatchModel
from sim.backtest.layout import QueueModel, Report, TapeKind
from sim.backtest.tape import Tape
from sim.matching.layout import ASK, BID, EventKind, Term

PEER: Final = "hftbacktest 2.4.4"
_EXTRA: Final = "hftbacktest is not installed: pip install --require-hashes -r requirements/bench.lock"
_POST_ONLY: Final = 1
_LIMIT: Final = 0
_FILLED: Final = 3
_LESS_LOTS: Final = 0.25
"""An order that exactly what reaches it in part fills stays in hftbacktest's book, and its next trade is an error that
ends the run. A quarter of a lot less is filled by the same trades, and never exactly."""

# Columns of a plan.
AT_NS: Final = 0
IS_CANCEL: Final = 1
ORDER: Final = 2
SIDE: Final = 3
PRICE: Final = 4
LOTS: Final = 5
PLAN_WIDTH: Final = 6

# Columns of what became of an order.
FILLED_LOTS: Final = 0
FILL_NS: Final = 1
"""Exchange time of the fill that left nothing, 0 for an order that was not filled whole."""
RESULT_WIDTH: Final = 2


@dataclass(frozen=True, eq=False)
class Peer:
    """hftbacktest, and a tape of one market as its rows."""

    package: Any
    rows: NDArray[np.void]
    tick: float
    lot: float
    lowest: float
    highest: float


def load_peer() -> Any:
    """The package; raises MissingExtra when it is not installed."""
    try:
        return importlib.import_module("hftbacktest")
    except ImportError as missing:
        raise MissingExtra(_EXTRA) from missing


def peer_of(tape: Tape) -> Peer:
    """A tape of one market for hftbacktest, one row per level and trade, events in both of its orders."""
    package = load_peer()
    market = tape.markets[0].market
    tick, lot = 10.0**-market.price_decimals, 10.0**-market.quantity_decimals
    owner, levels = _levels(tape)
    kinds = tape.rows[owner, layout.TAPE_KIND]
    rows = np.zeros(len(owner), dtype=package.event_dtype)
    flag = np.select(
        [kinds == TapeKind.TRADE, kinds == TapeKind.SNAPSHOT],
        [package.TRADE_EVENT, package.DEPTH_SNAPSHOT_EVENT],
        package.DEPTH_EVENT,
    ).astype(np.uint64)
    side = np.where(levels[:, 0] == 1, package.BUY_EVENT, package.SELL_EVENT).astype(np.uint64)
    rows["ev"] = flag | side
    rows["exch_ts"] = tape.rows[owner, layout.EXCHANGE_NS]
    rows["local_ts"] = tape.rows[owner, layout.RECEIVE_NS]
    rows["px"], rows["qty"] = levels[:, 1] * tick, levels[:, 2] * lot
    heard = np.empty(len(tape.rows), dtype=np.int64)
    heard[tape.received] = np.arange(len(tape.rows))
    local = np.argsort(heard[owner], kind="stable")
    ordered = importlib.import_module("hftbacktest.data.validation").correct_event_order(
        rows, np.arange(len(rows)), local
    )
    middle = float(np.median(levels[:, 1])) * tick
    return Peer(package, ordered, tick, lot, middle * 0.9, middle * 1.1)


def _levels(tape: Tape) -> tuple[Rows, Rows]:
    """The row that each level and trade is of, and its side (1: bids or a buyer), price and lots."""
    owners: list[int] = []
    found: list[tuple[int, int, int]] = []
    bids, asks = tape.bids.tolist(), tape.asks.tolist()
    for index, row in enumerate(tape.rows.tolist()):
        if row[layout.TAPE_KIND] == TapeKind.TRADE:
            new = [(row[layout.TRADE_AGGRESSOR], row[layout.TRADE_PRICE], row[layout.TRADE_LOTS])]
        else:
            start = row[layout.BIDS_START]
            new = [(1, price, lots) for price, lots in bids[start : start + row[layout.BIDS]]]
            start = row[layout.ASKS_START]
            new += [(0, price, lots) for price, lots in asks[start : start + row[layout.ASKS]]]
        found += new
        owners += [index] * len(new)
    return np.array(owners, dtype=np.int64), np.array(found, dtype=np.int64)


def peer_asset(peer: Peer, model: MatchModel) -> tuple[Any, Rows]:
    """An asset with a model's queue, latencies, fees and partial fills, and samples that must outlive it."""
    asset = peer.package.BacktestAsset().data(peer.rows).linear_asset(1.0).tick_size(peer.tick).lot_size(peer.lot)
    samples = np.zeros((0, 4), dtype=np.int64)
    if model.latency.samples is None:
        asset = asset.constant_order_latency(model.latency.entry_ns, model.latency.response_ns)
    else:
        samples = np.zeros((len(model.latency.samples), 4), dtype=np.int64)
        samples[:, :3] = model.latency.samples
        asset = asset.intp_order_latency(samples)
    fees = (model.maker_ppb / 1e9, model.taker_ppb / 1e9)
    asset = asset.trading_value_fee_model(*fees).roi_lb(peer.lowest).roi_ub(peer.highest)
    asset = asset.partial_fill_exchange() if model.partial else asset.no_partial_fill_exchange()
    queues = {
        QueueModel.RISK_AVERSE: asset.risk_adverse_queue_model,
        QueueModel.POWER: lambda: asset.power_prob_queue_model(model.exponent),
        QueueModel.POWER_2: lambda: asset.power_prob_queue_model2(model.exponent),
        QueueModel.POWER_3: lambda: asset.power_prob_queue_model3(model.exponent),
        QueueModel.LOG: asset.log_prob_queue_model,
        QueueModel.LOG_2: asset.log_prob_queue_model2,
    }
    return queues[model.queue](), samples


@njit  # type: ignore[untyped-decorator]
def _carry_out(backtest: Any, plan: Any, tick: float, lot: float, less: float, results: Any) -> None:
    backtest.elapse(0)
    for index in range(len(plan)):
        wait = plan[index, AT_NS] - backtest.current_timestamp
        if wait > 0 and backtest.elapse(wait) != 0:
            break
        order = plan[index, ORDER]
        if plan[index, IS_CANCEL] != 0:
            backtest.cancel(0, order, False)
        elif plan[index, SIDE] == 1:
            price, lots = plan[index, PRICE] * tick, (plan[index, LOTS] - less) * lot
            backtest.submit_buy_order(0, order, price, lots, _POST_ONLY, _LIMIT, False)
        else:
            price, lots = plan[index, PRICE] * tick, (plan[index, LOTS] - less) * lot
            backtest.submit_sell_order(0, order, price, lots, _POST_ONLY, _LIMIT, False)
    while backtest.elapse(10**9) == 0:
        pass
    orders = backtest.orders(0)
    for order in range(len(results)):
        found = orders.get(order)
        if found is not None and found.leaves_qty < found.qty:
            results[order, FILLED_LOTS] = round((found.qty - found.leaves_qty) / lot)
            if found.status == _FILLED:
                results[order, FILL_NS] = found.exch_timestamp


def peer_results(peer: Peer, model: MatchModel, plan: Rows, orders: int) -> Rows:
    """What becomes of a plan's orders in hftbacktest, int64[orders, RESULT_WIDTH]."""
    asset, samples = peer_asset(peer, model)
    backtest = peer.package.HashMapMarketDepthBacktest([asset])
    results = np.zeros((orders, RESULT_WIDTH), dtype=np.int64)
    _carry_out(backtest, plan, peer.tick, peer.lot, _LESS_LOTS if model.partial else 0.0, results)
    backtest.close()
    del samples
    return results


def own_results(tape: Tape, model: MatchModel, plan: Rows, orders: int) -> Rows:
    """What becomes of a plan's orders in our backtest, int64[orders, RESULT_WIDTH]."""
    core = BacktestCore(tape, [model], capacity=1 << 14, keeps_received=False)
    results = np.zeros((orders, RESULT_WIDTH), dtype=np.int64)

    def read(until_ns: int) -> None:
        for report in core.reports(0, until_ns).tolist():
            if report[Report.KIND] == EventKind.TRADED:
                results[report[Report.ID], FILLED_LOTS] += report[Report.LOTS]
                if report[Report.LEFT] == 0:
                    results[report[Report.ID], FILL_NS] = report[Report.EXCHANGE_NS]

    for at_ns, is_cancel, order, side, price, lots in plan.tolist():
        core.advance(at_ns)
        read(at_ns)
        if is_cancel:
            core.cancel(0, order)
        else:
            core.order(0, order, side, price, lots, term=Term.POST_ONLY)
    core.advance()
    read(layout.FOREVER)
    return results


def make_plan(tape: Tape, orders: int, seed: int) -> Rows:
    """Post-only orders at and near the best prices, each cancelled after a while unless it ends before.

    Some improve on the best price by a tick, most rest at it, others up to 20 ticks behind; they live 0.2 to 30 s.
    """
    chance = np.random.default_rng(seed)
    first, last = tape.first_ns + 2 * 10**9, tape.last_ns - 10**9
    times = np.sort(chance.integers(first, last, orders))
    core = BacktestCore(tape, [MatchModel()])
    plan = np.zeros((2 * orders, PLAN_WIDTH), dtype=np.int64)
    for order, at_ns in enumerate(times.tolist()):
        core.advance(at_ns)
        top = core.top(0)
        side = BID if chance.random() < 0.5 else ASK
        behind = int(chance.choice([-1, 0, 1, 2, 3, 5, 10, 20], p=[0.1, 0.5, 0.1, 0.1, 0.05, 0.05, 0.05, 0.05]))
        price = top.bid - behind if side == BID else top.ask + behind
        lots = 1 + int(chance.exponential(max((top.bid_lots + top.ask_lots) / 20, 1)))
        lives_ns = int(10 ** chance.uniform(8.3, 10.5))
        plan[2 * order] = (at_ns, 0, order, side, price, lots)
        plan[2 * order + 1] = (at_ns + lives_ns, 1, order, side, price, lots)
    kept = plan[plan[:, AT_NS] < tape.last_ns]
    return np.ascontiguousarray(kept[np.argsort(kept[:, AT_NS], kind="stable")])

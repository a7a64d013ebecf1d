"""A backtest with books, queue positions, latencies and a strategy that quotes, beside hftbacktest on the same rows.

Times are divided by the levels and trades of the tape. Each contender is ready before its clock starts: hftbacktest has
its rows, ours its tape. Every 100 ms the strategy moves its bid and its offer to the best prices if those have changed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
from numba import njit

from benchmarks.backtest_match import as_peer_reckons
from benchmarks.backtest_orders import as_single_orders
from benchmarks.backtest_peer import PEER, Peer, load_peer, peer_asset, peer_of
from benchmarks.depth import Depth
from benchmarks.harness import Contender, Report, seconds, take_turns
from benchmarks.peers_engines import nautilus_run
from benchmarks.recordings import Recording, load_recording
from config.venues import VenueName
from market.errors import Fatal, MissingExtra
from market.wire.records import Words
from sim.backtest.core import BacktestCore, MatchModel
from sim.backtest.layout import QueueModel
from sim.backtest.tape import Tape, read_tape
from sim.generator.settings import Coin
from sim.matching.layout import ASK, BID, Term

EVERY_NS: Final = 100_000_000
IDLE_NS: Final = 1_000_000_000
TARGET_NS: Final = 1e9 / 3e6
_POST_ONLY: Final = 1
_LIMIT: Final = 0
_QUOTES: Final = "quoting every 100 ms"
_IDLE: Final = "no orders"


def measure(report: Report) -> None:
    """Time per event on each USD-M and spot market of the recordings, all queue models on one."""
    load_peer()
    recording = load_recording(Coin.BTC, report)
    for source in recording.sources:
        tape = read_tape([source])
        _compare(report, f"{source.name} BTC", tape, peer_of(tape), QueueModel.RISK_AVERSE)
        if source.name == VenueName.BINANCE_USDM.value:
            _compare(report, f"{source.name} BTC", tape, peer_of(tape), QueueModel.POWER)
            _idle(report, tape, recording)
            _single_orders(report, tape)


def _compare(report: Report, name: str, tape: Tape, peer: Peer, queue: QueueModel) -> None:
    """The strategy on one market; both must end with the same position and fills."""
    model = as_peer_reckons(tape, queue, partial=False)
    own, others = _own_quotes(tape, model), {
        kind: _peer_quotes(peer, model, builder)
        for kind, builder in (
            (f"{PEER}, ROIVector", peer.package.ROIVectorMarketDepthBacktest),
            (f"{PEER}, HashMap", peer.package.HashMapMarketDepthBacktest),
        )
    }  # fmt: skip
    ends = {own()[1], *(run()[1] for run in others.values())}
    if len(ends) != 1:
        raise Fatal(f"{name}: positions and fills of the contenders were {ends}; nothing was timed")
    contenders: dict[str, Contender] = {"ours": _per_event(own, tape.events)}
    contenders |= {kind: _per_event(run, tape.events) for kind, run in others.items()}
    values = take_turns(contenders, report.rounds)
    case = f"{name}, {queue.name}, {_QUOTES}"
    for kind in others:
        report.compare(case, "ns/event", values["ours"], kind, values[kind], target=1.0)
    report.against_target(case, "ns/event", values["ours"], TARGET_NS)
    position, fills = ends.pop()
    report.note(f"{name}, {queue.name}: {tape.events:,} events, {fills:,} fills, position {position:,} lots in each")


def _idle(report: Report, tape: Tape, recording: Recording) -> None:
    """The tape alone; nautilus_trader carries a bus, a cache and a venue besides, and gets quotes too."""
    model = as_peer_reckons(tape, QueueModel.RISK_AVERSE, partial=False)

    def ours() -> float:
        core = BacktestCore(tape, [model])
        return seconds(core.advance) * 1e9 / tape.events

    contenders: dict[str, Contender] = {"ours": ours}
    try:
        nautilus = nautilus_run(report, Depth(recording, VenueName.BINANCE_USDM))
        contenders["nautilus"] = lambda: nautilus() * 1e9 / tape.events
    except MissingExtra as missing:
        report.note(str(missing))
    values = take_turns(contenders, min(report.rounds, 3))
    case = f"binance-usdm BTC, {_IDLE}"
    if "nautilus" in values:
        caveat = "carries a message bus, a cache and objects per event, and gets quotes besides: the price of those"
        report.compare(case, "ns/event", values["ours"], "nautilus_trader 1.221.0", values["nautilus"], caveat=caveat)
    report.against_target(case, "ns/event", values["ours"], TARGET_NS)


def _single_orders(report: Report, tape: Tape) -> None:
    """The same strategy and flow where every level is an order: exact places in queues."""
    orders = as_single_orders(tape)
    run = _own_quotes(orders, MatchModel())
    values = take_turns({"ours": _per_event(run, orders.events)}, report.rounds)
    report.against_target(f"binance-usdm BTC as single orders, {_QUOTES}", "ns/event", values["ours"], TARGET_NS)
    report.note(f"single orders: {orders.events:,} operations, {run()[1][1]:,} fills")


Run = Callable[[], tuple[float, tuple[int, int]]]
"""Seconds that a run took, and the position in lots and the number of fills that it ended with."""


def _per_event(run: Run, events: int) -> Contender:
    return lambda: run()[0] * 1e9 / events


def _own_quotes(tape: Tape, model: MatchModel) -> Run:
    def run() -> tuple[float, tuple[int, int]]:
        core = BacktestCore(tape, [model])
        taken = seconds(lambda: _quote(core, tape))
        account = core.account(0)
        return taken, (account.position, account.fills)

    return run


def _quote(core: BacktestCore, tape: Tape) -> None:
    """Keep a bid and an offer at the best prices."""
    quoted = [0, 0]
    standing = [-1, -1]
    number = 0
    for at_ns in range(tape.first_ns + IDLE_NS, tape.last_ns, EVERY_NS):
        core.advance(at_ns)
        core.reports(0)
        top = core.top(0)
        for side, price in ((BID, top.bid), (ASK, top.ask)):
            if price != quoted[side]:
                if standing[side] >= 0:
                    core.cancel(0, standing[side])
                core.order(0, number, side, price, 1, term=Term.POST_ONLY)
                quoted[side], standing[side] = price, number
                number += 1
    core.advance()


def _peer_quotes(peer: Peer, model: MatchModel, builder: Callable[[list[Any]], Any]) -> Run:
    first, last = int(peer.rows["local_ts"].min()), int(peer.rows["local_ts"].max())
    times: Words = np.arange(first + IDLE_NS, last, EVERY_NS)

    def run() -> tuple[float, tuple[int, int]]:
        asset, samples = peer_asset(peer, model)
        backtest = builder([asset])
        taken = seconds(lambda: _quote_peer(backtest, times, peer.lot))
        state = backtest.state_values(0)
        position, fills = round(state.position / peer.lot), int(state.num_trades)
        backtest.close()
        del samples
        return taken, (position, fills)

    return run


@njit  # type: ignore[untyped-decorator]
def _quote_peer(backtest: Any, times: Any, lot: float) -> None:
    backtest.elapse(0)
    bid_price, ask_price, bid_order, ask_order, number = -1, -1, -1, -1, 0
    for at_ns in times:
        if backtest.elapse(at_ns - backtest.current_timestamp) != 0:
            break
        backtest.clear_inactive_orders(0)
        depth = backtest.depth(0)
        if depth.best_bid_tick != bid_price:
            if bid_order >= 0:
                backtest.cancel(0, bid_order, False)
            bid_price, bid_order, number = depth.best_bid_tick, number, number + 1
            backtest.submit_buy_order(0, bid_order, depth.best_bid, lot, _POST_ONLY, _LIMIT, False)
        if depth.best_ask_tick != ask_price:
            if ask_order >= 0:
                backtest.cancel(0, ask_order, False)
            ask_price, ask_order, number = depth.best_ask_tick, number, number + 1
            backtest.submit_sell_order(0, ask_order, depth.best_ask, lot, _POST_ONLY, _LIMIT, False)
    while backtest.elapse(1_000_000_000) == 0:
        pass

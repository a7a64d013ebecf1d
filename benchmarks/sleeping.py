"""The flash-crash trader in a backtest: asleep where compiled code looks for it, beside itself awake at every event.

Each contender is a whole run of the backtester over a recording that is read already, with books, exchange, risk and
detector; the two must decide, send and hear the same. Times are CPU seconds divided by the events of the market. The
one beside ours hears every quote, trade and tenth of a second in Python, as a strategy without a detector does.
"""

from __future__ import annotations

import gc
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from benchmarks.harness import Contender, Report, take_turns
from benchmarks.recordings import available_files
from config.loading import load_settings
from config.scenarios import ScenarioKind
from config.settings import Settings
from config.venues import VenueName
from market.errors import Fatal
from market.protocols import Intent, MarketView, WakeCause, Wakes
from orchestrator.backtest.plan import Plan, read_plan
from orchestrator.backtest.run import BacktestRun, run_backtest
from orchestrator.replay.plan import SourceFile
from orchestrator.strategies.flash_crash.plan import flash_crash_traders
from orchestrator.strategies.flash_crash.trader import FlashCrash
from orchestrator.strategies.sizing import FullSize
from sim.generator.recording import is_synthetic
from sim.generator.settings import Coin
from sim.scenarios.plan import draw_plan
from sim.scenarios.recording import session_lines

_CRASH: Final = (ScenarioKind.AIR_POCKET, 5, 420)
"""A generated session: its kind, seed and seconds."""
_AWAKE: Final = "awake at every event"
_FEW_ROUNDS: Final = 3


class Awake:
    """The same trader to a run that does not know of its detector: it never sleeps."""

    def __init__(self, trader: FlashCrash) -> None:
        self._trader = trader

    @property
    def tag(self) -> str:
        """The trader's tag."""
        return self._trader.tag

    @property
    def wakes(self) -> Wakes:
        """Quotes and trades of its market."""
        return msgspec.structs.replace(self._trader.wakes, detectors=())

    def wake(self, cause: WakeCause, view: MarketView) -> Sequence[Intent]:
        """The trader's answer."""
        return self._trader.wake(cause, view)


def measure(report: Report) -> None:
    """A recorded day on which nothing happens, and a generated crash that is traded."""
    settings = load_settings("flash-crash", local=None, environment={})
    file = next(file for file in available_files(Coin.BTC) if file.venue is VenueName.BINANCE_USDM)
    if is_synthetic(file.path):
        report.call_synthetic()
    _compare(report, "binance-usdm BTC", read_plan(settings, [file]), report.rounds)
    report.call_synthetic()
    with tempfile.TemporaryDirectory() as folder:
        plan = read_plan(settings, [_crash(settings, Path(folder))])
        _compare(report, f"{_CRASH[0].value}, {_CRASH[2]} s", plan, min(report.rounds, _FEW_ROUNDS))


def _crash(settings: Settings, folder: Path) -> SourceFile:
    """A session with a crash as a recording."""
    kind, seed, seconds = _CRASH
    scenarios = settings.scenarios.model_copy(update={"duration_s": seconds})
    path = folder / "synthetic.txt"
    path.write_bytes(b"".join(session_lines(draw_plan(scenarios, kind, seed))))
    return SourceFile(VenueName.BINANCE_USDM, path)


def _compare(report: Report, case: str, plan: Plan, rounds: int) -> None:
    runs = {"ours": _run(plan, sleeps=True), _AWAKE: _run(plan, sleeps=False)}
    hashes = {run.run_hash for run in runs.values()}
    if len(hashes) != 1:
        raise Fatal(f"{case}: the runs' hashes were {sorted(hashes)}; expected one; nothing was timed")
    run = runs["ours"]
    events = run.summary.counts.events
    contenders = {name: _timed(plan, events, sleeps=name == "ours") for name in runs}
    values = take_turns(contenders, rounds)
    report.compare(f"{case}, flash-crash trader", "CPU us/event", values["ours"], _AWAKE, values[_AWAKE])
    report.note(f"{case}: {events:,} events, {len(run.summary.orders)} orders, {len(run.states.rows)} samples, in both")


def _run(plan: Plan, *, sleeps: bool) -> BacktestRun:
    [trader] = flash_crash_traders(plan.settings, plan.catalogue, FullSize())
    return run_backtest(plan, [trader if sleeps else Awake(trader)])


def _timed(plan: Plan, events: int, *, sleeps: bool) -> Contender:
    def timed() -> float:
        gc.collect()
        start = time.process_time()
        _run(plan, sleeps=sleeps)
        return (time.process_time() - start) * 1e6 / events

    return timed

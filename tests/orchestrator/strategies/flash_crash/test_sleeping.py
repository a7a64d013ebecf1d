"""A trader that sleeps while compiled code feeds its detector knows and decides what one that hears all does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
import pytest

from config.loading import load_settings
from config.scenarios import ScenarioKind
from config.settings import Settings
from config.venues import VenueName
from market.detector.layout import EVENT, EVENT_WIDTH
from market.detector.persistence import restored
from market.detector.states import State
from market.errors import Fatal
from market.protocols import Intent, MarketView, OrderChanged, QuoteChanged, TimerFired, Traded, WakeCause, Wakes
from orchestrator.backtest.plan import Plan, read_plan
from orchestrator.backtest.run import BacktestRun, run_backtest
from orchestrator.replay.plan import SourceFile
from orchestrator.run_loop.coordinator import Coordinator
from orchestrator.strategies.flash_crash.plan import flash_crash_traders
from orchestrator.strategies.flash_crash.trader import FlashCrash
from orchestrator.strategies.sizing import FullSize
from sim.generator.settings import SECOND_NS, CrashSettings
from sim.scenarios.plan import draw_plan
from sim.scenarios.recording import session_lines
from tests.orchestrator.strategies.flash_crash.test_generated_crash import EAGER, PROFILE, WIDE, recording

USDM = VenueName.BINANCE_USDM
SOON = """
[detector.optimized]
warm_up_s = 10
baseline_window_s = 60
recovery_confirm_ms = 5_000
[strategies.flash_crash.optimized]
entry_score = 0
lowered_entry_score = 0
volume_multiple = 0
volume_window_s = 5
minimum_range = 0.0
entry_percentile = 0.6
exit_percentile = 0.95
entry_lifetime_ms = 2_000
"""
SHARP = CrashSettings(at_ns=14 * SECOND_NS, fall_ns=6 * SECOND_NS, drop_bps=900, rebound_ns=4 * SECOND_NS)


@dataclass
class Counted:
    """Lets a trader through, and counts what its Python is woken for; without its detector it stays awake."""

    trader: FlashCrash
    sleeps: bool
    heard: int = 0

    @property
    def tag(self) -> str:
        return self.trader.tag

    @property
    def wakes(self) -> Wakes:
        return self.trader.wakes if self.sleeps else msgspec.structs.replace(self.trader.wakes, detectors=())

    def wake(self, cause: WakeCause, view: MarketView) -> Sequence[Intent]:
        if not isinstance(cause, OrderChanged):
            self.heard += 1
        assert not (self.is_asleep and isinstance(cause, QuoteChanged | Traded))
        return self.trader.wake(cause, view)

    @property
    def is_asleep(self) -> bool:
        sleep = self.trader._watch.sleep
        return self.sleeps and sleep is not None and sleep.is_asleep


def settings_of(folder: Path, text: str) -> Settings:
    (folder / "run.toml").write_text(text, encoding="utf-8")
    return load_settings(folder / "run.toml", local=None, environment={})


def traded(plan: Plan, sleeps: bool, passes: bool = True) -> tuple[BacktestRun, Counted]:
    [trader] = flash_crash_traders(plan.settings, plan.catalogue, FullSize())
    counted = Counted(trader, sleeps)
    return run_backtest(plan, [counted], passes_unwatched=passes), counted


def known(trader: FlashCrash) -> list[object]:
    """All that a trader goes on with; the detector to the last bit, but for the place where its events are written."""
    saved = msgspec.msgpack.decode(trader.save())
    state = restored(trader._watch.settings, saved.pop("detector")).copy()
    state[EVENT : EVENT + EVENT_WIDTH] = 0
    seen = [(one.time_ns, one.before, one.after, one.cause, one.signals) for one in trader.take_transitions()]
    return [saved, state.tobytes(), seen, trader.rejections, [str(score) for score in trader.scores], trader.closed]


def check(plan: Plan) -> tuple[BacktestRun, Counted]:
    """Asleep and awake, with and without Python in between, all is the same; returns the run asleep."""
    runs = [traded(plan, True, passes=True), traded(plan, False, passes=False)]
    states = [known(counted.trader) for _, counted in runs]
    assert states[0] == states[1]
    assert runs[0][0].run_hash == runs[1][0].run_hash
    assert runs[0][0].summary.counters == runs[1][0].summary.counters
    assert runs[0][1].heard < runs[1][1].heard
    return runs[0]


def test_a_crash_is_traded_the_same(tmp_path: Path) -> None:
    """Asleep before and after it; entries and exits among what is the same."""
    settings = settings_of(tmp_path, PROFILE + WIDE + SOON)
    plan = read_plan(settings, [SourceFile(USDM, recording(tmp_path, 46, SHARP, seed=7, activity=10))])
    run, counted = check(plan)
    assert any(order.fills for order in run.summary.orders)
    assert counted.trader.closed
    assert counted.trader.standing is State.SLEEP
    assert counted.is_asleep


@pytest.mark.long
def test_a_long_crash_is_traded_the_same(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, PROFILE + EAGER + WIDE)
    path = recording(tmp_path, 130, CrashSettings(at_ns=80 * SECOND_NS), seed=7, activity=100)
    run, _ = check(read_plan(settings, [SourceFile(USDM, path)]))
    assert any(order.fills for order in run.summary.orders)


@pytest.mark.long
@pytest.mark.parametrize(
    ("kind", "seed", "duration_s"),
    [(ScenarioKind.AIR_POCKET, 5, 420), (ScenarioKind.AIR_POCKET, 11, 420), (ScenarioKind.CASCADE_2025, 1, 700)],
)
def test_a_generated_session_is_traded_the_same(tmp_path: Path, kind: ScenarioKind, seed: int, duration_s: int) -> None:
    """Minutes of ACTIVE, with the profile that is meant for it: only what is held keeps it awake."""
    settings = load_settings("flash-crash", local=None, environment={})
    scenarios = settings.scenarios.model_copy(update={"duration_s": duration_s})
    path = tmp_path / "synthetic.txt"
    path.write_bytes(b"".join(session_lines(draw_plan(scenarios, kind, seed))))
    run, counted = check(read_plan(settings, [SourceFile(USDM, path)]))
    assert any(order.fills for order in run.summary.orders)
    assert counted.heard < run.summary.counts.events / 4


@pytest.mark.long
@pytest.mark.parametrize("passes", [True, False])
def test_what_it_hears_is_the_same_with_and_without_python_in_between(tmp_path: Path, passes: bool) -> None:
    """Live, where every event goes through the loop's Python, the strategy sleeps all the same."""
    settings = settings_of(tmp_path, PROFILE + WIDE + SOON)
    plan = read_plan(settings, [SourceFile(USDM, recording(tmp_path, 46, SHARP, seed=7, activity=10))])
    run, counted = traded(plan, sleeps=True, passes=passes)
    assert counted.heard < run.summary.counts.events
    assert run.run_hash == traded(plan, sleeps=False)[0].run_hash


@pytest.mark.long
@pytest.mark.parametrize("coin", ["btc", "eth"])
def test_a_recorded_day_is_slept_through_but_for_alerts(data: Path, tmp_path: Path, coin: str) -> None:
    text = PROFILE if coin == "btc" else PROFILE.replace('"BTC"', '"ETH"')
    path = data / "binance-20240808" / f"usdm_{coin}usdt_20240808.gz"
    run, counted = check(read_plan(settings_of(tmp_path, text), [SourceFile(USDM, path)]))
    assert not run.summary.orders
    assert counted.heard < run.summary.counts.events / 4


def test_where_no_loop_feeds_the_detector_the_trader_stays_awake(tmp_path: Path) -> None:
    """A host that knows nothing of it, as that of the other tests."""
    settings = settings_of(tmp_path, PROFILE)
    plan = read_plan(settings, [SourceFile(USDM, recording(tmp_path, 3, None))])
    _, counted = traded(plan, sleeps=False)
    sleep = counted.trader._watch.sleep
    assert sleep is not None
    assert not sleep.is_possible
    assert not sleep.is_asleep


def test_a_detector_of_a_market_that_is_not_waited_for_is_refused(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, PROFILE)
    plan = read_plan(settings, [SourceFile(USDM, recording(tmp_path, 1, None))])
    [trader] = flash_crash_traders(plan.settings, plan.catalogue, FullSize())

    class Deaf:
        tag = "deaf"
        wakes = Wakes(detectors=trader.wakes.detectors)

        def wake(self, cause: WakeCause, view: MarketView) -> Sequence[Intent]:
            return ()

    with pytest.raises(Fatal, match="deaf has a detector of market"):
        Coordinator([Deaf()])


def test_timers_of_before_the_sleep_have_no_effect(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, PROFILE)
    plan = read_plan(settings, [SourceFile(USDM, recording(tmp_path, 3, None))])
    _, counted = traded(plan, sleeps=True)
    assert counted.is_asleep
    before = np.array(counted.trader._watch.sleep.wake.words if counted.trader._watch.sleep else [])
    assert counted.trader.wake(TimerFired(number=0, time_ns=1), _no_view()) == ()
    assert counted.trader._watch.sleep is not None
    assert np.array_equal(before, counted.trader._watch.sleep.wake.words)


def _no_view() -> MarketView:
    return None  # type: ignore[return-value]  # a timer of before looks at nothing

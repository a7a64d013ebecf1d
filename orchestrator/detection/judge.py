"""One session judged: was the crash found, how soon, what was a false alarm, and what did the trader do."""

from __future__ import annotations

import gc
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import numpy as np

from config.scenarios import ScenarioKind
from config.settings import Settings
from market.detector.settings import SECOND_NS
from market.detector.states import State
from orchestrator.detection.cases import Case
from orchestrator.detection.listen import Heard, listen
from orchestrator.detection.play import Played, listening_settings, play, source_of
from orchestrator.detection.spliced import Base
from sim.scenarios.layout import STEP_NS
from sim.scenarios.plan import CrashTruth, SessionPlan, draw_plan
from sim.scenarios.session import Session
from sim.scenarios.splice import continued, spliced_lines

_AFTER_NS: Final = 60 * SECOND_NS
"""How long after the end of a crash an event still belongs to it."""
_PERCENT: Final = 100.0


@dataclass(frozen=True, kw_only=True)
class Verdict(Played):
    """What was found of a session, and what the trader did there.

    Parameters
    ----------
    messages: of the recording. alerts, actives: times that the state was entered. false_actives: those that began
        outside the crash and the minute after it.
    fall_pct: of the middle of the market, from the beginning of the crash to its lowest. delay_s: from the beginning to
        the first ACTIVE. fallen_pct: part of the fall that had happened by then. All three None where there is nothing.
    """

    number: int
    kind: ScenarioKind
    seed: int
    messages: int
    alerts: int
    actives: int
    false_actives: int
    active_s: float
    fall_pct: float | None = None
    delay_s: float | None = None
    fallen_pct: float | None = None

    @property
    def is_detected(self) -> bool:
        """Whether the crash was found."""
        return self.delay_s is not None

    @property
    def is_early(self) -> bool:
        """Whether it was found before half of the fall."""
        return self.fallen_pct is not None and self.fallen_pct < _PERCENT / 2

    def row(self) -> dict[str, object]:
        """As JSON has it."""
        return asdict(self) | {"kind": self.kind.value}


def judge(case: Case, settings: Settings, folder: Path, base: Base | None = None) -> Verdict:
    """Generate a session into a folder, listen to it, and let the trader play where an event was found.

    Parameters
    ----------
    base: a recording that the session is spliced onto; its settings hold in place of ``settings``.
    """
    # The parts of a backtest refer to each other, and the collector does not know how large the session is they hold.
    gc.collect()
    plan = draw_plan(settings.scenarios, case.kind, case.seed, is_spliced=base is not None)
    path = folder / f"synthetic-{case.seed}.txt"
    try:
        if base is None:
            lines = Session(plan).lines()
        else:
            settings, ending = base.settings, base.ending()
            lines, plan = spliced_lines(plan, ending), continued(plan, ending)
        with path.open("wb") as file:
            file.writelines(lines)
        heard = listen(source_of(settings, path), listening_settings(settings), plan.start_ns)
        played = play(settings, path, heard) if heard.spans else Played()
    finally:
        path.unlink(missing_ok=True)
    return _verdict(case, plan, heard, played)


def _verdict(case: Case, plan: SessionPlan, heard: Heard, played: Played) -> Verdict:
    spans, last_ns = heard.spans, int(heard.quotes[-1, 0])
    fall_pct = delay_s = fallen_pct = None
    false = len(spans)
    if plan.crash is not None:
        begin_ns = plan.start_ns + plan.crash.begin_ms * STEP_NS
        over_ns = plan.start_ns + plan.crash.end_ms * STEP_NS + _AFTER_NS
        true = [start for start, _ in spans if begin_ns <= start < over_ns]
        false -= len(true)
        first_price, low_price = _fall(heard, plan, plan.crash)
        fall_pct = _PERCENT * (1.0 - low_price / first_price)
        if true:
            delay_s = (true[0] - begin_ns) / SECOND_NS
            fallen_pct = _PERCENT * (first_price - _lowest(heard, begin_ns, true[0])) / (first_price - low_price)
    return Verdict(
        number=case.number,
        kind=case.kind,
        seed=case.seed,
        messages=heard.messages,
        alerts=sum(one.after is State.ALERT for one in heard.transitions),
        actives=len(spans),
        false_actives=false,
        active_s=sum((last_ns if end is None else end) - start for start, end in spans) / SECOND_NS,
        fall_pct=fall_pct,
        delay_s=delay_s,
        fallen_pct=fallen_pct,
        **asdict(played),
    )


def _fall(heard: Heard, plan: SessionPlan, crash: CrashTruth) -> tuple[float, float]:
    """Middle of the market when the crash begins, and its lowest until it is over."""
    begin_ns = plan.start_ns + crash.begin_ms * STEP_NS
    place = max(int(np.searchsorted(heard.quotes[:, 0], begin_ns)) - 1, 0)
    first = float(heard.quotes[place, 1] + heard.quotes[place, 2]) / 2
    return first, _lowest(heard, begin_ns, plan.start_ns + crash.end_ms * STEP_NS)


def _lowest(heard: Heard, first_ns: int, last_ns: int) -> float:
    """Lowest middle of the market within a time."""
    times = heard.quotes[:, 0]
    start, end = int(np.searchsorted(times, first_ns)), int(np.searchsorted(times, last_ns, side="right"))
    middles = heard.quotes[max(start - 1, 0) : max(end, start), 1:].sum(axis=1)
    return float(middles.min()) / 2

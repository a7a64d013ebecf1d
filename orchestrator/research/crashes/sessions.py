"""Generated sessions as rows of the book, the truth of their crashes, and what the detector said meanwhile.

Sessions of tuning seeds are for training and validation, those of evaluation seeds for the test alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np

from config.scenarios import ScenarioKind, ScenarioSettings
from config.settings import Settings
from market.detector.settings import SECOND_NS
from market.detector.transitions import Transition
from market.errors import Rejected
from market.wire.records import Rows, Words
from orchestrator.detection.cases import Seeds, cases
from orchestrator.detection.play import listening_settings, source_of
from orchestrator.research.datasets.book_rows import RecordedRows, Sampling
from orchestrator.research.datasets.crash_labels import Fall, half_of_fall
from orchestrator.research.datasets.labels import Classes, double_mids
from orchestrator.research.datasets.parts import Part
from sim.replay.source import SourceSettings
from sim.scenarios.hearing import Hearing
from sim.scenarios.layout import STEP_NS
from sim.scenarios.plan import SessionPlan, draw_plan
from sim.scenarios.session import Session

DAY_NS: Final = 86_400 * SECOND_NS
"""From one session to the next, so that all follow one another in time."""


@dataclass(frozen=True)
class Chosen:
    """One session of a dataset."""

    kind: ScenarioKind
    seed: int
    part: Part


@dataclass(frozen=True, eq=False)
class SessionRows:
    """The rows of one session.

    Parameters
    ----------
    book: int64[n, 4 * levels]. times_ns, segments: int64[n]. detector: int8[n], ``State`` before each row's time.
    fall: None without a crash.
    """

    chosen: Chosen
    book: Rows
    times_ns: Words
    segments: Words
    detector: Classes
    fall: Fall | None


def chosen_sessions(
    scenarios: ScenarioSettings, tuning: int, unseen: int, training_share: float, kinds: Sequence[ScenarioKind] = ()
) -> list[Chosen]:
    """The first sessions of both ranges of seeds, kinds in turn.

    Parameters
    ----------
    training_share: of the sessions of tuning seeds, the first of which are for training and the last for validation.
    kinds: none: those of the statistics of detection.

    Raises Rejected where a part would be empty or there are not so many seeds.
    """
    training = round(tuning * training_share)
    if not 0 < training < tuning or unseen < 1:
        raise Rejected(
            f"{tuning} sessions and {unseen} unseen ones leave {training} for training, {tuning - training} for "
            f"validation and {unseen} for the test: each part needs at least one"
        )
    if max(tuning, unseen) > scenarios.sessions:
        raise Rejected(
            f"{max(tuning, unseen)} sessions are more than scenarios.sessions = {scenarios.sessions}: both ranges of "
            "seeds are that long"
        )
    found = [
        (case, Part.TRAINING if case.number < training else Part.VALIDATION)
        for case in cases(scenarios, Seeds.TUNING, tuning)
    ]
    found += [(case, Part.TEST) for case in cases(scenarios, Seeds.EVALUATION, unseen)]
    return [Chosen(kinds[case.number % len(kinds)] if kinds else case.kind, case.seed, part) for case, part in found]


def played_sessions(
    settings: Settings, sessions: Sequence[Chosen], sampling: Sampling, folder: Path
) -> Iterator[tuple[RecordedRows, SessionRows]]:
    """Generate sessions one after the other, each a day later than the one before, and read their rows.

    Parameters
    ----------
    folder: for the recording of one session at a time, which is removed again.

    Raises Fatal where the settings do not name the market that sessions are of, Rejected for a session without rows.
    """
    for number, chosen in enumerate(sessions):
        plan = draw_plan(settings.scenarios, chosen.kind, chosen.seed)
        plan = replace(plan, start_ns=plan.start_ns + number * DAY_NS)
        path = folder / f"synthetic-{chosen.kind}-{chosen.seed}.txt"
        try:
            with path.open("wb") as file:
                file.writelines(Session(plan).lines())
            source = source_of(settings, path)
            recorded = RecordedRows(source, sampling)
            yield recorded, _session_rows(chosen, plan, recorded, heard(source, settings))
        finally:
            path.unlink(missing_ok=True)


def heard(source: SourceSettings, settings: Settings) -> list[Transition]:
    """Transitions of the flash-crash trader's detector over a recording."""
    hearing = Hearing(source, listening_settings(settings))
    for batch in source.open().batches():
        hearing.take(batch, batch.filled())
    return hearing.transitions


def states_before(transitions: list[Transition], times_ns: Words) -> Classes:
    """int8[n]: the detector's state before each time; SLEEP before the first transition."""
    changes = np.array([each.time_ns for each in transitions], dtype=np.int64)
    states = np.array([0, *(int(each.after) for each in transitions)], dtype=np.int8)
    found: Classes = states[np.searchsorted(changes, times_ns, side="left")]
    return found


def _session_rows(
    chosen: Chosen, plan: SessionPlan, recorded: RecordedRows, transitions: list[Transition]
) -> SessionRows:
    parts = list(recorded.parts())
    if not parts:
        raise Rejected(
            f"the session {chosen.kind} of seed {chosen.seed} has no row with {recorded.sampling.levels} levels on both"
            " sides"
        )
    book = np.concatenate([part.book for part in parts])
    times_ns = np.concatenate([part.times_ns for part in parts])
    fall: Fall | None = None
    if plan.crash is not None:
        begin_ns = plan.start_ns + plan.crash.begin_ms * STEP_NS
        end_ns = plan.start_ns + plan.crash.end_ms * STEP_NS
        fall = Fall(begin_ns, half_of_fall(times_ns, double_mids(book), begin_ns, end_ns), end_ns)
    return SessionRows(
        chosen,
        book,
        times_ns,
        np.concatenate([part.segments for part in parts]),
        states_before(transitions, times_ns),
        fall,
    )

"""A dataset of crashes: sessions behind one another as the rows of one market, labelled by their truth."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import numpy as np

from config.settings import Settings
from market.errors import Rejected
from orchestrator.research.crashes.sessions import Chosen, SessionRows, played_sessions
from orchestrator.research.datasets.book_rows import RecordedRows
from orchestrator.research.datasets.build import (
    DatasetPlan,
    GatheredRows,
    KnownLabels,
    gathered_rows,
    grown_files,
    market_header,
    new_folder,
)
from orchestrator.research.datasets.crash_labels import CrashTarget, crash_labels
from orchestrator.research.datasets.header import (
    HEADER_FILE,
    CrashHeader,
    FallHeader,
    Header,
    SamplingHeader,
    SessionHeader,
    SplitHeader,
    TargetHeader,
)
from orchestrator.research.datasets.labels import Classes
from orchestrator.research.datasets.parts import Part

_MARKET: Final = 0
FILE: Final = "generated sessions"


@dataclass(frozen=True, kw_only=True)
class CrashPlan:
    """What to build.

    Parameters
    ----------
    rows: sampling, reach and form; its shares are not used, and its horizon is that of the target.
    """

    rows: DatasetPlan
    target: CrashTarget
    sessions: tuple[Chosen, ...]

    def __post_init__(self) -> None:
        grid_ns, within_ns = self.rows.sampling.grid_ns, self.target.within_ns
        if not grid_ns or within_ns != self.rows.reach.horizon * grid_ns:
            raise Rejected(
                f"labels look {within_ns} ns ahead, rows are {grid_ns} ns apart and the horizon is "
                f"{self.rows.reach.horizon} of them: crashes need a grid, and a horizon of whole rows of it"
            )


def build_crash_dataset(plan: CrashPlan, settings: Settings, folder: Path, advance: Callable[[str], None]) -> Header:
    """Write a dataset of crashes; it takes its name when it is whole.

    Parameters
    ----------
    settings: which name the market, the detector and the shapes of crashes. folder: must not be there yet.
    advance: told each session that is done.

    Raises Rejected for an existing folder and for sessions without rows, Fatal for settings without the market.
    """
    with new_folder(folder) as part:
        gathered, known, sessions, split = _gather(plan, settings, part, advance)
        sampling = plan.rows.sampling
        header = Header(
            levels=sampling.levels,
            form=plan.rows.form,
            window=plan.rows.reach.window,
            horizon=plan.rows.reach.horizon,
            balanced=plan.rows.alpha is None,
            sampling=SamplingHeader(every=sampling.every, grid_ns=sampling.grid_ns, silence_ns=sampling.silence_ns),
            split=split,
            markets=(market_header(gathered, _MARKET, plan.rows, split, part, known),),
            crash=CrashHeader(
                target=TargetHeader(within_ns=plan.target.within_ns, until=plan.target.until), sessions=tuple(sessions)
            ),
        )
        (part / HEADER_FILE).write_text(header.text(), encoding="utf-8")
    return header


def _gather(
    plan: CrashPlan, settings: Settings, folder: Path, advance: Callable[[str], None]
) -> tuple[GatheredRows, KnownLabels, list[SessionHeader], SplitHeader]:
    files = grown_files(folder, _MARKET, plan.rows.sampling.levels)
    sessions: list[SessionHeader] = []
    labels: list[Classes] = []
    detector: list[Classes] = []
    begins: dict[Part, int] = {}
    source: RecordedRows | None = None
    segments = 0
    try:
        with TemporaryDirectory(prefix="tickwire-") as recordings:
            for recorded, rows in played_sessions(settings, plan.sessions, plan.rows.sampling, Path(recordings)):
                source = recorded
                for file, values in zip(files, (rows.book, rows.times_ns, rows.segments + segments), strict=True):
                    file.append(values)
                segments += int(rows.segments[-1])
                begins.setdefault(rows.chosen.part, int(rows.times_ns[0]))
                sessions.append(_session_header(rows, sum(session.rows for session in sessions)))
                labels.append(crash_labels(rows.times_ns, rows.fall, plan.target))
                detector.append(rows.detector)
                advance(f"{rows.chosen.kind} of seed {rows.chosen.seed}")
    finally:
        for file in files:
            file.close()
    if source is None:
        raise Rejected("a dataset of crashes needs sessions; the plan has none")
    # what it says of its market, all of them say
    market = gathered_rows(source, _MARKET, _MARKET, folder)
    split = SplitHeader(validation_ns=begins[Part.VALIDATION], test_ns=begins[Part.TEST])
    known = KnownLabels(np.concatenate(labels), np.concatenate(detector))
    return replace(market, file=FILE), known, sessions, split


def _session_header(rows: SessionRows, first: int) -> SessionHeader:
    fall = rows.fall
    return SessionHeader(
        kind=rows.chosen.kind,
        seed=rows.chosen.seed,
        part=rows.chosen.part.name.lower(),
        first=first,
        rows=len(rows.times_ns),
        fall=None if fall is None else FallHeader(begin_ns=fall.begin_ns, half_ns=fall.half_ns, end_ns=fall.end_ns),
    )

"""A dataset of crashes holds its sessions and their truth, and no row knows what its label is about."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from market.detector.states import State
from market.errors import Rejected
from orchestrator.cli.exits import ExitCode
from orchestrator.research.crashes.build import build_crash_dataset
from orchestrator.research.crashes.sessions import DAY_NS, chosen_sessions, states_before
from orchestrator.research.datasets.book_rows import Sampling
from orchestrator.research.datasets.crash_labels import Coming, CrashTarget, Until, crash_labels
from orchestrator.research.datasets.dataset import Dataset, open_dataset
from orchestrator.research.datasets.features import fit_normalisation
from orchestrator.research.datasets.header import HEADER_FILE, CrashHeader, Header, SessionHeader
from orchestrator.research.datasets.labels import NO_LABEL, double_mids
from orchestrator.research.datasets.parts import Part
from tests.orchestrator.cli.terminal import Terminal
from tests.orchestrator.research.crashes.small_crashes import (
    MARKET,
    POCKET,
    QUIET,
    SESSIONS,
    TARGET,
    S,
    crash_plan,
    short_sessions,
)


def truth(dataset: Dataset) -> CrashHeader:
    assert dataset.header.crash is not None
    return dataset.header.crash


def rows_of(dataset: Dataset, session: SessionHeader) -> slice:
    return slice(session.first, session.first + session.rows)


def test_sessions_follow_one_another_a_day_apart_as_one_market(crashes: Dataset) -> None:
    [market] = crashes.markets
    sessions = truth(crashes).sessions
    assert market.name == MARKET
    assert [(each.kind, each.seed) for each in sessions] == [(each.kind, each.seed) for each in SESSIONS]
    assert [each.part for each in sessions] == [each.part.name.lower() for each in SESSIONS]
    times, segments = np.asarray(market.times_ns), np.asarray(market.segments)
    for number, session in enumerate(sessions):
        rows = rows_of(crashes, session)
        # A book is written down every half minute; on a grid the rows go on behind it.
        assert session.rows > 230
        assert set(np.diff(times[rows])) == {S}
        assert set(segments[rows].tolist()) == {number + 1}
        assert times[rows][0] - times[0] == number * DAY_NS
        assert (session.fall is not None) == session.kind.is_crash


def test_labels_are_those_of_the_truth_and_the_rows(crashes: Dataset) -> None:
    [market] = crashes.markets
    labels = np.asarray(market.labels)
    for session in truth(crashes).sessions:
        rows = rows_of(crashes, session)
        times = np.asarray(market.times_ns)[rows]
        fall = None if session.fall is None else session.fall.fall
        assert np.array_equal(labels[rows], crash_labels(times, fall, TARGET))
        if fall is None:
            assert (labels[rows] == Coming.NONE).all()
            continue
        mids = double_mids(np.asarray(market.book)[rows])
        first = mids[times <= fall.begin_ns][-1]
        lowest = mids[(times > fall.begin_ns) & (times <= fall.end_ns)].min()
        assert (first - lowest) / first > 0.02
        coming = labels[rows] == Coming.CRASH
        assert coming[times <= fall.begin_ns].sum() == 20
        assert (mids[coming & (times > fall.begin_ns)] > (first + lowest) / 2).all()
    assert market.labels_by(0.5) is not None
    assert np.array_equal(market.labels_by(0.5), labels)


def test_no_row_of_a_sample_stands_behind_what_its_label_foretells(crashes: Dataset) -> None:
    [market] = crashes.markets
    times, labels, segments = (np.asarray(each) for each in (market.times_ns, market.labels, market.segments))
    parts = {part: market.samples(part) for part in (Part.TRAINING, Part.VALIDATION, Part.TEST)}
    for part, samples in parts.items():
        assert len(samples) == market.header.parts[part.name.lower()] > 50
        assert (labels[samples] != NO_LABEL).all()
        first, last = samples - 4, samples + 20
        # All of a sample is of one session, so no two parts share anything.
        assert (segments[first] == segments[samples]).all()
        assert (segments[last] == segments[samples]).all()
        assert {truth(crashes).sessions[number - 1].part for number in segments[samples]} == {part.name.lower()}
        for row in samples[labels[samples] == Coming.CRASH].tolist():
            fall = truth(crashes).sessions[segments[row] - 1].fall
            assert fall is not None
            assert times[row - 4 : row + 1].max() == times[row] < fall.half_ns
            assert fall.begin_ns < times[row] + TARGET.within_ns


def test_until_the_beginning_no_row_of_the_fall_has_a_label(crashes: Dataset) -> None:
    [market] = crashes.markets
    for session in truth(crashes).sessions:
        if session.fall is None:
            continue
        times = np.asarray(market.times_ns)[rows_of(crashes, session)]
        fall = session.fall.fall
        strict = crash_labels(times, fall, CrashTarget(TARGET.within_ns, Until.BEGIN))
        assert (times[strict == Coming.CRASH] <= fall.begin_ns).all()
        assert (strict[(times > fall.begin_ns) & (times < fall.end_ns)] == NO_LABEL).all()


def test_rows_of_crashes_and_of_other_parts_decide_nothing(crashes: Dataset) -> None:
    [market] = crashes.markets
    labels, times = np.asarray(market.labels), np.asarray(market.times_ns)
    decisive = np.flatnonzero((times < crashes.header.split.validation_ns) & (labels != NO_LABEL))
    other = np.asarray(market.book).copy()
    rest = np.setdiff1d(np.arange(len(other)), decisive)
    other[rest] += 1_000
    found = fit_normalisation(other, np.asarray(market.segments), decisive, market.form)
    assert (found.means, found.deviations) == (market.header.means, market.header.deviations)


def test_the_detector_sleeps_before_the_fall_and_wakes_in_it(crashes: Dataset) -> None:
    [market] = crashes.markets
    assert market.detector is not None
    for session in truth(crashes).sessions:
        rows = rows_of(crashes, session)
        active = np.asarray(market.times_ns)[rows][np.asarray(market.detector)[rows] == State.ACTIVE]
        if session.fall is None:
            assert not len(active)
        else:
            assert session.fall.begin_ns < active[0] < session.fall.end_ns


def test_a_state_counts_from_the_row_after_it() -> None:
    assert states_before([], np.array([5, 6])).tolist() == [State.SLEEP] * 2


def test_a_dataset_of_crashes_comes_back_and_refuses_what_is_not_its_own(crashes: Dataset, tmp_path: Path) -> None:
    assert Header.model_validate_json(crashes.header.text()) == crashes.header
    copy = tmp_path / "set"
    shutil.copytree(crashes.path, copy)
    assert open_dataset(copy).header == crashes.header
    np.save(copy / "market-0-detector.npy", np.zeros(3, dtype=np.int8))
    with pytest.raises(Rejected, match=r"market-0-detector.npy has changed.*digests.detector"):
        open_dataset(copy)
    header = json.loads((copy / HEADER_FILE).read_text())
    header["crash"]["sessions"][1]["first"] += 1
    (copy / HEADER_FILE).write_text(json.dumps(header))
    with pytest.raises(Rejected, match=r"crash.sessions.1.first is \d+: the sessions before end at \d+"):
        open_dataset(copy)
    header["crash"]["target"]["until"] = "late"
    (copy / HEADER_FILE).write_text(json.dumps(header))
    with pytest.raises(Rejected, match=r"header.json: crash.target.until: Input should be 'begin' or 'half'"):
        open_dataset(copy)


def test_plans_that_cannot_be_are_refused(tmp_path: Path) -> None:
    for sampling in (Sampling(levels=3), Sampling(levels=3, grid_ns=S // 2)):
        with pytest.raises(Rejected, match="a horizon of whole rows"):
            crash_plan(sampling=sampling)
    scenarios = short_sessions().scenarios
    for tuning, unseen, share in ((2, 1, 0.9), (4, 0, 0.5)):
        with pytest.raises(Rejected, match="each part needs at least one"):
            chosen_sessions(scenarios, tuning, unseen, share)
    with pytest.raises(Rejected, match=r"more than scenarios.sessions = 1000"):
        chosen_sessions(scenarios, 1_001, 1, 0.5)
    # A book of two hundred levels is seldom there.
    deep = crash_plan(Sampling(levels=1_000, grid_ns=S), SESSIONS[1:2])
    with pytest.raises(Rejected, match="the session quiet of seed 2 has no row with 1000 levels"):
        build_crash_dataset(deep, short_sessions(), tmp_path / "set", lambda session: None)
    assert not list(tmp_path.iterdir())


def test_seeds_to_fit_on_are_never_those_to_judge_on() -> None:
    scenarios = short_sessions().scenarios
    found = chosen_sessions(scenarios, 40, 30, 0.75)
    by_part = {part: [each.seed for each in found if each.part is part] for part in Part}
    assert by_part[Part.TRAINING] == list(range(1, 31))
    assert by_part[Part.VALIDATION] == list(range(31, 41))
    assert by_part[Part.TEST] == list(range(1_000_000, 1_000_030))
    assert sum(each.kind.is_crash for each in found[:20]) == 8
    two = chosen_sessions(scenarios, 4, 3, 0.75, (POCKET, QUIET))
    assert [each.kind for each in two] == [POCKET, QUIET, POCKET, QUIET, POCKET, QUIET, POCKET]


CRASH = ("dataset", "--profile", "flash-crash", "--label", "crash", "--out", "set")
WHOLE = ("--sessions", "2", "--unseen", "1", "--within-s", "2", "--grid-ms", "1000")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((*CRASH, *WHOLE, "--source", "binance-usdm=f.gz"), "which no recording says"),
        (CRASH, "--label crash needs --sessions, --unseen, --within-s, --grid-ms"),
        ((*CRASH, *WHOLE, "--within-s", "2.5"), "--within-s 2.5 is no multiple of --grid-ms 1000"),
        ((*CRASH, *WHOLE, "--profile", "demo"), "strategies.flash_crash.markets names 0 markets"),
        (("dataset", "--out", "set"), "--source NAME=FILE, or --label crash and --sessions"),
        (("dataset", "--source", "binance-usdm=f.gz", "--within-s", "2", "--out", "set"), "--within-s are of --label"),
    ],
)
def test_words_that_do_not_go_together_are_refused(terminal: Terminal, words: tuple[str, ...], message: str) -> None:
    ended = terminal.run(*words)
    assert ended.code == ExitCode.USAGE
    assert message in " ".join(ended.err.split())

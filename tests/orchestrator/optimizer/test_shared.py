"""Recordings that were decoded once: every run over them is the run over the recordings themselves."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest

from market.errors import MissingInput
from orchestrator.backtest.run import run_backtest
from orchestrator.optimizer.shared import SharedPlan, share
from tests.orchestrator.optimizer.market import plan_of


def test_a_run_over_shared_recordings_is_the_same_to_the_last_byte(usdm: Path, shared: SharedPlan) -> None:
    plain = run_backtest(plan_of(usdm))
    assert sum(len(order.fills) for order in plain.summary.orders) > 5
    sent = pickle.loads(pickle.dumps(shared))
    assert run_backtest(sent.open(sent.plan.settings)).run_hash == plain.run_hash


def test_what_is_sent_to_a_worker_is_small_and_what_it_opens_is_mapped(shared: SharedPlan) -> None:
    assert len(pickle.dumps(shared)) < 100_000
    tape = shared.open(shared.plan.settings).tape
    assert isinstance(tape.rows, np.memmap)
    assert tape.rows.flags.c_contiguous


def test_a_folder_that_is_gone_or_of_another_search_is_named(usdm: Path, tmp_path: Path) -> None:
    shared = share(plan_of(usdm), tmp_path / "decoded", "one")
    share(plan_of(usdm), tmp_path / "decoded", "two")
    with pytest.raises(MissingInput, match="another search"):
        shared.open(shared.plan.settings)
    gone = SharedPlan(tmp_path / "nowhere", "one", shared.plan)
    with pytest.raises(MissingInput, match="nowhere"):
        gone.open(shared.plan.settings)


def test_a_folder_that_cannot_be_written_is_named(usdm: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(MissingInput, match="file/decoded"):
        share(plan_of(usdm), tmp_path / "file" / "decoded", "one")

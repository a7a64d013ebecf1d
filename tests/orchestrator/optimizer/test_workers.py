"""Who runs trials: processes of this machine, a Dask cluster, and what is said when there is none."""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
from collections.abc import Callable
from concurrent.futures import wait
from pathlib import Path

import pytest

from market.errors import Fatal, MissingExtra, Retry
from orchestrator.cli.entry import main
from orchestrator.optimizer import workers as module
from orchestrator.optimizer.folds import Grid
from orchestrator.optimizer.trial import Job, Looks, run_trial
from orchestrator.optimizer.workers import open_workers
from tests.orchestrator.optimizer.invented import settings_of
from tests.orchestrator.optimizer.market import PROFILE

PATIENCE_S = 300


def test_one_worker_is_this_process(job: Callable[[int, Looks], Job], no_looks: Looks) -> None:
    with open_workers(settings_of(workers=1)) as workers:
        assert workers.at_once == workers.count == 1
        assert workers.executor.submit(os.getpid).result() == os.getpid()


def test_processes_run_the_same_trial_and_end_with_an_error(
    job: Callable[[int, Looks], Job], no_looks: Looks, grid: Grid
) -> None:
    trial = job(grid.count // 3, no_looks)
    with pytest.raises(ZeroDivisionError), open_workers(settings_of(workers=2)) as workers:  # noqa: PT012
        assert (workers.count, workers.at_once) == (2, 3)
        found = workers.executor.submit(run_trial, trial).result(timeout=PATIENCE_S).series
        here = run_trial(trial).series
        assert found is not None
        assert here is not None
        assert found.changes.tolist() == here.changes.tolist()
        # One that would never end by itself is given up with the others.
        endless = workers.executor.submit(_endless)
        wait([endless], timeout=0)
        raise ZeroDivisionError


def _endless() -> None:
    while True:
        pass


@pytest.mark.long
def test_a_cluster_of_two_workers_finds_what_one_process_does(
    usdm: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from distributed import LocalCluster

    monkeypatch.chdir(tmp_path)
    (tmp_path / "maker.toml").write_text(PROFILE, encoding="utf-8")
    words = ["optimize", "--profile", "maker.toml", "--source", f"binance-usdm={usdm}", "--search", "random", "--json"]
    words += ["--trials", "3"]
    with LocalCluster(  # type: ignore[no-untyped-call]
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, host="127.0.0.1"
    ) as cluster:
        with open_workers(settings_of(cluster=cluster.scheduler_address)) as workers:
            assert (workers.count, workers.at_once) == (2, 3)
            assert workers.executor.submit(os.getpid).result(timeout=PATIENCE_S) != os.getpid()
        far = main([*words, "--out", "far", "--cluster", cluster.scheduler_address])
        there = json.loads(capsys.readouterr().out)
    near = main([*words, "--out", "near", "--workers", "1"])
    here = json.loads(capsys.readouterr().out)
    assert {**there, "seconds": 0} == {**here, "seconds": 0}
    assert far == near
    assert len(there["best"]["trials"]) == 3


def test_a_cluster_of_another_version_is_named() -> None:
    with pytest.raises(Retry, match=r"worker tcp://b has Tickwire '0\.0'"):
        module.check_versions("tcp://a", {"tcp://b": "0.0"})


@pytest.mark.long
def test_a_process_that_is_killed_ends_the_search_with_advice() -> None:
    with pytest.raises(Fatal, match=r"lower optimizer\.workers"), open_workers(settings_of(workers=2)) as workers:
        workers.executor.submit(_killed).result(timeout=PATIENCE_S)


def _killed() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def test_a_cluster_that_does_not_answer_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CONNECT_S", 1)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    address = f"tcp://127.0.0.1:{port}"
    with pytest.raises(Retry, match=address), open_workers(settings_of(cluster=address)):
        pytest.fail("nobody answers there")


def test_without_dask_the_package_to_install_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(MissingExtra, match="tune"), open_workers(settings_of(cluster="tcp://127.0.0.1:1")):
        pytest.fail("there is no Dask")

"""A live run with a model: predictions come from their thread, and its tape gives the same run without the thread."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import pytest

pytest.importorskip("onnxruntime")

from config.loading import load_settings
from orchestrator.live.result import run_result
from orchestrator.live.taped import play
from orchestrator.predicting.answers import ComputedPredictions, ThreadPredictions, live_predictions
from orchestrator.tape.calls import Noted
from orchestrator.tape.file import read_tape
from tests.orchestrator.live.exchange_world import exchange_world
from tests.orchestrator.live.test_live_run import run_with_dislocation
from tests.orchestrator.predicting.watched_market import watching
from tests.orchestrator.research.models.small_model import GRID_MODEL

EXTRA = f"""
[models.watching.small]
folder = "{GRID_MODEL}"
instrument = "BTC"
venue = "binance-spot"
mode = "filter"
filter_above = 0.999
drift_rows = 1_000_000
"""


def test_a_live_run_with_a_model_and_its_tape_decide_alike(tmp_path: Path) -> None:
    tape = tmp_path / "run.tape"
    with exchange_world(tmp_path) as world:
        session, live = run_with_dislocation(world, "ccxt-websocket", tape, EXTRA)
    said = run_result(session, live)["models"]["small"]
    _, calls = read_tape(tape)
    answers = [call for call in calls if isinstance(call, Noted) and call.name == "prediction"]
    assert said["mode"] == "filter"
    assert len(answers) == said["predictions"] + said["late"]
    played, _, _ = play(tape)
    assert played.decision_hash == live.decision_hash
    assert played.orders == live.orders
    assert played.counts == live.counts
    assert len(live.orders) == 2


def test_there_is_no_thread_where_no_model_watches() -> None:
    with ExitStack() as stack:
        assert isinstance(live_predictions(load_settings("demo", environment={}), stack), ComputedPredictions)
        assert isinstance(live_predictions(watching(), stack), ThreadPredictions)

"""``tickwire diff`` on runs on paper and on a live run against the simulated exchange."""

from __future__ import annotations

import csv
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pyarrow.parquet as pq
import pytest

from config.backtest import Queue
from config.loading import load_settings
from config.settings import Settings
from config.venues import VenueName
from market.orders.events import Filled
from market.orders.reports import OrderUpdate
from orchestrator.cli.entry import main
from orchestrator.cli.exits import ExitCode
from orchestrator.diff.result import compare_runs, differing
from orchestrator.diff.run import LiveRun, plan_again, read_live, run_again
from orchestrator.replay.plan import SourceFile
from orchestrator.tape.calls import Reports
from orchestrator.tape.file import TapeWriter, read_tape
from sim.generator.recording import write_recordings
from sim.generator.settings import SECOND_NS, Coin, GeneratorSettings
from tests.orchestrator.backtest.market import PROFILE
from tests.orchestrator.diff.event_paper import PaperRun, paper_run
from tests.orchestrator.live.exchange_world import exchange_world
from tests.orchestrator.live.test_live_run import run_with_dislocation

NO_BUS = "[bus]\nenabled = false\n"


@pytest.fixture(scope="module")
def paper(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, PaperRun]:
    """Market making on paper over a generated market, and its tape."""
    folder = tmp_path_factory.mktemp("paper")
    (folder / "maker.toml").write_text(PROFILE + NO_BUS, encoding="utf-8")
    settings: Settings = load_settings(folder / "maker.toml", local=None, environment={})
    market = GeneratorSettings(coins=(Coin.BTC,), duration_ns=8 * SECOND_NS)
    files = [file for file in write_recordings(market, 11, folder) if file.venue is VenueName.BINANCE_USDM]
    sources = [SourceFile(file.venue, file.path) for file in files]
    return folder / "run.tape", paper_run(settings, sources, folder / "run.tape")


@pytest.fixture(scope="module")
def played(paper: tuple[Path, PaperRun]) -> LiveRun:
    """The run on paper, played again."""
    return read_live(paper[0])


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tape of a live run in which a dislocation was taken."""
    folder = tmp_path_factory.mktemp("live")
    with exchange_world(folder) as world:
        run_with_dislocation(world, "ccxt-websocket", folder / "run.tape")
    return folder / "run.tape"


def diffed(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, dict[str, Any]]:
    code = main(["diff", *words, "--json"])
    captured = capsys.readouterr()
    assert captured.out, captured.err
    return code, json.loads(captured.out)


def check_bridge(result: dict[str, Any]) -> None:
    """The steps lead from the backtest's gain to the run's, exactly."""
    for steps in result["bridge"].values():
        first, *between, last = (Decimal(step["amount"]) for step in steps)
        assert first + sum(between) == last


def test_a_run_on_paper_is_explained_whole(
    paper: tuple[Path, PaperRun], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tape, run = paper
    code, result = diffed(capsys, str(tape), "--out", str(tmp_path / "out"))
    assert code == ExitCode.DONE
    assert result["mode"] == "paper"
    assert result["orders"] == len(run.journal.intents) > 3
    assert result["fills"] == sum(len(order.fills) for order in run.journal.orders().values()) > 0
    assert result["unexplained"] == []
    check_bridge(result)
    with (tmp_path / "out/differences.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert sum(each["orders"] for each in result["differences"]) == len(rows)
    assert sum(row["order"] != "" for row in rows) == result["orders"]
    assert sum(row["backtest_order"] != "" for row in rows) == result["backtest_orders"]
    assert pq.read_table(tmp_path / "out/differences.parquet").num_rows == len(rows)
    assert all(row["cause"] for row in rows if row["category"] != "same decision, same fills")
    assert json.loads((tmp_path / "out/result.json").read_text(encoding="utf-8")) == result


def test_a_backtest_that_is_further_away_differs_by_its_latency(played: LiveRun) -> None:
    backtest = played.settings.backtest.model_copy(update={"entry_us": 60_000, "response_us": 60_000})
    far = played.settings.model_copy(update={"backtest": backtest})
    found = compare_runs(played, run_again(played, plan_again(played, far)), tolerance_ms=100)
    assert not found.unexplained
    assert "latency" in {each.root_cause.value for each in found.compared}


def test_a_setting_that_differs_is_named(played: LiveRun) -> None:
    making = played.settings.strategies.market_making
    assert making is not None
    wider = making.model_copy(update={"spread": 5 * making.spread})
    strategies = played.settings.strategies.model_copy(update={"market_making": wider})
    other = played.settings.model_copy(update={"strategies": strategies})
    assert differing(played.settings, other) == ["strategies"]
    found = compare_runs(played, run_again(played, plan_again(played, other)), tolerance_ms=100)
    assert not found.unexplained
    first = next(each for each in found.compared if each.explanation.cause)
    assert first.explanation.cause.value == "settings"


@pytest.mark.parametrize("queue", [Queue.POWER, Queue.LOG_2])
def test_the_money_of_every_queue_model_adds_up_to_the_count(played: LiveRun, queue: Queue) -> None:
    backtest = played.settings.backtest.model_copy(update={"queue": queue})
    again = run_again(played, plan_again(played, played.settings.model_copy(update={"backtest": backtest})))
    found = compare_runs(played, again, tolerance_ms=100)
    moved = sum(each.money for each in found.compared)
    assert sum(found.gains.values()) - sum(found.backtest_gains.values()) == moved


def test_a_live_run_is_explained_whole(live: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, result = diffed(capsys, str(live))
    assert code == ExitCode.DONE
    assert (result["mode"], result["orders"], result["fills"]) == ("live", 2, 2)
    assert result["unexplained"] == []
    check_bridge(result)


def test_what_the_market_data_cannot_explain_is_listed_and_ends_with_1(
    live: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The venue reports prices that the recorded book never showed."""
    head, calls = read_tape(live)
    with TapeWriter(tmp_path / "odd.tape") as writer:
        writer.write(head)
        for call in calls:
            if isinstance(call, Reports):
                call = msgspec.structs.replace(call, reports=tuple(map(_cheaper, call.reports)))
            writer.write(call)
    code, result = diffed(capsys, str(tmp_path / "odd.tape"))
    assert code == ExitCode.CHECK_FAILED
    assert result["unexplained"]
    assert "never showed" in result["unexplained"][0]["detail"]
    check_bridge(result)


def _cheaper(report: object) -> object:
    if isinstance(report, OrderUpdate) and isinstance(report.event, Filled):
        fill = report.event.fill
        return msgspec.structs.replace(report, event=Filled(fill=msgspec.structs.replace(fill, price=fill.price // 2)))
    return report


def test_a_tape_that_was_cut_off_is_compared_as_far_as_it_goes(
    live: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    head, calls = read_tape(live)
    every = list(calls)
    with TapeWriter(tmp_path / "cut.tape") as writer:
        writer.write(head)
        for call in every[: -len(every) // 10]:
            writer.write(call)
    _, result = diffed(capsys, str(tmp_path / "cut.tape"))
    assert result["was_cut"] is True
    check_bridge(result)


@pytest.mark.parametrize("content", [b"", b"no tape at all"])
def test_what_is_no_tape_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes) -> None:
    (tmp_path / "run.tape").write_bytes(content)
    assert main(["diff", str(tmp_path / "run.tape"), "--out", str(tmp_path / "out")]) == ExitCode.INPUT
    assert "run.tape" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()

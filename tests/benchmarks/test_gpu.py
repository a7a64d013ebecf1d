"""``python -m benchmarks.gpu`` at a small size, its kernels run thread by thread: grid, parts, files, exit codes."""

from __future__ import annotations

import gzip
import hashlib
import itertools
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.gpu import __main__ as program
from benchmarks.gpu.__main__ import CHECK_FAILED, DONE, MISSING, USAGE, Bench, Options, main, measure, options_of
from benchmarks.gpu.generated import GeneratedTrades
from benchmarks.gpu.generated_models import lively_network
from benchmarks.gpu.graph_runs import measure_graphs
from benchmarks.gpu.grid_file import GRID, read_grid
from benchmarks.gpu.live_runs import LATENCY_US, RUNS, Run
from benchmarks.gpu.model_runs import LEAST_RATIO, WINDOWS_PER_S, measure_models, peer_of
from benchmarks.gpu.outcome import Figure, Outcome, driver_version
from benchmarks.gpu.timing import Deadline
from benchmarks.gpu.vpin_runs import MOST_ROWS, GridPlan, require_equal, run_grid
from gpu.classification import Bulk, Rule, TimeBars
from gpu.columns import Trades
from gpu.cuda_on_cpu.graph import CpuGraph, CpuRecorder
from gpu.cuda_on_cpu.module import CpuModule
from gpu.grid_cuda import GridKernels, on_device
from gpu.kernel import KernelSource, LaunchShape
from gpu.live_model import HostMemory, LiveModel
from gpu.models.architecture import DeepLob, Lstm, Transformer
from gpu.models.reference import stretch_logits
from gpu.models.weights import Model
from gpu.models_cuda import Precision
from gpu.vpin_grid import VpinGrid, vpin_grid
from market.errors import Fatal
from market.signals.layout import SECOND_NS
from tests.gpu.small_device import SmallDevice

SMALL = VpinGrid(
    classifiers=(Rule.FLAG, Rule.TICK, Bulk(bars=TimeBars(10 * SECOND_NS))),
    bucket_lots=(20_000, 50_000),
    windows=(3, 10),
    top_parts=(0.1, 0.2),
    horizon_ns=20 * SECOND_NS,
)
TRADES = 12_000
SMALL_RUN = Run(Lstm(features=3, layers=1, hidden=4, window=5), rows=20)
SMALL_TRANSFORMER = Transformer(features=8, width=16, heads=2, blocks=1, expanded=16, window=7)
SMALL_MODEL = DeepLob(levels=2, filters=2, inception=3, hidden=16, window=27)


def live_on_runner(model: Model) -> LiveModel:
    """A model that stays, on the CPU's runner."""
    return LiveModel(model, CpuModule, np, HostMemory())


def passing(limit_s: float) -> dict[str, Any]:
    """A test run in which all was well."""
    return {"command": "pytest", "exit_code": 0, "said": "1 passed"}


Step = Callable[[Outcome], None]


def measured(name: str, value: float = 1.0, target: float | None = None) -> Step:
    """A part of a run that gives one figure."""
    return lambda outcome: outcome.add(Figure(name, value, "", target=target))


def raising(failure: BaseException) -> Step:
    """A part of a run that fails."""

    def fail(outcome: Outcome) -> None:
        raise failure

    return fail


@dataclass(frozen=True)
class Steps(Bench):
    """Measures what a test says, without kernels."""

    steps: tuple[Step, ...] = ()

    def parts(self, outcome: Outcome, *others: object) -> Iterator[Callable[[], None]]:
        """One after another."""
        return (partial(step, outcome) for step in self.steps)


def run(
    out: Path,
    tests: Callable[[float], dict[str, Any]] = passing,
    steps: tuple[Step, ...] = (),
    say: Callable[[str], None] = lambda text: None,
    **changed: Any,
) -> tuple[int, dict[str, Any]]:
    """A run on the CPU's runner, or of these steps; its exit code and result file."""
    words: dict[str, Any] = {
        "trades": TRADES,
        "grid": GRID,
        "out": out,
        "minutes": 20.0,
        "commit": "abc",
        "skip_tests": False,
        "only_look": False,
    }
    outcome = Outcome("the command", {"name": "the runner"}, "abc", say=say)
    options = Options(**(words | changed))
    bench = Bench(
        CpuModule, np, live_on_runner, CpuRecorder, 5_000, SMALL_MODEL, {"small": SMALL_RUN}, (2,), 1, SMALL_TRANSFORMER
    )
    if steps:
        bench = Steps(CpuModule, np, live_on_runner, CpuRecorder, steps=steps)
    code = measure(outcome, options, SMALL, bench, tests)
    return code, json.loads((out / "result.json").read_text())


def test_the_committed_grid_has_sixteen_thousand_sets() -> None:
    grid = read_grid()
    assert len(grid) == 16_000
    assert len(grid.classifiers) == 8


@pytest.mark.parametrize("cuts", [(0, 1, 400, 1_000), (0, 999, 1_000)])
def test_generated_trades_do_not_depend_on_the_parts(cuts: tuple[int, ...]) -> None:
    whole, parts = GeneratedTrades(np).part(0, 1_000), GeneratedTrades(np)
    made = []
    for start, end in itertools.pairwise(cuts):
        made.append(parts.part(start, end))
        parts.took(made[-1])
    for name in ("times_ns", "prices", "quantities", "sides"):
        np.testing.assert_array_equal(np.concatenate([getattr(one, name) for one in made]), getattr(whole, name))


def test_generated_trades_are_possible_ones_of_many_sizes() -> None:
    made = GeneratedTrades(np).part(0, 50_000)
    trades = Trades(times_ns=made.times_ns, prices=made.prices, quantities=made.quantities, aggressors=made.sides)
    assert abs(trades.quantities.mean() / GeneratedTrades(np).mean_lots - 1) < 0.1
    assert len(np.unique(trades.quantities)) > 100
    assert 0.45 < (made.sides == 1).mean() < 0.55
    assert 15 < len(trades) / (np.ptp(trades.times_ns) / 1e9) < 19


def test_a_run_writes_every_sets_result_and_where_the_figures_come_from(tmp_path: Path) -> None:
    code, result = run(tmp_path)
    assert code == DONE
    assert (result["command"], result["commit"], result["device"]["name"]) == ("the command", "abc", "the runner")
    assert result["tests"]["said"] == "1 passed"
    names = {figure["name"]: figure for figure in result["figures"]}
    measured = {"copy bandwidth", "VPIN scan", "VPIN scan, share of the copy bandwidth", "VPIN grid", "sweep"}
    windows = {f"windows by a model, {precision}" for precision in ("float32", "bfloat16")}
    parts = {f"{name}, {part} part" for name in windows for part in ("row", "recurrent")}
    transformer = {f"windows by a transformer, {precision}" for precision in Precision}
    parts |= transformer | {f"{name}, {part}" for name in transformer for part in ("row part", "last layer")}
    batches = {f"batch of 2 windows, {precision}{how}" for precision in Precision for how in ("", ", replayed")}
    assert measured | windows | parts | batches | {"live small, p99", "live small, whole call, median"} <= set(names)
    assert names["live small, p99"]["value"] < names["live small, whole call, p99"]["value"]
    assert all(figure["value"] > 0 for figure in names.values())
    assert (names["VPIN grid"]["target"], names["VPIN grid"]["lower_is_better"]) == (30.0, True)
    text = gzip.decompress((tmp_path / result["grid"]["file"]).read_bytes())
    assert hashlib.sha256(text).hexdigest() == result["grid"]["sha256"]
    header, *rows = text.decode().splitlines()
    assert len(rows) == len(SMALL) == result["grid"]["sets"]
    assert header.split(",")[:4] == ["classifier", "bucket_lots", "window", "top_part"]
    made = GeneratedTrades(np).part(0, TRADES)
    trades = Trades(times_ns=made.times_ns, prices=made.prices, quantities=made.quantities, aggressors=made.sides)
    columns = vpin_grid(trades, SMALL, backend="cpu").columns()
    place = header.split(",").index("threshold")
    assert [float(row.split(",")[place]) for row in rows] == columns["threshold"].tolist()
    assert not list(tmp_path.glob("*.part"))


def test_targets_are_those_of_the_paths_that_can_meet_them(tmp_path: Path) -> None:
    targets = {figure["name"]: figure["target"] for figure in run(tmp_path, skip_tests=True)[1]["figures"]}
    assert targets["windows by a model, bfloat16"] == WINDOWS_PER_S / 1e6 == 20.0
    assert targets["windows by a model, float32"] is None
    assert targets["windows by a transformer, bfloat16"] is None
    assert targets["live small, p99"] == LATENCY_US == 10.0
    assert targets["live small, whole call, p99"] is None
    assert {name for name, each in RUNS.items() if each.target_us is not None} == {"DeepLOB", "LSTM_A's shape"}
    assert LEAST_RATIO == 20.0


@pytest.mark.parametrize(("precision", "most"), [("float32", "1e-05"), ("bfloat16", "0.05")])
def test_a_model_that_is_far_off_is_not_timed(precision: str, most: str) -> None:
    class Wrong(CpuModule):
        def launch(self, kernel: str, shape: LaunchShape, arguments: Sequence[Any]) -> None:
            """As asked for, and a number too many in the last layer's."""
            super().launch(kernel, shape, arguments)
            if kernel == {"float32": "product", "bfloat16": "product_bfloat16"}[precision]:
                arguments[3][...] += np.float32(0.2)

    outcome = Outcome("the command", {}, "abc", say=lambda text: None)
    with pytest.raises(Fatal, match=rf"in {precision} are off by [\d.]+, more than {most}: they were not timed"):
        measure_models(outcome, Wrong, np, 10, SMALL_MODEL)
    assert not [figure for figure in outcome.figures if precision in figure.name]


def test_a_batch_that_differs_when_replayed_is_not_timed() -> None:
    class Forgetful(CpuRecorder):
        def record(self, work: Callable[[], object]) -> CpuGraph:
            """All launches but the last."""
            return CpuGraph(super().record(work).launches[:-1])

    outcome = Outcome("the command", {}, "abc", say=lambda text: None)
    with pytest.raises(Fatal, match="logits of 2 windows in float32 differ when replayed: they were not timed"):
        measure_graphs(outcome, CpuModule, np, Forgetful, SMALL_MODEL, (2,), 1)
    assert not outcome.figures


@pytest.mark.long
def test_pytorchs_windows_are_measured_beside_ours() -> None:
    torch = pytest.importorskip("torch")
    outcome = Outcome("the command", {}, "abc", say=lambda text: None)
    network = lively_network(torch, SMALL_MODEL, 1)
    rows = np.random.default_rng(3).standard_normal((90, SMALL_MODEL.features)).astype(np.float32)
    expected = stretch_logits(network.model(), rows)
    peers = [peer_of(outcome, torch, network, precision, rows, expected, "cpu") for precision in Precision]
    assert peers[0] is not None
    assert peers[1] is not None
    assert peers[0].error < 1e-5 < peers[1].error < 0.05


def test_the_same_grid_gives_the_same_file(tmp_path: Path) -> None:
    assert run(tmp_path / "a")[1]["grid"]["sha256"] == run(tmp_path / "b", skip_tests=True)[1]["grid"]["sha256"]
    assert (tmp_path / "a/grid.csv.gz").read_bytes() == (tmp_path / "b/grid.csv.gz").read_bytes()


def test_nothing_is_measured_after_a_test_that_failed(tmp_path: Path) -> None:
    code, result = run(tmp_path, lambda limit_s: {"exit_code": 1, "said": "1 failed", "output": "assert 1 == 2"})
    assert code == CHECK_FAILED
    assert result["failed"] == ["a test on the GPU failed: nothing was measured"]
    assert result["tests"]["output"] == "assert 1 == 2"
    assert result["figures"] == []


def test_tests_that_are_not_done_in_time_are_said_and_figures_are_taken(tmp_path: Path) -> None:
    late = {"exit_code": 124, "said": "not done after 240 s"}
    code, result = run(tmp_path, lambda limit_s: late, (measured("copy"),))
    assert code == CHECK_FAILED
    assert result["failed"] == ["the tests on the GPU were not done after 240 s: figures are of what they had not seen"]
    assert [figure["name"] for figure in result["figures"]] == ["copy"]


def test_a_result_that_is_not_the_cpus_is_not_timed() -> None:
    kernels = on_device(CpuModule, np)

    class Wrong(GridKernels):
        def means(self, imbalances: Any, bucket_lots: int, window: int) -> Any:
            """VPIN, but for one bucket."""
            vpin = kernels.means(imbalances, bucket_lots, window)
            vpin[-1] = 1.0
            return vpin

    wrong = Wrong(CpuModule(KernelSource.named("vpin")), CpuModule(KernelSource.named("vpin_grid")), np)
    with pytest.raises(Fatal, match=r"of set \d+ differs from the CPU's: nothing was timed"):
        require_equal(wrong, SMALL, TRADES)


def test_trades_are_split_so_that_a_part_and_what_is_kept_fit() -> None:
    grid = read_grid()
    large = GridPlan.of(SmallDevice(1, free_bytes=80 << 30), grid, 3_000_000_000, 109.0)
    assert 0 < large.kept_bytes < 40 << 30
    assert 10_000_000 < large.rows_at_once <= MOST_ROWS
    small = GridPlan.of(SmallDevice(1, free_bytes=40 << 30), grid, 3_000_000_000, 109.0)
    assert small.rows_at_once < large.rows_at_once
    with pytest.raises(Fatal, match="take fewer --trades"):
        GridPlan.of(SmallDevice(1, free_bytes=8 << 30), grid, 3_000_000_000, 109.0)
    assert GridPlan.of(SmallDevice(1, free_bytes=8 << 30), grid, 1_000_000, 109.0).rows_at_once == 1_000_000


def test_parts_do_not_change_what_a_grid_finds() -> None:
    kernels = on_device(CpuModule, np)
    found = [run_grid(kernels, SMALL, GridPlan(TRADES, rows, 0), Deadline(60.0)) for rows in (TRADES, 2_500)]
    assert found[0].result.rows == found[1].result.rows
    assert found[0].seconds > 0


def test_a_run_without_time_ends_and_says_so() -> None:
    with pytest.raises(Fatal, match="no time was left for the grid's trades: give --minutes more"):
        run_grid(on_device(CpuModule, np), SMALL, GridPlan(TRADES, 5_000, 0), Deadline(0.0))


def test_without_a_gpu_it_says_so_and_ends_with_4(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("TICKWIRE_GPU", "0")
    for arguments in ([], ["--only-look"]):
        assert main(["--out", str(tmp_path / "out"), *arguments]) == MISSING
        said = capsys.readouterr().err
        assert said.startswith("nothing was measured: the GPU is turned off by TICKWIRE_GPU=0; it takes an NVIDIA GPU")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "no such file"),
        ("{", "is no JSON"),
        ("[]", "has list"),
        ('{"rules": []}', "has rules"),
        (GRID.read_text().replace('"flag"', '"guess"'), "'guess' is not a valid Rule"),
        (GRID.read_text().replace("0.005", "1.5"), "top_parts has 1.5"),
    ],
)
def test_a_grid_file_that_is_none_is_refused(
    content: str | None, says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "grid.json"
    if content is not None:
        path.write_text(content)
    assert main(["--grid", str(path)]) == USAGE
    assert says in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["--trades", "0"], ["--minutes", "0"], ["--minutes", "61"], ["--trades", "x"]])
def test_impossible_arguments_end_with_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        options_of(arguments)
    assert ended.value.code == USAGE
    assert "--trades" in capsys.readouterr().err


def test_a_figure_knows_whether_its_target_is_met() -> None:
    assert Figure("share", 0.72, "", target=0.7).met
    assert not Figure("time", 31.0, "s", target=30.0, lower_is_better=True).met
    assert Figure("alone", 1.0, "s").met is None
    assert "missed, aimed at 30" in str(Figure("time", 31.0, "s", target=30.0, lower_is_better=True))


@pytest.mark.parametrize(
    ("failure", "said"),
    [
        (Fatal("the model's logits differ"), "the model's logits differ"),
        (RuntimeError("cudaErrorLaunchTimeout"), "RuntimeError: cudaErrorLaunchTimeout"),
    ],
)
def test_a_part_that_fails_is_named_and_the_others_are_measured(failure: Exception, said: str, tmp_path: Path) -> None:
    code, result = run(tmp_path, steps=(measured("first"), raising(failure), measured("last")))
    assert code == CHECK_FAILED
    assert result["failed"] == [said]
    assert ("traceback" in result) == (not isinstance(failure, Fatal))
    assert [figure["name"] for figure in result["figures"]] == ["first", "last"]
    assert result["finished"]


def test_what_was_measured_before_a_run_is_killed_stays(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, steps=(measured("first"), raising(KeyboardInterrupt())))
    result = json.loads((tmp_path / "result.json").read_text())
    assert not result["finished"]
    assert [figure["name"] for figure in result["figures"]] == ["first"]


def test_what_misses_its_target_is_said_at_the_end_and_in_the_file(tmp_path: Path) -> None:
    said = list[str]()
    steps = (measured("one share", 0.69, 0.7), measured("other share", 0.71, 0.7), measured("no share", 0.1))
    code, result = run(tmp_path, steps=steps, say=said.append)
    assert code == DONE
    assert result["missed"] == ["one share: 0.69   (missed, aimed at 0.7)"]
    assert [line for line in said if line.startswith("missed")] == ["missed: one share: 0.69   (missed, aimed at 0.7)"]


def test_figures_of_no_commit_are_not_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(program, "require_gpu", lambda: None)
    for commit in (lambda: "", _without_git):
        monkeypatch.setattr(program, "commit", commit)
        assert main(["--out", str(tmp_path / "out")]) == USAGE
        assert "say what is measured with --commit" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def _without_git() -> str:
    raise FileNotFoundError("git")


def test_the_driver_is_what_the_kernel_module_or_the_tool_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stated = tmp_path / "version"
    stated.write_text("NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.95.05  Release Build\nGCC 13.3.0\n")
    assert driver_version(stated) == "580.95.05"
    tool = tmp_path / "nvidia-smi"
    tool.write_text("#!/bin/sh\necho 570.1.2\necho 570.1.2\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert driver_version(tmp_path / "absent") == "570.1.2"
    tool.unlink()
    assert driver_version(tmp_path / "absent") == ""

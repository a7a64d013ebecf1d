"""``python -m benchmarks.gpu``: the GPU's tests, then its measurements, into one result file, in under nine minutes.

Ends with 0, with 1 when a test fails or a result is wrong, 2 for impossible arguments, 4 without a GPU.
"""

from __future__ import annotations

import argparse
import faulthandler
import os
import shlex
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from benchmarks.gpu.graph_runs import BATCHES, measure_graphs
from benchmarks.gpu.grid_file import GRID, read_grid
from benchmarks.gpu.live_runs import RUNS, Run, measure_live
from benchmarks.gpu.model_runs import measure_models
from benchmarks.gpu.outcome import Outcome, device_of
from benchmarks.gpu.sweep_run import measure_sweep
from benchmarks.gpu.timing import Deadline
from benchmarks.gpu.vpin_runs import measure_grid, measure_scan
from benchmarks.harness import RESULTS, ROOT, commit
from gpu.cupy_graph import CupyRecorder
from gpu.cupy_module import CupyModule
from gpu.device import missing_gpu, require_gpu
from gpu.grid_cuda import on_device
from gpu.grid_scan import BYTES_PER_ROW
from gpu.kernel import KernelModule, KernelSource
from gpu.launch_graph import GraphRecorder
from gpu.live_model import LiveModel, live_on_gpu
from gpu.memory import release, rows_that_fit
from gpu.models.architecture import PUBLIC_DEEPLOB, TRANSFORMER, DeepLob, Transformer
from gpu.models.weights import Model
from gpu.sweep_tools import SweepKernels
from gpu.sweep_tools import source as sweep_source
from gpu.vpin_grid import VpinGrid
from market.errors import Fatal, MissingExtra, MissingInput, Rejected

DONE: Final = 0
CHECK_FAILED: Final = 1
USAGE: Final = 2
MISSING: Final = 4
_MOST_MINUTES: Final = 8.9
_TESTS_S: Final = 240.0
_NOT_DONE: Final = 124
"""Exit code of tests that took too long."""
_GRACE_S: Final = 6.0
"""After the minutes that a run may take: a kernel that hangs would hold it for ever."""
_TAKES: Final = "it takes an NVIDIA GPU, its driver, and what make bench-gpu installs"
_SCANNED: Final = 1_000_000_000


@dataclass(frozen=True)
class Options:
    """What a run was asked for; the fields are those of ``--help``."""

    trades: int
    grid: Path
    out: Path
    minutes: float
    commit: str | None
    skip_tests: bool
    only_look: bool


def options_of(arguments: Sequence[str]) -> Options:
    """The options of an argument list; ends the process with 2 for impossible ones."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu", description=__doc__.partition("\n")[0])
    parser.add_argument("--trades", type=int, default=3_000_000_000, help="generated trades of the grid (3000000000)")
    parser.add_argument("--grid", type=Path, default=GRID, help="parameter sets (benchmarks/gpu/grid.json)")
    parser.add_argument("--out", type=Path, default=RESULTS / "gpu", help="folder of the result files")
    parser.add_argument("--minutes", type=float, default=_MOST_MINUTES, help=f"that it may take ({_MOST_MINUTES})")
    parser.add_argument("--commit", help="what is measured, where this is no clone of the repository")
    parser.add_argument("--skip-tests", action="store_true", help="only measure")
    parser.add_argument("--only-look", action="store_true", help="only say whether there is a GPU")
    options = Options(**vars(parser.parse_args(arguments)))
    if options.trades < 1 or not 0.0 < options.minutes <= 60.0:
        parser.error("--trades must be from 1 on, --minutes above 0 and at most 60")
    return options


def main(arguments: Sequence[str]) -> int:
    """Test, measure, write; the exit code."""
    options = options_of(arguments)
    try:
        grid = read_grid(options.grid)
        cupy = require_gpu()
        if options.only_look:
            print("there is a GPU: {name}, driver {driver}".format_map(device_of(cupy)))
            return DONE
        measured = options.commit or _own_commit()
    except MissingExtra:
        print(f"nothing was measured: {missing_gpu()}; {_TAKES}", file=sys.stderr)
        return MISSING
    except (MissingInput, Rejected) as wrong:
        print(f"nothing was measured: {wrong}", file=sys.stderr)
        return USAGE
    command = shlex.join(["python", "-m", "benchmarks.gpu", *arguments])
    outcome = Outcome(command, device_of(cupy), measured)
    outcome.say(f"{outcome.device['name']}, driver {outcome.device['driver']}, commit {measured}")
    faulthandler.dump_traceback_later(60.0 * options.minutes + _GRACE_S, exit=True)
    try:
        return measure(outcome, options, grid, Bench.on_gpu(cupy), run_tests)
    finally:
        faulthandler.cancel_dump_traceback_later()


def _own_commit() -> str:
    """The commit of this clone. Raises Rejected where it is none: figures must say what they are of."""
    try:
        found = commit()
    except OSError:
        found = ""
    if not found:
        raise Rejected("this is no clone of the repository, or git is missing: say what is measured with --commit")
    return found


@dataclass(frozen=True)
class Bench:
    """What is measured on, and in which sizes.

    Parameters
    ----------
    module: compiles a source. xp: the array module whose arrays it takes. live_of: a model that stays on the device.
    recorder_of: what records launches. scanned: trades of the scan; others follow from it. model, transformer, live:
        shapes of models, and how live ones are timed. batches: windows of those that are replayed. replays: of each.
    """

    module: Callable[[KernelSource], KernelModule]
    xp: Any
    live_of: Callable[[Model], LiveModel]
    recorder_of: Callable[[], GraphRecorder]
    scanned: int = _SCANNED
    model: DeepLob = PUBLIC_DEEPLOB
    live: Mapping[str, Run] = field(default_factory=lambda: RUNS)
    batches: Sequence[int] = BATCHES
    replays: int = 200
    transformer: Transformer = TRANSFORMER

    @classmethod
    def on_gpu(cls, cupy: Any) -> Bench:
        """In full size on the current GPU."""
        return cls(CupyModule, cupy, live_on_gpu, CupyRecorder)

    def parts(self, outcome: Outcome, options: Options, grid: VpinGrid, end: Deadline) -> Iterator[Callable[[], None]]:
        """The measurements, the ones that matter most first."""
        kernels, xp = on_device(self.module, self.xp), self.xp
        yield lambda: measure_scan(outcome, kernels, self._most(BYTES_PER_ROW + 40), min(1 << 32, 32 * self.scanned))
        yield lambda: measure_grid(outcome, kernels, grid, options.trades, options.out / "grid.csv.gz", end)
        yield lambda: measure_models(outcome, self.module, xp, self.scanned // 2_000, self.model)
        windows = self.scanned // 2_000
        yield lambda: measure_models(outcome, self.module, xp, windows, self.transformer, "windows by a transformer")
        yield lambda: measure_sweep(outcome, SweepKernels(self.module(sweep_source()), xp), self.scanned // 20)
        yield lambda: measure_graphs(outcome, self.module, xp, self.recorder_of, self.model, self.batches, self.replays)
        # What stays on the device comes last: nothing else runs beside it if it hangs.
        yield lambda: measure_live(outcome, self.live_of, self.live)

    def _most(self, bytes_per_row: int) -> int:
        return min(self.scanned, rows_that_fit(self.xp, bytes_per_row))


def measure(
    outcome: Outcome, options: Options, grid: VpinGrid, bench: Bench, tests: Callable[[float], dict[str, Any]]
) -> int:
    """Run the tests and all measurements, and write what they gave, whatever fails on the way; the exit code.

    The result file is written after every part, so that what hangs or is killed takes no figures with it.
    """
    deadline, failures, result = Deadline(60.0 * options.minutes), list[str](), options.out / "result.json"
    outcome.parts |= {"finished": False, "failed": failures}
    may_measure = options.skip_tests or _tested(outcome, tests(min(_TESTS_S, deadline.left_s)), failures)
    outcome.write(result)
    for part in bench.parts(outcome, options, grid, deadline) if may_measure else ():
        try:
            deadline.require("what is left to measure")
            part()
            if hasattr(bench.xp, "cuda"):
                release(bench.xp)
        except (Fatal, Rejected) as failed:
            failures.append(str(failed))
        except Exception as failed:  # noqa: BLE001
            # A device's own errors are of many kinds; the other figures are kept, and these are told with their place.
            failures.append(f"{type(failed).__name__}: {failed}")
            outcome.parts["traceback"] = traceback.format_exc()
        outcome.write(result)
    outcome.parts["finished"] = True
    outcome.write(result)
    for failure in failures:
        print(f"failed: {failure}", file=sys.stderr)
    for missed in outcome.missed:
        outcome.say(f"missed: {missed}")
    outcome.say(f"wrote {result}")
    return CHECK_FAILED if failures else DONE


def _tested(outcome: Outcome, found: dict[str, Any], failures: list[str]) -> bool:
    """Keep what the tests said; whether to measure: not after one that failed."""
    outcome.parts["tests"] = found
    outcome.say(f"tests: {found['said']}")
    if found["exit_code"] == _NOT_DONE:
        failures.append(f"the tests on the GPU were {found['said']}: figures are of what they had not seen")
        return True
    if found["exit_code"] != 0:
        failures.append("a test on the GPU failed: nothing was measured")
    return bool(found["exit_code"] == 0)


def run_tests(limit_s: float) -> dict[str, Any]:
    """Run the tests that are marked ``gpu``; their exit code and last line."""
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-m",
        "gpu",
        "-p",
        "no:cacheprovider",
        "-W",
        "default",
        "tests/gpu",
    ]
    try:
        done = subprocess.run(
            command, cwd=ROOT, env=os.environ, capture_output=True, text=True, check=False, timeout=limit_s
        )
    except subprocess.TimeoutExpired:
        return {"command": shlex.join(command), "exit_code": _NOT_DONE, "said": f"not done after {limit_s:.0f} s"}
    lines = [line for line in done.stdout.splitlines() if line.strip()] or done.stderr.splitlines() or [""]
    found = {"command": shlex.join(command), "exit_code": done.returncode, "said": lines[-1]}
    if done.returncode != 0:
        found["output"] = "\n".join(lines[-60:])
    return found


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

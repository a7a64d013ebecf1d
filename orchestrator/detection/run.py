"""The statistics as one resumable run: every verdict is written down as it is found, and never asked for again."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from config.scenarios import ScenarioKind
from config.settings import Settings
from market.errors import MissingInput
from orchestrator.detection.cases import Case, Seeds
from orchestrator.detection.judge import Verdict, judge
from orchestrator.detection.spliced import Base
from sim.scenarios.behaviour import Behaviour

VERDICTS_FILE: Final = "verdicts.jsonl"
_ABOUT: Final = "settings"


def fingerprint(settings: Settings, seeds: Seeds, only: ScenarioKind | None, bases: Sequence[Base] = ()) -> str:
    """SHA-256 of all that verdicts depend on but the program: settings, behaviour, sessions, recordings before them."""
    scenarios = settings.scenarios.model_dump(mode="json", exclude={"sessions"})
    content = settings.model_dump(mode="json") | {"scenarios": scenarios}
    about = [content, repr(Behaviour()), seeds, only, *(base.digest for base in bases)]
    text = json.dumps(about, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


class Verdicts:
    """Verdicts on disk, one a line behind a first line that says what they are of.

    Raises MissingInput for a file that is damaged or of other settings; one that a crash left with half a line goes on
    at the last whole one.
    """

    def __init__(self, folder: Path, about: str) -> None:
        self._path = folder / VERDICTS_FILE
        self.found: dict[int, Verdict] = {}
        try:
            folder.mkdir(parents=True, exist_ok=True)
            if self._path.exists():
                self._read(about)
            else:
                self._path.write_text(json.dumps({_ABOUT: about}) + "\n", encoding="utf-8")
        except OSError as error:
            raise MissingInput(f"{folder} cannot be used for results: {error.strerror}") from error

    def add(self, verdict: Verdict) -> None:
        """Write a verdict down."""
        self.found[verdict.number] = verdict
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(verdict.row()) + "\n")

    def _read(self, about: str) -> None:
        content = self._path.read_text(encoding="utf-8")
        whole = content[: content.rfind("\n") + 1]
        if whole != content:
            self._path.write_text(whole, encoding="utf-8")
        head, *lines = whole.splitlines() or [""]
        if _parsed(self._path, 1, head).get(_ABOUT) != about:
            raise MissingInput(
                f"{self._path} holds verdicts of other settings or seeds: go on with those, or name another --out"
            )
        for number, line in enumerate(lines, 2):
            row = _parsed(self._path, number, line)
            try:
                verdict = Verdict(**(row | {"kind": ScenarioKind(row["kind"])}))
            except (TypeError, KeyError, ValueError) as error:
                raise MissingInput(f"{self._path} line {number} is no verdict of this program: {error}") from error
            self.found[verdict.number] = verdict


def _parsed(path: Path, number: int, line: str) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except json.JSONDecodeError as error:
        raise MissingInput(f"{path} line {number} is damaged: {error}; remove the file to begin again") from error
    if not isinstance(row, dict):
        raise MissingInput(f"{path} line {number} is damaged: expected an object; remove the file to begin again")
    return row


def run_cases(
    settings: Settings,
    cases: list[Case],
    verdicts: Verdicts,
    jobs: int,
    tell: Callable[[Verdict], None],
    bases: Sequence[Base] = (),
) -> list[Verdict]:
    """Judge what has no verdict yet; returns all verdicts in order. ``tell`` is told each new one.

    Parameters
    ----------
    bases: recordings that the sessions are spliced onto, in turn; none: sessions stand alone.
    """
    missing = [case for case in cases if case.number not in verdicts.found]
    with TemporaryDirectory(prefix="tickwire-") as folder:
        for verdict in _judged(settings, missing, Path(folder), jobs, bases):
            verdicts.add(verdict)
            tell(verdict)
    return [verdicts.found[case.number] for case in cases]


def _judged(settings: Settings, cases: list[Case], folder: Path, jobs: int, bases: Sequence[Base]) -> Iterator[Verdict]:
    onto = [bases[case.number % len(bases)] if bases else None for case in cases]
    if jobs == 1 or len(cases) < 2:
        yield from (judge(case, settings, folder, base) for case, base in zip(cases, onto, strict=True))
        return
    with ProcessPoolExecutor(jobs, mp_context=multiprocessing.get_context("spawn")) as pool:
        waiting = [pool.submit(judge, case, settings, folder, base) for case, base in zip(cases, onto, strict=True)]
        try:
            for done in as_completed(waiting):
                yield done.result()
        finally:
            pool.shutdown(cancel_futures=True)

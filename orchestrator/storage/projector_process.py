"""A projector in a process of its own, so that filling the database takes no time from the run."""

from __future__ import annotations

import multiprocessing
import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from multiprocessing.connection import Connection
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from market.errors import Fatal, Retry
from orchestrator.storage.database import Database
from orchestrator.storage.projector import Projector

_JOIN_S: Final = 60.0


@dataclass(frozen=True)
class ProjectorPlan:
    """What to fill from where; see the settings of storage."""

    database_url: str
    folder: Path
    batch_records: int
    every_ms: int


class _Word(Enum):
    """What is said between the two processes."""

    STOP = 1
    PROBLEM = 2
    ERROR = 3


class ProjectorProcess:
    """Fills the database until the context ends; then everything that was written by then is in it.

    The process ends by itself when this one is killed. It takes a second or two to begin; nothing is lost by that.

    Parameters
    ----------
    plan: of a database whose tables are up to date.
    on_problem, on_error: as of ``ProjectorThread``, told from a thread of this process.
    """

    def __init__(
        self, plan: ProjectorPlan, on_problem: Callable[[Retry], None], on_error: Callable[[Exception], None]
    ) -> None:
        self._plan = plan
        self._on_problem = on_problem
        self._on_error = on_error
        self._ends = False

    def __enter__(self) -> Self:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_work, args=(theirs, self._plan), name="projector", daemon=True)
        self._process.start()
        theirs.close()
        self._listener = threading.Thread(target=self._listen, name="projector", daemon=True)
        self._listener.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ends = True
        with suppress(BrokenPipeError):  # It has ended by an error, which is told.
            self._pipe.send((_Word.STOP, ""))
        self._process.join(_JOIN_S)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()
            raise Fatal(f"the database did not take what was waiting within {_JOIN_S:g} s; the next session will")
        self._listener.join()
        self._pipe.close()
        self._process.close()

    def _listen(self) -> None:
        while True:
            try:
                word, text = self._pipe.recv()
            except (EOFError, OSError):
                if not self._ends:
                    self._on_error(Fatal("the process that fills the database was killed; expected it to last"))
                return
            if word is _Word.PROBLEM:
                self._on_problem(Retry(text))
            else:
                self._ends = True
                self._on_error(Fatal(text))


def _work(pipe: Connection[Any, Any], plan: ProjectorPlan) -> None:
    """The other process. An interrupt of the terminal reaches it, too; the run decides when it ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    database = Database(plan.database_url)
    projector = Projector(database, plan.folder, plan.batch_records)
    try:
        _project(pipe, projector, plan.every_ms / 1e3)
    except Exception as error:  # noqa: BLE001
        # The run has to hear of it, whatever it is.
        pipe.send((_Word.ERROR, f"the database is not filled any more: {type(error).__name__}: {error}"))
    finally:
        projector.close()
        database.close()
        pipe.close()


def _project(pipe: Connection[Any, Any], projector: Projector, every_s: float) -> None:
    is_reachable, stops = True, False
    while True:
        try:
            while projector.advance():
                is_reachable = True
        except Retry as problem:
            if is_reachable:
                pipe.send((_Word.PROBLEM, str(problem)))
            is_reachable = False
        if stops:
            return
        if pipe.poll(every_s):
            try:
                pipe.recv()
            except EOFError:
                # The run was killed; the one that follows goes on from here.
                return
            stops = True

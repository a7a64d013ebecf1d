"""The projector in a process of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

from orchestrator.storage.database import Database
from orchestrator.storage.projector_process import ProjectorPlan, ProjectorProcess
from orchestrator.storage.repositories.orders import Orders
from tests.orchestrator.storage.test_projector import first_session, write


def test_the_process_fills_the_database_until_the_run_ends(tmp_path: Path) -> None:
    problems: list[Exception] = []
    url = f"sqlite:///{tmp_path}/tickwire.db"
    database = Database.open(url)
    journal = write(tmp_path / "journal", 1, first_session()[:2])
    plan = ProjectorPlan(url, tmp_path / "journal", batch_records=4, every_ms=1)
    with ProjectorProcess(plan, problems.append, problems.append):
        for record in first_session()[2:]:
            journal.write(record)
    journal.close()
    assert problems == []
    with database.read() as connection:
        assert len(Orders(connection).find()) == 5
    database.close()


def test_an_error_of_the_process_is_told(tmp_path: Path) -> None:
    told = threading.Event()
    errors: list[Exception] = []

    def on_error(error: Exception) -> None:
        errors.append(error)
        told.set()

    url = f"sqlite:///{tmp_path}/tickwire.db"
    Database.open(url).close()
    write(tmp_path / "journal", 1, [*first_session(), first_session()[2]]).close()
    with ProjectorProcess(ProjectorPlan(url, tmp_path / "journal", 100, 1), errors.append, on_error):
        assert told.wait(60)
    assert [type(error).__name__ for error in errors] == ["Fatal"]
    assert "the database is not filled any more: UnreadableJournal" in str(errors[0])


PARENT = """
import sys, threading
from pathlib import Path
from orchestrator.storage.projector_process import ProjectorPlan, ProjectorProcess

if __name__ == "__main__":
    with ProjectorProcess(ProjectorPlan(sys.argv[1], Path(sys.argv[2]), 100, 1), print, print) as projector:
        print(projector._process.pid, flush=True)
        threading.Event().wait()
"""


def test_the_process_ends_with_a_run_that_is_killed(tmp_path: Path) -> None:
    """It has the output of its parent, whose end is read when both are gone."""
    url = f"sqlite:///{tmp_path}/tickwire.db"
    Database.open(url).close()
    write(tmp_path / "journal", 1, first_session()).close()
    program = tmp_path / "parent.py"
    program.write_text(PARENT, encoding="utf-8")
    command = [sys.executable, str(program), url, str(tmp_path / "journal")]
    root = str(Path(__file__).parents[3])
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": root}
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() != ""
        process.send_signal(signal.SIGKILL)
        assert process.stdout.read() == ""

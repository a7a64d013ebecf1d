"""The state of components, written down at intervals for the run that comes after a crash."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from orchestrator.run_loop.access import PeriodicTask, RunAccess
from orchestrator.storage.journal_file import JournalFile


def snapshot_task(components: Mapping[str, Callable[[], bytes]], journal: JournalFile, every_ms: int) -> PeriodicTask:
    """Write the state of all components down.

    Parameters
    ----------
    components: by name, what gives its state in a format of its own; the next run finds the last one of each in
        ``Recovered.components``.
    """

    def write(run: RunAccess, now_ns: int) -> None:
        for name, state in components.items():
            journal.save(name, now_ns, state())

    return PeriodicTask("snapshots", every_ms * 1_000_000, write)

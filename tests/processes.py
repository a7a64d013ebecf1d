"""Processes of tests: none of them can keep a test waiting for ever."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final

PATIENCE_S: Final = 900.0
"""Longer than any of them takes on a busy machine, a first build of the simulated core included."""


@contextmanager
def mortal(process: subprocess.Popen[Any], patience_s: float = PATIENCE_S) -> Iterator[None]:
    """Kill a process that is still there after so long, and the group that it leads: whoever reads from it goes on."""
    timer = threading.Timer(patience_s, _kill, (process,))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _kill(process: subprocess.Popen[Any]) -> None:
    with suppress(ProcessLookupError):
        if os.getpgid(process.pid) == process.pid:
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()

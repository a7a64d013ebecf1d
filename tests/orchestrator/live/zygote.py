"""A process that has everything imported and forks a live run for each line that it reads.

Line: ``PROFILE SECONDS RESULT``. It answers ``started PID`` and, when the run has ended, ``ended STATUS``.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from pathlib import Path
from typing import Any

from config.credentials import read_credentials
from config.execution import Mode
from config.loading import load_with_origins
from orchestrator.live.result import run_result
from orchestrator.live.session import RunPlan, live_session


def run(profile: Path, seconds: float, result: Path) -> None:
    """One live run; its result goes to a file."""
    settings = load_with_origins(profile, environment=dict(os.environ)).settings
    notes: list[str] = []
    plan = RunPlan(mode=Mode.LIVE, seconds=seconds)
    with live_session(settings, read_credentials(os.environ), plan, notes.append) as session:
        summary = session.run()
        told: dict[str, Any] = {**run_result(session, summary), "notes": notes}
    result.write_text(json.dumps(told), encoding="utf-8")


def main() -> None:
    """Fork until standard input ends."""
    import ccxt.pro  # noqa: F401 - once, here: it takes seconds

    for line in sys.stdin:
        profile, seconds, result = line.split()
        child = os.fork()
        if child == 0:
            try:
                run(Path(profile), float(seconds), Path(result))
            except BaseException:  # noqa: BLE001 - a forked process ends here, whatever happens
                Path(result).with_suffix(".error").write_text(traceback.format_exc(), encoding="utf-8")
                os._exit(1)
            os._exit(0)
        print(f"started {child}", flush=True)
        print(f"ended {os.waitpid(child, 0)[1]}", flush=True)


if __name__ == "__main__":
    main()

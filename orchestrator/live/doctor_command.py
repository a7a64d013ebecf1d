"""``tickwire doctor``: is this machine fit for a run?"""

from __future__ import annotations

from pathlib import Path

import click
import msgspec

from config.credentials import read_credentials
from orchestrator.cli.exits import ExitCode
from orchestrator.cli.output import Output, with_output
from orchestrator.cli.profile import environment, load_profile, profile_option
from orchestrator.live.doctor import examine
from orchestrator.live.findings import Grade


@click.command()
@profile_option
@click.option(
    "--serial",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Ask the board over this serial device as well, where engine.back_end is fpga.",
)
@with_output
def doctor(output: Output, profile: str, serial: Path | None) -> None:
    """Check clock, disk, keys, venues, compiled kernels, cores and the board. Exit code 1: a run must not start.

    Keys that may withdraw are refused. Venues over ccxt or datagrams are listened to for up to 15 s each.
    """
    settings = load_profile(profile).settings
    findings = list(examine(settings, read_credentials(environment()), serial))
    rows = [
        (finding.grade.value, finding.check, finding.seen, "" if finding.grade is Grade.GOOD else finding.remedy)
        for finding in findings
    ]
    output.table("", ("", "check", "seen", "what to do"), rows)
    fit = all(finding.grade is not Grade.FAILED for finding in findings)
    output.say("fit for a run" if fit else "not fit for a run")
    output.emit({"fit": fit, "findings": [msgspec.to_builtins(finding) for finding in findings]})
    if not fit:
        raise click.exceptions.Exit(ExitCode.CHECK_FAILED)

"""``tickwire version``."""

from __future__ import annotations

import platform
from importlib import metadata

import click

from orchestrator.cli.output import Output, with_output

PACKAGES = ("tickwire", "numba", "numpy")


@click.command()
@with_output
def version(output: Output) -> None:
    """Show versions of Tickwire, Python and what compiles its kernels."""
    versions = {name: metadata.version(name) for name in PACKAGES}
    versions["python"] = platform.python_version()
    versions["machine"] = f"{platform.system()} {platform.machine()}"
    for name, text in versions.items():
        output.say(f"{name} {text}")
    output.emit(versions)

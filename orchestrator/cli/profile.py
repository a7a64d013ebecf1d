"""The option ``--profile`` and the settings that it stands for, in the working directory and its environment."""

from __future__ import annotations

import os
from pathlib import Path

import click

from config.environment import read_environment
from config.loading import Loaded, load_with_origins, local_override

profile_option = click.option(
    "--profile",
    default="demo",
    show_default=True,
    metavar="NAME|FILE",
    help="Settings: demo, backtest, paper, live, or a TOML file.",
)


def environment() -> dict[str, str]:
    """Variables of the process, and those that ``.env`` in the working directory adds."""
    return read_environment(Path.cwd(), os.environ)


def load_profile(profile: str) -> Loaded:
    """Settings of a profile, with ``tickwire.local.toml``, ``.env`` and the environment laid over it."""
    return load_with_origins(profile, local=local_override(Path.cwd()), environment=environment())

"""What commands that run strategies over recordings have in common: which recordings, and which strategies."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any, TypeVar

import click

from config.settings import Settings
from config.strategies import StrategyName

Command = TypeVar("Command", bound=Callable[..., Any])


def run_options(command: Command) -> Command:
    """``--source`` and ``--strategy``, as ``sources`` and ``names``."""
    command = click.option(
        "--strategy",
        "names",
        multiple=True,
        type=click.Choice([name.value for name in StrategyName]),
        help="A strategy to run.  [default: those of the profile]",
    )(command)
    return click.option(
        "--source", "sources", multiple=True, required=True, metavar="NAME=FILE", help="A venue's recording."
    )(command)


def active_strategies(settings: Settings, names: tuple[str, ...]) -> tuple[StrategyName, ...]:
    """The strategies that run: those that are named, else those of the settings.

    Raises UsageError for one that is named twice, and for one of which the settings do not say what it trades.
    """
    active = tuple(StrategyName(name) for name in names) or settings.strategies.active
    for name, count in Counter(active).items():
        if count > 1:
            raise click.UsageError(f"--strategy names {name.value} twice: a strategy runs once")
    if StrategyName.MARKET_MAKING in active and settings.strategies.market_making is None:
        raise click.UsageError(
            "--strategy market-making: the profile does not say what is quoted; add [strategies.market_making]"
        )
    if StrategyName.FLASH_CRASH in active and not settings.strategies.flash_crash.markets:
        raise click.UsageError(
            "--strategy flash-crash: the profile does not say what is traded; add [strategies.flash_crash.markets.NAME]"
        )
    return active

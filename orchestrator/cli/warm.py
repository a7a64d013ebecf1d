"""``tickwire warm``: compile before the first trade, not in it."""

from __future__ import annotations

import os
from typing import Final

import click

from market.native.kernel import all_entries
from market.native.kernel import warm as warm_kernels
from orchestrator.cli.output import Output, with_output
from orchestrator.clock import SystemClock

_PACKAGES: Final = (
    "market",
    "sim.matching",
    "sim.backtest",
    "sim.archive",
    "sim.scenarios",
    "gpu",
    "orchestrator.research",
)
"""Where kernels are."""


@click.command()
@with_output
def warm(output: Output) -> None:
    """Compile every kernel into the cache; what is cached already is only loaded."""
    clock = SystemClock()
    start_ns = clock.monotonic_ns()
    compiled = cached = 0
    with output.progress("compiling kernels", total=len(all_entries(_PACKAGES)), announce=True) as progress:
        for name, was_cached in warm_kernels(os.cpu_count() or 1, _PACKAGES):
            compiled += not was_cached
            cached += was_cached
            progress.advance(name)
    seconds = round((clock.monotonic_ns() - start_ns) / 1e9, 3)
    output.say(f"{compiled + cached} kernels ready: {compiled} compiled, {cached} from the cache, {seconds:.1f} s")
    output.emit({"kernels": compiled + cached, "compiled": compiled, "cached": cached, "seconds": seconds})

"""``python -m benchmarks [NAME ...]``: measure, print tables, append to ``benchmarks/results``."""

from __future__ import annotations

import argparse
import importlib
import sys
from typing import Final

from rich.console import Console

from benchmarks.harness import Report
from market.errors import MissingExtra, MissingInput

MODULES: Final = {
    "batch_replay": "the whole batch path and its stages, beside C",
    "per_event": "one call from Python per event",
    "receive_loop": "datagram in, trigger out on loopback, beside an echo in C",
    "sbe_decode": "BestBidAsk messages in batch",
    "peers_books": "order books of other packages, fed with the same levels",
    "live_feed": "one message at a time through the live feed, beside ccxt.pro's handler",
    "peers_engines": "backtesters of other packages, fed with the same market",
    "backtest": "a backtest with queue positions, beside hftbacktest on the same rows",
    "backtest_match": "the fills of resting orders, order by order beside hftbacktest",
    "matching": "orders matched in process: the engine alone, and the whole simulated venue",
    "detector": "the flash-crash detector, beside books and over rows of events",
    "sleeping": "the flash-crash trader asleep in a backtest, beside itself awake at every event",
    "sweeps": "the detector's indicators over a grid of thresholds, beside a detector per set",
    "storage": "an order's intent on record before it is sent",
    "soft_fpga": "the hardware's description as machine code, per clock cycle",
    "execution": "event to order bytes at the socket, through CCXT and without it",
    "optimiser": "trials of the optimizer on all cores, beside one plain backtest",
    "vpin": "volume buckets of ten million trades, beside NumPy and Polars",
    "models": "models of the order book: rows shared by windows, and what our wrapper adds",
    "fpga": "cells of the hardware's components, and clocks of the boards that were built",
}
_MISSING: Final = 4


def main(arguments: list[str]) -> int:
    """Run the benchmarks that are named, or all; 4 when one lacked its input or a package."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(MODULES))
    parser.add_argument("--rounds", type=int, default=11, help="interleaved rounds (default 11)")
    parser.add_argument("--no-save", action="store_true", help="only print")
    options = parser.parse_args(arguments)
    unknown = sorted(set(options.names) - set(MODULES))
    if unknown:
        parser.error(f"no such benchmark: {', '.join(unknown)}; known are {', '.join(MODULES)}")
    console = Console(width=None if sys.stdout.isatty() else 160)
    missed = False
    for name in options.names or MODULES:
        report = Report(name, options.rounds)
        try:
            importlib.import_module(f"benchmarks.{name}").measure(report)
        except (MissingInput, MissingExtra) as missing:
            console.print(f"[bold]{name}[/bold] ({MODULES[name]}) was not measured: {missing}\n")
            missed = True
        if report.rows:
            report.print(console)
            if not options.no_save:
                console.print(f"appended {len(report.rows)} rows to {report.save()}\n")
    return _MISSING if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""The table of commands. A command is imported when it runs, so that help and small commands start at once."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import Final

import click


@dataclass(frozen=True, slots=True)
class Target:
    """Where a command lives (``module:attribute``) and its line in the list of commands."""

    place: str
    summary: str


COMMANDS: Final[dict[str, Target]] = {
    "backtest": Target("orchestrator.backtest.command:backtest", "Run strategies over recordings, with queue fills."),
    "close-all": Target("orchestrator.bus.command:close_all", "Halt a run and close all its positions."),
    "codec": Target("orchestrator.codec.command:codec", "Decode and encode binary messages."),
    "config": Target("orchestrator.cli.settings:config", "Show, check and document settings."),
    "dataset": Target("orchestrator.research.datasets.command:dataset", "Make a dataset of recordings, for models."),
    "demo": Target("orchestrator.replay.demo:demo", "Replay a market, recorded or generated."),
    "detection": Target("orchestrator.detection.command:detection", "Measure crash detection over generated sessions."),
    "diff": Target("orchestrator.diff.command:diff", "Explain how a run and its backtest differ."),
    "doctor": Target("orchestrator.live.doctor_command:doctor", "Check whether this machine is fit for a run."),
    "evaluate": Target("orchestrator.research.evaluation.command:evaluate", "Judge models and baselines on datasets."),
    "exchange": Target("orchestrator.exchange.command:exchange", "Simulate an exchange that speaks Binance."),
    "fpga": Target("orchestrator.fpga.command:fpga", "Build hardware for a board, or run it simulated in its place."),
    "halt": Target("orchestrator.bus.command:halt", "Halt a run: nothing more is sent, orders are cancelled."),
    "history": Target("orchestrator.storage.command:history", "Show and export what sessions did."),
    "import": Target("orchestrator.importing.command:import_trades", "Import archived trades, with a synthetic book."),
    "inspect": Target("orchestrator.cli.inspect:inspect", "Say what recordings and captures hold."),
    "kernels": Target("orchestrator.cli.kernels:kernels", "Compile the GPU's kernels and say what they take."),
    "live": Target("orchestrator.live.command:live", "Trade with real orders on live market data."),
    "loop": Target("orchestrator.cli.loop:loop", "Receive market data, decide, send triggers."),
    "optimize": Target("orchestrator.optimizer.command:optimize", "Search parameters, judged on data kept apart."),
    "orders": Target("orchestrator.bus.command:orders", "List the working orders of a run."),
    "paper": Target("orchestrator.live.command:paper", "Trade on paper on live market data."),
    "positions": Target("orchestrator.bus.command:positions", "List what a run holds."),
    "predict": Target("orchestrator.research.prediction.command:predict", "Say what a model predicts, row by row."),
    "record": Target("orchestrator.recording.command:record", "Record a live feed: WebSocket or UDP."),
    "reload": Target("orchestrator.bus.command:reload", "Have a run read thresholds and limits anew."),
    "replay": Target("orchestrator.replay.command:replay", "Replay recordings through the fast loop."),
    "report": Target("orchestrator.backtest.report_command:report", "Make the HTML report of a backtest's folder."),
    "resume": Target("orchestrator.bus.command:resume", "Let a halted run trade on."),
    "simulate": Target("orchestrator.simulate.command:simulate", "Generate a session: quiet, volatile or a crash."),
    "status": Target("orchestrator.bus.command:status", "Show how a run is."),
    "sweep": Target("orchestrator.research.sweeps.command:sweep", "Sweep the detector's indicators over thresholds."),
    "tape": Target("orchestrator.live.tape_command:tape", "Run a recorded live run again, decision for decision."),
    "train": Target("orchestrator.research.training.command:train_model", "Train a model of the order book."),
    "version": Target("orchestrator.cli.version:version", "Show versions."),
    "vpin": Target("orchestrator.research.command:vpin", "Measure order-flow toxicity in volume buckets."),
    "warm": Target("orchestrator.cli.warm:warm", "Compile all kernels into the cache."),
}


class LazyGroup(click.Group):
    """A group whose commands are named in a table and imported on use."""

    def __init__(self, table: dict[str, Target], **attributes: object) -> None:
        super().__init__(**attributes)  # type: ignore[arg-type]
        self.table = table

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names in alphabetical order."""
        return sorted(self.table)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command itself; imports its module."""
        target = self.table.get(cmd_name)
        if target is None:
            return None
        module, _, attribute = target.place.partition(":")
        command = getattr(importlib.import_module(module), attribute)
        if not isinstance(command, click.Command):
            raise TypeError(f"{target.place} must be a click command, was {command!r}")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of commands, from the table alone."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, self.table[name].summary) for name in self.list_commands(ctx)])

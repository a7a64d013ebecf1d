"""The command line, ``tickwire``."""

from orchestrator.cli.entry import main

__all__ = ["main"]

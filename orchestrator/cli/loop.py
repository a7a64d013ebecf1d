"""``tickwire loop``: software-only mode's receive loop, until interrupted."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import click

from config.settings import Settings
from market.errors import MissingInput
from orchestrator.cli.exits import Interrupted
from orchestrator.cli.output import Output, with_output
from orchestrator.cli.profile import load_profile, profile_option
from orchestrator.loop.event_log import Sink
from orchestrator.loop.service import ReceiveLoop, open_loop
from orchestrator.loop.sockets import endpoint_of
from orchestrator.loop.statistics import loop_result, show_result

_SERVE_S = 1.0


@click.command()
@profile_option
@click.option("--event-log", type=click.Path(path_type=Path, dir_okay=False), help="File for the log of all steps.")
@with_output
def loop(output: Output, profile: str, event_log: Path | None) -> None:
    """Receive market data over UDP, decide, and send triggers; shows statistics when interrupted.

    Channels and destinations are settings: see [loop] in docs/settings.md. Unless loop.host_port names another
    process, this one arms the engine and renews its lease.
    """
    settings = load_profile(profile).settings
    with ExitStack() as stack:
        sink = _file_sink(stack, event_log) if event_log is not None else None
        receiving = stack.enter_context(open_loop(settings, sink))
        stack.enter_context(_termination_interrupts())
        try:
            receiving.start()
            output.note(_announcement(settings, receiving))
            while True:
                receiving.serve(_SERVE_S)
        except KeyboardInterrupt:
            receiving.stop()
            result = loop_result(receiving)
            show_result(output, result)
            output.emit(result)
            raise Interrupted(f"after {result['steps']:,} steps; the statistics are complete") from None


@contextmanager
def _termination_interrupts() -> Iterator[None]:
    """A polite request to end, as a service manager sends it, is an interrupt: the log and the statistics are whole."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _file_sink(stack: ExitStack, path: Path) -> Sink:
    """Writes LogStep messages to a new file, one after the other."""
    try:
        file = stack.enter_context(path.open("wb"))
    except OSError as error:
        raise MissingInput(f"{path} cannot be written: {error.strerror}") from error
    return file.writelines


def _announcement(settings: Settings, receiving: ReceiveLoop) -> str:
    loop = settings.loop
    own = loop.host_port == 0
    host = "this process" if own else f"{loop.host_address}:{loop.host_port}"
    return (
        f"receiving {len(loop.channels)} channels; triggers go to {loop.trigger_address}:{loop.trigger_port}; "
        f"control at {endpoint_of(receiving.sockets.control)} by {host}; interrupt to end"
    )

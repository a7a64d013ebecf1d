"""``tickwire replay``: recordings in, decisions out."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

import click

from config.credentials import read_credentials
from config.engine import BackEnd
from config.replay import Settle
from config.settings import Settings
from config.venues import VenueName
from market.errors import Retry
from orchestrator.cli.exits import Interrupted
from orchestrator.cli.output import Output, with_output
from orchestrator.cli.profile import environment, load_profile, profile_option
from orchestrator.clock import SystemClock, ticks_per_ns
from orchestrator.replay.back_ends import MakeEngine, engine_maker
from orchestrator.replay.collect import Collector
from orchestrator.replay.extras import Extras, report_files
from orchestrator.replay.naming import naming
from orchestrator.replay.plan import SourceFile, parse_source, session_settings
from orchestrator.replay.report import Measured
from orchestrator.replay.result import replay_result
from orchestrator.replay.signals import signals_result
from orchestrator.replay.tables import show_result
from sim.generator.recording import is_synthetic
from sim.replay.framed import with_channels
from sim.replay.session import Session, SessionSettings, SessionSummary
from sim.replay.stepping import replay_stepwise

_NS_PER_MS: Final = 1_000_000


@click.command()
@click.option("--source", "sources", multiple=True, required=True, metavar="NAME=FILE", help="A venue's recording.")
@click.option("--engine", type=click.Choice([engine.value for engine in BackEnd]), help="Build of the fast loop.")
@profile_option
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), help="Folder for result.json and Parquet.")
@click.option("--settle", type=click.Choice([settle.value for settle in Settle]), help="How triggers are settled.")
@click.option("--workers", type=click.IntRange(1, 256), help="Threads that decode.")
@click.option("--lag", "lags", multiple=True, metavar="NAME=MS", help="Delay a venue's feed by milliseconds.")
@click.option("--statistics", is_flag=True, help="Also count episodes of the basis between venues.")
@click.option("--report", type=click.Path(path_type=Path, dir_okay=False), help="HTML file with charts and tables.")
@click.option("--no-signals", is_flag=True, help="Leave out the market signals; decisions never depend on them.")
@click.option("--per-event", is_flag=True, help="Feed the engine event by event: slower, the same decisions.")
@click.option("--frames", is_flag=True, help="Feed the engine with Ethernet frames, on a channel per market.")
@with_output
def replay(
    output: Output,
    sources: tuple[str, ...],
    engine: str | None,
    profile: str,
    out: Path | None,
    settle: str | None,
    workers: int | None,
    lags: tuple[str, ...],
    statistics: bool,
    report: Path | None,
    no_signals: bool,
    per_event: bool,
    frames: bool,
) -> None:
    """Replay recordings of one or several venues through the fast loop.

    Recordings are lines '<receive ns> <json>', plain, gzip or Zstandard, merged by receive time. Ends with 0 when
    every book ended synchronised and nothing was damaged, with 1 otherwise.
    """
    settings = _overridden(load_profile(profile).settings, engine=engine, settle=settle, workers=workers)
    files = [parse_source(source) for source in sources]
    planned = session_settings(
        settings, files, lags_ns=_lags(lags), keep_quotes=True, keep_changes=True, keep_signals=not no_signals
    )
    if frames:
        planned = with_channels(planned)
    extras = Extras(naming=naming(settings), statistics=statistics, reports=report_files(report, out))
    with ExitStack() as stack:
        if settings.engine.back_end is BackEnd.FPGA:
            make_engine: MakeEngine | None = _over_udp(settings, planned, frames, output, stack)
        else:
            make_engine = engine_maker(
                settings.engine.back_end, planned.sizes, per_event=per_event, frames=frames, say=output.note
            )
        result = run_replay(output, planned, files, out, extras, make_engine)
    finish(output, result)


def _over_udp(
    settings: Settings, planned: SessionSettings, frames: bool, output: Output, stack: ExitStack
) -> MakeEngine:
    """The simulated core in a board's place, which takes times from its datagrams."""
    if frames:
        raise click.UsageError("--frames with --engine fpga: the datagrams of a board are made of events")
    # the host of a board belongs to the hardware: other replays do without
    from orchestrator.fpga.connection import open_board
    from orchestrator.fpga.lockstep import LockstepEngine
    from sim.rtl.bridge import stamp

    credentials = read_credentials(environment())
    opened = open_board(settings, credentials, planned.sizes, wake=lambda: None, say=output.note, stamp=stamp)
    try:
        back_end = stack.enter_context(opened)
    except Retry as silence:
        needed = "a board decides at its own times; a replay needs tickwire fpga soft --stamped"
        raise Retry(f"{silence}; {needed}") from silence
    return lambda session: LockstepEngine(back_end, SystemClock())


def finish(output: Output, result: Mapping[str, Any]) -> None:
    """Show a result and end with the code that it asks for."""
    show_result(output, result)
    output.emit(result)
    if result["interrupted"]:
        raise Interrupted(f"after {result['messages']:,} messages; the results so far are shown")
    if any(source["damage"] or not source["synchronised"] for source in result["sources"].values()):
        raise click.exceptions.Exit(1)


def run_replay(
    output: Output,
    planned: SessionSettings,
    files: list[SourceFile],
    out: Path | None,
    extras: Extras,
    make_engine: MakeEngine | None = None,
) -> dict[str, Any]:
    """Replay with a progress bar; writes result.json and Parquet files into ``out``.

    Parameters
    ----------
    make_engine: makes an engine that is fed event by event; None: the compiled loop decides.
    """
    clock = SystemClock()
    collector = Collector(out, extras.charts(planned.sources))
    start_ns = clock.monotonic_ns()
    with output.progress("replaying") as progress:

        def advance(content_bytes: int) -> None:
            progress.show(f"{content_bytes / 1e6:,.0f} MB")

        summary = _run(planned, collector, advance, make_engine)
    collector.finish()
    seconds = (clock.monotonic_ns() - start_ns) / 1e9
    synthetic = {file.venue.value for file in files if is_synthetic(file.path)}
    result = replay_result(summary, collector, seconds=seconds, ticks_per_ns=ticks_per_ns(), synthetic=synthetic)
    if planned.signals is not None and summary.signals is not None:
        result["signals"] = signals_result(
            summary.signals, planned.signals, collector.signals, extras.naming, ticks_per_ns()
        )
    extras.add_statistics(output, result, planned.sources)
    extras.write_reports(result, Measured(collector, summary.histogram, ticks_per_ns()))
    if out is not None:
        (out / "result.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    return result


def _run(
    planned: SessionSettings, collector: Collector, advance: Callable[[int], None], make_engine: MakeEngine | None
) -> SessionSummary:
    if make_engine is not None:
        return replay_stepwise(planned, collector, make_engine, collector.samples, advance)
    return Session(planned, collector, collector.samples).run(advance)


def _overridden(settings: Settings, *, engine: str | None, settle: str | None, workers: int | None) -> Settings:
    """The settings with what the command line says laid over them."""
    replay_part: dict[str, Any] = {}
    if settle is not None:
        replay_part["settle"] = Settle(settle)
    if workers is not None:
        replay_part["workers"] = workers
    engine_part = {"back_end": BackEnd(engine)} if engine is not None else {}
    return settings.model_copy(
        update={
            "replay": settings.replay.model_copy(update=replay_part),
            "engine": settings.engine.model_copy(update=engine_part),
        }
    )


def _lags(texts: tuple[str, ...]) -> dict[VenueName, int]:
    lags: dict[VenueName, int] = {}
    for text in texts:
        name, _, value = text.partition("=")
        try:
            lags[VenueName(name)] = round(float(value) * _NS_PER_MS)
        except ValueError:
            raise click.UsageError(f"--lag was {text!r}: must be VENUE=MILLISECONDS, such as binance-cm=5") from None
    return lags

"""``tickwire inspect``: what recordings and captures hold."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from market.errors import MissingInput
from orchestrator.cli.exits import ExitCode, Interrupted
from orchestrator.cli.output import Output, with_output
from sim.recording.inspection import Inspection, TimeBase, inspect_file
from sim.recording.recognise import Format

SHOWN_SYMBOLS = 12


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@with_output
def inspect(output: Output, files: tuple[Path, ...]) -> None:
    """Say what recordings and captures hold: format, venue, symbols, times, messages by type, damage.

    Formats and containers are recognised from the content: raw lines, feed captures, pcap, pcapng, ITCH; plain, gzip,
    Zstandard. Ends with 1 if a file is damaged, with 3 if one is missing or of no known format.
    """
    inspected: list[Inspection] = []
    missing: list[MissingInput] = []
    interrupted = False
    try:
        with output.progress("reading", total=len(files)) as progress:
            for path in files:
                try:
                    inspected.append(inspect_file(path))
                except MissingInput as error:
                    missing.append(error)
                progress.advance(path.name)
    except KeyboardInterrupt:
        interrupted = True
    for inspection in inspected:
        _show(output, inspection)
    output.emit(
        {
            "files": [_result(inspection) for inspection in inspected],
            "errors": [str(error) for error in missing],
            "interrupted": interrupted,
        }
    )
    if interrupted:
        raise Interrupted(f"{len(inspected)} of {len(files)} files were read")
    _end(inspected, missing)


def _end(inspected: list[Inspection], missing: list[MissingInput]) -> None:
    """End with the code that the worst of the files asks for."""
    unusable = [one for one in inspected if one.format in (Format.UNKNOWN, Format.EMPTY)]
    problems = [str(error) for error in missing]
    problems += [
        f"{one.path} is {one.format}; expected raw lines, a feed capture, pcap, pcapng or ITCH" for one in unusable
    ]
    if problems:
        raise MissingInput("\n".join(problems))
    if any(one.damage for one in inspected):
        raise click.exceptions.Exit(ExitCode.CHECK_FAILED)


def _show(output: Output, inspection: Inspection) -> None:
    """A file for people."""
    facts = [
        ("container", inspection.container),
        ("format", inspection.format),
        ("venue", inspection.venue or "unknown"),
        ("symbols", _shortened(inspection.symbols)),
        ("size", _sizes(inspection)),
        ("first", time_text(inspection.first_ns, inspection.time_base)),
        ("last", time_text(inspection.last_ns, inspection.time_base)),
        ("records", f"{inspection.records:,}"),
        ("unreadable", f"{inspection.unreadable:,}"),
    ]
    if inspection.newline_added:
        facts.append(("last line", "has no newline"))
    facts += [("damage", f"{one.reason}: {one.detail}{_place(one.line)}") for one in inspection.damage]
    output.table(click.format_filename(inspection.path), ("property", "value"), facts)
    counts = [(kind, f"{count:,}") for kind, count in inspection.messages.items()]
    output.table("", ("message", "count"), counts, right=("count",))
    output.say("")


def _result(inspection: Inspection) -> dict[str, Any]:
    """A file for programs."""
    return {
        "path": click.format_filename(inspection.path),
        "container": inspection.container,
        "format": inspection.format,
        "venue": inspection.venue,
        "symbols": inspection.symbols,
        "size_bytes": inspection.size_bytes,
        "content_bytes": inspection.content_bytes,
        "records": inspection.records,
        "unreadable": inspection.unreadable,
        "messages": inspection.messages,
        "first_ns": inspection.first_ns,
        "last_ns": inspection.last_ns,
        "time_base": inspection.time_base,
        "newline_added": inspection.newline_added,
        "damage": [
            {"reason": one.reason, "offset": one.offset, "line": one.line, "detail": one.detail}
            for one in inspection.damage
        ],
    }


def time_text(time_ns: int | None, base: TimeBase) -> str:
    """A time for people: UTC with nanoseconds, or the time of day."""
    if time_ns is None:
        return "none"
    seconds, rest_ns = divmod(time_ns, 10**9)
    if base is TimeBase.MIDNIGHT:
        return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{rest_ns:09} of the day"
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S}.{rest_ns:09} UTC"


def _shortened(symbols: tuple[str, ...]) -> str:
    more = len(symbols) - SHOWN_SYMBOLS
    return ", ".join(symbols[:SHOWN_SYMBOLS]) + (f" and {more} more" if more > 0 else "") or "none"


def _sizes(inspection: Inspection) -> str:
    content = inspection.content_bytes
    if content is None or content == inspection.size_bytes:
        return f"{inspection.size_bytes:,} bytes"
    return f"{inspection.size_bytes:,} bytes, {content:,} decompressed"


def _place(line: int | None) -> str:
    return "" if line is None else f" (line {line:,})"

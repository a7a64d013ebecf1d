"""``tickwire inspect``: files for people and for programs, and the exit codes of damaged and missing ones."""

from __future__ import annotations

from pathlib import Path

import pytest

import orchestrator.cli.inspect as command
from orchestrator.cli.inspect import time_text
from sim.recording.container import Container
from sim.recording.inspection import Inspection, TimeBase, inspect_file
from tests.orchestrator.cli.terminal import Terminal, run_process
from tests.sim.recording.files import DEPTH, raw_lines, stored, write


def test_a_file_for_programs(terminal: Terminal) -> None:
    content = raw_lines([DEPTH] * 3)
    path = write(terminal.folder, "recording", stored(content, Container.GZIP))
    ended = terminal.run("inspect", path, "--json")
    assert ended.code == 0
    assert ended.json == {
        "files": [
            {
                "path": str(path),
                "container": "gzip",
                "format": "raw-lines",
                "venue": "binance-cm",
                "symbols": ["BTCUSD_PERP"],
                "size_bytes": path.stat().st_size,
                "content_bytes": len(content),
                "records": 3,
                "unreadable": 0,
                "messages": {"depthUpdate": 3},
                "first_ns": 1_723_161_256_000_000_000,
                "last_ns": 1_723_161_256_002_000_000,
                "time_base": "unix epoch",
                "newline_added": False,
                "damage": [],
            }
        ],
        "errors": [],
        "interrupted": False,
    }


def test_a_file_for_people(terminal: Terminal) -> None:
    path = write(terminal.folder, "recording", raw_lines([DEPTH] * 1234)[:-1])
    ended = terminal.run("inspect", path)
    lines = ended.out.splitlines()
    assert ended.code == 0
    assert lines[0] == str(path)
    assert "first       2024-08-08 23:54:16.000000000 UTC" in lines
    assert "records     1,234" in lines
    assert "last line   has no newline" in lines
    assert "depthUpdate  1,234" in lines


def test_a_damaged_file_is_shown_and_ends_with_1(terminal: Terminal) -> None:
    whole = stored(raw_lines([DEPTH] * 50), Container.GZIP)
    path = write(terminal.folder, "cut", whole[:-9])
    ended = terminal.run("inspect", path)
    assert ended.code == 1
    assert "damage      cut off: the gzip stream ends in the middle" in ended.out
    found = terminal.run("inspect", path, "--json")
    assert found.code == 1
    assert found.json["files"][0]["damage"][0]["reason"] == "cut off"


def test_missing_and_unknown_files_end_with_3_and_the_others_are_shown(terminal: Terminal) -> None:
    good = write(terminal.folder, "good", raw_lines([DEPTH]))
    unknown = write(terminal.folder, "unknown", b"price,size\n")
    empty = write(terminal.folder, "empty", b"")
    ended = terminal.run("inspect", "absent", good, unknown, empty, terminal.folder)
    assert ended.code == 3
    assert "raw-lines" in ended.out
    assert "error: absent cannot be read: No such file or directory; name a recording" in ended.err
    assert f"error: {unknown} is unknown; expected raw lines" in ended.err
    assert f"error: {empty} is empty; expected raw lines" in ended.err
    assert f"error: {terminal.folder} is a folder; expected a regular file" in ended.err
    found = terminal.run("inspect", "absent", good, "--json")
    assert found.code == 3
    assert len(found.json["files"]) == len(found.json["errors"]) == 1


def test_an_interruption_keeps_what_was_read(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    good = write(terminal.folder, "good", raw_lines([DEPTH]))
    calls: list[Path] = []

    def interrupted(path: Path) -> Inspection:
        calls.append(path)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return inspect_file(path)

    monkeypatch.setattr(command, "inspect_file", interrupted)
    ended = terminal.run("inspect", good, good, good, "--json")
    assert ended.code == 130
    assert "interrupted: 1 of 3 files were read" in ended.err
    assert ended.json["interrupted"] is True
    assert len(ended.json["files"]) == 1


def test_times() -> None:
    assert time_text(None, TimeBase.UNIX_EPOCH) == "none"
    assert time_text(1, TimeBase.UNIX_EPOCH) == "1970-01-01 00:00:00.000000001 UTC"
    assert time_text(68_698_845_099_321, TimeBase.MIDNIGHT) == "19:04:58.845099321 of the day"


def test_the_real_recordings(data: Path, tmp_path: Path) -> None:
    folder = data / "binance-20240808"
    ended = run_process("inspect", *sorted(folder.iterdir()), "--json", folder=tmp_path)
    assert ended.code == 0
    venues = [found["venue"] for found in ended.json["files"]]
    assert venues == ["binance-cm"] * 2 + ["binance-spot"] * 2 + ["binance-usdm"] * 2
    assert sum(found["records"] for found in ended.json["files"]) == 332_200

"""Feed captures are read as raw lines: received frames and book answers, by connection, in the order of time."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import zstandard

from market.errors import MissingInput
from sim.recording import feed_capture
from sim.recording.feed_capture import open_capture

DEPTH = '{"lastUpdateId":7,"bids":[["1","2"]],"asks":[]}'


def line(kind: str, connection: str, seconds: float, data: str = "", **more: str) -> dict[str, Any]:
    return {"t": kind, "conn": connection, "ts": seconds, "data": data, **more}


def capture(folder: Path, *entries: dict[str, Any] | bytes) -> Path:
    texts = [entry if isinstance(entry, bytes) else json.dumps(entry).encode() for entry in entries]
    path = folder / "CAPTURE.jsonl.zst"
    path.write_bytes(zstandard.compress(b"\n".join([*texts, b""])))
    return path


def read(path: Path, **options: Any) -> list[bytes]:
    blocks = list(open_capture(path, **options))
    assert [block.first_line for block in blocks] == [
        1 + sum(block.data.count(b"\n") for block in blocks[:index]) for index in range(len(blocks))
    ]
    return b"".join(block.data for block in blocks).splitlines()


def test_only_what_was_received_is_a_line(tmp_path: Path) -> None:
    path = capture(
        tmp_path,
        {"t": "header", "format": 2, "exchange": "KRAKEN"},
        line("http", "h", 1.5, "{}", url="https://x/instruments?limit=1000"),
        line("connect", "w", 2.0, addr="wss://x/spot"),
        line("send", "w", 2.5, '{"op":"subscribe"}'),
        line("recv", "w", 3.000001, '{"a":1}'),
        line("recv", "w", 4.25, '{"b":\n2}'),
    )
    assert read(path) == [b'3000001000 {"a":1}', b'4250000000 {"b": 2}']


@pytest.mark.parametrize("url", ["/api/v3/depth?symbol=NKNUSDT&limit=1000", "/api/v3/depth?limit=5&symbol=NKNUSDT"])
def test_a_book_answer_gets_the_symbol_of_its_request(tmp_path: Path, url: str) -> None:
    path = capture(tmp_path, line("http", "h", 1.5, DEPTH, url=url))
    assert read(path) == [b'1500000000 {"symbol":"NKNUSDT",' + DEPTH[1:].encode()]
    named = DEPTH.replace("{", '{"symbol":"NKNUSDT","pair":"x",', 1)
    assert read(capture(tmp_path, line("http", "h", 1.5, named, url=url))) == [b"1500000000 " + named.encode()]


def test_connections_one_after_the_other_are_merged(tmp_path: Path) -> None:
    path = capture(
        tmp_path,
        line("recv", "a", 10.0, "1"),
        line("recv", "a", 30.0, "3"),
        line("recv", "b", 20.0, "2"),
        line("recv", "b", 40.0, "4"),
    )
    expected = [b"10000000000 1", b"20000000000 2", b"30000000000 3", b"40000000000 4"]
    assert read(path) == expected
    assert read(path, block_bytes=1) == expected


def test_connections_of_other_addresses_are_left_out(tmp_path: Path) -> None:
    path = capture(
        tmp_path,
        line("connect", "a", 1.0, addr="wss://x/public/linear"),
        line("connect", "b", 1.0, addr="wss://x/public/spot"),
        line("recv", "a", 2.0, "linear"),
        line("recv", "b", 3.0, "spot"),
        line("recv", "c", 4.0, "unknown"),
    )
    assert read(path, connection="/linear") == [b"2000000000 linear", b"4000000000 unknown"]


def test_an_unreadable_line_is_delivered_as_it_is(tmp_path: Path) -> None:
    path = capture(tmp_path, line("recv", "a", 10.0, "1"), b'{"t":"recv","conn"', line("recv", "a", 20.0, "2"))
    assert read(path) == [b"10000000000 1", b'{"t":"recv","conn"', b"20000000000 2"]


def test_damage_is_reported_and_what_is_before_it_is_read(tmp_path: Path) -> None:
    path = capture(tmp_path, *[line("recv", "a", 10.0 + index, f"{index:0100}") for index in range(5000)])
    path.write_bytes(path.read_bytes()[:-10])
    blocks = open_capture(path)
    lines = sum(block.data.count(b"\n") for block in blocks)
    assert 0 < lines <= 5000
    assert blocks.lines == lines
    assert len(blocks.damage) == 1


def test_too_many_connections_to_merge_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed_capture, "MAXIMUM_LANES", 2)
    path = capture(tmp_path, *[line("recv", f"c{index}", 10.0 - index, "x") for index in range(3)])
    with pytest.raises(MissingInput, match="3 connections"):
        read(path)


def test_a_missing_file_is_said_at_once(tmp_path: Path) -> None:
    with pytest.raises(MissingInput):
        open_capture(tmp_path / "none")

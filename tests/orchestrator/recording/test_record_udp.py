"""Recording of UDP feeds: the frames, and a sender on this machine."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.recording.pcapng_file import Endpoint, packet, preamble, udp_frame
from sim.capture import LinkType, Packet, read_datagrams, read_packets, udp_payload
from tests.orchestrator.cli.terminal import Terminal

GROUP = Endpoint(IPv4Address("239.111.111.1"), 6100)
SENDER = Endpoint(IPv4Address("10.0.0.7"), 40_000)


@settings(derandomize=True, deadline=None)
@given(st.integers(0, 2**62), st.binary(max_size=1_472), st.integers(1, 0xFFFF))
def test_a_frame_holds_its_datagram(time_ns: int, payload: bytes, port: int) -> None:
    frame = udp_frame(SENDER, Endpoint(GROUP.address, port), payload)
    found = udp_payload(Packet(time_ns, LinkType.ETHERNET, frame, len(frame)))
    assert found is not None
    assert (found.time_ns, found.payload) == (time_ns, payload)
    assert (found.source, found.source_port) == ("10.0.0.7", 40_000)
    assert (found.destination, found.destination_port) == ("239.111.111.1", port)


def test_the_frame_of_a_group_by_its_standards() -> None:
    frame = udp_frame(SENDER, GROUP, b"\x01\x02\x03")
    # RFC 1112: the low 23 bits of the group; RFC 791: the header's words sum up to ffff.
    assert frame[:6].hex() == "01005e6f6f01"
    header = frame[14:34]
    total = sum(int.from_bytes(header[at : at + 2], "big") for at in range(0, 20, 2))
    assert (total & 0xFFFF) + (total >> 16) == 0xFFFF
    assert int.from_bytes(header[2:4], "big") == 31
    assert frame[34:].hex() == "9c4017d4000b0000010203"


def test_a_file_is_read_with_its_nanoseconds(tmp_path: Path) -> None:
    times = [0, 1, 1_723_161_255_087_891_268, 2**62 - 1]
    frames = [udp_frame(SENDER, GROUP, bytes(size)) for size in range(len(times))]
    blocks = [packet(time_ns, frame) for time_ns, frame in zip(times, frames, strict=True)]
    (tmp_path / "a.pcapng").write_bytes(preamble() + b"".join(blocks))
    found = list(read_packets(tmp_path / "a.pcapng"))
    assert [(one.time_ns, one.frame, one.wire_length) for one in found] == [
        (time_ns, frame, len(frame)) for time_ns, frame in zip(times, frames, strict=True)
    ]


def record_sent(folder: Path, payloads: list[bytes], *words: str) -> dict[str, object]:
    """Record datagrams from a sender on the loopback; gives the command's result."""
    command = [sys.executable, "-c", "import sys; from orchestrator.cli import main; sys.exit(main())"]
    options = ["--udp", "127.0.0.1:0", "--messages", str(len(payloads)), "--json", *words]
    with (
        subprocess.Popen(
            [*command, "record", *options], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as process,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender,
    ):
        assert process.stderr is not None
        ready = re.fullmatch(r"listening on udp 127\.0\.0\.1:(\d+)\n", process.stderr.readline())
        assert ready
        for payload in payloads:
            sender.sendto(payload, ("127.0.0.1", int(ready[1])))
        out, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    found = json.loads(out)
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize("name", ["feed.pcapng", "feed.pcapng.gz", "feed.pcapng.zst"])
def test_datagrams_become_a_capture(tmp_path: Path, name: str) -> None:
    payloads = [bytes([number]) * (number + 1) for number in range(100)]
    result = record_sent(tmp_path, payloads, name)
    found = list(read_datagrams(tmp_path / name))
    assert [one.payload for one in found] == payloads
    times = [one.time_ns for one in found]
    assert times == sorted(times)
    assert (result["first_ns"], result["last_ns"], result["lost"]) == (times[0], times[-1], 0)
    assert {one.destination for one in found} == {"127.0.0.1"}


def test_json_datagrams_become_lines(tmp_path: Path) -> None:
    payloads = [b'{"n":1}', b'{\n"n":2}', b"broken\n"]
    command_limit = payloads[:2]
    result = record_sent(tmp_path, command_limit, "feed", "--lines")
    lines = (tmp_path / "feed").read_text(encoding="utf-8").splitlines()
    assert [line.split(" ", 1)[1] for line in lines] == ['{"n":1}', '{"n":2}']
    assert result["messages"] == 2


def test_a_recorded_capture_is_inspected(terminal: Terminal) -> None:
    record_sent(terminal.folder, [b"abc"] * 5, "feed.pcapng.gz")
    found = terminal.run("inspect", "feed.pcapng.gz", "--json").json["files"][0]
    assert (found["format"], found["records"], found["damage"]) == ("pcapng", 5, [])


def test_an_address_that_is_not_ours(terminal: Terminal) -> None:
    ended = terminal.run("record", "a", "--udp", "192.0.2.1:6100", "--messages", "1")
    assert ended.code == 3
    assert "udp 192.0.2.1:6100 cannot be listened to" in ended.err


def test_it_stops_after_its_time(terminal: Terminal) -> None:
    ended = terminal.run(
        "record", "a.pcapng", "--udp", "127.0.0.1:0", "--seconds", "0.1", "--silence", "0.05", "--json"
    )
    assert (ended.code, ended.json["messages"]) == (0, 0)
    assert list(read_packets(terminal.folder / "a.pcapng")) == []

"""The parts of the test bench that need no simulation: frames by scapy, frames taken apart, and coverage."""

from __future__ import annotations

import pytest

pytest.importorskip("scapy", reason="the fpga extra is not installed: make test installs it")
pytest.importorskip("cocotb", reason="the fpga extra is not installed: make test installs it")

from market.errors import Fatal
from market.fastpath.conformance.frame_builder import ADDRESS, Wrapping
from market.fastpath.conformance.frame_builder import frame as frame_of_the_corpus
from market.fastpath.engine import CpuEngine
from market.fastpath.specification import DropReason
from sim.rtl.addresses import LOOPBACK
from sim.rtl.bench.coverage import Coverage
from sim.rtl.bench.goals import Abilities, goals
from sim.rtl.bench.monitors import SentFrame
from sim.rtl.bench.scapy_frames import GROUP_NUMBER, frame
from sim.rtl.bench.sent_frames import wrong_frames

PAYLOAD = b"payload!"


def fields(octets: bytes) -> tuple[bytes, ...]:
    """What a channel and its datagrams are known by: types and lengths, addresses, ports, payload."""
    return octets[12:18], octets[30:38], octets[38:40], octets[42:-4]


def test_scapy_builds_the_frames_of_the_corpus() -> None:
    assert GROUP_NUMBER == ADDRESS
    assert fields(frame(PAYLOAD, 30_000)) == fields(frame_of_the_corpus(PAYLOAD, Wrapping(udp_checksum=None)))


def test_an_engine_takes_frames_of_scapy_for_what_they_are() -> None:
    engine = CpuEngine()
    engine.push([frame(PAYLOAD, 30_000), frame(PAYLOAD, 30_000)[:-1]], [1, 2])
    counters = engine.frame_counters()[16:]
    drops = [int.from_bytes(counters[at : at + 8], "little") for at in range(8, 24, 8)]
    assert drops == [1, 1]


def sent(payload: bytes, port: int, **wrong: dict[str, int]) -> SentFrame:
    ether = {"src": "02:00:00:00:00:01", "dst": "02:00:00:00:00:02"}
    ip = {"src": str(LOOPBACK.source_address)}
    udp = {"sport": LOOPBACK.source_port, "chksum": 0}
    address = str(LOOPBACK.destination_address)
    built = frame(
        payload, port, address=address, ether=ether, ip=ip | wrong.get("ip", {}), udp=udp | wrong.get("udp", {})
    )
    return SentFrame(built, error=False)


LONG = bytes(range(40))


def test_frames_that_carry_what_they_should_are_right() -> None:
    frames = [sent(LONG, LOOPBACK.message_port), sent(LONG[:34] + bytes(6), LOOPBACK.log_port)]
    assert wrong_frames(frames, LOOPBACK, [LONG], [LONG[:34]]) == []
    spoiled = SentFrame(frames[0].octets[:-1] + bytes([frames[0].octets[-1] ^ 255]), error=True)
    assert wrong_frames([spoiled, *frames], LOOPBACK, [LONG], [LONG[:34]]) == []


@pytest.mark.parametrize(
    ("frames", "said"),
    [
        ([], "not the messages"),
        ([sent(LONG, LOOPBACK.log_port)], "not the messages"),
        ([sent(LONG, LOOPBACK.message_port, ip={"chksum": 1})], "wrong IPv4 checksum"),
        ([sent(LONG, LOOPBACK.message_port, udp={"chksum": 1})], "wrong UDP checksum"),
        ([SentFrame(sent(LONG, LOOPBACK.message_port).octets, error=True)], "check sequence right True"),
    ],
)
def test_wrong_frames_are_named(frames: list[SentFrame], said: str) -> None:
    assert said in "; ".join(wrong_frames(frames, LOOPBACK, [LONG], []))


def test_what_was_not_seen_is_missing() -> None:
    coverage = Coverage({"group": ["one", "other"]})
    coverage.hit("group", "one", 3)
    assert coverage.missing == ["group: other"]
    assert coverage.count("group", "one") == 3
    assert "1 of 2 points seen" in coverage.table()
    with pytest.raises(Fatal, match="no point 'third' in 'group'"):
        coverage.hit("group", "third")


def test_a_core_without_lines_is_not_asked_for_duplicates() -> None:
    with_lines, without = goals(Abilities(lines=True)), goals(Abilities())
    assert set(with_lines["dropped"]) - set(without["dropped"]) == {DropReason.DUPLICATE.name}
    assert len(with_lines["control refused"]) - len(without["control refused"]) == 3

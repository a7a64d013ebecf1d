"""Recognising files from their content, and inspecting them whole."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from config.venues import VenueName
from sim.recording.container import Container
from sim.recording.damage import DamageReason
from sim.recording.inspection import Inspection, TimeBase, inspect_file
from sim.recording.itch import LENGTHS
from sim.recording.lines import parse_capture, parse_raw
from sim.recording.recognise import Format, format_of, recognise
from tests.sim.recording.files import DEPTH, raw_lines, stored, write

CAPTURE = (
    b'{"t":"header","format":2,"exchange":"BINANCE_US","config":{}}\n'
    b'{"t":"http","conn":"a","ts":1626992741.301402,"url":"https://example.org","data":"{}"}\n'
    b'{"t":"recv","conn":"a","ts":1626992742.5,"data":"{\\"u\\":1,\\"s\\":\\"CRVUSDT\\",\\"b\\":\\"1\\",\\"B\\":\\"1\\",'
    b'\\"a\\":\\"2\\",\\"A\\":\\"1\\"}"}\n'
    b'{"t":"recv","conn":"a","ts":1626992743.25,"data":"not JSON"}\n'
)


def itch_message(code: str, time_ns: int, symbol: bytes = b"") -> bytes:
    """An ITCH message behind its length: type, locate, tracking, time, then the symbol where the directory has it."""
    body = code.encode() + struct.pack(">HH", 1, 0) + time_ns.to_bytes(6, "big") + symbol
    return struct.pack(">H", LENGTHS[ord(code)]) + body.ljust(LENGTHS[ord(code)], b"\0")


ITCH = itch_message("S", 10**9) + itch_message("R", 2 * 10**9, b"ALC     ") + itch_message("A", 3 * 10**9) * 40


@pytest.mark.parametrize("container", Container)
def test_raw_lines(tmp_path: Path, container: Container) -> None:
    found = recognise(write(tmp_path, "any", stored(raw_lines([DEPTH] * 5), container)))
    assert (found.container, found.format) == (container, Format.RAW_LINES)
    assert (found.venue, found.symbols) == (VenueName.BINANCE_CM, ("BTCUSD_PERP",))


def test_raw_lines_with_some_damage_are_still_recognised(tmp_path: Path) -> None:
    text = b"half a line\n" + raw_lines([DEPTH] * 5) + b"1723161256000 {broken\n"
    inspection = inspect_file(write(tmp_path, "any", text))
    assert inspection.format is Format.RAW_LINES
    assert (inspection.records, inspection.unreadable) == (7, 2)
    assert inspection.messages == {"depthUpdate": 5}


def test_a_feed_capture(tmp_path: Path) -> None:
    path = write(tmp_path, "any", stored(CAPTURE, Container.ZSTD))
    found = recognise(path)
    assert (found.format, found.venue, found.symbols) == (Format.FEED_CAPTURE, VenueName.BINANCE_US, ("CRVUSDT",))
    inspection = inspect_file(path)
    assert inspection.venue is VenueName.BINANCE_US
    assert inspection.messages == {"(http)": 1, "bookTicker": 1}
    assert (inspection.records, inspection.unreadable) == (4, 1)
    assert (inspection.first_ns, inspection.last_ns) == (1_626_992_742_500_000_000, 1_626_992_743_250_000_000)


@pytest.mark.parametrize("container", Container)
def test_itch(tmp_path: Path, container: Container) -> None:
    inspection = inspect_file(write(tmp_path, "any", stored(ITCH, container)))
    assert (inspection.format, inspection.venue, inspection.symbols) == (Format.ITCH, VenueName.NASDAQ, ("ALC",))
    assert inspection.messages == {"A": 40, "S": 1, "R": 1}
    assert (inspection.first_ns, inspection.last_ns) == (10**9, 3 * 10**9)
    assert inspection.time_base is TimeBase.MIDNIGHT
    assert inspection.damage == ()


@pytest.mark.parametrize(
    ("damaged", "reason"),
    [
        (ITCH[:-3], DamageReason.CUT_OFF),
        (ITCH[:-36] + b"?" * 36, DamageReason.CORRUPT),
        (ITCH + b"?" * 200 + ITCH, DamageReason.CORRUPT),
    ],
)
def test_damaged_itch_is_counted_up_to_the_damage(tmp_path: Path, damaged: bytes, reason: DamageReason) -> None:
    inspection = inspect_file(write(tmp_path, "any", damaged))
    assert inspection.format is Format.ITCH
    assert [damage.reason for damage in inspection.damage] == [reason]
    assert inspection.records == (inspection.damage[0].offset or 0) // 38 + 1


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (b"", Format.EMPTY),
        (bytes.fromhex("d4c3b2a1") + bytes(20), Format.PCAP),
        (bytes.fromhex("a1b23c4d") + bytes(20), Format.PCAP),
        (bytes.fromhex("0a0d0d0a") + bytes(24), Format.PCAPNG),
        (ITCH, Format.ITCH),
        (b"1723161256172216566 {" + b'"a":' * 99, Format.RAW_LINES),
        (b"1723161256172216566 [1]\n", Format.RAW_LINES),
        (b'{"t":"recv","ts":1,"data":"', Format.FEED_CAPTURE),
        (b'{"t":"other"}\n', Format.UNKNOWN),
        (b"price,size\n1,2\n", Format.UNKNOWN),
        (b"\n\n\n", Format.UNKNOWN),
        (bytes(4096), Format.UNKNOWN),
    ],
)
def test_formats(head: bytes, expected: Format) -> None:
    assert format_of(head) is expected


@given(head=st.binary(max_size=400))
@hypothesis_settings(derandomize=True, deadline=None)
def test_any_bytes_have_a_format(head: bytes) -> None:
    assert format_of(head) in Format


@given(line=st.binary(max_size=60) | st.binary(max_size=30).map(lambda text: b"1723161256172216566 " + text))
@hypothesis_settings(derandomize=True, deadline=None, max_examples=300)
def test_any_line_is_read_or_refused(line: bytes) -> None:
    parsed = parse_raw(line)
    assert parsed is None or 0 <= parsed.time_ns < 2**62
    captured = parse_capture(line)
    assert captured is None or captured.t


@pytest.mark.parametrize(
    "line",
    [b"", b" {}", b"-1 {}", b"99999999999999999999 {}", b"9223372036854775807 {}", b"1723161256172216566", b"1 {"],
)
def test_lines_that_are_refused(line: bytes) -> None:
    assert parse_raw(line) is None


def test_a_cut_recording_shows_what_it_has(tmp_path: Path) -> None:
    whole = stored(raw_lines([DEPTH[:-1] + b',"n":%d}' % (index * 7919) for index in range(2000)]), Container.GZIP)
    inspection = inspect_file(write(tmp_path, "any", whole[: len(whole) // 2]))
    assert inspection.format is Format.RAW_LINES
    assert inspection.messages["depthUpdate"] > 500
    assert [damage.reason for damage in inspection.damage] == [DamageReason.CUT_OFF]
    assert inspection.newline_added
    assert inspection.unreadable == 1


def test_unknown_and_empty_files(tmp_path: Path) -> None:
    assert inspect_file(write(tmp_path, "csv", b"price,size\n1,2\n")).format is Format.UNKNOWN
    assert inspect_file(write(tmp_path, "empty", b"")).format is Format.EMPTY


def inspected(folder: Path, name: str) -> Inspection:
    return inspect_file(folder / name)


@pytest.mark.parametrize(
    ("name", "venue", "symbol", "messages"),
    [
        (
            "spot_btcusdt",
            VenueName.BINANCE_SPOT,
            "BTCUSDT",
            {"bookTicker": 28_040, "trade": 9_757, "depthUpdate": 3_451, "snapshot": 1},
        ),
        (
            "usdm_btcusdt",
            VenueName.BINANCE_USDM,
            "BTCUSDT",
            {"bookTicker": 66_089, "trade": 21_313, "depthUpdate": 6_551, "snapshot": 1},
        ),
        (
            "cm_btcusd_perp",
            VenueName.BINANCE_CM,
            "BTCUSD_PERP",
            {"depthUpdate": 26_847, "bookTicker": 19_136, "trade": 2_286, "snapshot": 1},
        ),
    ],
)
def test_the_real_recordings(data: Path, name: str, venue: VenueName, symbol: str, messages: dict[str, int]) -> None:
    inspection = inspected(data, f"binance-20240808/{name}_20240808.gz")
    assert (inspection.venue, inspection.symbols, inspection.messages) == (venue, (symbol,), messages)
    assert (inspection.unreadable, inspection.damage) == (0, ())


@pytest.mark.parametrize(
    ("name", "venue", "records"),
    [
        ("BINANCE", VenueName.BINANCE_SPOT, 272),
        ("BINANCE_DELIVERY", VenueName.BINANCE_CM, 4_384),
        ("BINANCE_FUTURES", VenueName.BINANCE_USDM, 1_542),
        ("BINANCE_US", VenueName.BINANCE_US, 487),
        ("BYBIT", VenueName.BYBIT, 3_256),
        ("COINBASE", VenueName.COINBASE, 1_038),
        ("DERIBIT", VenueName.DERIBIT, 143),
        ("KRAKEN", VenueName.KRAKEN, 4_438),
        ("OKX", VenueName.OKX, 440),
    ],
)
def test_the_real_feed_captures(data: Path, name: str, venue: VenueName, records: int) -> None:
    inspection = inspected(data, f"feeds/{name}.jsonl.zst")
    assert (inspection.venue, inspection.records, inspection.unreadable) == (venue, records, 0)
    assert inspection.symbols


def test_the_real_itch_file(data: Path) -> None:
    inspection = inspected(data, "itch/ex20101224.TEST_ITCH_50")
    counts = {"A": 4997, "P": 5000, "D": 1745, "E": 198, "X": 45, "U": 12, "S": 6, "F": 3, "H": 3, "R": 3}
    assert inspection.messages == counts
    assert inspection.symbols == ("ALC", "BOB", "CHAR")


def test_the_real_captures(data: Path) -> None:
    inspection = inspected(data, "deribit-multicast/sample_capture_v1_6.pcapng")
    assert (inspection.format, inspection.records) == (Format.PCAPNG, 5_066)
    assert inspection.damage == ()
    single = inspected(data, "omi/Cme/Mdp3.Sbe.v1.9/MdIncrementalRefreshBook.pcap")
    assert (single.format, single.damage) == (Format.PCAP, ())
    assert single.records >= 1

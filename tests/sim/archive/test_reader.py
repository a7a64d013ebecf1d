"""Rows of archived files: what is read, what is refused and where, whatever the pieces."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from market.errors import MissingInput
from sim.archive import files as archive_files
from sim.archive.files import archive_file, in_folder, verify_checksum
from sim.archive.reader import RowCount, TradeReader
from sim.archive.rows import Column, Integers, Reason
from tests.sim.archive.archived import HEADER, NAME, Traded, spot_text, trades, write_zip


def read(*paths: Path, decimals: tuple[int, int] = (2, 8)) -> tuple[Integers, RowCount]:
    reader = TradeReader(*decimals)
    parts = list(reader.parts([archive_file(path) for path in paths], lambda count: None))
    return np.concatenate(parts) if parts else np.zeros((0, len(Column)), np.int64), reader.count


def expected(made: list[Traded], unit_us: int = 1) -> Integers:
    return np.array(
        [(t.time_us // unit_us * unit_us * 1_000, t.number, t.first, t.last, t.price, t.lots, t.is_sell) for t in made],
        np.int64,
    )


def plain(folder: Path, text: str, name: str = NAME) -> Path:
    path = folder / f"{name}.csv"
    path.write_text(text, encoding="ascii", newline="")
    return path


@pytest.mark.parametrize("piece_bytes", [97, 1 << 20])
def test_spot_files_are_read_whatever_the_pieces(
    piece_bytes: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive_files, "PIECE_BYTES", piece_bytes)
    made = trades(300)
    rows, count = read(write_zip(tmp_path, spot_text(made)))
    assert np.array_equal(rows, expected(made))
    assert (count.rows, count.gaps, count.refused, count.columns) == (300, 0, {}, 8)


def test_futures_files_have_a_header_and_older_spot_files_milliseconds(tmp_path: Path) -> None:
    made = trades(200)
    futures = "\r\n".join([HEADER, *(trade.futures() for trade in made)])
    rows, count = read(plain(tmp_path, futures), decimals=(1, 3))
    assert np.array_equal(rows, expected(made, 1_000))
    assert (count.columns, count.refused) == (7, {})
    spot = "\n".join(trade.spot(microseconds=False) for trade in made)
    assert np.array_equal(read(plain(tmp_path, spot))[0], expected(made, 1_000))


SPOT_2025 = """\
3350172640,93576.00000000,0.00087000,4359221411,4359221413,1735689600014286,True,True
3350172641,93576.01000000,0.01250000,4359221414,4359221414,1735689600117903,False,True
"""
SPOT_2024 = """\
2847330121,42283.58000000,0.00104000,3352871201,3352871201,1704067200000,False,True
2847330122,42283.57000000,0.20000000,3352871202,3352871209,1704067200003,True,True
"""
USDM = """\
2461280431,93548.8,0.010,5812339811,5812339812,1735689600010,true
2461280432,93548.9,1.204,5812339813,5812339830,1735689600251,false
"""


@pytest.mark.parametrize("header", ["", f"{HEADER}\n"], ids=["no names", "names"])
@pytest.mark.parametrize(
    ("text", "decimals", "rows"),
    [
        (
            SPOT_2025,
            (2, 8),
            [
                [1735689600014286000, 3350172640, 4359221411, 4359221413, 9357600, 87000, 1],
                [1735689600117903000, 3350172641, 4359221414, 4359221414, 9357601, 1250000, 0],
            ],
        ),
        (
            SPOT_2024,
            (2, 8),
            [
                [1704067200000000000, 2847330121, 3352871201, 3352871201, 4228358, 104000, 0],
                [1704067200003000000, 2847330122, 3352871202, 3352871209, 4228357, 20000000, 1],
            ],
        ),
        (
            USDM,
            (1, 3),
            [
                [1735689600010000000, 2461280431, 5812339811, 5812339812, 935488, 10, 1],
                [1735689600251000000, 2461280432, 5812339813, 5812339830, 935489, 1204, 0],
            ],
        ),
    ],
    ids=["spot in microseconds", "spot in milliseconds", "USD-M"],
)
@pytest.mark.parametrize("zipped", [False, True], ids=["csv", "zip"])
def test_the_forms_of_the_archive_to_the_letter(
    header: str, text: str, decimals: tuple[int, int], rows: list[list[int]], zipped: bool, tmp_path: Path
) -> None:
    path = write_zip(tmp_path, header + text) if zipped else plain(tmp_path, header + text)
    found, count = read(path, decimals=decimals)
    assert found.tolist() == rows
    assert (count.refused, count.gaps) == ({}, 0)


GOOD = "100,10.5,1.25,7,8,1760054400000000,True,True"


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("101,10.5,1.25,9,9,1760054400000000,True", Reason.COLUMNS),
        ("101,10.5,1.25,9,9,1760054400000000,True,True,1", Reason.COLUMNS),
        ("101,,1.25,9,9,1760054400000000,True,True", Reason.MALFORMED),
        ("101,1e1,1.25,9,9,1760054400000000,True,True", Reason.MALFORMED),
        ("101,10.5,1.25,9,9,1760054400000000,yes,True", Reason.MALFORMED),
        ("101.0,10.5,1.25,9,9,1760054400000000,True,True", Reason.MALFORMED),
        ("101,10.5,1.25,9,9,1760054400000000.5,True,True", Reason.MALFORMED),
        ("x01,10.5,1.25,9,9,1760054400000000,True,True", Reason.MALFORMED),
        ("101,-10.5,1.25,9,9,1760054400000000,True,True", Reason.NOT_POSITIVE),
        ("101,10.5,0.00,-1,-1,1760054400000000,True,True", Reason.NOT_POSITIVE),
        ("101,0,1.25,9,9,1760054400000000,True,True", Reason.NOT_POSITIVE),
        ("101,10.5,1.25,9,9,1760054400,True,True", Reason.TIME),
        ("101,10.5,1.25,9,9,176005440000000000,True,True", Reason.TIME),
        ("101,10.5,1.25,9,8,1760054400000000,True,True", Reason.TRADE_IDS),
        ("101,999999999999999999,1.25,9,9,1760054400000000,True,True", Reason.TOO_LARGE),
        ("100,10.5,1.25,9,9,1760054400000000,True,True", Reason.DUPLICATE),
        ("99,10.5,1.25,9,9,1760054400000000,True,True", Reason.UNSORTED),
        ("101,10.5,1.25,9,9,1760054399999999,True,True", Reason.EARLIER),
    ],
)
def test_a_bad_row_is_counted_by_its_reason_with_its_place(line: str, reason: Reason, tmp_path: Path) -> None:
    after = "102,10.6,1,10,10,1760054400000001,false,true"
    rows, count = read(plain(tmp_path, f"{GOOD}\n{line}\n{line}\n{after}\n"))
    assert rows[:, Column.ID].tolist() == [100, 102]
    assert count.refused == {reason: 2}
    assert count.first_refused == {reason: f"{NAME}.csv, line 2"}
    assert (count.gaps, count.missing_ids) == (1, 1)


FIELDS = st.sampled_from(("0", "1", "100", "101", "10.5", "-1", ".", "1.", "", "1760054400000", "1760054400000001",
                          "true", "False", "9" * 17, "9" * 40, "x", "\xff"))  # fmt: skip
LINES = st.lists(st.lists(FIELDS, max_size=9).map(",".join) | st.sampled_from((GOOD, HEADER, "\r", "")), max_size=12)


@settings(derandomize=True, deadline=None, max_examples=300)
@given(LINES, st.integers(1, 40))
def test_any_text_is_read_line_by_line_in_pieces_of_any_size(lines: list[str], piece_bytes: int) -> None:
    text = "\n".join(lines)
    counted: list[tuple[list[list[int]], RowCount]] = []
    with TemporaryDirectory() as name, pytest.MonkeyPatch.context() as patch:
        path = Path(name) / f"{NAME}.csv"
        path.write_bytes(text.encode("latin-1"))
        for size in (piece_bytes, 1 << 20):
            patch.setattr(archive_files, "PIECE_BYTES", size)
            rows, count = read(path, decimals=(2, 8))
            counted.append((rows.tolist(), count))
    assert counted[0] == counted[1]
    rows_read, count = counted[0]
    written = [line for line in text.split("\n") if line not in ("", "\r")]
    is_header = bool(text) and text.split("\n")[0] not in ("", "\r") and text[0] >= "A"
    assert count.rows + sum(count.refused.values()) == len(written) - is_header
    assert all(row[Column.PRICE] > 0 and row[Column.QUANTITY] > 0 for row in rows_read)


def test_gaps_are_counted_from_file_to_file(tmp_path: Path) -> None:
    first, second = trades(50), trades(50, seed=2, start_ms=1_760_140_800_000, first_id=157)
    one = write_zip(tmp_path, spot_text(first))
    two = write_zip(tmp_path, spot_text(second), "BTCUSDT-aggTrades-2025-10-11")
    rows, count = read(one, two)
    assert len(rows) == 100
    assert (count.gaps, count.missing_ids) == (1, 7)


def test_more_decimals_than_a_tick_has_are_an_error_that_names_the_line(tmp_path: Path) -> None:
    with pytest.raises(MissingInput, match=r"line 1: .*more than 1 .*--price-decimals"):
        read(plain(tmp_path, GOOD.replace("10.5", "10.55") + "\n"), decimals=(1, 8))


def test_damaged_files_and_other_content_are_refused(tmp_path: Path) -> None:
    whole = write_zip(tmp_path, spot_text(trades(500)))
    content = whole.read_bytes()
    assert verify_checksum(archive_file(whole))
    for damaged in (content[: len(content) // 2], content[:200] + b"????" + content[204:]):
        whole.write_bytes(damaged)
        with pytest.raises(MissingInput, match="SHA-256"):
            verify_checksum(archive_file(whole))
        with pytest.raises(MissingInput, match=NAME):
            read(whole)
    with pytest.raises(MissingInput, match="no csv of trades"):
        read(plain(tmp_path, "1" * (12 << 20)))


def test_a_folder_gives_the_days_asked_for_and_names_those_it_lacks(tmp_path: Path) -> None:
    for name in ("BTCUSDT-aggTrades-2025-10-09", NAME, "BTCUSDT-aggTrades-2025-10-12", "BTCUSDT-aggTrades-2025-08"):
        write_zip(tmp_path, GOOD, name)
    plain(tmp_path, GOOD)
    found = in_folder(tmp_path, None, date(2025, 10, 9), date(2025, 10, 10))
    assert [file.path.name for file in found] == ["BTCUSDT-aggTrades-2025-10-09.zip", f"{NAME}.zip"]
    assert [file.path.name for file in in_folder(tmp_path, "BTCUSDT", date(2025, 8, 5), date(2025, 8, 6))] == [
        "BTCUSDT-aggTrades-2025-08.zip"
    ]
    with pytest.raises(MissingInput, match="no file of 2025-10-11: fetch"):
        in_folder(tmp_path, None, date(2025, 10, 9), date(2025, 10, 12))
    with pytest.raises(MissingInput, match="ETHUSDT-aggTrades"):
        in_folder(tmp_path, "ETHUSDT", None, None)
    write_zip(tmp_path, GOOD, "ETHUSDT-aggTrades-2025-10-10")
    with pytest.raises(MissingInput, match="BTCUSDT, ETHUSDT: name one with --symbol"):
        in_folder(tmp_path, None, None, None)

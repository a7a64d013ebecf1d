"""Statistics across venues: on a market by hand, and on the recordings against what was published about them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from config.loading import load_settings
from config.venues import VenueName
from orchestrator.replay.naming import naming
from orchestrator.replay.plan import SourceFile, session_settings
from orchestrator.replay.quoted_mids import QuotedMids
from orchestrator.replay.stated_quotes import stated_quotes
from orchestrator.replay.statistics import Pair, measure_pairs, statistics_result
from sim.replay.feed import FeedSettings
from tests.orchestrator.cli.terminal import Terminal
from tests.orchestrator.replay.market_lines import START_NS, line, spot_lines, spot_quote, write

SPOT, USDM, CM = VenueName.BINANCE_SPOT, VenueName.BINANCE_USDM, VenueName.BINANCE_CM
FILES = {
    "BTC": {SPOT: "spot_btcusdt", USDM: "usdm_btcusdt", CM: "cm_btcusd_perp"},
    "ETH": {SPOT: "spot_ethusdt", USDM: "usdm_ethusdt", CM: "cm_ethusd_perp"},
}
# Episodes above 1, 2, 3 and 5 bps and their median durations in ms, counted on these recordings with other code.
PUBLISHED = {
    ("BTC", SPOT, USDM): ((109, 19.0), (31, 7.0), (24, 5.6), (12, 4.6)),
    ("BTC", SPOT, CM): ((86, 17.0), (29, 2.1), (7, 15.0), (3, 23.0)),
    ("BTC", USDM, CM): ((119, 35.0), (20, 19.0), (9, 40.0), (8, 16.0)),
    ("ETH", SPOT, USDM): ((113, 43.0), (12, 2.5), (3, 2.9), (1, None)),
}


def sources(*files: SourceFile) -> tuple[FeedSettings, ...]:
    return session_settings(load_settings("demo", local=None, environment={}), list(files)).sources


def quotes(*rows: tuple[int, int, float]) -> QuotedMids:
    """Quotes of instrument 0 as (time, venue, mid)."""
    at, venues, mids = (np.array(column) for column in zip(*rows, strict=True))
    return QuotedMids(at, np.zeros(len(rows), dtype=np.int64), venues, mids.astype(np.float64))


@pytest.fixture(scope="module")
def measured(data: Path) -> dict[tuple[str, str, str], dict[str, Any]]:
    folder = data / "binance-20240808"
    files = [
        SourceFile(venue, folder / f"{name}_20240808.gz") for group in FILES.values() for venue, name in group.items()
    ]
    pairs, complete = measure_pairs(sources(*files))
    assert complete
    result = statistics_result(pairs, naming(load_settings("demo", local=None, environment={})))
    return {(pair["instrument"], pair["first"], pair["second"]): pair for pair in result["pairs"]}


@pytest.mark.parametrize("pair", PUBLISHED, ids=lambda pair: f"{pair[0]}-{pair[1]}-{pair[2]}")
def test_the_published_episodes_are_found(
    measured: dict[tuple[str, str, str], dict[str, Any]], pair: tuple[str, VenueName, VenueName]
) -> None:
    found = measured[pair[0], pair[1].value, pair[2].value]["episodes"]
    assert [cell["count"] for cell in found] == [count for count, _ in PUBLISHED[pair]]
    for cell, (_, median_ms) in zip(found, PUBLISHED[pair], strict=True):
        if median_ms is not None:
            assert cell["median_ns"] / 1e6 == pytest.approx(median_ms, rel=0.04)


def test_every_pair_of_venues_of_an_instrument_is_followed(
    measured: dict[tuple[str, str, str], dict[str, Any]],
) -> None:
    venues = [(SPOT, USDM), (SPOT, CM), (USDM, CM)]
    assert list(measured) == [(name, first, second) for name in ("BTC", "ETH") for first, second in venues]


def test_a_pair_has_a_basis_once_both_venues_have_stated_a_quote() -> None:
    pair = Pair(0, 0, 1)
    pair.add(quotes((1, 0, 100.0), (2, 0, 101.0)))
    assert pair.result().samples == 0
    pair.add(quotes((3, 1, 100.0), (4, 2, 90.0), (5, 0, 100.0)))
    assert pair.result().samples == 2


def test_the_basis_is_measured_against_the_second_venue() -> None:
    pair = Pair(0, 0, 1)
    pair.add(quotes((0, 0, 100.0), (0, 1, 100.0), (1, 0, 100.04), (2, 0, 100.0)))
    counts = [cell.count for cell in pair.result().episodes]
    assert counts == [1, 1, 1, 0]


def test_quotes_of_several_recordings_come_in_order_of_receive_time(tmp_path: Path) -> None:
    early = write(tmp_path / "early", spot_lines(3000))
    late = write(tmp_path / "late", [line(1000 + step, spot_quote(step, "61700.00", "61700.01")) for step in range(3)])
    times = np.concatenate([part.times_ns for part in stated_quotes(sources(*(SourceFile(SPOT, early),) * 2))])
    assert len(times) == 2000
    assert np.all(np.diff(times) >= 0)
    both = stated_quotes(sources(SourceFile(SPOT, early), SourceFile(SPOT, late)))
    times = np.concatenate([part.times_ns for part in both])
    assert len(times) == 1003
    assert np.all(np.diff(times) >= 0)


def test_a_time_that_steps_back_counts_as_the_newest(tmp_path: Path) -> None:
    offsets = (5, 3, 6)
    path = write(tmp_path / "back", [line(ms, spot_quote(ms, "61700.00", "61700.01")) for ms in offsets])
    parts = list(stated_quotes(sources(SourceFile(SPOT, path))))
    times_ns = np.concatenate([part.times_ns for part in parts])
    assert ((times_ns - START_NS) // 1_000_000).tolist() == [5, 5, 6]
    assert np.concatenate([part.mids for part in parts]).tolist() == pytest.approx([61700.005] * 3)


def test_a_withdrawn_quote_ends_the_basis_until_the_next(tmp_path: Path) -> None:
    lines = [line(0, spot_quote(1, "61700.00", "61700.01")), line(1, spot_quote(2, "61700.00", "61700.01", "0"))]
    (part, *more) = stated_quotes(sources(SourceFile(SPOT, write(tmp_path / "spot", lines))))
    assert np.isnan(np.concatenate([part.mids, *(one.mids for one in more)])).tolist() == [False, True]
    pair = Pair(0, 0, 1)
    pair.add(quotes((0, 0, 100.0), (1, 1, 100.0), (2, 0, float("nan")), (3, 1, 101.0), (4, 0, 100.0)))
    assert pair.result().samples == 2


def test_the_command_prints_the_table_and_the_json(terminal: Terminal, data: Path) -> None:
    folder = data / "binance-20240808"
    words = [
        word for venue, name in FILES["BTC"].items() for word in ("--source", f"{venue}={folder}/{name}_20240808.gz")
    ]
    shown = terminal.run("replay", *words, "--statistics")
    assert shown.code == 0
    assert "binance-spot - binance-usdm   93,851  109 (18.8 ms)" in shown.out
    pairs = terminal.run("replay", *words, "--statistics", "--json").json["statistics"]["pairs"]
    assert [pair["episodes"][0]["count"] for pair in pairs] == [109, 86, 119]


def test_one_venue_alone_has_no_basis(terminal: Terminal) -> None:
    write(terminal.folder / "spot", spot_lines())
    shown = terminal.run("replay", "--source", "binance-spot=spot", "--statistics")
    assert "no basis" in shown.out
    assert shown.code == 0

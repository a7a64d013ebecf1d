"""Rows are the best levels of the rebuilt book, and segments end where the book was lost."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from config.loading import load_settings
from market.book.intake import take_records
from market.book.listing import list_levels
from market.errors import Rejected
from orchestrator.replay.plan import parse_source, session_settings
from orchestrator.research.datasets.book_rows import BookRows, RecordedRows, Sampling
from sim.replay.feed import FeedSettings
from tests.orchestrator.replay.market_lines import MILLISECOND, START_NS, write
from tests.orchestrator.research.datasets.market_books import moving_lines, recording


def feed(path: Path, venue: str = "binance-spot") -> FeedSettings:
    [source] = session_settings(load_settings("demo"), [parse_source(f"{venue}={path}")]).sources
    return source


def rows_of(path: Path, sampling: Sampling, venue: str = "binance-spot") -> BookRows:
    """All rows of a recording of one market."""
    parts = list(RecordedRows(feed(path, venue), sampling).parts())
    return BookRows(
        0,
        np.concatenate([part.times_ns for part in parts]),
        np.concatenate([part.segments for part in parts]),
        np.concatenate([part.book for part in parts]),
    )


def test_the_first_row_is_the_snapshot(tmp_path: Path) -> None:
    rows = rows_of(recording(tmp_path, count=5), Sampling(levels=3))
    assert len(rows.times_ns) == 6
    assert rows.times_ns[0] == START_NS + MILLISECOND
    tick_lots = rows.book[0].reshape(3, 4)
    scale = tick_lots[0, 1] // 2
    assert tick_lots[:, 0].tolist() == [6_170_001, 6_170_002, 6_170_003]
    assert tick_lots[:, 2].tolist() == [6_170_000, 6_169_999, 6_169_998]
    assert (tick_lots[:, 1] // scale).tolist() == (tick_lots[:, 3] // scale).tolist() == [2, 3, 4]


@pytest.mark.parametrize("name", ["spot_btcusdt", "usdm_ethusdt"])
def test_rows_of_real_books_are_their_best_levels(data: Path, name: str) -> None:
    path = data / "binance-20240808" / f"{name}_20240808.gz"
    source = feed(path, "binance-spot" if name.startswith("spot") else "binance-usdm")
    books = source.new_books()
    for batch in source.open().batches():
        take_records(books, batch.records, batch.count, batch.bids, batch.asks)
    found = list_levels(books, 0)
    last = list(RecordedRows(source, Sampling(levels=20)).parts())[-1].book[-1].reshape(20, 4)
    assert np.array_equal(last[:, :2], found.asks[:20])
    assert np.array_equal(last[:, 2:], found.bids[:20])


def test_every_other_event(tmp_path: Path) -> None:
    path = recording(tmp_path)
    every, second = rows_of(path, Sampling(levels=3)), rows_of(path, Sampling(levels=3, every=2))
    assert np.array_equal(second.book, every.book[::2])
    assert np.array_equal(second.times_ns, every.times_ns[::2])


def test_a_grid_shows_what_was_known_before_each_moment(tmp_path: Path) -> None:
    path = recording(tmp_path)
    every, grid = rows_of(path, Sampling(levels=3)), rows_of(path, Sampling(levels=3, grid_ns=7 * MILLISECOND))
    assert (grid.times_ns % (7 * MILLISECOND) == 0).all()
    assert set(np.diff(grid.times_ns).tolist()) == {7 * MILLISECOND}
    before = np.searchsorted(every.times_ns, grid.times_ns) - 1
    assert np.array_equal(grid.book, every.book[before])


def test_a_fine_grid_is_whole_however_many_rows_it_has(tmp_path: Path) -> None:
    grid = rows_of(recording(tmp_path), Sampling(levels=3, grid_ns=MILLISECOND // 10))
    assert len(grid.times_ns) > 30_000
    assert set(np.diff(grid.times_ns).tolist()) == {MILLISECOND // 10}


@pytest.mark.parametrize("sampling", [Sampling(levels=3), Sampling(levels=3, grid_ns=MILLISECOND)])
def test_a_missing_update_ends_a_segment(tmp_path: Path, sampling: Sampling) -> None:
    rows = rows_of(recording(tmp_path, gap_at=200), sampling)
    assert np.unique(rows.segments).tolist() == [1, 2]
    gap_ns = START_NS + (10 + 10 * 200) * MILLISECOND
    assert rows.times_ns[rows.segments == 1].max() <= gap_ns
    assert rows.times_ns[rows.segments == 2].min() > gap_ns + 50 * MILLISECOND


def test_silence_ends_a_segment(tmp_path: Path) -> None:
    lines = moving_lines(100)
    later = [
        f"{int(text.partition(' ')[0]) + 3_000 * MILLISECOND * (number > 50)} {text.partition(' ')[2]}"
        for number, text in enumerate(lines)
    ]
    path = write(tmp_path / "spot.txt", later)
    assert np.unique(rows_of(path, Sampling(levels=3)).segments).tolist() == [1]
    silent = rows_of(path, Sampling(levels=3, silence_ns=1_000 * MILLISECOND))
    assert np.unique(silent.segments).tolist() == [1, 2]
    grid = rows_of(path, Sampling(levels=3, silence_ns=1_000 * MILLISECOND, grid_ns=10 * MILLISECOND))
    assert np.diff(grid.times_ns).max() > 2_900 * MILLISECOND
    assert np.unique(grid.segments).tolist() == [1, 2]


def test_a_snapshot_over_a_changed_book_ends_a_segment(tmp_path: Path) -> None:
    lines = moving_lines(20)
    update = 5 + 20
    bids, asks = '["61000.00","1"],["60999.99","1"]', '["61000.01","1"],["61000.02","1"]'
    snapshot = f'{{"lastUpdateId":{update},"bids":[{bids}],"asks":[{asks}]}}'
    lines.append(f"{START_NS + 900 * MILLISECOND} {snapshot}\n")
    rows = rows_of(write(tmp_path / "spot.txt", lines), Sampling(levels=2))
    assert rows.segments.tolist() == [1] * 21 + [2]


def test_a_side_with_too_few_levels_has_no_row(tmp_path: Path) -> None:
    assert not list(RecordedRows(feed(recording(tmp_path)), Sampling(levels=5)).parts())


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(Rejected, match="levels was 0: must be 1 to 1000"):
        Sampling(levels=0)
    with pytest.raises(Rejected, match="every 0 events"):
        Sampling(every=0)

"""A dataset holds what was built, refuses what is not its own, and its training part alone decides about numbers."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from market.errors import MissingInput, Rejected
from orchestrator.cli.exits import ExitCode
from orchestrator.research.datasets.book_rows import RecordedRows, Sampling
from orchestrator.research.datasets.build import DatasetPlan, build_dataset
from orchestrator.research.datasets.dataset import Dataset, array_file, open_dataset
from orchestrator.research.datasets.features import (
    Form,
    feature_names,
    fit_normalisation,
    imbalances,
    raw_features,
    row_features,
)
from orchestrator.research.datasets.header import HEADER_FILE, Header, read_header
from orchestrator.research.datasets.labels import classify, double_mids, smoothed_moves
from orchestrator.research.datasets.parts import Part, Reach
from tests.orchestrator.cli.terminal import Terminal
from tests.orchestrator.research.datasets.market_books import recording
from tests.orchestrator.research.datasets.test_book_rows import feed, rows_of

SAMPLING = Sampling(levels=3)
PLAN = DatasetPlan(sampling=SAMPLING, reach=Reach(5, 4))


def built(path: Path, folder: Path, plan: DatasetPlan = PLAN) -> Dataset:
    build_dataset([RecordedRows(feed(path), plan.sampling)], plan, folder, lambda rows: None)
    return open_dataset(folder)


def test_arrays_are_the_rows_and_what_follows_from_them(tmp_path: Path) -> None:
    path = recording(tmp_path, gap_at=200)
    rows = rows_of(path, SAMPLING)
    [market] = built(path, tmp_path / "set").markets
    assert market.name == "binance-spot BTCUSDT"
    assert np.array_equal(market.book, rows.book)
    assert np.array_equal(market.times_ns, rows.times_ns)
    assert np.array_equal(market.segments, rows.segments)
    moves = smoothed_moves(double_mids(rows.book), rows.segments, 4)
    assert np.array_equal(market.moves, moves, equal_nan=True)
    assert np.array_equal(market.labels, classify(moves, market.header.alpha))
    for part in (Part.TRAINING, Part.VALIDATION, Part.TEST):
        assert len(market.samples(part)) == market.header.parts[part.name.lower()] > 20
        assert (market.labels[market.samples(part)] >= 0).all()


def test_windows_are_rows_of_one_segment_as_scores(tmp_path: Path) -> None:
    [market] = built(recording(tmp_path, gap_at=200), tmp_path / "set").markets
    samples = market.samples(Part.TRAINING)
    windows = market.windows(samples)
    assert windows.shape == (len(samples), 5, 12)
    for number, row in enumerate(samples.tolist()):
        assert len(set(market.segments[row - 4 : row + 5].tolist())) == 1
        assert np.array_equal(windows[number], market.features(np.arange(row - 4, row + 1)))
    with pytest.raises(Rejected, match="row 2 has no window of 5 rows"):
        market.windows(np.array([2]))


def test_scores_of_the_training_rows_have_mean_0_and_deviation_1(tmp_path: Path) -> None:
    dataset = built(
        recording(tmp_path), tmp_path / "set", DatasetPlan(sampling=SAMPLING, reach=Reach(5, 4), form=Form.ABSOLUTE)
    )
    [market] = dataset.markets
    rows = np.flatnonzero(market.times_ns < dataset.header.split.validation_ns)
    scores = market.features(rows)
    assert np.abs(scores.mean(axis=0)).max() < 1e-9
    assert np.abs(scores.std(axis=0) - 1).max() < 1e-9


def test_what_comes_after_the_training_part_changes_nothing_that_is_fitted(tmp_path: Path) -> None:
    whole = built(recording(tmp_path, "whole.txt"), tmp_path / "whole")
    first = int(np.searchsorted(whole.markets[0].times_ns, whole.header.split.validation_ns))
    # Row n is that of update n - 1.
    other = built(recording(tmp_path, "other.txt", other_from=first - 1), tmp_path / "other")
    assert whole.header.split == other.header.split
    one, two = whole.header.markets[0], other.header.markets[0]
    assert (one.means, one.deviations, one.alpha, one.classes) == (two.means, two.deviations, two.alpha, two.classes)
    assert np.array_equal(whole.markets[0].book[:first], other.markets[0].book[:first])
    assert not np.array_equal(whole.markets[0].book[first], other.markets[0].book[first])


@settings(derandomize=True, deadline=None, max_examples=30)
@given(st.integers(0, 1 << 30), st.integers(1, 40))
def test_rows_outside_the_training_part_never_change_the_normalisation(seed: int, known: int) -> None:
    random = np.random.default_rng(seed)
    book = random.integers(1, 1 << 30, (60, 8))
    changed = book.copy()
    changed[known:] = random.integers(1, 1 << 30, changed[known:].shape)
    rows, segments = np.arange(known), np.arange(60) // 25
    for form in Form:
        assert fit_normalisation(book, segments, rows, form) == fit_normalisation(changed, segments, rows, form)


def test_forms_of_features() -> None:
    book = np.array([[102, 7, 100, 1, 104, 0, 99, 3]], dtype=np.int64)
    assert raw_features(book, book, Form.ABSOLUTE).tolist() == [[102, 7, 100, 1, 104, 0, 99, 3]]
    relative = raw_features(book, book, Form.RELATIVE)[0]
    assert relative[0::2].tolist() == [1, -1, 3, -2]
    assert relative[1::2].tolist() == np.log1p([7, 1, 0, 3]).tolist()
    assert imbalances(book).tolist() == [[-6 / 8, -3 / 11]]
    assert feature_names(2)[4:6] == ("ask_price_2", "ask_quantity_2")
    constant = fit_normalisation(np.full((7, 4), 3), np.zeros(7, dtype=np.int64), np.arange(7), Form.RELATIVE)
    assert constant.deviations == (1.0, 1.0, 1.0, 1.0)


def test_order_flow_is_what_came_to_a_level_since_the_row_before() -> None:
    #                 ask       bid
    book = np.array(
        [
            [102, 7, 100, 5],
            [102, 9, 100, 1],  # both prices stay: 2 lots came to the ask, 4 left the bid
            [103, 4, 101, 6],  # the ask is gone, 9 lots left; the bid is new, 6 came
            [101, 3, 99, 8],  # the ask is new, 3 came; the bid is gone, 6 left
            [105, 2, 104, 1],  # another segment
        ],
        dtype=np.int64,
    )
    found = row_features(book, np.array([1, 1, 1, 1, 2]), Form.FLOW)
    signed = np.array([[0, 0], [2, -4], [-9, 6], [3, -6], [0, 0]])
    assert found[:, 0::2].tolist() == (np.sign(signed) * np.log1p(np.abs(signed))).tolist()
    assert found[:, 1::2].tolist() == np.log1p(book[:, 1::2]).tolist()
    assert feature_names(2, Form.FLOW)[4:] == ("ask_flow_2", "ask_quantity_2", "bid_flow_2", "bid_quantity_2")


def test_features_of_single_rows_are_those_of_all(tmp_path: Path) -> None:
    plan = DatasetPlan(sampling=SAMPLING, reach=Reach(5, 4), form=Form.FLOW)
    [market] = built(recording(tmp_path, gap_at=200), tmp_path / "set", plan).markets
    segments = np.asarray(market.segments)
    assert len(np.unique(segments)) == 2
    whole = market.header.normalisation.apply(row_features(np.asarray(market.book), segments, Form.FLOW))
    rows = np.flatnonzero(np.diff(segments, prepend=0) != 0)
    for chosen in (rows, rows[1:] + 1, np.arange(len(segments))[::7]):
        assert np.array_equal(market.features(chosen), whole[chosen])
    # Without what came before, the first row of a segment has no flow.
    assert (market.raw_features(rows)[:, 0::2] == 0).all()


def test_a_header_comes_back_as_it_was_written(tmp_path: Path) -> None:
    header = built(recording(tmp_path), tmp_path / "set").header
    assert read_header(tmp_path / "set") == header
    assert Header.model_validate_json(header.text()) == header


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"version": 2}, "has version 2, this reader knows version 1"),
        ({"format": "other"}, "its format must be 'tickwire-dataset'"),
        ({"horizon": 0}, "horizon: Input should be greater than or equal to 1"),
        ({"colour": "red"}, "colour: Extra inputs are not permitted"),
        ({"levels": 4}, "12 means and 12 deviations, but 4 levels have 16 features"),
        ({"markets": []}, "markets"),
    ],
)
def test_a_wrong_header_is_refused_by_file_and_field(tmp_path: Path, change: dict[str, object], message: str) -> None:
    built(recording(tmp_path), tmp_path / "set")
    path = tmp_path / "set" / HEADER_FILE
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(Rejected, match=message) as caught:
        open_dataset(tmp_path / "set")
    assert str(path) in str(caught.value)


def test_changed_and_missing_arrays_are_named(tmp_path: Path) -> None:
    built(recording(tmp_path), tmp_path / "set")
    path = tmp_path / "set" / array_file(0, "labels")
    np.save(path, np.zeros(3, dtype=np.int8))
    with pytest.raises(Rejected, match=r"market-0-labels.npy has changed.*digests.labels"):
        open_dataset(tmp_path / "set")
    with pytest.raises(Rejected, match=r"market-0-labels.npy holds int8\[3\]: the header says int8\[401\]"):
        open_dataset(tmp_path / "set", verify=False)
    path.unlink()
    with pytest.raises(MissingInput, match=r"market-0-labels.npy cannot be read"):
        open_dataset(tmp_path / "set")
    with pytest.raises(MissingInput, match=r"nowhere/header.json cannot be read.*tickwire dataset"):
        open_dataset(tmp_path / "nowhere")


def test_a_build_that_fails_leaves_nothing(tmp_path: Path) -> None:
    short = recording(tmp_path, "short.txt", count=8)
    with pytest.raises(Rejected, match=r"binance-spot BTCUSDT, 9 rows of short.txt: no row of the training part"):
        built(short, tmp_path / "set")
    with pytest.raises(MissingInput, match=r"short.txt: no book in there was ever known with 9 levels"):
        built(short, tmp_path / "set", DatasetPlan(sampling=Sampling(levels=9), reach=Reach(5, 4)))
    with pytest.raises(
        Rejected,
        match=r"no sample in spot.txt: a sample needs 300 rows .* and 4 behind them .* the longest segment has",
    ):
        built(recording(tmp_path), tmp_path / "set", DatasetPlan(sampling=SAMPLING, reach=Reach(300, 4), alpha=1e-6))
    source = RecordedRows(feed(recording(tmp_path)), SAMPLING)
    with pytest.raises(Rejected, match="market binance-spot BTCUSDT is in two recordings"):
        build_dataset([source, source], PLAN, tmp_path / "set", lambda rows: None)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["short.txt", "spot.txt"]


def test_the_recordings_are_one_segment_each(data: Path, tmp_path: Path) -> None:
    plan = DatasetPlan(sampling=Sampling(), reach=Reach(100, 10))
    files = [data / "binance-20240808" / f"usdm_{name}_20240808.gz" for name in ("btcusdt", "ethusdt")]
    header = build_dataset(
        [RecordedRows(feed(path, "binance-usdm"), plan.sampling) for path in files],
        plan,
        tmp_path / "set",
        lambda rows: None,
    )
    assert [(market.name, market.rows, market.segments) for market in header.markets] == [
        ("binance-usdm BTCUSDT", 6_546, 1),
        ("binance-usdm ETHUSDT", 6_580, 1),
    ]
    dataset = open_dataset(tmp_path / "set")
    for market in dataset.markets:
        for first, second in ((Part.TRAINING, Part.VALIDATION), (Part.VALIDATION, Part.TEST)):
            assert market.samples(second)[0] - market.samples(first)[-1] >= 100 + 10
        levels = np.asarray(market.book).reshape(-1, 10, 4)
        assert (levels[:, 0, 0] > levels[:, 0, 2]).all()
        assert (np.diff(levels[:, :, 0], axis=1) > 0).all()
        assert (np.diff(levels[:, :, 2], axis=1) < 0).all()
        assert (levels[:, :, 1::2] > 0).all()


def test_a_dataset_may_take_some_markets_of_a_capture(terminal: Terminal, data: Path) -> None:
    capture = data / "deribit-multicast" / "sample_capture_v1_6.pcapng"
    name = "deribit ETH_USDC"
    options = ("--source", f"deribit={capture}", "--levels", "5", "--window", "4", "--alpha", "0", "--out", "set")
    ended = terminal.run("dataset", "--market", name, *options, "--json")
    assert ended.code == ExitCode.DONE, ended.err
    [market] = ended.json["header"]["markets"]
    assert (market["name"], market["rows"]) == (name, 147)


def test_a_damaged_recording_ends_with_1(terminal: Terminal, data: Path) -> None:
    whole = (data / "binance-20240808" / "spot_btcusdt_20240808.gz").read_bytes()
    (terminal.folder / "cut.gz").write_bytes(whole[:300_000])
    ended = terminal.run("dataset", "--source", "binance-spot=cut.gz", "--out", "set", "--json")
    assert ended.code == ExitCode.CHECK_FAILED
    assert ended.json["damage"] == 1
    assert open_dataset(terminal.folder / "set").markets[0].header.rows == ended.json["header"]["markets"][0]["rows"]


def words(path: Path, *more: str) -> tuple[str, ...]:
    return ("dataset", "--source", f"binance-spot={path}", "--levels", "3", "--window", "5", *more)


def test_the_command_says_what_it_made(terminal: Terminal) -> None:
    path = recording(terminal.folder)
    ended = terminal.run(*words(path, "--horizon", "4", "--alpha", "0.000001", "--out", "set", "--json"))
    assert ended.code == ExitCode.DONE, ended.err
    assert ended.json["header"] == json.loads((terminal.folder / "set" / HEADER_FILE).read_text())
    assert ended.json["header"]["markets"][0]["alpha"] == 1e-6
    assert not ended.json["header"]["balanced"]
    again = terminal.run(*words(path, "--out", "set"))
    assert again.code == ExitCode.INPUT
    assert "set is there already" in again.err
    shown = terminal.run(*words(path, "--grid-ms", "5", "--out", "grid"))
    assert shown.code == ExitCode.DONE, shown.err
    assert "binance-spot BTCUSDT" in shown.out


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (("--alpha", "much"), "'much' must be a relative move"),
        (("--training", "0.9", "--validation", "0.1"), "leave nothing for the test"),
        (("--market", "other"), "--market was 'other': must be one of 'binance-spot BTCUSDT'"),
    ],
)
def test_impossible_options_are_refused(terminal: Terminal, more: tuple[str, ...], message: str) -> None:
    ended = terminal.run(*words(recording(terminal.folder), *more, "--out", "set"))
    assert ended.code == ExitCode.USAGE
    assert message in ended.err

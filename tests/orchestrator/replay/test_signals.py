"""Market signals of a replay: shown, kept as samples, and without any influence on decisions."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from config.loading import load_settings
from config.venues import VenueName
from market.pipeline.samples import Samples, joined
from market.signals.outputs import Output
from orchestrator.replay.plan import SourceFile, session_settings
from orchestrator.replay.signal_plan import signal_plan
from orchestrator.replay.signals import COLUMNS, SignalRanges
from sim.generator.recording import generated_files, write_recordings
from sim.generator.settings import SECOND_NS, GeneratorSettings
from sim.replay.session import Session, SessionSettings, SessionSummary
from sim.replay.stepping import replay_stepwise
from tests.orchestrator.cli.terminal import Ended, Terminal
from tests.orchestrator.replay.market_lines import MILLISECOND, START_NS, line, spot_lines, spot_trade, write

BTC_SPOT = (0, 0)
BTC = {
    VenueName.BINANCE_SPOT: "spot_btcusdt",
    VenueName.BINANCE_USDM: "usdm_btcusdt",
    VenueName.BINANCE_CM: "cm_btcusd_perp",
}


class Kept:
    """Keeps the samples of a session and leaves the rest."""

    def __init__(self) -> None:
        self.parts: list[Samples] = []

    def outputs(self, payloads: list[bytes]) -> None:
        """Of no interest here."""

    def quotes(self, rows: np.ndarray[Any, np.dtype[np.int64]]) -> None:
        """Of no interest here."""

    def changes(self, rows: np.ndarray[Any, np.dtype[np.int64]]) -> None:
        """Of no interest here."""

    def samples(self, samples: Samples) -> None:
        self.parts.append(samples)


def plan(files: list[SourceFile], *, workers: int = 1, keep_signals: bool = True) -> SessionSettings:
    settings = load_settings("demo", local=None, environment={})
    settings = settings.model_copy(update={"replay": settings.replay.model_copy(update={"workers": workers})})
    return session_settings(settings, files, keep_signals=keep_signals)


def batchwise(files: list[SourceFile], workers: int = 1) -> tuple[SessionSummary, Samples]:
    kept = Kept()
    return Session(plan(files, workers=workers), kept, kept.samples).run(), joined(kept.parts)


def stepwise(files: list[SourceFile], workers: int = 1) -> tuple[SessionSummary, Samples]:
    kept = Kept()
    return replay_stepwise(plan(files, workers=workers), kept, take_samples=kept.samples), joined(kept.parts)


def assert_same(one: tuple[SessionSummary, Samples], other: tuple[SessionSummary, Samples]) -> None:
    """Equal decisions, equal samples and equal last values, bit for bit."""
    assert one[0].decision_hash == other[0].decision_hash
    for name in ("times_ns", "instruments", "venues", "values"):
        np.testing.assert_array_equal(getattr(one[1], name), getattr(other[1], name))
    assert one[0].signals is not None
    assert other[0].signals is not None
    for market, same in zip(one[0].signals.markets, other[0].signals.markets, strict=True):
        assert (market.key, market.time_ns, market.counters) == (same.key, same.time_ns, same.counters)
        np.testing.assert_array_equal(market.values, same.values)


@pytest.fixture
def spot(terminal: Terminal) -> list[str]:
    """Options that name a sound recording of 402 ms and two trades a second later."""
    late = [line(1_500, spot_trade(900, "61700.01")), line(1_501, spot_trade(901))]
    write(terminal.folder / "spot", [*spot_lines(), *late])
    return ["--source", "binance-spot=spot"]


def signals(ended: Ended) -> Any:
    return ended.json["signals"]["sources"]["binance-spot"]["BTC"]


def test_json_has_every_reading_of_every_market(terminal: Terminal, spot: list[str]) -> None:
    found = terminal.run("replay", *spot, "--json").json["signals"]
    assert found["sample_interval_ms"] == 100
    assert set(found["units"]) == set(COLUMNS)
    assert found["ns_per_message"] > 0
    market = found["sources"]["binance-spot"]["BTC"]
    assert set(market["values"]) == set(COLUMNS)
    # Receive times begin at a multiple of 100 ms: five moments up to 402 ms; what comes at 1,500 ms is in no sample.
    assert (market["symbol"], market["samples"], market["counters"]["trades"]) == ("BTCUSDT", 5, 135)
    assert market["values"]["spread"] == {"last": 1.0, "samples": 5, "min": 1.0, "mean": 1.0, "max": 1.0}
    # Trades of half a coin: 133 sells, then another two.
    assert market["values"]["cvd"]["min"] == -133 * 0.5 * 10**8
    assert market["values"]["cvd"]["last"] == -135 * 0.5 * 10**8
    # 41 buckets of 100,000 are complete; VPIN needs 50.
    assert market["values"]["vpin_buckets"]["last"] == 41
    assert market["values"]["vpin"] == {"last": None, "samples": 0, "min": None, "mean": None, "max": None}


def test_people_see_the_main_signals(terminal: Terminal, spot: list[str]) -> None:
    shown = terminal.run("replay", *spot).out
    assert "Market signals, sampled every 100 ms" in shown
    rows = {tuple(row.split()[2:-4]): row.split()[-4:] for row in shown.splitlines() if row.startswith("binance-spot")}
    assert rows["spread,", "ticks"] == ["1.00", "1.00", "1.00", "1.00"]
    assert rows["bought", "-", "sold,", "60", "s,", "base"][0] == "-67.5000"
    assert "beside the decisions" in shown


def test_signals_can_be_left_out(terminal: Terminal, spot: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    with_signals = terminal.run("replay", *spot, "--json").json
    without = terminal.run("replay", *spot, "--json", "--no-signals", "--out", "results").json
    assert "signals" not in without
    assert not (terminal.folder / "results" / "signals.parquet").exists()
    assert without["decision_hash"] == with_signals["decision_hash"]
    monkeypatch.setenv("TICKWIRE__REPLAY__SIGNALS__SAMPLE_INTERVAL_MS", "0")
    assert "signals" not in terminal.run("replay", *spot, "--json").json
    assert "Market signals" not in terminal.run("replay", *spot).out


def test_settings_choose_interval_window_and_buckets(
    terminal: Terminal, spot: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for key, value in {
        "SAMPLE_INTERVAL_MS": "10",
        "FLOW_WINDOW_S": "1",
        "VPIN_BUCKET_QUOTE": "61_700",
        "VPIN_BUCKETS": "5",
    }.items():
        monkeypatch.setenv(f"TICKWIRE__REPLAY__SIGNALS__{key}", value.replace("_", ""))
    market = signals(terminal.run("replay", *spot, "--json"))
    assert (market["samples"], market["flow_window_ns"]) == (41, 10**9)
    # A bucket of 61,700 at the reference price of 61,700 is one coin, so two trades.
    assert (market["vpin_bucket_lots"], market["values"]["vpin_buckets"]["last"]) == (10**8, 67)
    # The window of one second holds the last two trades alone.
    assert market["values"]["cvd"]["last"] == -(10**8)


def test_samples_are_kept_as_parquet(terminal: Terminal, spot: list[str]) -> None:
    found = signals(terminal.run("replay", *spot, "--json", "--out", "results"))
    table = pq.read_table(terminal.folder / "results" / "signals.parquet")
    assert table.column_names == ["time_ns", "instrument", "venue", "price_decimals", "quantity_decimals", *COLUMNS]
    rows = table.to_pydict()
    assert [(time_ns - START_NS) // MILLISECOND for time_ns in rows["time_ns"]] == [100, 200, 300, 400, 500]
    assert (set(rows["instrument"]), set(rows["venue"])) == ({0}, {0})
    assert (set(rows["price_decimals"]), set(rows["quantity_decimals"])) == ({2}, {8})
    assert rows["mid"] == [6170000.5] * 5
    assert min(rows["cvd"]) == found["values"]["cvd"]["min"]
    assert rows["trades_per_second"][0] < rows["trades_per_second"][-1]


def test_event_by_event_the_same_is_shown(terminal: Terminal, spot: list[str]) -> None:
    batch, events = (terminal.run("replay", *spot, "--json", *more).json["signals"] for more in ((), ("--per-event",)))
    assert batch.pop("ns_per_message")
    assert events.pop("ns_per_message")
    assert batch == events


def test_a_capture_without_instruments_of_the_profile_has_none(terminal: Terminal, data: Path) -> None:
    capture = data / "deribit-multicast" / "sample_capture_v1_6.pcapng"
    result = terminal.run("replay", "--source", f"deribit={capture}", "--json").json
    assert result["signals"]["sources"] == {}
    assert "Market signals" not in terminal.run("replay", "--source", f"deribit={capture}").out


def test_a_generated_market_has_the_same_signals_in_every_mode(tmp_path: Path) -> None:
    generated = GeneratorSettings(duration_ns=4 * SECOND_NS)
    write_recordings(generated, 3, tmp_path)
    files = [SourceFile(file.venue, file.path) for file in generated_files(generated, 3, tmp_path)]
    batch = batchwise(files)
    assert len(set(zip(batch[1].instruments.tolist(), batch[1].venues.tolist(), strict=True))) == len(files)
    assert_same(batch, batchwise(files, workers=2))
    assert_same(batch, stepwise(files))
    silent = Session(plan(files, keep_signals=False), Kept()).run()
    assert (silent.decision_hash, silent.signals) == (batch[0].decision_hash, None)


def test_recordings_have_the_same_signals_in_every_mode(data: Path) -> None:
    files = [SourceFile(venue, data / "binance-20240808" / f"{name}_20240808.gz") for venue, name in BTC.items()]
    batch = batchwise(files)
    assert_same(batch, batchwise(files, workers=2))
    assert_same(batch, stepwise(files))
    samples = batch[1]
    keys = list(zip(samples.times_ns.tolist(), samples.instruments.tolist(), samples.venues.tolist(), strict=True))
    assert all(one < other for one, other in pairwise(keys))
    assert set(samples.times_ns % (100 * MILLISECOND)) == {0}
    # At most ten samples a second and market, and nearly every tenth of a second has an event.
    assert 3 * 3_000 < len(samples) <= 3 * 3_470
    spreads = samples.values[samples.venues == 0, Output.SPREAD]
    assert np.nanmin(spreads) == 1


def test_ranges_do_not_depend_on_how_samples_are_cut() -> None:
    values = np.full((6, len(Output)), np.nan)
    values[:, Output.VPIN] = [np.nan, 0.5, 0.25, np.inf, 0.75, np.nan]
    numbers = np.zeros(6, dtype=np.int64)
    whole = Samples(numbers, numbers, numbers, numbers, numbers, values)
    expected = {"samples": 3, "min": 0.25, "mean": 0.5, "max": 0.75}
    for edge in range(7):
        ranges = SignalRanges()
        ranges.add(whole.rows(np.arange(edge)))
        ranges.add(whole.rows(np.arange(edge, 6)))
        assert ranges.of(BTC_SPOT).samples == 6
        assert ranges.of(BTC_SPOT).of(Output.VPIN) == expected
        assert ranges.of(BTC_SPOT).of(Output.MID)["mean"] is None


def test_a_bucket_and_a_notional_that_cannot_be_counted_are_cut_or_left_out() -> None:
    settings = load_settings("demo", local=None, environment={"TICKWIRE__REPLAY__SIGNALS__VPIN_BUCKET_QUOTE": "1e14"})
    planned = signal_plan(settings)
    assert planned is not None
    assert planned.settings[BTC_SPOT].vpin.bucket_lots == (1 << 46) - 1
    assert planned.settings[BTC_SPOT].profile.notional == 3_200 * 10**10
    largest = settings.instruments["BTC"].model_copy(update={"maximum_notional_quote": Decimal(10**14)})
    huge = settings.model_copy(update={"instruments": {**settings.instruments, "BTC": largest}})
    # 10^14 in ticks of 10^-2 times lots of 10^-8 is beyond 2^62.
    found = signal_plan(huge)
    assert found is not None
    assert found.settings[BTC_SPOT].profile.notional == 0

"""The acceptance of the replay on the real recordings: one decision hash, however it is run."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from config.loading import load_settings
from config.replay import Settle
from config.venues import VenueName
from orchestrator.replay.collect import Collector
from orchestrator.replay.plan import SourceFile, session_settings
from sim.replay.session import Session, SessionSettings, SessionSummary
from sim.replay.stepping import replay_stepwise

SPOT, USDM, CM = VenueName.BINANCE_SPOT, VenueName.BINANCE_USDM, VenueName.BINANCE_CM
BTC = {SPOT: "spot_btcusdt", USDM: "usdm_btcusdt", CM: "cm_btcusd_perp"}
ETH = {SPOT: "spot_ethusdt", USDM: "usdm_ethusdt", CM: "cm_ethusd_perp"}
# The gate of regressions: decisions on the recordings change only on purpose, with this line.
DECISION_HASH = "985e4b25a1e50fbbd23d495257675090a4a4f03ae1e1703d31ee8437f42742eb"


def files(data: Path, *names: dict[VenueName, str]) -> list[SourceFile]:
    folder = data / "binance-20240808"
    return [SourceFile(venue, folder / f"{name}_20240808.gz") for group in names for venue, name in group.items()]


def plan(
    sources: list[SourceFile], environment: Mapping[str, str] = MappingProxyType({}), **replay: Any
) -> SessionSettings:
    settings = load_settings("demo", local=None, environment=environment)
    settings = settings.model_copy(update={"replay": settings.replay.model_copy(update=replay)})
    return session_settings(settings, sources, keep_quotes=True, keep_changes=True, keep_signals=True)


def run(
    sources: list[SourceFile], environment: Mapping[str, str] = MappingProxyType({}), **replay: Any
) -> SessionSummary:
    return Session(plan(sources, environment, **replay), Collector()).run()


@pytest.fixture(scope="module")
def six(data: Path) -> SessionSummary:
    return run(files(data, BTC, ETH))


def test_no_gaps_all_synchronised_and_4584_tops_equal(six: SessionSummary) -> None:
    assert [source.gaps for source in six.sources] == [0] * 6
    assert all(source.synchronised and not source.rejects and not source.damage for source in six.sources)
    checks = sum(source.book_checks for source in six.sources)
    assert (checks, sum(source.book_equal for source in six.sources)) == (4584, 4584)


def test_the_decisions_are_those_of_before(six: SessionSummary) -> None:
    assert six.decision_hash == DECISION_HASH


def test_the_same_from_run_to_run_and_with_two_workers(data: Path, six: SessionSummary) -> None:
    assert run(files(data, BTC, ETH)).decision_hash == six.decision_hash
    assert run(files(data, BTC, ETH), workers=2).decision_hash == six.decision_hash


def test_the_same_event_by_event(data: Path) -> None:
    sources = files(data, BTC)
    batch = run(sources)
    stepwise = replay_stepwise(plan(sources), Collector())
    assert stepwise.decision_hash == batch.decision_hash
    assert stepwise.counters == batch.counters


def _framed_snapshots(lines: list[bytes], stream: str) -> Iterator[tuple[int, bytes]]:
    """Lines by receive time; the REST snapshot, which names no symbol, in a frame that does."""
    for line in lines:
        stamp, message = line.split(b" ", 1)
        if message.startswith(b'{"lastUpdateId"'):
            message = b'{"stream":"%s@snapshot","data":%s}' % (stream.encode(), message)
        yield int(stamp), stamp + b" " + message


def test_the_same_from_one_merged_file(data: Path, tmp_path: Path) -> None:
    separate = [file for file in files(data, BTC, ETH) if file.venue is USDM]
    merged: list[tuple[int, bytes]] = []
    for file, stream in zip(separate, ("btcusdt", "ethusdt"), strict=True):
        merged += _framed_snapshots(gzip.decompress(file.path.read_bytes()).splitlines(), stream)
    merged.sort(key=lambda line: line[0])
    path = tmp_path / "merged"
    path.write_bytes(b"\n".join(line for _, line in merged) + b"\n")
    together = run([SourceFile(USDM, path)])
    assert together.decision_hash == run(separate).decision_hash
    assert together.sources[0].book_checks == 503 + 471


def test_a_lagging_feed_changes_the_decisions(data: Path, six: SessionSummary) -> None:
    settings = load_settings("demo", local=None, environment={})
    lagged = session_settings(settings, files(data, BTC, ETH), lags_ns={CM: 50_000_000})
    summary = Session(lagged, Collector()).run()
    assert summary.decision_hash != six.decision_hash
    assert summary.messages == six.messages


def test_filled_settlement_builds_positions_up_to_their_limit(data: Path) -> None:
    tight = {"TICKWIRE__INSTRUMENTS__BTC__POSITION_LIMIT": "0.06"}
    unfilled = run(files(data, BTC), tight)
    filled = run(files(data, BTC), tight, settle=Settle.FILLED)
    assert unfilled.counters["gatePosition"] == 0
    assert filled.counters["gatePosition"] > 0


def test_parquet_files_hold_what_was_counted(data: Path, tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    collector = Collector(tmp_path)
    summary = Session(plan(files(data, BTC)), collector).run()
    collector.finish()
    assert pq.read_metadata(tmp_path / "quotes.parquet").num_rows == summary.counters["quoteEvents"]
    triggers = pq.read_table(tmp_path / "triggers.parquet").to_pydict()
    kinds = ("triggerArb", "triggerBasis", "triggerImbalance")
    assert len(triggers["id"]) == sum(summary.counters[kind] for kind in kinds)
    assert triggers["id"] == list(range(1, len(triggers["id"]) + 1))
    assert json.dumps(collector.markouts.by_kind())

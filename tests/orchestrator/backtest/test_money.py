"""Whatever is wrong with a recording or a venue: money balances to the unit after every event of a backtest."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path

import pytest

from config.backtest import BacktestVenueSettings, SlippageModel, SlippageSettings
from config.strategies import StrategyName
from config.venues import VenueName
from orchestrator.backtest import run as backtest
from orchestrator.backtest.plan import read_plan
from orchestrator.replay.plan import SourceFile
from tests.orchestrator.audited import audit_runs
from tests.orchestrator.backtest.market import settings_of

USDM = VenueName.BINANCE_USDM
PLAYED_NS = 8 * 10**9
Lines = Sequence[bytes]


def _gap(lines: Lines) -> Lines:
    """Three hundred messages are missing."""
    third = len(lines) // 6
    return [*lines[:third], *lines[third + 300 :]]


def _repeated(lines: Lines) -> Lines:
    return [line for number, line in enumerate(lines) for _ in range(2 if number % 10 == 0 else 1)]


def _swapped(lines: Lines) -> Lines:
    swapped = list(lines)
    for place in range(100, len(lines) - 1, 20):
        # Depth out of order is a gap, which is another fault.
        if not any(b"depth" in line for line in swapped[place : place + 2]):
            swapped[place], swapped[place + 1] = swapped[place + 1], swapped[place]
    return swapped


def _damaged(lines: Lines) -> Lines:
    return [line[: len(line) // 2] + b"\n" if number % 200 == 150 else line for number, line in enumerate(lines)]


@pytest.mark.parametrize(
    "fault", [None, _gap, _repeated, _swapped, _damaged], ids=["whole", "gap", "repeated", "swapped", "damaged"]
)
@pytest.mark.parametrize("is_busy", [False, True], ids=["at ease", "busy"])
def test_money_balances_after_every_event(
    usdm: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    fault: Callable[[Lines], Lines] | None,
    is_busy: bool,
) -> None:
    lines = gzip.decompress(usdm.read_bytes()).splitlines(keepends=True)
    path = tmp_path / "synthetic.gz"
    path.write_bytes(gzip.compress(b"".join(lines if fault is None else fault(lines)), 1))
    settings = settings_of(
        StrategyName.MARKET_MAKING,
        slippage=SlippageSettings(model=SlippageModel.FIXED, share_bps=Decimal(1)),
        venues={USDM: BacktestVenueSettings(latency_samples=str(_samples(tmp_path)) if is_busy else None)},
    )
    venue = settings.venues[USDM].model_copy(update={"maker_fee_bps": Decimal(-1), "taker_fee_bps": Decimal(4)})
    settings = settings.model_copy(update={"venues": {**settings.venues, USDM: venue}})
    plan = read_plan(settings, [SourceFile(USDM, path)])
    audit = audit_runs(monkeypatch, backtest)
    run = backtest.run_backtest(plan, until_ns=plan.tape.first_ns + PLAYED_NS)
    assert audit.checked > 5
    assert audit.fills
    for (_, key), position in run.positions.items():
        assert (position.quantity, position.cash, position.fees) == audit.sums[key]


def _samples(folder: Path) -> Path:
    """A venue that is too busy for every fourth request."""
    path = folder / "measured.csv"
    rows = ["sent_ns,processed_ns,answered_ns"]
    for number in range(200):
        sent_ns = 10**9 + number * 50_000_000
        rows.append(f"{sent_ns},{sent_ns + 3_000_000 if number % 4 else 0},{sent_ns + 6_000_000}")
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path

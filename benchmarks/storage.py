"""An order's intent on record before it is sent: the journal, beside inserts that SQLite commits one by one."""

from __future__ import annotations

import sqlite3
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import msgspec
import numpy as np

from benchmarks.harness import ROOT, Report
from config.storage import Durability
from market.orders.cause import Cause, Origin
from market.orders.kinds import OrderType, Side, TimeInForce
from market.orders.order import OrderIntent
from orchestrator.storage.journal_file import JournalFile

_SAMPLE: Final = {Durability.PROCESS: 5_000, Durability.FSYNC: 300}
_SYNCHRONOUS: Final = {Durability.PROCESS: "NORMAL", Durability.FSYNC: "FULL"}
_SURVIVES: Final = {Durability.PROCESS: "SIGKILL", Durability.FSYNC: "power loss"}
_PERCENTILES: Final = (50, 99)


def measure(report: Report) -> None:
    """Both durabilities in turn, round by round, on the disk of the repository; encoding included everywhere."""
    with tempfile.TemporaryDirectory(prefix=".benchmark-", dir=ROOT) as name:
        folder = Path(name)
        for durability in Durability:
            rounds = [_round(folder, durability, turn) for turn in range(report.rounds + 1)][1:]
            for place, percentile in enumerate(_PERCENTILES):
                report.compare(
                    f"intent on record, survives {_SURVIVES[durability]}, p{percentile}",
                    "us/intent",
                    [ours[place] for ours, _ in rounds],
                    f"sqlite3, one commit each, synchronous {_SYNCHRONOUS[durability]}",
                    [peer[place] for _, peer in rounds],
                )
    report.note("sqlite3: write-ahead log, table of id and the same MessagePack bytes; NORMAL survives SIGKILL, too")


def _round(folder: Path, durability: Durability, turn: int) -> tuple[list[float], list[float]]:
    intents = [_intent(number) for number in range(_SAMPLE[durability])]
    journal = JournalFile(folder / f"{durability}-{turn}.journal", turn, durability)
    ours = _percentiles(journal.intent, intents)
    journal.close()
    connection = sqlite3.connect(folder / f"{durability}-{turn}.db", isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute(f"PRAGMA synchronous = {_SYNCHRONOUS[durability]}")
    connection.execute("CREATE TABLE intents (id TEXT PRIMARY KEY, body BLOB NOT NULL)")
    encode = msgspec.msgpack.Encoder().encode

    def insert(intent: OrderIntent) -> None:
        connection.execute("INSERT INTO intents VALUES (?, ?)", (intent.client_order_id, encode(intent)))

    peer = _percentiles(insert, intents)
    connection.close()
    return ours, peer


def _percentiles(call: Callable[[OrderIntent], None], intents: Sequence[OrderIntent]) -> list[float]:
    """Microseconds of single calls."""
    clock = time.perf_counter_ns
    taken = []
    for intent in intents:
        start = clock()
        call(intent)
        taken.append(clock() - start)
    return [float(value) / 1e3 for value in np.percentile(taken, _PERCENTILES)]


def _intent(number: int) -> OrderIntent:
    return OrderIntent(
        cause=Cause(strategy="bench", origin=Origin.TRIGGER, epoch=1_790_000_000, number=number),
        decided_ns=1_790_000_000_000_000_000 + number,
        instrument=0,
        venue=1,
        side=Side.BUY,
        type=OrderType.LIMIT,
        time_in_force=TimeInForce.IOC,
        quantity=100_000,
        limit_price=6_170_001,
    )

"""The whole batch path, raw JSON to decisions, beside the C reference; and reading JSON alone, beside simdjson."""

from __future__ import annotations

import numpy as np

from benchmarks.harness import Report, seconds, take_turns
from benchmarks.parsing import CompiledParse, OurParse, reference_parse, simdjson_parse
from benchmarks.recordings import Recording, load_recording
from benchmarks.replays import OUTPUT_BYTES, ReferenceReplay, Replay, decision_hash, padded
from market.errors import Fatal, MissingExtra
from market.wire.records import Rows, Words
from sim.generator.settings import Coin
from sim.replay.session import Session

C_TARGET = 1 / 1.15
SIMDJSON_TARGET = 1 / 1.2


class _Nowhere:
    """Takes what a session sends and keeps nothing."""

    def outputs(self, payloads: list[bytes]) -> None:
        """Payloads of the engine."""

    def quotes(self, rows: Rows) -> None:
        """Quote rows."""

    def changes(self, rows: Rows) -> None:
        """Opportunity changes."""


def measure(report: Report) -> None:
    """Verify on both coins that everybody decides alike, then time BTC."""
    output: Words = np.zeros(OUTPUT_BYTES // 8, dtype=np.int64)
    for coin in (Coin.ETH, Coin.BTC):
        recording = load_recording(coin, report)
        digest = verify(recording, output)
        report.note(f"{coin.value}: decision hash {digest}, equal in the session, our batch path and C")
    events = _time_replays(report, recording, output)
    _time_parsers(report, recording, events)


def verify(recording: Recording, output: Words) -> str:
    """The decision hash of a recording; raises Fatal unless session, batch path and C agree in every byte sent."""
    ours = Replay(recording)
    reference = ReferenceReplay(recording, [padded(text) for text in recording.texts], output)
    ours.run()
    reference.run()
    same = ours.output() == reference.output()
    reference.close()
    session = Session(recording.session, _Nowhere()).run().decision_hash
    found = decision_hash(ours.output())
    if not same or found != session:
        raise Fatal(f"{recording.coin.value}: the C reference or the batch path decided otherwise; nothing was timed")
    return found


def _time_replays(report: Report, recording: Recording, output: Words) -> int:
    texts = [padded(text) for text in recording.texts]
    events = 0

    def ours() -> float:
        nonlocal events
        replay = Replay(recording)
        taken = seconds(replay.run)
        events = replay.messages()
        return taken * 1e9 / events

    def reference() -> float:
        replay = ReferenceReplay(recording, texts, output)
        taken = seconds(replay.run)
        replay.close()
        return taken * 1e9 / events

    values = take_turns({"ours": ours, "C": reference}, report.rounds)
    case = f"{recording.coin.value}, 3 venues, JSON to decision"
    report.compare(case, "ns/event", values["ours"], "C, gcc -O3", values["C"], target=C_TARGET)
    best = 1e3 / min(values["ours"])
    report.note(f"{events:,} events of {recording.size / events:.0f} bytes; ours at best {best:.2f} million events/s")
    return events


def _time_parsers(report: Report, recording: Recording, events: int) -> None:
    ours, reference = OurParse(recording), CompiledParse(reference_parse(), recording)
    contenders = {
        "ours": lambda: seconds(ours.run) * 1e9 / events,
        "C": lambda: seconds(reference.run) * 1e9 / events,
    }
    try:
        check = CompiledParse(simdjson_parse(), recording)
        if check.digests() != reference.digests():
            raise Fatal("the C reference and simdjson read different numbers; nothing was timed")
        contenders["simdjson"] = lambda: seconds(check.run) * 1e9 / events
    except MissingExtra as missing:
        report.note(str(missing))
    values = take_turns(contenders, report.rounds)
    case = f"{recording.coin.value}, JSON to levels only"
    report.compare(case, "ns/message", values["ours"], "C, gcc -O3", values["C"])
    if "simdjson" in values:
        report.compare(case, "ns/message", values["ours"], "simdjson On-Demand", values["simdjson"])
        ratio = report.compare(
            "yardstick: C's parser instead of ours",
            "ns/message",
            values["C"],
            "simdjson On-Demand",
            values["simdjson"],
            target=SIMDJSON_TARGET,
        )
        report.note(
            f"the C reference parses at {1 / ratio:.2f} times simdjson's time: it is a fair yardstick up to 1.2"
        )

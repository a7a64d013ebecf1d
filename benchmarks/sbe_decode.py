"""BestBidAsk messages of Binance's SBE stream: the compiled decoder in batch, beside decoders in Python."""

from __future__ import annotations

from struct import Struct
from typing import Final

from benchmarks.harness import Report, seconds, take_turns
from benchmarks.quotes import best_bid_ask_messages, quote_events
from benchmarks.recordings import load_recording
from market.errors import Fatal
from market.wire.binance_sbe import decode_messages, new_batch
from market.wire.binary import FIRST_FIELD, pack
from market.wire.sbe import decode, load_schema
from market.wire.schemas import BINANCE_STREAM
from sim.generator.settings import Coin

TARGET_NS: Final = 10
_BATCH: Final = 1_024
_PASSES: Final = 5
_HEADER: Final = 8
_BLOCK: Final = Struct("<qqbbqqqq")
"""Event time, update id, price and quantity exponent, bid price and quantity, ask price and quantity."""
_FIELDS: Final = 8
_GENERIC: Final = 2_000
"""Messages that the decoders in Python get: they need microseconds for each."""


def measure(report: Report) -> None:
    """Nanoseconds per message."""
    messages = best_bid_ask_messages(quote_events(load_recording(Coin.BTC, report)))
    packs = [pack(messages[start : start + _BATCH]) for start in range(0, len(messages), _BATCH)]
    batch = new_batch(rows=_BATCH)
    schema = load_schema(BINANCE_STREAM)
    some = messages[:_GENERIC]

    def compiled() -> float:
        def work() -> None:
            for buffer, bounds in packs * _PASSES:
                decode_messages(buffer, bounds, batch)

        return seconds(work) * 1e9 / len(messages) / _PASSES

    def generic() -> float:
        return seconds(lambda: [decode(schema, message) for message in some]) * 1e9 / len(some)

    def by_hand() -> float:
        unpack = _BLOCK.unpack_from
        return seconds(lambda: [unpack(message, _HEADER) for message in some]) * 1e9 / len(some)

    buffer, bounds = packs[0]
    decode_messages(buffer, bounds, batch)
    fields = [batch.rows[0, FIRST_FIELD + column] for column in range(_FIELDS)]
    if fields != list(decode(schema, some[0]).fields.values()) or fields != list(_BLOCK.unpack_from(some[0], _HEADER)):
        raise Fatal("the decoders read different numbers; nothing was timed")
    values = take_turns({"compiled": compiled, "generic": generic, "struct": by_hand}, report.rounds)
    case = f"BestBidAsk, batches of {_BATCH:,}"
    report.against_target(case, "ns/message", values["compiled"], TARGET_NS)
    report.compare(
        case,
        "ns/message",
        values["compiled"],
        "our generic decoder",
        values["generic"],
        caveat="pure Python from any schema, one dictionary per message: the golden model, not a peer for speed",
    )
    report.compare(
        case,
        "ns/message",
        values["compiled"],
        "Python's struct",
        values["struct"],
        caveat="one unpack_from per message with its offsets written by hand, no checks: what Python can do at best",
    )

"""The whole batch path over lines in memory, ours and the C reference: both ready to run, both with fresh books.

Each writes every payload into one area and hashes nothing while it runs.
"""

from __future__ import annotations

import ctypes
import hashlib
from collections.abc import Iterator
from typing import Final

import numpy as np

from benchmarks.arming import Arming, arming
from benchmarks.compiled import SOURCES, load_library
from benchmarks.recordings import Recording
from market.book.book import new_books
from market.book.continuity import Rule
from market.errors import Fatal
from market.fastpath import entries, layout, state
from market.pipeline import layout as pipeline
from market.pipeline.journal import Journal
from market.pipeline.loop import collect_events, run
from market.pipeline.settlement import new_control
from market.wire.binance_json import decode_lines
from market.wire.markets import HEADER_WORDS, market_table
from market.wire.records import CURSOR_ASKS, CURSOR_BIDS, CURSOR_POSITION, CURSOR_RECORDS, Batch, Rows, Words
from sim.replay.source import RECORDS_PER_BATCH, SourceSettings

OUTPUT_BYTES: Final = 1 << 24
_PADDING: Final = 64
_EVENTS: Final = 1 << 16
_LINE_BYTES: Final = 4_096
_HASHED: Final = frozenset({layout.TEMPLATE_TRIGGER, layout.TEMPLATE_STATUS})


def payloads(area: bytes) -> Iterator[bytes]:
    """The payloads of an output area: each behind one word with its length."""
    at = 0
    while at < len(area):
        size = int.from_bytes(area[at : at + 8], "little")
        yield area[at + 8 : at + 8 + size]
        at += 8 + size


def decision_hash(area: bytes) -> str:
    """SHA-256 of all trigger and status payloads, in order."""
    digest = hashlib.sha256()
    for payload in payloads(area):
        if int.from_bytes(payload[2:4], "little") in _HASHED:
            digest.update(payload)
    return digest.hexdigest()


def route_words(source: SourceSettings) -> Words:
    """A source's routes as the compiled loop reads them, one row per market."""
    rows = np.zeros((len(source.markets), pipeline.ROUTE_WORDS), dtype=np.int64)
    for row, market, route in zip(rows, source.markets, source.routes, strict=True):
        if route is None:
            raise Fatal(f"{market.symbol} has no route: the benchmark replays markets that are traded")
        row[pipeline.INSTRUMENT], row[pipeline.VENUE] = route.instrument, route.venue
        row[pipeline.PRICE_EXPONENT], row[pipeline.QUANTITY_EXPONENT] = route.price_exponent, route.quantity_exponent
        row[pipeline.PRICE_FACTOR] = 10 ** (-route.price_exponent - market.price_decimals)
        row[pipeline.QUANTITY_FACTOR] = 10 ** (-route.quantity_exponent - market.quantity_decimals)
        row[pipeline.NUMBERED] = source.venue.rule is not Rule.UNNUMBERED
    return rows.reshape(-1)


class Replay:
    """Our compiled path: decoder entries and the fused loop, as a session calls them."""

    def __init__(self, recording: Recording) -> None:
        session = recording.session
        begin = arming(session, recording.texts)
        self._texts = recording.texts
        self._settings = recording.sources
        self._engine = state.new_state(session.sizes, OUTPUT_BYTES, 0)
        for message in begin.messages:
            entries.push_control(self._engine, message, begin.time_ns)
        self._control = new_control(
            settle_after_ns=session.settle_after_ns,
            filled=session.filled,
            heartbeat_every_ns=session.heartbeat_every_ns,
            first_heartbeat_ns=begin.time_ns,
            next_sequence=begin.next_sequence,
        )
        self._journal = Journal().words
        self._decode, self._run = decode_lines.direct(), run.direct()
        self._event: Words = np.zeros(pipeline.EVENT_WORDS, dtype=np.int64)
        self._tables = [market_table(list(source.markets)) for source in recording.sources]
        self._batches = [Batch(RECORDS_PER_BATCH, source.venue.levels) for source in recording.sources]
        self._books = [
            new_books([source.venue.rule], needs_book=source.venue.needs_book) for source in recording.sources
        ]
        self._routes = [route_words(source) for source in recording.sources]
        self._words: Words = np.zeros(len(recording.sources) * pipeline.SOURCE_WORDS, dtype=np.int64)
        self.rows = self._words.reshape(-1, pipeline.SOURCE_WORDS)
        self._row_views = [row.data for row in self.rows]
        self._cursors = [batch.cursor.data for batch in self._batches]
        self._engine_view = self._engine.data
        for row, batch, books, routes in zip(self.rows, self._batches, self._books, self._routes, strict=True):
            batch.restart()
            row[pipeline.BOOKS], row[pipeline.ROUTES] = books.ctypes.data, routes.ctypes.data
            row[pipeline.RECORDS] = batch.records.ctypes.data
            row[pipeline.BIDS], row[pipeline.ASKS] = batch.bids.ctypes.data, batch.asks.ctypes.data
            row[pipeline.FINISHED] = 1

    def _begin(self) -> None:
        for index in range(len(self._texts)):
            self._refill(index)

    def _refill(self, index: int) -> None:
        """Decode a source's next batch."""
        batch, source, row = self._batches[index], self._settings[index], self.rows[index]
        batch.clear()
        source.venue.decode_lines(
            self._texts[index],
            source.maximum_jump_ns,
            self._tables[index],
            batch.records,
            batch.bids,
            batch.asks,
            batch.cursor,
            source.lag_ns,
        )
        row[pipeline.POSITION] = 0
        row[pipeline.COUNT] = batch.count
        row[pipeline.FINISHED] = batch.count == 0

    def run(self) -> None:
        """Replay to the end."""
        self._begin()
        while True:
            needed = run(self._words, len(self._texts), self._engine, self._control, self._journal, self._event)
            if needed == pipeline.DONE:
                return
            if needed == pipeline.NEEDS_ROOM:
                raise Fatal(f"the output area of {OUTPUT_BYTES} bytes is full")
            self._refill(-3 - needed)

    def each_message(self, most: int) -> list[tuple[int, bytes]]:
        """Source and line of the first messages in order of receive time, for ``run_one``."""
        lines = [
            (int(line[: line.index(b" ")]), source, line + b"\n")
            for source, text in enumerate(self._texts)
            for line in text[: most * _LINE_BYTES].splitlines()[:most]
        ]
        return [(source, line) for _, source, line in sorted(lines)[:most]]

    def run_one(self, index: int, line: bytes) -> int:
        """Take one message alone, as it comes from a connection; returns the bytes that wait to be sent.

        Single words go through memoryviews: an item of an array costs three times as much.
        """
        batch, source, row, cursor = (
            self._batches[index],
            self._settings[index],
            self._row_views[index],
            self._cursors[index],
        )
        cursor[CURSOR_POSITION] = cursor[CURSOR_RECORDS] = cursor[CURSOR_BIDS] = cursor[CURSOR_ASKS] = 0
        table, records, bids, asks = self._tables[index], batch.records, batch.bids, batch.asks
        row[pipeline.COUNT] = self._decode(line, source.maximum_jump_ns, table, records, bids, asks, batch.cursor, 0)
        row[pipeline.POSITION] = 0
        row[pipeline.FINISHED] = 1
        self._run(self._words, len(self._texts), self._engine, self._control, self._journal, self._event)
        return int(self._engine_view[state.OUTPUT_USED])

    def events(self) -> Rows:
        """Instead of ``run``: everything that the engine would be fed with, int64[n, layout.EVENT_WORDS]."""
        parts: list[Rows] = []
        events: Rows = np.zeros((_EVENTS + 1, pipeline.EVENT_WORDS), dtype=np.int64)
        needed = pipeline.NEEDS_ROOM
        self._begin()
        while needed != pipeline.DONE:
            count = collect_events(self._words, len(self._texts), events, _EVENTS)
            parts.append(events[:count].copy())
            needed = int(events[_EVENTS, 0]) if count < _EVENTS else pipeline.NEEDS_ROOM
            if needed <= -3:
                self._refill(-3 - needed)
        return np.concatenate(parts)

    def messages(self) -> int:
        """Messages replayed."""
        return int(self.rows[:, pipeline.MESSAGES].sum())

    def output(self) -> bytes:
        """The output area as far as it is filled."""
        used, start = int(self._engine[state.OUTPUT_USED]), int(self._engine[state.OUTPUT])
        return self._engine.view(np.uint8)[start : start + used].tobytes()


def padded(text: bytes) -> Words:
    """Bytes with some readable ones behind them, as the C code needs; int64 words."""
    words: Words = np.zeros((len(text) + _PADDING + 7) // 8, dtype=np.int64)
    words.view(np.uint8)[: len(text)] = np.frombuffer(text, dtype=np.uint8)
    return words


def source_words(source: SourceSettings) -> list[int]:
    """A source in the reference's setup: book rule, limits, its market, its route."""
    if len(source.markets) != 1 or source.venue.depth_limit:
        raise Fatal(f"{source.name}: the C reference knows sources of one market without a depth limit")
    market = market_table(list(source.markets))[HEADER_WORDS : HEADER_WORDS + 7]
    head = [int(source.venue.rule), int(source.venue.needs_book), source.maximum_jump_ns, source.lag_ns]
    route = route_words(source)
    order = (
        pipeline.INSTRUMENT,
        pipeline.VENUE,
        pipeline.PRICE_EXPONENT,
        pipeline.QUANTITY_EXPONENT,
        pipeline.PRICE_FACTOR,
        pipeline.QUANTITY_FACTOR,
        pipeline.NUMBERED,
    )
    return [*head, *market.tolist(), *(int(route[slot]) for slot in order)]


def setup_words(recording: Recording, begin: Arming) -> Words:
    """A whole session in the reference's setup: sizes, times, sources, and the control messages that arm it."""
    session = recording.session
    words = [
        len(recording.sources),
        session.sizes.venues,
        session.sizes.instruments,
        session.sizes.price_bits,
        layout.SCHEMA_ID,
        layout.SCHEMA_VERSION,
        session.settle_after_ns,
        int(session.filled),
        session.heartbeat_every_ns,
        begin.time_ns,
        begin.next_sequence,
        len(begin.messages),
    ]
    for source in recording.sources:
        words += source_words(source)
    for message in begin.messages:
        words.append(len(message))
        words += np.frombuffer(message + bytes(-len(message) % 8), dtype="<i8").tolist()
    return np.array(words, dtype=np.int64)


def reference_library() -> ctypes.CDLL:
    """The C reference, compiled."""
    library = load_library([SOURCES / "reference" / "reference.c"], standard="gnu11")
    library.reference_new.restype = ctypes.c_void_p
    library.reference_new.argtypes = [ctypes.c_void_p] * 4 + [ctypes.c_int64]
    library.reference_free.argtypes = [ctypes.c_void_p]
    library.reference_run.argtypes = [ctypes.c_void_p]
    library.reference_run.restype = ctypes.c_int64
    library.reference_parse.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64, ctypes.c_void_p]
    library.reference_parse.restype = ctypes.c_int64
    return library


class ReferenceReplay:
    """The C reference over the same lines."""

    def __init__(self, recording: Recording, texts: list[Words], output: Words) -> None:
        self._library = reference_library()
        self._setup = setup_words(recording, arming(recording.session, recording.texts))
        self._texts, self._output = texts, output
        self._lengths: Words = np.array([len(text) for text in recording.texts], dtype=np.int64)
        self._data: Words = np.array([text.ctypes.data for text in texts], dtype=np.int64)
        self._used = 0
        self._replay = self._library.reference_new(
            self._setup.ctypes.data,
            self._data.ctypes.data,
            self._lengths.ctypes.data,
            output.ctypes.data,
            output.nbytes,
        )

    def run(self) -> None:
        """Replay to the end."""
        self._used = self._library.reference_run(self._replay)

    def output(self) -> bytes:
        """The output area as far as it is filled."""
        return self._output.view(np.uint8)[: self._used].tobytes()

    def close(self) -> None:
        """Give the replay's memory back."""
        self._library.reference_free(self._replay)

"""What only hardware counts, as messages behind each FrameCounters message."""

from __future__ import annotations

from functools import reduce
from operator import or_
from typing import Any, Final

from amaranth.hdl import Module, Signal, Value, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.account.payload_words import word_of_field, words_of
from hdl.egress.latency import COUNT_BITS, LATENCY_BITS
from hdl.egress.latency_buckets import BUCKETS
from hdl.records import WORD_BITS, word_layout, word_stream
from market.fastpath import layout

PS_PER_SECOND: Final = 10**12
GUARD_FIELDS: Final = ("forged", "replayed", "loosened", "controlLost", "lineErrors")
_BUCKET_FIELDS: Final = tuple(f"bucket{number}" for number in range(BUCKETS))


class Reports(wiring.Component):
    """Sends LatencyCounters and BoardCounters once the core has sent its FrameCounters and is at rest.

    Parameters
    ----------
    hertz: of the clock.

    Members
    -------
    watched, watched_passes: what the core sends, in words, and the cycles in which one passes.
    at_rest: the core has nothing under way: reports hold up nothing that is there.
    time: of now.
    measured, unmatched, minimum, maximum, bucket, count: of ``LatencyMeter``.
    forged, replayed, loosened, control_lost, line_errors, seal_counter: fields of BoardCounters.
    words: the reports.
    idle: none is due.
    """

    def __init__(self, hertz: int) -> None:
        self._cycle_ps = PS_PER_SECOND // hertz
        super().__init__(
            {
                "watched": In(word_layout),
                "watched_passes": In(1),
                "at_rest": In(1),
                "time": In(WORD_BITS),
                "measured": In(COUNT_BITS),
                "unmatched": In(COUNT_BITS),
                "minimum": In(signed(LATENCY_BITS)),
                "maximum": In(signed(LATENCY_BITS)),
                "bucket": Out(range(BUCKETS)),
                "count": In(COUNT_BITS),
                "forged": In(COUNT_BITS),
                "replayed": In(COUNT_BITS),
                "loosened": In(COUNT_BITS),
                "control_lost": In(COUNT_BITS),
                "line_errors": In(COUNT_BITS),
                "seal_counter": In(WORD_BITS),
                "words": Out(word_stream()),
                "idle": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """One bit walks over the words of both messages; each is chosen in the cycle before it is shown."""
        m = Module()
        of_frames, due, started = Signal(), Signal(), Signal(WORD_BITS)
        watched = self.watched
        with m.If(self.watched_passes):
            with m.If(watched.first):
                m.d.sync += of_frames.eq(watched.data[16:32] == layout.TEMPLATE_FRAME_COUNTERS)
            with m.If(watched.last & of_frames & ~watched.first):
                m.d.sync += due.eq(1)
        messages = [self._latency_words(started), self._board_words(started)]
        words = [word for message in messages for word in message]
        at, taken, shown = Signal(len(words)), Signal(), self.words.payload
        behind = len(messages[0])
        first_bucket = word_of_field("LatencyCounters", _BUCKET_FIELDS[0])
        buckets = range(first_bucket, first_bucket + BUCKETS)
        in_buckets = at[buckets.start : buckets.stop].any()
        chosen = [words[first_bucket] & in_buckets.replicate(WORD_BITS)]
        chosen += [word & at[n].replicate(WORD_BITS) for n, word in enumerate(words) if n not in buckets]
        m.d.comb += [
            taken.eq(~self.words.valid | self.words.ready),
            self.idle.eq(~due & ~at.any() & ~self.words.valid),
        ]
        with m.If(due & self.at_rest & ~at.any()):
            m.d.sync += [due.eq(0), at.eq(1), self.bucket.eq(0), started.eq(self.time)]
        with m.If(taken):
            m.d.sync += [
                self.words.valid.eq(at.any()),
                shown.data.eq(reduce(or_, chosen)),
                shown.first.eq(at[0] | at[behind]),
                shown.last.eq(at[behind - 1] | at[-1]),
                self.bucket.eq(self.bucket + in_buckets),
            ]
            with m.If(at.any()):
                m.d.sync += at.eq(at << 1)
        return m

    def _latency_words(self, time: Signal) -> list[Value]:
        values: dict[str, Any] = {
            "time": time,
            "cyclePs": Value.cast(self._cycle_ps),
            **{name: getattr(self, name) for name in ("measured", "unmatched", "minimum", "maximum")},
            **dict.fromkeys(_BUCKET_FIELDS, self.count),
        }
        return words_of("LatencyCounters", values)

    def _board_words(self, time: Signal) -> list[Value]:
        names = {"controlLost": "control_lost", "lineErrors": "line_errors", "sealCounter": "seal_counter"}
        values = {name: getattr(self, names.get(name, name)) for name in (*GUARD_FIELDS, "sealCounter")}
        return words_of("BoardCounters", {"time": time, **values})

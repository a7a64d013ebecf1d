"""Sending what a step made: triggers to their destination, acknowledgements and status messages to the host."""

from __future__ import annotations

from typing import Final

from market.fastpath import layout as messages
from market.fastpath import state
from market.native.kernel import inline, part
from market.native.memory import get, load_u16, put
from market.pipeline.journal import count_duration
from market.pipeline.layout import HISTOGRAM
from market.receive import layout, libc

_TRIGGERS: Final = layout.COUNTERS + int(layout.Counter.TRIGGERS_SENT)
"""First of the counters of triggers: sent, blocked, failed."""
_ANSWERS: Final = layout.COUNTERS + int(layout.Counter.ANSWERS_SENT)
_LAST_ERROR: Final = layout.COUNTERS + int(layout.Counter.LAST_SEND_ERROR)
_FLAGS: Final = libc.MSG_DONTWAIT | libc.MSG_NOSIGNAL


@inline
def _send(loop: int, fd: int, message: int, size: int, to: int, counters: int) -> bool:
    """Send one datagram without waiting; count it as sent, blocked or failed."""
    destination = loop + to * layout.WORD
    if libc.send_to(fd, message, size, _FLAGS, destination, libc.ADDRESS_SIZE) == size:
        state.bump(loop, counters)
        return True
    error = libc.error_number()
    put(loop, _LAST_ERROR, error)
    state.bump(loop, counters + 1 if error == libc.EAGAIN else counters + 2)
    return False


@inline
def _count_latency(loop: int, histogram: int, latency_ns: int) -> None:
    """Count in a histogram of the loop; the wall clock may have stepped back, which counts as 0."""
    count_duration(loop + (histogram - HISTOGRAM) * layout.WORD, max(latency_ns, 0))


@part
def send_outputs(engine: int, loop: int, time_ns: int, entry_ns: int) -> None:
    """Send and remove all that waits in the engine's output area, in order.

    ``time_ns`` and ``entry_ns`` say when the kernel and the loop received what caused it.
    """
    at, used = 0, get(engine, state.OUTPUT_USED)
    area = engine + get(engine, state.OUTPUT)
    while at < used:
        size, message = get(area + at, 0), area + at + layout.WORD
        if load_u16(message, messages.HEADER_TEMPLATE) == messages.TEMPLATE_TRIGGER:
            if _send(loop, get(loop, layout.TRIGGER_FD), message, size, layout.TRIGGER_TO, _TRIGGERS):
                sent_ns = libc.read_clock(loop + layout.CLOCK * layout.WORD)
                _count_latency(loop, layout.FROM_KERNEL, sent_ns - time_ns)
                _count_latency(loop, layout.FROM_ENTRY, sent_ns - entry_ns)
        else:
            _send(loop, get(loop, layout.CONTROL_FD), message, size, layout.HOST, _ANSWERS)
        at += layout.WORD + size
    put(engine, state.OUTPUT_USED, 0)

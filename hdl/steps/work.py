"""What the states of the sequencer share while a step is under way."""

from __future__ import annotations

from amaranth.hdl import Signal

from hdl.records import TIME_BITS, WORD_BITS, count_bit, count_layout
from hdl.steps.item import TRADE_COUNT_BITS
from market.fastpath.state import Counter, FrameCounter


class Work:
    """Registers of the step: what it counts at its end, its time and number, and what becomes of it.

    ``first_counts``: what the oldest item counts whatever its events do. ``counted``: ``counts``, and what the event
    that is committed counts. ``of_item``: it is an item's, not a control message's; ``of_packet``: a packet's.
    ``is_step``: it is numbered. ``status_wanted``: a status is sent at its end, due or not; ``status_due``: one is due,
    the next from ``next_status`` on; ``has_status``: one is sent. ``remaining``: trades that are still to come.
    ``loaded_once``: the quote that arrives has been given to the decider. ``holds``: no frame is numbered.
    ``offers``: a record is given, if there is ``room`` for it. ``item_done``: the step of the oldest item ends.
    ``load``: the decider is given the item's quote. ``prepare``, ``forget``: what is asked of the decider, which is
    ``ready`` for it; ``asked``: it is told of an event in this cycle, whose quote may come from the next one on.
    """

    def __init__(self) -> None:
        self.counts, self.counted = Signal(count_layout), Signal(count_layout, name="counted")
        self.time, self.number = Signal(TIME_BITS, name="step_time"), Signal(WORD_BITS, name="step_number")
        self.of_item, self.of_packet = Signal(name="of_item"), Signal(name="of_packet")
        self.is_step, self.holds = Signal(name="is_step"), Signal(name="holds")
        self.status_wanted = Signal(name="status_wanted")
        self.status_due, self.has_status = Signal(name="status_due"), Signal(name="has_status")
        self.next_status = Signal(TIME_BITS + 1, name="next_status")
        self.remaining = Signal(TRADE_COUNT_BITS, name="remaining")
        self.loaded_once = Signal(name="loaded_once")
        self.prepare, self.forget, self.ready = Signal(name="prepares"), Signal(name="forgets"), Signal(name="is_ready")
        self.asked, self.item_done = Signal(name="asked"), Signal(name="item_done")
        self.first_counts, self.load = Signal.like(self.counts.mask, name="first_counts"), Signal(name="loads")
        self.offers, self.room = Signal(name="offers"), Signal(name="room")


def mask_of(*counters: Counter | FrameCounter) -> int:
    """Counters as bits of a count mask."""
    return sum(1 << count_bit(counter) for counter in counters)

"""The fused loop: decoded records of several sources in, decisions out, in one compiled call per batch."""

from __future__ import annotations

from market.fastpath import layout as messages
from market.fastpath import state
from market.fastpath.egress import RECORD_HEADER
from market.fastpath.entries import has_room
from market.fastpath.events import quote_event, trade_event
from market.native.kernel import entry, inline, part
from market.native.memory import address_of, cycle_counter, get
from market.pipeline import layout
from market.pipeline.intake import next_source, source_row, take_next
from market.pipeline.journal import count_duration, has_journal_room, keep_changes, keep_quote
from market.pipeline.settlement import enqueue, send_due
from market.wire import records
from market.wire.records import Rows, Words


@part
def _feed_quote(event: int, engine: int) -> None:
    quote_event(
        engine,
        get(event, layout.EVENT_INSTRUMENT),
        get(event, layout.EVENT_VENUE),
        get(event, layout.EVENT_PRICE_EXPONENT),
        get(event, layout.EVENT_QUANTITY_EXPONENT),
        get(event, layout.EVENT_SEQUENCE),
        get(event, layout.EVENT_BID_PRICE),
        get(event, layout.EVENT_BID_QUANTITY),
        get(event, layout.EVENT_ASK_PRICE),
        get(event, layout.EVENT_ASK_QUANTITY),
        get(event, layout.EVENT_TIME),
    )


@part
def _feed_trade(event: int, engine: int) -> None:
    trade_event(
        engine,
        get(event, layout.EVENT_INSTRUMENT),
        get(event, layout.EVENT_VENUE),
        get(event, layout.EVENT_PRICE_EXPONENT),
        get(event, layout.EVENT_QUANTITY_EXPONENT),
        get(event, layout.EVENT_PRICE),
        get(event, layout.EVENT_QUANTITY),
        get(event, layout.EVENT_AGGRESSOR),
        get(event, layout.EVENT_TIME),
    )


@part
def _feed_quote_and_keep(event: int, engine: int, journal: int) -> None:
    """Feed a quote event and journal what it opened and closed."""
    instrument = get(event, layout.EVENT_INSTRUMENT)
    venue = get(event, layout.EVENT_VENUE)
    quote = state.quote_of(state.instrument_row(engine, instrument), venue)
    arb_sell = get(quote, state.ARB_SELL)
    arb_buy = get(quote, state.ARB_BUY)
    basis_sell = get(quote, state.BASIS_SELL)
    basis_buy = get(quote, state.BASIS_BUY)
    imbalance = get(quote, state.IMBALANCE_ON)
    _feed_quote(event, engine)
    keep_changes(journal, engine, instrument, venue, arb_sell, arb_buy, basis_sell, basis_buy, imbalance)
    keep_quote(journal, engine, instrument, venue)


@inline
def _feed(event: int, engine: int, control: int, journal: int) -> None:
    """Give the event to the engine; a trigger's settlement is queued."""
    if get(event, layout.EVENT_TYPE) == layout.TRADE_EVENT:
        _feed_trade(event, engine)
        return
    last_id = get(engine, state.LAST_ID)
    used = get(engine, state.OUTPUT_USED)
    if get(journal, layout.CHANGES) != 0:
        _feed_quote_and_keep(event, engine, journal)
    else:
        _feed_quote(event, engine)
    if get(engine, state.LAST_ID) != last_id:
        enqueue(control, engine + get(engine, state.OUTPUT) + used + RECORD_HEADER)


@entry("int64(int64[::1], int64, int64[::1], int64[::1], int64[::1], int64[::1])")
def run(sources: Words, source_count: int, engine: Words, control: Words, journal: Words, event: Words) -> int:
    """Process records in order of receive time until something is needed from Python.

    Parameters
    ----------
    sources: rows of ``layout.SOURCE_WORDS``, one per source.
    engine: state of a ``CpuEngine``.
    control: of ``settlement.new_control``.
    journal: of ``Journal``.
    event: scratch of ``layout.EVENT_WORDS`` words.

    Returns ``-3 - index`` of a source to refill, NEEDS_ROOM when outputs or journal must be drained, or DONE.
    """
    source_base = address_of(sources)
    engine_base = address_of(engine)
    control_base = address_of(control)
    journal_base = address_of(journal)
    event_base = address_of(event)
    start = cycle_counter()
    while True:
        chosen = next_source(source_base, source_count)
        if chosen < 0:
            return chosen
        if not has_room(engine_base, 1, messages.QUOTE_EVENT_SIZE) or not has_journal_room(journal_base):
            return layout.NEEDS_ROOM
        source = source_row(source_base, chosen)
        row = get(source, layout.RECORDS) + 8 * records.WIDTH * get(source, layout.POSITION)
        if get(row, records.KIND) != records.REJECTED and not send_due(
            control_base, engine_base, get(row, records.RECEIVE_NS)
        ):
            return layout.NEEDS_ROOM
        take_next(source, event_base)
        if get(event_base, layout.EVENT_TYPE) != layout.NO_EVENT:
            _feed(event_base, engine_base, control_base, journal_base)
        now = cycle_counter()
        count_duration(journal_base, now - start + get(row, records.CYCLES))
        start = now


@entry("int64(int64[::1], int64, int64[:, ::1], int64)")
def collect_events(sources: Words, source_count: int, events: Rows, capacity: int) -> int:
    """Turn records into events without deciding: for engines that are fed from outside.

    Fills rows of ``layout.EVENT_WORDS`` from row 0 on and returns their number. ``events[capacity]``, a spare last
    row, tells in its first word what ``run`` would have returned when there are fewer than ``capacity``, and in
    its second the receive time of the last record.
    """
    source_base = address_of(sources)
    rows = address_of(events)
    count = 0
    while count < capacity:
        chosen = next_source(source_base, source_count)
        if chosen < 0:
            events[capacity, 0] = chosen
            return count
        event = rows + 8 * layout.EVENT_WORDS * count
        row = take_next(source_row(source_base, chosen), event)
        if get(row, records.KIND) != records.REJECTED:
            events[capacity, 1] = get(row, records.RECEIVE_NS)
        if get(event, layout.EVENT_TYPE) != layout.NO_EVENT:
            count += 1
    return count

/* Control messages of the fast loop, as far as a replay sends them: hello, table rows, heartbeat, rearm, settle. */
#ifndef TICKWIRE_REFERENCE_CONTROL_H
#define TICKWIRE_REFERENCE_CONTROL_H

#include "fast_loop.h"

enum control_template {
    HELLO = 10, ENGINE_ROW = 11, VENUE_ROW = 12, SCALING_ROW = 13, INSTRUMENT_ROW = 15, HEARTBEAT = 16, REARM = 18,
    SETTLE = 19
};
enum refusal { ACCEPTED = 0, UNKNOWN_ROW = 1, BAD_VALUE = 2, WRONG_STATUS = 5, SETTLEMENT = 8, BAD_MESSAGE = 9 };

#define FIELD(type, message, offset) (*(const __attribute__((may_alias, aligned(1))) type *)((message) + 8 + (offset)))

static void write_scaling(struct engine *e, const char *m)
{
    struct quote *q = &e->instrument[FIELD(uint16_t, m, 8)].quotes[FIELD(uint8_t, m, 10)];
    q->price_exponent = FIELD(int8_t, m, 11);
    q->quantity_exponent = FIELD(int8_t, m, 12);
    q->price_factor = POWERS_OF_TEN[FIELD(uint8_t, m, 13)];
    q->quantity_factor = POWERS_OF_TEN[FIELD(uint8_t, m, 14)];
    q->price_top = e->top / q->price_factor;
    q->quantity_top = e->top / q->quantity_factor;
    q->scaled = true;
}

static void write_instrument(struct engine *e, const char *m)
{
    struct instrument *row = &e->instrument[FIELD(uint16_t, m, 8)];
    row->enabled = FIELD(uint8_t, m, 10);
    row->kinds = FIELD(uint8_t, m, 11);
    row->basis_shift = FIELD(uint8_t, m, 12);
    row->imbalance_threshold = FIELD(uint16_t, m, 14);
    row->minimum_edge = FIELD(i64, m, 16);
    row->basis_threshold = FIELD(i64, m, 24);
    row->basis_interval = FIELD(i64, m, 32);
    row->maximum_spread = FIELD(i64, m, 40);
    row->minimum_quantity = FIELD(i64, m, 48);
    row->maximum_quantity = FIELD(i64, m, 56);
    row->price_low = FIELD(i64, m, 64);
    row->price_high = FIELD(i64, m, 72);
    row->basis_warm_up = FIELD(uint16_t, m, 92);
    row->cooldown = FIELD(i64, m, 96);
    row->position_limit = FIELD(i64, m, 104);
    for (i64 v = 0; v < e->venues; v++) {
        u64 mask = FIELD(u64, m, 124 + 8 * v);
        row->quotes[v].leads = mask;
        for (i64 w = 0; w < e->venues; w++) row->quotes[w].led_by |= (mask >> w & 1) << v;
    }
}

static enum refusal settle(struct engine *e, const char *m)
{
    i64 instrument = FIELD(uint16_t, m, 8), venue = FIELD(uint8_t, m, 10), side = FIELD(uint8_t, m, 11);
    i64 released = FIELD(i64, m, 16), filled = FIELD(i64, m, 24);
    if (instrument >= e->instruments || venue >= e->venues) return UNKNOWN_ROW;
    if (side != BUY && side != SELL) return BAD_VALUE;
    struct quote *q = &e->instrument[instrument].quotes[venue];
    i64 *pending = side == BUY ? &q->pending_buy : &q->pending_sell;
    if (filled < 0 || filled > released || released > *pending) return SETTLEMENT;
    *pending -= released;
    q->position += side == BUY ? filled : -filled;
    return ACCEPTED;
}

static enum refusal apply_control(struct engine *e, const char *m, uint16_t template)
{
    struct venue *venue;
    switch (template) {
    case HELLO:
        e->epoch = FIELD(uint32_t, m, 8);
        e->armed = false;
        return ACCEPTED;
    case ENGINE_ROW:
        e->rate_interval = FIELD(i64, m, 8);
        e->rate_tolerance = FIELD(i64, m, 16);
        e->lease = FIELD(i64, m, 24);
        return ACCEPTED;
    case VENUE_ROW:
        venue = &e->venue[FIELD(uint8_t, m, 8)];
        venue->enabled = FIELD(uint8_t, m, 9);
        venue->fee = FIELD(int32_t, m, 12);
        venue->maximum_age = FIELD(i64, m, 16);
        venue->maximum_silence = FIELD(i64, m, 24);
        return ACCEPTED;
    case SCALING_ROW:
        write_scaling(e, m);
        return ACCEPTED;
    case INSTRUMENT_ROW:
        write_instrument(e, m);
        return ACCEPTED;
    case HEARTBEAT:
        e->lease_until = e->time + e->lease;
        e->status_requested = true;
        return ACCEPTED;
    case REARM:
        if (FIELD(i64, m, 8) != e->status_count) return WRONG_STATUS;
        e->armed = true;
        return ACCEPTED;
    case SETTLE:
        return settle(e, m);
    default:
        return BAD_MESSAGE;
    }
}

/* One control message, which must be the next in sequence: a replay sends no other. */
static void control(struct engine *e, const char *message, i64 time_ns)
{
    struct header header;
    memcpy(&header, message, sizeof header);
    u64 sequence = FIELD(u64, message, 0);
    if (header.template != HELLO && sequence != e->control_last + 1) abort();
    e->control_last = sequence;
    begin_step(e, time_ns);
    enum refusal refusal = apply_control(e, message, header.template);
    e->counters[refusal == ACCEPTED ? CONTROL_APPLIED : CONTROL_REFUSED]++;
    struct acknowledge_message *answer = append(e, 3, sizeof *answer);
    answer->sequence = sequence;
    answer->expected = sequence + 1;
    answer->step = (u64)e->step;
    answer->template = header.template;
    answer->result = refusal == ACCEPTED ? 0 : 3;
    answer->refusal = (uint8_t)refusal;
    end_step(e);
}

#endif

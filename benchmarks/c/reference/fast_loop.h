/* The fast loop: quote and trade events in, triggers out, with control messages, acknowledgements and status. */
#ifndef TICKWIRE_REFERENCE_FAST_LOOP_H
#define TICKWIRE_REFERENCE_FAST_LOOP_H

#include "text.h"

#define MOST_VENUES 8
#define MOST_INSTRUMENTS 64
#define TIME_LIMIT ((i64)1 << 62)
#define STATUS_INTERVAL 10000000
#define NO_VENUE 255
#define NOBODY (-1)
#define COUNTERS 25

enum trigger_kind { NO_KIND, ARB, BASIS, IMBALANCE };
enum trade_side { NO_SIDE, BUY, SELL };
enum counter {
    QUOTE_EVENTS, TRADE_EVENTS, TIME_BACKWARDS, QUANTITY_CUT,
    REJECT_UNKNOWN, REJECT_OLD_SEQUENCE, REJECT_EXPONENT, REJECT_EMPTY, REJECT_RANGE, REJECT_CROSSED,
    CANDIDATE_ARB, CANDIDATE_BASIS, CANDIDATE_IMBALANCE,
    GATE_KILL, GATE_LEASE, GATE_INSTRUMENT, GATE_COOLDOWN, GATE_COLLAR, GATE_POSITION, GATE_RATE,
    TRIGGER_ARB, TRIGGER_BASIS, TRIGGER_IMBALANCE, CONTROL_APPLIED, CONTROL_REFUSED
};

struct event {
    i64 instrument, venue, price_exponent, quantity_exponent, sequence, time_ns;
    i64 bid_price, bid_quantity, ask_price, ask_quantity;
    i64 price, quantity, aggressor;
};

struct quote {
    i64 bid, ask, bid_quantity, ask_quantity, time, sequence;
    bool valid, sequence_known, scaled;
    u64 arb_sell, arb_buy, basis_sell, basis_buy, imbalance_on, leads, led_by;
    i64 position, pending_buy, pending_sell;
    i64 price_exponent, quantity_exponent, price_factor, price_top, quantity_factor, quantity_top;
};

struct basis { i64 basis, samples, sample_time; };
struct venue { i64 enabled, fee, maximum_age, maximum_silence, seen; };

struct instrument {
    i64 enabled, kinds, minimum_edge, basis_threshold, basis_shift, basis_interval, basis_warm_up;
    i64 imbalance_threshold, maximum_spread, minimum_quantity, maximum_quantity, price_low, price_high;
    i64 cooldown, position_limit, cooldown_until, buy_volume, sell_volume, trade_count;
    struct quote quotes[MOST_VENUES];
    struct basis pairs[MOST_VENUES][MOST_VENUES];
};

/* Our own messages, as market/fastpath/messages.xml lays them out. */
struct header { uint16_t block_length, template, schema, version; };
struct trigger_message {
    struct header header;
    u64 id;
    uint32_t epoch, parity;
    uint8_t kind, cause_venue;
    uint16_t instrument;
    struct { uint8_t venue, side; } legs[2];
    struct { i64 price, quantity; } sizes[2];
    i64 edge, cause_sequence, cause_time, imbalance, microprice;
};
struct status_message {
    struct header header;
    u64 number, step;
    i64 time;
    u64 id;
    uint32_t epoch, parity;
    uint8_t killed, unused;
    uint16_t volume_instrument;
    uint32_t unused_too;
    i64 buy_volume, sell_volume, trade_count, counters[COUNTERS];
};
struct acknowledge_message {
    struct header header;
    u64 sequence, expected, step;
    uint16_t template;
    uint8_t result, refusal;
    uint32_t unused;
};
struct control_message {
    struct header header;
    u64 sequence;
    char body[256];
};
_Static_assert(sizeof(struct trigger_message) == 104, "layout of Trigger");
_Static_assert(sizeof(struct status_message) == 280, "layout of Status");
_Static_assert(sizeof(struct acknowledge_message) == 40, "layout of Acknowledge");

struct engine {
    i64 venues, instruments, top, schema, schema_version;
    i64 time, step, next_status, status_count;
    bool status_requested, armed;
    i64 lease_until, rate_at, rate_interval, rate_tolerance, lease, last_id, epoch;
    u64 control_last;
    uint32_t parity;
    char *output;
    i64 output_used, output_room;
    i64 counters[COUNTERS];
    struct venue venue[MOST_VENUES];
    struct instrument instrument[MOST_INSTRUMENTS];
    uint32_t crc[8][256];
};

static void build_crc_table(uint32_t table[8][256])
{
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t value = i;
        for (int bit = 0; bit < 8; bit++) value = value & 1 ? value >> 1 ^ 0xEDB88320u : value >> 1;
        table[0][i] = value;
    }
    for (int k = 1; k < 8; k++)
        for (int i = 0; i < 256; i++) table[k][i] = table[0][table[k - 1][i] & 0xFF] ^ table[k - 1][i] >> 8;
}

static uint32_t crc32_of(const uint32_t table[8][256], const void *data, size_t length, uint32_t crc)
{
    const unsigned char *p = data;
    crc = ~crc;
    for (; length >= 8; length -= 8, p += 8) {
        uint32_t low, high;
        memcpy(&low, p, 4);
        memcpy(&high, p + 4, 4);
        low ^= crc;
        crc = table[7][low & 0xFF] ^ table[6][low >> 8 & 0xFF] ^ table[5][low >> 16 & 0xFF] ^ table[4][low >> 24]
            ^ table[3][high & 0xFF] ^ table[2][high >> 8 & 0xFF] ^ table[1][high >> 16 & 0xFF] ^ table[0][high >> 24];
    }
    while (length--) crc = table[0][(crc ^ *p++) & 0xFF] ^ crc >> 8;
    return ~crc;
}

/* Room for a message in the output, its length in front of it. */
static void *append(struct engine *e, uint16_t template, i64 size)
{
    char *record = e->output + e->output_used;
    struct header header = {(uint16_t)(size - 8), template, (uint16_t)e->schema, (uint16_t)e->schema_version};
    if (e->output_used + 8 + size > e->output_room) abort();
    memcpy(record, &size, 8);
    memset(record + 8, 0, (size_t)size);
    memcpy(record + 8, &header, 8);
    e->output_used += 8 + size;
    return record + 8;
}

static __attribute__((noinline)) void send_status(struct engine *e)
{
    struct status_message *m = append(e, 2, sizeof *m);
    m->number = (u64)++e->status_count;
    m->step = (u64)e->step;
    m->time = e->time;
    m->id = (u64)e->last_id;
    m->epoch = (uint32_t)e->epoch;
    m->parity = e->parity;
    m->killed = !e->armed;
    m->volume_instrument = (uint16_t)(e->status_count % e->instruments);
    const struct instrument *row = &e->instrument[m->volume_instrument];
    m->buy_volume = row->buy_volume;
    m->sell_volume = row->sell_volume;
    m->trade_count = row->trade_count;
    memcpy(m->counters, e->counters, sizeof e->counters);
}

INLINE void begin_step(struct engine *e, i64 time_ns)
{
    if (LIKELY(e->time <= time_ns && time_ns < TIME_LIMIT)) e->time = time_ns;
    else e->counters[TIME_BACKWARDS]++;
    e->step++;
}

INLINE void end_step(struct engine *e)
{
    if (UNLIKELY(e->time >= e->next_status)) {
        e->next_status = e->time + STATUS_INTERVAL;
        send_status(e);
    } else if (UNLIKELY(e->status_requested)) {
        send_status(e);
    }
    e->status_requested = false;
}

INLINE i64 cost(i64 price, i64 fees) { return -((price >> 20) * -fees + ((price & 0xFFFFF) * -fees >> 20)); }
INLINE i64 imbalance_of(i64 bid, i64 ask) { return (bid - ask) * 32768 / (bid + ask); }
INLINE i64 doubled_mid(const struct quote *q) { return q->bid + q->ask; }

INLINE i64 microprice_of(i64 bid, i64 ask, i64 imbalance)
{
    i64 spread = ask - bid, weight = 32768 + imbalance;
    return bid + (spread >> 16) * weight + ((spread & 0xFFFF) * weight >> 16);
}

INLINE struct basis *pair_of(struct instrument *row, i64 a, i64 b)
{
    return a < b ? &row->pairs[a][b] : &row->pairs[b][a];
}

INLINE bool is_usable(const struct engine *e, const struct instrument *row, i64 v)
{
    const struct venue *venue = &e->venue[v];
    const struct quote *q = &row->quotes[v];
    return venue->enabled && q->valid && e->time - q->time <= venue->maximum_age
        && e->time - venue->seen <= venue->maximum_silence;
}

INLINE i64 richness(struct instrument *row, i64 v, i64 w)
{
    i64 usual = pair_of(row, v, w)->basis >> 12, difference = doubled_mid(&row->quotes[v]) - doubled_mid(&row->quotes[w]);
    return v < w ? difference - usual : difference + usual;
}

INLINE u64 update_bits(struct instrument *row, i64 v, size_t own, size_t mirrored, u64 new)
{
    u64 *mine = (u64 *)((char *)&row->quotes[v] + own), old = *mine;
    if (UNLIKELY(old != new)) {
        *mine = new;
        for (u64 changed = old ^ new; changed; changed &= changed - 1)
            *(u64 *)((char *)&row->quotes[__builtin_ctzll(changed)] + mirrored) ^= (u64)1 << v;
    }
    return new & ~old;
}
#define UPDATE(row, v, own, mirrored, new) \
    update_bits(row, v, offsetof(struct quote, own), offsetof(struct quote, mirrored), new)

static __attribute__((noinline)) void reject_quote(struct engine *e, struct instrument *row, i64 v, enum counter why)
{
    row->quotes[v].valid = false;
    UPDATE(row, v, arb_sell, arb_buy, 0);
    UPDATE(row, v, arb_buy, arb_sell, 0);
    UPDATE(row, v, basis_sell, basis_buy, 0);
    UPDATE(row, v, basis_buy, basis_sell, 0);
    row->quotes[v].imbalance_on = 0;
    e->counters[why]++;
}

INLINE i64 cut(struct engine *e, i64 quantity, i64 top)
{
    if (LIKELY(quantity <= top)) return quantity;
    e->counters[QUANTITY_CUT]++;
    return top;
}

INLINE bool admit(struct engine *e, struct instrument *row, const struct event *event)
{
    i64 v = event->venue;
    struct quote *q = &row->quotes[v];
    if (UNLIKELY(!q->scaled)) { e->counters[REJECT_UNKNOWN]++; return false; }
    if (UNLIKELY(q->sequence_known && event->sequence <= q->sequence)) {
        e->counters[REJECT_OLD_SEQUENCE]++;
        return false;
    }
    q->sequence = event->sequence;
    q->sequence_known = true;
    enum counter why = QUOTE_EVENTS;
    if (UNLIKELY(event->price_exponent != q->price_exponent || event->quantity_exponent != q->quantity_exponent))
        why = REJECT_EXPONENT;
    else if (UNLIKELY(!event->bid_quantity || !event->ask_quantity)) why = REJECT_EMPTY;
    else if (UNLIKELY(event->bid_price < 1 || event->bid_price > q->price_top || event->ask_price < 1
                      || event->ask_price > q->price_top || event->bid_quantity < 0 || event->ask_quantity < 0))
        why = REJECT_RANGE;
    if (UNLIKELY(why != QUOTE_EVENTS)) { reject_quote(e, row, v, why); return false; }
    i64 bid_shown = cut(e, event->bid_quantity, q->quantity_top), ask_shown = cut(e, event->ask_quantity, q->quantity_top);
    if (UNLIKELY(event->ask_price <= event->bid_price)) { reject_quote(e, row, v, REJECT_CROSSED); return false; }
    q->bid = event->bid_price * q->price_factor;
    q->ask = event->ask_price * q->price_factor;
    q->bid_quantity = bid_shown * q->quantity_factor;
    q->ask_quantity = ask_shown * q->quantity_factor;
    q->time = e->time;
    q->valid = true;
    return true;
}

struct rises { u64 arb_sells, arb_buys, basis_sells, basis_buys, imbalance; };

/* Every condition of a venue, and which of them rose. */
INLINE struct rises update_conditions(struct engine *e, struct instrument *row, i64 v, u64 usable)
{
    struct quote *q = &row->quotes[v];
    i64 least = row->minimum_quantity;
    bool bid_shown = q->bid_quantity >= least, ask_shown = q->ask_quantity >= least;
    struct rises now = {0};
    for (u64 others = usable & ~((u64)1 << v); others; others &= others - 1) {
        i64 w = __builtin_ctzll(others);
        const struct quote *theirs = &row->quotes[w];
        u64 bit = (u64)1 << w;
        bool their_bid = theirs->bid_quantity >= least, their_ask = theirs->ask_quantity >= least;
        if (row->kinds & 1) {
            i64 fees = e->venue[v].fee + e->venue[w].fee;
            if (bid_shown && their_ask && q->bid - theirs->ask - cost(theirs->ask, fees) >= row->minimum_edge)
                now.arb_sells |= bit;
            if (ask_shown && their_bid && theirs->bid - q->ask - cost(theirs->bid, fees) >= row->minimum_edge)
                now.arb_buys |= bit;
        }
        if (row->kinds & 2) {
            i64 warm = row->basis_warm_up > 1 ? row->basis_warm_up : 1;
            if (pair_of(row, v, w)->samples >= warm) {
                bool without_mine = q->leads & bit, without_theirs = !without_mine && q->led_by & bit;
                i64 rich = richness(row, v, w);
                if ((bid_shown || without_mine) && (their_ask || without_theirs) && rich >= row->basis_threshold)
                    now.basis_sells |= bit;
                if ((ask_shown || without_mine) && (their_bid || without_theirs) && -rich >= row->basis_threshold)
                    now.basis_buys |= bit;
            }
        }
    }
    if (row->kinds & 4 && usable && q->ask - q->bid <= row->maximum_spread) {
        i64 imbalance = imbalance_of(q->bid_quantity, q->ask_quantity);
        now.imbalance = imbalance >= row->imbalance_threshold && ask_shown ? 1
                      : -imbalance >= row->imbalance_threshold && bid_shown ? 2 : 0;
    }
    struct rises rises = {
        UPDATE(row, v, arb_sell, arb_buy, now.arb_sells), UPDATE(row, v, arb_buy, arb_sell, now.arb_buys),
        UPDATE(row, v, basis_sell, basis_buy, now.basis_sells), UPDATE(row, v, basis_buy, basis_sell, now.basis_buys),
        now.imbalance & ~q->imbalance_on
    };
    q->imbalance_on = now.imbalance;
    return rises;
}

struct candidate { enum trigger_kind kind; i64 seller, buyer, edge; };

static struct candidate choose(struct engine *e, struct instrument *row, i64 v, const struct rises *rises)
{
    struct quote *q = &row->quotes[v];
    u64 eligible = ~q->led_by | q->leads, set;
    struct candidate best = {NO_KIND, NOBODY, NOBODY, 0};
    bool selling = rises->arb_sells != 0, found = false;
    if ((set = selling ? rises->arb_sells : rises->arb_buys)) {
        best.kind = ARB;
        for (; set; set &= set - 1) {
            i64 w = __builtin_ctzll(set), fees = e->venue[v].fee + e->venue[w].fee;
            const struct quote *theirs = &row->quotes[w];
            i64 edge = selling ? q->bid - theirs->ask - cost(theirs->ask, fees)
                               : theirs->bid - q->ask - cost(theirs->bid, fees);
            if (!found || edge > best.edge)
                best = (struct candidate){ARB, selling ? v : w, selling ? w : v, edge};
            found = true;
        }
        return best;
    }
    selling = (rises->basis_sells & eligible) != 0;
    if ((set = (selling ? rises->basis_sells : rises->basis_buys) & eligible)) {
        for (; set; set &= set - 1) {
            i64 w = __builtin_ctzll(set), deviation = llabs(richness(row, v, w)), mine = q->leads >> w & 1 ? NOBODY : v;
            if (!found || deviation > best.edge)
                best = (struct candidate){BASIS, selling ? mine : w, selling ? w : mine, deviation};
            found = true;
        }
        return best;
    }
    if (rises->imbalance) {
        best.kind = IMBALANCE;
        *(rises->imbalance & 1 ? &best.buyer : &best.seller) = v;
    }
    return best;
}

static enum counter gate(const struct engine *e, const struct instrument *row, const struct candidate *c, i64 size)
{
    const struct quote *sells = c->seller >= 0 ? &row->quotes[c->seller] : NULL;
    const struct quote *buys = c->buyer >= 0 ? &row->quotes[c->buyer] : NULL;
    if (!e->armed) return GATE_KILL;
    if (e->time > e->lease_until) return GATE_LEASE;
    if (!row->enabled) return GATE_INSTRUMENT;
    if (e->time < row->cooldown_until) return GATE_COOLDOWN;
    if (row->price_low > row->price_high) return GATE_COLLAR;
    if (sells && (sells->bid < row->price_low || sells->bid > row->price_high)) return GATE_COLLAR;
    if (buys && (buys->ask < row->price_low || buys->ask > row->price_high)) return GATE_COLLAR;
    if (sells && size > row->position_limit + sells->position - sells->pending_sell) return GATE_POSITION;
    if (buys && size > row->position_limit - buys->position - buys->pending_buy) return GATE_POSITION;
    if (e->rate_at > e->time + e->rate_tolerance) return GATE_RATE;
    return QUOTE_EVENTS;
}

static __attribute__((noinline)) void decide(struct engine *e, i64 instrument, i64 v, const struct candidate *c)
{
    struct instrument *row = &e->instrument[instrument];
    struct quote *sells = c->seller >= 0 ? &row->quotes[c->seller] : NULL, *q = &row->quotes[v];
    struct quote *buys = c->buyer >= 0 ? &row->quotes[c->buyer] : NULL;
    i64 size = row->maximum_quantity, leg = 0;
    e->counters[CANDIDATE_ARB - 1 + c->kind]++;
    if (sells && sells->bid_quantity < size) size = sells->bid_quantity;
    if (buys && buys->ask_quantity < size) size = buys->ask_quantity;
    enum counter stopped = gate(e, row, c, size);
    if (stopped != QUOTE_EVENTS) { e->counters[stopped]++; return; }
    e->last_id++;
    e->rate_at = (e->rate_at > e->time ? e->rate_at : e->time) + e->rate_interval;
    row->cooldown_until = e->time + row->cooldown;
    e->counters[TRIGGER_ARB - 1 + c->kind]++;
    struct trigger_message *m = append(e, 1, sizeof *m);
    m->id = (u64)e->last_id;
    m->epoch = (uint32_t)e->epoch;
    m->parity = e->parity;
    m->kind = (uint8_t)c->kind;
    m->cause_venue = (uint8_t)v;
    m->instrument = (uint16_t)instrument;
    m->legs[1].venue = NO_VENUE;
    if (sells) {
        sells->pending_sell += size;
        m->legs[leg].venue = (uint8_t)c->seller;
        m->legs[leg].side = SELL;
        m->sizes[leg].price = sells->bid;
        m->sizes[leg++].quantity = size;
    }
    if (buys) {
        buys->pending_buy += size;
        m->legs[leg].venue = (uint8_t)c->buyer;
        m->legs[leg].side = BUY;
        m->sizes[leg].price = buys->ask;
        m->sizes[leg].quantity = size;
    }
    m->edge = c->edge;
    m->cause_sequence = q->sequence;
    m->cause_time = e->time;
    m->imbalance = imbalance_of(q->bid_quantity, q->ask_quantity);
    m->microprice = microprice_of(q->bid, q->ask, m->imbalance);
    e->parity = crc32_of(e->crc, m, sizeof *m, e->parity);
}

INLINE void sample_pairs(struct engine *e, struct instrument *row, i64 v, u64 usable)
{
    i64 mine = doubled_mid(&row->quotes[v]);
    for (u64 others = usable & ~((u64)1 << v); others; others &= others - 1) {
        i64 w = __builtin_ctzll(others), theirs = doubled_mid(&row->quotes[w]);
        struct basis *pair = pair_of(row, v, w);
        if (pair->samples && e->time - pair->sample_time < row->basis_interval) continue;
        i64 scaled = (v < w ? mine - theirs : theirs - mine) * 4096;
        pair->basis = pair->samples ? pair->basis + ((scaled - pair->basis) >> row->basis_shift) : scaled;
        if (pair->samples < 65535) pair->samples++;
        pair->sample_time = e->time;
    }
}

INLINE void apply_quote(struct engine *e, const struct event *event)
{
    i64 v = event->venue;
    e->counters[QUOTE_EVENTS]++;
    if (UNLIKELY((u64)event->instrument >= (u64)e->instruments || (u64)v >= (u64)e->venues)) {
        e->counters[REJECT_UNKNOWN]++;
        return;
    }
    struct instrument *row = &e->instrument[event->instrument];
    if (!admit(e, row, event)) return;
    u64 usable = 0;
    if (is_usable(e, row, v))
        for (i64 w = 0; w < e->venues; w++) usable |= (u64)is_usable(e, row, w) << w;
    struct rises rises = update_conditions(e, row, v, usable);
    if (UNLIKELY(rises.arb_sells | rises.arb_buys | rises.basis_sells | rises.basis_buys | rises.imbalance)) {
        struct candidate candidate = choose(e, row, v, &rises);
        if (candidate.kind != NO_KIND) decide(e, event->instrument, v, &candidate);
    }
    sample_pairs(e, row, v, usable);
}

INLINE void apply_trade(struct engine *e, const struct event *event)
{
    e->counters[TRADE_EVENTS]++;
    if (UNLIKELY((u64)event->instrument >= (u64)e->instruments || (u64)event->venue >= (u64)e->venues)) {
        e->counters[REJECT_UNKNOWN]++;
        return;
    }
    struct instrument *row = &e->instrument[event->instrument];
    struct quote *q = &row->quotes[event->venue];
    if (!q->scaled) { e->counters[REJECT_UNKNOWN]++; return; }
    if (event->price_exponent != q->price_exponent || event->quantity_exponent != q->quantity_exponent) {
        e->counters[REJECT_EXPONENT]++;
        return;
    }
    if (event->price < 1 || event->price > q->price_top || event->quantity < 1) { e->counters[REJECT_RANGE]++; return; }
    i64 volume = cut(e, event->quantity, q->quantity_top) * q->quantity_factor;
    if (event->aggressor == BUY) row->buy_volume += volume;
    else if (event->aggressor == SELL) row->sell_volume += volume;
    row->trade_count++;
}

INLINE void hear(struct engine *e, i64 venue)
{
    if (LIKELY((u64)venue < (u64)e->venues)) e->venue[venue].seen = e->time;
}

INLINE void quote_event(struct engine *e, const struct event *event)
{
    begin_step(e, event->time_ns);
    hear(e, event->venue);
    apply_quote(e, event);
    end_step(e);
}

INLINE void trade_event(struct engine *e, const struct event *event)
{
    begin_step(e, event->time_ns);
    hear(e, event->venue);
    apply_trade(e, event);
    end_step(e);
}

#endif

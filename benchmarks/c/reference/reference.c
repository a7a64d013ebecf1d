/* The whole batch path in C: recorded Binance lines of several sources to books, decisions and their payloads.
 *
 * One translation unit, written from the specification: docs/fastpath.md and market/fastpath/messages.xml for the
 * loop, the reject codes of market/wire/records.py for bad input. It is the yardstick of benchmarks/batch_replay.py.
 */
#define _GNU_SOURCE
#include <stddef.h>
#include <stdlib.h>
#include <x86intrin.h>

#include "binance.h"
#include "book.h"
#include "control.h"
#include "fast_loop.h"
#include "text.h"

#define MOST_SOURCES 8
#define QUEUE (1 << 16)
#define LARGEST (TIME_LIMIT - 1)
#define BUCKETS 1024

struct route {
    i64 instrument, venue, price_exponent, quantity_exponent, price_factor, quantity_factor, numbered, sequence;
    i64 price_limit, quantity_limit;
};

struct source {
    struct lines lines;
    struct message next;
    bool ended;
    i64 clock, messages, trades, rejects[16], ignored, time_backwards;
    struct route route;
    struct book *book;
    struct level *bids, *asks;
};

struct leg { i64 due, instrument, venue, side, quantity; };

struct replay {
    i64 sources, settle_after, filled, heartbeat_every, next_heartbeat, next_sequence, head, tail;
    struct source source[MOST_SOURCES];
    i64 histogram[BUCKETS];
    struct leg queue[QUEUE];
    struct engine engine;
};

/* Words of the setup, as benchmarks/reference.py writes them. */
enum setup_word {
    SOURCES, VENUES, INSTRUMENTS, PRICE_BITS, SCHEMA, SCHEMA_VERSION, SETTLE_AFTER, FILLED, HEARTBEAT_EVERY, START,
    NEXT_SEQUENCE, CONTROLS, SETUP_WORDS
};
enum source_word {
    RULE, NEEDS_BOOK, MAXIMUM_JUMP, LAG, SYMBOL_LOW, SYMBOL_HIGH, SYMBOL_LENGTH, PRICE_DECIMALS, QUANTITY_DECIMALS,
    CONTRACT_FACTOR, CONTRACT_LIMIT, ROUTE, SOURCE_WORDS = ROUTE + 7
};

INLINE i64 scaled(i64 value, i64 factor, i64 limit) { return value <= limit ? value * factor : LARGEST; }

static void send_due(struct replay *r, i64 time_ns)
{
    for (;;) {
        i64 due = r->heartbeat_every > 0 ? r->next_heartbeat : LARGEST;
        struct leg *leg = &r->queue[r->head & (QUEUE - 1)];
        bool settles = r->head != r->tail && leg->due <= due;
        if (settles) due = leg->due;
        if (LIKELY(due > time_ns)) return;
        _Alignas(8) char message[40] = {0};
        uint16_t template = settles ? SETTLE : HEARTBEAT, block_length = settles ? 32 : 8;
        struct header header = {block_length, template, (uint16_t)r->engine.schema, (uint16_t)r->engine.schema_version};
        memcpy(message, &header, 8);
        memcpy(message + 8, &r->next_sequence, 8);
        r->next_sequence++;
        if (settles) {
            i64 filled = r->filled ? leg->quantity : 0;
            r->head++;
            message[16] = (char)leg->instrument;
            message[17] = (char)(leg->instrument >> 8);
            message[18] = (char)leg->venue;
            message[19] = (char)leg->side;
            memcpy(message + 24, &leg->quantity, 8);
            memcpy(message + 32, &filled, 8);
        } else {
            r->next_heartbeat = due + r->heartbeat_every;
        }
        control(&r->engine, message, due);
    }
}

static void enqueue(struct replay *r, const struct trigger_message *trigger)
{
    if (r->settle_after < 0) return;
    for (int i = 0; i < 2; i++) {
        if (trigger->legs[i].venue == NO_VENUE) continue;
        if (r->tail - r->head == QUEUE) abort();
        r->queue[r->tail++ & (QUEUE - 1)] = (struct leg){
            trigger->cause_time + r->settle_after, trigger->instrument, trigger->legs[i].venue, trigger->legs[i].side,
            trigger->sizes[i].quantity
        };
    }
}

INLINE void feed_quote(struct replay *r, struct source *source, i64 time_ns)
{
    const struct book *book = source->book;
    struct route *route = &source->route;
    i64 sequence = route->sequence + 1;
    if (route->numbered) {
        bool withdrawn = !book->top.bid_quantity && !book->top.ask_quantity;
        sequence = !withdrawn || book->top_id > sequence ? book->top_id : sequence;
    }
    if (sequence > route->sequence) route->sequence = sequence;
    struct event event = {
        .instrument = route->instrument, .venue = route->venue, .price_exponent = route->price_exponent,
        .quantity_exponent = route->quantity_exponent, .sequence = sequence, .time_ns = time_ns,
        .bid_price = scaled(book->top.bid, route->price_factor, route->price_limit),
        .bid_quantity = scaled(book->top.bid_quantity, route->quantity_factor, route->quantity_limit),
        .ask_price = scaled(book->top.ask, route->price_factor, route->price_limit),
        .ask_quantity = scaled(book->top.ask_quantity, route->quantity_factor, route->quantity_limit),
    };
    struct engine *e = &r->engine;
    i64 id = e->last_id, used = e->output_used;
    quote_event(e, &event);
    if (UNLIKELY(e->last_id != id)) enqueue(r, (const struct trigger_message *)(e->output + used + 8));
}

INLINE void feed_trade(struct replay *r, struct source *source, const struct message *m)
{
    const struct route *route = &source->route;
    struct event event = {
        .instrument = route->instrument, .venue = route->venue, .price_exponent = route->price_exponent,
        .quantity_exponent = route->quantity_exponent, .time_ns = m->receive_ns,
        .price = scaled(m->price, route->price_factor, route->price_limit), .quantity = scaled(m->quantity, route->quantity_factor, route->quantity_limit),
        .aggressor = m->buyer_is_maker ? SELL : BUY,
    };
    trade_event(&r->engine, &event);
}

INLINE void take(struct replay *r, struct source *source)
{
    const struct message *m = &source->next;
    source->messages++;
    if (UNLIKELY(m->kind == REJECTED)) { source->rejects[m->reason]++; return; }
    send_due(r, m->receive_ns);
    if (UNLIKELY(m->receive_ns < source->clock)) source->time_backwards++;
    else source->clock = m->receive_ns;
    enum change change = SAME;
    switch (m->kind) {
    case QUOTE: change = on_quote(source->book, m); break;
    case DIFF: change = on_diff(source->book, m); break;
    case SNAPSHOT: change = on_snapshot(source->book, m); break;
    case TRADE:
        source->trades++;
        feed_trade(r, source, m);
        return;
    default: source->ignored++; return;
    }
    if (change != SAME) feed_quote(r, source, m->receive_ns);
}

/* Durations in buckets, sixteen per power of two. */
INLINE void count_duration(i64 *histogram, u64 duration)
{
    if (duration < 16) { histogram[duration]++; return; }
    int exponent = 59 - __builtin_clzll(duration);
    histogram[(exponent << 4) + (i64)(duration >> exponent)]++;
}

/* A replay that is ready to run; data and lengths are the sources' contents, 64 readable bytes behind each. */
struct replay *reference_new(const i64 *setup, const char **data, const i64 *lengths, char *output, i64 output_room)
{
    struct replay *r = calloc(1, sizeof *r);
    struct engine *e = &r->engine;
    r->sources = setup[SOURCES];
    r->settle_after = setup[SETTLE_AFTER];
    r->filled = setup[FILLED];
    r->heartbeat_every = setup[HEARTBEAT_EVERY];
    r->next_heartbeat = setup[START];
    r->next_sequence = setup[NEXT_SEQUENCE];
    e->venues = setup[VENUES];
    e->instruments = setup[INSTRUMENTS];
    if (r->sources > MOST_SOURCES || e->venues > MOST_VENUES || e->instruments > MOST_INSTRUMENTS) abort();
    e->top = ((i64)1 << setup[PRICE_BITS]) - 1;
    e->schema = setup[SCHEMA];
    e->schema_version = setup[SCHEMA_VERSION];
    e->output = output;
    e->output_room = output_room;
    build_crc_table(e->crc);
    const i64 *words = setup + SETUP_WORDS;
    for (i64 i = 0; i < r->sources; i++, words += SOURCE_WORDS) {
        struct source *s = &r->source[i];
        const i64 *route = words + ROUTE;
        s->bids = calloc(MOST_LEVELS, sizeof *s->bids);
        s->asks = calloc(MOST_LEVELS, sizeof *s->asks);
        s->lines = (struct lines){
            .at = data[i], .end = data[i] + lengths[i], .lag_ns = words[LAG], .maximum_jump_ns = words[MAXIMUM_JUMP],
            .bids = s->bids, .asks = s->asks, .room = MOST_LEVELS,
            .market = {(u64)words[SYMBOL_LOW], (u64)words[SYMBOL_HIGH], words[SYMBOL_LENGTH], words[PRICE_DECIMALS],
                       words[QUANTITY_DECIMALS], words[CONTRACT_FACTOR], words[CONTRACT_LIMIT]},
        };
        s->route = (struct route){route[0], route[1], route[2], route[3], route[4], route[5], route[6], 0,
                                  LARGEST / route[4], LARGEST / route[5]};
        s->book = malloc(sizeof *s->book);
        memset(s->book, 0, sizeof *s->book);
        reset_book(s->book);
        s->book->rule = (enum rule)words[RULE];
        s->book->needs_book = words[NEEDS_BOOK];
    }
    for (i64 i = 0; i < setup[CONTROLS]; i++) {
        i64 length = *words++;
        control(e, (const char *)words, setup[START]);
        words += (length + 7) / 8;
    }
    return r;
}

void reference_free(struct replay *r)
{
    for (i64 i = 0; i < r->sources; i++) {
        free(r->source[i].bids);
        free(r->source[i].asks);
        free(r->source[i].book);
    }
    free(r);
}

/* Replay to the end; returns the bytes of output: each payload behind its length. */
i64 reference_run(struct replay *r)
{
    u64 start = __rdtsc();
    for (i64 i = 0; i < r->sources; i++) r->source[i].ended = !next_message(&r->source[i].lines, &r->source[i].next);
    for (;;) {
        struct source *chosen = NULL;
        i64 earliest = 0;
        for (i64 i = 0; i < r->sources; i++) {
            struct source *s = &r->source[i];
            if (s->ended) continue;
            i64 time_ns = s->next.receive_ns > s->clock ? s->next.receive_ns : s->clock;
            if (!chosen || time_ns < earliest) { chosen = s; earliest = time_ns; }
        }
        if (!chosen) return r->engine.output_used;
        take(r, chosen);
        chosen->ended = !next_message(&chosen->lines, &chosen->next);
        u64 now = __rdtsc();
        count_duration(r->histogram, now - start);
        start = now;
    }
}

/* What became of the input: messages, trades, ignored, rejects by reason of one source, and its book's counters. */
void reference_source(const struct replay *r, i64 index, i64 *out)
{
    const struct source *s = &r->source[index];
    const struct book *b = s->book;
    i64 words[] = {s->messages, s->trades, s->ignored, b->diffs, b->snapshots, b->quotes, b->gaps, b->resyncs, b->stale,
                   b->old_quotes, b->checks, b->equal, b->late_checks, b->late_equal};
    memcpy(out, words, sizeof words);
    memcpy(out + sizeof words / 8, s->rejects, sizeof s->rejects);
}

/* Parse only: every line of a source into records and levels, in areas that are used again after 1,024 records.
 *
 * Adds up what was read in digest (four sums of the records and levels) unless it is NULL; returns the lines.
 */
i64 reference_parse(const i64 *source, const char *data, i64 length, i64 *digest)
{
    static struct message records[1024];
    static struct level bids[2 * MOST_LEVELS], asks[2 * MOST_LEVELS];
    struct lines lines = {
        .at = data, .end = data + length, .lag_ns = source[LAG], .maximum_jump_ns = source[MAXIMUM_JUMP],
        .room = MOST_LEVELS,
        .market = {(u64)source[SYMBOL_LOW], (u64)source[SYMBOL_HIGH], source[SYMBOL_LENGTH], source[PRICE_DECIMALS],
                   source[QUANTITY_DECIMALS], source[CONTRACT_FACTOR], source[CONTRACT_LIMIT]},
    };
    i64 count = 0, bids_used = 0, asks_used = 0;
    for (;; count++) {
        struct message *m = &records[count & 1023];
        if ((count & 1023) == 0 || bids_used > MOST_LEVELS || asks_used > MOST_LEVELS) bids_used = asks_used = 0;
        lines.bids = bids + bids_used;
        lines.asks = asks + asks_used;
        if (!next_message(&lines, m)) return count;
        bool has_levels = m->kind == DIFF || m->kind == SNAPSHOT;
        if (has_levels) { bids_used += m->bid_count; asks_used += m->ask_count; }
        if (!digest) continue;
        digest[0] += m->kind + m->receive_ns;
        if (m->kind == QUOTE) digest[1] += m->last_id + 3 * m->bid_price + 5 * m->bid_quantity + 7 * m->ask_price + 11 * m->ask_quantity;
        if (m->kind == TRADE) digest[2] += m->trade_id + 3 * m->price + 5 * m->quantity + 7 * (m->buyer_is_maker != 0);
        if (!has_levels) continue;
        digest[3] += m->last_id;
        for (i64 i = 0; i < m->bid_count; i++) digest[3] += (i + 1) * m->bids[i].price + (i + 3) * m->bids[i].quantity;
        for (i64 i = 0; i < m->ask_count; i++) digest[3] += (i + 5) * m->asks[i].price + (i + 7) * m->asks[i].quantity;
    }
}

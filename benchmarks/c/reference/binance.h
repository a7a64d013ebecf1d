/* Binance's JSON streams and snapshots: one recorded line into one message, levels as (ticks, lots). */
#ifndef TICKWIRE_REFERENCE_BINANCE_H
#define TICKWIRE_REFERENCE_BINANCE_H

#include "text.h"

enum kind { IGNORED, DIFF, SNAPSHOT, QUOTE, TRADE, REJECTED };

#define MOST_LEVELS 16384

struct level { i64 price, quantity; };

struct market {
    u64 symbol_low, symbol_high;
    i64 symbol_length, price_decimals, quantity_decimals, contract_factor, contract_limit;
};

struct message {
    enum kind kind;
    enum reason reason;
    i64 receive_ns, event_ns, first_id, last_id, previous_id;
    i64 bid_price, bid_quantity, ask_price, ask_quantity;
    i64 price, quantity, trade_id, buyer_is_maker;
    i64 bid_count, ask_count;
    const struct level *bids, *asks;
};

enum seen {
    SAW_BIDS = 1, SAW_ASKS = 2, SAW_BID_QUANTITY = 4, SAW_ASK_QUANTITY = 8, SAW_FIRST_ID = 16, SAW_LAST_ID = 32,
    SAW_PRICE = 64, SAW_QUANTITY = 128, SAW_SIDE = 256, SAW_SNAPSHOT_ID = 512, SAW_TRADE_ID = 1024,
    SAW_BID_PRICE = 2048, SAW_ASK_PRICE = 4096, SAW_SYMBOL = 8192, SAW_EVENT = 16384
};

#define DIFF_FIELDS (SAW_BIDS | SAW_ASKS | SAW_FIRST_ID | SAW_LAST_ID | SAW_SYMBOL)
#define SNAPSHOT_FIELDS (SAW_BIDS | SAW_ASKS | SAW_SNAPSHOT_ID)
#define QUOTE_FIELDS \
    (SAW_BID_PRICE | SAW_ASK_PRICE | SAW_BID_QUANTITY | SAW_ASK_QUANTITY | SAW_LAST_ID | SAW_SYMBOL)
#define ANY_QUOTE_FIELD (SAW_LAST_ID | SAW_BID_PRICE | SAW_ASK_PRICE)
#define TRADE_FIELDS (SAW_PRICE | SAW_QUANTITY | SAW_SIDE | SAW_TRADE_ID | SAW_SYMBOL)
#define MICROSECONDS_FROM 1000000000000000

struct reading {
    const struct market *market;
    struct message *message;
    struct level *bids, *asks;
    i64 room, event_time;
    unsigned seen;
    enum kind event;
    enum reason number_reason;
    bool known;
};

/* Remember the first number that could not be read, and pass over the value. */
static __attribute__((noinline)) enum reason fail(struct reading *r, const char **at, enum reason reason)
{
    if (r->number_reason == OK) r->number_reason = reason;
    return skip_value(at);
}

INLINE enum reason lots_of(const struct market *market, i64 price, i64 *quantity)
{
    if (market->contract_factor == 0) return OK;
    if (UNLIKELY(*quantity > market->contract_limit)) return OVERFLOW;
    *quantity = *quantity * market->contract_factor / price;
    return OK;
}

INLINE enum reason quoted_decimal(const char **at, int decimals, i64 *value)
{
    const char *p = *at;
    if (UNLIKELY(*p != '"')) return BAD_NUMBER;
    p++;
    enum reason reason = read_decimal(&p, decimals, value);
    if (UNLIKELY(reason != OK)) return reason;
    if (UNLIKELY(*p != '"')) return BAD_NUMBER;
    *at = p + 1;
    return OK;
}

INLINE enum reason read_levels(const char **at, const struct market *market, struct level *out, i64 room, i64 *count)
{
    const char *p = *at;
    const int price_decimals = (int)market->price_decimals, decimals = (int)market->quantity_decimals;
    i64 n = 0;
    if (*p != '[') return MALFORMED;
    if (*++p == ']') { *at = p + 1; *count = 0; return OK; }
    for (;;) {
        i64 price, quantity;
        enum reason reason;
        if (UNLIKELY(*p != '[')) return MALFORMED;
        p++;
        if (UNLIKELY((reason = quoted_decimal(&p, price_decimals, &price)) != OK)) return reason;
        if (UNLIKELY(*p != ',')) return MALFORMED;
        p++;
        if (UNLIKELY((reason = quoted_decimal(&p, decimals, &quantity)) != OK)) return reason;
        if (UNLIKELY(*p != ']')) return MALFORMED;
        if (UNLIKELY(price == 0)) return NEGATIVE;
        if (UNLIKELY(n == room)) return TOO_LONG;
        if (UNLIKELY((reason = lots_of(market, price, &quantity)) != OK)) return reason;
        out[n].price = price;
        out[n].quantity = quantity;
        n++;
        char separator = p[1];
        p += 2;
        if (separator == ']') { *at = p; *count = n; return OK; }
        if (UNLIKELY(separator != ',')) return MALFORMED;
    }
}

static enum reason levels_field(struct reading *r, const char **at, struct level *out, i64 *count, unsigned field)
{
    if (UNLIKELY(!r->known)) return skip_value(at);
    enum reason reason = read_levels(at, r->market, out, r->room, count);
    if (UNLIKELY(reason != OK)) return fail(r, at, reason);
    r->seen |= field;
    return OK;
}

INLINE enum reason integer_field(struct reading *r, const char **at, i64 *value, unsigned field)
{
    const char *p = *at;
    enum reason reason = read_integer(&p, value);
    if (UNLIKELY(reason != OK)) return fail(r, at, reason);
    *at = p;
    r->seen |= field;
    return OK;
}

INLINE enum reason decimal_field(struct reading *r, const char **at, i64 decimals, i64 *value, unsigned field)
{
    const char *p = *at;
    if (UNLIKELY(!r->known)) return skip_value(at);
    enum reason reason = quoted_decimal(&p, (int)decimals, value);
    if (UNLIKELY(reason != OK)) return fail(r, at, reason);
    *at = p;
    r->seen |= field;
    return OK;
}

INLINE enum reason symbol_field(struct reading *r, const char **at)
{
    const char *text;
    i64 length;
    enum reason reason = read_string(at, &text, &length);
    if (UNLIKELY(reason != OK)) return reason;
    char packed[16] = {0};
    u64 low, high;
    if (LIKELY(length == r->market->symbol_length)) memcpy(packed, text, (size_t)length);
    memcpy(&low, packed, 8);
    memcpy(&high, packed + 8, 8);
    r->known = length == r->market->symbol_length && low == r->market->symbol_low && high == r->market->symbol_high;
    r->seen |= SAW_SYMBOL;
    return OK;
}

INLINE bool is(const char *text, i64 length, const char *word, i64 word_length)
{
    return length == word_length && memcmp(text, word, (size_t)word_length) == 0;
}
#define IS(text, length, word) is(text, length, word, sizeof(word) - 1)

INLINE enum reason event_field(struct reading *r, const char **at)
{
    const char *text;
    i64 length;
    enum reason reason = read_string(at, &text, &length);
    if (UNLIKELY(reason != OK)) return reason;
    r->event = IS(text, length, "depthUpdate") ? DIFF
             : IS(text, length, "bookTicker") ? QUOTE
             : IS(text, length, "trade") || IS(text, length, "aggTrade") ? TRADE : IGNORED;
    r->seen |= SAW_EVENT;
    return OK;
}

INLINE enum reason short_field(struct reading *r, char key, const char **at)
{
    struct message *m = r->message;
    const struct market *market = r->market;
    char first = **at;
    switch (key) {
    case 'b':
        if (first == '[') return levels_field(r, at, r->bids, &m->bid_count, SAW_BIDS);
        if (first == '"') return decimal_field(r, at, market->price_decimals, &m->bid_price, SAW_BID_PRICE);
        return skip_value(at);
    case 'a':
        if (first == '[') return levels_field(r, at, r->asks, &m->ask_count, SAW_ASKS);
        if (first == '"') return decimal_field(r, at, market->price_decimals, &m->ask_price, SAW_ASK_PRICE);
        if (!(r->seen & SAW_TRADE_ID)) return integer_field(r, at, &m->trade_id, SAW_TRADE_ID);
        return skip_value(at);
    case 'B':
        if (first != '"') return skip_value(at);
        return decimal_field(r, at, market->quantity_decimals, &m->bid_quantity, SAW_BID_QUANTITY);
    case 'A':
        if (first != '"') return skip_value(at);
        return decimal_field(r, at, market->quantity_decimals, &m->ask_quantity, SAW_ASK_QUANTITY);
    case 'p':
        if (first != '"') return skip_value(at);
        return decimal_field(r, at, market->price_decimals, &m->price, SAW_PRICE);
    case 'q':
        if (first != '"') return skip_value(at);
        return decimal_field(r, at, market->quantity_decimals, &m->quantity, SAW_QUANTITY);
    case 'u': return integer_field(r, at, &m->last_id, SAW_LAST_ID);
    case 'U': return integer_field(r, at, &m->first_id, SAW_FIRST_ID);
    case 't': return integer_field(r, at, &m->trade_id, SAW_TRADE_ID);
    case 'E': return integer_field(r, at, &r->event_time, 0);
    case 's': return symbol_field(r, at);
    case 'e': return event_field(r, at);
    case 'm':
        m->buyer_is_maker = first == 't';
        r->seen |= SAW_SIDE;
        return skip_value(at);
    default: return skip_value(at);
    }
}

INLINE enum reason long_field(struct reading *r, const char *key, i64 length, const char **at)
{
    struct message *m = r->message;
    if (IS(key, length, "pu")) return integer_field(r, at, &m->previous_id, 0);
    if (IS(key, length, "bids")) return levels_field(r, at, r->bids, &m->bid_count, SAW_BIDS);
    if (IS(key, length, "asks")) return levels_field(r, at, r->asks, &m->ask_count, SAW_ASKS);
    if (IS(key, length, "symbol")) return symbol_field(r, at);
    if (IS(key, length, "lastUpdateId")) return integer_field(r, at, &m->last_id, SAW_SNAPSHOT_ID);
    return skip_value(at);
}

/* One event object. A source of one market knows its scale before the symbol is read, so one pass is enough. */
static enum reason read_event(struct reading *r, const char **at)
{
    const char *p = *at;
    enum reason reason;
    r->seen = 0;
    r->event = IGNORED;
    r->known = true;
    r->message->first_id = r->message->previous_id = -1;
    r->event_time = 0;
    r->number_reason = OK;
    if (*p != '{') return MALFORMED;
    p++;
    for (;;) {
        if (UNLIKELY(*p != '"')) return MALFORMED;
        if ((unsigned char)p[1] > '"' && p[2] == '"') {
            char key = p[1];
            if (UNLIKELY(p[3] != ':')) return MALFORMED;
            p += 4;
            reason = short_field(r, key, &p);
        } else {
            const char *key;
            i64 length;
            if (read_string(&p, &key, &length) != OK || *p != ':') return MALFORMED;
            p++;
            reason = long_field(r, key, length, &p);
        }
        if (UNLIKELY(reason != OK)) return reason;
        char separator = *p++;
        if (separator == '}') { *at = p; return OK; }
        if (UNLIKELY(separator != ',')) return MALFORMED;
    }
}

/* A bare event, or the "data" of a combined-stream frame. */
INLINE enum reason read_text(struct reading *r, const char **at)
{
    const char *p = *at, *key;
    i64 length;
    enum reason reason;
    const char *first = p + 1;
    if (*p != '{' || read_string(&first, &key, &length) != OK
        || !(IS(key, length, "stream") || IS(key, length, "data"))) return read_event(r, at);
    r->seen = 0;
    r->event = IGNORED;
    r->known = true;
    r->message->first_id = r->message->previous_id = -1;
    r->event_time = 0;
    r->number_reason = OK;
    p++;
    for (;;) {
        if (read_string(&p, &key, &length) != OK || *p != ':') return MALFORMED;
        p++;
        reason = IS(key, length, "data") ? read_event(r, &p) : skip_value(&p);
        if (UNLIKELY(reason != OK)) return reason;
        char separator = *p++;
        if (separator == '}') { *at = p; return OK; }
        if (separator != ',') return MALFORMED;
    }
}

INLINE enum reason verdict(const struct reading *r, enum kind kind)
{
    unsigned needed = kind == DIFF ? DIFF_FIELDS : kind == SNAPSHOT ? SNAPSHOT_FIELDS
                    : kind == QUOTE ? QUOTE_FIELDS : TRADE_FIELDS;
    if (kind == IGNORED) return OK;
    if (UNLIKELY(!r->known)) return UNKNOWN_SYMBOL;
    if (UNLIKELY(r->number_reason != OK)) return r->number_reason;
    return (r->seen & needed) == needed ? OK : MISSING_FIELD;
}

/* Prices must be positive, contracts become lots. */
INLINE enum reason finish(struct message *m, const struct market *market, enum kind kind)
{
    enum reason reason = OK;
    if (kind == QUOTE) {
        if (UNLIKELY(m->bid_price == 0)) return NEGATIVE;
        if (UNLIKELY((reason = lots_of(market, m->bid_price, &m->bid_quantity)) != OK)) return reason;
        if (UNLIKELY(m->ask_price == 0)) return NEGATIVE;
        return lots_of(market, m->ask_price, &m->ask_quantity);
    }
    if (kind == TRADE) {
        if (UNLIKELY(m->price == 0)) return NEGATIVE;
        reason = lots_of(market, m->price, &m->quantity);
        m->last_id = m->trade_id;
    }
    return reason;
}

INLINE enum reason read_time(const char **at, i64 *time_ns)
{
    if (UNLIKELY(read_integer(at, time_ns) != OK || *time_ns < 1000000000 || **at != ' ')) {
        *time_ns = 0;
        return BAD_TIME;
    }
    ++*at;
    return OK;
}

/* A source's recorded lines, and where its messages are put together. */
struct lines {
    const char *at, *end;
    struct market market;
    i64 lag_ns, maximum_jump_ns;
    struct level *bids, *asks;
    i64 room;
};

/* The next line; false at the end of the input. The message's levels stay valid until the next call. */
INLINE bool next_message(struct lines *lines, struct message *m)
{
    const char *p = lines->at, *line = p;
    struct reading r = {.market = &lines->market, .message = m, .bids = lines->bids, .asks = lines->asks,
                        .room = lines->room};
    if (p >= lines->end) return false;
    enum reason reason = read_time(&p, &m->receive_ns);
    enum kind kind = IGNORED;
    if (LIKELY(reason == OK)) {
        reason = read_text(&r, &p);
        if (LIKELY(reason == OK)) p += *p == '\r';
        if (LIKELY(reason == OK && *p == '\n')) {
            kind = r.seen & SAW_EVENT ? r.event
                 : r.seen & SAW_SNAPSHOT_ID ? SNAPSHOT
                 : r.seen & SAW_SYMBOL && r.seen & ANY_QUOTE_FIELD ? QUOTE : IGNORED;
            reason = verdict(&r, kind);
            if (LIKELY(reason == OK)) reason = finish(m, &lines->market, kind);
        } else {
            if (reason == OK) reason = MALFORMED;
            p = memchr(line, '\n', (size_t)(lines->end - line));
        }
        /* A stamp far ahead of the next line's is wrong, whatever the message says. */
        const char *next = p + 1;
        i64 next_ns;
        if (next < lines->end && read_time(&next, &next_ns) == OK
            && m->receive_ns - next_ns > lines->maximum_jump_ns) reason = FUTURE_TIME;
        else m->receive_ns += lines->lag_ns;
    } else {
        p = memchr(line, '\n', (size_t)(lines->end - line));
    }
    lines->at = p + 1;
    m->kind = LIKELY(reason == OK) ? kind : REJECTED;
    m->reason = reason;
    m->event_ns = r.event_time * (r.event_time >= MICROSECONDS_FROM ? 1000 : 1000000);
    m->bids = lines->bids;
    m->asks = lines->asks;
    return true;
}

#endif

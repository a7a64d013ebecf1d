/* L2 books: a window of ticks with a two-level bitmap per side and a hash for the rest; joining, gaps, top of book. */
#ifndef TICKWIRE_REFERENCE_BOOK_H
#define TICKWIRE_REFERENCE_BOOK_H

#include <stdlib.h>

#include "binance.h"

#define WINDOW 65536
#define WORDS (WINDOW / 64)
#define UPPER_WORDS (WORDS / 64)
#define SLOTS 32768
#define SLOTS_MOST (SLOTS * 3 / 4)
#define NO_PRICE (-1)
#define RING 1024
#define BUFFER_WORDS (1 << 17)

struct side {
    i64 best, used, live, lost, base, better_outside;
    bool is_bid;
    u64 upper[UPPER_WORDS];
    u64 lower[WORDS];
    i64 quantity[WINDOW];
    i64 keys[SLOTS];
    i64 values[SLOTS];
};

enum rule { OVERLAPPING, CHAINED_OVERLAP, CHAINED, CONSECUTIVE, UNNUMBERED };
enum verdict { APPLY, DROP, GAP };
enum change { SAME, CHANGED, WITHDRAWN };

struct top { i64 bid, bid_quantity, ask, ask_quantity; };
struct stated { i64 id; struct top top; };

struct book {
    enum rule rule;
    bool synchronised, fresh, started, quoted, needs_book;
    i64 last_id, top_id, stated_id, stated_bid, stated_ask, pending_id;
    struct top top, pending;
    i64 diffs, snapshots, stale, gaps, resyncs, crossed, pruned, moves, quotes, old_quotes, checks, equal;
    i64 late_checks, late_equal, stale_snapshots, withdrawals, buffer_overflows;
    i64 buffered, buffer_used, ring_next;
    struct stated ring[RING];
    i64 buffer[BUFFER_WORDS];
    struct side bids, asks;
};

INLINE i64 index_of(const struct side *side, i64 tick, bool is_bid)
{
    i64 offset = tick - side->base;
    return is_bid ? WINDOW - 1 - offset : offset;
}

INLINE i64 tick_of(const struct side *side, i64 index)
{
    return side->base + (side->is_bid ? WINDOW - 1 - index : index);
}

static i64 next_index(const struct side *side, i64 word)
{
    if (word >= WORDS) return WINDOW;
    if (side->lower[word]) return word * 64 + __builtin_ctzll(side->lower[word]);
    i64 upper = word >> 6, position = word & 63;
    u64 bits = position < 63 ? side->upper[upper] & ~(((u64)2 << position) - 1) : 0;
    while (!bits) {
        if (++upper == UPPER_WORDS) return WINDOW;
        bits = side->upper[upper];
    }
    i64 found = upper * 64 + __builtin_ctzll(bits);
    return found * 64 + __builtin_ctzll(side->lower[found]);
}

INLINE i64 slot_of(i64 tick) { return (i64)(((u64)tick * 0x1E3779B97F4A7C15u) >> 40) & (SLOTS - 1); }

static void rebuild(struct side *side)
{
    struct level *kept = malloc(sizeof(struct level) * (size_t)(side->live + 1));
    i64 count = 0;
    for (i64 slot = 0; slot < SLOTS; slot++)
        if (side->values[slot]) kept[count++] = (struct level){side->keys[slot], side->values[slot]};
    memset(side->keys, 0, sizeof side->keys);
    memset(side->values, 0, sizeof side->values);
    for (i64 i = 0; i < count; i++) {
        i64 slot = slot_of(kept[i].price);
        while (side->keys[slot]) slot = (slot + 1) & (SLOTS - 1);
        side->keys[slot] = kept[i].price;
        side->values[slot] = kept[i].quantity;
    }
    side->used = side->live = count;
    free(kept);
}

static __attribute__((noinline)) void set_outside(struct side *side, i64 tick, i64 quantity)
{
    i64 slot = slot_of(tick);
    while (side->keys[slot] && side->keys[slot] != tick) slot = (slot + 1) & (SLOTS - 1);
    if (!side->keys[slot]) {
        if (!quantity) return;
        if (side->used >= SLOTS_MOST) {
            rebuild(side);
            if (side->used >= SLOTS_MOST) { side->lost++; return; }
            slot = slot_of(tick);
            while (side->keys[slot]) slot = (slot + 1) & (SLOTS - 1);
        }
        side->keys[slot] = tick;
        side->used++;
        side->live++;
    } else if (!side->values[slot] != !quantity) {
        side->live += quantity ? 1 : -1;
    }
    side->values[slot] = quantity;
}

INLINE void set_level(struct side *side, i64 tick, i64 quantity, bool is_bid)
{
    i64 index = index_of(side, tick, is_bid);
    if (UNLIKELY((u64)index >= WINDOW)) {
        set_outside(side, tick, quantity);
        if (index < 0 && quantity) side->better_outside = 1;
        return;
    }
    i64 word = index >> 6;
    u64 bit = (u64)1 << (index & 63), bits = side->lower[word];
    u64 kept = quantity ? bits | bit : bits & ~bit;
    side->quantity[index] = quantity;
    side->lower[word] = kept;
    if (UNLIKELY(!bits != !kept)) side->upper[word >> 6] ^= (u64)1 << (word & 63);
    if (index <= side->best) {
        if (quantity) side->best = index;
        else if (index == side->best) side->best = next_index(side, word);
    }
}

static __attribute__((noinline)) i64 best_outside(const struct side *side)
{
    i64 best = NO_PRICE;
    if (side->live > 0)
        for (i64 slot = 0; slot < SLOTS; slot++)
            if (side->values[slot]) {
                i64 tick = side->keys[slot];
                if (best == NO_PRICE || (side->is_bid ? tick > best : tick < best)) best = tick;
            }
    return best;
}

INLINE i64 best_tick(const struct side *side)
{
    i64 index = side->best;
    if (UNLIKELY(side->better_outside || (index == WINDOW && side->live > 0))) {
        i64 outside = best_outside(side), inside = index < WINDOW ? tick_of(side, index) : NO_PRICE;
        if (inside == NO_PRICE || outside == NO_PRICE) return inside == NO_PRICE ? outside : inside;
        return side->is_bid == (inside > outside) ? inside : outside;
    }
    return index < WINDOW ? tick_of(side, index) : NO_PRICE;
}

INLINE i64 quantity_at(const struct side *side, i64 tick)
{
    i64 index = index_of(side, tick, side->is_bid);
    if (LIKELY((u64)index < WINDOW))
        return side->lower[index >> 6] >> (index & 63) & 1 ? side->quantity[index] : 0;
    i64 slot = slot_of(tick);
    while (side->keys[slot] && side->keys[slot] != tick) slot = (slot + 1) & (SLOTS - 1);
    return side->keys[slot] == tick ? side->values[slot] : 0;
}

static void clear_side(struct side *side, bool is_bid, i64 base)
{
    side->best = WINDOW;
    side->used = side->live = side->lost = side->better_outside = 0;
    side->is_bid = is_bid;
    side->base = base;
    memset(side->upper, 0, sizeof side->upper);
    memset(side->lower, 0, sizeof side->lower);
    memset(side->keys, 0, sizeof side->keys);
    memset(side->values, 0, sizeof side->values);
}

static void clear_levels(struct book *book, i64 middle)
{
    clear_side(&book->bids, true, middle - WINDOW / 2);
    clear_side(&book->asks, false, middle - WINDOW / 2);
}

static void move_window(struct side *side, i64 base)
{
    i64 lost = side->lost, count = 0;
    struct level *kept = malloc(sizeof(struct level) * (size_t)(WINDOW + side->live));
    for (i64 word = 0; word < WORDS; word++)
        for (u64 bits = side->lower[word]; bits; bits &= bits - 1) {
            i64 index = word * 64 + __builtin_ctzll(bits);
            kept[count++] = (struct level){tick_of(side, index), side->quantity[index]};
        }
    for (i64 slot = 0; slot < SLOTS; slot++)
        if (side->values[slot]) kept[count++] = (struct level){side->keys[slot], side->values[slot]};
    clear_side(side, side->is_bid, base);
    side->lost = lost;
    for (i64 i = 0; i < count; i++) set_level(side, kept[i].price, kept[i].quantity, side->is_bid);
    free(kept);
}

INLINE bool window_misses(const struct side *side)
{
    return side->better_outside || (side->best == WINDOW && side->live > 0);
}

INLINE void keep_centred(struct book *book)
{
    i64 bid = best_tick(&book->bids), ask = best_tick(&book->asks);
    if (bid == NO_PRICE && ask == NO_PRICE) return;
    i64 middle = bid != NO_PRICE && ask != NO_PRICE ? (bid + ask) >> 1 : bid > ask ? bid : ask;
    i64 offset = middle - book->bids.base;
    if (LIKELY(WINDOW / 4 <= offset && offset <= WINDOW * 3 / 4
               && !window_misses(&book->bids) && !window_misses(&book->asks))) return;
    i64 base = middle - WINDOW / 2;
    if (base == book->bids.base) return;
    move_window(&book->bids, base);
    move_window(&book->asks, base);
    book->moves++;
}

INLINE enum verdict judge(const struct book *book, i64 first, i64 last, i64 previous)
{
    switch (book->rule) {
    case OVERLAPPING:
        return last <= book->last_id ? DROP : first > book->last_id + 1 ? GAP : APPLY;
    case CHAINED_OVERLAP:
        if (book->fresh) return last < book->last_id ? DROP : first > book->last_id ? GAP : APPLY;
        return previous == book->last_id ? APPLY : last <= book->last_id ? DROP : GAP;
    case CHAINED:
        return previous == book->last_id ? APPLY : last <= book->last_id ? DROP : GAP;
    case CONSECUTIVE:
        return last == book->last_id + 1 ? APPLY : last <= book->last_id ? DROP : GAP;
    default:
        return APPLY;
    }
}

static void keep_for_snapshot(struct book *book, i64 first, i64 last, i64 previous, const struct level *bids,
                              i64 bid_count, const struct level *asks, i64 ask_count)
{
    i64 words = 5 + 2 * (bid_count + ask_count), used = book->buffer_used;
    if (used + words > BUFFER_WORDS) {
        book->buffer_overflows++;
        book->buffered = used = 0;
    }
    if (words <= BUFFER_WORDS) {
        i64 *at = book->buffer + used;
        i64 header[5] = {first, last, previous, bid_count, ask_count};
        memcpy(at, header, sizeof header);
        memcpy(at + 5, bids, sizeof *bids * (size_t)bid_count);
        memcpy(at + 5 + 2 * bid_count, asks, sizeof *asks * (size_t)ask_count);
        book->buffered++;
        used += words;
    }
    book->buffer_used = used;
}

INLINE bool is_crossed(const struct book *book)
{
    i64 bid = best_tick(&book->bids), ask = best_tick(&book->asks);
    return bid != NO_PRICE && ask != NO_PRICE && bid >= ask;
}

static void prune_crossed(struct book *book)
{
    i64 tick;
    while ((tick = best_tick(&book->bids)) > book->stated_bid) {
        set_level(&book->bids, tick, 0, true);
        book->pruned++;
    }
    while ((tick = best_tick(&book->asks)) != NO_PRICE && tick < book->stated_ask) {
        set_level(&book->asks, tick, 0, false);
        book->pruned++;
    }
}

INLINE bool apply(struct book *book, i64 last, const struct level *bids, i64 bid_count, const struct level *asks,
                  i64 ask_count, bool fresh)
{
    for (i64 i = 0; i < bid_count; i++) set_level(&book->bids, bids[i].price, bids[i].quantity, true);
    for (i64 i = 0; i < ask_count; i++) set_level(&book->asks, asks[i].price, asks[i].quantity, false);
    book->last_id = last;
    book->fresh = fresh;
    bool usable = true;
    if (UNLIKELY(is_crossed(book))) {
        book->crossed++;
        if (book->stated_id >= 0) prune_crossed(book);
        usable = !is_crossed(book);
    }
    usable = usable && book->bids.lost + book->asks.lost == 0;
    keep_centred(book);
    return usable;
}

static enum verdict apply_buffered(struct book *book)
{
    const i64 *at = book->buffer;
    for (i64 i = 0; i < book->buffered; i++) {
        const struct level *bids = (const struct level *)(at + 5), *asks = bids + at[3];
        enum verdict verdict = judge(book, at[0], at[1], at[2]);
        if (verdict == GAP) return GAP;
        if (verdict == DROP) book->stale++;
        else if (!apply(book, at[1], bids, at[3], asks, at[4], false)) return GAP;
        at += 5 + 2 * (at[3] + at[4]);
    }
    return APPLY;
}

INLINE bool same_top(const struct top *a, const struct top *b)
{
    return a->bid == b->bid && a->bid_quantity == b->bid_quantity && a->ask == b->ask
        && a->ask_quantity == b->ask_quantity;
}

/* Compare the book with the stated quote of its id, now or when that arrives. */
INLINE void check_against_stated(struct book *book, const struct top *top)
{
    book->pending_id = -1;
    if (book->stated_id < book->last_id) {
        book->pending_id = book->last_id;
        book->pending = *top;
        return;
    }
    i64 position = book->ring_next;
    for (i64 i = 0; i < RING; i++) {
        position = (position - 1) & (RING - 1);
        const struct stated *stated = &book->ring[position];
        if (stated->id <= book->last_id) {
            if (stated->id == book->last_id) {
                book->checks++;
                book->equal += same_top(&stated->top, top);
            }
            return;
        }
    }
}

INLINE void set_top(struct book *book, i64 id, const struct top *top)
{
    book->top_id = id;
    book->top = *top;
    book->quoted = true;
}

INLINE enum change take_from_book(struct book *book)
{
    struct top top = {best_tick(&book->bids), 0, best_tick(&book->asks), 0};
    if (top.bid != NO_PRICE) top.bid_quantity = quantity_at(&book->bids, top.bid);
    if (top.ask != NO_PRICE) top.ask_quantity = quantity_at(&book->asks, top.ask);
    check_against_stated(book, &top);
    if (!book->quoted) {
        if (book->stated_id <= book->last_id) {
            set_top(book, book->last_id, &top);
        } else {
            const struct stated *newest = &book->ring[(book->ring_next - 1) & (RING - 1)];
            set_top(book, newest->id, &newest->top);
        }
        return CHANGED;
    }
    if (book->last_id < book->top_id || same_top(&book->top, &top)) return SAME;
    set_top(book, book->last_id, &top);
    return CHANGED;
}

static enum change withdraw(struct book *book)
{
    book->synchronised = false;
    book->pending_id = -1;
    if (!book->quoted) return SAME;
    book->withdrawals++;
    book->quoted = false;
    book->top.bid_quantity = book->top.ask_quantity = 0;
    return WITHDRAWN;
}

INLINE enum change on_diff(struct book *book, const struct message *m)
{
    book->diffs++;
    if (UNLIKELY(!book->synchronised)) {
        keep_for_snapshot(book, m->first_id, m->last_id, m->previous_id, m->bids, m->bid_count, m->asks, m->ask_count);
        return SAME;
    }
    enum verdict verdict = judge(book, m->first_id, m->last_id, m->previous_id);
    if (UNLIKELY(verdict == DROP)) { book->stale++; return SAME; }
    if (LIKELY(verdict == APPLY && apply(book, m->last_id, m->bids, m->bid_count, m->asks, m->ask_count, false)))
        return take_from_book(book);
    book->gaps++;
    book->buffered = book->buffer_used = 0;
    if (verdict == GAP)
        keep_for_snapshot(book, m->first_id, m->last_id, m->previous_id, m->bids, m->bid_count, m->asks, m->ask_count);
    return withdraw(book);
}

static enum change on_snapshot(struct book *book, const struct message *m)
{
    bool was_synchronised = book->synchronised;
    book->snapshots++;
    if (was_synchronised && m->last_id < book->last_id && book->rule != UNNUMBERED) {
        book->stale_snapshots++;
        return SAME;
    }
    clear_levels(book, m->bid_count ? m->bids[0].price : m->ask_count ? m->asks[0].price : 0);
    bool usable = apply(book, m->last_id, m->bids, m->bid_count, m->asks, m->ask_count, true);
    if (!usable || apply_buffered(book) == GAP) {
        book->gaps++;
        return was_synchronised ? withdraw(book) : SAME;
    }
    book->buffered = book->buffer_used = 0;
    if (!was_synchronised && book->started) book->resyncs++;
    book->started = book->synchronised = true;
    book->quoted = false;
    return take_from_book(book);
}

INLINE enum change on_quote(struct book *book, const struct message *m)
{
    book->quotes++;
    if (UNLIKELY(m->last_id < book->stated_id)) { book->old_quotes++; return SAME; }
    struct top top = {m->bid_price, m->bid_quantity, m->ask_price, m->ask_quantity};
    book->stated_id = m->last_id;
    book->stated_bid = top.bid;
    book->stated_ask = top.ask;
    book->ring[book->ring_next] = (struct stated){m->last_id, top};
    book->ring_next = (book->ring_next + 1) & (RING - 1);
    if (book->pending_id == m->last_id && book->synchronised) {
        book->late_checks++;
        book->late_equal += same_top(&book->pending, &top);
        book->pending_id = -1;
    }
    if (book->needs_book && !book->synchronised) return SAME;
    if (book->quoted && m->last_id < book->top_id) { book->old_quotes++; return SAME; }
    set_top(book, m->last_id, &top);
    return CHANGED;
}

static void reset_book(struct book *book)
{
    memset(book, 0, offsetof(struct book, bids));
    clear_levels(book, WINDOW);
    book->last_id = book->top_id = book->stated_id = book->pending_id = -1;
    for (int i = 0; i < RING; i++) book->ring[i].id = -1;
}

#endif

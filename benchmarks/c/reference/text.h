/* Reading JSON text in place. Every text must be followed by a byte below 32, and 16 readable bytes after that. */
#ifndef TICKWIRE_REFERENCE_TEXT_H
#define TICKWIRE_REFERENCE_TEXT_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

typedef int64_t i64;
typedef uint64_t u64;

/* Why a message is refused, numbered as market.wire.records.Reject. */
enum reason {
    OK, BAD_TIME, FUTURE_TIME, MALFORMED, UNKNOWN_SYMBOL, MISSING_FIELD,
    BAD_NUMBER, NEGATIVE, PRECISION, OVERFLOW, TOO_LONG
};

#define LIKELY(x) __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)
#define INLINE static inline __attribute__((always_inline))

#define MOST_DIGITS 18
#define MOST_INTEGER_DIGITS 19
#define MOST_NESTING 62

static const i64 POWERS_OF_TEN[19] = {
    1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000, 1000000000, 10000000000, 100000000000,
    1000000000000, 10000000000000, 100000000000000, 1000000000000000, 10000000000000000, 100000000000000000,
    1000000000000000000
};

INLINE unsigned digit_at(const char *p) { return (unsigned char)*p ^ 48u; }

INLINE u64 load_word(const char *p)
{
    u64 word;
    memcpy(&word, p, 8);
    return word;
}

/* Eight digit values, the most significant in the lowest byte, as one number. */
INLINE u64 eight_digits(u64 digits)
{
    digits = digits * 10 + (digits >> 8);
    return (((digits & 0x000000FF000000FF) * 0x000F424000000064) +
            (((digits >> 16) & 0x000000FF000000FF) * 0x0000271000000001)) >> 32;
}

/* How many of the word's bytes, from the lowest on, are digit values 0 to 9. */
INLINE int leading_digits(u64 values)
{
    u64 others = ((values & 0x7F7F7F7F7F7F7F7F) + 0x7676767676767676) | values;
    others &= 0x8080808080808080;
    return others ? __builtin_ctzll(others) >> 3 : 8;
}

/* A decimal as a count of 10^-decimals, digit by digit: any length, and the reason why it cannot be read. */
static __attribute__((noinline)) enum reason read_decimal_slowly(const char **at, int decimals, i64 *value)
{
    const char *p = *at, *start = p;
    u64 number = 0;
    unsigned beyond = 0;
    int missing = decimals;
    i64 whole;

    while (digit_at(p) <= 9) number = number * 10 + digit_at(p++);
    whole = p - start;
    if (*p == '.') {
        const char *fraction = ++p;
        while (digit_at(p) <= 9 && missing > 0) { number = number * 10 + digit_at(p++); missing--; }
        while (digit_at(p) <= 9) beyond |= digit_at(p++);
        if (p == fraction) return BAD_NUMBER;
    }
    *at = p;
    if (whole == 0) return *start == '-' ? NEGATIVE : BAD_NUMBER;
    if (whole + decimals > MOST_DIGITS) return OVERFLOW;
    if (beyond) return PRECISION;
    if ((*p | 32) == 'e') return BAD_NUMBER;
    *value = (i64)number * POWERS_OF_TEN[missing];
    return OK;
}

/* The same for what venues send: a fraction of eight digits is read at once, everything else digit by digit. */
INLINE enum reason read_decimal(const char **at, int decimals, i64 *value)
{
    const char *p = *at, *start = p;
    i64 number = 0;
    while (digit_at(p) <= 9) number = number * 10 + digit_at(p++);
    i64 whole = p - start;
    if (UNLIKELY(whole == 0 || whole + decimals > MOST_DIGITS)) return read_decimal_slowly(at, decimals, value);
    int missing = decimals;
    if (*p == '.') {
        const char *fraction = ++p;
        if (digit_at(p + 3) <= 9 && leading_digits(load_word(p) ^ 0x3030303030303030) == 8) {
            u64 digits = load_word(p) ^ 0x3030303030303030;
            if (decimals < 8) {
                if (UNLIKELY(digits >> 8 * decimals)) return read_decimal_slowly(at, decimals, value);
                digits = decimals ? digits << (64 - 8 * decimals) : 0;
            }
            number = number * POWERS_OF_TEN[decimals < 8 ? decimals : 8] + (i64)eight_digits(digits);
            p += 8;
            missing = decimals < 8 ? 0 : decimals - 8;
            if (UNLIKELY(digit_at(p) <= 9)) return read_decimal_slowly(at, decimals, value);
        } else {
            unsigned beyond = 0;
            while (digit_at(p) <= 9 && missing > 0) { number = number * 10 + digit_at(p++); missing--; }
            while (digit_at(p) <= 9) beyond |= digit_at(p++);
            if (UNLIKELY(p == fraction || beyond)) return read_decimal_slowly(at, decimals, value);
        }
    }
    if (UNLIKELY((*p | 32) == 'e')) return BAD_NUMBER;
    *at = p;
    *value = number * POWERS_OF_TEN[missing];
    return OK;
}

/* An unsigned integer below 2^63. */
INLINE enum reason read_integer(const char **at, i64 *value)
{
    const char *p = *at, *start = p;
    u64 number = 0, word;
    while (leading_digits(word = load_word(p) ^ 0x3030303030303030) == 8) {
        number = number * 100000000 + eight_digits(word);
        p += 8;
        if (UNLIKELY(p - start > MOST_INTEGER_DIGITS)) break;
    }
    while (digit_at(p) <= 9) number = number * 10 + digit_at(p++);
    *at = p;
    if (UNLIKELY(p == start)) return *start == '-' ? NEGATIVE : BAD_NUMBER;
    if (UNLIKELY(p - start > MOST_INTEGER_DIGITS || (i64)number < 0)) return OVERFLOW;
    *value = (i64)number;
    return OK;
}

/* A string without escapes; *at is its opening mark and becomes the byte after its closing one. */
INLINE enum reason read_string(const char **at, const char **text, i64 *length)
{
    const char *p = *at;
    if (UNLIKELY(*p != '"')) return MALFORMED;
    *text = ++p;
    while (*p != '"' && *p != '\\' && (unsigned char)*p >= 32) p++;
    *at = p;
    if (UNLIKELY(*p != '"')) return MALFORMED;
    *length = p - *text;
    *at = p + 1;
    return OK;
}

static enum reason skip_string(const char **at)
{
    const char *p = *at + 1;
    while (*p != '"') {
        if ((unsigned char)*p < 32) { *at = p; return MALFORMED; }
        if (*p == '\\' && (unsigned char)*++p < 32) { *at = p; return MALFORMED; }
        p++;
    }
    *at = p + 1;
    return OK;
}

/* Any JSON value; brackets must balance in number and kind. */
static enum reason skip_value(const char **at)
{
    const char *p = *at;
    u64 kinds = 0;
    int nesting = 0;
    for (;;) {
        unsigned char c = (unsigned char)*p;
        if (c < 32) { *at = p; return MALFORMED; }
        if (c == '"') {
            enum reason reason = skip_string(&p);
            if (reason != OK) { *at = p; return reason; }
        } else if (c == '{' || c == '[') {
            if (nesting == MOST_NESTING) { *at = p; return MALFORMED; }
            kinds = kinds << 1 | (c == '{');
            nesting++;
            p++;
            continue;
        } else if (c == '}' || c == ']') {
            if (nesting == 0 || (kinds & 1) != (c == '}')) { *at = p; return MALFORMED; }
            kinds >>= 1;
            nesting--;
            p++;
        } else if (c == ',' || c == ':') {
            if (nesting == 0) { *at = p; return MALFORMED; }
            p++;
            continue;
        } else {
            const char *start = p;
            while (c > 32 && c != ',' && c != '}' && c != ']' && c != ':' && c != '"') c = (unsigned char)*++p;
            if (p == start) { p++; continue; }
        }
        if (nesting == 0) { *at = p; return OK; }
    }
}

#endif

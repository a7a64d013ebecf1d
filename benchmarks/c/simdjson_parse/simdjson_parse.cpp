// Recorded Binance lines to records and levels with simdjson's On-Demand parser: a check on the C reference's parser.
//
// It does what reference_parse does for well-formed input: same records, same levels, same sums. A message that it
// cannot read ends the run with -1, so it is no replacement, only a yardstick for the speed of reading JSON.
#include <cstdint>
#include <cstring>
#include <string_view>

#include "simdjson.h"

namespace {

using simdjson::ondemand::array;
using simdjson::ondemand::object;
using simdjson::ondemand::value;

enum kind { ignored, diff, snapshot, quote, trade };
constexpr int64_t most_levels = 16384;

struct level { int64_t price, quantity; };
struct record {
    int64_t kind, receive_ns, event_time, first_id, last_id, previous_id;
    int64_t bid_price, bid_quantity, ask_price, ask_quantity, price, quantity, trade_id, buyer_is_maker;
    int64_t bid_count, ask_count;
    const level *bids, *asks;
};
struct market { std::string_view symbol; int price_decimals, quantity_decimals; int64_t factor; };

constexpr int64_t powers[] = {1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000};

struct malformed {};

// A quoted decimal as a count of 10^-decimals; digits beyond must be zeros.
inline int64_t decimal(value &&text, int decimals) {
    const char *p = text.raw_json_token().data();
    if (*p++ != '"') throw malformed{};
    int64_t number = 0;
    unsigned digit;
    const char *start = p;
    while ((digit = unsigned(*p) - '0') <= 9) { number = number * 10 + digit; p++; }
    if (p == start) throw malformed{};
    if (*p == '.') {
        const char *end = ++p + decimals;
        while (p < end && (digit = unsigned(*p) - '0') <= 9) { number = number * 10 + digit; p++; }
        number *= powers[end - p];
        while (*p == '0') p++;
    } else {
        number *= powers[decimals];
    }
    if (*p != '"') throw malformed{};
    return number;
}

inline int64_t lots(const market &m, int64_t price, int64_t quantity) {
    return m.factor ? quantity * m.factor / price : quantity;
}

inline int64_t levels(array &&rows, const market &m, level *out, int64_t room) {
    int64_t count = 0;
    for (array row : rows) {
        if (count == room) throw malformed{};
        auto cell = row.begin();
        int64_t price = decimal(value(*cell), m.price_decimals);
        ++cell;
        int64_t quantity = decimal(value(*cell), m.quantity_decimals);
        ++cell;
        if (cell != row.end() || price == 0) throw malformed{};
        out[count++] = {price, lots(m, price, quantity)};
    }
    return count;
}

struct areas { level *bids, *asks; int64_t room; };

void read_event(object &&event, const market &m, const areas &space, record &r) {
    bool named = false;
    r.kind = ignored;
    r.first_id = r.previous_id = -1;
    for (auto field : event) {
        std::string_view key = field.escaped_key();
        value item = field.value();
        if (key.size() == 1) {
            switch (key[0]) {
            case 'e': {
                std::string_view name = item.get_string();
                named = true;
                r.kind = name == "depthUpdate" ? diff : name == "bookTicker" ? quote : name == "trade" ? trade : ignored;
                break;
            }
            case 'E': r.event_time = item.get_int64(); break;
            case 's':
                if (std::string_view(item.get_string()) != m.symbol) throw malformed{};
                break;
            case 'U': r.first_id = item.get_int64(); break;
            case 'u': r.last_id = item.get_int64(); break;
            case 't': r.trade_id = item.get_int64(); break;
            case 'm': r.buyer_is_maker = bool(item.get_bool()); break;
            case 'p': r.price = decimal(std::move(item), m.price_decimals); break;
            case 'q': r.quantity = decimal(std::move(item), m.quantity_decimals); break;
            case 'B': r.bid_quantity = decimal(std::move(item), m.quantity_decimals); break;
            case 'A': r.ask_quantity = decimal(std::move(item), m.quantity_decimals); break;
            case 'b':
                if (item.type() == simdjson::ondemand::json_type::array)
                    r.bid_count = levels(item.get_array(), m, space.bids, space.room);
                else if (item.type() == simdjson::ondemand::json_type::string)
                    r.bid_price = decimal(std::move(item), m.price_decimals);
                break;
            case 'a':
                if (item.type() == simdjson::ondemand::json_type::array)
                    r.ask_count = levels(item.get_array(), m, space.asks, space.room);
                else if (item.type() == simdjson::ondemand::json_type::string)
                    r.ask_price = decimal(std::move(item), m.price_decimals);
                break;
            default: break;
            }
        } else if (key == "pu") {
            r.previous_id = item.get_int64();
        } else if (key == "lastUpdateId") {
            r.last_id = item.get_int64();
            r.kind = snapshot;
        } else if (key == "bids") {
            r.bid_count = levels(item.get_array(), m, space.bids, space.room);
        } else if (key == "asks") {
            r.ask_count = levels(item.get_array(), m, space.asks, space.room);
        } else if (key == "symbol") {
            if (std::string_view(item.get_string()) != m.symbol) throw malformed{};
        }
    }
    if (!named && r.kind == ignored) r.kind = quote;
    if (r.kind == quote) {
        r.bid_quantity = lots(m, r.bid_price, r.bid_quantity);
        r.ask_quantity = lots(m, r.ask_price, r.ask_quantity);
    } else if (r.kind == trade) {
        r.quantity = lots(m, r.price, r.quantity);
    }
}

void add_up(const record &r, int64_t *digest) {
    digest[0] += r.kind + r.receive_ns;
    if (r.kind == quote)
        digest[1] += r.last_id + 3 * r.bid_price + 5 * r.bid_quantity + 7 * r.ask_price + 11 * r.ask_quantity;
    if (r.kind == trade) digest[2] += r.trade_id + 3 * r.price + 5 * r.quantity + 7 * r.buyer_is_maker;
    if (r.kind != diff && r.kind != snapshot) return;
    digest[3] += r.last_id;
    for (int64_t i = 0; i < r.bid_count; i++) digest[3] += (i + 1) * r.bids[i].price + (i + 3) * r.bids[i].quantity;
    for (int64_t i = 0; i < r.ask_count; i++) digest[3] += (i + 5) * r.asks[i].price + (i + 7) * r.asks[i].quantity;
}

}  // namespace

// Arguments as reference_parse: words 4 to 9 of the source are its symbol, decimals and contract factor.
extern "C" int64_t simdjson_parse(const int64_t *source, const char *data, int64_t length, int64_t *digest) {
    static record records[1024];
    static level bids[2 * most_levels], asks[2 * most_levels];
    static simdjson::ondemand::parser parser;
    char symbol[16];
    std::memcpy(symbol, source + 4, 16);
    const market m{{symbol, size_t(source[6])}, int(source[7]), int(source[8]), source[9]};
    const char *at = data, *end = data + length;
    int64_t count = 0, bids_used = 0, asks_used = 0;
    try {
        for (; at < end; count++) {
            record &r = records[count & 1023];
            if ((count & 1023) == 0 || bids_used > most_levels || asks_used > most_levels) bids_used = asks_used = 0;
            const char *newline = static_cast<const char *>(std::memchr(at, '\n', size_t(end - at)));
            r.receive_ns = 0;
            while (*at != ' ') r.receive_ns = r.receive_ns * 10 + (*at++ - '0');
            at++;
            const size_t size = size_t(newline - at);
            simdjson::ondemand::document document =
                parser.iterate(simdjson::padded_string_view(at, size, size + simdjson::SIMDJSON_PADDING));
            object message = document.get_object();
            r.bids = bids + bids_used;
            r.asks = asks + asks_used;
            r.bid_count = r.ask_count = 0;
            const areas space{bids + bids_used, asks + asks_used, most_levels};
            auto wrapped = message.find_field("data");
            if (wrapped.error() == simdjson::SUCCESS) {
                read_event(wrapped.get_object(), m, space, r);
            } else {
                message.reset();
                read_event(std::move(message), m, space, r);
            }
            bids_used += r.bid_count;
            asks_used += r.ask_count;
            if (digest) add_up(r, digest);
            at = newline + 1;
        }
    } catch (const malformed &) {
        return -1;
    } catch (const simdjson::simdjson_error &) {
        return -1;
    }
    return count;
}

"""The rules of the fast loop by stable names; every rule has at least one case.

A name never changes its meaning: hardware reports and decision records refer to it.
"""

from __future__ import annotations

from enum import Enum


class Rule(Enum):
    """``RULE = (name, where it stands, what it says)``; numbers are those of docs/fastpath.md."""

    PRICE_WIDTH = "price-width", "Numbers", "prices and quantities have P bits, P a build parameter"
    SCALING = "scaling", "Numbers", "value = mantissa x 10^k, k in 0..3, price and quantity apart"
    QUANTITY_CUT = (
        "quantity-cut",
        "Numbers; 9",
        "a quantity mantissa above top is cut to top, and counted, before CROSSED",
    )
    FEE_ROUNDING = "fee-rounding", "Numbers; One event 3", "cost is rounded up; negative fees too"
    FLOOR_SHIFT = "floor-shift", "Numbers", "shifts round down, also of negative numbers"
    IMBALANCE_TRUNCATION = "imbalance-truncation", "Numbers; One event 3", "the imbalance is truncated towards zero"
    BUILD_SIZES = "build-sizes", "State", "any number of venues and instruments"

    STEP_NUMBERING = "step-numbering", "Steps; 1, 3", "each event and each applied or refused message is the next step"
    TIME_BACKWARDS = "time-backwards", "Steps; 2", "a time below T counts as T and is counted"
    TIME_LIMIT = "time-limit", "Steps; 2", "a time of 2^62 and above, or below 0, counts as T and is counted"

    STATUS_FIRST = "status-first", "Parity, Status; 5", "the end of the first step sends status number 1"
    STATUS_INTERVAL = (
        "status-interval",
        "Parity, Status; 5",
        "due at the first step with T >= next, then next = T + 10 ms",
    )
    STATUS_ON_REQUEST = "status-on-request", "Control; 5", "heartbeat and request answer with a status; next stays"
    STATUS_ONCE = "status-once", "5", "a status that is due and requested is sent once"
    STATUS_VOLUME = "status-volume", "Parity, Status; 29", "volumes are those of instrument number mod instruments"
    OUTPUT_ORDER = "output-order", "6", "triggers, then acknowledgement, then status"

    REJECT_UNKNOWN = "reject-unknown", "One event 1; 7", "venue or instrument outside the build, or no scaling row"
    REJECT_OLD_SEQUENCE = "reject-old-sequence", "One event 1; 8", "not above the stored sequence, if any"
    REJECT_EXPONENT = "reject-exponent", "One event 1; 9", "price or quantity exponent differs from the row"
    REJECT_EMPTY = "reject-empty", "One event 1; 9", "a zero quantity on either side"
    REJECT_RANGE = "reject-range", "One event 1; 9", "a price mantissa outside 1..top, or a negative quantity"
    REJECT_CROSSED = "reject-crossed", "One event 1; 9", "ask <= bid"
    REJECT_ORDER = "reject-order", "One event 1", "the first check that fails counts"
    REJECT_INVALIDATES = (
        "reject-invalidates",
        "One event 1",
        "from EXPONENT on: sequence stored, quote invalid, the venue's bits cleared",
    )
    SEQUENCE_SIGNED = "sequence-signed", "8", "sequences are signed 64-bit; the first may be any"
    UNCHANGED_QUOTE = "unchanged-quote", "One event 2", "an unchanged quote is an event: it renews age and samples"
    HEARD = "heard", "4", "an event makes its venue heard, also if it is not admitted; trades too"

    USABLE_ENABLED = "usable-enabled", "One event 2; 13", "the venue is enabled; the event's own as well"
    USABLE_VALID = "usable-valid", "One event 2", "the quote is valid"
    USABLE_AGE = "usable-age", "One event 2", "T - time <= maximum age"
    USABLE_SILENCE = "usable-silence", "One event 2", "T - seen <= maximum silence"

    KIND_OFF = "kind-off", "One event 3; 31", "the condition of a kind that is off is false"
    MINIMUM_QUANTITY = "minimum-quantity", "One event 3; 12", "false if a leg displays less than the minimum"
    ARB_SELL_V = "arb-sell-v", "One event 3", "sell v buy w: bid_v - ask_w - cost(ask_w)"
    ARB_BUY_V = "arb-buy-v", "One event 3", "sell w buy v: bid_w - ask_v - cost(bid_w)"
    ARB_THRESHOLD = "arb-threshold", "One event 3", "true from edge = minimum edge on; it may be negative"
    BASIS_V_RICH = "basis-v-rich", "One event 3", "the richer venue is sold, the cheaper one bought"
    BASIS_V_CHEAP = "basis-v-cheap", "One event 3", "the same when the moved venue is the cheap one"
    BASIS_THRESHOLD = "basis-threshold", "One event 3", "true from |dev| = threshold on"
    BASIS_WARM_UP = "basis-warm-up", "One event 3", "false while samples < max(1, warm-up)"
    BASIS_LEAD = "basis-lead", "One event 3; 16", "lead[v][w]: only the leg on w"
    BASIS_LAG = "basis-lag", "One event 3; 16", "lead[w][v] alone: only v's leg for the bit, never a candidate"
    BASIS_BOTH_LEADS = "basis-both-leads", "16", "with both leads set, lead[v][w] decides"
    IMBALANCE_BUY = "imbalance-buy", "One event 3", "buy at the ask from imbalance = threshold on"
    IMBALANCE_SELL = "imbalance-sell", "One event 3", "sell at the bid from -imbalance = threshold on"
    IMBALANCE_SPREAD = "imbalance-spread", "One event 3", "only up to the maximum spread"

    EDGE_RISE = "edge-rise", "One event 4", "a rise is true where the bit was 0; a bit that stays set rises no more"
    EDGE_AGAIN = "edge-again", "One event 4", "after a false condition the next true one is a rise"
    EDGE_SUPPRESSED = "edge-suppressed", "One event 4", "a rise that the gate stops is used up"
    EDGE_UNCHOSEN = "edge-unchosen", "One event 4", "a rise that is not chosen is used up"
    EDGE_SHARED = "edge-shared", "14", "a pair has one bit per kind and direction, whichever venue's event evaluates it"
    EDGE_TABLES = "edge-tables", "One event 4; 28", "table writes leave bits, quotes and basis alone"

    CHOICE_KIND = "choice-kind", "One event 5; 15", "ARB before BASIS before IMBALANCE; one per event"
    CHOICE_SELLER = "choice-seller", "One event 5", "v as seller before v as buyer, even with a smaller edge"
    CHOICE_LARGEST = "choice-largest", "One event 5", "the largest edge or |dev|"
    CHOICE_TIE = "choice-tie", "One event 5", "ties go to the lowest w"
    SIZE = "size", "One event 6", "the maximum quantity, or the least displayed leg"

    GATE_KILL = "gate-kill", "One event 7", "killed"
    GATE_LEASE = "gate-lease", "One event 7", "T > lease_until"
    GATE_INSTRUMENT = "gate-instrument", "One event 7", "the instrument is disabled"
    GATE_COOLDOWN = "gate-cooldown", "One event 7", "T < cooldown_until"
    GATE_COLLAR = "gate-collar", "One event 7; 12, 21", "a sent leg's price outside low..high; low > high always fails"
    GATE_POSITION = "gate-position", "One event 7; 12, 20", "size above the room of a sent leg"
    GATE_RATE = "gate-rate", "One event 7", "rate_at > T + tolerance: a bucket of 1 + tolerance / interval"
    GATE_ORDER = "gate-order", "One event 7; 20", "the first check that fails is counted, and only that"
    PENDING = "pending", "State; One event 7", "a pass adds to the pending of each leg; sides are never netted"
    ID_WRAP = "id-wrap", "36", "ids wrap at 2^64"

    TRIGGER_LEGS = "trigger-legs", "One event 8; 17", "seller first; an absent leg last: venue 255, NONE, zeros"
    TRIGGER_EDGE = "trigger-edge", "18", "edge for ARB, |dev| for BASIS, 0 for IMBALANCE"
    TRIGGER_SIGNALS = "trigger-signals", "One event 8", "imbalance and microprice of v"
    PARITY_CHAIN = "parity-chain", "Parity; 30", "CRC-32 over all trigger payloads; a trigger carries the one before it"

    BASIS_FIRST = "basis-first", "One event 9", "the first sample sets B = d << 12"
    BASIS_INTERVAL = "basis-interval", "One event 9", "a later sample when T - sample time >= interval"
    BASIS_MEAN = "basis-mean", "One event 9", "B += ((d << 12) - B) >> shift, shift 0..16"
    BASIS_SAMPLES = "basis-samples", "One event 9", "samples grow to 65,535"
    BASIS_AFTER = "basis-after", "One event 3, 9", "conditions see the basis from before the event"
    BASIS_ALWAYS = "basis-always", "39", "sampled whether or not the kind is on, and without a row"

    TRADE_VOLUME = (
        "trade-volume",
        "Feeds; 10",
        "trades add to volume by aggressor and to the count, and to nothing else",
    )
    TRADE_REJECT = "trade-reject", "10", "UNKNOWN, EXPONENT, RANGE of a trade"
    TRADE_CUT = "trade-cut", "10", "a trade's quantity above top is cut and counted"

    SEQUENCE_NEXT = "sequence-next", "Control; 36", "sequence + 1 is applied; at reset 1 is expected"
    SEQUENCE_REPEATED = "sequence-repeated", "Control; 1", "lower or equal is only acknowledged again"
    SEQUENCE_AHEAD = "sequence-ahead", "Control; 1", "higher is refused naming the expected one; no step"
    HELLO = "hello", "Control; 24", "any sequence number; sets epoch and kills, and nothing else"
    HEARTBEAT = "heartbeat", "Control; 25", "lease_until = T + lease"
    KILL = "kill", "Control", "kills; quotes and bits go on"
    REARM = "rearm", "Control; 25", "clears the kill when it names the last status"
    SETTLE = "settle", "Control; 26", "pending falls by released, position moves by filled"
    SETTLE_REFUSED = "settle-refused", "Control; 26", "unless 0 <= filled <= released <= pending"
    SET_POSITION = "set-position", "Control", "position and pendings, when it names the last id"
    RESET_VENUE = "reset-venue", "Control; 27", "quotes, sequences, seen, bits, basis of a venue; not positions"
    RESET_ALL = "reset-all", "Control; 27", "255: all venues"
    LOAD_BASIS = "load-basis", "Control", "basis, samples and sample time, while killed"
    LOAD_IDENTITY = "load-identity", "Control", "id and parity, while killed"
    REFUSE_UNKNOWN_ROW = "refuse-unknown-row", "22", "instrument, venue or channel outside the build"
    REFUSE_BAD_VALUE = "refuse-bad-value", "22, 23, 32", "a field outside its range"
    REFUSE_QUANTITY_ORDER = "refuse-quantity-order", "State; 33", "unless 1 <= minimum <= maximum quantity"
    REFUSE_NOTIONAL = "refuse-notional", "State", "unless high x maximum quantity <= maximum notional, 96 bits"
    REFUSE_WRONG_STATUS = "refuse-wrong-status", "22", "rearm that names another status"
    REFUSE_WRONG_ID = "refuse-wrong-id", "22", "set position that names another id"
    REFUSE_NOT_KILLED = "refuse-not-killed", "22", "a load while armed"
    REFUSE_BAD_MESSAGE = "refuse-bad-message", "22, 34, 35", "wrong template, schema, version, block length or length"
    REFUSE_ORDER = "refuse-order", "34", "the first refusal in the order of their numbers"
    REFUSE_USES_SEQUENCE = "refuse-uses-sequence", "22", "a refused message uses its number and changes nothing else"
    UNREADABLE = "unreadable", "35", "fewer than 16 bytes: no step, no answer"

    FRAME_FCS = "frame-fcs", "Steps; 40", "a wrong or missing FCS is BAD_FCS"
    FRAME_ETHERTYPE = "frame-ethertype", "41", "IPv4, behind at most one tag; else NOT_OURS"
    CHANNEL_LOOKUP = "channel-lookup", "Feeds; 42", "UDP to an enabled row's address and port, the lowest wins"
    FRAME_IP = "frame-ip", "Steps; 42, 43", "version, header length, total length, fragments, header checksum"
    FRAME_UDP = "frame-udp", "Steps; 44", "UDP length, and a checksum that is right or 0; padding is free"
    FRAME_FIRST_CHECK = (
        "frame-first-check",
        "Steps; 40",
        "a dropped frame counts once, under the first check that fails",
    )
    FRAME_STEP = "frame-step", "Steps; 1, 45", "an accepted frame is a step with one time, a dropped one is none"
    FRAME_SKIPPED = "frame-skipped", "Steps; 45, 47", "an unknown template is skipped: a step without events"
    FRAME_FEED = "frame-feed", "46", "no decoder, or another feed's message: BAD_MESSAGE; no instrument: UNKNOWN"
    BINANCE_QUOTE = "binance-quote", "47", "BestBidAsk is a quote event, its update id the sequence"
    BINANCE_TRADES = "binance-trades", "47", "each entry of Trades is a trade event, in order"
    BINANCE_BAD = "binance-bad", "47", "schema, version, block and entry length, exact length: BAD_MESSAGE"

    LINE_LOOKUP = (
        "line-lookup",
        "54, 58",
        "venue, feed and channel id name the line; the lowest enabled one; none: all is skipped",
    )
    LINE_FIRST = "line-first", "54, 59", "the first packet of a line is the next one; a line row begins anew"
    PACKET_FIRST_CHECK = (
        "packet-first-check",
        "57",
        "unreadable header, then DUPLICATE, then BAD_MESSAGE; none moves the sequence",
    )
    PACKET_DUPLICATE = (
        "packet-duplicate",
        "Feeds; 60, 61",
        "a packet with nothing new is DUPLICATE, from whichever destination",
    )
    PACKET_OVERLAP = "packet-overlap", "60", "of a packet that is partly old only the new messages are applied"
    PACKET_GAP = "packet-gap", "Feeds; 60, 70", "a missing number breaks every book of the line"
    PACKET_GAP_STATED = "packet-gap-stated", "Feeds; 61", "of stated quotes a gap only counts"
    PACKET_WRAP = "packet-wrap", "61", "Deribit's packet numbers go on behind 2^32 - 1"
    PACKET_SNAPSHOT = (
        "packet-snapshot",
        "58",
        "packets of snapshots are checked and skipped, and have no place in the sequence",
    )
    PACKET_HEARTBEAT = (
        "packet-heartbeat",
        "62",
        "a packet without messages counts, makes its venue heard, and tells of a gap",
    )
    STARBASE_BAD = (
        "starbase-bad",
        "57, 63, 64",
        "header, count, fit, alignment, exact lengths; versions are not looked at",
    )
    STARBASE_ORDERS = "starbase-orders", "69, 74", "puts, reductions and deletes of bids and asks"
    STARBASE_TRADE = "starbase-trade", "69", "a trade of a known instrument counts, whatever the book's state"
    COINBASE_BAD = "coinbase-bad", "57, 63, 65", "header, schema, count, fit, alignment, exact blocks"
    COINBASE_ORDERS = "coinbase-orders", "69, 74", "puts and deletes; another side than 1 and -1 breaks the book"
    COINBASE_TRADE = "coinbase-trade", "69", "the side of a trade is the aggressor's"
    COINBASE_CLEAR = "coinbase-clear", "69", "a clear flag breaks a live book, in any message with an instrument header"
    DERIBIT_BAD = (
        "deribit-bad",
        "57, 63, 66",
        "packet length, schema, groups, texts, exact shapes of ticker, book and trades",
    )
    DERIBIT_TICKER = (
        "deribit-ticker",
        "67",
        "a ticker is a quote event, position x 256 + index its sequence; books are skipped",
    )
    DERIBIT_TRADES = "deribit-trades", "67", "each entry of trades is a trade event, in order"
    DOUBLES = (
        "doubles",
        "Numbers; 68",
        "doubles become mantissas exactly, half up; absent is 0; no number and negative are RANGE",
    )
    BOOK_LOOKUP = "book-lookup", "55", "the lowest enabled row of a wire instrument on the line; no other is read"
    BOOK_EXPONENTS = "book-exponents", "56", "events carry the exponents of the book row"
    BOOK_BREAKS = (
        "book-breaks",
        "70",
        "the quote is withdrawn as EMPTY whatever its sequence, and none is stored; then it is skipped",
    )
    BOOK_UNLOADED = "book-unloaded", "54, 55, 71", "control messages withdraw a live quote without an event"
    TRANSACTION_END = (
        "transaction-end",
        "72",
        "events come at the end of a transaction, for tops that changed, in the order of rows",
    )
    BOOK_EMPTY_SIDE = "book-empty-side", "72, 73", "a side without orders is EMPTY until an order comes"
    BOOK_WINDOW = "book-window", "73, 74", "orders away from the window are not kept; those through it break the book"
    BOOK_CHANGES = "book-changes", "74", "a put moves an order; orders that are not kept are ignored"
    BOOK_CANNOT_TAKE = "book-cannot-take", "75", "quantities, totals, ticks, sides and reductions that cannot be"
    BOOK_ROOM = "book-room", "75", "two tables of sets of 8 by a CRC-32 of the id; a new order goes where fewer are"
    RESET_LINES = "reset-lines", "76", "a reset forgets expected numbers and unloads books"
    BOOK_LOADING = "book-loading", "77", "clear, orders, ready; nothing is taken from packets before"
    BOOK_READY = "book-ready", "78", "only with a number that no message for the book is behind"
    REFUSE_LINES = "refuse-lines", "54, 55, 79", "refusals of line rows and book rows"
    REFUSE_BOOK_STATE = "refuse-book-state", "79", "no row, a disabled one, a line of tickers, or not loading"
    REFUSE_WRONG_NUMBER = "refuse-wrong-number", "78, 79", "ready with another number, or without an expected one"
    REFUSE_BOOK_ORDER = "refuse-book-order", "79", "an order that the book cannot take"

    def __init__(self, label: str, source: str, says: str) -> None:
        self.label = label
        self.source = source
        self.says = says


BY_LABEL = {rule.label: rule for rule in Rule}

"""Offsets of the fast loop's own messages as plain integers, read from ``messages.xml``.

Names are ``MESSAGE_FIELD``: the offset of the field in the message's bytes, the 8-byte message
header included. ``MESSAGE_SIZE`` is the whole length of a message without groups and data,
``MESSAGE_HEADER`` its header as one word, ``TEMPLATE_MESSAGE`` its template number.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from market.wire.sbe import load_schema

HEADER_SIZE: Final = 8
HEADER_BLOCK_LENGTH: Final = 0
HEADER_TEMPLATE: Final = 2
HEADER_SCHEMA: Final = 4
HEADER_VERSION: Final = 6

SCHEMA_PATH: Final = Path(__file__).with_name("messages.xml")
SCHEMA: Final = load_schema(SCHEMA_PATH)
SCHEMA_ID: Final = int(SCHEMA.id)
SCHEMA_VERSION: Final = int(SCHEMA.version)


def _offset(message: str, field: str) -> int:
    return HEADER_SIZE + SCHEMA.message(message).fields[field].offset


def _size(message: str) -> int:
    return HEADER_SIZE + SCHEMA.message(message).block_length


def _template(message: str) -> int:
    return SCHEMA.message(message).template_id


def _header(message: str) -> int:
    """The message's eight header bytes as one little-endian word."""
    block_length = SCHEMA.message(message).block_length
    return block_length | _template(message) << 16 | SCHEMA_ID << 32 | SCHEMA_VERSION << 48


TEMPLATE_TRIGGER: Final = _template("Trigger")
TRIGGER_SIZE: Final = _size("Trigger")
TRIGGER_HEADER: Final = _header("Trigger")
TRIGGER_ID: Final = _offset("Trigger", "id")
TRIGGER_EPOCH: Final = _offset("Trigger", "epoch")
TRIGGER_PARITY: Final = _offset("Trigger", "parity")
TRIGGER_KIND: Final = _offset("Trigger", "kind")
TRIGGER_CAUSE_VENUE: Final = _offset("Trigger", "causeVenue")
TRIGGER_INSTRUMENT: Final = _offset("Trigger", "instrument")
TRIGGER_FIRST_VENUE: Final = _offset("Trigger", "firstVenue")
TRIGGER_FIRST_SIDE: Final = _offset("Trigger", "firstSide")
TRIGGER_SECOND_VENUE: Final = _offset("Trigger", "secondVenue")
TRIGGER_SECOND_SIDE: Final = _offset("Trigger", "secondSide")
TRIGGER_FIRST_PRICE: Final = _offset("Trigger", "firstPrice")
TRIGGER_FIRST_QUANTITY: Final = _offset("Trigger", "firstQuantity")
TRIGGER_SECOND_PRICE: Final = _offset("Trigger", "secondPrice")
TRIGGER_SECOND_QUANTITY: Final = _offset("Trigger", "secondQuantity")
TRIGGER_EDGE: Final = _offset("Trigger", "edge")
TRIGGER_CAUSE_SEQUENCE: Final = _offset("Trigger", "causeSequence")
TRIGGER_CAUSE_TIME: Final = _offset("Trigger", "causeTime")
TRIGGER_IMBALANCE: Final = _offset("Trigger", "imbalance")
TRIGGER_MICROPRICE: Final = _offset("Trigger", "microprice")

TEMPLATE_STATUS: Final = _template("Status")
STATUS_SIZE: Final = _size("Status")
STATUS_HEADER: Final = _header("Status")
STATUS_NUMBER: Final = _offset("Status", "number")
STATUS_STEP: Final = _offset("Status", "step")
STATUS_TIME: Final = _offset("Status", "time")
STATUS_ID: Final = _offset("Status", "id")
STATUS_EPOCH: Final = _offset("Status", "epoch")
STATUS_PARITY: Final = _offset("Status", "parity")
STATUS_KILLED: Final = _offset("Status", "killed")
STATUS_VOLUME_INSTRUMENT: Final = _offset("Status", "volumeInstrument")
STATUS_BUY_VOLUME: Final = _offset("Status", "buyVolume")
STATUS_SELL_VOLUME: Final = _offset("Status", "sellVolume")
STATUS_TRADE_COUNT: Final = _offset("Status", "tradeCount")
STATUS_QUOTE_EVENTS: Final = _offset("Status", "quoteEvents")

TEMPLATE_ACKNOWLEDGE: Final = _template("Acknowledge")
ACKNOWLEDGE_SIZE: Final = _size("Acknowledge")
ACKNOWLEDGE_HEADER: Final = _header("Acknowledge")
ACKNOWLEDGE_SEQUENCE: Final = _offset("Acknowledge", "sequence")
ACKNOWLEDGE_EXPECTED: Final = _offset("Acknowledge", "expected")
ACKNOWLEDGE_STEP: Final = _offset("Acknowledge", "step")
ACKNOWLEDGE_TEMPLATE: Final = _offset("Acknowledge", "template")
ACKNOWLEDGE_RESULT: Final = _offset("Acknowledge", "result")
ACKNOWLEDGE_REFUSAL: Final = _offset("Acknowledge", "refusal")

TEMPLATE_HELLO: Final = _template("Hello")
HELLO_SIZE: Final = _size("Hello")
HELLO_EPOCH: Final = _offset("Hello", "epoch")

TEMPLATE_ENGINE_ROW: Final = _template("EngineRow")
ENGINE_ROW_SIZE: Final = _size("EngineRow")
ENGINE_ROW_RATE_INTERVAL: Final = _offset("EngineRow", "rateInterval")
ENGINE_ROW_RATE_TOLERANCE: Final = _offset("EngineRow", "rateTolerance")
ENGINE_ROW_LEASE: Final = _offset("EngineRow", "lease")

TEMPLATE_VENUE_ROW: Final = _template("VenueRow")
VENUE_ROW_SIZE: Final = _size("VenueRow")
VENUE_ROW_VENUE: Final = _offset("VenueRow", "venue")
VENUE_ROW_ENABLED: Final = _offset("VenueRow", "enabled")
VENUE_ROW_FEE: Final = _offset("VenueRow", "fee")
VENUE_ROW_MAXIMUM_AGE: Final = _offset("VenueRow", "maximumAge")
VENUE_ROW_MAXIMUM_SILENCE: Final = _offset("VenueRow", "maximumSilence")

TEMPLATE_SCALING_ROW: Final = _template("ScalingRow")
SCALING_ROW_SIZE: Final = _size("ScalingRow")
SCALING_ROW_INSTRUMENT: Final = _offset("ScalingRow", "instrument")
SCALING_ROW_VENUE: Final = _offset("ScalingRow", "venue")
SCALING_ROW_PRICE_EXPONENT: Final = _offset("ScalingRow", "priceExponent")
SCALING_ROW_QUANTITY_EXPONENT: Final = _offset("ScalingRow", "quantityExponent")
SCALING_ROW_PRICE_SHIFT: Final = _offset("ScalingRow", "priceShift")
SCALING_ROW_QUANTITY_SHIFT: Final = _offset("ScalingRow", "quantityShift")

TEMPLATE_CHANNEL_ROW: Final = _template("ChannelRow")
CHANNEL_ROW_SIZE: Final = _size("ChannelRow")
CHANNEL_ROW_ADDRESS: Final = _offset("ChannelRow", "address")
CHANNEL_ROW_PORT: Final = _offset("ChannelRow", "port")
CHANNEL_ROW_CHANNEL: Final = _offset("ChannelRow", "channel")
CHANNEL_ROW_INSTRUMENT: Final = _offset("ChannelRow", "instrument")
CHANNEL_ROW_VENUE: Final = _offset("ChannelRow", "venue")
CHANNEL_ROW_FEED: Final = _offset("ChannelRow", "feed")
CHANNEL_ROW_ENABLED: Final = _offset("ChannelRow", "enabled")

TEMPLATE_INSTRUMENT_ROW: Final = _template("InstrumentRow")
INSTRUMENT_ROW_SIZE: Final = _size("InstrumentRow")
INSTRUMENT_ROW_INSTRUMENT: Final = _offset("InstrumentRow", "instrument")
INSTRUMENT_ROW_ENABLED: Final = _offset("InstrumentRow", "enabled")
INSTRUMENT_ROW_KINDS: Final = _offset("InstrumentRow", "kinds")
INSTRUMENT_ROW_BASIS_SHIFT: Final = _offset("InstrumentRow", "basisShift")
INSTRUMENT_ROW_IMBALANCE_THRESHOLD: Final = _offset("InstrumentRow", "imbalanceThreshold")
INSTRUMENT_ROW_MINIMUM_EDGE: Final = _offset("InstrumentRow", "minimumEdge")
INSTRUMENT_ROW_BASIS_THRESHOLD: Final = _offset("InstrumentRow", "basisThreshold")
INSTRUMENT_ROW_BASIS_INTERVAL: Final = _offset("InstrumentRow", "basisInterval")
INSTRUMENT_ROW_MAXIMUM_SPREAD: Final = _offset("InstrumentRow", "maximumSpread")
INSTRUMENT_ROW_MINIMUM_QUANTITY: Final = _offset("InstrumentRow", "minimumQuantity")
INSTRUMENT_ROW_MAXIMUM_QUANTITY: Final = _offset("InstrumentRow", "maximumQuantity")
INSTRUMENT_ROW_PRICE_LOW: Final = _offset("InstrumentRow", "priceLow")
INSTRUMENT_ROW_PRICE_HIGH: Final = _offset("InstrumentRow", "priceHigh")
INSTRUMENT_ROW_MAXIMUM_NOTIONAL_LOW: Final = _offset("InstrumentRow", "maximumNotionalLow")
INSTRUMENT_ROW_MAXIMUM_NOTIONAL_HIGH: Final = _offset("InstrumentRow", "maximumNotionalHigh")
INSTRUMENT_ROW_BASIS_WARM_UP: Final = _offset("InstrumentRow", "basisWarmUp")
INSTRUMENT_ROW_COOLDOWN: Final = _offset("InstrumentRow", "cooldown")
INSTRUMENT_ROW_POSITION_LIMIT: Final = _offset("InstrumentRow", "positionLimit")

TEMPLATE_HEARTBEAT: Final = _template("Heartbeat")
HEARTBEAT_SIZE: Final = _size("Heartbeat")

TEMPLATE_KILL: Final = _template("Kill")
KILL_SIZE: Final = _size("Kill")

TEMPLATE_REARM: Final = _template("Rearm")
REARM_SIZE: Final = _size("Rearm")
REARM_STATUS_NUMBER: Final = _offset("Rearm", "statusNumber")

TEMPLATE_SETTLE: Final = _template("Settle")
SETTLE_SIZE: Final = _size("Settle")
SETTLE_INSTRUMENT: Final = _offset("Settle", "instrument")
SETTLE_VENUE: Final = _offset("Settle", "venue")
SETTLE_SIDE: Final = _offset("Settle", "side")
SETTLE_RELEASED: Final = _offset("Settle", "released")
SETTLE_FILLED: Final = _offset("Settle", "filled")

TEMPLATE_SET_POSITION: Final = _template("SetPosition")
SET_POSITION_SIZE: Final = _size("SetPosition")
SET_POSITION_LAST_ID: Final = _offset("SetPosition", "lastId")
SET_POSITION_INSTRUMENT: Final = _offset("SetPosition", "instrument")
SET_POSITION_VENUE: Final = _offset("SetPosition", "venue")
SET_POSITION_POSITION: Final = _offset("SetPosition", "position")
SET_POSITION_PENDING_BUY: Final = _offset("SetPosition", "pendingBuy")
SET_POSITION_PENDING_SELL: Final = _offset("SetPosition", "pendingSell")

TEMPLATE_RESET: Final = _template("Reset")
RESET_SIZE: Final = _size("Reset")
RESET_VENUE: Final = _offset("Reset", "venue")

TEMPLATE_LOAD_BASIS: Final = _template("LoadBasis")
LOAD_BASIS_SIZE: Final = _size("LoadBasis")
LOAD_BASIS_INSTRUMENT: Final = _offset("LoadBasis", "instrument")
LOAD_BASIS_FIRST_VENUE: Final = _offset("LoadBasis", "firstVenue")
LOAD_BASIS_SECOND_VENUE: Final = _offset("LoadBasis", "secondVenue")
LOAD_BASIS_SAMPLES: Final = _offset("LoadBasis", "samples")
LOAD_BASIS_BASIS: Final = _offset("LoadBasis", "basis")
LOAD_BASIS_SAMPLE_TIME: Final = _offset("LoadBasis", "sampleTime")

TEMPLATE_LOAD_IDENTITY: Final = _template("LoadIdentity")
LOAD_IDENTITY_SIZE: Final = _size("LoadIdentity")
LOAD_IDENTITY_ID: Final = _offset("LoadIdentity", "id")
LOAD_IDENTITY_PARITY: Final = _offset("LoadIdentity", "parity")

TEMPLATE_STATUS_REQUEST: Final = _template("StatusRequest")
STATUS_REQUEST_SIZE: Final = _size("StatusRequest")

TEMPLATE_LINE_ROW: Final = _template("LineRow")
LINE_ROW_SIZE: Final = _size("LineRow")
LINE_ROW_WIRE_CHANNEL: Final = _offset("LineRow", "wireChannel")
LINE_ROW_LINE: Final = _offset("LineRow", "line")
LINE_ROW_VENUE: Final = _offset("LineRow", "venue")
LINE_ROW_FEED: Final = _offset("LineRow", "feed")
LINE_ROW_ENABLED: Final = _offset("LineRow", "enabled")

TEMPLATE_BOOK_ROW: Final = _template("BookRow")
BOOK_ROW_SIZE: Final = _size("BookRow")
BOOK_ROW_WIRE_INSTRUMENT: Final = _offset("BookRow", "wireInstrument")
BOOK_ROW_TICK: Final = _offset("BookRow", "tick")
BOOK_ROW_BOOK: Final = _offset("BookRow", "book")
BOOK_ROW_LINE: Final = _offset("BookRow", "line")
BOOK_ROW_INSTRUMENT: Final = _offset("BookRow", "instrument")
BOOK_ROW_PRICE_EXPONENT: Final = _offset("BookRow", "priceExponent")
BOOK_ROW_QUANTITY_EXPONENT: Final = _offset("BookRow", "quantityExponent")
BOOK_ROW_ENABLED: Final = _offset("BookRow", "enabled")

TEMPLATE_BOOK_CLEAR: Final = _template("BookClear")
BOOK_CLEAR_SIZE: Final = _size("BookClear")
BOOK_CLEAR_BASE: Final = _offset("BookClear", "base")
BOOK_CLEAR_BOOK: Final = _offset("BookClear", "book")

TEMPLATE_BOOK_ORDER: Final = _template("BookOrder")
BOOK_ORDER_SIZE: Final = _size("BookOrder")
BOOK_ORDER_ORDER: Final = _offset("BookOrder", "order")
BOOK_ORDER_PRICE: Final = _offset("BookOrder", "price")
BOOK_ORDER_QUANTITY: Final = _offset("BookOrder", "quantity")
BOOK_ORDER_BOOK: Final = _offset("BookOrder", "book")
BOOK_ORDER_SIDE: Final = _offset("BookOrder", "side")

TEMPLATE_BOOK_READY: Final = _template("BookReady")
BOOK_READY_SIZE: Final = _size("BookReady")
BOOK_READY_NUMBER: Final = _offset("BookReady", "number")
BOOK_READY_BOOK: Final = _offset("BookReady", "book")

TEMPLATE_LOG_STEP: Final = _template("LogStep")
LOG_STEP_SIZE: Final = _size("LogStep")
LOG_STEP_HEADER: Final = _header("LogStep")
LOG_STEP_NUMBER: Final = _offset("LogStep", "number")
LOG_STEP_TIME: Final = _offset("LogStep", "time")
LOG_STEP_KIND: Final = _offset("LogStep", "kind")
LOG_STEP_CHANNEL: Final = _offset("LogStep", "channel")

TEMPLATE_FRAME_COUNTERS: Final = _template("FrameCounters")
FRAME_COUNTERS_SIZE: Final = _size("FrameCounters")
FRAME_COUNTERS_HEADER: Final = _header("FrameCounters")
FRAME_COUNTERS_STEP: Final = _offset("FrameCounters", "step")
FRAME_COUNTERS_FRAMES: Final = _offset("FrameCounters", "frames")

TEMPLATE_QUOTE_EVENT: Final = _template("QuoteEvent")
QUOTE_EVENT_SIZE: Final = _size("QuoteEvent")
QUOTE_EVENT_HEADER: Final = _header("QuoteEvent")
QUOTE_EVENT_INSTRUMENT: Final = _offset("QuoteEvent", "instrument")
QUOTE_EVENT_VENUE: Final = _offset("QuoteEvent", "venue")
QUOTE_EVENT_PRICE_EXPONENT: Final = _offset("QuoteEvent", "priceExponent")
QUOTE_EVENT_QUANTITY_EXPONENT: Final = _offset("QuoteEvent", "quantityExponent")
QUOTE_EVENT_SEQUENCE: Final = _offset("QuoteEvent", "sequence")
QUOTE_EVENT_BID_PRICE: Final = _offset("QuoteEvent", "bidPrice")
QUOTE_EVENT_BID_QUANTITY: Final = _offset("QuoteEvent", "bidQuantity")
QUOTE_EVENT_ASK_PRICE: Final = _offset("QuoteEvent", "askPrice")
QUOTE_EVENT_ASK_QUANTITY: Final = _offset("QuoteEvent", "askQuantity")

TEMPLATE_TRADE_EVENT: Final = _template("TradeEvent")
TRADE_EVENT_SIZE: Final = _size("TradeEvent")
TRADE_EVENT_HEADER: Final = _header("TradeEvent")
TRADE_EVENT_INSTRUMENT: Final = _offset("TradeEvent", "instrument")
TRADE_EVENT_VENUE: Final = _offset("TradeEvent", "venue")
TRADE_EVENT_PRICE_EXPONENT: Final = _offset("TradeEvent", "priceExponent")
TRADE_EVENT_QUANTITY_EXPONENT: Final = _offset("TradeEvent", "quantityExponent")
TRADE_EVENT_AGGRESSOR: Final = _offset("TradeEvent", "aggressor")
TRADE_EVENT_PRICE: Final = _offset("TradeEvent", "price")
TRADE_EVENT_QUANTITY: Final = _offset("TradeEvent", "quantity")

CONTROL_SEQUENCE: Final = _offset("Hello", "sequence")
"""Every control message has its sequence number here."""
CONTROL_SIZE_LEAST: Final = CONTROL_SEQUENCE + 8
"""A control message shorter than this has no readable sequence number."""

GROUP_HEADER_SIZE: Final = 4
LEADS_HEADER: Final = INSTRUMENT_ROW_SIZE
"""The group header of ``leads``: block length, then number of entries, u16 each."""
LEADS_ENTRIES: Final = LEADS_HEADER + GROUP_HEADER_SIZE
LEADS_ENTRY_SIZE: Final = 8
LOG_STEP_LENGTH: Final = LOG_STEP_SIZE
"""The u16 length of the log's payload, which follows it."""
LOG_STEP_PAYLOAD: Final = LOG_STEP_SIZE + 2

STATUS_COUNTERS: Final = tuple(
    name for name, field in SCHEMA.message("Status").fields.items() if HEADER_SIZE + field.offset >= STATUS_QUOTE_EVENTS
)
"""Names of the counters of a status message, in its order; one 8-byte word each."""

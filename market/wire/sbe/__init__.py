"""Simple Binary Encoding (SBE 1.0): a schema compiler, and the encoder and decoder that follow its layouts."""

from market.wire.sbe.decoder import Decoded, Entry, decode, decode_composite
from market.wire.sbe.encoder import encode, encode_composite
from market.wire.sbe.layout import (
    ByteOrder,
    CompositeLayout,
    DataLayout,
    EnumTable,
    FieldLayout,
    GroupLayout,
    MessageLayout,
    Primitive,
    Schema,
    SetTable,
    offset_of,
    stride_of,
)
from market.wire.sbe.packets import DecodedPacket, decode_packet, encode_packet, reencode
from market.wire.sbe.reader import load_schema

__all__ = [
    "ByteOrder",
    "CompositeLayout",
    "DataLayout",
    "Decoded",
    "DecodedPacket",
    "Entry",
    "EnumTable",
    "FieldLayout",
    "GroupLayout",
    "MessageLayout",
    "Primitive",
    "Schema",
    "SetTable",
    "decode",
    "decode_composite",
    "decode_packet",
    "encode",
    "encode_composite",
    "encode_packet",
    "load_schema",
    "offset_of",
    "reencode",
    "stride_of",
]

"""Encoding and decoding of every construct of a schema, in both byte orders and in earlier versions."""

from __future__ import annotations

import math
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from market.errors import Rejected
from market.wire.sbe import ByteOrder, Schema, decode, encode, load_schema, offset_of
from tests.market.wire.sbe.sample import mutated, random_values

FEATURES = Path(__file__).parent / "features.xml"
LITTLE = load_schema(FEATURES)
HEADER = 12


@pytest.fixture(scope="module")
def big(tmp_path_factory: pytest.TempPathFactory) -> Schema:
    path = tmp_path_factory.mktemp("big") / "features.xml"
    path.write_text(FEATURES.read_text(encoding="utf-8").replace("littleEndian", "bigEndian"), encoding="utf-8")
    return load_schema(path)


def values() -> dict[str, Any]:
    return {
        "head.flags": 1,
        "head.side": -1,
        "head.price": 5_000_000_000,
        "head.inner.low": 7,
        "head.inner.high": 8,
        "code": "ABC",
        "mark": "x",
        "triple": (1, -2, 3),
        "quantity": None,
        "real": 1.5,
        "smallReal": None,
        "letter": ord("B"),
        "signed": -1,
        "maybe": None,
        "flags": 0x8001,
        "decimal.mantissa": None,
        "decimal.exponent": -2,
        "optionalPrice": None,
        "counter": (1 << 64) - 1,
        "younger": 9,
        "youngest": 10,
        "small": [{"value": -1, "added": 2}, {"value": -3, "added": 4}],
        "padded": [{"value": 1}, {"value": 2}, {"value": 3}],
        "nested": [
            {"id": 1, "inner": [{"price": 11, "note": "one"}, {"price": 12, "note": ""}], "execution": "e1"},
            {"id": 2, "inner": [], "execution": "größe"},
        ],
        "newer": [{"value": 5}],
        "blob": b"\x00\xff",
        "newerText": "text",
    }


def with_constants(given_values: dict[str, Any]) -> dict[str, Any]:
    complete = dict(given_values)
    complete |= {"head.unit": "U", "source": "XY", "always": 1}
    complete["small"] = [entry | {"scale": -3} for entry in complete["small"]]
    return complete


def test_everything_round_trips(big: Schema) -> None:
    for schema in (LITTLE, big):
        decoded = decode(schema, encode(schema, "Everything", values()))
        assert decoded.values == with_constants(values())
        assert encode(schema, "Everything", decoded.values, decoded.header) == encode(schema, "Everything", values())


def test_byte_order_swaps_every_number(big: Schema) -> None:
    assert (LITTLE.byte_order, big.byte_order) == (ByteOrder.LITTLE, ByteOrder.BIG)
    little_payload, big_payload = encode(LITTLE, "Everything", values()), encode(big, "Everything", values())
    place = HEADER + offset_of(LITTLE, "Everything", "head.inner.low")
    assert little_payload[place : place + 4] == big_payload[place : place + 4][::-1] == b"\x07\0\0\0"


def test_layout_of_composites_offsets_and_gaps() -> None:
    fields = LITTLE.message("Everything").fields
    places = {name: fields[name].offset for name in ("head.side", "head.price", "head.inner.high", "code", "flags")}
    assert places == {"head.side": 1, "head.price": 8, "head.inner.high": 20, "code": 24, "flags": 64}
    assert (fields["head.price"].exponent, fields["optionalPrice"].exponent) == (-9, -9)
    assert LITTLE.message("Everything").block_length == 120


def test_constants_take_no_bytes() -> None:
    fields = LITTLE.message("Everything").fields
    assert [fields[name].size for name in ("head.unit", "source", "always")] == [0, 0, 0]
    assert LITTLE.message("Everything").groups["small"].fields["scale"].constant == -3


def test_header_and_dimensions_count_groups_and_data() -> None:
    payload = encode(LITTLE, "Everything", values())
    assert struct.unpack_from("<6H", payload) == (120, 1, 77, 2, 4, 2)
    small = HEADER + 120
    assert struct.unpack_from("<HB", payload, small) == (12, 2)
    padded = small + 3 + 24
    assert payload[padded : padded + 8] == b"\x04\0\0\0\0\0\0\x03"
    assert struct.unpack_from("<4H", payload, padded + 8 + 12) == (2, 2, 1, 1)


def test_null_values_are_the_declared_ones() -> None:
    payload = encode(LITTLE, "Everything", values() | {"real": None})
    fields = LITTLE.message("Everything").fields

    def raw(name: str) -> bytes:
        return payload[HEADER + fields[name].offset : HEADER + fields[name].end]

    assert raw("real") == b"\xff" * 8
    assert raw("quantity") == b"\xff\xff\xff\x7f"
    assert raw("maybe") == b"\xff"
    assert raw("optionalPrice") == raw("decimal.mantissa") == b"\0" * 7 + b"\x80"
    assert math.isnan(struct.unpack("<f", raw("smallReal"))[0])


def test_a_not_a_number_that_is_not_null_stays_one() -> None:
    payload = bytearray(encode(LITTLE, "Everything", values()))
    place = HEADER + offset_of(LITTLE, "Everything", "real")
    payload[place : place + 8] = struct.pack("<d", math.nan)
    decoded = decode(LITTLE, payload)
    assert math.isnan(decoded.fields["real"])
    assert encode(LITTLE, "Everything", decoded.values) == payload


def test_names_for_people() -> None:
    named = decode(LITTLE, encode(LITTLE, "Everything", values() | {"flags": 0x8003})).named()
    assert (named["letter"], named["signed"], named["maybe"], named["head.side"]) == ("BETA", "DOWN", None, "SELL")
    assert (named["flags"], named["head.flags"]) == (("first", "last", "bit1"), ("start",))
    assert named["nested"][0]["inner"][0] == {"price": 11, "note": "one"}
    unknown = decode(LITTLE, encode(LITTLE, "Everything", values() | {"signed": 5})).named()
    assert unknown["signed"] == "5"


@pytest.mark.parametrize("version", [0, 1, 2])
def test_an_earlier_version_lacks_what_is_younger(version: int) -> None:
    older = {name: value for name, value in values().items() if version == 2 or name not in ("newer", "newerText")}
    older |= {"youngest": 10 if version == 2 else None, "younger": 9 if version else None}
    if version == 0:
        older["small"] = [{"value": -1}, {"value": -3}]
    payload = encode(LITTLE, "Everything", older, {"version": version})
    decoded = decode(LITTLE, payload)
    assert decoded.header["version"] == version
    assert decoded.header["numGroups"] == (4 if version == 2 else 3)
    assert (decoded.fields["younger"], decoded.fields["youngest"]) == (older["younger"], older["youngest"])
    assert [entry["added"] for entry in decoded.groups["small"]] == ([None, None] if version == 0 else [2, 4])
    assert (decoded.groups["newer"], decoded.data["newerText"]) == (
        ([{"value": 5}], "text") if version == 2 else ([], "")
    )
    assert encode(LITTLE, "Everything", decoded.values, decoded.header) == payload


def test_a_longer_block_of_a_newer_version_is_stepped_over() -> None:
    payload = encode(LITTLE, "Everything", values())
    longer = (
        struct.pack("<6H", 130, 1, 77, 3, 4, 2)
        + payload[HEADER : HEADER + 120]
        + b"\xaa" * 10
        + payload[HEADER + 120 :]
    )
    decoded = decode(LITTLE, longer)
    assert (decoded.values, decoded.length) == (with_constants(values()), len(longer))


def test_an_empty_message_is_its_header() -> None:
    payload = encode(LITTLE, "Nothing", {})
    assert (len(payload), decode(LITTLE, payload).values) == (HEADER, {})


REFUSED_VALUES: list[tuple[dict[str, Any], str]] = [
    ({"counter": None}, "'counter' was absent, but it is required"),
    ({"counter": -1}, "'counter' was -1, expected uint64"),
    ({"counter": "7"}, "'counter' was '7', expected uint64"),
    ({"signed": 128}, "'signed' was 128, expected int8"),
    ({"triple": (1, 2)}, r"'triple' was \(1, 2\), expected int16\[3\]"),
    ({"code": "ABCDEFG"}, "was 7 characters, expected at most 6"),
    ({"code": "€"}, "expected ISO-8859-1 characters"),
    ({"code": 5}, "was 5, expected text"),
    ({"always": -1}, "it is the constant 1"),
    ({"unheard": 1}, "Everything has no unheard"),
    ({"newerText": "x" * 256}, "'length' was 256, expected uint8"),
    ({"small": [{"value": 1, "added": 2}] * 256}, "'numInGroup' was 256, expected uint8"),
    ({"small": 5}, "group small was 5, expected a sequence of mappings"),
    ({"small": [5]}, "entry of group small was 5, expected a mapping"),
    ({"blob": 5}, "data 'blob' was 5, expected bytes or text"),
    ({"nested": [{"id": 1, "inner": [{"note": ""}]}]}, "'price' was absent"),
]


@pytest.mark.parametrize(("change", "message"), REFUSED_VALUES)
def test_values_that_do_not_fit_are_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(Rejected, match=message):
        encode(LITTLE, "Everything", values() | change)


def test_values_younger_than_the_version_are_refused() -> None:
    with pytest.raises(Rejected, match="younger exists since version 1, not in 0"):
        encode(LITTLE, "Everything", values(), {"version": 0})
    with pytest.raises(Rejected, match=r"message 'Other' is not in features\.xml; it has Everything, Nothing"):
        encode(LITTLE, "Other", {})


def damaged(place: int, value: int, size: int = 2) -> bytes:
    payload = bytearray(encode(LITTLE, "Everything", values()))
    payload[place : place + size] = value.to_bytes(size, "little")
    return bytes(payload)


REFUSED_BYTES = [
    (b"", "messageHeader was 0 bytes, expected 12"),
    (damaged(0, 119), "has no room for field 'youngest'|needs"),
    (damaged(0, 60_000), "root block needs 60000 bytes"),
    (damaged(2, 9), "template 9 is not in features.xml; it has 1, 2"),
    (damaged(4, 78), "schema id was 78, expected 77"),
    (damaged(132, 9), "block of 9 bytes has no room for field 'added', expected 10"),
    (damaged(132, 60_000), "group small with 2 entries needs 120000 bytes"),
    (damaged(134, 255, 1), "group small with 255 entries needs"),
    (encode(LITTLE, "Everything", values())[:-1], "data newerText needs 4 bytes but 3 are left"),
]


@pytest.mark.parametrize(("payload", "message"), REFUSED_BYTES)
def test_malformed_bytes_are_refused(payload: bytes, message: str) -> None:
    with pytest.raises(Rejected, match=message):
        decode(LITTLE, payload)


def test_entries_without_bytes_are_refused_at_once() -> None:
    older = values() | {"younger": None, "youngest": None, "small": [], "newer": [], "newerText": ""}
    payload = bytearray(encode(LITTLE, "Everything", older, {"version": 0}))
    place = HEADER + struct.unpack_from("<H", payload)[0]
    payload[place : place + 3] = b"\0\0\xff"
    with pytest.raises(Rejected, match="group small had 255 entries of 0 bytes"):
        decode(LITTLE, bytes(payload))


def test_invalid_text_is_refused() -> None:
    payload = encode(LITTLE, "Everything", values() | {"newerText": "abcd"}).replace(b"abcd", b"ab\xff\xfe")
    with pytest.raises(Rejected, match=r"newerText was .*expected UTF-8 text"):
        decode(LITTLE, payload)


@given(seed=st.integers(0, 2**32))
@settings(derandomize=True, deadline=None, max_examples=200)
def test_random_values_round_trip(seed: int) -> None:
    random = np.random.default_rng(seed)
    given_values = random_values(LITTLE.message("Everything"), random)
    payload = encode(LITTLE, "Everything", given_values)
    noise = random.bytes(int(random.integers(0, 50)))
    decoded = decode(LITTLE, noise + payload + noise, len(noise))
    assert (decoded.values, decoded.length) == (given_values, len(payload))


@given(seed=st.integers(0, 2**32))
@settings(derandomize=True, deadline=None, max_examples=1000)
def test_damage_is_refused_or_decodes_within_the_payload(seed: int) -> None:
    random = np.random.default_rng(seed)
    payload = mutated(encode(LITTLE, "Everything", random_values(LITTLE.message("Everything"), random, 3)), random)
    try:
        decoded = decode(LITTLE, payload)
    except Rejected:
        return
    assert HEADER <= decoded.length <= len(payload)
    again = decode(LITTLE, payload + random.bytes(64))
    assert repr(again) == repr(decoded)

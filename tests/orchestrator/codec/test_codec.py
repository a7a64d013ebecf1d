"""Messages for people: whose they are, where each value stands, and back to the same bytes."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from market.errors import Rejected
from market.wire.sbe import Schema, decode, encode, encode_packet, load_schema
from market.wire.sbe.numbers import read_leaf
from orchestrator.codec.places import message_places
from orchestrator.codec.recognise import read
from orchestrator.codec.schemas import SHIPPED, schemas
from orchestrator.codec.values import encode_values, reading_values
from sim.capture import read_datagrams
from tests.market.wire.sbe.sample import mutated, random_leaf, random_values
from tests.orchestrator.cli.terminal import Terminal

BEST_BID_ASK = (
    "32001127010000002a2e7fbe341f0600b22bcaa90b000000f8f8005856859e0500001081380900000000409a65859e050000284ded0100000000"
    "0742544355534454"
)
TRADES = (
    "120010270100000040e481be341f06003fe481be341f0600f8f819000200000061e1eedd00000000005856859e050000e8030000000000000162"
    "e1eedd00000000c01547859e050000d007000000000000010742544355534454"
)
STARBASE_PACKET = (
    "158d3d4efad57918e90300000000000007000000010002003800140001000100158d3d4efad579180b000000000000009637030000000000"
    "a86100000000000000b9f62ffa5200000b000000000000002000180001000200158d3d4efad57918090000000000000096370300000000"
    "00"
)
ALL = schemas(None)


def random_messages(schema: Schema, seed: int) -> Iterator[bytes]:
    """A message of every template, with random values."""
    random = np.random.default_rng(seed)
    computed = {"messageLength", "frameLength", "blockLength", "templateId", "schemaId", "version"}
    for name, layout in schema.messages.items():
        members = {key: leaf for key, leaf in schema.header.fields.items() if key not in computed}
        header = {key: random_leaf(leaf, random) for key, leaf in members.items()}
        yield encode(schema, name, random_values(layout, random), header)


@pytest.mark.parametrize("name", SHIPPED)
def test_every_message_comes_back_through_json(name: str) -> None:
    schema = ALL[name]
    for seed in range(5):
        for payload in random_messages(schema, seed):
            document = json.loads(json.dumps(reading_values(read(payload, {name: schema}, packet=False))))
            assert encode_values(schema, document) == payload


@pytest.mark.parametrize("name", [name for name, schema in ALL.items() if schema.packet is not None])
def test_every_packet_comes_back_through_json(name: str) -> None:
    schema = ALL[name]
    assert schema.packet is not None
    random = np.random.default_rng(7)
    for seed in range(5):
        header = {key: random_leaf(leaf, random) for key, leaf in schema.packet.fields.items()}
        payload = encode_packet(schema, header, list(random_messages(schema, seed)))
        document = json.loads(json.dumps(reading_values(read(payload, {name: schema}, packet=True))))
        assert encode_values(schema, document) == payload


@pytest.mark.parametrize("name", SHIPPED)
def test_values_stand_where_they_are_said_to_and_fill_the_message(name: str) -> None:
    schema = ALL[name]
    for payload in random_messages(schema, 11):
        shifted = b"\xff" * 5 + payload
        message = decode(schema, shifted, 5)
        places = list(message_places(schema, message, shifted, 5))
        covered = 0
        for place in places:
            if place.leaf is not None and place.size:
                alone = memoryview(shifted)[place.offset - place.leaf.offset :]
                assert repr(read_leaf(place.leaf, schema.byte_order, alone, 0)) == repr(place.value)
            covered += place.size
        starts = [place.offset for place in places]
        assert (starts[0], starts) == (5, sorted(starts))
        gaps = len(payload) - covered
        # Blocks may end in padding; a message never has fewer bytes than its values.
        assert 0 <= gaps < 8 * (1 + len(places))


@pytest.mark.parametrize("name", SHIPPED)
def test_messages_are_recognised(name: str) -> None:
    for payload in random_messages(ALL[name], 3):
        assert read(payload, ALL, packet=False).name == name


def test_messages_one_behind_the_other() -> None:
    reading = read(bytes.fromhex(BEST_BID_ASK + TRADES), ALL, packet=False)
    assert [message.name for message in reading.messages] == ["BestBidAskStreamEvent", "TradesStreamEvent"]
    assert reading.starts == (0, 66)


def test_messages_of_unknown_templates_in_a_packet_are_skipped() -> None:
    payload = bytearray.fromhex(STARBASE_PACKET)
    payload[24 + 2] = 250
    reading = read(bytes(payload), ALL, packet=False)
    assert ([message.name for message in reading.messages], reading.starts) == (["BidDelete"], (80,))


def test_captured_packets_are_recognised(data: Path) -> None:
    seen = 0
    for datagram in read_datagrams(data / "deribit-multicast" / "sample_capture_v1_6.pcapng"):
        reading = read(datagram.payload, ALL, packet=False)
        if reading.messages:
            assert reading.kind == "deribit-multicast packet"
            seen += 1
        if seen == 300:
            return
    assert seen


def test_damaged_bytes_are_read_or_refused() -> None:
    random = np.random.default_rng(5)
    refused = 0
    samples = [payload for schema in ALL.values() for payload in random_messages(schema, 1)]
    for _ in range(600):
        payload = mutated(samples[int(random.integers(len(samples)))], random)
        try:
            reading_values(read(payload, ALL, packet=False))
        except Rejected:
            refused += 1
    assert 0 < refused < 600


def test_the_table_has_offsets_names_and_decimal_numbers(terminal: Terminal) -> None:
    ended = terminal.run("codec", TRADES)
    assert ended.code == 0
    lines = [" ".join(line.split()) for line in ended.out.splitlines()]
    assert lines[0] == "TradesStreamEvent (binance-stream, template 10000), 90 bytes at 0"
    assert "26 2 trades.blockLength 25" in lines
    assert "65 8 trades[1].price 6178399000000 = 61783.99000000" in lines
    assert "81 1 trades[1].isBuyerMaker TRUE (1)" in lines
    assert "82 - trades[1].isBestMatch TRUE (1)" in lines
    assert "82 8 symbol BTCUSDT" in lines


def test_the_json_has_named_values_and_their_places(terminal: Terminal) -> None:
    found = terminal.run("codec", STARBASE_PACKET, "--json").json
    assert found["schema"] == "deribit-starbase"
    assert found["packet"]["type"] == ["INCREMENTAL"]
    assert [message["name"] for message in found["messages"]] == ["BidPut", "BidDelete"]
    assert found["messages"][0]["values"]["price"] == 91_234_500_000_000
    price = next(place for place in found["layout"][1]["places"] if place["field"] == "price")
    assert price == {"offset": 64, "bytes": 8, "field": "price", "text": "91234500000000 = 91234.500000000"}


@pytest.mark.parametrize("given", ["file", "hex-file", "input", "spaced"])
def test_bytes_come_from_anywhere(terminal: Terminal, given: str, monkeypatch: pytest.MonkeyPatch) -> None:
    word = "message"
    if given == "file":
        (terminal.folder / word).write_bytes(bytes.fromhex(BEST_BID_ASK))
    elif given == "hex-file":
        (terminal.folder / word).write_text(f"0x{BEST_BID_ASK[:40]}\n{BEST_BID_ASK[40:]}\n")
    elif given == "input":
        word = "-"
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(BEST_BID_ASK.encode())))
    else:
        word = ":".join(BEST_BID_ASK[at : at + 2] for at in range(0, len(BEST_BID_ASK), 2)).upper()
    found = terminal.run("codec", word, "--json").json
    assert found["messages"][0]["values"]["symbol"] == "BTCUSDT"


def test_what_json_says_can_be_encoded(terminal: Terminal) -> None:
    for payload in (BEST_BID_ASK, TRADES, STARBASE_PACKET):
        found = terminal.run("codec", payload, "--json").json
        (terminal.folder / "message.json").write_text(json.dumps(found))
        assert terminal.run("codec", "--encode", "message.json").out == payload + "\n"


def test_a_message_by_hand(terminal: Terminal) -> None:
    settle = {"sequence": 3, "instrument": 1, "venue": 2, "side": "BUY", "released": 10, "filled": 0}
    text = json.dumps({"name": "Settle", "values": settle})
    encoded = terminal.run("codec", "--encode", "--schema", "tickwire", text).out.strip()
    decoded = decode(load_schema(SHIPPED["tickwire"]), bytes.fromhex(encoded))
    assert (decoded.name, decoded.named()) == ("Settle", settle)


def test_a_schema_of_ones_own(terminal: Terminal) -> None:
    schema = SHIPPED["binance-stream"].read_text(encoding="utf-8").replace('id="1" version="0"', 'id="77" version="0"')
    (terminal.folder / "own.xml").write_text(schema, encoding="utf-8")
    message = BEST_BID_ASK.replace("3200112701", "320011274d", 1)
    assert "fit no schema" in terminal.run("codec", message).err
    assert terminal.run("codec", message, "--schema", "own.xml", "--json").json["schema"] == "own.xml"


@pytest.mark.parametrize(
    ("words", "code", "complaint"),
    [
        (("zz",), 3, "'zz' is neither a file nor hexadecimal digits"),
        (("",), 3, "neither a file nor hexadecimal digits"),
        ((BEST_BID_ASK[:-2],), 3, "data symbol needs 7 bytes but 6 are left"),
        ((BEST_BID_ASK + "00",), 3, "67 bytes fit no schema"),
        ((BEST_BID_ASK, "--packet", "--schema", "binance-stream"), 3, "none of the schemas has packets"),
        ((BEST_BID_ASK, "--schema", "nasdaq"), 2, "must be a file, or one of tickwire, binance-stream"),
        (("--encode", "{}"), 2, "--encode needs --schema"),
        (("--encode", "{broken"), 3, "the input is no JSON"),
        (("--encode", "{}", "--schema", "tickwire"), 3, "expected an object with name and values"),
        (("--encode", '{"name":"Nope"}', "--schema", "tickwire"), 3, "message 'Nope' is not in messages.xml"),
        (
            ("--encode", '{"name":"Settle","values":{"side":"UP"}}', "--schema", "tickwire"),
            3,
            "field 'side' was 'UP', expected one of NONE, BUY, SELL",
        ),
        (
            ("--encode", '{"messages":[],"packet":{}}', "--schema", "tickwire"),
            3,
            "packet was given, but messages.xml has no packets",
        ),
    ],
)
def test_what_is_wrong_is_said(terminal: Terminal, words: tuple[str, ...], code: int, complaint: str) -> None:
    ended = terminal.run("codec", *words)
    assert (ended.code, ended.out) == (code, "")
    assert complaint in ended.err


@pytest.mark.parametrize("document", [7, [], {"messages": 1}, {"messages": [1]}, {"name": "Settle", "values": 3}])
def test_json_of_another_shape_is_refused(document: Any) -> None:
    with pytest.raises(Rejected):
        encode_values(ALL["tickwire"], document)

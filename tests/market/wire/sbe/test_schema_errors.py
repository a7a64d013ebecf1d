"""A schema file with a mistake is refused, naming file, element and what is allowed."""

from __future__ import annotations

from pathlib import Path

import pytest

from market.errors import Fatal, MissingInput, Rejected
from market.wire.sbe import load_schema, offset_of, stride_of
from market.wire.schemas import BINANCE_STREAM

HEADER = (
    '<composite name="messageHeader"><type name="blockLength" primitiveType="uint16"/>'
    '<type name="templateId" primitiveType="uint16"/></composite>'
)
DIMENSION = (
    '<composite name="groupSizeEncoding"><type name="blockLength" primitiveType="uint16"/>'
    '<type name="numInGroup" primitiveType="uint16"/></composite>'
)
TYPES = (
    HEADER + DIMENSION + '<type name="Int" primitiveType="int32"/><composite name="text">'
    '<type name="length" primitiveType="uint8"/><type name="varData" primitiveType="char"/></composite>'
)


def write(path: Path, types: str, messages: str, attributes: str = 'id="1" version="0"') -> Path:
    path.write_text(f"<messageSchema {attributes}><types>{types}</types>{messages}</messageSchema>", encoding="utf-8")
    return path


def message(body: str, attributes: str = "") -> str:
    return f'<message name="M" id="1" {attributes}>{body}</message>'


def a_field(attributes: str) -> str:
    return message(f'<field name="a" id="1" {attributes}/>')


def second(attributes: str) -> str:
    return message(INT + f"<field {attributes}/>")


def simple(attributes: str, text: str = "") -> str:
    return f'{TYPES}<type name="T" {attributes}>{text}</type>'


def coded(tag: str, encoding: str, **values: str) -> str:
    item = "validValue" if tag == "enum" else "choice"
    items = "".join(f'<{item} name="{name}">{value}</{item}>' for name, value in values.items())
    return f'{TYPES}<{tag} name="E" encodingType="{encoding}">{items}</{tag}>'


def composite(*members: str) -> str:
    return f'{TYPES}<composite name="C">{"".join(f"<type {member}/>" for member in members)}</composite>'


INT = '<field name="a" id="1" type="Int"/>'
DATA = '<data name="d" id="2" type="text"/>'

MESSAGE_MISTAKES = [
    (a_field('type="Nope"'), r"field\[a\]: type 'Nope' is not defined .* one of char"),
    (second('name="b" id="1" type="Int"'), r"field\[b\]: id 1 occurs twice"),
    (second('name="a" id="2" type="Int"'), r"field\[a\]: name 'a' occurs twice"),
    (second('name="b" id="2" type="Int" offset="3"'), "offset 3 lies in the field before; expected 4"),
    (message(INT, 'blockLength="3"'), "blockLength 3 is shorter than its fields; expected 4 or more"),
    (message('<field name="a" id="x" type="Int"/>'), "id='x' is not a number"),
    (message('<field name="a" type="Int"/>'), "attribute 'id' is missing"),
    (a_field('type="text"'), "field has a variable-length type; expected a data element"),
    (message('<data name="a" id="1" type="Int"/>'), "type 'Int' is not variable-length"),
    (message(DATA + INT), "field stands after a group or data"),
    (message(DATA + '<group name="g" id="3"/>'), "group stands after data"),
    (message('<group name="g" id="1" dimensionType="Nope"/>'), "composite 'Nope' is not defined"),
    (message('<group name="g" id="1" dimensionType="messageHeader"/>'), "has no numInGroup"),
    (a_field('type="Int" presence="always"'), "presence='always' is not known; expected one of"),
    (a_field('type="Int" presence="constant"'), "constant field has no value"),
    (a_field('type="Int" presence="constant" valueRef="E.X"'), r"valueRef 'E\.X' is not defined"),
    (message("<surprise/>"), "element is not known here; expected one of field, group, data"),
    (message(INT) + message(INT), "message 'M', id 1, occurs twice"),
]

TYPE_MISTAKES = [
    (TYPES + '<type name="Int" primitiveType="int8"/>', "type 'Int' is defined twice"),
    (simple('primitiveType="int128"'), "primitiveType='int128' is not a primitive type"),
    (simple('primitiveType="int8" presence="constant"', "x"), "constant 'x' is not a int8"),
    (simple('primitiveType="char" presence="constant"'), "constant has no text"),
    (simple('primitiveType="int8" presence="optional" nullValue="none"'), "nullValue 'none'"),
    (coded("enum", "double"), "encodingType 'double' is no whole number"),
    (coded("enum", "char", A="AB"), "expected one character"),
    (coded("enum", "int8", A="x"), "'x' is not a number"),
    (coded("enum", "int8", A="1", B="1"), "value B=1 occurs twice"),
    (coded("set", "int8"), "set is stored in int8"),
    (coded("set", "uint8", A="8"), "choice A=8; expected .* 0 to 7"),
    (composite(), "composite is empty"),
    (
        composite('name="a" primitiveType="int8"', 'name="b" primitiveType="int8" offset="0"'),
        "offset 0 lies in the member before; expected 1 or more",
    ),
    (
        composite('name="a" primitiveType="int8"', 'name="a" primitiveType="int8"'),
        "two members have the same name",
    ),
    (
        composite('name="varData" primitiveType="int8" length="0"'),
        "length of variable-length data is not one unsigned number",
    ),
    (HEADER.replace("templateId", "template"), "header 'messageHeader' has no templateId"),
    (HEADER.replace("blockLength", "length"), "header 'messageHeader' has no length"),
    ("", "composite 'messageHeader' is not defined"),
]
MISTAKES = [
    *((TYPES, messages, text) for messages, text in MESSAGE_MISTAKES),
    *((types, "", text) for types, text in TYPE_MISTAKES),
    (DIMENSION, message(INT), "type 'Int' is not defined before its use"),
]


@pytest.mark.parametrize(("types", "messages", "text"), MISTAKES)
def test_a_mistake_is_named(tmp_path: Path, types: str, messages: str, text: str) -> None:
    path = write(tmp_path / "mistaken.xml", types, messages)
    with pytest.raises(Fatal, match=r"schema .*mistaken\.xml, messageSchema.*: .*; expected ") as caught:
        load_schema(path)
    assert caught.match(text)


def test_a_file_that_is_no_schema(tmp_path: Path) -> None:
    with pytest.raises(MissingInput, match=r"absent\.xml is not a file"):
        load_schema(tmp_path / "absent.xml")
    (tmp_path / "broken.xml").write_text("<messageSchema>", encoding="utf-8")
    with pytest.raises(Fatal, match=r"broken\.xml is not well-formed XML"):
        load_schema(tmp_path / "broken.xml")
    (tmp_path / "other.xml").write_text("<html/>", encoding="utf-8")
    with pytest.raises(Fatal, match="expected messageSchema"):
        load_schema(tmp_path / "other.xml")


def test_byte_order_and_identity_are_checked(tmp_path: Path) -> None:
    with pytest.raises(Fatal, match="byteOrder='middleEndian' is not known; expected one of littleEndian, bigEndian"):
        load_schema(write(tmp_path / "order.xml", TYPES, "", 'id="1" version="0" byteOrder="middleEndian"'))
    with pytest.raises(Fatal, match="attribute 'version' is missing"):
        load_schema(write(tmp_path / "version.xml", TYPES, "", 'id="1"'))


def test_a_schema_is_compiled_once() -> None:
    assert load_schema(BINANCE_STREAM) is load_schema(BINANCE_STREAM)


def test_unknown_names_are_refused() -> None:
    schema = load_schema(BINANCE_STREAM)
    with pytest.raises(Rejected, match=r"message 'Nope' is not in binance_stream\.xml; it has TradesStreamEvent"):
        schema.message("Nope")
    with pytest.raises(Rejected, match=r"template 7 is not in binance_stream\.xml; it has 10000"):
        schema.by_template(7)
    with pytest.raises(Rejected, match="field 'nope' is not in BestBidAskStreamEvent; it has eventTime"):
        offset_of(schema, "BestBidAskStreamEvent", "nope")
    with pytest.raises(Rejected, match="group 'nope' is not in BestBidAskStreamEvent; it has none"):
        stride_of(schema, "BestBidAskStreamEvent", "nope")
    with pytest.raises(Rejected, match="group 'nope' is not in TradesStreamEvent; it has trades"):
        offset_of(schema, "TradesStreamEvent", "id", "nope")
    with pytest.raises(Rejected, match="is a constant and has no offset"):
        offset_of(schema, "TradesStreamEvent", "isBestMatch", "trades")

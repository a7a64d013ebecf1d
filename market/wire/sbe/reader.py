"""From a schema file to layouts: offsets, block lengths and strides are computed, and checked where they are given."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field, replace
from pathlib import Path

from market.wire.sbe.elements import WIRE, Element, local_name, parse_root
from market.wire.sbe.layout import (
    ByteOrder,
    CompositeLayout,
    DataLayout,
    FieldLayout,
    GroupLayout,
    MessageLayout,
    Primitive,
    Schema,
)
from market.wire.sbe.types import Encoding, TypeTable, composites_of, member_name, null_of

_ORDERS = {"littleEndian": ByteOrder.LITTLE, "bigEndian": ByteOrder.BIG}
_EXPONENT = "exponent"


@dataclass
class _Block:
    """A block while its fields are read: root or group entry."""

    fields: dict[str, FieldLayout] = field(default_factory=dict)
    groups: dict[str, GroupLayout] = field(default_factory=dict)
    data: dict[str, DataLayout] = field(default_factory=dict)
    ids: set[int] = field(default_factory=set)
    position: int = 0

    def claim(self, element: Element) -> None:
        """Check that name and id are new in this block."""
        number = element.integer("id")
        if number in self.ids:
            element.fail(f"id {number} occurs twice in its block", "a unique id")
        if any(element.name in names for names in (self.fields, self.groups, self.data)):
            element.fail(f"name {element.name!r} occurs twice in its block", "a unique name")
        self.ids.add(number)


def load_schema(path: Path) -> Schema:
    """Compile a schema file; the result is kept for the next call.

    Raises MissingInput if there is no such file, and Fatal naming file, element and what is allowed if it is not a
    schema that this compiler knows.
    """
    return _load(path.resolve())


@functools.cache
def _load(path: Path) -> Schema:
    root = parse_root(path)
    order = root.one_of("byteOrder", tuple(_ORDERS), "littleEndian")
    types = TypeTable()
    messages: dict[str, MessageLayout] = {}
    templates: dict[int, MessageLayout] = {}
    for child in root.children("types", "message"):
        if child.tag == "types":
            for element in child.children("type", "composite", "enum", "set"):
                types.add(element)
            continue
        message = _message(child, types)
        if message.name in messages or message.template_id in templates:
            child.fail(f"message {message.name!r}, id {message.template_id}, occurs twice", "unique names and ids")
        messages[message.name] = templates[message.template_id] = message
    packet = root.get(f"{WIRE}packetType")
    return Schema(
        path=path,
        package=root.get("package") or "",
        id=root.integer("id"),
        version=root.integer("version"),
        byte_order=_ORDERS[order],
        header=_header(root, types),
        packet=None if packet is None else _composite(root, types, packet),
        alignment=max(1, root.integer(f"{WIRE}alignment", 1)),
        composites=composites_of(types.encodings),
        enums=types.enums,
        sets=types.sets,
        messages=messages,
        templates=templates,
    )


def _composite(element: Element, types: TypeTable, name: str) -> CompositeLayout:
    encoding = types.encodings.get(name)
    if encoding is None or encoding.data is not None:
        element.fail(f"composite {name!r} is not defined", "a composite of this schema")
    return encoding.composite(name)


def _header(root: Element, types: TypeTable) -> CompositeLayout:
    header = _composite(root, types, root.get("headerType") or "messageHeader")
    if "templateId" not in header.fields:
        root.fail(f"header {header.name!r} has no templateId", "a composite with templateId")
    if not {"blockLength", "messageLength", "frameLength"} & set(header.fields):
        root.fail(f"header {header.name!r} has no length", "blockLength, messageLength or frameLength")
    return header


def _message(element: Element, types: TypeTable) -> MessageLayout:
    block = _members(element, types)
    return MessageLayout(
        name=element.name,
        template_id=element.integer("id"),
        block_length=_length(element, block),
        fields=block.fields,
        groups=block.groups,
        data=block.data,
        since_version=element.integer("sinceVersion", 0),
    )


def _members(element: Element, types: TypeTable) -> _Block:
    block = _Block()
    for member in element.children("field", "group", "data"):
        block.claim(member)
        if member.tag == "field":
            if block.groups or block.data:
                member.fail("field stands after a group or data", "fields, then groups, then data")
            _add_field(member, types, block)
        elif member.tag == "group":
            if block.data:
                member.fail("group stands after data", "fields, then groups, then data")
            block.groups[member.name] = _group(member, types)
        else:
            block.data[member.name] = _data(member, types)
    return block


def _length(element: Element, block: _Block) -> int:
    """The declared block length, or the end of the last field if none is declared."""
    declared = element.integer("blockLength", block.position)
    if declared < block.position:
        element.fail(f"blockLength {declared} is shorter than its fields", f"{block.position} or more")
    return declared


def _add_field(element: Element, types: TypeTable, block: _Block) -> None:
    encoding = types.find(element, element.required("type"))
    if encoding.data is not None:
        element.fail("field has a variable-length type", "a data element")
    if any(leaf.array_length == 0 for leaf in encoding.leaves):
        element.fail("field has a type of length 0", "length of 1 or more")
    presence = element.get("presence")
    if presence is not None:
        element.one_of("presence", ("required", "optional", "constant"), "required")
    constant = presence == "constant" or all(leaf.constant is not None for leaf in encoding.leaves)
    start = block.position if constant else element.integer("offset", block.position)
    if start < block.position:
        element.fail(f"offset {start} lies in the field before", f"{block.position} or more")
    for leaf in encoding.leaves:
        placed = _placed(element, types, leaf, encoding, start)
        if placed.name in block.fields:
            element.fail(f"leaf {placed.name!r} occurs twice in its block", "unique names")
        block.fields[placed.name] = placed
    if not constant:
        block.position = start + encoding.size


def _placed(element: Element, types: TypeTable, leaf: FieldLayout, encoding: Encoding, start: int) -> FieldLayout:
    """A type's leaf as a leaf of the block: named, placed, with the field's own presence and version."""
    exponent_field = next((text for name, text in element.node.items() if local_name(name) == _EXPONENT), None)
    placed = replace(
        leaf,
        name=member_name(element.name, leaf, encoding),
        offset=start + leaf.offset,
        since_version=max(leaf.since_version, element.integer("sinceVersion", 0)),
        exponent_field=exponent_field if leaf.exponent is None else None,
    )
    presence = element.get("presence")
    if presence == "constant" and placed.constant is None:
        return replace(placed, constant=_field_constant(element, types, placed))
    if presence == "required":
        return replace(placed, null=None)
    first = encoding.simple and leaf is encoding.leaves[0]
    if presence == "optional" and first and placed.null is None and placed.constant is None:
        return replace(placed, null=null_of(element, placed.primitive))
    return placed


def _field_constant(element: Element, types: TypeTable, leaf: FieldLayout) -> int | str:
    reference = element.get("valueRef")
    if reference is not None:
        return types.constant(element, reference)
    if leaf.enum is not None and element.text in leaf.enum.values:
        return leaf.enum.values[element.text]
    if leaf.primitive is Primitive.CHAR and leaf.enum is None and element.text:
        return element.text
    element.fail("constant field has no value", "valueRef=Enum.Value, or the value as text")


def _group(element: Element, types: TypeTable) -> GroupLayout:
    dimension = _composite(element, types, element.get("dimensionType") or "groupSizeEncoding")
    for needed in ("blockLength", "numInGroup"):
        if needed not in dimension.fields:
            element.fail(f"dimension {dimension.name!r} has no {needed}", "a composite with blockLength and numInGroup")
    block = _members(element, types)
    return GroupLayout(
        name=element.name,
        dimension=dimension,
        stride=_length(element, block),
        fields=block.fields,
        groups=block.groups,
        data=block.data,
        since_version=element.integer("sinceVersion", 0),
    )


def _data(element: Element, types: TypeTable) -> DataLayout:
    encoding = types.find(element, element.required("type"))
    if encoding.data is None:
        element.fail(f"type {element.get('type')!r} is not variable-length", "a composite of length and varData")
    return replace(encoding.data, name=element.name, since_version=element.integer("sinceVersion", 0))

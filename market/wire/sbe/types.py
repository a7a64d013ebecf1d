"""The ``types`` section of a schema: named encodings, each as leaves with offsets relative to its own start."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from market.wire.sbe.elements import Element
from market.wire.sbe.layout import CompositeLayout, DataLayout, EnumTable, FieldLayout, Primitive, SetTable

_PRIMITIVES = {primitive.value: primitive for primitive in Primitive}
_UNSIGNED = (Primitive.UINT8, Primitive.UINT16, Primitive.UINT32, Primitive.UINT64)
_PRESENCES = ("required", "optional", "constant")
_MEMBERS = ("type", "enum", "set", "composite", "ref")


@dataclass(frozen=True)
class Encoding:
    """A named type: ``leaves`` in wire order, ``size`` bytes.

    ``simple`` is a single leaf that takes the name of the field which uses it. ``data`` is set for a composite that
    encodes variable-length data.
    """

    leaves: tuple[FieldLayout, ...]
    size: int
    simple: bool
    data: DataLayout | None = None

    def composite(self, name: str) -> CompositeLayout:
        """The encoding as a composite that stands by itself."""
        return CompositeLayout(name, self.size, {leaf.name: leaf for leaf in self.leaves})


class TypeTable:
    """All named types of one schema, enumerations and sets included."""

    def __init__(self) -> None:
        self.encodings: dict[str, Encoding] = {}
        self.enums: dict[str, EnumTable] = {}
        self.sets: dict[str, SetTable] = {}

    def add(self, element: Element) -> None:
        """Read one element of the types section."""
        if element.name in self.encodings:
            element.fail(f"type {element.name!r} is defined twice", "one definition per name")
        self.encodings[element.name] = self._read(element)

    def find(self, element: Element, name: str) -> Encoding:
        """The encoding that an element names: a named type or a primitive."""
        found = self.encodings.get(name)
        if found is not None:
            return found
        primitive = _PRIMITIVES.get(name)
        if primitive is None:
            known = ", ".join([*_PRIMITIVES, *self.encodings])
            element.fail(f"type {name!r} is not defined before its use", f"one of {known}")
        return Encoding((FieldLayout(name, 0, primitive),), primitive.size, simple=True)

    def constant(self, element: Element, reference: str) -> int:
        """The value that a ``valueRef`` such as ``Side.BUY`` names."""
        table_name, _, value_name = reference.partition(".")
        table = self.enums.get(table_name)
        if table is None or value_name not in table.values:
            element.fail(f"valueRef {reference!r} is not defined", "Enum.Value of an enum of this schema")
        return table.values[value_name]

    def _read(self, element: Element) -> Encoding:
        if element.tag == "type":
            return self._simple(element)
        if element.tag == "enum":
            return self._enum(element)
        if element.tag == "set":
            return self._set(element)
        if element.tag == "composite":
            return self._composite(element)
        return self.find(element, element.required("type"))

    def _primitive(self, element: Element, attribute: str) -> Primitive:
        name = element.required(attribute)
        if name not in _PRIMITIVES:
            element.fail(f"{attribute}={name!r} is not a primitive type", f"one of {', '.join(_PRIMITIVES)}")
        return _PRIMITIVES[name]

    def _simple(self, element: Element) -> Encoding:
        primitive = self._primitive(element, "primitiveType")
        presence = element.one_of("presence", _PRESENCES, "required")
        leaf = FieldLayout(
            name=element.name,
            offset=0,
            primitive=primitive,
            array_length=element.integer("length", 1),
            since_version=element.integer("sinceVersion", 0),
        )
        if presence == "constant":
            leaf = replace(leaf, constant=self._constant_of(element, leaf))
        elif presence == "optional":
            leaf = replace(leaf, null=null_of(element, primitive))
        return Encoding((leaf,), leaf.size, simple=True)

    def _constant_of(self, element: Element, leaf: FieldLayout) -> int | float | str:
        reference = element.get("valueRef")
        if reference is not None:
            return self.constant(element, reference)
        if leaf.primitive is Primitive.CHAR:
            if not element.text:
                element.fail("constant has no text", "the characters of the constant")
            return element.text
        try:
            return float(element.text) if leaf.primitive.is_float else int(element.text)
        except ValueError:
            element.fail(f"constant {element.text!r} is not a {leaf.primitive.value}", "a number")

    def _coded(self, element: Element) -> FieldLayout:
        """The leaf in which an enumeration or a set is stored."""
        encoding = self.find(element, element.required("encodingType"))
        leaf = encoding.leaves[0]
        if not encoding.simple or leaf.array_length != 1 or leaf.primitive.is_float:
            element.fail(f"encodingType {element.get('encodingType')!r} is no whole number", "a scalar integer or char")
        since_version = max(leaf.since_version, element.integer("sinceVersion", 0))
        return replace(leaf, name=element.name, since_version=since_version)

    def _enum(self, element: Element) -> Encoding:
        leaf = self._coded(element)
        values: dict[str, int] = {}
        for item in element.children("validValue"):
            if leaf.primitive is Primitive.CHAR:
                if len(item.text) != 1:
                    item.fail(f"value {item.text!r} of a char enum", "one character")
                value = ord(item.text)
            else:
                value = _whole(item)
            if item.name in values or value in values.values():
                item.fail(f"value {item.name}={item.text} occurs twice", "unique names and values")
            values[item.name] = value
        table = self.enums[element.name] = EnumTable(element.name, values)
        return Encoding((replace(leaf, enum=table),), leaf.size, simple=True)

    def _set(self, element: Element) -> Encoding:
        leaf = self._coded(element)
        if leaf.primitive not in _UNSIGNED:
            element.fail(f"set is stored in {leaf.primitive.value}", "uint8, uint16, uint32 or uint64")
        choices: dict[str, int] = {}
        for item in element.children("choice"):
            bit = _whole(item)
            if not 0 <= bit < 8 * leaf.size or bit in choices.values() or item.name in choices:
                item.fail(f"choice {item.name}={bit}", f"unique names and bits 0 to {8 * leaf.size - 1}")
            choices[item.name] = bit
        table = self.sets[element.name] = SetTable(element.name, choices)
        return Encoding((replace(leaf, choices=table),), leaf.size, simple=True)

    def _composite(self, element: Element) -> Encoding:
        leaves: list[FieldLayout] = []
        since_version = element.integer("sinceVersion", 0)
        position = 0
        for member in element.children(*_MEMBERS):
            encoding = self._read(member)
            if encoding.data is not None:
                member.fail("variable-length data inside a composite", "fixed-length members")
            if member.name == "varData" or encoding.leaves[0].array_length == 0:
                return Encoding(tuple(leaves), position, simple=False, data=_data_encoding(element, member, leaves))
            start = member.integer("offset", position)
            if start < position:
                member.fail(f"offset {start} lies in the member before", f"{position} or more")
            leaves.extend(
                replace(
                    leaf,
                    name=member_name(member.name, leaf, encoding),
                    offset=start + leaf.offset,
                    since_version=max(leaf.since_version, since_version),
                )
                for leaf in encoding.leaves
            )
            position = start + encoding.size
        if not leaves:
            element.fail("composite is empty", f"members of {', '.join(_MEMBERS)}")
        if len({leaf.name for leaf in leaves}) != len(leaves):
            element.fail("two members have the same name", "unique names")
        return _folded(element, leaves, position)


def member_name(name: str, leaf: FieldLayout, encoding: Encoding) -> str:
    """Name of a leaf in a field or member of the given name."""
    return name if encoding.simple and leaf is encoding.leaves[0] else f"{name}.{leaf.name}"


def null_of(element: Element, primitive: Primitive) -> int:
    """The declared null value, else the primitive's own; a float's is given as bits (``0x...``) or as NaN."""
    text = element.get("nullValue")
    if text is None or (primitive.is_float and text.lower() == "nan"):
        return primitive.default_null
    if primitive is Primitive.CHAR and len(text) == 1 and not text.isdecimal():
        return ord(text)
    try:
        return int(text, 0)
    except ValueError:
        element.fail(f"nullValue {text!r} is not known for {primitive.value}", "a whole number, bits as 0x..., or NaN")


def _whole(item: Element) -> int:
    try:
        return int(item.text)
    except ValueError:
        item.fail(f"{item.text!r} is not a number", "a whole number")


def _folded(element: Element, leaves: list[FieldLayout], size: int) -> Encoding:
    """A mantissa whose other members are constants becomes one leaf that knows its exponent."""
    on_wire = [leaf for leaf in leaves if leaf.constant is None]
    if len(on_wire) != 1:
        return Encoding(tuple(leaves), size, simple=False)
    exponent = next((leaf.constant for leaf in leaves if leaf.name == "exponent"), None)
    if exponent is not None and not isinstance(exponent, int):
        element.fail(f"exponent {exponent!r} is not a whole number", "a constant integer")
    others = [leaf for leaf in leaves if leaf.constant is not None and leaf.name != "exponent"]
    return Encoding((replace(on_wire[0], exponent=exponent), *others), size, simple=True)


def _data_encoding(element: Element, member: Element, leaves: list[FieldLayout]) -> DataLayout:
    if len(leaves) != 1 or leaves[0].primitive not in _UNSIGNED:
        element.fail("length of variable-length data is not one unsigned number", "length, then varData of length 0")
    primitive = member.required("primitiveType")
    encoding = member.get("characterEncoding") or ("ISO-8859-1" if primitive == "char" else None)
    if encoding is not None:
        try:
            "".encode(encoding)
        except LookupError:
            member.fail(f"characterEncoding {encoding!r} is not known", "UTF-8, US-ASCII or ISO-8859-1")
    return DataLayout(element.name, leaves[0].end, leaves[0], encoding)


def composites_of(encodings: Mapping[str, Encoding]) -> dict[str, CompositeLayout]:
    """Those named types that can stand by themselves: composites with several members and no variable-length data."""
    return {
        name: encoding.composite(name)
        for name, encoding in encodings.items()
        if encoding.data is None and not encoding.simple
    }

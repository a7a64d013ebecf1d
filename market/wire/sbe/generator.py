"""Write the compiled decoders' source: from a schema's layouts to kernels with plain integer constants.

For each chosen message the source has its template id, the column of every field, ``decode_*`` and, where asked for,
``write_*`` functions. It is kept under version control next to the code that uses it; a test compares it with what
this module writes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from market.errors import Fatal
from market.wire.sbe.layout import ByteOrder, FieldLayout, GroupLayout, MessageLayout, Primitive, Schema

_LOADS = {
    Primitive.CHAR: "load_u8",
    Primitive.INT8: "load_i8",
    Primitive.INT16: "load_i16",
    Primitive.INT32: "load_i32",
    Primitive.INT64: "load_i64",
    Primitive.UINT8: "load_u8",
    Primitive.UINT16: "load_u16",
    Primitive.UINT32: "load_u32",
    Primitive.UINT64: "load_i64",
    Primitive.FLOAT: "load_u32",
    Primitive.DOUBLE: "load_i64",
}
_MEMORY = ("get", "put", *sorted(set(_LOADS.values())), "store_8", "store_16", "store_32", "store_64")
_REASONS = ("BLOCK_LENGTH", "COUNT", "OK", "STRIDE", "TOO_LONG", "TRUNCATED")
_SINK = ("SINK_ADDRESS", "SINK_ROOM", "SINK_SLOT", "SINK_USED")
_DIGITS = re.compile(r"(\d+)")


@dataclass(frozen=True)
class Choice:
    """What to generate from a schema.

    ``messages`` maps the name that a message has in Python to its name in the schema. ``slots`` gives each group the
    slot of the sink that takes its entries. ``writes`` names the messages whose blocks are also written.
    ``first_column`` is the row's column of the first field.
    """

    messages: Mapping[str, str]
    slots: Mapping[str, int]
    writes: frozenset[str]
    first_column: int


def kernel_source(schema: Schema, choice: Choice) -> str:
    """The text of the module; Fatal for a layout that kernels do not read (arrays, nested groups, big-endian)."""
    if schema.byte_order is not ByteOrder.LITTLE:
        raise Fatal(f"schema {schema.path.name} is big-endian; kernels are generated for little-endian schemas")
    columns = [
        index for name in choice.messages.values() for _, index in _columns(schema.message(name), choice.first_column)
    ]
    body = [f"ROW_WIDTH: Final = {max(columns) + 1}", '"""Columns of the widest row."""']
    for name, message_name in choice.messages.items():
        layout = schema.message(message_name)
        _check(layout, choice)
        body += ["", "", *_constants(name, layout, choice.first_column)]
        body += ["", "", *_decoder(name, layout, choice)]
        if name in choice.writes:
            body += ["", "", *_writers(name, layout)]
    text = "\n".join(body).strip("\n") + "\n"
    return _preamble(schema, text) + text


def _preamble(schema: Schema, text: str) -> str:
    def used(names: tuple[str, ...]) -> list[str]:
        return [name for name in names if re.search(rf"\b{name}\b", text)]

    lines = [
        f'"""Kernels for {schema.path.name}, written by ``market.wire.sbe.generator``; change the schema instead."""',
        "",
        "from __future__ import annotations",
        "",
        "from typing import Final",
        "",
        "from market.native.kernel import part",
        *_import("market.native.memory", sorted(used(_MEMORY), key=_natural)),
        *_import("market.wire.binary", sorted([*used(_REASONS), *used(_SINK)])),
        "",
        "",
    ]
    return "\n".join(lines)


def _natural(name: str) -> list[tuple[int, str]]:
    """Sort key that orders load_i8 before load_i16."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in _DIGITS.split(name)]


def _import(module: str, names: list[str]) -> list[str]:
    line = f"from {module} import {', '.join(names)}"
    if len(line) <= 120:
        return [line]
    return [f"from {module} import (", *(f"    {name}," for name in names), ")"]


def _check(layout: MessageLayout, choice: Choice) -> None:
    groups = list(layout.groups.values())
    fields = [*layout.fields.values(), *(leaf for group in groups for leaf in group.fields.values())]
    for leaf in fields:
        if leaf.array_length != 1 or leaf.since_version:
            raise Fatal(f"{layout.name}.{leaf.name} is an array or younger than its message; kernels read neither")
    if any(group.groups or group.data for group in groups):
        raise Fatal(f"{layout.name} has nested groups or data; kernels read flat groups")
    if any(group.name not in choice.slots for group in groups):
        raise Fatal(f"{layout.name} has groups {', '.join(layout.groups)}; each needs a slot of the sink")


def _stored(fields: Mapping[str, FieldLayout]) -> list[FieldLayout]:
    return [leaf for leaf in fields.values() if leaf.constant is None]


def constant_name(*parts: str) -> str:
    """``bestBidPrice`` and ``instrHeader.side`` as constants: BEST_BID_PRICE, INSTR_HEADER_SIDE."""
    snake = [re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", part).replace(".", "_") for part in parts]
    return "_".join(snake).upper()


def _columns(layout: MessageLayout, first: int) -> Iterator[tuple[str, int]]:
    """Names and columns of all that a message's row holds: fields, then start and count of groups, then data."""
    names = [constant_name(leaf.name) for leaf in _stored(layout.fields)]
    for group in layout.groups:
        names += [constant_name(group, "start"), constant_name(group, "count")]
    for item in layout.data:
        names += [constant_name(item, "offset"), constant_name(item, "length")]
    return ((name, first + index) for index, name in enumerate(names))


def _constants(name: str, layout: MessageLayout, first: int) -> list[str]:
    prefix = name.upper()
    lines = [f"{prefix}: Final = {layout.template_id}"]
    lines += [f"{prefix}_{column}: Final = {index}" for column, index in _columns(layout, first)]
    for group in layout.groups.values():
        stem = f"{prefix}_{constant_name(group.name)}"
        stored = _stored(group.fields)
        lines += [f"{stem}_{constant_name(leaf.name)}: Final = {index}" for index, leaf in enumerate(stored)]
        lines.append(f"{stem}_WIDTH: Final = {len(stored)}")
    return lines


def _decoder(name: str, layout: MessageLayout, choice: Choice) -> list[str]:
    lines = [
        "@part",
        f"def decode_{name}(at: int, end: int, block: int, row: int, origin: int, sink: int) -> tuple[int, int]:",
        f'    """{layout.name}: the root block at ``at``, to the row at ``row``; the reason, and where it ends."""',
        f"    if block < {layout.block_length} or block > end - at:",
        "        return BLOCK_LENGTH, at",
    ]
    column = choice.first_column
    for leaf in _stored(layout.fields):
        lines.append(f"    put(row, {column}, {_LOADS[leaf.primitive]}(at, {leaf.offset}))")
        column += 1
    lines.append("    at += block")
    for group in layout.groups.values():
        lines += _group(group, choice.slots[group.name], column)
        column += 2
    for item in layout.data.values():
        load = _LOADS[item.length_field.primitive]
        lines += [
            f"    if end - at < {item.prefix} or end - at - {item.prefix} < {load}(at, {item.length_field.offset}):",
            "        return TRUNCATED, at",
            f"    put(row, {column}, at + {item.prefix} - origin)",
            f"    put(row, {column + 1}, {load}(at, {item.length_field.offset}))",
            f"    at += {item.prefix} + {load}(at, {item.length_field.offset})",
        ]
        column += 2
    return [*lines, "    return OK, at"]


def _group(group: GroupLayout, slot: int, column: int) -> list[str]:
    length, count = (group.dimension.fields[name] for name in ("blockLength", "numInGroup"))
    size = group.dimension.size
    stored = _stored(group.fields)
    base = ("", "SINK_SLOT + ")[slot] if slot < 2 else f"{slot} * SINK_SLOT + "
    lines = [
        f"    if end - at < {size}:",
        "        return TRUNCATED, at",
        f"    stride = {_LOADS[length.primitive]}(at, {length.offset})",
        f"    count = {_LOADS[count.primitive]}(at, {count.offset})",
        f"    at += {size}",
        f"    if count > 0 and stride < {max(leaf.end for leaf in stored)}:",
        "        return STRIDE, at",
        "    if stride * count > end - at:",
        "        return COUNT, at",
        f"    start = get(sink, {base}SINK_USED)",
        f"    if count > get(sink, {base}SINK_ROOM) - start:",
        "        return TOO_LONG, at",
        f"    entry = get(sink, {base}SINK_ADDRESS) + start * {8 * len(stored)}",
        "    for _ in range(count):",
    ]
    lines += [
        f"        put(entry, {index}, {_LOADS[leaf.primitive]}(at, {leaf.offset}))" for index, leaf in enumerate(stored)
    ]
    return [
        *lines,
        f"        entry += {8 * len(stored)}",
        "        at += stride",
        f"    put(row, {column}, start)",
        f"    put(row, {column + 1}, count)",
        f"    put(sink, {base}SINK_USED, start + count)",
    ]


def _writers(name: str, layout: MessageLayout) -> list[str]:
    lines = _writer(name, layout.name, layout.fields, layout.block_length)
    for group in layout.groups.values():
        entry = f"{name}_{constant_name(group.name).lower()}"
        lines += ["", "", *_writer(entry, group.name, group.fields, group.stride)]
    return lines


def _writer(name: str, title: str, fields: Mapping[str, FieldLayout], size: int) -> list[str]:
    stored = _stored(fields)
    lines = [
        f"{name.upper()}_BLOCK: Final = {size}",
        "",
        "",
        "@part",
        f"def write_{name}(at: int, values: int) -> None:",
        f'    """A block of {title} at ``at``, {size} bytes, from the {len(stored)} words at ``values``."""',
    ]
    return lines + [
        f"    store_{8 * leaf.size}(at, {leaf.offset}, get(values, {index}))" for index, leaf in enumerate(stored)
    ]

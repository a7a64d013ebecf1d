"""A message with groups as what follows what: prefix, dimensions, entries, and the data behind them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hdl.sbe.places import Place, entry_places, place_of, root_places
from market.errors import Fatal
from market.wire.sbe import Schema

_STRIDE = "blockLength"
_COUNT = "numInGroup"


@dataclass(frozen=True, slots=True)
class Dimension:
    """The dimensions of a group, at the end of the section that precedes its entries."""

    stride: Place
    count: Place
    expected_stride: int


@dataclass(frozen=True, slots=True)
class Section:
    """A stretch of ``span`` bytes that begins in one of ``lanes``.

    ``group`` names the group of which it is one entry, else None; ``dimension`` is that of the entries behind it.
    """

    name: str
    span: int
    lanes: tuple[int, ...]
    places: tuple[Place, ...]
    group: str | None = None
    dimension: Dimension | None = None

    def lanes_behind(self, bus_bytes: int) -> tuple[int, ...]:
        """Lanes in which the byte behind the section may lie."""
        return tuple(sorted({(lane + self.span) % bus_bytes for lane in self.lanes}))


def sections_of(
    schema: Schema, message: str, fields: Sequence[str], groups: Mapping[str, Sequence[str]], bus_bytes: int
) -> tuple[Section, ...]:
    """The sections of a message, header first, with the fields to take; every group of it, in the order of the wire.

    Raises Fatal for groups that contain groups or data, for a message whose groups are not those named, and for a
    section so short that it may end in the same beat as the one before it.
    """
    layout = schema.message(message)
    if tuple(layout.groups) != tuple(groups):
        raise Fatal(f"fields were given for groups {list(groups)} of {message}; expected {list(layout.groups)}")
    names = list(layout.groups)
    span = schema.header.size + layout.block_length
    prefix = Section(message, span, (0,), root_places(schema, message, fields))
    sections = [_with_dimension(prefix, schema, message, names[0]) if names else prefix]
    for index, name in enumerate(names):
        group = layout.groups[name]
        if group.groups or group.data:
            raise Fatal(f"entries of {name} contain groups or data; expected fields alone")
        lanes = _all_lanes(sections[-1].lanes_behind(bus_bytes), group.stride, bus_bytes)
        places = entry_places(schema, message, name, groups[name])
        sections.append(Section(f"{name}_entry", group.stride, lanes, places, group=name))
        if index + 1 < len(names):
            following = Section(f"{names[index + 1]}_dimension", 0, lanes, ())
            sections.append(_with_dimension(following, schema, message, names[index + 1]))
    for section in sections:
        if any(lane + section.span <= bus_bytes for lane in section.lanes if lane):
            raise Fatal(f"{section.name} has {section.span} bytes: two may end in one beat of {bus_bytes} bytes")
    return tuple(sections)


def _with_dimension(section: Section, schema: Schema, message: str, group: str) -> Section:
    layout = schema.message(message).groups[group]
    stride, count = (place_of(layout.dimension.fields[name]).moved(section.span) for name in (_STRIDE, _COUNT))
    dimension = Dimension(stride, count, layout.stride)
    span = section.span + layout.dimension.size
    return Section(section.name, span, section.lanes, section.places, dimension=dimension)


def _all_lanes(first: Sequence[int], stride: int, bus_bytes: int) -> tuple[int, ...]:
    """Lanes in which any entry may begin, or what follows when there is none."""
    return tuple(sorted({(lane + stride * index) % bus_bytes for lane in first for index in range(bus_bytes)}))

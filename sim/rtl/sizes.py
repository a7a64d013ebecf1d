"""Sizes in use and the core that they fit into."""

from __future__ import annotations

from dataclasses import fields, replace

from hdl.parameters import CoreParameters
from market.errors import Fatal
from market.fastpath.specification import DEFAULT_SIZES, EngineSizes, Feed
from sim.rtl.lines import Line

_NAMES = tuple(field.name for field in fields(EngineSizes))


def parameters_for(
    sizes: EngineSizes, *, bus_bytes: int = 8, feeds: frozenset[Feed] = frozenset(Feed), paced: bool = False
) -> CoreParameters:
    """The usual build where the sizes fit into it, else one that they fit into; ``paced`` as for ``Line.GEARED``."""
    larger = {name: max(getattr(sizes, name), getattr(DEFAULT_SIZES, name)) for name in _NAMES}
    usual = CoreParameters(EngineSizes(**larger), bus_bytes, feeds)
    return replace(usual, paced=True, beat_cycles=Line.GEARED.beat_cycles) if paced else usual


def sizes_port(parameters: CoreParameters, sizes: EngineSizes) -> bytes:
    """Sizes as the bytes of the core's port ``sizes``, the least significant first.

    Raises ``Fatal`` for a size above the core's capacity.
    """
    for name in _NAMES:
        wanted, most = getattr(sizes, name), getattr(parameters.capacity, name)
        if wanted > most:
            raise Fatal(f"sizes ask for {wanted} {name}; this core was built for at most {most}")
    from hdl.records import sizes_layout, sizes_values  # Amaranth is an extra: whoever has a core has it

    layout = sizes_layout(parameters)
    bits: int = sum(value << layout[name].offset for name, value in sizes_values(sizes).items())
    return bits.to_bytes(-(-layout.size // 8), "little")

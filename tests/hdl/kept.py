"""Texts that follow from sources alone and take long to make: kept in the cache until one of those changes."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from importlib.metadata import version
from typing import Any

from amaranth.hdl import Elaboratable

from sim.rtl.description import digest_of_description
from sim.rtl.library import cache_folder, digest_of, locked

_description = cache(digest_of_description)
"""Of a module's sources; they stay as they are while tests run."""


def name_of(
    make: Callable[..., Any], arguments: Sequence[Any], named: Mapping[str, Any], packages: Sequence[str]
) -> str:
    """A name for what a function of the project makes of these arguments with these packages.

    Another one as soon as its module, anything of ours that this imports, or what describes Verilog changes.
    """
    versions = [f"{package} {version(package)}" for package in packages]
    said = repr((tuple(arguments), sorted(named.items())))
    assert " at 0x" not in said, f"{said} does not say what it is"
    sources = [_description(module) for module in (make.__module__, "hdl.toolchain.verilog")]
    return digest_of(*versions, *sources, make.__module__, make.__qualname__, said)


def kept_text(name: str, suffix: str, make: Callable[[], str]) -> str:
    """A text by its name, from the cache where it has been made before."""
    kept = cache_folder() / f"{name}{suffix}"
    with locked(name):
        if not kept.is_file():
            part = kept.with_name(f"{kept.name}.part")
            part.write_text(make(), encoding="utf-8")
            os.replace(part, kept)
    return kept.read_text(encoding="utf-8")


def count_as_used(made: Any) -> None:
    """Amaranth warns of what nobody has described; of a component whose text was kept it need not, nor of its parts."""
    if isinstance(made, Elaboratable) and not made._MustUse__used:
        made._MustUse__used = True
        count_as_used(list(vars(made).values()))
    elif isinstance(made, (list, tuple)):
        for part in made:
            count_as_used(part)
    elif isinstance(made, dict):
        count_as_used(list(made.values()))

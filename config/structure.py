"""The tree of settings as the models declare it: the keys of each table, and the nearest one to a typing error."""

from __future__ import annotations

import difflib
import types
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel


@dataclass(frozen=True, slots=True)
class Node:
    """A table of the tree: either of fixed keys (``model``) or of named entries (``entry``)."""

    model: type[BaseModel] | None
    entry: type[BaseModel] | None
    names: tuple[str, ...]

    @property
    def keys(self) -> tuple[str, ...]:
        """Keys that this table may have; for named entries the names that are known beforehand."""
        return tuple(self.model.model_fields) if self.model else self.names


def bare(annotation: Any) -> Any:
    """A type without ``Annotated`` and without ``None``."""
    if get_origin(annotation) is Annotated:
        return bare(get_args(annotation)[0])
    if get_origin(annotation) in (Union, types.UnionType):
        return bare(next(part for part in get_args(annotation) if part is not type(None)))
    return annotation


def node_of(annotation: Any) -> Node | None:
    """The table that a type describes, or None when it is a single value."""
    kind = bare(annotation)
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return Node(kind, None, ())
    if get_origin(kind) in (Mapping, dict):
        key, value = get_args(kind)
        names = bare(key)
        known = tuple(str(member.value) for member in names) if issubclass(names, Enum) else ()
        return Node(None, bare(value), known)
    return None


def child(node: Node, key: str) -> Node | None:
    """The table below a key, or None when the key is a single value or unknown."""
    if node.model is not None:
        field = node.model.model_fields.get(key)
        return node_of(field.annotation) if field else None
    return node_of(node.entry)


def table_at(root: type[BaseModel], path: Sequence[str]) -> Node | None:
    """The table at a path, or None when there is none."""
    node: Node | None = node_of(root)
    for key in path:
        node = child(node, key) if node else None
    return node


def canonical(key: str) -> str:
    """A key as environment variables can spell it: lower case, underscores."""
    return key.lower().replace("-", "_").replace(".", "_")


def nearest(key: str, known: Iterable[str]) -> str | None:
    """The known key that a mistyped one most likely means."""
    spelled = {canonical(name): name for name in known}
    found = difflib.get_close_matches(canonical(key), list(spelled), n=1, cutoff=0.5)
    return spelled[found[0]] if found else None

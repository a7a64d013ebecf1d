"""The document that goes with a component's Verilog: its ports and what they mean."""

from __future__ import annotations

import inspect
from typing import Any, Final

from hdl.toolchain.verilog import ports_of

_HEAD: Final = """# {name}

Module `{name}`, generated from `{source}`. One clock, `clk`; `rst`, synchronous, sets every register to its
value at configuration and leaves memories as they are. Names with a double underscore are members of a group:
`rx__data` is `data` of `rx`. Streams move a value in a cycle of `valid` and `ready`. Ports that are packed list their
fields with their bits.

## What it does

```text
{description}
```

## Ports

| Port | Direction | Bits | Fields |
|---|---|---|---|
"""


def interface_document(component: Any, name: str) -> str:
    """The ports of ``ports_of`` as Markdown, with the component's own description."""
    kind = type(component)
    description = inspect.cleandoc(kind.__doc__ or "")
    head = _HEAD.format(name=name, source=f"{kind.__module__}.{kind.__qualname__}", description=description)
    fields = _fields(component)
    rows = [
        f"| `{port.name}` | {'in' if port.is_input else 'out'} | {port.bits} | {fields.get(port.name, '')} |"
        for port in ports_of(component)
    ]
    return head + "\n".join(rows) + "\n"


def _fields(component: Any) -> dict[str, str]:
    """Fields of the ports that are packed, with their positions."""
    found = {}
    for path, member, _ in component.signature.flatten(component):
        shape = member.shape
        if hasattr(shape, "members"):
            parts = [f"`{key}` {_span(field.offset, field.width)}" for key, field in shape]
            found["__".join(map(str, path))] = ", ".join(parts)
    return found


def _span(offset: int, width: int) -> str:
    return f"[{offset}]" if width == 1 else f"[{offset + width - 1}:{offset}]"

"""The seam between kernels and what runs them: a CUDA source, its options, and a module of launchable functions."""

from __future__ import annotations

import functools
import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Protocol

from gpu.prototype import Prototype, prototypes
from market.errors import Fatal

KERNELS: Final = Path(__file__).with_name("kernels")
"""Where the sources are."""

_INCLUDE: Final = re.compile(r'^\s*#include\s+"([^"]+)"', re.MULTILINE)


@dataclass(frozen=True)
class KernelSource:
    """One ``.cu`` file and the constants that it is compiled with.

    Parameters
    ----------
    path: the file.
    constants: what the compiler is told by ``-D``: shapes and sizes that are known when a kernel is built.
    contracts: whether multiplications and additions may be fused; off where results are compared to the last bit.
    """

    path: Path
    constants: tuple[tuple[str, int], ...] = ()
    contracts: bool = False

    @classmethod
    def named(cls, name: str, constants: Mapping[str, int] | None = None, *, contracts: bool = False) -> KernelSource:
        """The source ``gpu/kernels/NAME.cu``. Raises ``Fatal`` if there is none."""
        path = KERNELS / f"{name}.cu"
        if not path.is_file():
            raise Fatal(f"no kernel source {path.name}; there are {', '.join(sorted(source_names()))}")
        return cls(path, tuple(sorted((constants or {}).items())), contracts)

    @property
    def text(self) -> str:
        """The source."""
        return self.path.read_text(encoding="utf-8")

    @functools.cached_property
    def prototypes(self) -> dict[str, Prototype]:
        """The kernels of the source by name."""
        return prototypes(self.text)

    @property
    def defines(self) -> tuple[str, ...]:
        """The constants as options of a compiler."""
        return tuple(f"-D{name}={value}" for name, value in self.constants)

    def files(self) -> tuple[Path, ...]:
        """The source and every file that it includes from its own folder, itself first."""
        found, pending = [], [self.path]
        while pending:
            current = pending.pop()
            if current not in found:
                found.append(current)
                names = _INCLUDE.findall(current.read_text(encoding="utf-8"))
                pending.extend(path for name in names if (path := current.parent / name).is_file())
        return tuple(found)

    def digest(self, *extra: str) -> str:
        """Digest over the files, the constants and what else decides about the machine code."""
        digest = hashlib.sha256()
        for part in (*self.defines, str(self.contracts), *extra):
            digest.update(part.encode() + b"\0")
        for file in self.files():
            digest.update(file.read_bytes())
        return digest.hexdigest()[:24]


@dataclass(frozen=True, slots=True)
class LaunchShape:
    """How many threads run a kernel.

    Parameters
    ----------
    grid, block: blocks of the grid and threads of a block in up to three dimensions.
    shared_bytes: dynamic shared memory of a block.
    """

    grid: tuple[int, ...]
    block: tuple[int, ...]
    shared_bytes: int = field(default=0)

    def __post_init__(self) -> None:
        for name, shape in (("grid", self.grid), ("block", self.block)):
            if not 1 <= len(shape) <= 3 or min(shape) < 1:
                raise Fatal(f"{name} of {shape}; expected one to three positive numbers")


class KernelModule(Protocol):
    """A compiled source whose kernels can be launched."""

    def launch(self, kernel: str, shape: LaunchShape, arguments: Sequence[Any]) -> None:
        """Run a kernel over a grid; results are in the arrays that it was given.

        Raises ``Rejected`` for arguments that do not fit the prototype, ``Fatal`` for a kernel that is not there or
        that went wrong.
        """


def prototype_of(source: KernelSource, kernel: str) -> Prototype:
    """The signature of one kernel. Raises ``Fatal`` if the source does not have it."""
    try:
        return source.prototypes[kernel]
    except KeyError:
        raise Fatal(f"{source.path.name} has no kernel {kernel}; it has {', '.join(source.prototypes)}") from None


def source_names() -> list[str]:
    """Every kernel source that there is."""
    return sorted(path.stem for path in KERNELS.glob("*.cu"))

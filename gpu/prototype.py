"""The signatures of kernels, read from their CUDA source: what an argument list is checked against."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import DTypeLike

from market.errors import Fatal, Rejected

_KERNEL: Final = re.compile(
    r'extern\s+"C"\s+__global__\s+void\s+(?:__launch_bounds__\s*\([^)]*\)\s*)?(\w+)\s*\(([^)]*)\)', re.DOTALL
)
_PARAMETER: Final = re.compile(
    r"^(?P<const>const\s+)?(?P<type>[\w ]+?)\s*(?P<pointer>\*)?\s*(?:__restrict__\s+)?(?P<name>\w+)$"
)
_TYPES: Final[dict[str, DTypeLike]] = {
    "int": np.int32,
    "unsigned": np.uint32,
    "unsigned int": np.uint32,
    "long long": np.int64,
    "unsigned long long": np.uint64,
    "signed char": np.int8,
    "unsigned char": np.uint8,
    "float": np.float32,
    "double": np.float64,
}


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a kernel.

    Parameters
    ----------
    name: as the source has it.
    dtype: of the scalar, or of the array's elements.
    is_array: whether it is a pointer to device memory.
    is_written: whether the kernel may write there (the pointer is not to const).
    """

    name: str
    dtype: np.dtype[Any]
    is_array: bool
    is_written: bool


@dataclass(frozen=True, slots=True)
class Prototype:
    """A kernel's name and parameters."""

    name: str
    parameters: tuple[Parameter, ...]

    def check(self, arguments: Sequence[Any]) -> None:
        """Compare arguments with the parameters.

        Arrays (of NumPy or CuPy) have the declared dtype and are contiguous; scalars are NumPy scalars of the
        declared dtype, since a Python number has no width. Raises ``Rejected`` that names the parameter.
        """
        if len(arguments) != len(self.parameters):
            raise Rejected(f"kernel {self.name} takes {len(self.parameters)} arguments; got {len(arguments)}")
        for parameter, argument in zip(self.parameters, arguments, strict=True):
            self._check_one(parameter, argument)

    def _check_one(self, parameter: Parameter, argument: Any) -> None:
        where = f"argument {parameter.name} of kernel {self.name}"
        is_array = hasattr(argument, "shape") and not isinstance(argument, np.generic)
        if is_array != parameter.is_array:
            expected = "an array" if parameter.is_array else f"a scalar, numpy.{parameter.dtype}"
            raise Rejected(f"{where}: expected {expected}; got {type(argument).__name__}")
        if getattr(argument, "dtype", None) != parameter.dtype:
            raise Rejected(f"{where}: expected {parameter.dtype}; got {getattr(argument, 'dtype', type(argument))}")
        if is_array and not argument.flags.c_contiguous:
            raise Rejected(f"{where}: expected a contiguous array; pass a copy of the slice")


def prototypes(source: str) -> dict[str, Prototype]:
    """Every ``extern "C" __global__`` kernel of a source by name.

    Raises ``Fatal`` for a parameter of a type that arrays do not have.
    """
    found = {}
    for name, listed in _KERNEL.findall(without_comments(source)):
        parts = [" ".join(part.split()) for part in listed.split(",") if part.strip()]
        found[name] = Prototype(name, tuple(_parameter(name, part) for part in parts))
    return found


def without_comments(source: str) -> str:
    """The source with its comments blanked, line by line."""
    lines = re.sub(r"/\*.*?\*/", lambda match: "\n" * match.group().count("\n"), source, flags=re.DOTALL)
    return re.sub(r"//[^\n]*", "", lines)


def _parameter(kernel: str, text: str) -> Parameter:
    match = _PARAMETER.match(text)
    dtype = _TYPES.get(match["type"]) if match else None
    if match is None or dtype is None:
        raise Fatal(f"kernel {kernel}: parameter '{text}' is not of a plain type; expected one of {', '.join(_TYPES)}")
    is_array = match["pointer"] is not None
    return Parameter(match["name"], np.dtype(dtype), is_array, is_array and match["const"] is None)

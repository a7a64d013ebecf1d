"""An array file that grows row by row, larger than memory or not."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray


class GrowingArray:
    """A ``.npy`` file of int64 rows; whole after ``close``, which writes how many there are.

    Parameters
    ----------
    width: values of a row, 0 for an array of one dimension.
    """

    def __init__(self, path: Path, width: int = 0) -> None:
        self._width = width
        self.rows = 0
        self._file = path.open("wb")
        self._write_header()
        self._start = self._file.tell()

    def append(self, rows: NDArray[np.int64]) -> None:
        """Add rows."""
        self._file.write(np.ascontiguousarray(rows, dtype="<i8").tobytes())
        self.rows += len(rows)

    def close(self) -> None:
        """Finish the file."""
        if self._file.closed:
            return
        # NumPy leaves room in the header for the first dimension to grow.
        self._file.seek(0)
        self._write_header()
        assert self._file.tell() == self._start, "the header of an array file changed its length"
        self._file.close()

    def _write_header(self) -> None:
        shape = (self.rows, self._width) if self._width else (self.rows,)
        description: dict[str, Any] = {"descr": "<i8", "fortran_order": False, "shape": shape}
        npy.write_array_header_1_0(self._file, description)  # type: ignore[no-untyped-call]

    def __enter__(self) -> GrowingArray:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

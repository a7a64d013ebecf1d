"""A Parquet file that grows by batches of columns."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray


class ParquetFile:
    """Writes batches of equal columns; the file is made with the first one and is whole after ``close``."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.rows = 0
        self._writer: pq.ParquetWriter | None = None

    def write(self, columns: Mapping[str, NDArray[Any]]) -> None:
        """Append one batch."""
        table = pa.table({name: pa.array(values) for name, values in columns.items()})
        if self._writer is None:
            self._writer = pq.ParquetWriter(self.path, table.schema, compression="zstd")
        self._writer.write_table(table)
        self.rows += table.num_rows

    def close(self) -> None:
        """Finish the file; nothing was written when there was no batch."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None

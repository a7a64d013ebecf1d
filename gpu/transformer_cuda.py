"""Launches of ``kernels/attention.cu``: rows of an order book to a transformer's vectors, all on one device.

Dense layers are products as of every model, in float32 or bfloat16; attention and normalisation are in float32.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Protocol

import numpy as np

from gpu.kernel import KernelModule, KernelSource, LaunchShape
from gpu.models.architecture import Transformer
from gpu.models.weights import Model
from market.errors import Rejected

BLOCK: Final = 256
ROWS: Final = 128
"""Rows that a block attends for; both as in the source."""
MOST_HEAD: Final = 64
"""Values of a head: a thread keeps two such vectors in registers."""
_WARP: Final = 32


class Dense(Protocol):
    """A dense layer of the model, by name, on the device."""

    def __call__(self, name: str, values: Any, *, leaky: bool = False) -> Any: ...


def shared_bytes(architecture: Transformer, span: int) -> int:
    """Shared memory of a block that attends: keys and values of a head, and its offsets."""
    return 4 * (2 * architecture.head * (ROWS + span - 1) + span)


def attention_fits(architecture: Transformer, most_bytes: int) -> bool:
    """Whether a block of so much shared memory can attend for every block of a model."""
    needed = max(shared_bytes(architecture, span) for span in architecture.spans)
    return architecture.head <= MOST_HEAD and needed <= most_bytes


def source(architecture: Transformer) -> KernelSource:
    """The kernels for a shape."""
    return KernelSource.named("attention", {"HEAD": architecture.head}, contracts=True)


class TransformerRows:
    """A transformer's blocks.

    Parameters
    ----------
    module: compiles a source. xp: the array module whose arrays it takes. dense: the layers of the same model.
    most_bytes: shared memory of a block.

    Raises Rejected for a model whose keys and values do not fit a block.
    """

    def __init__(
        self, model: Model, module: Callable[[KernelSource], KernelModule], xp: Any, dense: Dense, most_bytes: int
    ) -> None:
        assert isinstance(model.architecture, Transformer)
        self._architecture = model.architecture
        if not attention_fits(model.architecture, most_bytes):
            raise Rejected(
                f"{model.architecture}: a block holds heads of {MOST_HEAD} values, and {most_bytes} bytes of keys and "
                "values: use backend='cpu'"
            )
        self._module, self._xp, self._dense = module(source(model.architecture)), xp, dense
        blocks = range(model.architecture.blocks)
        self._offsets = [xp.asarray(np.ascontiguousarray(model.tensors[f"block{block}.offsets"])) for block in blocks]

    def vectors(self, rows: Any) -> Any:
        """float32[n - window + 1, width] of float32[n, features], normalised for the last layer."""
        vectors, normal = self._normal_of_sums(self._dense("rows", rows))
        for block, span in enumerate(self._architecture.spans):
            name = f"block{block}"
            found = self._attended(self._dense(f"{name}.attend", normal), block)
            joined = self._dense(f"{name}.join", found)
            vectors, normal = self._normal_of_sums(vectors[span - 1 :], joined)
            wide = self._dense(f"{name}.widen", normal, leaky=True)
            vectors, normal = self._normal_of_sums(vectors, self._dense(f"{name}.narrow", wide))
        return normal

    def _attended(self, made: Any, block: int) -> Any:
        """float32[n - span + 1, width] of queries, keys and values, [n, 3 * width]."""
        architecture, span = self._architecture, self._architecture.spans[block]
        count = len(made) - span + 1
        out = self._xp.empty((count, architecture.width), np.float32)
        shape = LaunchShape((-(-count // ROWS), architecture.heads), (ROWS,), shared_bytes(architecture, span))
        numbers = (np.int64(count), np.int32(span))
        self._module.launch("attended_rows", shape, (made, self._offsets[block], *numbers, out))
        return out

    def _normal_of_sums(self, vectors: Any, added: Any = None) -> tuple[Any, Any]:
        """Sums of vectors [n, width], and the same normalised."""
        sums, out = (self._xp.empty(vectors.shape, np.float32) for _ in range(2))
        numbers = (np.int64(len(vectors)), np.int32(vectors.shape[1]), np.int32(added is not None))
        shape = LaunchShape((-(-len(vectors) // (BLOCK // _WARP)),), (BLOCK,))
        # A kernel's argument is an array, also where nothing is added.
        arguments = (vectors, vectors if added is None else added, *numbers, sums, out)
        self._module.launch("normal_of_sums", shape, arguments)
        return sums, out

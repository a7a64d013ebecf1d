"""Shapes of models that see a window of rows and say how probable each class is.

Every model is a *row part* and a *window part*. The row part turns each row, with the few rows before it, into a
vector: its convolutions and its attention in time are causal and unpadded, so a row's vector is the same in every
window that holds it, and is computed once. The window part reads the vectors of one window.

| | row part | rows that a vector needs | window part |
|---|---|---|---|
| ``DeepLob`` | convolutions, inception, input of the LSTM | 23 | an LSTM, dense |
| ``Lstm`` | input of the first LSTM | 1 | the LSTMs, dense |
| ``Bilinear`` | dense | 1 | a product over time, dense |
| ``Transformer`` | dense, blocks of attention to the rows before | the window | dense |

Layers of an LSTM: ``gates = input @ x + recurrent @ h + bias`` of 4 * hidden values, in the order input, forget, cell,
output; ``c = forget * c + input * cell``, ``h = output * tanh(c)``, from zeros.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TypeAlias

from market.errors import Rejected

SLOPE: Final = 0.01
"""Of leaky rectifiers below 0."""
TAPS: Final = 4
"""Rows that a convolution in time of the tower sees."""
SHORT: Final = 3
LONG: Final = 5
"""Rows that the branches of the inception see; pooling sees SHORT."""
BLOCKS: Final = ("pair", "level", "book")
"""Blocks of the tower: across price and quantity of one side, the sides of a level, and all levels."""
VALUES_PER_LEVEL: Final = 4
TOWER_REACH: Final = 2 * len(BLOCKS) * (TAPS - 1) + LONG
"""Rows that a vector of the tower depends on."""

Shapes: TypeAlias = dict[str, tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class DeepLob:
    """DeepLOB (Zhang, Zohren and Roberts 2019), without padding in time.

    Parameters
    ----------
    filters: of the tower. inception: of each of its three branches. hidden: of the LSTM.
    """

    levels: int = 10
    filters: int = 32
    inception: int = 64
    hidden: int = 64
    window: int = 100
    classes: int = 3

    def __post_init__(self) -> None:
        _check(self)
        if self.window < TOWER_REACH:
            raise Rejected(f"window was {self.window}: a DeepLOB needs at least {TOWER_REACH} rows")

    @property
    def features(self) -> int:
        """Values of a row."""
        return VALUES_PER_LEVEL * self.levels

    @property
    def reach(self) -> int:
        """Rows that a row's vector depends on, itself the newest."""
        return TOWER_REACH

    @property
    def layers(self) -> int:
        """LSTMs on one another."""
        return 1

    @property
    def row_width(self) -> int:
        """Values of a row's vector: the gates of the LSTM before the recurrent part."""
        return 4 * self.hidden

    @property
    def shapes(self) -> Shapes:
        """Tensors by name; of convolutions (filters, channels, taps)."""
        filters, inception = self.filters, self.inception
        found: Shapes = {}
        for block, channels, width in zip(BLOCKS, (1, filters, filters), (2, 2, self.levels), strict=True):
            found |= _affine(f"{block}.across", filters, channels, width)
            found |= _affine(f"{block}.time1", filters, filters, TAPS)
            found |= _affine(f"{block}.time2", filters, filters, TAPS)
        for branch, taps in (("short", SHORT), ("long", LONG)):
            found |= _affine(f"{branch}.point", inception, filters)
            found |= _affine(f"{branch}.time", inception, inception, taps)
        found |= _affine("pooled.point", inception, filters)
        return found | _lstm(0, 3 * inception, self.hidden) | _affine("dense", self.classes, self.hidden)


@dataclass(frozen=True, slots=True)
class Lstm:
    """LSTMs on one another, and a dense layer on the last state of the last."""

    features: int
    layers: int
    hidden: int
    window: int
    classes: int = 3

    def __post_init__(self) -> None:
        _check(self)

    @property
    def reach(self) -> int:
        """Rows that a row's vector depends on."""
        return 1

    @property
    def row_width(self) -> int:
        """Values of a row's vector: the gates of the first layer before the recurrent part."""
        return 4 * self.hidden

    @property
    def shapes(self) -> Shapes:
        """Tensors by name."""
        found: Shapes = {}
        for layer in range(self.layers):
            found |= _lstm(layer, self.hidden if layer else self.features, self.hidden)
        return found | _affine("dense", self.classes, self.hidden)


@dataclass(frozen=True, slots=True)
class Bilinear:
    """A dense layer over each row, a product over the window's rows, a dense layer: small and fast.

    After Tran, Iosifidis, Kanniainen and Gabbouj, "Temporal attention-augmented bilinear network" (2019), without its
    attention.

    Parameters
    ----------
    width: values of a row's vector. moments: weighted sums over time.
    """

    features: int
    width: int
    moments: int
    window: int
    classes: int = 3

    def __post_init__(self) -> None:
        _check(self)

    @property
    def reach(self) -> int:
        """Rows that a row's vector depends on."""
        return 1

    @property
    def row_width(self) -> int:
        """Values of a row's vector."""
        return self.width

    @property
    def shapes(self) -> Shapes:
        """Tensors by name; ``dense`` reads the moments of the first value of the vectors, then of the next."""
        found = _affine("rows", self.width, self.features) | _affine("time", self.moments, self.window)
        return found | _affine("dense", self.classes, self.width * self.moments)


@dataclass(frozen=True, slots=True)
class Transformer:
    """A dense layer over each row, blocks of attention to the rows before (see ``attention``), a dense layer.

    Every row attends to a fixed number of rows, itself the newest (a sliding window: Beltagy, Peters and Cohan 2020,
    "Longformer", section 3.1), and a block gives vectors to those rows alone that have so many: nothing is padded, and
    places in a window are not known but by how far back a row is. So a vector of the last block is that of one window.

    Parameters
    ----------
    width: values of a vector between blocks. heads: of attention, which share the width. blocks: on one another.
    expanded: values of a vector inside the two dense layers of a block.
    """

    features: int
    width: int
    heads: int
    blocks: int
    expanded: int
    window: int
    classes: int = 3

    def __post_init__(self) -> None:
        _check(self)
        if self.width % self.heads:
            raise Rejected(f"width was {self.width}: must be a multiple of heads, which is {self.heads}")
        if self.window <= self.blocks:
            raise Rejected(
                f"window was {self.window}: a transformer of {self.blocks} blocks needs at least {self.blocks + 1} rows"
            )

    @property
    def reach(self) -> int:
        """Rows that a row's vector depends on."""
        return self.window

    @property
    def row_width(self) -> int:
        """Values of a row's vector."""
        return self.width

    @property
    def head(self) -> int:
        """Values of a head."""
        return self.width // self.heads

    @property
    def spans(self) -> tuple[int, ...]:
        """Rows that a row attends to in each block, at least 2: as nearly the same as fill the window."""
        return tuple(1 + (self.window - 1 + block) // self.blocks for block in range(self.blocks))

    @property
    def shapes(self) -> Shapes:
        """Tensors by name; ``attend`` makes queries, keys and values; ``offsets``: by rows back from the newest."""
        found = _affine("rows", self.width, self.features)
        for block, span in enumerate(self.spans):
            found |= _affine(f"block{block}.attend", 3 * self.width, self.width)
            found |= {f"block{block}.offsets": (self.heads, span)}
            found |= _affine(f"block{block}.join", self.width, self.width)
            found |= _affine(f"block{block}.widen", self.expanded, self.width)
            found |= _affine(f"block{block}.narrow", self.width, self.expanded)
        return found | _affine("dense", self.classes, self.width)


Architecture: TypeAlias = DeepLob | Lstm | Bilinear | Transformer


def parameters(architecture: Architecture) -> int:
    """Numbers in all tensors."""
    total = 0
    for shape in architecture.shapes.values():
        size = 1
        for length in shape:
            size *= length
        total += size
    return total


def vectors_per_window(architecture: Architecture) -> int:
    """Row vectors that the window part reads."""
    return architecture.window - architecture.reach + 1


def _affine(name: str, outputs: int, *inputs: int) -> Shapes:
    return {f"{name}.weight": (outputs, *inputs), f"{name}.bias": (outputs,)}


def _lstm(layer: int, inputs: int, hidden: int) -> Shapes:
    return {
        f"lstm{layer}.input": (4 * hidden, inputs),
        f"lstm{layer}.recurrent": (4 * hidden, hidden),
        f"lstm{layer}.bias": (4 * hidden,),
    }


def _check(architecture: Architecture) -> None:
    for name in architecture.__dataclass_fields__:
        size = getattr(architecture, name)
        if isinstance(size, bool) or not isinstance(size, int) or size < 1:
            raise Rejected(f"{type(architecture).__name__}.{name} was {size!r}: must be a whole number from 1 on")


PUBLIC_DEEPLOB: Final = DeepLob()
"""Size of the authors' public code: 32 filters, 64 of each branch."""
PAPER_DEEPLOB: Final = DeepLob(filters=16, inception=32)
"""Size of the paper."""
LSTM_A: Final = Lstm(features=100, layers=2, hidden=100, window=50, classes=1)
"""Same shape as the LSTM_A of the STAC-ML Markets benchmark, and so on; not its results."""
LSTM_B: Final = Lstm(features=250, layers=3, hidden=200, window=100, classes=1)
LSTM_C: Final = Lstm(features=500, layers=4, hidden=1000, window=100, classes=1)
COMPACT: Final = Bilinear(features=40, width=16, moments=8, window=100)
TRANSFORMER: Final = Transformer(features=40, width=16, heads=2, blocks=2, expanded=32, window=100)

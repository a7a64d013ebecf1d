"""ONNX graphs of a model: one for windows by themselves, one for every window of a stretch of rows.

Both have the inputs and outputs that ``onnx_runtime`` expects. The graph of a stretch computes the vector of a row
once; its LSTMs are unrolled, and a step of all windows is one product, since the vectors that windows read at a step
follow one another. Attention is taken for some rows at a time, with the rows that they attend to. Opset 17, float32.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from gpu.models.architecture import (
    BLOCKS,
    LONG,
    SHORT,
    SLOPE,
    Architecture,
    Bilinear,
    DeepLob,
    Lstm,
    Transformer,
    vectors_per_window,
)
from gpu.models.attention import EPSILON
from gpu.models.weights import Model, Singles
from market.errors import MissingExtra

OPSET: Final = 17
IR_VERSION: Final = 8
_END: Final = (1 << 63) - 1


def windows_graph(model: Model) -> bytes:
    """Input ``windows`` float32[b, window, features]; outputs ``logits``, ``probabilities`` float32[b, classes]."""
    architecture = model.architecture
    graph = _Graph(model)
    if isinstance(architecture, Bilinear):
        vectors = graph.leaky(
            graph.add("Add", graph.add("MatMul", "windows", graph.turned("rows.weight")), "rows.bias")
        )
        last = _moments(graph, architecture, graph.transposed(vectors, 0, 2, 1))
    elif isinstance(architecture, Transformer):
        last = _of_windows(graph, architecture)
    else:
        inputs = graph.transposed("windows", 1, 0, 2)
        if isinstance(architecture, DeepLob):
            image = graph.reshaped("windows", -1, 1, architecture.window, architecture.features)
            inputs = graph.transposed(_tower(graph, image), 2, 0, 1)
        last = _library_lstm(graph, architecture, inputs)
    return graph.finish(last, "windows", (None, architecture.window, architecture.features))


def stretch_graph(model: Model) -> bytes:
    """Input ``rows`` float32[n, features]; outputs as above for each of the ``n - window + 1`` windows in order."""
    architecture = model.architecture
    graph = _Graph(model)
    if isinstance(architecture, Bilinear):
        vectors = graph.leaky(graph.dense("rows", "rows"))
        channels = graph.reshaped(graph.transposed(vectors, 1, 0), architecture.width, 1, -1)
        weight = graph.constant(model.tensors["time.weight"][:, None, :])
        found = graph.leaky(graph.add("Conv", channels, weight, "time.bias"))
        last = graph.reshaped(graph.transposed(found, 2, 0, 1), -1, architecture.width * architecture.moments)
    elif isinstance(architecture, Transformer):
        last = _of_stretch(graph, architecture)
    else:
        inputs = "rows"
        if isinstance(architecture, DeepLob):
            image = graph.add("Unsqueeze", "rows", graph.integers(0, 1))
            inputs = graph.add("Squeeze", _tower(graph, image), graph.integers(0))
            inputs = graph.transposed(inputs, 1, 0)
        last = _unrolled_lstm(graph, architecture, inputs)
    return graph.finish(last, "rows", (None, architecture.features))


@dataclass
class _Graph:
    """A graph that is being made; every method adds nodes and returns the name of what they compute."""

    model: Model
    nodes: list[Any] = field(default_factory=list)
    constants: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.onnx = require_onnx()

    def add(self, kind: str, *inputs: str, outputs: int = 1, **attributes: Any) -> Any:
        """A node; its output, or the tuple of them."""
        for name in inputs:
            if name in self.model.tensors:
                self.constants.setdefault(name, self.model.tensors[name])
        names = [f"{kind.lower()}-{len(self.nodes)}-{number}" for number in range(outputs)]
        self.nodes.append(self.onnx.helper.make_node(kind, list(inputs), names, **attributes))
        return names[0] if outputs == 1 else tuple(names)

    def constant(self, values: Any) -> str:
        """An array of its own."""
        name = f"constant-{len(self.constants)}"
        self.constants[name] = np.ascontiguousarray(values)
        return name

    def integers(self, *values: int) -> str:
        """Integers, kept once."""
        name = "integers" + "".join(f".{value}" for value in values)
        self.constants[name] = np.array(values, dtype=np.int64)
        return name

    def turned(self, tensor: str) -> str:
        """A matrix of the model, transposed."""
        name = f"{tensor}.turned"
        self.constants[name] = np.ascontiguousarray(self.model.tensors[tensor].T)
        return name

    def transposed(self, name: str, *axes: int) -> str:
        return str(self.add("Transpose", name, perm=list(axes)))

    def reshaped(self, name: str, *shape: int) -> str:
        return str(self.add("Reshape", name, self.integers(*shape)))

    def leaky(self, name: str) -> str:
        return str(self.add("LeakyRelu", name, alpha=SLOPE))

    def dense(self, layer: str, inputs: str) -> str:
        return str(self.add("Gemm", inputs, f"{layer}.weight", f"{layer}.bias", transB=1))

    def convolution(self, layer: str, inputs: str, *, across: bool = False) -> str:
        """Over neighbouring columns with a stride of their number, or in time without padding."""
        weight = self.model.tensors[f"{layer}.weight"]
        taps = weight.shape[2] if weight.ndim == 3 else 1
        kernel = (1, taps) if across else (taps, 1)
        name = f"{layer}.kernel"
        self.constants[name] = weight.reshape(*weight.shape[:2], *kernel)
        return self.leaky(
            str(self.add("Conv", inputs, name, f"{layer}.bias", strides=list(kernel) if across else [1, 1]))
        )

    def linear(self, layer: str, inputs: str) -> str:
        """A dense layer over the last axis, whatever the others are."""
        return str(self.add("Add", self.add("MatMul", inputs, self.turned(f"{layer}.weight")), f"{layer}.bias"))

    def normal(self, inputs: str, width: int) -> str:
        """Layer normalisation of vectors, without gain and bias."""
        name = "ones"
        self.constants[name] = np.ones(width, dtype=np.float32)
        return str(self.add("LayerNormalization", inputs, name, epsilon=EPSILON))

    def from_row(self, name: str, first: int, axis: int) -> str:
        """What comes from a row on, along an axis; negative: from the end."""
        return str(self.add("Slice", name, self.integers(first), self.integers(_END), self.integers(axis)))

    def finish(self, last: str, inputs: str, shape: tuple[int | None, ...]) -> bytes:
        """The dense layer and the outputs; the graph as bytes."""
        helper, kinds = self.onnx.helper, self.onnx.TensorProto
        self.add("Gemm", last, "dense.weight", "dense.bias", transB=1)
        self.nodes[-1].output[0] = "logits"
        self.add("Softmax", "logits", axis=-1)
        self.nodes[-1].output[0] = "probabilities"
        classes = self.model.architecture.classes
        graph = helper.make_graph(
            self.nodes,
            self.model.kind,
            [helper.make_tensor_value_info(inputs, kinds.FLOAT, list(shape))],
            [helper.make_tensor_value_info(name, kinds.FLOAT, [None, classes]) for name in ("logits", "probabilities")],
            [self.onnx.numpy_helper.from_array(values, name) for name, values in self.constants.items()],
        )
        made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], producer_name="tickwire")
        made.ir_version = IR_VERSION
        self.onnx.checker.check_model(made)
        return bytes(made.SerializeToString())


def _tower(graph: _Graph, image: str) -> str:
    """[b, 3 * inception, rows] of [b, 1, rows, features]."""
    for block in BLOCKS:
        image = graph.convolution(f"{block}.across", image, across=True)
        image = graph.convolution(f"{block}.time1", image)
        image = graph.convolution(f"{block}.time2", image)
    branches = [
        graph.convolution(f"{name}.time", graph.convolution(f"{name}.point", image)) for name in ("short", "long")
    ]
    largest = graph.add("MaxPool", image, kernel_shape=[SHORT, 1])
    branches.append(graph.convolution("pooled.point", largest))
    cut, end, rows = graph.integers(LONG - SHORT), graph.integers(_END), graph.integers(2)
    whole = [
        branch if number == 1 else graph.add("Slice", branch, cut, end, rows) for number, branch in enumerate(branches)
    ]
    return str(graph.add("Squeeze", graph.add("Concat", *whole, axis=1), graph.integers(3)))


def _moments(graph: _Graph, architecture: Bilinear, vectors: str) -> str:
    """[b, width * moments] of vectors [b, width, window]."""
    found = graph.add("Add", graph.add("MatMul", vectors, graph.turned("time.weight")), "time.bias")
    return graph.leaky(graph.reshaped(found, -1, architecture.width * architecture.moments))


def _of_windows(graph: _Graph, architecture: Transformer) -> str:
    """[b, width] of windows; every block is taken for the rows of each that the next one reads."""
    vectors, rows = graph.linear("rows", "windows"), architecture.window
    for block, span in enumerate(architecture.spans):
        left = rows - span + 1
        parts = _attend(graph, architecture, block, graph.normal(vectors, architecture.width), span - 1)
        found = _attention(graph, architecture, block, parts, left)
        vectors, rows = _block_end(graph, architecture, block, graph.from_row(vectors, span - 1, 1), found), left
    return graph.reshaped(graph.normal(vectors, architecture.width), -1, architecture.width)


def _of_stretch(graph: _Graph, architecture: Transformer) -> str:
    """[n - window + 1, width] of rows."""
    vectors = graph.linear("rows", "rows")
    for block, span in enumerate(architecture.spans):
        back = span - 1
        # As many rows of zeros behind them as make ``back`` rows a whole number of times; what they give is cut off.
        count = graph.add("Shape", vectors, end=1)
        missing = graph.add("Mod", graph.add("Neg", count), graph.integers(back))
        ends = graph.add("Concat", graph.integers(0, 0), missing, graph.integers(0), axis=0)
        filled = graph.add("Pad", graph.normal(vectors, architecture.width), ends)
        parts = _attend(graph, architecture, block, filled, back, rows_axis=0)
        queries, *others = (graph.reshaped(part, -1, back, architecture.width) for part in parts)
        # The rows that ``back`` rows attend to are those before them and they themselves.
        both = tuple(
            graph.add("Concat", _without_last(graph, part), graph.from_row(part, 1, 0), axis=1) for part in others
        )
        found = _attention(graph, architecture, block, (queries, *both), back)
        found = graph.reshaped(found, -1, architecture.width)
        kept = graph.from_row(vectors, back, 0)
        found = graph.add("Slice", found, graph.integers(0), graph.add("Shape", kept, end=1), graph.integers(0))
        vectors = _block_end(graph, architecture, block, kept, found)
    return graph.normal(vectors, architecture.width)


def _without_last(graph: _Graph, name: str) -> str:
    return str(graph.add("Slice", name, graph.integers(0), graph.integers(-1), graph.integers(0)))


def _attend(
    graph: _Graph, architecture: Transformer, block: int, vectors: str, first: int, rows_axis: int = 1
) -> tuple[str, ...]:
    """Queries of the rows from ``first`` on, divided by the root of a head's size, and all keys and values."""
    found = []
    scales = (1 / np.sqrt(architecture.head), 1.0, 1.0)
    for number, (part, scale) in enumerate(zip(("queries", "keys", "values"), scales, strict=True)):
        weight, bias = (
            np.split(graph.model.tensors[f"block{block}.attend.{kind}"], 3)[number] * np.float32(scale)
            for kind in ("weight", "bias")
        )
        names = f"block{block}.{part}.weight", f"block{block}.{part}.bias"
        graph.constants |= {names[0]: np.ascontiguousarray(weight.T), names[1]: bias}
        source = graph.from_row(vectors, first, rows_axis) if number == 0 else vectors
        found.append(graph.add("Add", graph.add("MatMul", source, names[0]), names[1]))
    return tuple(found)


def _attention(graph: _Graph, architecture: Transformer, block: int, parts: tuple[str, ...], rows: int) -> str:
    """[b, rows, width] of queries [b, rows, width] and keys and values of those rows and the ``span - 1`` before."""
    heads = architecture.heads
    span = architecture.spans[block]
    queries, keys, values = (graph.reshaped(part, 0, 0, heads, architecture.head) for part in parts)
    scores = graph.add("MatMul", graph.transposed(queries, 0, 2, 1, 3), graph.transposed(keys, 0, 2, 3, 1))
    # By distance: each row's scores begin one further on than those of the row before.
    scores = _other_length(graph, scores, heads, rows, rows + span - 1, rows + span)
    scores = graph.add("Slice", scores, *(graph.integers(number) for number in (0, span, 3)))
    offsets = graph.constant(graph.model.tensors[f"block{block}.offsets"][:, None, ::-1])
    weights = graph.add("Softmax", graph.add("Add", scores, offsets), axis=-1)
    weights = graph.add("Pad", weights, graph.integers(0, 0, 0, 0, 0, 0, 0, rows))
    weights = _other_length(graph, weights, heads, rows, rows + span, rows + span - 1)
    found = graph.add("MatMul", weights, graph.transposed(values, 0, 2, 1, 3))
    return graph.reshaped(graph.transposed(found, 0, 2, 1, 3), 0, 0, architecture.width)


def _other_length(graph: _Graph, name: str, heads: int, rows: int, length: int, new: int) -> str:
    """[b, heads, rows, new] of the same numbers one after another; zeros are added, or the last ones left out."""
    flat = graph.reshaped(name, 0, heads, rows * length)
    if new > length:
        flat = graph.add("Pad", flat, graph.integers(0, 0, 0, 0, 0, rows * (new - length)))
    else:
        flat = graph.add("Slice", flat, *(graph.integers(number) for number in (0, rows * new, 2)))
    return graph.reshaped(flat, 0, heads, rows, new)


def _block_end(graph: _Graph, architecture: Transformer, block: int, vectors: str, found: str) -> str:
    """What follows attention in a block."""
    name = f"block{block}"
    vectors = graph.add("Add", vectors, graph.linear(f"{name}.join", found))
    wide = graph.leaky(graph.linear(f"{name}.widen", graph.normal(vectors, architecture.width)))
    return str(graph.add("Add", vectors, graph.linear(f"{name}.narrow", wide)))


def _library_lstm(graph: _Graph, architecture: Architecture, inputs: str) -> str:
    """[b, hidden] of [steps, b, features], by ONNX's own operator."""
    assert isinstance(architecture, DeepLob | Lstm)
    hidden, tensors = architecture.hidden, graph.model.tensors
    for layer in range(architecture.layers):
        weights = [_library_order(tensors[f"lstm{layer}.{name}"], hidden) for name in ("input", "recurrent", "bias")]
        weights[2] = np.concatenate([weights[2], np.zeros_like(weights[2])])
        names = [graph.constant(weight[None]) for weight in weights]
        outputs = graph.add("LSTM", inputs, *names, outputs=2, hidden_size=hidden)
        if layer + 1 < architecture.layers:
            inputs = graph.add("Squeeze", outputs[0], graph.integers(1))
    return str(graph.add("Squeeze", outputs[1], graph.integers(0)))


def _unrolled_lstm(graph: _Graph, architecture: DeepLob | Lstm, inputs: str) -> str:
    """[n - window + 1, hidden] of [n, features], all windows step by step."""
    hidden, layers, steps = architecture.hidden, architecture.layers, vectors_per_window(architecture)
    tensors = graph.model.tensors
    names: dict[str, tuple[str, ...]] = {}
    for layer in range(layers):
        for part in ("input", "recurrent", "bias"):
            halves = _by_function(tensors[f"lstm{layer}.{part}"], hidden)
            names[f"{part}{layer}"] = tuple(graph.constant(half) for half in halves)

    def gates(name: str, layer: int, source: str, added: tuple[str, ...]) -> tuple[str, ...]:
        weights = names[f"{name}{layer}"]
        return tuple(graph.add("Gemm", source, weights[half], added[half], transB=1) for half in range(2))

    vectors = gates("input", 0, inputs, names["bias0"])
    outputs, cells = [""] * layers, [""] * layers
    for step in range(steps):
        first, axis = graph.integers(step), graph.integers(0)
        end = graph.integers(step - steps + 1 if step + 1 < steps else _END)
        whole = tuple(graph.add("Slice", half, first, end, axis) for half in vectors)
        for layer in range(layers):
            if layer:
                whole = gates("input", layer, outputs[layer - 1], names[f"bias{layer}"])
            if step:
                whole = gates("recurrent", layer, outputs[layer], whole)
            outputs[layer], cells[layer] = _step(graph, whole, cells[layer], hidden)
    return outputs[-1]


def _step(graph: _Graph, gates: tuple[str, ...], cell: str, hidden: int) -> tuple[str, str]:
    """New output and cell of whole gates, as ``_by_function`` parts them; ``cell`` is empty at the first step."""
    opened = graph.add("Sigmoid", gates[0])
    admitted, kept, shown = graph.add("Split", opened, graph.integers(hidden, hidden, hidden), outputs=3, axis=1)
    fresh = graph.add("Mul", admitted, graph.add("Tanh", gates[1]))
    if cell:
        fresh = graph.add("Add", graph.add("Mul", kept, cell), fresh)
    return graph.add("Mul", shown, graph.add("Tanh", fresh)), fresh


def _library_order(weight: Singles, hidden: int) -> Singles:
    """Input, output, forget, cell: the order of ONNX."""
    admitted, kept, candidate, shown = (weight[part * hidden : (part + 1) * hidden] for part in range(4))
    return np.concatenate([admitted, shown, kept, candidate])


def _by_function(weight: Singles, hidden: int) -> tuple[Singles, Singles]:
    """Input, forget and output, which go through a sigmoid; and cell, which goes through a hyperbolic tangent."""
    admitted, kept, candidate, shown = (weight[part * hidden : (part + 1) * hidden] for part in range(4))
    return np.concatenate([admitted, kept, shown]), candidate


def require_onnx() -> Any:
    """The package ``onnx``. Raises MissingExtra without it."""
    try:
        importlib.import_module("onnx.numpy_helper")
        return importlib.import_module("onnx")
    except ImportError:
        raise MissingExtra("ONNX files are written with onnx: pip install 'tickwire[models]'") from None

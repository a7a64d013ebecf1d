"""ONNX graphs of a model: one for windows by themselves, one for every window of a stretch of rows.

Both have the inputs and outputs that ``onnx_runtime`` expects. The graph of a stretch computes the vector of a row
once; its LSTMs are unrolled, and a step of all windows is one product, since the vectors that windows read at a step
follow one another. Opset 17, float32.
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
    vectors_per_window,
)
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


def _library_lstm(graph: _Graph, architecture: Architecture, inputs: str) -> str:
    """[b, hidden] of [steps, b, features], by ONNX's own operator."""
    assert not isinstance(architecture, Bilinear)
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

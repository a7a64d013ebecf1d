"""A model in PyTorch, for training: rows of stretches in, logits of every window out.

Convolutions are normalised over the batch before their rectifier (Ioffe and Szegedy 2015), which becomes part of the
weights when the model is taken out.
"""

from __future__ import annotations

import importlib
from typing import Any, Final

import numpy as np

from gpu.models.architecture import (
    BLOCKS,
    LONG,
    SHORT,
    SLOPE,
    TAPS,
    Architecture,
    Bilinear,
    DeepLob,
    Lstm,
    Shapes,
    Transformer,
    vectors_per_window,
)
from gpu.models.weights import Model, Singles
from market.errors import MissingExtra
from orchestrator.research.training.attention import decaying_offsets, transformed

_CONVOLUTIONS: Final = (
    *(f"{block}.{part}" for block in BLOCKS for part in ("across", "time1", "time2")),
    *(f"{branch}.{part}" for branch in ("short", "long") for part in ("point", "time")),
    "pooled.point",
)


def require_torch() -> Any:
    """PyTorch. Raises MissingExtra without it."""
    try:
        return importlib.import_module("torch")
    except ImportError:
        raise MissingExtra("models are trained with PyTorch: pip install 'tickwire[train]'") from None


class Network:
    """A model that can be trained.

    Parameters
    ----------
    dropout: share of what the last dense layer reads that is left out in training.

    Members
    -------
    modules: ``torch.nn.ModuleDict`` of its layers.
    """

    def __init__(self, architecture: Architecture, dropout: float) -> None:
        self._torch = torch = require_torch()
        self.architecture = architecture
        layers: dict[str, Any] = {"dropout": torch.nn.Dropout(dropout)}
        shapes = architecture.shapes
        if isinstance(architecture, DeepLob):
            for name in _CONVOLUTIONS:
                filters, channels, *taps = shapes[f"{name}.weight"]
                kernel = _kernel(name, taps[0] if taps else 1)
                stride = kernel if name.endswith("across") else (1, 1)
                layers[_key(name)] = torch.nn.Conv2d(channels, filters, kernel, stride)
                layers[_key(name) + "_normal"] = torch.nn.BatchNorm2d(filters)
        if isinstance(architecture, Bilinear):
            layers["rows"] = torch.nn.Linear(architecture.features, architecture.width)
            layers["time"] = torch.nn.Linear(architecture.window, architecture.moments)
            with torch.no_grad():
                layers["time"].weight.copy_(torch.from_numpy(decaying_means(architecture)))
                layers["time"].bias.zero_()
        if isinstance(architecture, Transformer):
            layers |= {
                _key(name): torch.nn.Linear(*reversed(shapes[f"{name}.weight"])) for name in _dense_names(shapes)
            }
            offsets = (torch.from_numpy(decaying_offsets(architecture, span)) for span in architecture.spans)
            layers["offsets"] = torch.nn.ParameterList(torch.nn.Parameter(each) for each in offsets)
        if isinstance(architecture, DeepLob | Lstm):
            inputs = shapes["lstm0.input"][1]
            layers["lstm"] = torch.nn.LSTM(inputs, architecture.hidden, architecture.layers, batch_first=True)
        classes, width = shapes["dense.weight"]
        # From zeros a training begins with every class as probable, not with a guess that it has to unlearn.
        layers["dense"] = torch.nn.Linear(width, classes)
        torch.nn.init.zeros_(layers["dense"].weight)
        torch.nn.init.zeros_(layers["dense"].bias)
        self.modules = torch.nn.ModuleDict(layers)

    def __call__(self, rows: Any) -> Any:
        """Logits [stretches, windows, classes] of rows [stretches, n, features]."""
        stretches = rows.shape[0]
        if isinstance(self.architecture, Transformer):
            return self.modules["dense"](self.modules["dropout"](transformed(self.architecture, self.modules, rows)))
        vectors = self._vectors(rows)
        windows = vectors.unfold(1, vectors_per_window(self.architecture), 1)
        if isinstance(self.architecture, Bilinear):
            states = self._leaky(self.modules["time"](windows)).flatten(2)
        else:
            steps = windows.permute(0, 1, 3, 2).flatten(0, 1)
            states = self.modules["lstm"](steps)[0][:, -1].unflatten(0, (stretches, -1))
        return self.modules["dense"](self.modules["dropout"](states))

    def model(self, temperature: float = 1.0) -> Model:
        """The weights as they are now; logits are divided by ``temperature``."""
        tensors: dict[str, Singles] = {}
        if isinstance(self.architecture, DeepLob):
            for name in _CONVOLUTIONS:
                tensors |= self._folded(name)
        if isinstance(self.architecture, Bilinear):
            for name in ("rows", "time"):
                tensors |= {f"{name}.{part}": self._array(f"{name}.{part}") for part in ("weight", "bias")}
        if isinstance(self.architecture, Transformer):
            for name in _dense_names(self.architecture.shapes):
                tensors |= {f"{name}.{part}": self._array(f"{_key(name)}.{part}") for part in ("weight", "bias")}
            for block in range(self.architecture.blocks):
                tensors[f"block{block}.offsets"] = self._array(f"offsets.{block}")
        if isinstance(self.architecture, DeepLob | Lstm):
            for layer in range(self.architecture.layers):
                bias = self._array(f"lstm.bias_ih_l{layer}") + self._array(f"lstm.bias_hh_l{layer}")
                tensors[f"lstm{layer}.input"] = self._array(f"lstm.weight_ih_l{layer}")
                tensors[f"lstm{layer}.recurrent"] = self._array(f"lstm.weight_hh_l{layer}")
                tensors[f"lstm{layer}.bias"] = bias
        for part in ("weight", "bias"):
            tensors[f"dense.{part}"] = (self._array(f"dense.{part}") / temperature).astype(np.float32)
        return Model(self.architecture, tensors)

    def _vectors(self, rows: Any) -> Any:
        if isinstance(self.architecture, Bilinear):
            return self._leaky(self.modules["rows"](rows))
        if not isinstance(self.architecture, DeepLob):
            return rows
        image = rows.unsqueeze(1)
        for block in BLOCKS:
            for part in ("across", "time1", "time2"):
                image = self._convolved(f"{block}.{part}", image)
        branches = [
            self._convolved(f"{name}.time", self._convolved(f"{name}.point", image)) for name in ("short", "long")
        ]
        largest = self._torch.nn.functional.max_pool2d(image, (SHORT, 1), 1)
        branches.append(self._convolved("pooled.point", largest))
        count = image.shape[2] - LONG + 1
        whole = self._torch.cat([branch[:, :, branch.shape[2] - count :] for branch in branches], dim=1)
        return whole.squeeze(3).permute(0, 2, 1)

    def _convolved(self, name: str, image: Any) -> Any:
        return self._leaky(self.modules[_key(name) + "_normal"](self.modules[_key(name)](image)))

    def _leaky(self, values: Any) -> Any:
        return self._torch.nn.functional.leaky_relu(values, SLOPE)

    def _folded(self, name: str) -> dict[str, Singles]:
        """A convolution with its normalisation in it."""
        key, normal = _key(name), self.modules[_key(name) + "_normal"]
        scale = self._array(f"{key}_normal.weight") / np.sqrt(normal.running_var.numpy() + normal.eps)
        weight = self._array(f"{key}.weight").astype(np.float64)
        shape = self.architecture.shapes[f"{name}.weight"]
        bias = (self._array(f"{key}.bias") - normal.running_mean.numpy()) * scale + self._array(f"{key}_normal.bias")
        return {
            f"{name}.weight": (weight * scale[:, None, None, None]).reshape(shape).astype(np.float32),
            f"{name}.bias": bias.astype(np.float32),
        }

    def _array(self, name: str) -> Singles:
        values: Singles = self.modules.get_parameter(name).detach().numpy().copy()
        return values


def decaying_means(architecture: Bilinear) -> Singles:
    """float32[moments, window] to begin with: means over the newest rows, of half-lives from half a row to the window.

    A training that begins with random sums over 100 rows finds what the newest rows say only slowly, or not at all.
    """
    halves = np.geomspace(0.5, architecture.window, architecture.moments)
    powers = 0.5 ** (np.arange(architecture.window)[::-1] / halves[:, None])
    found: Singles = (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32)
    return found


def _key(name: str) -> str:
    """Names of modules have no dots."""
    return name.replace(".", "_")


def _dense_names(shapes: Shapes) -> list[str]:
    """Dense layers of a transformer but for the last."""
    names = [name.removesuffix(".weight") for name in shapes if name.endswith(".weight")]
    return [name for name in names if name != "dense"]


def _kernel(name: str, taps: int) -> tuple[int, int]:
    assert taps == TAPS or not name.endswith(("time1", "time2"))
    return (1, taps) if name.endswith("across") else (taps, 1)

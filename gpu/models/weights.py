"""A model's weights, and the file that keeps them.

Layout of a file, all little-endian::

    8 bytes   b"TICKNET1"
    8 bytes   length of the header, uint64
    header    JSON: version, kind, shape, and of each tensor name, shape and offset from the data's begin in bytes
    padding   zeros up to a multiple of 64
    data      float32 tensors in the order of the header, each from a multiple of 64 on, rows first
    32 bytes  SHA-256 of everything before

A reader refuses a file that was cut off or changed, another version, an unknown kind, tensors that the shape does not
have, and values that are not finite.
"""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from gpu.models.architecture import Architecture, Bilinear, DeepLob, Lstm, Transformer
from market.errors import MissingInput, Rejected

MAGIC: Final = b"TICKNET1"
VERSION: Final = 1
ALIGNMENT: Final = 64
KINDS: Final[dict[str, type[Architecture]]] = {
    "deeplob": DeepLob,
    "lstm": Lstm,
    "bilinear": Bilinear,
    "transformer": Transformer,
}
_DIGEST_BYTES: Final = 32

Singles = NDArray[np.float32]
Tensors = Mapping[str, Singles]


@dataclass(frozen=True, eq=False)
class Model:
    """A shape and its weights: float32, by the names and shapes of ``architecture.shapes``.

    Raises Rejected for a tensor too many or too few, of another shape or type, or not finite.
    """

    architecture: Architecture
    tensors: Tensors

    def __post_init__(self) -> None:
        expected = self.architecture.shapes
        if set(expected) != set(self.tensors):
            odd = sorted(set(expected) ^ set(self.tensors))
            raise Rejected(f"tensors {', '.join(odd)} are missing or unknown: a {self.kind} has {', '.join(expected)}")
        for name, shape in expected.items():
            tensor = self.tensors[name]
            if tensor.shape != shape or tensor.dtype != np.float32:
                raise Rejected(f"{name} is {tensor.dtype}{list(tensor.shape)}: must be float32{list(shape)}")
            if not np.isfinite(tensor).all():
                raise Rejected(f"{name} has values that are not finite")

    @property
    def kind(self) -> str:
        """Name of the kind of shape."""
        return next(name for name, kind in KINDS.items() if isinstance(self.architecture, kind))

    def digest(self) -> str:
        """SHA-256 of kind, shape and weights."""
        digest = hashlib.sha256(json.dumps([self.kind, asdict(self.architecture)]).encode())
        for name in self.architecture.shapes:
            digest.update(np.ascontiguousarray(self.tensors[name], dtype="<f4").tobytes())
        return digest.hexdigest()


def write_weights(model: Model, path: Path) -> None:
    """Write a weight file; it takes its name when it is whole."""
    entries, parts, offset = [], [], 0
    for name in model.architecture.shapes:
        values = np.ascontiguousarray(model.tensors[name], dtype="<f4").tobytes()
        entries.append({"name": name, "shape": list(model.tensors[name].shape), "offset": offset})
        parts.append(values + bytes(-len(values) % ALIGNMENT))
        offset += len(parts[-1])
    header: dict[str, Any] = {
        "version": VERSION,
        "kind": model.kind,
        "shape": asdict(model.architecture),
        "tensors": entries,
    }
    text = json.dumps(header).encode()
    head = MAGIC + struct.pack("<Q", len(text)) + text
    part = path.with_name(path.name + ".part")
    content = head + bytes(-len(head) % ALIGNMENT) + b"".join(parts)
    part.write_bytes(content + hashlib.sha256(content).digest())
    part.replace(path)


def read_weights(path: Path) -> Model:
    """Read a weight file.

    Raises MissingInput when it cannot be read, Rejected when it is not whole or of another version.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise MissingInput(f"{path} cannot be read: {error.strerror}") from error
    header, begin = _header(path, content)
    data = memoryview(content)[begin:-_DIGEST_BYTES]
    try:
        architecture = KINDS[header["kind"]](**header["shape"])
        tensors = {entry["name"]: _tensor(data, entry) for entry in header["tensors"]}
        return Model(architecture, tensors)
    except (KeyError, TypeError, ValueError, Rejected) as error:
        raise Rejected(f"{path}: its header does not describe a model: {error}") from error


def _header(path: Path, content: bytes) -> tuple[dict[str, Any], int]:
    """The header, and where the data begins."""
    if content[: len(MAGIC)] != MAGIC or len(content) < len(MAGIC) + 8 + _DIGEST_BYTES:
        raise Rejected(f"{path} is no weight file: it must begin with {MAGIC.decode()}")
    if hashlib.sha256(content[:-_DIGEST_BYTES]).digest() != content[-_DIGEST_BYTES:]:
        raise Rejected(f"{path} is damaged or cut off: its content does not match the digest at its end")
    [length] = struct.unpack_from("<Q", content, len(MAGIC))
    end = len(MAGIC) + 8 + length
    if end > len(content):
        raise Rejected(f"{path}: its header has {length} bytes, the file {len(content)}")
    try:
        header: Any = json.loads(content[len(MAGIC) + 8 : end])
    except ValueError as error:
        raise Rejected(f"{path} is damaged: its header is no JSON ({error})") from error
    if not isinstance(header, dict) or header.get("version") != VERSION:
        found = header.get("version") if isinstance(header, dict) else header
        raise Rejected(f"{path} has version {found!r}: this reader knows version {VERSION}")
    return header, end + -end % ALIGNMENT


def _tensor(data: memoryview, entry: dict[str, Any]) -> Singles:
    shape = tuple(entry["shape"])
    count = int(np.prod(shape, dtype=np.int64))
    tensor: Singles = np.frombuffer(data, dtype="<f4", count=count, offset=entry["offset"]).reshape(shape)
    return tensor.astype(np.float32)


def random_weights(architecture: Architecture, seed: int) -> Model:
    """Weights as a training begins with: normal, with the deviation ``1 / sqrt(inputs)``; biases a tenth of normal."""
    random = np.random.default_rng(seed)
    tensors: dict[str, Singles] = {}
    for name, shape in architecture.shapes.items():
        inputs = int(np.prod(shape[1:], dtype=np.int64)) if len(shape) > 1 else 100
        tensors[name] = (random.standard_normal(shape) / np.sqrt(inputs)).astype(np.float32)
    return Model(architecture, tensors)

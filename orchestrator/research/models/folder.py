"""Models in their folders: card, weights, and the two ONNX graphs."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from gpu.models.architecture import parameters
from gpu.models.one_window import OneWindow
from gpu.models.onnx_graph import stretch_graph, windows_graph
from gpu.models.onnx_runtime import Given, OnnxModel
from gpu.models.weights import Model, read_weights, write_weights
from market.errors import MissingInput, Rejected
from orchestrator.research.datasets.dataset import Dataset, file_digest
from orchestrator.research.datasets.features import Form
from orchestrator.research.datasets.header import TargetHeader
from orchestrator.research.models.card import (
    CARD_FILE,
    DIGESTED,
    STRETCH_FILE,
    WEIGHTS_FILE,
    WINDOWS_FILE,
    Card,
    read_card,
)


def refuse_existing(folder: Path) -> None:
    """Raises Rejected where a model cannot be written because something is there."""
    for path in (folder, folder.with_name(folder.name + ".part")):
        if path.exists():
            raise Rejected(f"{path} is there already: name another folder, or remove it")


def write_model(model: Model, describe: Callable[[dict[str, str]], Card], folder: Path) -> Card:
    """Write a model; the folder takes its name when it is whole.

    Parameters
    ----------
    describe: makes the card, given the digests of the files.
    """
    refuse_existing(folder)
    part = folder.with_name(folder.name + ".part")
    part.mkdir(parents=True)
    try:
        write_weights(model, part / WEIGHTS_FILE)
        (part / WINDOWS_FILE).write_bytes(windows_graph(model))
        (part / STRETCH_FILE).write_bytes(stretch_graph(model))
        card = describe({name: file_digest(part / name) for name in DIGESTED})
        if (card.kind, card.shape, card.parameters) != (
            model.kind,
            asdict(model.architecture),
            parameters(model.architecture),
        ):
            raise Rejected(f"the card describes a {card.kind} of {card.shape}, the model is another one")
        (part / CARD_FILE).write_text(card.text(), encoding="utf-8")
        part.replace(folder)
    except BaseException:
        shutil.rmtree(part)
        raise
    return card


class TrainedModel:
    """A model of a folder.

    Raises MissingInput when a file is missing, Rejected when one is not what the card says.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.card = read_card(folder)
        for name in DIGESTED:
            path = folder / name
            if not path.is_file():
                raise MissingInput(f"{path} is not there: the model's folder is not whole")
            if file_digest(path) != self.card.digests.get(name):
                raise Rejected(f"{path} has changed: its SHA-256 is not that of the card's digests.{name}")

    @property
    def name(self) -> str:
        """Name of its folder."""
        return self.folder.name

    def weights(self) -> Model:
        """Shape and tensors."""
        return read_weights(self.folder / WEIGHTS_FILE)

    def runtime(self, given: Given, threads: int | None = 1) -> OnnxModel:
        """ONNX Runtime for windows by themselves, or for every window of a stretch of rows."""
        return OnnxModel(self.folder / (WINDOWS_FILE if given is Given.WINDOWS else STRETCH_FILE), threads)

    def one_window(self) -> OneWindow:
        """ONNX Runtime for one window at a time, on one thread."""
        return OneWindow(self.runtime(Given.WINDOWS))

    def check_fits(self, dataset: Dataset) -> None:
        """Raises Rejected when rows of a dataset are not what the model was trained on."""
        header, card = dataset.header, self.card
        for field in ("window", "horizon", "levels", "form", "sampling"):
            found, expected = getattr(header, field), getattr(card, field)
            if found != expected:
                raise Rejected(
                    f"{dataset.path}: {field} is {_said(found)}, model {self.folder} was trained with {_said(expected)}"
                )
        target = None if header.crash is None else header.crash.target
        if target != card.crash:
            raise Rejected(
                f"{dataset.path}: labels say {_asked(target)}, model {self.folder} was trained to say "
                f"{_asked(card.crash)}"
            )


def _asked(target: TargetHeader | None) -> str:
    if target is None:
        return "what the mid does next"
    return f"whether a crash comes within {target.within_ns / 1e9:g} s, until {target.until.value}"


def _said(value: object) -> str:
    return value.value if isinstance(value, Form) else str(value)

"""Fitting a network: Adam, weights of classes, early stopping on the validation part, the same result each time.

Same samples, settings, PyTorch and processor: the same weights, bit for bit. One thread computes, since sums over
threads depend on their number.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

import numpy as np

from gpu.models.architecture import Architecture
from gpu.models.weights import Model
from market.errors import Fatal, Rejected
from orchestrator.research.datasets.labels import CLASSES, NO_LABEL, Floats
from orchestrator.research.training.network import Network, require_torch
from orchestrator.research.training.stretches import Batch, Stretches

_TEMPERATURES: Final = np.geomspace(0.2, 5.0, 81)
_CLIP: Final = 1.0
"""Largest norm of a step's gradient."""


class ClassWeights(Enum):
    """How much a class weighs in the loss."""

    BALANCED = "balanced"
    """Every class the same, however many samples it has."""
    ROOT = "root"
    """A sample by one over the root of its class's share: between the other two."""
    NONE = "none"
    """Every sample the same."""


@dataclass(frozen=True, kw_only=True)
class FitSettings:
    """How to fit.

    Parameters
    ----------
    epochs: at most. patience: epochs without a smaller validation loss after which it ends.
    stretches: of a step, of 32 windows each. dropout, weight_decay: against overfitting.
    """

    seed: int = 1
    epochs: int = 60
    patience: int = 8
    stretches: int = 8
    learning_rate: float = 1e-3
    weight_decay: float = 1e-4
    dropout: float = 0.2
    class_weights: ClassWeights = ClassWeights.BALANCED

    def __post_init__(self) -> None:
        whole, real, inf = "must be a whole number of at least", "must be a number", float("inf")
        for name, fits, must in (
            ("epochs", self.epochs >= 1, f"{whole} 1"),
            ("patience", self.patience >= 1, f"{whole} 1"),
            ("stretches", self.stretches >= 1, f"{whole} 1"),
            ("seed", self.seed >= 0, f"{whole} 0"),
            ("learning_rate", 0 < self.learning_rate < inf, f"{real} above 0"),
            ("weight_decay", 0 <= self.weight_decay < inf, f"{real} of at least 0"),
            ("dropout", 0 <= self.dropout < 1, f"{real} from 0 to below 1"),
        ):
            if not fits:
                raise Rejected(f"{name} was {getattr(self, name)}: {must}")


@dataclass(frozen=True)
class Fitted:
    """A fitted model.

    Parameters
    ----------
    losses: of the training and the validation samples after each epoch. best: the epoch that was kept, from 0 on.
    """

    model: Model
    temperature: float
    losses: tuple[tuple[float, float], ...]
    best: int


def fit(
    architecture: Architecture,
    training: Stretches,
    validation: Stretches,
    settings: FitSettings,
    advance: Callable[[int, float], None] = lambda epoch, loss: None,
) -> Fitted:
    """Fit a model.

    Parameters
    ----------
    advance: told the epoch, from 1 on, and its validation loss.

    Raises MissingExtra without PyTorch, Fatal when the loss is not a number any more.
    """
    torch = require_torch()
    threads = torch.get_num_threads()
    was_deterministic = torch.are_deterministic_algorithms_enabled()
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(settings.seed)
            return _fit(torch, architecture, training, validation, settings, advance)
    finally:
        torch.use_deterministic_algorithms(was_deterministic)
        torch.set_num_threads(threads)


def _fit(
    torch: Any,
    architecture: Architecture,
    training: Stretches,
    validation: Stretches,
    settings: FitSettings,
    advance: Callable[[int, float], None],
) -> Fitted:
    network = Network(architecture, settings.dropout)
    modules = network.modules
    weights = torch.tensor(class_weights(training, settings.class_weights), dtype=torch.float32)
    optimiser = torch.optim.AdamW(modules.parameters(), settings.learning_rate, weight_decay=settings.weight_decay)
    random = np.random.default_rng(settings.seed)
    losses: list[tuple[float, float]] = []
    best, kept = 0, copy.deepcopy(modules.state_dict())
    for epoch in range(settings.epochs):
        modules.train()
        total = 0.0
        for batch in training.shuffled(settings.stretches, random):
            optimiser.zero_grad()
            loss = _loss(torch, network, batch, weights)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(modules.parameters(), _CLIP)
            optimiser.step()
            total += float(loss.detach()) * int((batch.labels != NO_LABEL).sum())
        found = validation_logits(torch, network, validation, settings.stretches)
        losses.append(
            (total / len(training), log_loss(found, validation, class_weights(training, settings.class_weights)))
        )
        if not np.isfinite(losses[-1]).all():
            raise Fatal(f"the loss of epoch {epoch + 1} is {losses[-1]}: choose a smaller --learning-rate")
        advance(epoch + 1, losses[-1][1])
        if losses[-1][1] < losses[best][1] or epoch == 0:
            best, kept = epoch, copy.deepcopy(modules.state_dict())
        elif epoch - best >= settings.patience:
            break
    modules.load_state_dict(kept)
    temperature = best_temperature(validation_logits(torch, network, validation, settings.stretches), validation)
    return Fitted(network.model(temperature), temperature, tuple(losses), best)


def class_weights(samples: Stretches, chosen: ClassWeights) -> Floats:
    """float64[3], with the mean 1 over all samples."""
    counts = np.maximum(np.bincount(samples.labels, minlength=CLASSES), 1).astype(np.float64)
    power = {ClassWeights.BALANCED: -1.0, ClassWeights.ROOT: -0.5, ClassWeights.NONE: 0.0}[chosen]
    weights = counts**power
    found: Floats = weights * counts.sum() / (weights * counts).sum()
    return found


def log_loss(logits: Floats, samples: Stretches, weights: Floats) -> float:
    """Mean of ``-log p(label)``, weighted by class."""
    largest = logits.max(axis=1)
    logs = largest + np.log(np.exp(logits - largest[:, None]).sum(axis=1))
    losses = logs - logits[np.arange(len(logits)), samples.labels]
    chosen = weights[samples.labels]
    return float((chosen * losses).sum() / chosen.sum())


def best_temperature(logits: Floats, samples: Stretches) -> float:
    """What to divide logits by, so that probabilities fit samples best (Guo et al. 2017); of 81 from 0.2 to 5."""
    found = [log_loss(logits / temperature, samples, np.ones(CLASSES)) for temperature in _TEMPERATURES]
    return float(_TEMPERATURES[int(np.argmin(found))])


def validation_logits(torch: Any, network: Network, samples: Stretches, stretches: int) -> Floats:
    """float64[samples, 3] in order."""
    network.modules.eval()
    logits: Floats = np.empty((len(samples), CLASSES))
    with torch.no_grad():
        for batch in samples.in_order(stretches):
            found = network(torch.from_numpy(batch.rows)).numpy()
            inside = batch.places >= 0
            logits[batch.places[inside]] = found[inside]
    return logits


def _loss(torch: Any, network: Network, batch: Batch, weights: Any) -> Any:
    logits = network(torch.from_numpy(batch.rows)).flatten(0, 1)
    labels = torch.from_numpy(batch.labels.reshape(-1).astype(np.int64))
    return torch.nn.functional.cross_entropy(logits, labels, weights, ignore_index=NO_LABEL)

"""Models by name, for the rows of a dataset."""

from __future__ import annotations

from enum import Enum

from gpu.models.architecture import Architecture, Bilinear, DeepLob, Lstm, Transformer


class Size(Enum):
    """Which model."""

    DEEPLOB = "deeplob"
    """Size of the authors' public code."""
    DEEPLOB_PAPER = "deeplob-paper"
    """Size of the paper."""
    LSTM_A = "lstm-a"
    """2 layers of 100, as in STAC-ML's LSTM_A; features and steps are those of the dataset."""
    LSTM_B = "lstm-b"
    """3 layers of 200."""
    LSTM_C = "lstm-c"
    """4 layers of 1000."""
    COMPACT = "compact"
    """Bilinear: a dense layer over each row, weighted sums over time, a dense layer."""
    TRANSFORMER = "transformer"
    """2 blocks of attention to the rows before, 2 heads of 8."""


_LSTMS = {Size.LSTM_A: (2, 100), Size.LSTM_B: (3, 200), Size.LSTM_C: (4, 1000)}


def architecture(size: Size, levels: int, window: int) -> Architecture:
    """The model of a name for rows of so many levels; raises Rejected for a window that is too short for it."""
    if size is Size.DEEPLOB:
        return DeepLob(levels=levels, window=window)
    if size is Size.DEEPLOB_PAPER:
        return DeepLob(levels=levels, window=window, filters=16, inception=32)
    if size is Size.COMPACT:
        return Bilinear(features=4 * levels, width=16, moments=8, window=window)
    if size is Size.TRANSFORMER:
        return Transformer(features=4 * levels, width=16, heads=2, blocks=2, expanded=32, window=window)
    layers, hidden = _LSTMS[size]
    return Lstm(features=4 * levels, layers=layers, hidden=hidden, window=window)

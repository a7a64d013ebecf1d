"""Episodes in which the basis between two venues lies away from its own recent mean.

The definition, for a pair of venues and a threshold:

- **Basis.** ``(first mid - second mid) / second mid`` in basis points. A mid is half the sum of the best bid and
  offer that the venue last stated. A basis exists from the moment at which both venues have stated one, and every
  quote of either venue, changed or not, is a sample of it; samples come in order of receive time.
- **Mean.** The basis as a step function of time under an exponential kernel: between two samples the older one's
  basis holds, so at a sample ``mean += (1 - exp(-elapsed / time constant)) * (older basis - mean)``. The new sample
  itself has no weight yet. The mean begins as the first basis; there is no warm-up after that. (EMA of an
  irregular series with "previous point" interpolation: Zumbach and Müller, "Operators on inhomogeneous time series",
  International Journal of Theoretical and Applied Finance 4(1), 2001.)
- **Episode.** A longest run of samples at which ``abs(basis - mean)`` exceeds the threshold. Both signs count as one
  condition: a swing from one side to the other within two samples does not end an episode. It lasts from its
  first sample to the first sample that is no longer above. One that is still open at the end is counted, but has
  no duration.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from market.errors import Fatal
from market.wire.records import Words

Floats = NDArray[np.float64]

TIME_CONSTANT_NS: Final = 10_000_000_000
THRESHOLDS_BPS: Final = (1.0, 2.0, 3.0, 5.0)
BPS: Final = 10_000.0

_LONGEST: Final = 50.0
"""Elapsed time constants beyond which a gap makes no difference: exp(-50) is below a float's last digit."""
_SEGMENT: Final = 200.0
"""Time constants that are computed at once: exp(250) is far from the largest float."""


@dataclass(frozen=True)
class Episodes:
    """Episodes of one threshold.

    Parameters
    ----------
    count: how many began. still_open: whether the last one had not ended.
    durations_ns: int64[n] of those that ended, in order.
    """

    threshold_bps: float
    count: int
    still_open: bool
    durations_ns: Words

    @property
    def median_ns(self) -> int | None:
        """Median duration; None when none ended."""
        return round(float(np.median(self.durations_ns))) if len(self.durations_ns) else None


class HeldMean:
    """The mean of a step function of time under an exponential kernel, sample by sample.

    Parameters
    ----------
    time_constant_ns: the kernel's.
    """

    def __init__(self, time_constant_ns: int = TIME_CONSTANT_NS) -> None:
        if time_constant_ns <= 0:
            raise Fatal(f"the time constant of a mean must be above 0 ns, was {time_constant_ns}")
        self._time_constant_ns = time_constant_ns
        self._time_ns = 0
        self._value = self._mean = float("nan")

    def update(self, times_ns: Words, values: Floats) -> Floats:
        """The mean at each sample, before the sample itself counts; times must not step back.

        Parameters
        ----------
        times_ns: int64[n]. values: float64[n].
        """
        if not len(values):
            return values
        if np.isnan(self._mean):
            self._time_ns, self._value, self._mean = int(times_ns[0]), float(values[0]), float(values[0])
        elapsed = np.diff(times_ns, prepend=self._time_ns) / self._time_constant_ns
        elapsed = np.minimum(elapsed, _LONGEST)
        held = np.concatenate([[self._value], values[:-1]])
        means = self._segments(elapsed, held)
        self._time_ns, self._value, self._mean = int(times_ns[-1]), float(values[-1]), float(means[-1])
        return means

    def _segments(self, elapsed: Floats, held: Floats) -> Floats:
        """Means of samples whose exponents would overflow together, piece by piece."""
        means = np.empty(len(held))
        mean, start = self._mean, 0
        while start < len(held):
            since = np.cumsum(elapsed[start:])
            end = start + max(1, int(np.searchsorted(since, _SEGMENT, side="right")))
            means[start:end] = _means(mean, since[: end - start], elapsed[start:end], held[start:end])
            mean, start = float(means[end - 1]), end
        return means


def _means(mean: float, since: Floats, elapsed: Floats, held: Floats) -> Floats:
    """``mean[k] = mean[k-1] + (1 - exp(-elapsed[k])) * (held[k] - mean[k-1])``, solved for all k at once."""
    return np.exp(-since) * (mean + np.cumsum(-np.expm1(-elapsed) * np.exp(since) * held))


class BasisEpisodes:
    """Counts episodes of one pair as samples come; keeps eight bytes per episode that ended."""

    def __init__(self, thresholds_bps: tuple[float, ...] = THRESHOLDS_BPS) -> None:
        self._mean = HeldMean()
        self._thresholds = thresholds_bps
        self._counts = [0] * len(thresholds_bps)
        self._since_ns: list[int | None] = [None] * len(thresholds_bps)
        self._durations: list[list[Words]] = [[] for _ in thresholds_bps]

    def add(self, times_ns: Words, basis_bps: Floats) -> Floats:
        """Take samples; returns float64[n], the deviation of each from the mean in bps."""
        deviations = basis_bps - self._mean.update(times_ns, basis_bps)
        for index, threshold in enumerate(self._thresholds):
            self._count(index, times_ns, np.abs(deviations) > threshold)
        return deviations

    def _count(self, index: int, times_ns: Words, above: NDArray[np.bool_]) -> None:
        since_ns = self._since_ns[index]
        changes = np.flatnonzero(np.diff(above, prepend=since_ns is not None))
        begins = times_ns[changes[above[changes]]]
        ends = times_ns[changes[~above[changes]]]
        self._counts[index] += len(begins)
        if since_ns is not None:
            begins = np.concatenate([[since_ns], begins])
        self._since_ns[index] = int(begins[-1]) if len(begins) > len(ends) else None
        if len(ends):
            self._durations[index].append(ends - begins[: len(ends)])

    def result(self) -> tuple[Episodes, ...]:
        """Episodes so far, one entry per threshold."""
        return tuple(
            Episodes(
                threshold,
                self._counts[index],
                self._since_ns[index] is not None,
                np.concatenate([np.zeros(0, dtype=np.int64), *self._durations[index]]),
            )
            for index, threshold in enumerate(self._thresholds)
        )

"""Measures of predictions and of populations."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
EPSILON = 1e-6


def log_losses(outcome: Floats, probability: Floats) -> Floats:
    """The logarithmic loss of each prediction (natural logarithm). Probabilities are kept away from 0 and 1, where the
    loss is infinite.
    """
    kept = np.clip(probability, EPSILON, 1 - EPSILON)
    return np.asarray(-(outcome * np.log(kept) + (1 - outcome) * np.log(1 - kept)), dtype=np.float64)


def ranks(values: Floats) -> Floats:
    """Ranks from 1. Equal values share the mean of their ranks."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    return np.asarray((ends - (counts - 1) / 2)[inverse], dtype=np.float64)


def auc(outcome: Floats, score: Floats) -> float:
    """The probability that a customer who churned has a higher score than one who did not. 0.5 if only one outcome
    occurs.
    """
    positive = outcome == 1
    ones, zeros = int(positive.sum()), int((~positive).sum())
    if not ones or not zeros:
        return 0.5
    return float((ranks(score)[positive].sum() - ones * (ones + 1) / 2) / (ones * zeros))


def calibration_error(outcome: Floats, probability: Floats, bins: int = 10) -> float:
    """The mean distance between the predicted and the observed rate over bins of nearly equal size, weighted by their
    size.
    """
    order = np.argsort(probability, kind="stable")
    parts = np.array_split(order, min(bins, len(order)) or 1)
    gaps = [abs(float(probability[part].mean() - outcome[part].mean())) * len(part) for part in parts if len(part)]
    return sum(gaps) / len(order) if len(order) else 0.0


def bin_edges(reference: Floats, bins: int = 10) -> list[float]:
    """The inner edges of bins that hold equal shares of the reference. If values repeat, there are fewer edges."""
    return [float(edge) for edge in np.unique(np.quantile(reference, np.linspace(0, 1, bins + 1)[1:-1]))]


def bin_shares(values: Floats, edges: list[float]) -> list[float]:
    """The share of the values in each bin between the edges. An edge is often equal to a value, because many values are
    counts. Stored edges are rounded. So each value is lowered a little: a value on an edge then stays in the same bin
    after the rounding.
    """
    counts = np.bincount(np.searchsorted(np.array(edges), values - 1e-7, side="left"), minlength=len(edges) + 1)
    return [float(count) / max(len(values), 1) for count in counts]


def psi(expected: list[float], actual: list[float]) -> float:
    """The population stability index of two lists of shares over the same bins. It is 0 if the lists are equal. A value
    above 0.25 means another distribution.
    """
    one, two = (np.clip(np.array(shares), 1e-4, None) for shares in (expected, actual))
    return float(((two - one) * np.log(two / one)).sum())


def rank_correlations(matrix: Floats) -> Floats:
    """Spearman's correlation of each pair of columns. 0 where a column is constant."""
    ranked = np.column_stack([ranks(matrix[:, column]) for column in range(matrix.shape[1])])
    centred = ranked - ranked.mean(axis=0)
    scale = np.sqrt((centred**2).sum(axis=0))
    safe = np.where(scale > 0, scale, 1.0)
    return np.asarray((centred.T @ centred) / np.outer(safe, safe), dtype=np.float64)

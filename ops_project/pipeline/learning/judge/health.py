"""Checks whether a model in use still behaves as it did when it was promoted: its inputs, its scores, its calibration
and its age.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

import numpy as np

from ops_project.model.learning import Health
from ops_project.pipeline.learning.judge.metrics import Floats, bin_shares, psi, rank_correlations

Status = Literal["ok", "failed", "unknown"]


@dataclass(frozen=True)
class Reading:
    """One metric of one model. If `value` is None, the status is `unknown` and never `ok`."""

    metric: str
    value: float | None
    limit: float
    status: Status
    detail: str


@dataclass(frozen=True)
class Reference:
    """The properties of the training data with which later data is compared.

    `natural`: how far each feature had moved by itself in the weeks before training, for example because a shop grows.
    A later movement of this size is expected.
    """

    edges: dict[str, list[float]]
    shares: dict[str, list[float]]
    correlations: list[list[float]]
    natural: dict[str, float]
    natural_shift: list[list[float]] | None = None
    """How far each rank correlation had moved by itself in the weeks before training."""


def _reading(metric: str, value: float | None, limit: float, detail: str, *, above: bool = True) -> Reading:
    if value is None:
        return Reading(metric, None, limit, "unknown", detail)
    wrong = value > limit if above else value < limit
    return Reading(metric, value, limit, "failed" if wrong else "ok", detail)


# A movement of up to this many times the natural movement is still expected.
NATURAL_FACTOR = 2.0


def stability(
    reference_edges: dict[str, list[float]], shares: dict[str, list[float]], matrix: Floats
) -> dict[str, float]:
    """The population stability index of each feature.

    `matrix`: its columns are the features in the order of `shares`.
    """
    return {
        name: psi(expected, bin_shares(matrix[:, index], reference_edges[name]))
        for index, (name, expected) in enumerate(shares.items())
    }


def natural_shift(matrix: Floats, before: Floats) -> list[list[float]] | None:
    """By how much the rank correlations differ between two populations; None if `before` has fewer than two rows."""
    if len(before) < 2:
        return None
    shift: list[list[float]] = np.abs(rank_correlations(matrix) - rank_correlations(before)).tolist()
    return shift


def input_drift(reference: Reference, matrix: Floats, features: list[str], health: Health) -> Reading:
    """The largest population stability index of a feature, after its natural movement is subtracted."""
    measured = stability(reference.edges, {name: reference.shares[name] for name in features}, matrix)
    values = {
        name: max(value - NATURAL_FACTOR * reference.natural.get(name, 0.0), 0.0) for name, value in measured.items()
    }
    worst = max(values, key=lambda name: values[name])
    listed = ", ".join(f"{name} {value:.2f}" for name, value in sorted(values.items(), key=lambda item: -item[1])[:3])
    return _reading("input_drift", values[worst], health.max_psi, f"stability index beyond natural: {listed}")


def input_association(reference: Reference, matrix: Floats, features: list[str], health: Health) -> Reading:
    """The largest change of a rank correlation. This finds a shuffled column, for example: the column keeps its
    distribution but loses its correlations.
    """
    shift = np.abs(rank_correlations(matrix) - np.array(reference.correlations))
    if reference.natural_shift is not None:
        shift = np.clip(shift - NATURAL_FACTOR * np.array(reference.natural_shift), 0, None)
    row, column = np.unravel_index(int(shift.argmax()), shift.shape)
    # The suspect is the column whose correlations with all others changed most in sum. It need not be in the pair with
    # the largest change.
    suspect = features[int(shift.sum(axis=0).argmax())]
    return _reading(
        "input_association",
        float(shift.max()),
        health.max_association_shift,
        f"{features[int(row)]} and {features[int(column)]} no longer go together as in training; suspect: {suspect}",
    )


def score_distribution(
    edges: list[float], shares: list[float], scores: Floats, health: Health, natural: float = 0.0
) -> Reading:
    """The population stability index of the scores, after their natural movement before training is subtracted."""
    beyond = max(psi(shares, bin_shares(scores, edges)) - NATURAL_FACTOR * natural, 0.0)
    return _reading("score_distribution", beyond, health.max_psi, "scores against those of training, beyond natural")


def calibration(error: float | None, rows: int, health: Health) -> Reading:
    """The mean difference between the predicted and the observed rate, for the newest cut-off whose outcome is
    known.
    """
    return _reading("calibration", error, health.max_calibration_error, f"on {rows} customers whose outcome is known")


def coverage(scored: int, due: int, health: Health, what: str) -> Reading:
    """The share of the customers or products with a result, among those that should have one. The reading is unknown if
    `due` is 0.
    """
    return _reading(
        "coverage", scored / due if due else None, health.min_coverage, f"{scored} of {due} {what}", above=False
    )


def age(trained_at: datetime, now: datetime, health: Health) -> Reading:
    """The days since the model was trained or last confirmed. A training that finds nothing better confirms the
    model.
    """
    days = (now - trained_at) / timedelta(days=1)
    return _reading("age", days, health.max_age_days, f"trained or confirmed as of {trained_at:%Y-%m-%d}")

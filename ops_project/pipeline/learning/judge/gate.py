"""Decides whether a candidate replaces the model in use. Both are judged on the same held-out rows, which neither model
has seen. The candidate must be better by more than the random variation of those rows. Two kinds of candidate are
refused: one that is too good, because its features must contain the outcome, and one with much less training data than
the model in use.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from ops_project.counted import counted
from ops_project.model.finding import ModelFindingKind
from ops_project.model.learning import Gate, Guards
from ops_project.pipeline.learning.judge.health import Reading
from ops_project.pipeline.learning.judge.metrics import Floats


class GateReason(StrEnum):
    """Why a candidate was promoted or refused."""

    FIRST = "first"
    """There was no model before, and the candidate may be used."""
    BETTER = "better"
    NOT_BETTER = "not_better"
    """The candidate is not better than the model that it would replace, or the difference may be random."""
    LABEL_LEAK = "label_leak"
    TRAINING_TRUNCATED = "training_truncated"
    INPUTS_BROKEN = "inputs_broken"
    """The features no longer relate to each other as before. A model that learns from such features is not better, but
    only adapted to the fault.
    """
    UNCHANGED = "unchanged"
    """The same inputs gave the same model."""


# Reason of a refusal → failure class of the finding about it.
FAILURE_CLASS: dict[GateReason, ModelFindingKind] = {
    GateReason.NOT_BETTER: "value_anomaly",
    GateReason.LABEL_LEAK: "data_invalid",
    GateReason.TRAINING_TRUNCATED: "volume_anomaly",
    GateReason.INPUTS_BROKEN: "data_invalid",
}

# With these reasons, the candidate could be judged. So the model in use was compared with the newest data, which
# confirms it.
CONFIRMING = (GateReason.FIRST, GateReason.BETTER, GateReason.UNCHANGED, GateReason.NOT_BETTER)


@dataclass(frozen=True)
class Promotion:
    """The decision with its reason.

    `gain`: the mean loss that the candidate saves per row.
    `bound`: the lower bound of `gain`.
    """

    promote: bool
    reason: GateReason
    message: str
    gain: float | None = None
    bound: float | None = None


def gain_bound(incumbent: Floats, candidate: Floats, gate: Gate) -> tuple[float, float]:
    """The mean of the saved losses, and its lower bound from bootstrap samples. Both arrays hold the same rows in the
    same order.
    """
    saved = incumbent - candidate
    rng = np.random.default_rng(gate.seed)
    means = np.array([saved[rng.integers(0, len(saved), len(saved))].mean() for _ in range(gate.resamples)])
    return float(saved.mean()), float(np.quantile(means, 1 - gate.confidence))


def unfit(
    guards: Guards,
    *,
    aucs: dict[str, float],
    rows: int,
    serving_rows: int | None,
) -> Promotion | None:
    """The refusal of a candidate that may not be promoted, however small its loss. None if the losses decide.

    `aucs`: how well the model (under the name `model`) and each single feature separate the held-out outcomes.
    `rows`: the number of training rows of the candidate.
    `serving_rows`: the same number for the model in use.
    """
    leaks = {name: value for name, value in aucs.items() if max(value, 1 - value) > guards.max_auc}
    if leaks:
        named = ", ".join(f"{name} {max(value, 1 - value):.3f}" for name, value in sorted(leaks.items()))
        return Promotion(
            False,
            GateReason.LABEL_LEAK,
            f"separation beyond {guards.max_auc} is not plausible ({named}): a feature contains the outcome",
        )
    if serving_rows and rows < guards.min_training_share * serving_rows:
        return Promotion(
            False,
            GateReason.TRAINING_TRUNCATED,
            f"trained on {counted(rows, 'row')}, the serving model on {serving_rows}: "
            f"less than {guards.min_training_share:.0%} of them",
        )
    return None


def broken(reading: Reading) -> Promotion | None:
    """The refusal of a candidate whose inputs are broken; None if the inputs are sound. Inputs are broken if they no
    longer relate to each other as they did for the model in use. After a refusal, a person decides about the promotion.
    """
    if reading.status != "failed":
        return None
    words = f"{reading.detail}; if the data has changed for good, promote the candidate by hand"
    return Promotion(False, GateReason.INPUTS_BROKEN, words)


def decide(incumbent: Floats, candidate: Floats, gate: Gate, *, serving: str | None) -> Promotion:
    """Compare the losses on the same held-out rows.

    `serving`: the version of the model in use; None if there is no model yet, and the plain alternative is compared.
    """
    gain, bound = gain_bound(incumbent, candidate, gate)
    against = f"version {serving}" if serving else "the plain alternative"
    words = f"loss saved per row against {against}: {gain:.4f}, at least {bound:.4f} ({gate.confidence:.0%} bound)"
    if bound > 0:
        return Promotion(True, GateReason.BETTER if serving else GateReason.FIRST, words, gain, bound)
    return Promotion(False, GateReason.NOT_BETTER, f"not better beyond noise; {words}", gain, bound)

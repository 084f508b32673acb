"""Churn: a calibrated logistic regression on what was known before the cut-off. It is compared with a plain rule that
uses only the recency. A logistic regression was chosen for two reasons: its results can be explained to a person, and
with a dozen features no other method is better.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ops_project.pipeline.learning.artifact import libraries
from ops_project.pipeline.learning.frames import FEATURES
from ops_project.pipeline.learning.judge.health import Reference, natural_shift, stability
from ops_project.pipeline.learning.judge.metrics import Floats, bin_edges, bin_shares, psi, rank_correlations

PLAIN = ["recency_days"]
REGULARISATION = 1.0
FOLDS = 5
Fold = tuple[NDArray[np.int64], NDArray[np.int64]]
"""The rows that the model of a fold is trained on, and the rows that it predicts."""


@dataclass(frozen=True)
class ChurnModel:
    """Coefficients over standardized features, and the two numbers of Platt's calibration."""

    features: list[str]
    mean: Floats
    scale: Floats
    coefficients: Floats
    intercept: float
    calibration: tuple[float, float]

    def standardized(self, matrix: Floats) -> Floats:
        """Converts rows × all FEATURES into rows × this model's features, standardized."""
        chosen = matrix[:, [FEATURES.index(name) for name in self.features]]
        return np.asarray((chosen - self.mean) / self.scale, dtype=np.float64)

    def contributions(self, matrix: Floats) -> Floats:
        """By how much each feature changes the log-odds of a row, compared with the mean customer."""
        return np.asarray(self.standardized(matrix) * self.coefficients * self.calibration[0], dtype=np.float64)

    def probability(self, matrix: Floats) -> Floats:
        """Calibrated probability of churn for each row."""
        decision = self.standardized(matrix) @ self.coefficients + self.intercept
        slope, offset = self.calibration
        return np.asarray(1 / (1 + np.exp(-(slope * decision + offset))), dtype=np.float64)

    def to_json(self) -> dict[str, Any]:
        return {
            "features": self.features,
            "mean": self.mean.tolist(),
            "scale": self.scale.tolist(),
            "coefficients": self.coefficients.tolist(),
            "intercept": self.intercept,
            "calibration": list(self.calibration),
            "libraries": libraries("scikit-learn"),
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> ChurnModel:
        return cls(
            features=list(data["features"]),
            mean=np.array(data["mean"]),
            scale=np.array(data["scale"]),
            coefficients=np.array(data["coefficients"]),
            intercept=float(data["intercept"]),
            calibration=(float(data["calibration"][0]), float(data["calibration"][1])),
        )


def folds_of(outcome: Floats, customers: Sequence[str], seed: int) -> list[Fold]:
    """Divides the rows into FOLDS parts, by `customers`, the customer of each row. The division takes longer than a
    fit, and does not depend on the features.

    A customer has a row at each cut-off, and these rows are similar. If the rows of a customer were in several folds, a
    model could predict rows that it has memorised.
    """
    from sklearn.model_selection import StratifiedGroupKFold

    folds = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=seed)
    return list(folds.split(np.zeros((len(outcome), 1)), outcome, groups=list(customers)))


def fit(matrix: Floats, outcome: Floats, folds: Sequence[Fold], names: list[str]) -> ChurnModel:
    """Fit a model on `matrix` (rows × FEATURES).

    `folds`: see `folds_of`. The calibration uses predictions for rows that the model of the fold was not trained on.
    `names`: the features that the model uses.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import cross_val_predict

    chosen = matrix[:, [FEATURES.index(name) for name in names]]
    mean, spread = chosen.mean(axis=0), chosen.std(axis=0)
    scale = np.where(spread > 1e-9, spread, 1.0)
    ready = (chosen - mean) / scale
    model = LogisticRegression(C=REGULARISATION, max_iter=2000)
    unseen = cross_val_predict(model, ready, outcome, cv=folds, method="decision_function")
    platt = LogisticRegression(C=1e6, max_iter=2000).fit(unseen.reshape(-1, 1), outcome)
    model.fit(ready, outcome)
    return ChurnModel(
        features=names,
        mean=mean,
        scale=scale,
        coefficients=model.coef_[0],
        intercept=float(model.intercept_[0]),
        calibration=(float(platt.coef_[0][0]), float(platt.intercept_[0])),
    )


def reference(model: ChurnModel, matrix: Floats, before: Floats) -> dict[str, Any]:
    """The distributions with which later inputs and scores are compared.

    `matrix`: the customers at the held-out cut-off.
    `before`: the customers one horizon earlier.
    """
    edges = {name: bin_edges(matrix[:, index]) for index, name in enumerate(FEATURES)}
    scores = model.probability(matrix)
    score_edges = bin_edges(scores)
    score_shares = bin_shares(scores, score_edges)
    shares = {name: bin_shares(matrix[:, index], edges[name]) for index, name in enumerate(FEATURES)}
    return {
        "edges": edges,
        "shares": shares,
        "natural": stability(edges, shares, before) if len(before) else {},
        "natural_shift": natural_shift(matrix, before),
        "correlations": rank_correlations(matrix).tolist(),
        "score_edges": score_edges,
        "score_shares": score_shares,
        "score_natural": psi(score_shares, bin_shares(model.probability(before), score_edges)) if len(before) else 0.0,
    }


def reference_of(data: dict[str, Any]) -> Reference:
    stored = data["reference"]
    return Reference(
        stored["edges"], stored["shares"], stored["correlations"], stored["natural"], stored["natural_shift"]
    )

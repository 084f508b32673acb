"""Segments customers with k-means over recency, frequency and monetary value. The number of clusters is the one with
the best silhouette. The profile of a cluster decides its name.

A customer must not change segment merely because a new training numbered the clusters in another order. So centres are
named by their position. A new segmentation is used only if it separates customers better than the present one, by more
than random variation.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ops_project.model.learning import Segmentation
from ops_project.pipeline.learning.artifact import libraries
from ops_project.pipeline.learning.frames import FEATURES, Frame
from ops_project.pipeline.learning.judge.health import natural_shift, stability
from ops_project.pipeline.learning.judge.metrics import Floats, bin_edges, bin_shares, rank_correlations
from ops_project.pipeline.learning.judge.profiles import names

AXES = ["recency_days", "orders_lookback", "revenue"]
STARTS = 10


def rfm(frame: Frame) -> Floats:
    """Logarithms of recency (days), frequency (orders) and monetary value (revenue of the lookback period)."""
    recency, frequency = frame.raw[:, FEATURES.index("recency_days")], frame.raw[:, FEATURES.index("orders_lookback")]
    values: Floats = np.log1p(np.clip(np.column_stack([recency, frequency, frame.revenue]), 0, None))
    return values


@dataclass(frozen=True)
class SegmentModel:
    """The cluster centres with their names, in standardized units."""

    mean: Floats
    scale: Floats
    centres: Floats
    labels: list[str]

    def distances(self, values: Floats) -> Floats:
        """The Euclidean distances of each row of `values` from each centre."""
        ready = (values - self.mean) / self.scale
        return np.asarray(np.sqrt(((ready[:, None, :] - self.centres[None, :, :]) ** 2).sum(axis=2)), dtype=np.float64)

    def assign(self, values: Floats) -> list[str]:
        """The segment of each row."""
        return [self.labels[index] for index in self.distances(values).argmin(axis=1)]

    def separation(self, values: Floats) -> Floats:
        """The simplified silhouette of each row: 1 − (distance to the nearest centre / distance to the second nearest).
        The value is 0 on the border between two segments, and 1 in a centre.
        """
        ordered = np.sort(self.distances(values), axis=1)
        return np.asarray(1 - ordered[:, 0] / np.clip(ordered[:, 1], 1e-9, None), dtype=np.float64)

    def to_json(self) -> dict[str, Any]:
        return {
            "mean": self.mean.tolist(),
            "scale": self.scale.tolist(),
            "centres": self.centres.tolist(),
            "labels": self.labels,
            "libraries": libraries("scikit-learn"),
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> SegmentModel:
        return cls(np.array(data["mean"]), np.array(data["scale"]), np.array(data["centres"]), list(data["labels"]))


def _scaled(values: Floats) -> tuple[Floats, Floats]:
    spread = values.std(axis=0)
    return values.mean(axis=0), np.where(spread > 1e-9, spread, 1.0)


def fit(values: Floats, parameters: Segmentation, seed: int) -> tuple[SegmentModel, dict[int, float]]:
    """The segmentation with the best silhouette, and the silhouette of each number of clusters."""
    from sklearn.cluster import KMeans
    from sklearn.metrics import silhouette_score

    mean, scale = _scaled(values)
    ready = (values - mean) / scale
    chosen = np.random.default_rng(seed).permutation(len(ready))[: parameters.sample]
    fitted: dict[int, Any] = {}
    silhouettes: dict[int, float] = {}
    for clusters in range(parameters.min_clusters, parameters.max_clusters + 1):
        if len(np.unique(ready, axis=0)) <= clusters:
            break
        model = KMeans(clusters, n_init=STARTS, random_state=seed).fit(ready)
        labels = model.predict(ready[chosen])
        fitted[clusters] = model
        silhouettes[clusters] = float(silhouette_score(ready[chosen], labels)) if len(set(labels)) > 1 else -1.0
    # If two numbers of clusters separate the customers equally well, the smaller number is used.
    best = max(silhouettes, key=lambda clusters: (round(silhouettes[clusters], 4), -clusters))
    centres = fitted[best].cluster_centers_
    order = np.lexsort(centres.T[::-1])
    return SegmentModel(mean, scale, centres[order], names(centres[order])), silhouettes


def plain(values: Floats) -> SegmentModel:
    """A plain alternative: thirds of the customers by monetary value alone. A segmentation is compared with these
    thirds.
    """
    mean, scale = _scaled(values)
    ready = (values - mean) / scale
    thirds = np.searchsorted(np.quantile(ready[:, 2], [1 / 3, 2 / 3]), ready[:, 2])
    centres = np.array([ready[thirds == third].mean(axis=0) for third in range(3) if (thirds == third).any()])
    return SegmentModel(mean, scale, centres, [f"third {index + 1}" for index in range(len(centres))])


def reference(model: SegmentModel, values: Floats, before: Floats) -> dict[str, Any]:
    """The distributions with which later customers are compared.

    `before`: the customers of a week earlier.
    """
    edges = {name: bin_edges(values[:, index]) for index, name in enumerate(AXES)}
    assigned = model.assign(values)
    shares = {name: bin_shares(values[:, index], edges[name]) for index, name in enumerate(AXES)}
    return {
        "edges": edges,
        "shares": shares,
        "natural": stability(edges, shares, before) if len(before) else {},
        "natural_shift": natural_shift(values, before),
        "correlations": rank_correlations(values).tolist(),
        "segments": {label: assigned.count(label) / len(assigned) for label in model.labels},
    }

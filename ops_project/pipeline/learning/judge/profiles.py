"""Names of the clusters of customers. A name follows from the profile of the cluster. It never follows from the number
of the cluster, because k-means assigns the numbers anew each time.
"""

from __future__ import annotations

from itertools import permutations

import numpy as np

from ops_project.pipeline.learning.judge.metrics import Floats

# The typical profiles, in standard deviations from the mean customer: recency (days since the last order: high is long
# ago), frequency (orders), monetary (revenue).
PROFILES: dict[str, tuple[float, float, float]] = {
    "Champions": (-1.0, 1.5, 1.5),
    "Loyal": (-0.6, 0.6, 0.6),
    "Recent": (-0.9, -0.6, -0.6),
    "At Risk": (0.6, 0.5, 0.6),
    "Occasional": (0.2, -0.6, -0.4),
    "Lapsed": (1.5, -0.8, -0.8),
}


def names(centres: Floats) -> list[str]:
    """The profile of each centre. A row of `centres` holds recency, frequency and monetary value. No two centres get
    the same profile, and the sum of their distances to their profiles is the smallest possible. The order of the
    centres does not matter. There may be at most six centres.
    """
    distance = np.array(
        [[np.sum((centre - np.array(profile)) ** 2) for profile in PROFILES.values()] for centre in centres]
    )
    labels = list(PROFILES)
    best = min(
        permutations(range(len(labels)), len(centres)),
        key=lambda chosen: (round(sum(distance[row, column] for row, column in enumerate(chosen)), 9), chosen),
    )
    return [labels[column] for column in best]

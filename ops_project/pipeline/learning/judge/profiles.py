"""Names the clusters of customers. The name depends on the profile of a cluster and not on its number, because k-means
assigns the numbers anew each time.
"""

from __future__ import annotations

from itertools import permutations

import numpy as np

from ops_project.pipeline.learning.judge.metrics import Floats

# The typical profiles of recency (days since the last order), frequency (orders) and monetary value (revenue). The unit
# is standard deviations from the mean customer. A high recency means that the last order is long ago.
PROFILES: dict[str, tuple[float, float, float]] = {
    "Champions": (-1.0, 1.5, 1.5),
    "Loyal": (-0.6, 0.6, 0.6),
    "Recent": (-0.9, -0.6, -0.6),
    "At Risk": (0.6, 0.5, 0.6),
    "Occasional": (0.2, -0.6, -0.4),
    "Lapsed": (1.5, -0.8, -0.8),
}


def names(centres: Floats) -> list[str]:
    """The name of the profile of each centre.

    `centres`: each row holds recency, frequency and monetary value. At most six centres are allowed, and their order
    does not matter.

    No two centres get the same profile. The profiles are chosen so that the sum of the distances between centres and
    profiles is smallest.
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

"""Translates a probability into a risk band and reasons for its readers."""

from __future__ import annotations

import numpy as np

from ops_project.model.learning import Bands
from ops_project.pipeline.learning.judge.metrics import Floats

# Feature → two reasons for a risk, in words. The first is used if a high value raises the risk, and the second if a low
# value does.
WORDS: dict[str, tuple[str, str]] = {
    "recency_days": ("the last order is long ago", "the last order is very recent"),
    "recency_ratio": ("the next order is overdue, compared with earlier pauses", "the present pause is usual"),
    "orders_30": ("many orders in the last 30 days", "few orders in the last 30 days"),
    "orders_90": ("many orders in the last 90 days", "few orders in the last 90 days"),
    "orders_lookback": ("many orders in total", "few orders in total"),
    "days_per_order": ("long pauses between orders", "short pauses between orders"),
    "revenue_90": ("high revenue in the last 90 days", "low revenue in the last 90 days"),
    "average_order": ("large orders", "small orders"),
    "undone_share": ("many orders cancelled or returned", "few orders cancelled or returned"),
    "views_14": ("many product views in the last 14 days", "few product views in the last 14 days"),
    "views_15_44": ("many product views 15 to 44 days ago", "few product views 15 to 44 days ago"),
    "tenure_days": ("a customer for a long time", "a customer for a short time"),
}


def band(probability: float | None, bands: Bands) -> str | None:
    """High, Medium or Low; None if nothing was predicted."""
    if probability is None:
        return None
    if probability >= bands.high:
        return "High"
    return "Medium" if probability >= bands.medium else "Low"


def reasons(contributions: Floats, features: list[str], top: int = 2) -> list[str]:
    """For each row, the features that raise its risk most, in words; empty if no feature raises it.

    `contributions`: rows × features, in log-odds compared with the average customer. A contribution of at most 0.05
    does not count.
    `features`: the names of the features, with a leading minus if the coefficient is negative.
    `top`: the largest number of features that are named.
    """
    order = np.argsort(-contributions, axis=1, kind="stable")[:, :top]
    found = []
    for row, columns in enumerate(order):
        said = []
        for column in columns:
            if contributions[row, column] <= 0.05:
                continue
            low = features[column].startswith("-")
            said.append(WORDS[features[column].lstrip("-")][int(low)])
        found.append("; ".join(said))
    return found

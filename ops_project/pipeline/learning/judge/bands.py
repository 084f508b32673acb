"""Risk bands and reasons: the meaning of a probability for a reader."""

from __future__ import annotations

import numpy as np

from ops_project.model.learning import Bands
from ops_project.pipeline.learning.judge.metrics import Floats

# For each feature that raises the risk, in the reader's words: if its value is high, and if its value is low.
WORDS: dict[str, tuple[str, str]] = {
    "recency_days": ("long since the last order", "ordered very recently"),
    "recency_ratio": ("overdue against the own rhythm", "within the own rhythm"),
    "orders_30": ("many orders of late", "few orders of late"),
    "orders_90": ("many orders in three months", "few orders in three months"),
    "orders_lookback": ("many orders in all", "few orders in all"),
    "days_per_order": ("long between orders", "short between orders"),
    "revenue_90": ("high revenue in three months", "low revenue in three months"),
    "average_order": ("large orders", "small orders"),
    "undone_share": ("many orders undone", "few orders undone"),
    "views_14": ("many visits of late", "few visits of late"),
    "views_15_44": ("many visits a month ago", "few visits a month ago"),
    "tenure_days": ("long known", "not long known"),
}


def band(probability: float | None, bands: Bands) -> str | None:
    """High, Medium or Low; None (in no band) if nothing was predicted."""
    if probability is None:
        return None
    if probability >= bands.high:
        return "High"
    return "Medium" if probability >= bands.medium else "Low"


def reasons(contributions: Floats, features: list[str], top: int = 2) -> list[str]:
    """For each row the features that raise its risk most, in words; empty if none does.

    contributions: rows × features, in log-odds compared with the average customer. `features` are their names, with a
    leading minus if the coefficient is negative.
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

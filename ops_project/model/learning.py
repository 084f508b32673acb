"""models.yaml: the data of the models, when a candidate is good enough, and when a model in use is healthy."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from ops_project.model.base import Model

Share = Annotated[float, Field(ge=0, le=1)]


class Bands(Model):
    """The least probability of each band. A customer below both limits is in the band Low."""

    high: Share
    """From this probability on, the band is High."""
    medium: Share
    """From this probability on, the band is Medium."""

    @model_validator(mode="after")
    def _ordered(self) -> Bands:
        if self.medium >= self.high:
            raise ValueError(f"medium {self.medium} is not below high {self.high}")
        return self


class Churn(Model):
    """A customer who does not order within the horizon counts as churned."""

    horizon_days: int = Field(ge=1)
    """A customer who places no order within this many days after the cut-off has churned."""
    active_days: int = Field(ge=1)
    """Only customers who ordered within this many days before the cut-off are predicted. The others have left
    already.
    """
    lookback_days: int = Field(ge=1)
    """The days before a cut-off from which features are computed."""
    training_cutoffs: int = Field(ge=1)
    """The number of past cut-offs from which the model learns."""
    cutoff_step_days: int = Field(ge=1)
    """The days between two cut-offs."""
    warm_up_days: int = Field(ge=1)
    """The days of history that must lie before a cut-off."""
    min_customers: int = Field(ge=20)
    """With fewer customers no model is trained."""
    bands: Bands

    @property
    def min_history_days(self) -> int:
        """The horizon after the cut-off and the warm-up before it, together."""
        return self.horizon_days + self.warm_up_days


class Segmentation(Model):
    """Clusters of customers by recency, frequency and monetary value."""

    lookback_days: int = Field(ge=1)
    """The past days whose orders count."""
    min_clusters: int = Field(ge=2)
    """The least number of clusters that is tried."""
    max_clusters: int = Field(le=6)
    """At most six, because there are six profiles that name a cluster."""
    min_history_days: int = Field(ge=1)
    """With fewer days of history no model is trained."""
    min_customers: int = Field(ge=20)
    """With fewer customers no model is trained."""
    sample: int = Field(ge=100)
    """The number of customers on which each number of clusters is judged."""

    @model_validator(mode="after")
    def _ordered(self) -> Segmentation:
        if self.min_clusters > self.max_clusters:
            raise ValueError(f"min_clusters {self.min_clusters} is above max_clusters {self.max_clusters}")
        return self


class Recommendations(Model):
    """Products that are bought together, or viewed together."""

    per_product: int = Field(ge=1)
    """The largest number of recommendations for a product."""
    lookback_days: int = Field(ge=1)
    """The past days whose baskets count."""
    holdout_days: int = Field(ge=1)
    """The newest days that are held out to judge a candidate."""
    min_history_days: int = Field(ge=2)
    """With fewer days of history no model is trained."""
    min_orders: int = Field(ge=1)
    """Divided by ten, this is the least number of held-out baskets with two products. With fewer such baskets, a
    candidate is not judged.
    """
    max_basket: int = Field(ge=2)
    """The size of the largest basket. Larger baskets belong to resellers. They do not show which products belong
    together, and they cost much time.
    """
    min_support: int = Field(ge=1)
    """The least number of baskets that must hold both products."""
    shrinkage: float = Field(ge=0)
    """The number of assumed baskets that hold only one of the two products. Because of them, the strength of a rare
    pair is not overestimated.
    """
    view_weight: float = Field(ge=0)
    """How much a joint visit counts, if a joint purchase counts 1."""


class Gate(Model):
    """When a candidate replaces the model in use. The candidate must be better on the same held-out data, and the
    difference must exceed the noise.
    """

    confidence: float = Field(gt=0.5, lt=1)
    """The confidence of the one-sided bootstrap bound on the difference."""
    resamples: int = Field(ge=100)
    """The number of bootstrap samples."""
    seed: int
    """Seed of the bootstrap, so that a comparison can be repeated."""


class Guards(Model):
    """Limits that make a candidate unfit, whatever its score is."""

    max_auc: float = Field(gt=0.5, le=1)
    """The largest credible separation. If the model or a single feature separates better, the label has leaked."""
    min_training_share: Share
    """The least number of training rows, as a share of the rows of the model in use."""


class Health(Model):
    """Limits of a model in service. A reading beyond its limit is a finding and a failing check."""

    max_psi: float = Field(gt=0)
    """The population stability index of a feature, or of the scores, against the training data."""
    max_association_shift: float = Field(gt=0, le=2)
    """The change of the rank correlation of two features. A shuffled column keeps its distribution, but loses this
    correlation.
    """
    max_calibration_error: Share
    """The largest difference between the predicted and the observed rate."""
    min_coverage: Share
    """The least share of the due predictions that must exist."""
    max_age_days: int = Field(ge=1)
    """The largest number of days since the model was trained or confirmed."""


class Learning(Model):
    """models.yaml: the data of the models, when a candidate is good enough, and when a model in use is healthy."""

    churn: Churn
    segmentation: Segmentation
    recommendations: Recommendations
    gate: Gate
    guards: Guards
    health: Health

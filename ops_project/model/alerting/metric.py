"""The declarations of metrics. A rule may name only declared metrics."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from ops_project.model.base import Model
from ops_project.model.failure_class import FailureClass

MetricId = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+$", max_length=80)]


class Metric(Model):
    """One metric: what it means, and which observer produces it."""

    title: str
    """The metric's name for people."""
    type: Literal["state", "gauge", "event"]
    """The kind of the values. state: 1 while something is wrong, otherwise 0. gauge: a number that is read again and
    again. event: one occurrence, which a rule counts in a window.
    """
    unit: Literal["count", "ratio", "seconds", "percent", "score", "bytes", "hours"] = "count"
    """The unit of the values."""
    producer: str
    """The id of the observer that emits the metric, or `snapshot` if `sql` is given."""
    minimum: float | None = None
    """The least value that is possible."""
    maximum: float | None = None
    """The largest value that is possible."""
    failure_class: FailureClass | None = None
    """The failure class of the metric's alerts, if neither the reading nor the rule states one."""
    category: Literal["data", "business", "platform"] = "data"
    """What the metric is about."""
    tables: tuple[str, ...] = ()
    """The tables that `sql` reads, as schema.table. If one of them does not exist, the metric has no value (which is
    not 0).
    """
    sql: str | None = None
    """A query that runs on each new snapshot. Its answer has the column `value`. The columns total, asset, partition,
    check_name, domain, message and event_at are optional. Other columns become labels.
    """

    @model_validator(mode="after")
    def _sql_is_the_snapshots(self) -> Metric:
        if (self.sql is not None) != (self.producer == "snapshot"):
            raise ValueError("give sql if the producer is snapshot, and only then")
        return self


class Metrics(Model):
    """metrics.yaml: the metrics that rules may name."""

    metrics: dict[MetricId, Metric] = Field(min_length=1)

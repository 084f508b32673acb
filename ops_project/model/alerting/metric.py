"""What can be measured, as its producer declares it. A rule may name nothing else."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from ops_project.model.base import Model
from ops_project.model.failure_class import FailureClass

MetricId = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+$")]


class Metric(Model):
    """One metric: who produces it, what its values mean."""

    title: str
    type: Literal["state", "gauge", "event"]
    """state: 1 while something is wrong, 0 when it is well; gauge: a reading; event: each reading counts in a
    window."""
    unit: Literal["count", "ratio", "seconds", "percent", "score", "bytes", "hours"] = "count"
    producer: str
    """The module that emits it, or `snapshot` where `sql` is given."""
    minimum: float | None = None
    maximum: float | None = None
    failure_class: FailureClass | None = None
    category: Literal["data", "business", "platform"] = "data"
    tables: tuple[str, ...] = ()
    """Tables that `sql` reads, schema.table: where one is absent the metric is unknown, not zero."""
    sql: str | None = None
    """Run on each new snapshot; columns value, and as far as there are any total, asset, partition, check_name, domain,
    message, event_at; other columns become labels."""

    @model_validator(mode="after")
    def _sql_is_the_snapshots(self) -> Metric:
        if (self.sql is not None) != (self.producer == "snapshot"):
            raise ValueError("sql is given exactly where the producer is snapshot")
        return self


class Metrics(Model):
    """metrics.yaml."""

    metrics: dict[MetricId, Metric] = Field(min_length=1)

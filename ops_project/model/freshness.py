"""Freshness policies: how old the last build of a table may be before Dagster reports the table as late. A policy
knows only the age of the build. When an old partition is built again, the build is new but the data is as old as
before. So another check measures the age of the data.
"""

from __future__ import annotations

from pydantic import Field, model_validator

from ops_project.model.base import Model


class FreshnessPolicy(Model):
    """Hours since the last materialization."""

    fail_hours: float = Field(gt=0)
    """After this many hours the table counts as late."""
    warn_hours: float | None = Field(default=None, gt=0)
    """After this many hours Dagster warns."""

    @model_validator(mode="after")
    def _warn_first(self) -> FreshnessPolicy:
        if self.warn_hours is not None and self.warn_hours >= self.fail_hours:
            raise ValueError(f"warn_hours {self.warn_hours:g} is not before fail_hours {self.fail_hours:g}")
        return self


class Freshness(Model):
    """freshness.yaml: how old the last build of a table may be."""

    policies: dict[str, FreshnessPolicy]
    layers: dict[str, str]
    """Layer (schema) → policy. A domain may choose another policy in domains.yaml, and a model in its dbt meta
    (`freshness`).
    """

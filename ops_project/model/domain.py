"""Domains: the business areas of the platform. Each domain has its own feeds, tables and main job."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import Field, StringConstraints

from ops_project.model.base import Model

DomainId = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")]

PIPELINE_SUFFIX = "_pipeline"


class Domain(Model):
    """Defaults for the tables of a domain. A table may have values of its own."""

    title: str
    """The domain's name for people."""
    description: str = ""
    """What the domain is about, in a sentence."""
    enabled: bool = True
    """False: nothing of the domain is landed, built or checked, its service levels do not apply, and its open alerts
    are closed.
    """
    owners: tuple[str, ...] = Field(min_length=1)
    """The first is the primary owner."""
    tier: int = Field(default=3, ge=1, le=3)
    """How important the domain is. 1: the business stops without it."""
    main_job: str = ""
    """The job that `ops run` starts; by default `<domain>_pipeline`."""
    freshness: dict[str, str] = {}
    """Layer (schema) → policy of freshness.yaml, if it differs from the default."""
    runbook: str | None = None
    """Slug of the domain's runbook."""
    landing_group: str = ""
    """The group of the landed tables in the Dagster UI; by default `<domain>_bronze`."""


class Domains(Model):
    """domains.yaml: the domains, with the defaults for their tables."""

    domains: dict[DomainId, Domain]

    def main_job(self, domain: str) -> str:
        """The job that builds everything of this domain."""
        found = self.domains.get(domain)
        return (found.main_job if found else "") or re.sub(r"\W", "_", domain) + PIPELINE_SUFFIX

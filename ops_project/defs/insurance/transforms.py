"""The dbt selections of insurance, in the order in which they run."""

from __future__ import annotations

from ops_project.defs.shared.domain import Layer

LAYERS = (
    Layer("silver", "tag:insurance,tag:silver"),
    Layer("gold", "tag:insurance,tag:gold"),
)

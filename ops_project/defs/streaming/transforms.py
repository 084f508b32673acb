"""The dbt selections of streaming, in the order in which they run."""

from __future__ import annotations

from ops_project.defs.shared.domain import Layer

LAYERS = (
    Layer("silver", "tag:streaming,tag:silver"),
    Layer("gold", "tag:streaming,tag:gold"),
)

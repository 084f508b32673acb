"""The dbt selections of the investor metrics, in the order in which they run."""

from __future__ import annotations

from ops_project.defs.shared.domain import Layer

LAYERS = (
    Layer("silver", "tag:investor,tag:silver"),
    Layer("gold", "tag:investor,tag:gold"),
)

"""The dbt selections of e-commerce, in the order in which they run."""

from __future__ import annotations

from ops_project.defs.shared.domain import Layer

LAYERS = (
    Layer("silver", "ecommerce.silver"),
    Layer("gold", "ecommerce.gold"),
)

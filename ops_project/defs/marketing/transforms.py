"""The dbt selections of marketing, in the order in which they run: raw data vault, interface, 360s."""

from __future__ import annotations

from ops_project.defs.shared.domain import Layer

LAYERS = (
    Layer("rdv", "marketing.staging marketing.raw_vault"),
    Layer("interface", "marketing.interface"),
    Layer("gold", "marketing.intermediate marketing.marts"),
)

"""The dbt selections of marketing, in the order in which they run: raw data vault, interface, 360s."""

from __future__ import annotations

from ops_project.defs.shared.domain import Layer

LAYERS = (
    Layer("rdv", "path:models/marketing/staging path:models/marketing/raw_vault"),
    Layer("interface", "path:models/marketing/interface"),
    Layer("gold", "path:models/marketing/intermediate path:models/marketing/marts"),
)
